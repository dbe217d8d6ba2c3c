"""What is said of alarms: what is open and since when, what is critical or missing, how the value came there."""

from __future__ import annotations

from vitruvian.explanation.claims import Audience, Claim, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.plans.parts import composed, notes, red_flags, sign_of

__all__ = ["alarms", "changes", "no_alarm", "plan"]


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims about open alarms, in order."""
    lead = alarms(evidence, audience) or no_alarm(evidence)
    return composed(lead, red_flags(evidence), [*changes(evidence), *notes(evidence)], audience)


def alarms(evidence: Evidence, audience: Audience, *, of: str | None = None, place: Fact | None = None) -> list[Claim]:
    """The open alarms in one sentence; a patient reads what they are about, a clinician value and limit."""
    found = evidence.of_role("alarm", of=of)
    if not found:
        return []
    if len(found) == 1 and place is None and audience == "clinician":
        one = found[0]
        slots = (Slot("alarm", one.id, "label"), Slot("text", one.id, "text"), Slot("since", one.id, "when"))
        return [Claim("alarm", slots)]
    slots_: list[Slot] = [Slot("place", place.id, "label")] if place else []
    for number, one in enumerate(found, 1):
        slots_.append(Slot(f"a{number}", one.id, "label" if audience == "patient" else "text"))
        slots_.append(Slot(f"s{number}", one.id, "when"))
    more = next((one for one in evidence.of_role("count") if one.name == "more" and one.of == (of or "")), None)
    slots_ += [Slot("more", more.id, "value")] if more is not None else []
    return [Claim("alarms", tuple(slots_))]


def no_alarm(evidence: Evidence) -> list[Claim]:
    """That no alarm is open, where a count says so; that none is told shows nothing."""
    counts = [one for one in evidence.of_role("count", of="") if one.name == "alarms"]
    return [Claim("no_alarm", ())] if any(one.value == 0 for one in counts) and not evidence.of_role("alarm") else []


def changes(evidence: Evidence) -> list[Claim]:
    """How values came to where they are, one sentence each; not those that read the same at both ends."""
    found = []
    for last in evidence.of_role("measurement"):
        first = next((one for one in evidence.of_role("measurement", of=last.id) if one.value is not None), None)
        window = next(iter(evidence.of_role("window", of=last.id)), None)
        if first is None or window is None or last.value is None:
            continue
        sign = sign_of(last, first, evidence)
        slots = (
            Slot("subject", last.id, "label"), Slot("from", first.id, "value"), Slot("to", last.id, "value"),
            Slot("window", window.id, "value"),
        )  # fmt: skip
        found += [Claim("changed", slots, sign)] if sign else []
    return found

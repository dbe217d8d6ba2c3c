"""What is said in answer to a question: each fact of the packet by what it is there for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vitruvian.explanation.claims import Audience, Claim, Sign, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.plans import forecast, risk, what_if
from vitruvian.explanation.plans.alert import alarms, changes
from vitruvian.explanation.plans.card import figure
from vitruvian.explanation.plans.parts import listed, notes, text_slot
from vitruvian.explanation.plans.timeline import happenings, medicines

__all__ = ["plan"]

EXTREMES: Final[Mapping[str, Sign]] = {"highest": 1, "lowest": -1}  # how the ids of such facts begin
_REASONS: Final = ("unknown", "refused")


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims of an answer, in the packet's order within each kind."""
    said = [Claim(one.name, (text_slot("reason", one),)) for one in evidence.of_role("words") if one.name in _REASONS]
    for one in evidence.of_role("probability"):
        if one.id.split("-")[0] in EXTREMES and evidence.of_role("window", of=one.id):
            said.append(_extreme(evidence, one))
        elif not one.of:
            said += [risk.level(evidence, one), *risk.drivers(evidence, one)]
    said += what_if.scenario(evidence)
    said += what_if.effects(evidence)
    said += [forecast.expected(evidence, one) for one in evidence.of_role("expected") if not one.of]
    said += _measurements(evidence)
    said += [*changes(evidence), *alarms(evidence, audience), *medicines(evidence), *happenings(evidence)]
    said += _lacking(evidence)
    said += [figure(evidence, one) for one in evidence.of_role("figure")]
    return (*said, *notes(evidence))


def _measurements(evidence: Evidence) -> list[Claim]:
    """Newest values and extremes; not those that a change speaks of."""
    found = []
    for one in evidence.of_role("measurement", "score", "estimate"):
        told = one.id.startswith("critical-") and "critical" in one.flags  # among the red flags
        if one.of or told or one.value is None or evidence.of_role("measurement", of=one.id):
            continue
        measured = one.role == "measurement" and one.at_us is not None  # what is worked out was measured at no time
        when = (Slot("when", one.id, "when"),) if measured else ()
        slots = (Slot("subject", one.id, "label"), Slot("value", one.id, "value"), *when)
        window = evidence.of_role("window", of=one.id)
        extreme = EXTREMES.get(one.id.split("-")[0])
        if extreme is not None and window:
            found.append(Claim("extreme", (*slots, Slot("window", window[0].id, "value")), extreme))
        elif not _is_older(one, evidence):
            found.append(Claim("latest", slots, 1 if "high" in one.flags else -1 if "low" in one.flags else None))
    return found


def _is_older(fact: Fact, evidence: Evidence) -> bool:
    """Whether a newer measurement of the same name is told."""
    return fact.role == "measurement" and any(
        one.name == fact.name and not one.of and (one.at_us or 0) > (fact.at_us or 0)
        for one in evidence.of_role("measurement")
    )


def _lacking(evidence: Evidence) -> list[Claim]:
    """What is not known: that there is nothing of it, or that what there is has grown old."""
    wanted = [one for one in evidence.of_role("missing") if "missing_key" not in one.flags]
    known = {one.name for one in evidence.of_role("measurement")}
    old = [one for one in wanted if (one.name in known or one.at_us is not None) and not _spans(evidence, one)]
    said = [Claim("missing", tuple(listed(old, "m")))] if old else []
    return [*said, *(_absent(evidence, one) for one in wanted if one not in old)]


def _spans(evidence: Evidence, one: Fact) -> tuple[Fact, ...]:
    return evidence.of_role("window", of=one.id)


def _extreme(evidence: Evidence, one: Fact) -> Claim:
    """The highest or lowest risk that was told over a span."""
    slots = [Slot("subject", one.id, "label"), Slot("value", one.id, "value")]
    slots += [Slot("when", one.id, "when")] if one.at_us is not None else []
    slots += [Slot("window", span.id, "value") for span in evidence.of_role("window", of=one.id)[:1]]
    return Claim("extreme", tuple(slots), EXTREMES[one.id.split("-")[0]])


def _absent(evidence: Evidence, one: Fact) -> Claim:
    window = evidence.of_role("window", of=one.id)
    ends = (Slot("window", window[0].id, "value"),) if window else ()
    return Claim("absent", (Slot("subject", one.id, "label"), *ends))

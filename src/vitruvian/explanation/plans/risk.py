"""What is said of a risk: level and change, what is critical or missing, what it is associated with."""

from __future__ import annotations

from vitruvian.explanation.claims import Audience, Claim, Sign, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.plans.parts import composed, first_of, interval, notes, red_flags, sign_of, text_slot

__all__ = ["drivers", "level", "plan"]


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims about a risk, in order."""
    risks = evidence.of_role("probability")
    if not risks:
        return composed(_silent(evidence) or notes(evidence), red_flags(evidence), [], audience)
    often = _frequency(evidence, risks[0]) if audience == "patient" and len(risks) == 1 else []
    rest = [*often[1:], *drivers(evidence, risks[0]), *notes(evidence)]
    return composed([*(level(evidence, one) for one in risks), *often[:1]], red_flags(evidence), rest, audience)


def _silent(evidence: Evidence) -> list[Claim]:
    reasons = [one for one in evidence.of_role("words") if one.name != "note"]
    return [Claim("silent", (text_slot("reason", one),)) for one in reasons[:1]]


def level(evidence: Evidence, risk: Fact) -> Claim:
    """How high it is, and what it was."""
    slots = [Slot("outcome", risk.id, "label"), Slot("risk", risk.id, "value"), *interval(evidence, risk)]
    slots += [Slot("horizon", one.id, "value") for one in evidence.of_role("horizon", of=risk.id)[:1]]
    earlier = first_of(evidence, "earlier", risk)
    if earlier is None:
        return Claim("risk", tuple(slots))
    sign: Sign = sign_of(risk, earlier, evidence)
    then = (Slot("earlier", earlier.id, "value"), Slot("ago", earlier.id, "when"))
    return Claim("risk_moved", (*slots, *(then if sign else then[1:])), sign)


def _frequency(evidence: Evidence, risk: Fact) -> list[Claim]:
    """The same as people in a hundred, and what is usual."""
    said = [Claim("frequency", (Slot("risk", risk.id, "frequency"),))]
    usual = first_of(evidence, "usual", risk)
    if usual is not None:
        said.append(Claim("usual", (Slot("usual", usual.id, "frequency"),), sign_of(risk, usual, evidence)))
    return said


def drivers(evidence: Evidence, risk: Fact) -> list[Claim]:
    """What it is associated with, or that nothing stands out where a model can say so."""
    found = evidence.of_role("driver")
    if not found:
        none = [one for one in evidence.of_role("words", of=risk.id) if one.name == risk.name]
        return [Claim("no_drivers", (Slot("outcome", one.id, "label"),)) for one in none[:1]]
    slots: list[Slot] = []
    for number, one in enumerate(found, 1):
        slots.append(Slot(f"d{number}", one.id, "label"))
        slots.append(Slot(f"v{number}", one.id, "text" if one.value is None else "value"))
        if one.value is not None and one.direction in ("rising", "falling"):
            slots.append(Slot(f"m{number}", one.id, "direction"))
    return [Claim("drivers", tuple(slots))]

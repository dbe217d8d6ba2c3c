"""What is said at a handover: the ward in a sentence, then bed by bed what matters, each sentence with its place."""

from __future__ import annotations

from vitruvian.explanation.claims import Audience, Claim, Sign, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.plans.alert import alarms
from vitruvian.explanation.plans.parts import first_of, notes, red_flags, sign_of
from vitruvian.explanation.plans.timeline import medicines

__all__ = ["plan"]


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims of a handover, in order."""
    said = _ward(evidence)
    for place in evidence.of_role("place"):
        said.append(_bed(evidence, place))
        said += red_flags(evidence, of=place.id, place=place)
        said += alarms(evidence, audience, of=place.id, place=place)
        said += medicines(evidence, of=place.id, place=place)
    return (*said, *red_flags(evidence, of=""), *notes(evidence))


def _ward(evidence: Evidence) -> list[Claim]:
    counts = {one.name: one for one in evidence.of_role("count") if not one.of}
    if "beds" not in counts:
        return []
    slots = [Slot(name, counts[name].id, "value") for name in ("beds", "alarms") if name in counts]
    return [Claim("ward", tuple(slots))]


def _bed(evidence: Evidence, place: Fact) -> Claim:
    """Score and risk of a bed, and what the risk was."""
    slots = [Slot("place", place.id, "label")]
    score = first_of(evidence, "score", place)
    slots += [Slot("score", score.id, "value")] if score is not None else []
    risk = first_of(evidence, "probability", place)
    if risk is None:
        return Claim("bed", tuple(slots))
    slots += [Slot("outcome", risk.id, "label"), Slot("risk", risk.id, "value")]
    earlier = first_of(evidence, "earlier", risk)
    if earlier is None:
        return Claim("bed", tuple(slots))
    sign: Sign = sign_of(risk, earlier, evidence)
    then = (Slot("earlier", earlier.id, "value"), Slot("ago", earlier.id, "when"))
    return Claim("bed", (*slots, *(then if sign else then[1:])), sign)

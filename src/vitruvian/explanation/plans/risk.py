"""What is said of a risk: level and change, what is critical, what it is associated with, what is missing."""

from __future__ import annotations

from typing import Final

from vitruvian.explanation.claims import Audience, Claim, Sign, Slot
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.plans.parts import critical, missing, notes, sign_of

__all__ = ["plan"]

MOVED_MIN: Final = 0.0


def plan(evidence: Evidence, audience: Audience) -> tuple[Claim, ...]:
    """The claims about a risk, in order: at most four for a clinician besides notes."""
    risk = next(iter(evidence.of_role("probability")), None)
    if risk is None:
        return (*_silent(evidence), *critical(evidence), *missing(evidence))
    said = [_level(evidence, risk)]
    if audience == "patient":
        said += _frequency(evidence, risk)
    said += [*critical(evidence), *_drivers(evidence, risk), *missing(evidence), *notes(evidence)]
    return tuple(said)


def _silent(evidence: Evidence) -> tuple[Claim, ...]:
    return tuple(Claim("silent", (Slot("reason", one.id, "text"),)) for one in evidence.of_role("words")[:1])


def _level(evidence: Evidence, risk: Fact) -> Claim:
    slots = [Slot("outcome", risk.id, "label"), Slot("risk", risk.id, "value"), *_interval(evidence, risk)]
    slots += [Slot("horizon", one.id, "value") for one in evidence.of_role("horizon", of=risk.id)[:1]]
    earlier = next(iter(evidence.of_role("earlier", of=risk.id)), None)
    if earlier is None:
        return Claim("risk", tuple(slots))
    sign: Sign = sign_of(risk, earlier, evidence)
    then = (Slot("earlier", earlier.id, "value"), Slot("ago", earlier.id, "when"))
    return Claim("risk_moved", (*slots, *(then if sign else then[1:])), sign)


def _interval(evidence: Evidence, risk: Fact) -> list[Slot]:
    low, high = evidence.of_role("interval_low", of=risk.id), evidence.of_role("interval_high", of=risk.id)
    return [Slot("low", low[0].id, "value"), Slot("high", high[0].id, "value")] if low and high else []


def _frequency(evidence: Evidence, risk: Fact) -> list[Claim]:
    return [Claim("frequency", (Slot("risk", risk.id, "frequency"),))]


def _drivers(evidence: Evidence, risk: Fact) -> list[Claim]:
    drivers = evidence.of_role("driver")
    if not drivers:
        none = [one for one in evidence.of_role("words", of=risk.id) if one.name == "no_drivers"]
        return [Claim("no_drivers", (Slot("outcome", one.id, "label"),)) for one in none[:1]]
    slots: list[Slot] = []
    for number, one in enumerate(drivers, 1):
        slots.append(Slot(f"d{number}", one.id, "label"))
        slots.append(Slot(f"v{number}", one.id, "text" if one.value is None else "value"))
        if one.direction in ("rising", "falling"):
            slots.append(Slot(f"m{number}", one.id, "direction"))
    return [Claim("drivers", tuple(slots))]

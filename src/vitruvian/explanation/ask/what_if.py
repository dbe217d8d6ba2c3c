"""What a named dose would change: the scenario of a question, run in the patient's own body. Always hypothetical."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from vitruvian.core.errors import ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.ask.doses import Doubt
from vitruvian.explanation.ask.kinds import Detail, Route
from vitruvian.explanation.ask.port import Answers
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.parts import notes
from vitruvian.explanation.subjects import subjects
from vitruvian.physiology.actions import Action
from vitruvian.scenarios import Scenario

__all__ = ["FORECAST_H", "FORECAST_H_MAX", "answer", "asked", "only", "scenario_of"]

FORECAST_H: Final = 6.0
FORECAST_H_MAX: Final = 24.0
HORIZON_H: Final = 6.0
VOLUME_OVER_H: Final = 1.0  # of fluids and blood, where the question does not say: told with the answer
_VOLUMES: Final = ("crystalloid", "colloid", "red_cells", "plasma", "blood_loss")
_DOUBTS: Final[Mapping[Doubt, str]] = {
    "none": "a dose of 0 changes nothing; name a dose above 0, or ask what stopping would change",
    "negative": "the question names a negative dose; name one dose above 0",
    "range": "the question names a range of doses; name one dose",
    "several": "the question names several doses; ask about one at a time",
    "endless": "the dose is no number that can be simulated; name one dose",
}
_BAG_ML: Final = 300.0  # of red cells: a unit is 250 to 350 mL; the answer states the volume


def answer(route: Route, twin: Answers) -> Evidence:
    """The packet of the what-if. Raises what the body does, and ModelError where the question names too little."""
    scenario = scenario_of(route, twin)
    packet = only(twin.what_if(scenario), route.concept)
    assumed = _assumed(route.detail)
    if route.concept and not asked(packet, route.concept):
        what = subjects(route.concept).label
        raise ModelError(
            f"the simulated body does not compute {what}; ask what it would change in what the body computes"
        )
    if not assumed:
        return packet
    texts = [one.text for one in packet.facts if one.name == "note"]
    kept = [one for one in packet.facts if one.name != "note"]
    return msgspec.structs.replace(packet, facts=(*kept, *notes([*texts, *assumed])))


def scenario_of(route: Route, twin: Answers) -> Scenario:
    """What is done, in the body's terms. Raises ModelError where a dose, a medicine or a weight is not known."""
    detail, horizon_s = route.detail, 3_600 * min(max(route.ahead_h or HORIZON_H, 0.5), FORECAST_H_MAX)
    if detail.edit:
        return Scenario(edits=((detail.edit, float(detail.value or 0.0)),), horizon_s=horizon_s)
    if not detail.action:
        raise ModelError("the question names no medicine or fluid that is known here; name it, with a dose and a unit")
    known = twin.interventions()
    if known and detail.action not in known:
        able = ", ".join(sorted(subjects(one).label for one in known if one in VOCABULARY))
        raise ModelError(f"the simulated body knows no effect of {subjects(detail.action).label}; it knows {able}")
    if detail.stop:
        if not known.get(detail.action):
            raise ModelError(
                f"{subjects(detail.action).label} does not run in the simulated body, so stopping changes nothing"
            )
        return Scenario(actions=(Action(detail.action, 0.0),), horizon_s=horizon_s)
    if detail.doubt:
        raise ModelError(_DOUBTS[detail.doubt])
    if detail.dose is None:
        raise ModelError("the question names no dose; ask what a named dose would change, such as 500 mL of saline")
    value, unit = _dose(detail, twin)
    over_h = detail.over_h or (VOLUME_OVER_H if detail.action in _VOLUMES and unit == "mL" else None)
    return Scenario(
        actions=(Action(detail.action, value, unit, 0.0, None if over_h is None else 3_600 * over_h),),
        horizon_s=horizon_s,
    )


def _dose(detail: Detail, twin: Answers) -> tuple[float, str]:
    """The dose in a unit that the body takes: litres and bags as millilitres, doses by weight as whole ones."""
    assert detail.dose is not None
    value, unit = detail.dose, detail.unit
    if unit in ("mL/kg", "mg/kg"):
        weight_kg = twin.weight_kg()
        if weight_kg is None:
            raise ModelError("the dose is by weight and no body weight is on file; name the whole dose")
        return value * weight_kg, unit.removesuffix("/kg")
    if unit == "L":
        return value * 1_000, "mL"
    if unit == "{bag}" or (unit == "[iU]" and detail.action == "red_cells"):
        return value * _BAG_ML, "mL"
    if unit == "%" and detail.action == "inspired_oxygen_fraction":
        return value / 100, "1"
    return value, unit


def _assumed(detail: Detail) -> list[str]:
    """What the question left open and was taken, and what it asks otherwise than it can be simulated."""
    past = ["it is simulated from now on, not from the time that the question names"] if detail.past else []
    if detail.action in _VOLUMES and detail.unit in ("mL", "L", "mL/kg", "{bag}") and detail.over_h is None:
        return [*past, "the question did not say over what time; 1 h was taken"]
    return past


def asked(packet: Evidence, concept: str) -> bool:
    """Whether what is asked about is in a packet of what is expected or would differ."""
    return any(_same(one, concept) for one in packet.facts if one.role in _ABOUT)


def only(packet: Evidence, concept: str) -> Evidence:
    """The packet with what is asked about alone, and what must be said anyway; whole where it is not in it."""
    wanted = {fact.id for fact in packet.facts if fact.role in _ABOUT and _same(fact, concept)}
    if not concept or not wanted:
        return packet
    dropped = {fact.id for fact in packet.facts if fact.role in _ABOUT and fact.id not in wanted and not _red(fact)}
    while True:
        more = {fact.id for fact in packet.facts if fact.of in dropped and not _red(fact)} - dropped
        if not more:
            break
        dropped |= more
    held = {fact.of for fact in packet.facts if fact.id not in dropped}
    kept = tuple(
        sorted((fact for fact in packet.facts if fact.id not in dropped or fact.id in held),
               key=lambda fact: fact.id not in wanted)
    )  # fmt: skip
    return msgspec.structs.replace(packet, facts=kept)


_ABOUT: Final = ("expected", "difference", "probability", "score")


def _same(fact: Fact, concept: str) -> bool:
    return fact.name in (concept, f"{concept}_risk")


def _red(fact: Fact) -> bool:
    return "critical" in fact.flags

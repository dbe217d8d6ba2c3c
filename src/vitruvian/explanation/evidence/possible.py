"""What one fact that someone brings may be: its name, its unit, and a value that can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vitruvian.core.errors import ReadingError, UnitError
from vitruvian.core.units import parse
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.core.vocabulary.concept import Concept
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.labels import own_label
from vitruvian.explanation.evidence.signs import fault_of_name, unseen

__all__ = ["check_label", "check_possible", "check_unit", "refuse"]

# Least and most of what is measured in an evaluation.
_FIGURES: Final[Mapping[str, tuple[float, float]]] = {
    "auroc": (0, 1), "alarm_precision": (0, 1), "sensitivity": (0, 1), "specificity": (0, 1), "utility": (-100, 1),
    "alarms_per_patient_day": (0, 1e4),
}  # fmt: skip


def refuse(fact: Fact, found: str, expected: str) -> ReadingError:
    """What is raised where a fact does not hold."""
    return ReadingError(f"fact {fact.id}: found {found}, expected {expected}; correct the packet")


def check_label(fact: Fact, packet: Evidence) -> None:
    """A label is a name: a sentence in it would be read as ours. No text hides anything."""
    told = own_label(fact) and fact.name.endswith("_risk")  # read by their names alone
    for text in (fact.label, fact.name):
        fault = fault_of_name(text, "words" if told else fact.role)
        if fault:
            raise refuse(fact, f"{fault} in {text[:60]!r}", "a name, not a sentence, without figures or unseen signs")
    for text in (fact.text, fact.source):
        sign = unseen(text)
        if sign:
            raise refuse(fact, f"a sign that is not seen (U+{ord(sign):04X})", "text that people can read")


def check_unit(fact: Fact, packet: Evidence) -> None:
    """Units are UCUM whatever the name, and a dose is of a kind that its medicine has."""
    if not fact.unit:
        return
    try:
        unit = parse(fact.unit)
        if any(sign.isspace() for sign in fact.unit):
            raise UnitError("it has a blank")
    except UnitError as error:
        raise refuse(fact, f"the unit {fact.unit!r} ({error})", "a unit of UCUM") from None
    concept = VOCABULARY.get(fact.name)
    if concept is None or concept.kind != "intervention" or fact.role not in ("action", "edit"):
        return
    if not any(unit.dimension == parse(one).dimension for one in _dosed(concept)):
        raise refuse(fact, f"{fact.name} in {fact.unit}", " or ".join(_dosed(concept)))


def _dosed(concept: Concept) -> tuple[str, ...]:
    """The units in which an intervention is given: at once, and continuously, by weight or not."""
    given = concept.administration
    units = (concept.unit, *((given.dose_unit, given.rate_unit) if given else ()))
    whole = [one for one in dict.fromkeys(units) if one]
    return tuple(dict.fromkeys(
        [*whole, *(f"{one}/kg" for one in whole if "/kg" not in one), *(one.replace("/kg", "") for one in whole)]
    ))  # fmt: skip


def check_possible(fact: Fact, packet: Evidence) -> None:
    """A measured value must be possible in a person, a score one of its points, a risk a probability."""
    if fact.value is None:
        return
    parent = packet.by_id.get(fact.of, fact)
    if fact.name.endswith("_risk"):
        _between(fact, (-1.0 if "difference" in (fact.role, parent.role) else 0.0, 1.0))
    if "figure" in (fact.role, parent.role) and fact.name in _FIGURES:
        _between(fact, _FIGURES[fact.name])
    concept = VOCABULARY.get(fact.name)
    if concept is None:
        return
    measured = fact.role in ("measurement", "driver") and concept.kind in ("vital", "lab")
    if measured or (fact.role == "score" and concept.kind == "score"):
        _between(fact, concept.plausible, concept.unit)
    _sided(fact, concept)


def _between(fact: Fact, ends: tuple[float, float], unit: str = "") -> None:
    assert fact.value is not None
    if not ends[0] <= fact.value <= ends[1]:
        raise refuse(fact, f"{fact.name} {fact.value:g} {unit}".rstrip(), f"{ends[0]:g} to {ends[1]:g}")


def _sided(fact: Fact, concept: Concept) -> None:
    """What is called high or low must be so for somebody: for some age and sex."""
    assert fact.value is not None
    if {"high", "low"} <= set(fact.flags):
        raise refuse(fact, "high and low", "one of them")
    if not concept.normal:
        return
    highest, lowest = min(row.high for row in concept.normal), max(row.low for row in concept.normal)
    if "high" in fact.flags and fact.value <= highest:
        raise refuse(fact, f"{fact.value:g} called high", f"more than {highest:g}")
    if "low" in fact.flags and fact.value >= lowest:
        raise refuse(fact, f"{fact.value:g} called low", f"less than {lowest:g}")

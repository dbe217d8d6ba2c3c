"""FHIR's `value[x]` as a value in the concept's unit."""

from __future__ import annotations

import hashlib
import math
from typing import Final, NamedTuple

from vitruvian.core import units
from vitruvian.core.errors import UnitError
from vitruvian.core.events import Blob, Coded, Comparator, Quantity, Range, Text, Value
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX, MESSAGE_EVENTS_MAX, TEXT_CHARS_MAX
from vitruvian.core.vocabulary import Concept
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.codes import Known
from vitruvian.records.fhir.outcome import Refused

__all__ = ["Taken", "coded", "take", "text_value"]

UCUM: Final = "http://unitsofmeasure.org"
SAMPLE_STEP_MS_MIN: Final = 1_000.0  # sampled faster is a waveform, kept whole; slower is a series of numbers
SAMPLE_STEP_MS_MAX: Final = 86_400_000.0
_COMPARATORS: Final[dict[str, Comparator]] = {"": "", "<": "<", "<=": "<=", ">=": ">=", ">": ">"}
_IMPLAUSIBLE: Final = ("implausible",)


class Taken(NamedTuple):
    """A value, its quality flags, and how long after the observation's start it was measured."""

    value: Value
    quality: tuple[str, ...] = ()
    offset_us: int = 0


def take(known: Known, stated: structs.Value, where: str) -> tuple[Taken, ...]:
    """What an observation, or one component, states of a concept: nothing, one value, or a sampled series.

    `where` names the resource, for values that stay in it. Raises Refused (`unit`, `value`, `limit`).
    """
    if stated.value_quantity is not None:
        if stated.value_quantity.value is None:
            return ()
        return (_quantity(known, stated.value_quantity),)
    if stated.value_codeable_concept is not None:
        return _codeable(known.concept, stated.value_codeable_concept)
    if stated.value_integer is not None:
        return (_quantity(known, structs.Quantity(float(stated.value_integer))),)
    if stated.value_string is not None:
        return _string(known.concept, stated.value_string)
    if stated.value_boolean is not None:
        return (_boolean(known.concept, stated.value_boolean),)
    if stated.value_range is not None:
        return (_range(known, stated.value_range),)
    if stated.value_ratio is not None:
        return (_ratio(known, stated.value_ratio),)
    if stated.value_sampled_data is not None:
        return _samples(known, stated.value_sampled_data, where)
    for text in (stated.value_date_time, stated.value_time):
        if text:
            return (Taken(text_value(text)),)
    if stated.value_period is not None:
        return (Taken(text_value(f"{stated.value_period.start}/{stated.value_period.end}")),)
    return ()


def text_value(text: str) -> Text:
    """Words, within the limit. Raises Refused."""
    if len(text) > TEXT_CHARS_MAX:
        raise Refused("limit", f"found a text of {len(text)} characters, expected at most {TEXT_CHARS_MAX}")
    return Text(text)


def coded(coding: structs.Coding, text: str = "", number: float | None = None) -> Coded:
    """A code with its display, or the text beside it, within limits. Raises Refused."""
    if len(coding.system) > IDENTIFIER_CHARS_MAX or len(coding.code) > IDENTIFIER_CHARS_MAX:
        raise Refused("limit", f"found a code or its system longer than {IDENTIFIER_CHARS_MAX} characters")
    return Coded(coding.system, coding.code, text_value(coding.display or text).text, number)


def _quantity(known: Known, stated: structs.Quantity) -> Taken:
    assert stated.value is not None
    comparator = _COMPARATORS.get(stated.comparator)
    if comparator is None:
        raise Refused("value", f"found comparator {stated.comparator[:16]!r}, expected one of < <= >= >")
    unit, factor, offset = _conversion(known, stated)
    concept = known.concept
    value = stated.value * factor + offset
    if not math.isfinite(value):
        raise Refused("value", f"found {stated.value:g}, expected a number that can be converted to {concept.unit}")
    quality = () if concept.plausible[0] <= value <= concept.plausible[1] else _IMPLAUSIBLE
    if unit == concept.unit:
        return Taken(Quantity(value, unit, comparator), quality)
    return Taken(Quantity(value, concept.unit, comparator, stated.value, unit), quality)


def _conversion(known: Known, stated: structs.Quantity) -> tuple[str, float, float]:
    """(unit as stated, factor, offset): by the UCUM code, else by the unit's text, else by the site's map."""
    failure: UnitError | None = None
    for unit in _units(known, stated):
        try:
            factor, offset = known.concept.conversion(unit)
        except UnitError as error:
            failure = failure or error
            if stated.system == UCUM and unit == stated.code and _is_unit(unit):
                break  # a proper UCUM code that does not fit is not outvoted by a text that does
        else:
            return unit, factor, offset
    raise Refused("unit", str(failure))


def _units(known: Known, stated: structs.Quantity) -> tuple[str, ...]:
    if stated.code or stated.unit:
        return tuple(dict.fromkeys(text for text in (stated.code, stated.unit) if text))
    return (known.unit,)


def _is_unit(text: str) -> bool:
    try:
        units.parse(text)
    except UnitError:
        return False
    return True


def _codeable(concept: Concept, stated: structs.CodeableConcept) -> tuple[Taken, ...]:
    for coding in stated.coding:
        answer = concept.answer(coding.code) or concept.answer(coding.display)
        if answer is not None:
            return (Taken(coded(coding, number=answer.number)),)
    number = None if not stated.text else getattr(concept.answer(stated.text), "number", None)
    if stated.coding:
        return (Taken(coded(stated.coding[0], stated.text, number)),)
    return _string(concept, stated.text) if stated.text else ()


def _string(concept: Concept, stated: str) -> tuple[Taken, ...]:
    text = stated.strip()
    if not text:
        return ()
    answer = concept.answer(text) if len(text) <= TEXT_CHARS_MAX else None
    if answer is not None:
        return (Taken(Coded("", answer.code, text, answer.number)),)
    return (Taken(text_value(text)),)


def _boolean(concept: Concept, stated: bool) -> Taken:
    code = "true" if stated else "false"
    answer = concept.answer(code) or concept.answer("yes" if stated else "no")
    return Taken(Coded("", code, "", answer.number if answer else None))


def _range(known: Known, stated: structs.Range) -> Taken:
    bounds: list[float | None] = []
    quality: tuple[str, ...] = ()
    for item in (stated.low, stated.high):
        if item is None or item.value is None:
            bounds.append(None)
            continue
        taken = _quantity(known, item)
        assert isinstance(taken.value, Quantity)
        bounds.append(taken.value.value)
        quality = quality or taken.quality
    if bounds == [None, None]:
        raise Refused("value", "found a range with neither bound, expected low or high")
    return Taken(Range(bounds[0], bounds[1], known.concept.unit), quality)


def _ratio(known: Known, stated: structs.Ratio) -> Taken:
    """A ratio with units is one number; one without (a titre, 1:128) stays words."""
    top, bottom = stated.numerator, stated.denominator
    if top is None or bottom is None or top.value is None or bottom.value is None:
        raise Refused("value", "found a ratio without numerator or denominator, expected both")
    top_unit, bottom_unit = top.code or top.unit, bottom.code or bottom.unit
    if not top_unit and not bottom_unit:
        return Taken(Text(f"{top.value:g}:{bottom.value:g}"))
    if bottom.value == 0:
        raise Refused("value", "found a ratio over 0, expected another denominator")
    unit = f"{top_unit or '1'}/{bottom_unit}" if bottom_unit not in ("", "1") else top_unit
    return _quantity(known, structs.Quantity(top.value / bottom.value, top.comparator, unit))


def _samples(known: Known, stated: structs.SampledData, where: str) -> tuple[Taken, ...]:
    """A slow series of one dimension becomes its numbers; anything else stays in its file, named by its digest."""
    if not stated.data:
        return ()
    tokens = stated.data.split()
    steps_fit = SAMPLE_STEP_MS_MIN <= stated.period <= SAMPLE_STEP_MS_MAX
    if stated.dimensions != 1 or not steps_fit or len(tokens) > MESSAGE_EVENTS_MAX:
        data = stated.data.encode("utf-8", "surrogatepass")
        where = f"{where}#valueSampledData"
        return (Taken(Blob(hashlib.sha256(data).hexdigest(), len(data), "text/plain", where)),)
    taken = []
    for step, token in enumerate(tokens):
        if token in ("E", "U", "L"):  # error, above or below what can be measured: no number
            continue
        try:
            number = (stated.origin.value or 0.0) + stated.factor * float(token)
        except ValueError as error:
            raise Refused("value", f"found sample {token[:16]!r}, expected a number, E, U or L") from error
        unit = structs.Quantity(number, "", stated.origin.unit, stated.origin.system, stated.origin.code)
        taken.append(_quantity(known, unit)._replace(offset_us=round(step * stated.period * 1_000)))
    return tuple(taken)

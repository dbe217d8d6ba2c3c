"""Units obey algebra: conversions invert, compose and keep order, and no text crashes the reader."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.errors import UnitError
from vitruvian.core.units import canonical, conversion, convert, parse
from vitruvian.core.vocabulary import VOCABULARY, Concept

FAMILIES = (
    ("mm[Hg]", "kPa", "cm[H2O]", "Pa", "mbar"),
    ("Cel", "[degF]", "K"),
    ("mg/dL", "g/L", "ug/mL", "ng/dL", "kg/m3"),
    ("10*3/uL", "10*9/L", "/uL", "/mm3"),
    ("ug/kg/min", "mg/kg/h", "ng/kg/s"),
    ("mL", "L", "uL", "[foz_us]", "cm3"),
    ("%", "1", "[ppth]"),
    ("U/L", "ukat/L", "nmol/s/mL"),
)
values = st.floats(-1e6, 1e6, allow_nan=False)
triples = st.sampled_from(FAMILIES).flatmap(lambda units: st.tuples(*[st.sampled_from(units)] * 3))


@given(values, triples)
def test_there_and_back_and_by_a_detour(value: float, units: tuple[str, str, str]) -> None:
    first, second, third = units
    there = convert(value, first, second)
    assert math.isclose(convert(there, second, first), value, rel_tol=1e-9, abs_tol=1e-6)
    direct = convert(value, first, third)
    assert math.isclose(convert(there, second, third), direct, rel_tol=1e-9, abs_tol=1e-6)


@given(st.sampled_from(FAMILIES).flatmap(lambda units: st.tuples(*[st.sampled_from(units)] * 2)))
def test_factors_are_reciprocal(pair: tuple[str, str]) -> None:
    assert math.isclose(conversion(*pair)[0] * conversion(*pair[::-1])[0], 1.0, rel_tol=1e-15)


@given(st.one_of(st.text(max_size=80), st.text(alphabet="mgdLulµUeqk[]{}()/.*^10-+ iHhr%CF", max_size=24)))
def test_any_text_is_a_unit_or_a_unit_error(text: str) -> None:
    try:
        unit = parse(text)
    except UnitError:
        return
    assert unit.factor > 0
    assert canonical(unit.text) == unit.text


@given(st.sampled_from(list(VOCABULARY)), st.floats(0, 1))
def test_a_concept_keeps_its_own_unit(concept: Concept, share: float) -> None:
    low, high = concept.plausible
    value = low + share * (high - low)
    assert concept.normalize(value, concept.unit) == value
    assert concept.is_plausible(value)

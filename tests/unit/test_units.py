"""Units: what is read, what it converts to, and what is refused."""

from __future__ import annotations

import pytest

from vitruvian.core.errors import UnitError
from vitruvian.core.units import Substance, canonical, conversion, convert, is_unitless, parse


@pytest.mark.parametrize(
    ("stated", "ucum"),
    [
        ("mmHg", "mm[Hg]"),
        ("mm Hg", "mm[Hg]"),
        ("MM HG", "mm[Hg]"),
        ("bpm", "/min"),
        ("beats/min", "/min"),
        ("breaths/min", "/min"),
        ("insp/min", "/min"),
        ("deg C", "Cel"),
        ("degC", "Cel"),
        ("C", "Cel"),
        ("°C", "Cel"),
        ("F", "[degF]"),
        ("K/uL", "10*3/uL"),
        ("x10E3/uL", "10*3/uL"),
        ("giga.l-1", "10*9/L"),
        ("tera.l-1", "10*12/L"),
        ("g/l-1", "g/L"),
        ("m/uL", "10*6/uL"),
        ("mEq/L", "meq/L"),
        ("MEQ/L", "meq/L"),
        ("mEq./hour", "meq/h"),
        ("mg/dl", "mg/dl"),
        ("MG/DL", "mg/dL"),
        ("Percent", "%"),
        ("µg", "ug"),
        ("μg/L", "ug/L"),  # the Greek letter, not the micro sign
        ("mcg/kg/min", "ug/kg/min"),
        ("mcgkgmin", "ug/kg/min"),
        ("units/hour", "U/h"),
        ("IU/L", "[iU]/L"),
        ("mIU/L", "m[iU]/L"),
        ("mOsm/kg", "mosm/kg"),
        ("lbs", "[lb_av]"),
        ("mL/min/1.73 m2", "mL/min/{1.73_m2}"),
        ("ng/mL FEU", "ng/mL{FEU}"),
        ("sec", "s"),
        ("", "1"),
    ],
)
def test_spellings_met_in_records_are_read(stated: str, ucum: str) -> None:
    assert canonical(stated) == ucum
    assert canonical(ucum) == ucum


@pytest.mark.parametrize(
    ("value", "stated", "target", "expected"),
    [
        (98.6, "[degF]", "Cel", 37.0),
        (37.0, "Cel", "[degF]", 98.6),
        (310.15, "K", "Cel", 37.0),
        (-40.0, "[degF]", "Cel", -40.0),
        (120.0, "mm[Hg]", "kPa", 15.99864),
        (10.0, "cm[H2O]", "mm[Hg]", 7.355613),
        (220.0, "giga.l-1", "10*3/uL", 220.0),
        (134.0, "g/l-1", "g/dL", 13.4),
        (7.0, "mg/dL", "g/L", 0.07),
        (60.0, "U/L", "ukat/L", 1.0000000),
        (40.0, "%", "1", 0.4),
        (60.0, "/min", "Hz", 1.0),
        (1.0, "ug/kg/min", "mg/kg/h", 0.06),
        (2.0, "mg/24hr", "mg/d", 2.0),
        (150.0, "lbs", "kg", 68.0388555),
        (6.0, "[ft_i]", "cm", 182.88),
        (1.0, "10*3/uL", "10*9/L", 1.0),
        (1.0, "(mg/dL)/h", "mg/(dL.h)", 1.0),
    ],
)
def test_conversions(value: float, stated: str, target: str, expected: float) -> None:
    assert convert(value, stated, target) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_factors_are_rounded_once() -> None:
    assert conversion("mg/dL", "g/L") == (0.01, 0.0)
    assert conversion("10*9/L", "10*3/uL") == (1.0, 0.0)
    assert conversion("Cel", "Cel") == (1.0, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "foo",
        "mg//dL",
        "mg/",
        "/",
        "mmol/",
        "Cel/h",
        "m{x}y",
        "0",
        "g)",
        "(g",
        "((((((g))))))",
        "a" * 65,
        "g99",
        "N1/0",
        "{",
        "g{a",
    ],
)
def test_what_is_not_a_unit_is_refused(text: str) -> None:
    with pytest.raises(UnitError, match=r"found .*(expected|write|no closing)"):
        parse(text)


@pytest.mark.parametrize(("text", "read_as"), [("ML", "mL"), ("Mg/dL", "mg/dL"), ("MG", "mg"), ("UG/ML", "ug/mL")])
def test_capitals_are_never_read_as_mega_or_giga(text: str, read_as: str) -> None:
    """A lab that shouts must not be read a billion times too high."""
    assert canonical(text) == read_as


@pytest.mark.parametrize("text", ["MU", "MIU", "Gg"])
def test_what_might_be_mega_or_milli_is_refused(text: str) -> None:
    """`MU` is a million units of penicillin to some and a milliunit to others."""
    with pytest.raises(UnitError):
        canonical(text)


@pytest.mark.parametrize(
    ("stated", "target"),
    [
        ("mg/dL", "mmol/L"),
        ("meq/L", "mmol/L"),
        ("[iU]/L", "U/L"),
        ("mm[Hg]", "Cel"),
        ("Cel", "mm[Hg]"),
        ("ug/min", "ug/kg/min"),
        ("osm/kg", "mol/kg"),
        ("mK", "Cel"),
    ],
)
def test_unlike_quantities_do_not_convert(stated: str, target: str) -> None:
    with pytest.raises(UnitError) as caught:
        convert(1.0, stated, target)
    message = str(caught.value)
    assert "found" in message
    assert "expected" in message
    assert ";" in message, "says what to do"


def test_molar_mass_and_charge_bridge_mass_amount_and_equivalents() -> None:
    calcium = Substance(molar_mass_g_per_mol=40.078, charge=2)
    assert conversion("mmol/L", "mg/dL", calcium)[0] == pytest.approx(4.0078)
    assert conversion("meq/L", "mmol/L", calcium)[0] == pytest.approx(0.5)
    assert conversion("meq/L", "mg/dL", calcium)[0] == pytest.approx(2.0039)
    assert conversion("mg/dL", "meq/L", calcium)[0] == pytest.approx(1 / 2.0039)
    with pytest.raises(UnitError, match="charge"):
        conversion("mg/dL", "mmol/L", Substance(charge=1))
    with pytest.raises(UnitError, match="molar mass"):
        conversion("meq/L", "mmol/L", Substance(molar_mass_g_per_mol=40.078))


def test_pure_numbers() -> None:
    assert is_unitless("")
    assert is_unitless("{score}")
    assert is_unitless("[pH]")
    assert not is_unitless("%")
    assert not is_unitless("/min")

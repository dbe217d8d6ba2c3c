"""Units of measure: read UCUM (and the spellings met in records), and convert exactly or refuse.

A unit is a factor times powers of base dimensions, and for a temperature scale the kelvins at its zero. Factors are
fractions, so that a conversion is rounded once. Grams, moles, equivalents and international units are different
dimensions: to pass between them takes a molar mass or a charge, which belongs to what is measured, not to the unit
(`conversion(..., substance=...)`, used by `Concept.conversion`).

Source: The Unified Code for Units of Measure 2.1, https://ucum.org/ucum.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Final

from vitruvian.core.errors import UnitError
from vitruvian.core.unit_tables import (
    DIMENSIONS,
    EXACT,
    LOOSE,
    METRIC_ATOMS,
    OFFSET_ATOMS,
    PARTS,
    PLAIN_ATOMS,
    PREFIXES,
)

__all__ = ["Substance", "Unit", "canonical", "conversion", "convert", "is_unitless", "parse"]

UNIT_CHARS_MAX: Final = 64  # longer is not a unit, and costs time to refuse
_EXPONENT_MAX: Final = 24
_NESTING_MAX: Final = 4
_CACHE_SIZE: Final = 4_096

Dimension = tuple[int, ...]
_NONE: Final[Dimension] = (0,) * len(DIMENSIONS)
_ONE: Final = Fraction(1)
_TOKEN: Final = re.compile(
    r"(?P<slash>/)|(?P<dot>\.)|(?P<open>\()|(?P<close>\))|(?P<note>\{[^{}]*\})"
    r"|(?P<atom>10[*^]|(?:[A-Za-z%]|\[[^\[\]]*\])+)(?P<power>[+-]?\d{1,3})?|(?P<number>\d{1,15}(?:\.\d{1,9})?)"
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as UCUM text; one of it is `factor` base units of `dimension`.

    `zero` is the kelvins at the zero of a temperature scale, which is `special`.
    """

    text: str
    factor: Fraction
    dimension: Dimension
    zero: Fraction = Fraction(0)
    special: bool = False


@dataclass(frozen=True, slots=True)
class Substance:
    """What lets mass, amount and charge be exchanged: grams a mole, and elementary charges an ion (absolute value)."""

    molar_mass_g_per_mol: float | None = None
    charge: int | None = None


def parse(text: str) -> Unit:
    """Read a unit: UCUM first, then the known sloppy spellings (`K/uL`, `mmHg`, `mcg/kg/min`, `deg C`).

    The empty text and `1` are the unit of pure numbers. Raises UnitError.
    """
    return _parse(text)


def canonical(text: str) -> str:
    """The UCUM spelling of a unit as met in a record: `mmHg` gives `mm[Hg]`. Raises UnitError."""
    return _parse(text).text


def is_unitless(text: str) -> bool:
    """Whether the unit is a pure number without a scale of its own (`1`, `{score}`, `[pH]`); a percentage is not."""
    unit = _parse(text)
    return unit.dimension == _NONE and unit.factor == 1 and not unit.special


def convert(value: float, from_unit: str, to_unit: str) -> float:
    """`value` in `from_unit`, expressed in `to_unit`.

    Raises UnitError where either cannot be read or they do not measure alike.
    """
    factor, offset = conversion(from_unit, to_unit)
    return value * factor + offset


@lru_cache(maxsize=_CACHE_SIZE)
def conversion(from_unit: str, to_unit: str, substance: Substance | None = None) -> tuple[float, float]:
    """(factor, offset) such that `value * factor + offset` is in `to_unit`.

    With a `substance`, mass and amount of substance exchange by its molar mass, equivalents and moles by its charge.
    Raises UnitError that names both units and what to do.
    """
    source, target = _parse(from_unit), _parse(to_unit)
    if source.dimension == target.dimension:
        ratio = source.factor / target.factor
    elif substance is not None:
        ratio = _substance_ratio(source, target, substance)
    else:
        raise UnitError(_mismatch(source, target, "give the value in a unit of the same kind"))
    if source.special or target.special:
        _refuse_mixed_scales(source, target)
        return float(ratio), float((source.zero - target.zero) / target.factor)
    return float(ratio), 0.0


def _refuse_mixed_scales(source: Unit, target: Unit) -> None:
    """A temperature converts to a temperature; kelvin counts as one only when it stands alone."""
    for unit in (source, target):
        if not unit.special and unit.text != "K":
            raise UnitError(_mismatch(source, target, "a temperature scale converts only to Cel, [degF] or K"))


_GRAM, _MOLE, _EQUIVALENT = (DIMENSIONS.index(name) for name in ("g", "mol", "eq"))


def _substance_ratio(source: Unit, target: Unit, substance: Substance) -> Fraction:
    """Exchange g, mol and eq of one substance until both units agree, or refuse."""
    left, right = _in_moles(source, substance), _in_moles(target, substance)
    if left is None or right is None or left[1] != right[1]:
        raise UnitError(_mismatch(source, target, _substance_advice(substance)))
    return left[0] / right[0]


def _in_moles(unit: Unit, substance: Substance) -> tuple[Fraction, Dimension] | None:
    """The unit with grams and equivalents expressed in moles; None where the substance does not tell how."""
    factor, powers = unit.factor, list(unit.dimension)
    if powers[_EQUIVALENT]:
        if substance.charge is None:
            return None
        factor /= Fraction(substance.charge) ** powers[_EQUIVALENT]
    if powers[_GRAM] and substance.molar_mass_g_per_mol is not None:
        factor /= Fraction(str(substance.molar_mass_g_per_mol)) ** powers[_GRAM]
        powers[_MOLE] += powers[_GRAM]
        powers[_GRAM] = 0
    powers[_MOLE] += powers[_EQUIVALENT]
    powers[_EQUIVALENT] = 0
    return factor, tuple(powers)


def _substance_advice(substance: Substance) -> str:
    known = []
    if substance.molar_mass_g_per_mol is not None:
        known.append(f"molar mass {substance.molar_mass_g_per_mol} g/mol")
    if substance.charge is not None:
        known.append(f"charge {substance.charge}")
    return f"not even with {' and '.join(known)}; check the unit or the code it came with"


def _mismatch(source: Unit, target: Unit, advice: str) -> str:
    return (
        f"found {source.text!r} ({_describe(source.dimension)}), expected a unit that converts to {target.text!r} "
        f"({_describe(target.dimension)}); {advice}"
    )


def _describe(dimension: Dimension) -> str:
    parts = [
        name if power == 1 else f"{name}{power}" for name, power in zip(DIMENSIONS, dimension, strict=True) if power
    ]
    return ".".join(parts) or "a pure number"


# --- reading -----------------------------------------------------------------


@lru_cache(maxsize=_CACHE_SIZE)
def _parse(text: str) -> Unit:
    if len(text) > UNIT_CHARS_MAX:
        raise UnitError(
            f"found a unit of {len(text)} characters, expected at most {UNIT_CHARS_MAX}; give a UCUM unit such as mg/dL"
        )
    stated = text.strip()
    if not stated or stated == "1":
        return Unit("1", _ONE, _NONE)
    known = EXACT.get(stated)
    if known is None:
        try:
            return _read(stated)
        except UnitError as error:
            known, why = _respell(stated), str(error)
        if known is None:
            raise UnitError(
                f"found unit {stated!r}, expected UCUM (such as mm[Hg], 10*3/uL, mmol/L): {why}; "
                "correct it at the source or map it in mapping.toml"
            )
    return _read(known)


def _respell(stated: str) -> str | None:
    """The UCUM spelling of a sloppy unit, or None."""
    loose = "".join(stated.casefold().split()).replace("μ", "µ")
    if loose in LOOSE:
        return LOOSE[loose]
    # A full stop after an abbreviation ("mEq./hour") is no product.
    parts = re.split(r"([/.])", re.sub(r"\.(?=/|$)", "", loose.removeprefix("#")))
    respelled = "".join(part if part in ("/", ".", "", "1") else PARTS.get(part, "?") for part in parts)
    return None if "?" in respelled else respelled


def _read(text: str) -> Unit:
    """Read strict UCUM."""
    if text in OFFSET_ATOMS:
        factor, zero = (Fraction(part) for part in OFFSET_ATOMS[text])
        return Unit(text, factor, _atom("K").dimension, zero, special=True)
    factor, dimension, position = _term(text, 0, 0)
    if position != len(text):
        raise UnitError(f"found {text[position:]!r} at the end of unit {text!r}, expected `.`, `/` or the end")
    return Unit(text, factor, dimension)


def _term(text: str, position: int, depth: int) -> tuple[Fraction, Dimension, int]:
    """Components joined by `.` and `/`, from `position` to the end or a closing bracket."""
    if depth > _NESTING_MAX:
        raise UnitError(f"found brackets nested deeper than {_NESTING_MAX} in unit {text!r}; write it without")
    factor, dimension, sign, expected = _ONE, _NONE, 1, True
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnitError(f"found {text[position]!r} in unit {text!r}, expected UCUM")
        kind = match.lastgroup
        if kind == "close":
            break
        if kind in ("slash", "dot"):
            if expected and (kind == "dot" or position > 0):
                raise UnitError(f"found {match.group()!r} in unit {text!r} where a unit was expected")
            sign, expected, position = (-1 if kind == "slash" else 1), True, match.end()
            continue
        if not expected and kind != "note":
            raise UnitError(f"found {match.group()!r} in unit {text!r}, expected `.` or `/` before it")
        part, powers, position = _component(text, match, depth)
        factor *= part**sign
        dimension = tuple(a + sign * b for a, b in zip(dimension, powers, strict=True))
        sign, expected = (sign if kind == "note" and expected else 1), False
    if expected:
        raise UnitError(f"found unit {text!r} ending too early, expected a unit after it")
    return factor, dimension, position


def _component(text: str, match: re.Match[str], depth: int) -> tuple[Fraction, Dimension, int]:
    """One atom with its exponent, a number, an annotation, or a bracketed term."""
    if match["open"]:
        factor, dimension, position = _term(text, match.end(), depth + 1)
        if not text.startswith(")", position):
            raise UnitError(f"found no closing bracket in unit {text!r}")
        return factor, dimension, position + 1
    if match["note"]:
        return _ONE, _NONE, match.end()
    if match["number"]:
        number = Fraction(match["number"])
        if not number:
            raise UnitError(f"found 0 in unit {text!r}, expected a factor above zero")
        return number, _NONE, match.end()
    unit = _atom(match["atom"])
    power = int(match["power"] or 1)
    if abs(power) > _EXPONENT_MAX:
        raise UnitError(f"found exponent {power} in unit {text!r}, expected at most {_EXPONENT_MAX}")
    return unit.factor**power, tuple(power * item for item in unit.dimension), match.end()


@lru_cache(maxsize=_CACHE_SIZE)
def _atom(name: str) -> Unit:
    """An atom, with a metric prefix where it may have one."""
    found = _plain(name)
    if found is not None:
        return found
    for length in (1, 2):
        prefix, rest = name[:length], name[length:]
        if prefix in PREFIXES and rest:
            base = _metric(rest)
            if base is not None:
                return Unit(name, Fraction(PREFIXES[prefix]) * base.factor, base.dimension)
    if name in OFFSET_ATOMS:
        raise UnitError(
            f"found {name!r} within a larger unit; a temperature scale stands alone (use K for differences)"
        )
    raise UnitError(f"found {name!r}, expected a UCUM unit")


def _plain(name: str) -> Unit | None:
    entry = PLAIN_ATOMS.get(name)
    if entry is None:
        return _metric(name)
    return _scaled(name, *entry)


def _metric(name: str) -> Unit | None:
    if name in DIMENSIONS:
        return Unit(name, _ONE, tuple(int(item == name) for item in DIMENSIONS))
    entry = METRIC_ATOMS.get(name)
    return None if entry is None else _scaled(name, *entry)


def _scaled(name: str, factor: str, of: str) -> Unit:
    if not of:
        return Unit(name, Fraction(factor), _NONE)
    base_factor, dimension, _ = _term(of, 0, 0)
    return Unit(name, Fraction(factor) * base_factor, dimension)

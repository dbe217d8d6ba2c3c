"""Quantities as people type them: `140mL/min`, `0.1 ug/kg/min`, `560s`, `6h`."""

from __future__ import annotations

import re
from typing import Final

from vitruvian.core.errors import UnitError
from vitruvian.core.units import convert, parse

__all__ = ["duration_s", "quantity"]

_QUANTITY: Final = re.compile(r"\s*([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)\s*(.*?)\s*")


def quantity(text: str) -> tuple[float, str]:
    """(value, unit as typed, empty where there is none). Raises UnitError."""
    found = _QUANTITY.fullmatch(text)
    if found is None:
        raise UnitError(f"found {text!r}, expected a number and a unit such as 140mL/min")
    value, unit = float(found[1]), found[2]
    parse(unit)
    return value, unit


def duration_s(text: str) -> float:
    """A time in seconds: `560s`, `10min`, `6h`, `2d`. Raises UnitError."""
    value, unit = quantity(text)
    if not unit:
        raise UnitError(f"found {text!r}, expected a time with its unit, such as 560s, 10min or 6h")
    return convert(value, unit, "s")

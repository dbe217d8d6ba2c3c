"""Figures as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["ABSENT", "count", "interval", "number", "percent", "shares"]

ABSENT: Final = "–"


def number(value: Any, decimals: int = 3) -> str:
    """A figure with so many decimals; a dash where there is none."""
    if not isinstance(value, int | float):
        return ABSENT
    shown = f"{value:,.{decimals}f}"
    return shown.replace("-", "−") if shown.strip("-0.,") else shown.lstrip("-")


def interval(row: Mapping[str, Any], name: str, decimals: int = 3) -> str:
    """A figure and its 95 % interval: `0.833 (0.819 to 0.852)`."""
    value, ends = row.get(name), row.get(f"{name}_95")
    shown = number(value, decimals)
    if shown == ABSENT or not ends or None in ends:
        return shown
    return f"{shown} ({number(ends[0], decimals)} to {number(ends[1], decimals)})"


def percent(value: Any, decimals: int = 1) -> str:
    """A share in per cent."""
    return ABSENT if not isinstance(value, int | float) else f"{number(100 * value, decimals)} %"


def shares(row: Mapping[str, Any], name: str, decimals: int = 0) -> str:
    """A share and its 95 % interval in per cent: `37 % (23 to 52 %)`."""
    value, ends = row.get(name), row.get(f"{name}_95")
    shown = percent(value, decimals)
    if shown == ABSENT or not ends or None in ends:
        return shown
    return f"{shown} ({number(100 * ends[0], decimals)} to {percent(ends[1], decimals)})"


def count(value: Any) -> str:
    """A whole number, thousands apart."""
    return ABSENT if not isinstance(value, int | float) else f"{int(value):,}"

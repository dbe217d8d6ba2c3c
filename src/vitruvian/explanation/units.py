"""Units as people write them, from UCUM: `mm[Hg]` reads mmHg, `ug/kg/min` reads µg/kg/min, `[iU]` reads IU."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

__all__ = ["PRINTED", "printed"]

# Where the parts below do not make it: pure numbers have none.
PRINTED: Final[Mapping[str, str]] = {
    "1": "", "[pH]": "", "{INR}": "", "{ratio}": "", "{score}": "",
    "Cel": "°C", "10*3/uL": "×10³/µL", "10*6/uL": "×10⁶/µL", "10*9/L": "×10⁹/L", "10*12/L": "×10¹²/L",
    "mL/min/{1.73_m2}": "mL/min per 1.73 m²", "ng/mL{FEU}": "ng/mL FEU",
    "a": "years", "mo": "months", "wk": "weeks", "d": "days",
}  # fmt: skip
_PARTS: Final = (("[iU]", "IU"), ("[IU]", "IU"), ("[Hg]", "Hg"), ("[H2O]", "H₂O"), ("meq", "mEq"), ("mosm", "mOsm"))
_ANNOTATION: Final = re.compile(r"\{[^{}]*\}")
_MICRO: Final = re.compile(r"\bu(?=[A-Za-z])")
_POWER: Final = re.compile(r"(?<=m)([2345])\b")
_POWERS: Final = str.maketrans("2345", "²³⁴⁵")


@cache
def printed(unit: str) -> str:
    """A unit as written; empty for a pure number. A unit that no table knows is at least free of UCUM's brackets."""
    if unit in PRINTED:
        return PRINTED[unit]
    text = _ANNOTATION.sub("", unit)
    for ucum, written in _PARTS:
        text = text.replace(ucum, written)
    text = _MICRO.sub("µ", text).replace(".", "·")
    text = _POWER.sub(lambda found: found[0].translate(_POWERS), text)
    return " ".join(re.sub(r"[\[\]{}*]", "", text).split())

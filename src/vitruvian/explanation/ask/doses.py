"""Amounts and rates in a question: "500 mL", "half a litre", "0.1 mcg/kg/min"; in UCUM."""

from __future__ import annotations

import math
import re
from typing import Final, Literal

import msgspec

__all__ = ["Dose", "Doubt", "doses_of"]

_NUMBERS: Final = {
    "half a": 0.5, "half": 0.5, "a quarter of a": 0.25, "quarter of a": 0.25, "a": 1.0, "an": 1.0, "one": 1.0,
    "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0, "six": 6.0, "eight": 8.0, "ten": 10.0, "twenty": 20.0,
    "forty": 40.0, "fifty": 50.0, "eighty": 80.0, "hundred": 100.0, "a hundred": 100.0, "one hundred": 100.0,
    "two hundred": 200.0, "two hundred and fifty": 250.0, "two fifty": 250.0, "three hundred": 300.0,
    "five hundred": 500.0, "seven fifty": 750.0, "a thousand": 1000.0, "one thousand": 1000.0, "thousand": 1000.0,
    "one and a half": 1.5, "a further": 1.0, "another": 1.0, "couple of": 2.0, "a couple of": 2.0,
}  # fmt: skip
# What is written, and UCUM; the longest first.
_UNITS: Final = {
    r"(?:mcg|ug|micrograms?)(?: ?/ ?| per )kg(?: ?/ ?| per )min(?:ute)?": "ug/kg/min",
    r"mg(?: ?/ ?| per )kg(?: ?/ ?| per )h(?:our|r)?": "mg/kg/h",
    r"(?:mcg|ug|micrograms?)(?: ?/ ?| per )min(?:ute)?": "ug/min",
    r"(?:ml|millilitres?|milliliters?|cc)(?: ?/ ?| per )kg(?: ?/ ?| per )h(?:our|r)?": "mL/kg/h",
    r"(?:ml|millilitres?|milliliters?|cc)(?: ?/ ?| per )kg": "mL/kg",
    r"(?:ml|millilitres?|milliliters?|cc)(?:s)?(?: ?/ ?| per | an? )h(?:our|r)?": "mL/h",
    r"(?:ml|millilitres?|milliliters?|cc)(?: ?/ ?| per | a )min(?:ute)?": "mL/min",
    r"(?:litres?|liters?|l)(?: ?/ ?| per | a )min(?:ute)?": "L/min",
    r"mg(?: ?/ ?| per | an )h(?:our|r)?": "mg/h",
    r"mg(?: ?/ ?| per )kg": "mg/kg",
    r"(?:units?|iu|u)(?: ?/ ?| per | an )h(?:our|r)?": "[iU]/h",
    r"(?:units?|iu|u)(?: ?/ ?| per | a )min(?:ute)?": "[iU]/min",
    r"mls?|millilitres?|milliliters?|ccs?|mils?": "mL",
    r"litres?|liters?|l": "L",
    r"mg|milligrams?|mgs": "mg",
    r"mcg|ug|micrograms?": "ug",
    r"grams?|g": "g",
    r"mmols?|millimoles?": "mmol",
    r"meq": "meq",
    r"cm ?h2o": "cm[H2O]",
    r"units?|iu|u": "[iU]",
    r"bags?": "{bag}",
    r"%|percent|per cent": "%",
}  # fmt: skip
_NUMBER: Final = r"(?P<n>\d+(?:\.\d+)?|\.\d+|" + "|".join(
    sorted(map(re.escape, _NUMBERS), key=len, reverse=True)) + ")"  # fmt: skip
# What makes it no single positive dose: a sign, or a number before it. "From 10 to 20 mg" goes to the second.
_BEFORE: Final = (
    r"(?:(?P<from>from \d*\.?\d+ ?(?:-|to) ?)|(?P<range>(?:\d*\.?\d+) ?(?:-|to|or) ?|between \d*\.?\d+ ?and ?)|"
    r"(?P<sign>(?<![\w.])-(?! )|minus |negative ))?"
)
_PATTERNS: Final = tuple(
    (re.compile(rf"(?<![\w.]){_BEFORE}(?<![\w.]){_NUMBER}[ -]?(?:{written})(?![\w/])"), unit)
    for written, unit in _UNITS.items()
)
_OVER: Final = re.compile(r"\bover (?P<n>\d+|an?|half an|one|two|three|four|six) ?(?P<u>h|hr|hours?|min|minutes?)\b")


Doubt = Literal["", "none", "negative", "range", "several", "endless"]


class Dose(msgspec.Struct, frozen=True):
    """An amount or rate, and where in the text it stands. `doubt`: why it is no single positive one; else empty."""

    start: int
    end: int
    value: float
    unit: str
    doubt: Doubt = ""


def doses_of(text: str) -> tuple[Dose, ...]:
    """Every dose that a normalised question names, in its order."""
    found: list[Dose] = []
    for pattern, unit in _PATTERNS:
        for match in pattern.finditer(text):
            if all(match.end() <= one.start or match.start() >= one.end for one in found):
                stated = match["n"]
                value = _NUMBERS[stated] if stated in _NUMBERS else float(stated)
                found.append(Dose(match.start(), match.end(), value, unit, _doubt(match, value)))
    return tuple(sorted(found, key=lambda one: one.start))


def _doubt(match: re.Match[str], value: float) -> Doubt:
    if match["sign"]:
        return "negative"
    if match["range"]:
        return "range"
    return "none" if value == 0 else "endless" if not math.isfinite(value) else ""


def over_h(text: str) -> float | None:
    """Over how many hours it is given, where that was said."""
    match = _OVER.search(text)
    if match is None:
        return None
    number = {"a": 1.0, "an": 1.0, "half an": 0.5, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "six": 6.0}
    stated = number[match["n"]] if match["n"] in number else float(match["n"])
    return stated / (60 if match["u"].startswith("m") else 1)

"""What several builders share: measurements with their flags, changes worth a word, notes, identifiers of facts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from vitruvian.core.errors import UnitError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.evidence.base import LABEL_CHARS_MAX, TEXT_CHARS_MAX, Direction, Fact, Flag, Role
from vitruvian.explanation.evidence.ranges import is_critical, outside
from vitruvian.explanation.evidence.signs import seen
from vitruvian.explanation.subjects import subjects
from vitruvian.prediction.serve.gate import REQUIRED

__all__ = [
    "ADULT_YEARS",
    "CONFIDENCE_90",
    "KEY_INPUTS",
    "Measured",
    "Person",
    "clean",
    "count",
    "critical_in",
    "direction_of",
    "fact_id",
    "flags_of",
    "interval",
    "label",
    "lacking",
    "measurement",
    "notable",
    "notes",
    "reads_as_none",
    "unit_of",
    "words",
]

ADULT_YEARS: Final = 16.0  # critical values here are those of adults
KEY_INPUTS: Final = frozenset({"blood_pressure", *(name for names in REQUIRED for name in names)})
CONFIDENCE_90: Final = 90.0  # per cent: ensembles are told by their 5th and 95th percentile
# A move over the last hours that is worth calling one, in the concept's unit.
_NOTABLE: Final[Mapping[str, float]] = {
    "heart_rate": 8.0, "respiratory_rate": 4.0, "oxygen_saturation": 2.0, "body_temperature": 0.4,
    "systolic_pressure": 12.0, "diastolic_pressure": 10.0, "mean_pressure": 10.0, "ph": 0.05, "sodium": 4.0,
}  # fmt: skip
_NOTABLE_PART: Final = 0.1
_COMPARED: Final = ((">=", " at least "), ("<=", " at most "), (">", " above "), ("<", " below "))
_FORBIDDEN: Final = re.compile(r"[<>{}\[\]]")
_FOREIGN: Final = re.compile(r"[^a-z0-9_.:-]+")
_ID_CHARS_MAX: Final = 80


class Person(msgspec.Struct, frozen=True):
    """What decides which values are usual; None and empty where it is not known."""

    age_years: float | None = None
    sex: str = ""


class Measured(msgspec.Struct, frozen=True):
    """A value of a concept (in its unit) as it was measured. `source`: who measured it."""

    name: str
    value: float
    at_us: int
    source: str = ""


def fact_id(*parts: object) -> str:
    """An identifier of these parts: `low-heart_rate`. Distinct parts of the vocabulary stay distinct."""
    joined = _FOREIGN.sub("_", "-".join(str(part) for part in parts if part != "").casefold()).strip("_.:-")
    return (joined or "fact")[:_ID_CHARS_MAX]


def clean(text: str, most: int = TEXT_CHARS_MAX) -> str:
    """A source's text as a fact may hold it: comparisons in words, no markup or control characters, not too long."""
    for sign, meant in _COMPARED:
        text = text.replace(sign, meant)
    said = " ".join(_FORBIDDEN.sub(" ", seen(text)).split())
    return said if len(said) <= most else f"{said[: most - 1].rstrip()}…"


def label(text: str) -> str:
    """The same for a label."""
    return clean(text, LABEL_CHARS_MAX)


def unit_of(name: str) -> str:
    """The unit of the vocabulary, empty for what it does not know."""
    concept = VOCABULARY.get(name)
    return concept.unit if concept else ""


def critical_in(name: str, value: float, person: Person) -> bool:
    """Whether a value is critical in this person: never in a child, whose limits are others and are not kept here."""
    return (person.age_years is None or person.age_years >= ADULT_YEARS) and is_critical(name, value)


def flags_of(name: str, value: float, person: Person) -> tuple[Flag, ...]:
    """Critical (of adults, and where the age is not known), and above or below the usual range."""
    flags: list[Flag] = ["critical"] if critical_in(name, value, person) else []
    beyond = outside(name, value, person.age_years, person.sex)
    if beyond:
        flags.append("high" if beyond > 0 else "low")
    return tuple(flags)


def measurement(one: Measured, which: str, person: Person, *, of: str = "", direction: Direction = "") -> Fact:
    """The fact of a measured value, with its flags."""
    return Fact(
        which, "measurement", one.name, subjects(one.name).label, one.value, unit=unit_of(one.name), at_us=one.at_us,
        source=one.source, of=of, direction=direction, flags=flags_of(one.name, one.value, person),
    )  # fmt: skip


def notable(name: str, value: float) -> float:
    """The least change of a value that is worth calling one, in the concept's unit."""
    return _NOTABLE.get(name, _NOTABLE_PART * abs(value))


def reads_as_none(name: str, difference: float, unit: str = "") -> bool:
    """Whether a difference is nought in the decimals in which its values are told (of the vocabulary's names)."""
    concept = VOCABULARY.get(name)
    if concept is None or name.endswith("_risk"):
        return difference == 0
    try:
        factor = concept.conversion(unit)[0] if unit not in ("", concept.unit) else 1.0
    except UnitError:
        return difference == 0
    return float(f"{difference * factor:.{concept.decimals}f}") == 0


def direction_of(name: str, then: float, now: float) -> Direction:
    """Whether a value rose, fell or stayed, by what is notable for it; empty where that cannot be said."""
    moved = now - then
    if math.isnan(moved):
        return ""
    return "steady" if moved == 0 or abs(moved) < notable(name, then) else "rising" if moved > 0 else "falling"


def interval(parent: Fact, low: float, high: float, *, unit: str | None = None) -> list[Fact]:
    """The ends of a fact's interval."""
    stated = parent.unit if unit is None else unit
    return [
        Fact(fact_id("low", parent.id), "interval_low", parent.name, parent.label, low, unit=stated, of=parent.id),
        Fact(fact_id("high", parent.id), "interval_high", parent.name, parent.label, high, unit=stated, of=parent.id),
    ]


def count(name: str, number: int, about: str = "") -> Fact:
    """A count: `beds`, `alarms`, `more`."""
    return Fact(name, "count", name, about or name, float(number), unit="1")


def words(which: str, name: str, text: str, *, of: str = "", about: str = "") -> Fact:
    """A plain statement, as a clause: without a full stop at its end, cut where it is too long."""
    return Fact(which, "words", name, about, text=clean(text).rstrip("."), of=of)


def notes(texts: Iterable[str]) -> list[Fact]:
    """What must be said wherever the packet is shown, each once."""
    said = [text for text in dict.fromkeys(texts) if text.strip(" .")]
    return [words(f"note-{number}", "note", text) for number, text in enumerate(said, 1)]


def lacking(names: Sequence[str], role: Role = "missing", *, of: str = "") -> list[Fact]:
    """Key inputs that were not measured recently."""
    return [
        Fact(fact_id("missing", of, name), role, name, _label(name), of=of, flags=("missing_key",))
        for name in dict.fromkeys(names)
    ]


def _label(name: str) -> str:
    return "blood pressure" if name == "blood_pressure" else subjects(name).label

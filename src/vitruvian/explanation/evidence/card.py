"""The evidence of a model's card: what it estimates, on whose records, how well it did, and its limits."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from vitruvian.explanation.evidence.base import Evidence, Fact, Flag
from vitruvian.explanation.evidence.parts import count, fact_id, interval, notes, words

__all__ = ["FIGURES", "Card", "card_evidence"]

_FILES: Final = re.compile(r"\s*\((?:[\w./*-]+\.[A-Za-z][A-Za-z0-9]{1,7}(?:,? and |[,;] ?)?)+\)")
CONFIDENCE_95: Final = 95.0
# What is told of an evaluation, in this order, and how it is called.
FIGURES: Final[Mapping[str, str]] = {
    "auroc": "area under the ROC curve (AUROC)",
    "utility": "utility of its alarms by the Challenge 2019's measure",
    "calibration_slope": "calibration slope (1 is exact)",
    "alarms_per_patient_day": "alarms a patient and day",
    "alarm_precision": "share of alarms that were right",
    "sensitivity": "share of the patients who fell ill for whom it raised an alarm in time",
}
NOT_VALIDATED: Final = "not validated on labelled data of real patients"
SIMULATED: Final = "trained on simulated patients"


class Card(msgspec.Struct, frozen=True):
    """What a model's bundle and evaluation say of it. `figures`: by name, and `NAME_95` their intervals.

    `horizon_h` None: to the end of the stay. `usual`: how often the outcome was met in training. `patients`: how many
    it was trained on, None where that is not told; `evaluated`: whose records it was measured on.
    """

    task: str
    about: str
    version: str
    horizon_h: float | None
    data: str
    usual: float | None = None
    patients: int | None = None
    evaluated: str = ""
    figures: Mapping[str, object] = {}
    validated: bool = True
    simulated: bool = False
    limits: tuple[str, ...] = ()
    intended: str = ""


def card_evidence(card: Card, at_us: int, *, zone: str = "UTC") -> Evidence:
    """The packet of a model's card; pure. No patient is in it."""
    name = f"{card.task}_risk"
    facts = [
        Fact("outcome", "words", name, card.about),
        Fact("horizon", "horizon", "horizon", "", card.horizon_h, unit="h", of="outcome"),
        words("data", "data", _without_files(card.data) or "data that the model does not name", about="training data"),
    ]
    if card.version:
        facts.append(Fact("version", "model", "version", "version", text=card.version))
    if card.patients is not None:
        facts.append(count("patients", card.patients))
    if card.usual is not None and not math.isnan(card.usual):
        facts.append(Fact("usual", "usual", name, card.about, card.usual, of="outcome"))
    facts += _figures(card)
    facts += notes(_said(card))
    return Evidence("card", at_us, tuple(facts), 1, "", zone, card.version, card.simulated)


def _without_files(data: str) -> str:
    """Where the records are from, without the names of their files."""
    return _FILES.sub("", data)


def _figures(card: Card) -> list[Fact]:
    facts: list[Fact] = []
    flags: tuple[Flag, ...] = () if card.validated else ("not_validated",)
    for name, label in FIGURES.items():
        value = card.figures.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
            continue
        fact = Fact(fact_id("figure", name), "figure", name, label, float(value), unit="1",
                    source=_without_files(card.evaluated),
                    flags=flags)  # fmt: skip
        facts.append(fact)
        ends = card.figures.get(f"{name}_95")
        if isinstance(ends, Sequence) and len(ends) == 2 and all(isinstance(one, int | float) for one in ends):
            facts += interval(fact, float(ends[0]), float(ends[1]))
    if any(fact.role == "interval_low" for fact in facts):
        facts.append(Fact("confidence", "confidence", "confidence", "", CONFIDENCE_95, unit="%"))
    return facts


def _said(card: Card) -> list[str]:
    said = [] if card.validated else [NOT_VALIDATED]
    said += [SIMULATED] if card.simulated else []
    return [*said, card.intended, *card.limits]

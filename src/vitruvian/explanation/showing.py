"""How a fact reads: numbers in the vocabulary's decimals and unit, per cents, spans, times, natural frequencies.

The one place where a fact becomes text. What differs by language is in `Manner`; pure.
"""

from __future__ import annotations

import re
from typing import Final

from vitruvian.core.errors import UnitError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.core.vocabulary.concept import Concept
from vitruvian.explanation.claims import Audience, Facet
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.labels import own_label
from vitruvian.explanation.manner import PLAIN, Manner
from vitruvian.explanation.numbers import DIGITS, decimals, frequency, likely, number_of, percent, plain, points
from vitruvian.explanation.subjects import subjects
from vitruvian.explanation.times import between, horizon, when
from vitruvian.explanation.units import printed

__all__ = ["PLAIN", "SHARES", "Manner", "label_of", "percent", "show", "value_of"]

SHARES: Final = ("probability", "usual", "likelihood", "from_data")  # 0 to 1, read in per cent
_OUTCOMES: Final = ("probability", "earlier", "usual", "interval_low", "interval_high", "words")
_SHARE_FIGURES: Final = ("alarm_precision", "sensitivity", "specificity")
FIGURE_DIGITS: Final = 3  # significant ones of what was measured in an evaluation
GROUPED_FROM: Final = 10_000  # a count from here on is written in groups of three digits
_MARKS: Final = re.compile('["“”„‟«»‹›〝〞〟＂]')
_SWITCHED: Final = ("mechanical_ventilation", "renal_replacement_therapy", "pneumothorax_open", "apnoea")


def show(fact: Fact, facet: Facet, evidence: Evidence, audience: Audience, manner: Manner) -> str:
    """The text of a facet. Raises ValueError where the fact has none (a value of what is missing)."""
    if facet == "label":
        return _named(fact, evidence, audience, manner)
    if facet == "value":
        return value_of(fact, evidence, manner, audience)
    if facet == "frequency":
        return frequency(number_of(fact), manner)
    if facet == "direction":
        return manner.words[fact.direction or "steady"]
    if facet == "when":
        return when(fact, evidence, audience, manner)
    if not fact.text:
        raise ValueError(f"found no text in the fact {fact.id}, expected one")
    return _worded(fact, evidence, audience, manner)


def _named(fact: Fact, evidence: Evidence, audience: Audience, manner: Manner) -> str:
    """The label; in quotation marks where it is the word of whoever brought the packet."""
    named = label_of(fact, audience, manner)
    if not evidence.brought or own_label(fact) or manner.knows(fact.label, audience):
        return named
    return _quoted("quoted", named, manner)


def _worded(fact: Fact, evidence: Evidence, audience: Audience, manner: Manner) -> str:
    """The words; those that somebody brought and that are none of the twin's own are told as theirs."""
    if not evidence.brought or manner.knows(fact.text, audience):
        return manner.said(fact.text, audience)
    how = "brought" if fact.role == "words" and fact.name != "data" else "quoted"
    return _quoted(how, fact.text, manner)


def _quoted(how: str, text: str, manner: Manner) -> str:
    """In quotation marks that nothing within them can close."""
    return manner.words[how].format(_MARKS.sub("’", text))


def label_of(fact: Fact, audience: Audience, manner: Manner) -> str:
    """What the fact is about, as it stands within a sentence: an outcome (`sepsis`) by its name, else a thing."""
    own = manner.labels.get((fact.name, audience)) or manner.said(fact.label, audience) or subjects(fact.name).label
    if _is_risk(fact.name) and fact.role not in _OUTCOMES and (fact.name, audience) in manner.labels:
        return manner.words["risk of"].format(own)
    return own


def value_of(fact: Fact, evidence: Evidence, manner: Manner, audience: Audience = "clinician") -> str:
    """The number with its unit."""
    if fact.role == "window" and fact.at_us is not None:
        return between(fact, evidence, manner)
    if fact.role in ("horizon", "window"):
        return horizon(fact, audience, manner)
    value, parent = number_of(fact), evidence.by_id.get(fact.of)
    if fact.role == "likelihood":
        return likely(value, audience, manner)
    if fact.role == "estimate":
        return _estimated(fact, value, manner, audience, parent)
    if fact.role == "confidence":
        return f"{manner.number(plain(value))} %"
    if fact.role == "count":
        return _counted(fact, value, manner)
    if parent is not None and parent.role == "difference" and fact.role in ("interval_low", "interval_high"):
        along = -1.0 if number_of(parent) < 0 else 1.0
        return _difference(fact, along * value, manner, audience)
    if fact.role == "difference":
        return _difference(fact, abs(value), manner, audience)
    if _is_share(fact, parent):
        return percent(value, manner)
    return _measured(fact, value, manner, audience, parent)


def _estimated(fact: Fact, value: float, manner: Manner, audience: Audience, parent: Fact | None) -> str:
    """A model's value, called one: what is measured may say otherwise. Where a forecast begins, plain words leave that
    out: there the sentence itself is the model's.
    """
    shown = percent(value, manner) if _is_share(fact, parent) else _measured(fact, value, manner, audience, parent)
    begins = parent is not None and parent.role == "expected"
    return shown if begins and audience == "patient" else manner.words[f"estimated {audience}"].format(shown)


def _is_figure(fact: Fact, parent: Fact | None) -> bool:
    return fact.role == "figure" or (parent is not None and parent.role == "figure")


def _is_risk(name: str) -> bool:
    return name.endswith("_risk")


def _is_share(fact: Fact, parent: Fact | None) -> bool:
    """Whether it is a probability, an end of the interval of one, or what one was before."""
    if fact.role in ("interval_low", "interval_high", "earlier") and parent is not None:
        return _is_share(parent, None)
    if fact.role == "figure":
        return fact.name in _SHARE_FIGURES
    return fact.role in SHARES or _is_risk(fact.name)


def _counted(fact: Fact, value: float, manner: Manner) -> str:
    """A count with its noun where it has one: `1 bed`, `12 beds`."""
    number = manner.number(plain(value))
    if value >= GROUPED_FROM and float(value).is_integer():
        number = f"{value:,.0f}".replace(",", manner.thousands)
    noun = manner.counts.get(fact.name)
    return number if noun is None else f"{number} {noun[0] if value == 1 else noun[1]}"


def _difference(fact: Fact, value: float, manner: Manner, audience: Audience) -> str:
    """A difference, without a sign where it goes along its own direction; a verb says which that is."""
    if _is_risk(fact.name):
        return points(value, manner)
    concept, stated = VOCABULARY.get(fact.name), fact.unit
    if concept is None:
        return _with_unit(manner.number(plain(value)), printed(stated), manner)
    value *= _scale(concept, stated)
    number = decimals(value, concept.decimals)
    if (
        float(number) == 0 and value != 0 and fact.role == "difference"
    ):  # a difference that is worth a sentence is not shown as none
        number = plain(value, 1)
    counted = manner.counted.get(fact.name) if audience == "patient" else None
    is_share = concept.unit == "%"
    if (counted or (is_share and audience == "patient")) and fact.role != "difference":
        return manner.number(number)
    if is_share:  # `21 %` lower could be a fifth of what it was
        return manner.words["points"].format(manner.number(number))
    return _with_unit(manner.number(number), counted or printed(concept.unit), manner)


def _scale(concept: Concept, unit: str) -> float:
    """From the unit of a difference to the concept's: a factor alone, since zeros of temperature cancel."""
    try:
        return concept.conversion(unit)[0] if unit not in ("", concept.unit) else 1.0
    except UnitError:
        return 1.0


def _measured(fact: Fact, value: float, manner: Manner, audience: Audience, parent: Fact | None) -> str:
    concept = VOCABULARY.get(fact.name)
    if concept is None:
        subject = subjects(fact.name)
        digits = FIGURE_DIGITS if _is_figure(fact, parent) else DIGITS
        number = decimals(value, subject.decimals) if subject.known else plain(value, digits)
        unit = subject.unit if subject.known else printed(fact.unit)
        return _with_unit(manner.number(number), unit, manner)
    if concept.kind == "intervention":
        return _given(fact, value, manner)
    value, stated = _converted(concept, value, fact.unit)
    for answer in concept.coded:
        if answer.number == value:
            said = manner.answers.get((answer.display, audience), answer.display)
            return manner.words["quoted"].format(said)
    if stated != concept.unit:
        return _with_unit(manner.number(plain(value)), printed(stated), manner)
    counted = manner.counted.get(fact.name) if audience == "patient" else None
    if counted and fact.role in ("interval_low", "interval_high"):
        return manner.number(decimals(value, concept.decimals))  # `range 98 to 121` behind `110 beats a minute`
    return _with_unit(manner.number(decimals(value, concept.decimals)), counted or printed(stated), manner)


def _converted(concept: Concept, value: float, unit: str) -> tuple[float, str]:
    """In the concept's unit; as it is where that cannot be."""
    if unit in ("", concept.unit):
        return value, concept.unit
    try:
        return concept.normalize(value, unit), concept.unit
    except UnitError:
        return value, unit


def _given(fact: Fact, value: float, manner: Manner) -> str:
    """A dose or rate as it was ordered: `500 mL`, `0.1 µg/kg/min`; what is only on or off in a word."""
    if fact.name in _SWITCHED and fact.unit in ("", "1"):
        return manner.words["on state" if value > 0 else "off state"]
    return _with_unit(manner.number(plain(value)), printed(fact.unit or VOCABULARY[fact.name].unit), manner)


def _with_unit(number: str, unit: str, manner: Manner) -> str:
    written = manner.units.get(unit, unit)
    if not written:
        return number
    return f"{number}{written}" if written.startswith("/") else f"{number} {written}"

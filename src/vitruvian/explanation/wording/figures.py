"""Numbers as a reader reads them off a text, and whether they are the evidence's."""

from __future__ import annotations

import re
from typing import Final

from vitruvian.core.errors import UnitError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.claims import Facet
from vitruvian.explanation.evidence.base import Evidence, Fact

__all__ = ["agrees", "number_in"]

_NUMBER: Final = re.compile(r"[-−]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-−]?\d+(?:\.\d+)?")
_FREQUENCY: Final = re.compile(r"(\d[\d,]*) in (\d[\d,]*)")
_BOUNDED: Final = ("less than", "more than", "<", ">")
_SHARES: Final = ("probability", "usual", "likelihood", "from_data")
_SLACK: Final = 1e-6


def number_in(text: str) -> float | None:
    """The number that a text states; None where it states none, or a bound, or several."""
    if text.lower().startswith(_BOUNDED) or "×10" in text:
        return None
    found = _NUMBER.findall(text)
    return float(found[0].replace("−", "-").replace(",", "")) if len(found) == 1 else None


def agrees(text: str, fact: Fact, facet: Facet, evidence: Evidence) -> bool:
    """Whether what the text shows of a facet is the fact's value to the decimals shown.

    True where there is nothing to compare: labels, words, times, coded answers, bounds.
    """
    if fact.value is None or facet not in ("value", "frequency"):
        return True
    if facet == "frequency":
        return _frequent(text, fact.value)
    if fact.role in ("horizon", "window", "likelihood"):
        return True
    shown = number_in(text)
    if shown is None or fact.role == "count":
        return shown is None or shown == fact.value
    expected = _expected(text, fact, evidence)
    return expected is None or abs(shown - expected) <= _half(text) * (1 + _SLACK) + _SLACK


def _expected(text: str, fact: Fact, evidence: Evidence) -> float | None:
    """The value in the unit it is shown in; None where that is not for us to say."""
    assert fact.value is not None
    parent = evidence.by_id.get(fact.of)
    scale = 100.0 if _share(text, fact, parent) else 1.0
    if fact.role == "difference":
        return abs(fact.value) * scale
    if parent is not None and parent.role == "difference" and fact.role in ("interval_low", "interval_high"):
        return (-fact.value if (parent.value or 0.0) < 0 else fact.value) * scale
    concept = VOCABULARY.get(fact.name)
    if concept is None or concept.kind == "intervention" or fact.unit in ("", concept.unit):
        return fact.value * scale
    try:
        return concept.normalize(fact.value, fact.unit)
    except UnitError:
        return fact.value


def _share(text: str, fact: Fact, parent: Fact | None) -> bool:
    """Whether a value of 0 to 1 reads in per cent."""
    if "%" in text and fact.name not in VOCABULARY and fact.unit in ("", "1"):
        return True
    if fact.role in _SHARES or (fact.name.endswith("_risk") and fact.role != "figure"):
        return True
    ends = fact.role in ("interval_low", "interval_high", "earlier")
    return ends and parent is not None and parent.role in _SHARES


def _half(text: str) -> float:
    """Half of the last decimal shown."""
    found = _NUMBER.search(text)
    decimals = len(found[0].partition(".")[2]) if found else 0
    return 0.5 * 10.0**-decimals


def _frequent(text: str, probability: float) -> bool:
    found = _FREQUENCY.fullmatch(text)
    if found is None:
        return False
    count, out_of = (int(part.replace(",", "")) for part in found.groups())
    bounded = min(max(probability, 1 / out_of), 1 - 1 / out_of)
    return abs(count / out_of - bounded) <= 0.5 / out_of + _SLACK

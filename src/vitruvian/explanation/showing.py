"""How a fact reads: numbers in the vocabulary's decimals and unit, per cents, spans, times, natural frequencies.

The one place where a fact becomes text. What differs by language is in `Manner`; pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final

import msgspec

from vitruvian.core.time import HOUR_US, from_us, zone_named
from vitruvian.explanation.claims import Audience, Facet
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.subjects import UNITS, subjects

__all__ = ["PLAIN", "SHARES", "Manner", "show", "value_of"]

SHARES: Final = ("probability", "earlier", "usual", "likelihood", "from_data")  # 0 to 1, read in per cent
_SPANS: Final = ("horizon",)


class Manner(msgspec.Struct, frozen=True):
    """How a language writes. `labels`: names of things by (name, reader), where they are not the vocabulary's own.

    `words`: the small words that facts need: `ago`, `to the end of the stay`, `yesterday`, `rising`, `missing` ...
    """

    code: str
    decimal: str
    thousands: str
    words: Mapping[str, str]
    labels: Mapping[tuple[str, Audience], str]
    months: tuple[str, ...]

    def number(self, text: str) -> str:
        """A number as written with a point, in this language's marks."""
        return text if self.decimal == "." else text.replace(".", self.decimal)


PLAIN: Final = Manner(
    "en",
    ".",
    ",",
    {
        "ago": "{} ago", "to the end of the stay": "to the end of the stay", "yesterday": "yesterday",
        "day": "{day} {month}", "rising": "rising", "falling": "falling", "steady": "steady", "in": "in",
        "h": "h", "min": "min", "days": "days",
    },
    {},
    ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)  # fmt: skip


def show(fact: Fact, facet: Facet, evidence: Evidence, audience: Audience, manner: Manner) -> str:
    """The text of a facet. Raises ValueError where the fact has none (a value of what is missing)."""
    if facet == "label":
        return label_of(fact, audience, manner)
    if facet == "value":
        return value_of(fact, evidence, manner)
    if facet == "frequency":
        return frequency(_number(fact), manner)
    if facet == "direction":
        return manner.words[fact.direction or "steady"]
    if facet == "when":
        return when(fact, evidence, manner)
    if not fact.text:
        raise ValueError(f"found no text in the fact {fact.id}, expected one")
    return fact.text


def label_of(fact: Fact, audience: Audience, manner: Manner) -> str:
    """What the fact is about, as it stands within a sentence."""
    own = manner.labels.get((fact.name, audience))
    return own or fact.label or subjects(fact.name).label


def value_of(fact: Fact, evidence: Evidence, manner: Manner) -> str:
    """The number with its unit."""
    if fact.role == "horizon" and fact.value is None:
        return manner.words["to the end of the stay"]
    value = _number(fact)
    if fact.role in _SPANS:
        return span(value, manner)
    if _is_share(fact, evidence):
        return percent(value, manner)
    if fact.role == "confidence":
        return manner.number(f"{value:.0f} %")
    if fact.role == "difference" or _belongs_to(fact, "difference", evidence):
        return _measured(fact, abs(value) if fact.role == "difference" else value, manner)
    return _measured(fact, value, manner)


def _is_share(fact: Fact, evidence: Evidence) -> bool:
    """Whether it is a probability, or an end of the interval of one."""
    if fact.role in SHARES:
        return True
    if fact.role not in ("interval_low", "interval_high"):
        return False
    parent = evidence.by_id.get(fact.of)
    return parent is not None and parent.role in SHARES


def _belongs_to(fact: Fact, role: str, evidence: Evidence) -> bool:
    parent = evidence.by_id.get(fact.of)
    return parent is not None and parent.role == role


def _measured(fact: Fact, value: float, manner: Manner) -> str:
    subject = subjects(fact.name)
    if subject.known:
        return manner.number(subject.show(value))
    unit = UNITS.get(fact.unit, fact.unit)
    number = manner.number(f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}")
    return f"{number} {unit}" if unit else number


def percent(probability: float, manner: Manner) -> str:
    """A probability as people read it: one decimal below 10 %, none above; never 0 or 100."""
    share = 100 * probability
    if share < 0.1:
        return manner.number("<0.1 %")
    if share > 99:
        return ">99 %"
    return manner.number(f"{share:.1f} %" if share < 9.95 else f"{share:.0f} %")


def frequency(probability: float, manner: Manner) -> str:
    """A natural frequency: `12 in 100`, `4 in 1,000` below one in a hundred; never none and never all."""
    out_of = 100 if probability >= 0.00995 else 1_000
    count = min(max(round(probability * out_of), 1), out_of - 1)
    return f"{count} {manner.words['in']} {f'{out_of:,}'.replace(',', manner.thousands)}"


def span(hours: float, manner: Manner) -> str:
    """A span of hours: minutes where it is short, days where it is long."""
    if hours < 0.995:
        return f"{60 * hours:.0f} {manner.words['min']}"
    if hours >= 72 and hours % 24 == 0:
        return f"{hours / 24:.0f} {manner.words['days']}"
    return f"{manner.number(f'{hours:.3g}')} {manner.words['h']}"


def when(fact: Fact, evidence: Evidence, manner: Manner) -> str:
    """When it was true: `6 h ago` for an earlier risk, else the time of day, with the day where it is another."""
    if fact.at_us is None:
        raise ValueError(f"found no time in the fact {fact.id}, expected one")
    if fact.role == "earlier":
        return manner.words["ago"].format(span((evidence.at_us - fact.at_us) / HOUR_US, manner))
    zone = zone_named(evidence.zone)
    then, now = _local(fact.at_us, zone), _local(evidence.at_us, zone)
    clock = f"{then:%H:%M}"
    days = (now.date() - then.date()).days
    if days == 0:
        return clock
    if days == 1:
        return f"{manner.words['yesterday']} {clock}"
    day = manner.words["day"].format(day=then.day, month=manner.months[then.month - 1])
    return f"{day} {clock}" if abs(days) < 300 else f"{day} {then.year}"


def _local(at_us: int, zone: tzinfo) -> datetime:
    return from_us(at_us).astimezone(zone)


def _number(fact: Fact) -> float:
    if fact.value is None or math.isnan(fact.value):
        raise ValueError(f"found no value in the fact {fact.id}, expected one")
    return fact.value

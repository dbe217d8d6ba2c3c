"""Spans and times as they stand in a sentence, each with its preposition, so that every language can have its own."""

from __future__ import annotations

from datetime import datetime, tzinfo

from vitruvian.core.time import HOUR_US, from_us, zone_named
from vitruvian.explanation.claims import Audience
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.manner import Manner
from vitruvian.explanation.numbers import number_of

__all__ = ["between", "horizon", "span", "when"]

YEAR_DAYS = 300  # a day longer ago than this is told with its year


def span(hours: float) -> tuple[str, str]:
    """A span of hours as (number, unit): minutes where it is short, days where it is long and whole."""
    minutes = round(60 * hours)
    if minutes < 60:
        return str(max(minutes, 1)), "min"
    if hours >= 47.95 and abs(hours % 24 - 12) > 11.95:
        return f"{hours / 24:.0f}", "d"
    text = f"{hours:.1f}" if hours < 9.95 else f"{hours:.0f}"
    return text.removesuffix(".0"), "h"


def around(what: str, hours: float, audience: Audience, manner: Manner) -> str:
    """A span with its preposition: `over the next 6 h`, `6 hours ago`."""
    number, unit = span(hours)
    what = f"{what} {audience}" if f"{what} {audience}" in manner.words else what
    one, several = manner.spans[audience][unit]
    return manner.around(what, manner.number(number), unit, one if number == "1" else several)


def horizon(fact: Fact, audience: Audience, manner: Manner) -> str:
    """A span that lies ahead, or behind (role `window`); without a number the rest of the stay."""
    if fact.value is None and fact.role == "horizon":
        return manner.words[f"stay {audience}"]
    return around("last" if fact.role == "window" else "next", number_of(fact), audience, manner)


def between(fact: Fact, evidence: Evidence, manner: Manner) -> str:
    """A span that ended at its `at_us`, and began its number of hours before the packet; by the clock, not as the last
    hours, which it is not.
    """
    assert fact.at_us is not None
    minute_us, zone = HOUR_US // 60, zone_named(evidence.zone)
    begun_us = round((evidence.at_us - number_of(fact) * HOUR_US) / minute_us) * minute_us
    begun, ended = _local(begun_us, zone), _local(fact.at_us, zone)
    word = "between" if begun.date() == ended.date() else "between days"
    return manner.words[word].format(
        d1=begun.day, m1=manner.months[begun.month - 1], c1=f"{begun:%H:%M}",
        d2=ended.day, m2=manner.months[ended.month - 1], c2=f"{ended:%H:%M}",
    )  # fmt: skip


def when(fact: Fact, evidence: Evidence, audience: Audience, manner: Manner) -> str:
    """When it was or is: `6 h ago` for an earlier value, `in 6 h` for what is expected, else the time of day.

    Raises ValueError where the fact has no time.
    """
    if fact.role in ("expected", "difference") and fact.horizon_h is not None:
        return around("in" if fact.role == "expected" else "after", fact.horizon_h, audience, manner)
    if fact.at_us is None:
        raise ValueError(f"found no time in the fact {fact.id}, expected one")
    if fact.role == "earlier":
        return around("ago", (evidence.at_us - fact.at_us) / HOUR_US, audience, manner)
    zone = zone_named(evidence.zone)
    return _clock(_local(fact.at_us, zone), _local(evidence.at_us, zone), manner)


def _clock(then: datetime, now: datetime, manner: Manner) -> str:
    clock = f"{then:%H:%M}"
    days = (now.date() - then.date()).days
    if days in (0, 1):
        word = "at" if days == 0 else "yesterday"
        one = manner.words.get(f"{word} 01") if clock.startswith("01") else None
        return (one or manner.words[word]).format(clock)
    word = "on" if abs(days) < YEAR_DAYS else "on year"
    one = manner.words.get(f"{word} 01") if clock.startswith("01") else None
    month = manner.months[then.month - 1]
    return (one or manner.words[word]).format(day=then.day, month=month, year=then.year, clock=clock)


def _local(at_us: int, zone: tzinfo) -> datetime:
    return from_us(at_us).astimezone(zone)

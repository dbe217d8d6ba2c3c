"""Spans and moments by the clock and the calendar: "at 14:05", "from 18:00 to 19:00", "on 3 March", "2026-03-03".

A time that is none (25:99, 31 February, one that is still to come where the past is meant) is told apart as such, so
that no other answer is given in its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Final

import msgspec

from vitruvian.core.time import to_us

__all__ = ["LAST", "RULES", "Reader", "Span", "at_clock", "before", "impossible"]

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH: Final = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_HOUR: Final = r"\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_WORDS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
# A number behind which no unit stands: "from 10 to 20 mg" is no time.
_END: Final = (
    r"(?![\d.:]|[a-z]| ?(?:hours?|hrs?|h|mins?|minutes?|days?|weeks?|ml|mg|mcg|ug|g|units?|litres?|liters?|l|%|/|-|to)"
    r"(?:\b|(?<=[%/-])))"
)


class Span(msgspec.Struct, frozen=True):
    """Where in the text a span stands, and what it is: `ahead_h` of the time to come, else from `since_us` on.

    `window_h`: how long, where that was said. `stay`: since admission, whenever that was. `until_us` None: until now.
    `at_us`: a moment was named; `next_h`: hours until the clock shows it again. `none`: no such time is there.
    """

    start: int
    end: int
    since_us: int | None = None
    until_us: int | None = None
    window_h: float | None = None
    ahead_h: float | None = None
    stay: bool = False
    at_us: int | None = None
    next_h: float | None = None
    none: bool = False


Reader = Callable[[re.Match[str], datetime], Span | None]


def impossible(match: re.Match[str]) -> Span:
    """A time that is none."""
    return Span(match.start(), match.end(), none=True)


def at_clock(now: datetime, hour: int, minute: int = 0, days: int = 0) -> datetime:
    """That o'clock of today, or of some days ago."""
    zone: tzinfo | None = now.tzinfo
    day = (now - timedelta(days=days)).date()
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)


def before(now: datetime, hour: int, minute: int = 0) -> datetime:
    """The last moment before now when the clock showed this."""
    then = at_clock(now, hour, minute)
    return then if then < now else at_clock(now, hour, minute, days=1)


def _clocked(now: datetime, stated: str, minute: str | None, half: str | None) -> datetime | None:
    """The last time that the clock showed this; of a bare hour, the nearer of morning and evening; None: never."""
    hour = _WORDS.index(stated) + 1 if stated in _WORDS else int(stated)
    minutes = int(minute or 0)
    if hour > 24 or minutes > 59 or (hour == 24 and minutes) or (half and not 1 <= hour <= 12):
        return None
    if half:
        return before(now, hour % 12 + (12 if half.startswith("p") else 0), minutes)
    if minute is None and 1 <= hour <= 12 and not stated.startswith("0"):
        return max(before(now, hour % 12, minutes), before(now, hour % 12 + 12, minutes))
    return before(now, hour % 24, minutes)


def _between(match: re.Match[str], now: datetime) -> Span | None:
    named = match.groupdict()
    yesterday = "yesterday" in match.group()
    ends = _clocked(now, match["h2"], named["m2"], named["p2"])
    begins = _clocked(now, match["h1"], named["m1"], named["p1"] or (named["p2"] if named["m1"] is None else None))
    if ends is None or begins is None:
        return impossible(match)
    if yesterday:
        ends, begins = at_clock(now, ends.hour, ends.minute, 1), at_clock(now, begins.hour, begins.minute, 1)
    if begins >= ends:
        begins -= timedelta(days=1)
    return Span(match.start(), match.end(), to_us(begins), to_us(ends))


def _moment(match: re.Match[str], now: datetime) -> Span | None:
    """What lies around a moment."""
    named = match.groupdict()
    part = named.get("part") or ""
    half = named.get("half") or (
        "a" if "morning" in part else "p" if re.search("afternoon|evening|night", part) else ""
    )
    then = _clocked(now, match["hour"], named.get("minute"), half)
    if then is None:
        # "a rate at 78" names no time; "at 25:99" does, and there is none.
        return impossible(match) if named.get("minute") or half else None
    if "yesterday" in part:
        then = at_clock(now, then.hour, then.minute, 1)
    return _at(match, then, now)


def _at(match: re.Match[str], then: datetime, now: datetime) -> Span:
    again_h = (then + timedelta(days=1) - now).total_seconds() / 3_600
    return Span(match.start(), match.end(), to_us(then), at_us=to_us(then), next_h=again_h)


def _until(match: re.Match[str], now: datetime) -> Span | None:
    """Up to a moment, from a day before it."""
    named = match.groupdict()
    then = _clocked(now, match["hour"], named["minute"], named["half"])
    if then is None:
        return impossible(match) if named["minute"] or named["half"] else None
    again_h = (then + timedelta(days=1) - now).total_seconds() / 3_600
    return Span(match.start(), match.end(), to_us(then - timedelta(days=1)), to_us(then), next_h=again_h)


def _day(match: re.Match[str], now: datetime) -> Span | None:
    """A day of the calendar, or from a moment of it on; without a year the last such day."""
    named = match.groupdict()
    month = int(named["mo"]) if named.get("mo") else _MONTHS.index(match["month"][:3]) + 1
    year, day = int(named["year"] or now.year), int(match["day"])
    hour, minute = int(named.get("hh") or 0), int(named.get("mi") or 0)
    try:
        begins = datetime(year, month, day, hour, minute, tzinfo=now.tzinfo)
        if begins > now and not named["year"]:
            begins = begins.replace(year=year - 1)
    except ValueError:  # no such day, or no such hour
        return impossible(match)
    if begins > now or begins < now - timedelta(days=366):
        return impossible(match)
    if named.get("from"):
        return Span(match.start(), match.end(), to_us(begins))
    if named.get("hh"):
        return Span(match.start(), match.end(), to_us(begins), at_us=to_us(begins))
    ends = begins + timedelta(days=1)
    return Span(match.start(), match.end(), to_us(begins), None if ends >= now else to_us(ends))


_FROM: Final = r"(?:(?P<from>since|from|after|as of)|on|at|of|for)?(?: the)? ?"
_CLOCK_1: Final = rf"(?P<h1>{_HOUR})(?: ?[:.h] ?(?P<m1>\d{{2}}))? ?(?P<p1>am|pm|a m|p m)?(?: oclock)?"
_CLOCK_2: Final = rf"(?P<h2>{_HOUR})(?: ?[:.h] ?(?P<m2>\d{{2}}))? ?(?P<p2>am|pm|a m|p m)?(?: oclock)?"
_PART: Final = (
    r"(?P<part> in the (?:morning|afternoon|evening)| this (?:morning|afternoon|evening)| last night| yesterday)?"
)
_STATED: Final = rf"(?P<hour>{_HOUR})(?: ?[:h] ?(?P<minute>\d{{2}}))? ?(?P<half>am|pm|a m|p m)?(?: oclock)?"
RULES: Final[tuple[tuple[str, Reader], ...]] = (
    (rf"{_FROM}(?P<year>\d{{4}})-(?P<mo>\d{{1,2}})-(?P<day>\d{{1,2}})"
     r"(?: ?t? ?(?P<hh>\d{1,2}):(?P<mi>\d{2})(?::\d\d)?)?", _day),
    (rf"{_FROM}(?P<day>\d{{1,2}})(?: ?(?:st|nd|rd|th))? (?:of )?(?P<month>{_MONTH})\b(?: (?P<year>\d{{4}}))?", _day),
    (rf"{_FROM}(?P<month>{_MONTH}) (?P<day>\d{{1,2}})(?: ?(?:st|nd|rd|th))?\b(?: ?,? ?(?P<year>\d{{4}}))?{_END}", _day),
    (rf"(?:yesterday )?(?:between|from) {_CLOCK_1} ?(?:and|to|until|till|-) ?{_CLOCK_2}(?: yesterday)?{_END}",
     _between),
)  # fmt: skip
# Behind those of times.py: "since 18:00" is no moment.
LAST: Final[tuple[tuple[str, Reader], ...]] = (
    (rf"(?:before|by|until|till|up to) {_STATED}{_END}", _until),
    (rf"(?:at|around) (?:about |around )?{_STATED}{_PART}{_END}", _moment),
    (r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?: ?(?P<half>am|pm))?(?![\d:])", _moment),
    (r"(?P<hour>\d{1,2}) ?(?P<half>am|pm)\b", _moment),
)

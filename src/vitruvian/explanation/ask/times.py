"""Spans of time in a question, in the ward's zone: "since six", "overnight", "last 4 hours", "in two hours"."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

import msgspec

from vitruvian.core.time import HOUR_US, from_us, to_us, zone_named
from vitruvian.explanation.ask.moments import LAST, RULES, Reader, Span, at_clock, before, impossible

__all__ = ["Span", "spans_of"]

EVENING_H: Final = 18
NIGHT_H: Final = 20  # a night begins with the night shift's handover, by and large
MORNING_H: Final = 6
SHIFTS_H: Final = (7, 19)
_NUMBERS: Final = {
    word: float(number)
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), 1
    )
} | {"a": 1.0, "an": 1.0, "the": 1.0, "half a": 0.5, "half an": 0.5, "a couple of": 2.0, "couple of": 2.0,
     "couple": 2.0, "a few": 3.0, "few": 3.0, "several": 4.0, "fifteen": 15.0, "twenty": 20.0, "thirty": 30.0,
     "forty": 40.0, "twenty four": 24.0, "twenty-four": 24.0, "forty eight": 48.0, "thirty six": 36.0,
     "sixty": 60.0, "ninety": 90.0, "an hour and a half": 1.5}  # fmt: skip
_UNITS_H: Final = {"h": 1.0, "hr": 1.0, "hrs": 1.0, "hour": 1.0, "hours": 1.0, "hourly": 1.0,
                   "min": 1 / 60, "mins": 1 / 60, "minute": 1 / 60,
                   "minutes": 1 / 60, "m": 1 / 60, "day": 24.0, "days": 24.0, "d": 24.0, "week": 168.0,
                   "weeks": 168.0, "shift": 12.0, "shifts": 12.0, "night": 12.0}  # fmt: skip
_N: Final = r"(?P<n>\d+(?:\.\d+)?|" + "|".join(sorted(map(re.escape, _NUMBERS), key=len, reverse=True)) + ")"
_U: Final = r"[ -]?(?P<u>hours?|hrs?|h|minutes?|mins?|days?|d|weeks?|shifts?)\b"
_CLOCK: Final = (
    r"(?:about |around |roughly )?(?P<hour>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    r"(?: ?[:.h] ?(?P<minute>\d{2}))? ?(?P<half>am|pm|a m|p m)?(?: oclock)?"
    r"(?P<part> in the (?:morning|afternoon|evening)| this (?:morning|afternoon|evening)| last night| yesterday)?"
    r"(?!\d|\.\d|[a-z]| ?(?:hours?|hrs?|h|mins?|day|week|ml|mg|mcg|ug|units?|litre|liter|%)\b)"
)
_NAMED: Final = (
    r"(?P<named>midnight|noon|midday|lunch ?time|lunch|breakfast|dawn|"
    r"yesterday (?:morning|afternoon|evening|night|noon)|yesterday|last night|last evening|"
    r"this morning|this afternoon|this evening|the morning|the evening|the night|"
    r"morning|today|handover|(?:the )?(?:start|beginning) of (?:the|my|this) shift|"
    r"(?:the|my|this) shift(?: started| began)?|"
    r"(?:last|previous) handover|(?:last |on )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday))"
)
_FREE: Final = (
    r"(?P<named>yesterday (?:morning|afternoon|evening|night|noon)|yesterday|last evening|this morning|this afternoon|"
    r"this evening|today|(?:my|this) shift|(?:last |on )(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday))"
)
_STAY: Final = r"(?:admission|arrival|(?:he|she|i|they) (?:came in|arrived|was admitted|were admitted)|being admitted)"
_FROM: Final = r"(?:since|from|after|starting|beginning at|as of)(?: about| around)?"
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def spans_of(text: str, now_us: int, zone: str) -> tuple[Span, ...]:
    """Every span that a normalised question names, in its order; where two overlap, the first rule of the table."""
    local = from_us(now_us).astimezone(zone_named(zone))
    found: list[Span] = []
    for pattern, read in _RULES:
        for match in pattern.finditer(text):
            if all(match.end() <= one.start or match.start() >= one.end for one in found):
                made = read(match, local)
                if made is not None:
                    found.append(made)
    return tuple(sorted(found, key=lambda one: one.start))


def _hours(match: re.Match[str]) -> float:
    stated = match.groupdict().get("n")
    number = 1.0 if not stated else _NUMBERS[stated] if stated in _NUMBERS else float(stated)
    return number * _UNITS_H[match["u"]]


def _past(match: re.Match[str], now: datetime) -> Span | None:
    hours = _hours(match)
    if not 0 < hours <= 24 * 366:
        return impossible(match)
    return Span(match.start(), match.end(), to_us(now) - int(hours * HOUR_US), None, hours)


def _ago(match: re.Match[str], now: datetime) -> Span | None:
    """A moment, or from it on where that is said."""
    found = _past(match, now)
    if found is None or found.none or match.group().startswith(("since", "from", "over", "as of")):
        return found
    return msgspec.structs.replace(found, at_us=found.since_us)


def _ahead(match: re.Match[str], _: datetime) -> Span | None:
    hours = _hours(match)
    return Span(match.start(), match.end(), ahead_h=hours) if 0 < hours <= 24 * 366 else impossible(match)


def _ahead_named(match: re.Match[str], now: datetime) -> Span:
    hour = {"tonight": 22, "midnight": 24, "noon": 12, "midday": 12, "morning": 24 + 7, "evening": 20}
    word = match["when"]
    at = 24 + 9 if "tomorrow" in word else next(value for key, value in hour.items() if key in word)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    then = midnight + timedelta(hours=at)
    hours = (then - now).total_seconds() / 3_600
    return Span(match.start(), match.end(), ahead_h=hours if hours > 0 else hours + 24)


def _clock(match: re.Match[str], now: datetime) -> Span | None:
    """The last time that it was that o'clock: of a bare `six`, the nearer of morning and evening."""
    stated = match["hour"]
    hour = int(_NUMBERS[stated]) if stated in _NUMBERS else int(stated)
    minute, part = int(match["minute"] or 0), match["part"] or ""
    if hour > 24 or minute > 59 or (hour == 24 and minute) or (match["half"] and not 1 <= hour <= 12):
        return impossible(match) if match["minute"] or match["half"] else None
    half = (match["half"] or "")[:1]
    if "morning" in part:
        half = "a"
    elif any(word in part for word in ("afternoon", "evening", "last night")):
        half = "p" if hour >= 5 or "night" not in part else "a"
    hours = [hour % 12 + (12 if half == "p" else 0)] if half and hour <= 12 else [hour % 24]
    if not half and 1 <= hour <= 12 and not (stated.startswith("0") or (match["minute"] and len(stated) == 2)):
        hours = [hour % 12, hour % 12 + 12]
    then = max(before(now, one, minute) for one in hours)
    if "yesterday" in part:
        then = at_clock(now, hours[-1] if hours[-1] else 0, minute, days=1)
    return Span(match.start(), match.end(), to_us(then))


def _named(match: re.Match[str], now: datetime) -> Span | None:
    word = match["named"]
    if any(day in word for day in _DAYS):
        behind = (now.weekday() - next(n for n, day in enumerate(_DAYS) if day in word)) % 7 or 7
        return Span(match.start(), match.end(), to_us(at_clock(now, 0, days=behind)))
    if "shift" in word or "handover" in word:
        return Span(match.start(), match.end(), to_us(max(before(now, hour) for hour in SHIFTS_H)))
    since, until = _part_of_day(word, now)
    ends = None if match.groupdict().get("from") or until is None or until >= now else to_us(until)
    return Span(match.start(), match.end(), to_us(since), ends)


def _part_of_day(word: str, now: datetime) -> tuple[datetime, datetime | None]:
    back = 1 if "yesterday" in word else 0
    if "night" in word and "midnight" not in word:
        return _night(now)
    if "morning" in word or word in ("dawn", "breakfast"):
        return _lasting(_on(now, MORNING_H, back), 12 - MORNING_H)
    if "afternoon" in word:
        return _lasting(_on(now, 12, back), EVENING_H - 12)
    if "evening" in word:
        return _lasting(_on(now, EVENING_H, back or (1 if word == "last evening" else 0)), 24 - EVENING_H)
    if word in ("midnight", "today"):
        return at_clock(now, 0), None
    if word == "yesterday":
        return at_clock(now, 0, days=1), at_clock(now, 0)
    return _on(now, 12, back), None  # noon and lunch


def _lasting(begins: datetime, hours: int) -> tuple[datetime, datetime]:
    return begins, begins + timedelta(hours=hours)


def _on(now: datetime, hour: int, back: int) -> datetime:
    """That hour of today, or of the day before where that is still to come."""
    then = at_clock(now, 0, days=back) + timedelta(hours=hour)
    return then if then <= now or hour == 24 or back else then - timedelta(days=1)


def _night(now: datetime) -> tuple[datetime, datetime]:
    """The last night that has begun: from 20:00 to 08:00."""
    begin = before(now, NIGHT_H)
    return begin, begin + timedelta(hours=12)


def _overnight(match: re.Match[str], now: datetime) -> Span:
    begin, end = _night(now)
    return Span(match.start(), match.end(), to_us(begin), to_us(end) if end < now else None)


def _stay(match: re.Match[str], _: datetime) -> Span:
    return Span(match.start(), match.end(), stay=True)


def _military(match: re.Match[str], now: datetime) -> Span | None:
    hour, minute = int(match["hh"]), int(match["mm"])
    return Span(match.start(), match.end(), to_us(before(now, hour, minute))) if hour < 24 and minute < 60 else None


_RULES: Final[tuple[tuple[re.Pattern[str], Reader], ...]] = tuple(
    (re.compile(rf"\b{pattern}"), read)
    for pattern, read in (
        *RULES,
        (rf"(?:(?:in|within|over|for|during|after) )?(?:the |my )?(?:next|coming|following) {_N}{_U}", _ahead),
        (r"(?:(?:in|over|for|during|within) )?(?:the )?(?:next|coming) (?P<u>hours?|day|shift|night)\b", _ahead),
        (rf"{_N}{_U} (?:from now|ahead|later|time|down the line)\b", _ahead),
        (rf"(?:in|within) (?:about |around )?{_N}{_U}(?: time)?\b", _ahead),
        (r"(?:by |until |for |at )?(?P<when>tomorrow(?: morning)?|tonight)\b", _ahead_named),
        (r"by (?:the )?(?P<when>midnight|noon|midday|morning|evening)\b", _ahead_named),
        (rf"(?:(?:over|in|for|during|within|of|across|from) )?(?:the |these )?(?:last|past|previous) {_N}{_U}", _past),
        (
            r"(?:(?:over|in|for|during|within|of|across) )?(?:the )?(?:last|past|previous) "
            r"(?P<u>hours?|day|days|week|shift)\b",
            _past,
        ),
        (rf"(?:(?:since|from|than|as of|over) )?(?:about |around )?{_N}{_U} (?:ago|back|earlier|before)\b", _ago),
        (rf"(?:over|for|across|during) {_N}{_U}", _past),
        (rf"(?:{_FROM} )?{_STAY}(?: to (?:the )?(?:icu|ward|hospital))?\b", _stay),
        (rf"(?P<from>{_FROM}) {_NAMED}\b", _named),
        (rf"{_FROM} (?P<hh>[0-2]\d)(?P<mm>[0-5]\d)(?: ?h(?:ours|rs)?)?\b", _military),
        (rf"{_FROM} {_CLOCK}", _clock),
        (r"(?:over ?night|(?:during|in|over|through) the night|the night|last night)\b", _overnight),
        (rf"(?:in |on |during |than |over )?{_FREE}\b", _named),
        (rf"than at {_CLOCK}", _clock),
        *LAST,
        (rf"{_N}-?{_U}(?= (?:trend|course|window|history|max|min|high|low))", _past),
    )
)  # fmt: skip

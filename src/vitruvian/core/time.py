"""Instants, zones and clocks.

An instant is an integer number of microseconds since 1970-01-01T00:00:00Z (`*_us`), which orders and hashes
exactly; the zone it was stated in is kept beside it as text (`+02:00`, `Z`, or empty where the source gave
none).

Two clocks are injected everywhere: the *clinical* clock (windows, staleness, persistence of an alarm) and the
*wall* clock (time-outs, transport). In a replay the clinical clock runs on the data's own time.
"""

from __future__ import annotations

import re
import time as _time
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, NamedTuple, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vitruvian.core.errors import ConfigurationError, TimestampError

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
HOUR_US: Final = 3_600 * SECOND_US
DAY_US: Final = 24 * HOUR_US

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HL7: Final = re.compile(r"^(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?(\d{2})?(?:\.(\d{1,6}))?([+-]\d{4})?$")
_PARTIAL: Final = re.compile(r"^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$")


class Instant(NamedTuple):
    """A moment as a source stated it: `us` since the epoch (UTC), and the zone it was stated in."""

    us: int
    zone: str


def to_us(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime; a naive one is a TimestampError."""
    if moment.tzinfo is None:
        raise TimestampError(f"found {moment!r} without a zone, expected an aware datetime; attach the source's zone")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def from_us(us: int) -> datetime:
    """The UTC datetime of an instant in microseconds; outside years 1-9999 is a TimestampError."""
    try:
        return _EPOCH + timedelta(microseconds=us)
    except OverflowError as error:
        raise TimestampError(f"found instant {us} us, expected one within years 1 to 9999") from error


def isoformat(us: int) -> str:
    """RFC 3339 text of an instant, in UTC with `Z`, milliseconds where there are any."""
    moment = from_us(us)
    text = moment.isoformat(timespec="microseconds" if us % 1000 else "milliseconds" if us % SECOND_US else "seconds")
    return text.replace("+00:00", "Z")


def zone_named(name: str) -> tzinfo:
    """The zone of an IANA name (`Europe/Paris`) or an offset (`+02:00`, `Z`); unknown is a
    ConfigurationError.
    """
    if name in ("", "Z", "UTC"):
        return UTC
    if name[0] in "+-":
        sign = -1 if name[0] == "-" else 1
        digits = name[1:].replace(":", "")
        if len(digits) == 4 and digits.isdigit():
            return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(f"found zone {name!r}, expected an IANA name like Europe/Paris or +02:00") from error


def parse_iso(text: str, default_zone: tzinfo = UTC) -> Instant:
    """Read a FHIR date, dateTime or instant (ISO 8601; a partial date means its start).

    A time without an offset is taken in `default_zone`, and its stated zone is kept as empty text.
    Raises TimestampError for anything else.
    """
    stripped = text.strip()
    partial = _PARTIAL.match(stripped)
    try:
        if partial:
            year, month, day = (int(part or 1) for part in partial.groups())
            return Instant(to_us(datetime(year, month, day, tzinfo=default_zone)), "")
        moment = datetime.fromisoformat(stripped)
        return _stated(moment, default_zone)
    except (ValueError, OverflowError) as error:
        raise TimestampError(
            f"found time {text[:64]!r}, expected ISO 8601 such as 2026-01-31T08:30:00+02:00"
        ) from error


def parse_hl7(text: str, default_zone: tzinfo = UTC) -> Instant:
    """Read an HL7 v2 DTM/TS (`YYYY[MM[DD[HH[MM[SS[.S+]]]]]][+ZZZZ]`; a partial one means its start)."""
    match = _HL7.match(text.strip())
    if not match:
        raise TimestampError(f"found time {text[:64]!r}, expected HL7 v2 YYYYMMDDHHMMSS[.S][+ZZZZ]")
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        moment = datetime(  # noqa: DTZ001  (the zone is attached just below)
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            int((fraction or "0").ljust(6, "0")),
        )  # fmt: skip
        if offset:
            moment = moment.replace(tzinfo=zone_named(offset))
        return _stated(moment, default_zone)
    except (ValueError, OverflowError) as error:
        raise TimestampError(f"found time {text[:64]!r}, expected a date that exists") from error


def _stated(moment: datetime, default_zone: tzinfo) -> Instant:
    if moment.tzinfo is None:
        return Instant(to_us(moment.replace(tzinfo=default_zone)), "")
    offset = moment.strftime("%z")
    return Instant(to_us(moment), "Z" if offset in ("+0000", "") else f"{offset[:3]}:{offset[3:5]}")


class Clock(Protocol):
    """Tells the time in microseconds since the epoch."""

    def now_us(self) -> int:
        """The present instant."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        """The present instant."""
        return _time.time_ns() // 1000


class ManualClock:
    """A clock that moves only when told to: for tests, and for replays that step from event to event."""

    def __init__(self, start_us: int = 0) -> None:
        self._now_us = start_us

    def now_us(self) -> int:
        """The present instant."""
        return self._now_us

    def advance_to(self, us: int) -> None:
        """Move forward to `us`; a clock never runs backwards, so an earlier instant is ignored."""
        self._now_us = max(self._now_us, us)

    def advance(self, by_us: int) -> None:
        """Move forward by `by_us` microseconds."""
        self.advance_to(self._now_us + by_us)


class ScaledClock:
    """A virtual clock that starts at `origin_us` and runs `speed` times as fast as the machine's (for
    replays).

    `started_ns` is the machine's monotonic clock at the origin; given to another process, both tell the same
    virtual time.
    """

    def __init__(self, origin_us: int, speed: float, started_ns: int | None = None) -> None:
        if not speed > 0:
            raise ConfigurationError(f"found speed {speed}, expected a number above 0 (600 means ten minutes a second)")
        self.origin_us = origin_us
        self.speed = speed
        self.started_ns = _time.monotonic_ns() if started_ns is None else started_ns

    def now_us(self) -> int:
        """The present virtual instant."""
        return self.origin_us + int((_time.monotonic_ns() - self.started_ns) / 1000 * self.speed)

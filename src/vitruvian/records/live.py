"""What holds of a message that has just been sent, and not of a file of the past: it cannot be about the future.

A value dated years ahead would stay the newest of its patient until then, and hide every true one behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from vitruvian.core.events import Entry, Event, Reading, Refusal
from vitruvian.core.limits import FUTURE_US_MAX, QUARANTINE_BYTES_MAX

__all__ = ["ahead", "timely"]

_PLANNED: Final = frozenset(("order",))  # an order for next week is no fault
_encode: Final = msgspec.json.Encoder().encode


def ahead(entry: Entry, latest_us: int) -> bool:
    """Whether the entry says that something was, or ended, after `latest_us`."""
    return any(event.kind not in _PLANNED and _last_us(event) > latest_us for event in entry.events)


def _last_us(event: Event) -> int:
    return event.occurred_us if event.ended_us is None else max(event.occurred_us, event.ended_us)


def timely(readings: Sequence[Reading], now_us: int) -> list[Reading]:
    """The readings of a live message; one that is over 24 h ahead of `now_us` is refused as `future`."""
    latest_us = now_us + FUTURE_US_MAX
    return [_refused(one) if any(ahead(entry, latest_us) for entry in one.entries) else one for one in readings]


def _refused(reading: Reading) -> Reading:
    first = reading.entries[0]
    raw = b"\n".join(_encode(entry) for entry in reading.entries)[:QUARANTINE_BYTES_MAX]
    detail = "found a time over 24 hours ahead, expected the past; set the sender's clock"
    refusal = Refusal("future", detail, first.source, first.source_id, raw)
    return Reading(reading.kind, refusal=refusal, refused_parts=reading.refused_parts, unmapped=reading.unmapped)

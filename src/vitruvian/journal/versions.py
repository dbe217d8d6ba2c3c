"""Which of several versions of one entry counts, and from when each was replaced. Pure.

Only the same content again is a duplicate. A source's number is not proof of that: HL7 numbers by the second, so that a
result and its correction can come with one number. Versions are ranked by number, issue time, status and content, in
this order, so that whatever came first, the same one counts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import msgspec

from vitruvian.core.events import Entry, Event

_DIGITS: Final = re.compile(r"(\d+)")
# A later word of the same source about the same fact outranks an earlier one where nothing else tells them apart.
_STATUS: Final = {"preliminary": 0, "final": 1, "corrected": 2, "cancelled": 3, "entered-in-error": 3}
_NEVER: Final = -(1 << 63)
_SKEW: Final = "clock-skew"

NaturalKey = tuple[tuple[int, int, str], ...]
Rank = tuple[NaturalKey, int, int, bytes]

_encode: Final = msgspec.msgpack.Encoder().encode


def natural(text: str) -> NaturalKey:
    """A sort key in which 9 comes before 10, and text after numbers."""
    return tuple((0, int(part), part) if part.isdecimal() else (1, 0, part) for part in _DIGITS.split(text) if part)


def content_digest(entry: Entry) -> bytes:
    """A digest of what an entry says: its version number left out, and so is the flag `clock-skew`.

    That flag tells how our clock stood when the entry came in, so that the same message sent again may differ in it.
    """
    events = entry.events
    if any(_SKEW in event.quality for event in events):
        events = tuple(_unskewed(event) for event in events)
    bare = msgspec.structs.replace(entry, source_version="", events=events)
    return hashlib.blake2b(_encode(bare), digest_size=16).digest()


def _unskewed(event: Event) -> Event:
    return msgspec.structs.replace(event, quality=tuple(flag for flag in event.quality if flag != _SKEW))


def rank(entry: Entry, version: str) -> Rank:
    """Versions of one entry in order: the source's numbering, then its issue time, its status, and content last.

    Content decides only where a source gives nothing else; then any order will do, as long as it is one.
    """
    issued = _NEVER if entry.available_us is None else entry.available_us
    return natural(version), issued, _STATUS[entry.status], content_digest(entry)


def until(known_us: Sequence[int]) -> list[int | None]:
    """For versions in rank order, when each was first outranked by one that was known; None for the last."""
    result: list[int | None] = []
    earliest: int | None = None
    for moment in reversed(known_us):
        result.append(earliest)
        earliest = moment if earliest is None else min(earliest, moment)
    return result[::-1]

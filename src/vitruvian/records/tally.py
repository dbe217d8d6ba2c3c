"""Counting what was taken, ignored and quarantined, so that nothing goes missing unsaid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from vitruvian.core.events import Reading

DISTINCT_MAX: Final = 10_000  # different codes or types listed; further ones are counted together
OTHERS: Final = "(others)"


@dataclass(slots=True)
class Tally:
    """Sums over readings. `read + ignored + quarantined` is the number of resources, messages or rows there were.

    `files` is kept by whoever opens them. `refused_parts` are pieces of read messages that were not taken, by reason;
    `unmapped` the codes that the vocabulary and the mapping do not hold.
    """

    files: int = 0
    files_unknown: int = 0
    read: int = 0
    entries: int = 0
    events: int = 0
    read_by_type: Counter[str] = field(default_factory=Counter)
    ignored_by_type: Counter[str] = field(default_factory=Counter)
    ignored_reasons: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    quarantined_by_type: Counter[str] = field(default_factory=Counter)
    refused_parts: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)

    @property
    def ignored(self) -> int:
        """Readings that were valid but have no home yet."""
        return self.ignored_by_type.total()

    @property
    def quarantined(self) -> int:
        """Readings that could not be taken."""
        return self.reasons.total()

    @property
    def total(self) -> int:
        """All readings."""
        return self.read + self.ignored + self.quarantined

    def add(self, reading: Reading) -> Reading:
        """Count one reading; it is returned, so that a loop can go on with it."""
        if reading.refusal is not None:
            _count(self.reasons, reading.refusal.reason)
            _count(self.quarantined_by_type, reading.kind)
        elif reading.ignored:
            _count(self.ignored_by_type, reading.kind)
            _count(self.ignored_reasons, f"{reading.kind}: {reading.ignored}")
        else:
            self.read += 1
            _count(self.read_by_type, reading.kind)
            self.entries += len(reading.entries)
            for entry in reading.entries:
                self.events += len(entry.events)
        for part in reading.refused_parts:
            _count(self.refused_parts, part.reason)
        for code in reading.unmapped:
            _count(self.unmapped, code)
        return reading

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: the three sums as numbers, and their break-down beside them."""
        return {
            "files": self.files,
            "files_unknown": self.files_unknown,
            "total": self.total,
            "read": self.read,
            "ignored": self.ignored,
            "quarantined": self.quarantined,
            "entries": self.entries,
            "events": self.events,
            "read_by_type": _sorted(self.read_by_type),
            "ignored_by_type": _sorted(self.ignored_by_type),
            "ignored_reasons": _sorted(self.ignored_reasons),
            "quarantined_by_type": _sorted(self.quarantined_by_type),
            "reasons": _sorted(self.reasons),
            "refused_parts": _sorted(self.refused_parts),
            "unmapped": _sorted(self.unmapped),
        }


def summarise(readings: Iterable[Reading]) -> Tally:
    """Count them all."""
    tally = Tally()
    for reading in readings:
        tally.add(reading)
    return tally


def _count(counter: Counter[str], key: str) -> None:
    counter[key if key in counter or len(counter) < DISTINCT_MAX else OTHERS] += 1


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))

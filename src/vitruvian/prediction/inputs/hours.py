"""Hourly means of the vital signs out of a tracker: what sequence models read.

The arterial line's pressure where it has the hour, else the cuff's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.signals.concepts import MONITORED
from vitruvian.signals.features import VITALS
from vitruvian.signals.kernels import HOUR_US, MEAN
from vitruvian.signals.tracker import Tracker

__all__ = ["CHANNELS", "CONTEXT_H", "hourly", "window"]

CHANNELS: Final = VITALS
CONTEXT_H: Final = 24  # hours a sequence model sees: the one that runs and the 23 closed before it
_SLOTS: Final = {name: slot for slot, name in enumerate(MONITORED)}
# For each channel the monitored slots it is made of; later ones win.
_SOURCES: Final = tuple(
    tuple(_SLOTS[name] for name in (channel, f"{channel}_arterial") if name in _SLOTS) for channel in CHANNELS
)


def window(tracker: Tracker, rows: NDArray[np.int64], now_us: int | NDArray[np.int64]) -> NDArray[np.float32]:
    """(n, CONTEXT_H, C) f4: hourly means of `rows` (n,) up to the hour that runs at `now_us`, NaN where none."""
    return _hours(tracker, rows, now_us, CONTEXT_H)


def hourly(
    tracker: Tracker, rows: NDArray[np.int64], now_us: int | NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Means of the hour before the one that runs at `now_us`, and of the one that runs: (n, C) f4 each."""
    two = _hours(tracker, rows, now_us, 2)
    return two[:, 0], two[:, 1]


def _hours(
    tracker: Tracker, rows: NDArray[np.int64], now_us: int | NDArray[np.int64], count: int
) -> NDArray[np.float32]:
    out = np.full((rows.size, count, len(CHANNELS)), np.nan, np.float32)
    hour = np.asarray(now_us, np.int64) // HOUR_US
    hour = np.broadcast_to(hour, rows.shape)[:, None]
    for channel, slots in enumerate(_SOURCES):
        for slot in slots:
            age = hour - tracker.hour[rows, slot].astype(np.int64)
            n, bucket = np.nonzero((age >= 0) & (age < count) & (tracker.hour_count[rows, slot] > 0))
            out[n, count - 1 - age[n, bucket], channel] = tracker.hour_stats[rows[n], slot, bucket, MEAN]
    return out

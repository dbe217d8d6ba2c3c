"""Hourly means of the vital signs out of a tracker: what sequence models read.

The arterial line's pressure where it has the hour, else the cuff's.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.signals.concepts import MONITORED
from vitruvian.signals.features import VITALS
from vitruvian.signals.kernels import HOUR_US, MEAN
from vitruvian.signals.tracker import Tracker

__all__ = ["CHANNELS", "CONTEXT_H", "hourly", "window"]

CHANNELS: Final = VITALS
CONTEXT_H: Final = 24  # hours a sequence model sees: the one that runs and the 23 closed before it
_SLOTS: Final = {name: slot for slot, name in enumerate(MONITORED)}
# For each channel the monitored slots it is made of, -1 = none; later ones win.
_FROM: Final = np.array(
    [[_SLOTS.get(name, -1) for name in (channel, f"{channel}_arterial")] for channel in CHANNELS], np.int64
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
    hour = np.broadcast_to(np.asarray(now_us, np.int64) // HOUR_US, rows.shape)
    fill_hours(
        np.ascontiguousarray(rows, np.int64), hour, _FROM, tracker.hour, tracker.hour_count, tracker.hour_stats, out
    )
    return out


@njit(cache=True)
def fill_hours(
    rows: NDArray[np.int64],
    hour: NDArray[np.int64],
    sources: NDArray[np.int64],
    hours: NDArray[np.int32],
    counts: NDArray[np.int32],
    stats: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill `out` (n, H, C) with hourly means up to `hour` (n,); `sources` (C, 2): slots, later ones win, -1 = none."""
    span, buckets = out.shape[1], hours.shape[2]
    for n in range(rows.size):
        row = rows[n]
        for back in range(span):
            wanted = hour[n] - back
            bucket = wanted % buckets
            for channel in range(out.shape[2]):
                for slot in sources[channel]:
                    if slot >= 0 and hours[row, slot, bucket] == wanted and counts[row, slot, bucket] > 0:
                        out[n, span - 1 - back, channel] = stats[row, slot, bucket, MEAN]

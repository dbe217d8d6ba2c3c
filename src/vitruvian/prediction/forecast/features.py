"""What the network sees of a patient: numbers made from a day of hourly values, and which of them is missing."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.core.errors import LimitError
from vitruvian.prediction.forecast.grid import CHANNELS, PAST_HOURS

__all__ = ["FEATURES", "features"]

# Per channel. All but the first and the three on spread and time are differences from the newest value.
_OF_CHANNEL: Final = (
    "last", "age", "share", "mean_3h", "mean_6h", "mean_12h", "mean_24h", "smoothed", "spread_24h", "step",
    "lowest", "highest", "back_1h", "back_2h", "back_3h", "back_4h", "back_6h", "slope_6h",
)  # fmt: skip
_OF_PATIENT: Final = ("age_years", "male", "known_hours", "line")
FEATURES: Final = (*(f"{channel}.{name}" for channel in CHANNELS for name in _OF_CHANNEL), *_OF_PATIENT)
_EACH: Final = len(_OF_CHANNEL)
_MEANS_H: Final = (3, 6, 12, 24)
_BACK_H: Final = (1, 2, 3, 4, 6)
_SMOOTH: Final = 0.3  # weight of the newest hour in the exponential mean
_SLOPE_H: Final = 6


@njit(cache=True)
def _channel(window: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """One channel's day (24,), newest last, into its 18 features; all NaN but age and share where nothing is known."""
    hours = window.size
    filled = np.empty(hours)  # the newest value known at each hour
    known, first, newest = 0, -1, -1
    running, total, square, low, high, step = np.nan, 0.0, 0.0, np.inf, -np.inf, 0.0
    previous = np.nan
    for i in range(hours):
        value = window[i]
        if not np.isnan(value):
            if known == 0:
                first, running = i, value
            else:
                step += abs(value - previous)
                running += _SMOOTH * (value - running)
            known, newest, previous = known + 1, i, value
            total, square = total + value, square + value * value
            low, high = min(low, value), max(high, value)
        filled[i] = previous
    out[:] = np.nan
    out[1], out[2] = (hours - 1 - newest) / hours if known else 1.0, known / hours
    if known == 0:
        return
    last = filled[hours - 1]
    out[0] = last
    for k, width in enumerate(_MEANS_H):
        part, count = 0.0, 0
        for i in range(hours - width, hours):
            if not np.isnan(window[i]):
                part, count = part + window[i], count + 1
        out[3 + k] = part / count - last if count else 0.0
    mean = total / known
    out[7] = running - last
    out[8] = np.sqrt(max(square / known - mean * mean, 0.0))
    out[9] = step / (known - 1) if known > 1 else np.nan
    out[10], out[11] = low - last, high - last
    for k, back in enumerate(_BACK_H):
        i = hours - 1 - back
        out[12 + k] = filled[i] - last if i >= first else np.nan
    centre, weight, moment, count = 0.0, 0.0, 0.0, 0
    for i in range(hours - _SLOPE_H, hours):
        if not np.isnan(window[i]):
            centre, weight, count = centre + i, weight + window[i], count + 1
    if count > 1:
        centre, weight, spread = centre / count, weight / count, 0.0
        for i in range(hours - _SLOPE_H, hours):
            if not np.isnan(window[i]):
                moment += (i - centre) * (window[i] - weight)
                spread += (i - centre) ** 2
        out[17] = moment / spread


@njit(cache=True)
def _table(history: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    for n in range(history.shape[0]):
        oldest = history.shape[2]
        for c in range(history.shape[1]):
            _channel(history[n, c], out[n, c * _EACH : (c + 1) * _EACH])
            for i in range(oldest):
                if not np.isnan(history[n, c, i]):
                    oldest = i
                    break
        out[n, history.shape[1] * _EACH + 2] = history.shape[2] - oldest


def features(
    history: NDArray[np.float32],
    age_years: NDArray[np.float64],
    male: NDArray[np.float64],
    line: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """The features (N, 166) by `FEATURES`, NaN where unknown, of N patients.

    `history` (N, 9, 24) as `windows` and `history_of` give it; `age_years`, `male` (N,), NaN where not stated; `line`
    (N,): the mean pressure of the newest hour is invasive. Raises LimitError where the shape is another.
    """
    if history.ndim != 3 or history.shape[1:] != (len(CHANNELS), PAST_HOURS):
        raise LimitError(
            f"found a history of shape {history.shape}, expected (patients, {len(CHANNELS)}, {PAST_HOURS});"
            " give hourly values by CHANNELS, the newest last"
        )
    out = np.empty((history.shape[0], len(FEATURES)), np.float32)
    _table(np.ascontiguousarray(history, np.float32), out)
    out[:, -4], out[:, -3], out[:, -1] = age_years, male, line
    return out

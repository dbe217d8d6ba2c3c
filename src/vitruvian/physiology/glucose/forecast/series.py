"""Readings of a sensor on a regular grid of 5 or 15 minutes, with gaps as NaN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError

__all__ = ["Series", "regular"]

Floats = NDArray[np.float64]

DISAGREE_MG_DL: Final = 5.0  # two readings of one moment that differ by more are both dropped
STUCK_MIN: Final = 120.0  # a sensor that says the same for this long is not measuring
PLAUSIBLE_MG_DL: Final = (20.0, 600.0)


@dataclass(frozen=True)
class Series:
    """Glucose (T,), mg/dL, NaN where none was read, every `step_min` from `start_min` on (minutes of local time, of
    which 0 is a midnight).
    """

    start_min: float
    step_min: float
    glucose: Floats

    def steps(self, minutes: float) -> int:
        """Grid steps in so many minutes."""
        return round(minutes / self.step_min)

    def ahead(self, minutes: float) -> Floats:
        """What is read `minutes` later (T,)."""
        k = self.steps(minutes)
        later = np.full(len(self.glucose), np.nan)
        later[: len(later) - k] = self.glucose[k:]
        return later


def regular(times_s: Floats, glucose_mg_dl: Floats) -> Series:
    """The grid of irregular readings; times are seconds of local time in any order. Raises ModelError."""
    times, values = np.asarray(times_s, np.float64), np.asarray(glucose_mg_dl, np.float64)
    if times.shape != values.shape or times.ndim != 1 or len(times) < 2 or not np.isfinite(times).all():
        raise ModelError(
            f"found times {times.shape} and glucose {values.shape}, expected two arrays of one length, 2 or more, "
            "and finite times"
        )
    low, high = PLAUSIBLE_MG_DL
    keep = (values >= low) & (values <= high)
    times, values = times[keep], values[keep]
    order = np.argsort(times, kind="stable")
    minutes, values = times[order] / 60.0, values[order]
    if len(values) < 2 or minutes[-1] == minutes[0]:
        raise ModelError(f"found {len(values)} readings between {low:g} and {high:g} mg/dL, expected at least 2")
    between = np.diff(minutes)
    step = 15.0 if np.median(between[between > 0.5]) > 10.0 else 5.0
    at = np.round((minutes - minutes[0]) / step).astype(np.int64)
    if at[-1] > 5_000_000:
        raise ModelError(f"found readings over {minutes[-1] - minutes[0]:g} min, expected one sensor's course")
    return Series(float(minutes[0]), step, _moving(_gathered(at, values), step))


def _gathered(at: NDArray[np.int64], values: Floats) -> Floats:
    """The mean of what was read in each cell, NaN where nothing was or where readings disagree."""
    size = int(at[-1]) + 1
    least, most = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(least, at, values)
    np.maximum.at(most, at, values)
    count = np.bincount(at, minlength=size)
    mean = np.bincount(at, values, size) / np.maximum(count, 1)
    with np.errstate(invalid="ignore"):
        return np.where((count > 0) & (most - least <= DISAGREE_MG_DL), mean, np.nan)


def _moving(glucose: Floats, step_min: float) -> Floats:
    """Without the stretches where the sensor was stuck."""
    change = np.flatnonzero(glucose[1:] != glucose[:-1]) + 1
    begins, ends = np.r_[0, change], np.r_[change, len(glucose)]
    for begin, end in zip(begins, ends, strict=True):
        if (end - begin) * step_min >= STUCK_MIN:
            glucose[begin:end] = np.nan
    return glucose

"""Irregular samples on a regular grid: the last value at each instant, whether there is one, its age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import LimitError
from vitruvian.core.time import SECOND_US


@dataclass(frozen=True, slots=True)
class Resampled:
    """(G,) each: `values` NaN where `known` is false (nothing yet, or too old); `age_s` NaN before the first."""

    values: NDArray[np.float64]
    known: NDArray[np.bool_]
    age_s: NDArray[np.float64]


def regular_grid(start_us: int, end_us: int, step_us: int) -> NDArray[np.int64]:
    """The multiples of `step_us` within [start, end]: anchored at the epoch, so that any two grids of a step agree."""
    if step_us <= 0 or end_us < start_us:
        raise LimitError(
            f"found step {step_us} us from {start_us} to {end_us}, expected a step above 0 and start <= end"
        )
    return np.arange(-(-start_us // step_us), end_us // step_us + 1, dtype=np.int64) * step_us


def resample(
    times_us: NDArray[np.int64],
    values: NDArray[np.float64],
    grid_us: NDArray[np.int64],
    valid_for_s: float = np.inf,
) -> Resampled:
    """The last sample at or before each grid instant, nothing later, carried forward for `valid_for_s` at most.

    `times_us` (N,) must not fall (of several at one instant the last counts), else LimitError. NaN samples say nothing
    and are passed over.
    """
    if times_us.shape != values.shape or np.any(np.diff(times_us) < 0):
        raise LimitError(
            "found times that fall or are of another number than the values, expected one rising time each"
        )
    told = ~np.isnan(values)
    times, kept = times_us[told], values[told]
    place = np.searchsorted(times, grid_us, side="right") - 1
    seen = place >= 0
    at = np.maximum(place, 0)
    if not kept.size:
        nothing = np.full(grid_us.shape, np.nan)
        return Resampled(nothing, np.zeros(grid_us.shape, np.bool_), nothing.copy())
    age_s = np.where(seen, (grid_us - times[at]) / SECOND_US, np.nan)
    with np.errstate(invalid="ignore"):
        known = seen & (age_s <= valid_for_s)
    return Resampled(np.where(known, kept[at], np.nan), known, age_s)

"""What the patient's own day leads one to expect: its mean, give or take its spread; the simplest watch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.patterns.scores import AHEAD_H, OWN_H, RECENT_H

__all__ = ["own_day", "own_spread"]

Columns = NDArray[np.float32]
_KNOWN_MIN: Final = 4  # hours measured before it, below which nothing is said
_FLOOR: Final = 0.25  # of the population's spread: a quiet day does not make every change strange


def own_day(hours: Columns, population: NDArray[np.floating], ahead_h: int) -> tuple[Columns, Columns]:
    """Mean and spread (n, RECENT_H, C) of the hours up to `ahead_h` before each of the last ones of windows.

    `population` (C,): standard deviation of each vital sign over all patients.
    """
    shape = (len(hours), RECENT_H, hours.shape[2])
    expected, scale = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    for place in range(RECENT_H):
        past = hours[:, : hours.shape[1] - RECENT_H + place + 1 - ahead_h]
        known = ~np.isnan(past)
        count = known.sum(axis=1)
        mean = np.where(known, past, np.float32(0)).sum(axis=1) / np.maximum(count, 1)
        apart = np.where(known, past - mean[:, None], 0.0)
        spread = np.sqrt((apart**2).sum(axis=1) / np.maximum(count - 1, 1))
        expected[:, place] = np.where(count >= _KNOWN_MIN, mean, np.nan)
        scale[:, place] = np.maximum(spread, _FLOOR * population)
    return expected, scale


def own_spread(population: NDArray[np.floating]) -> Callable[[Columns], tuple[Columns, Columns]]:
    """The own day in place of every expectation: (n, ROWS, RECENT_H, C) both, of windows."""

    def foretold(hours: Columns) -> tuple[Columns, Columns]:
        pairs = [own_day(hours, population, ahead) for ahead in (*AHEAD_H, OWN_H)]
        return np.stack([pair[0] for pair in pairs], 1), np.stack([pair[1] for pair in pairs], 1)

    return foretold

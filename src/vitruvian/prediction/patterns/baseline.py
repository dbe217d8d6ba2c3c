"""What a simpler watch would do: how far an hour lies from the patient's own last day, in their own spread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.patterns.scores import AHEAD_H, RECENT_H

__all__ = ["own_spread"]

Columns = NDArray[np.float32]
_KNOWN_MIN: Final = 4  # hours measured before it, below which nothing is said
_FLOOR: Final = 0.25  # of the population's spread: a quiet day does not make every change strange


def own_spread(population: NDArray[np.floating]) -> Callable[[Columns], tuple[Columns, Columns]]:
    """Expected values and scales (n, 2, RECENT_H, C) of windows, as mean and standard deviation of the hours up to 1
    and 6 before each. `population` (C,): standard deviation of each vital sign over all patients.
    """

    def foretold(hours: Columns) -> tuple[Columns, Columns]:
        shape = (len(hours), len(AHEAD_H), RECENT_H, hours.shape[2])
        expected, scale = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        for row, ahead in enumerate(AHEAD_H):
            for place in range(RECENT_H):
                past = hours[:, : hours.shape[1] - RECENT_H + place + 1 - ahead]
                known = ~np.isnan(past)
                count = known.sum(axis=1)
                mean = np.where(known, past, 0.0).sum(axis=1) / np.maximum(count, 1)
                apart = np.where(known, past - mean[:, None], 0.0)
                spread = np.sqrt((apart**2).sum(axis=1) / np.maximum(count - 1, 1))
                expected[:, row, place] = np.where(count >= _KNOWN_MIN, mean, np.nan)
                scale[:, row, place] = np.maximum(spread, _FLOOR * population)
        return expected, scale

    return foretold

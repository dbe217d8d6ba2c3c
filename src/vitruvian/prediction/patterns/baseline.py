"""What a simpler watch would do: how far an hour lies from the patient's own last day, in their own spread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.patterns.scores import RECENT_H

__all__ = ["own_spread"]

Columns = NDArray[np.float32]
_KNOWN_MIN: Final = 4  # hours measured before it, below which nothing is said
_FLOOR: Final = 0.25  # of the population's spread: a quiet day does not make every change strange


def own_spread(population: NDArray[np.floating]) -> Callable[[Columns], tuple[Columns, Columns]]:
    """Expected values and scales (n, RECENT_H, C) of windows, as mean and standard deviation of the hours before each.

    `population` (C,): standard deviation of each vital sign over all patients.
    """

    def foretold(hours: Columns) -> tuple[Columns, Columns]:
        shape = (len(hours), RECENT_H, hours.shape[2])
        expected, scale = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        for place in range(RECENT_H):
            past = hours[:, : hours.shape[1] - RECENT_H + place]
            known = ~np.isnan(past)
            count = known.sum(axis=1)
            enough = count >= _KNOWN_MIN
            mean = np.where(known, past, 0.0).sum(axis=1) / np.maximum(count, 1)
            apart = np.where(known, past - mean[:, None], 0.0)
            spread = np.sqrt((apart**2).sum(axis=1) / np.maximum(count - 1, 1))
            expected[:, place] = np.where(enough, mean, np.nan)
            scale[:, place] = np.maximum(spread, _FLOOR * population)
        return expected, scale

    return foretold

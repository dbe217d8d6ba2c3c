"""An adaptive window over a stream of numbers from 0 to 1: it grows while the mean stays, and forgets the past when it
moved (ADWIN: Bifet and Gavaldà, SIAM Data Mining 2007, 443-448).

For risks or alarms hour by hour, or the error of predictions whose outcome has come: a cut is a change that chance
makes with probability `delta` at most. State in, state out; memory grows with the logarithm of the window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vitruvian.core.errors import LimitError

__all__ = ["DELTA", "Window", "step"]

DELTA: Final = 0.002
BUCKETS_A_SIZE: Final = 5  # more of one size are merged in pairs
SIDE_MIN: Final = 30  # fewer numbers on a side tell no mean


@dataclass(frozen=True, slots=True)
class Window:
    """Buckets, the newest last: count, sum and sum of squares of each. `cuts`: how often the past was forgotten."""

    buckets: tuple[tuple[int, float, float], ...] = ()
    cuts: int = 0

    @property
    def count(self) -> int:
        """How many numbers the window holds."""
        return sum(one[0] for one in self.buckets)

    @property
    def mean(self) -> float:
        """Their mean; NaN where there is none."""
        return sum(one[1] for one in self.buckets) / self.count if self.buckets else float("nan")


def step(window: Window, value: float, delta: float = DELTA) -> tuple[Window, bool]:
    """Take one number; whether the mean has moved since. Raises LimitError for one that is not from 0 to 1."""
    if not 0.0 <= value <= 1.0:
        raise LimitError(f"found {value} in a window of drift, expected a number from 0 to 1; scale it first")
    buckets = _merged([*window.buckets, (1, value, value * value)])
    moved = False
    while (oldest := _cut(buckets, delta)) > 0:
        buckets, moved = buckets[oldest:], True
    return Window(tuple(buckets), window.cuts + moved), moved


def _merged(buckets: list[tuple[int, float, float]]) -> list[tuple[int, float, float]]:
    """The two oldest buckets of a size become one, where there are too many of it."""
    size = 1
    while True:
        mine = [place for place, one in enumerate(buckets) if one[0] == size]
        if len(mine) <= BUCKETS_A_SIZE:
            return buckets
        first, second = mine[0], mine[1]
        joined = tuple(a + b for a, b in zip(buckets[first], buckets[second], strict=True))
        buckets = [*buckets[:first], (int(joined[0]), joined[1], joined[2]), *buckets[second + 1 :]]
        size *= 2


def _cut(buckets: list[tuple[int, float, float]], delta: float) -> int:
    """How many of the oldest buckets differ in mean from the rest beyond chance; 0 = none do."""
    table = np.array(buckets, np.float64)
    count, total, squares = (column.sum() for column in table.T)
    if count < 2 * SIDE_MIN:
        return 0
    old, old_sum = np.cumsum(table[:-1, 0]), np.cumsum(table[:-1, 1])
    new, new_sum = count - old, total - old_sum
    variance = max(squares / count - (total / count) ** 2, 0.0)
    harmonic = 1 / (1 / old + 1 / new)
    chance = np.log(2 * np.log(max(count, 2)) / delta)
    bound = np.sqrt(2 / harmonic * variance * chance) + 2 / (3 * harmonic) * chance
    differs = (np.abs(old_sum / old - new_sum / new) > bound) & (old >= SIDE_MIN) & (new >= SIDE_MIN)
    return int(np.flatnonzero(differs)[0]) + 1 if differs.any() else 0

"""The deletion test: does taking away what an attribution names lower the log-odds more than taking away at random?

Samek et al., IEEE Trans Neural Netw Learn Syst 2017;28:2660. Inputs are taken away by setting them to their training
median, first those that raise the risk most; beside it, in a random order of the same patient's known inputs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Deletion", "deletion"]

Columns = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Deletion:
    """Of n rows: how far the log-odds fall after 0, 1, ... K inputs are gone, (n, K + 1), in the named order and in a
    random one.
    """

    named: Floats
    random: Floats

    @property
    def areas(self) -> Floats:
        """The mean fall over 1 to K inputs gone, (n, 2): named, random."""
        return np.column_stack([self.named[:, 1:].mean(axis=1), self.random[:, 1:].mean(axis=1)])


def deletion(
    logit: Callable[[Columns], Floats],
    values: Columns,
    contributions: Floats,
    medians: Columns,
    most: int,
    *,
    seed: int = 0,
) -> Deletion:
    """Delete up to `most` inputs of rows (n, F). `contributions` (n, F) order them, the most raising first; `medians`
    (F,) replace them, NaN = cannot be replaced. Inputs that are missing are not there to be deleted.
    """
    there = ~np.isnan(values) & ~np.isnan(medians)
    by_name = np.argsort(np.where(there, -contributions, np.inf), axis=1, kind="stable")
    chance = np.random.default_rng(seed).random(values.shape)
    by_chance = np.argsort(np.where(there, chance, np.inf), axis=1, kind="stable")
    count = there.sum(axis=1)
    return Deletion(*(_falls(logit, values, medians, order, count, most) for order in (by_name, by_chance)))


def _falls(
    logit: Callable[[Columns], Floats],
    values: Columns,
    medians: Columns,
    order: NDArray[np.int64],
    count: NDArray[np.int64],
    most: int,
) -> Floats:
    left, rows = values.copy(), np.arange(len(values))
    start = logit(left)
    falls = np.zeros((len(values), most + 1))
    for gone in range(min(most, values.shape[1])):
        place = order[:, gone]
        left[rows, place] = np.where(gone < count, medians[place], left[rows, place])
        falls[:, gone + 1] = start - logit(left)
    falls[:, values.shape[1] + 1 :] = falls[:, values.shape[1] : values.shape[1] + 1]
    return falls

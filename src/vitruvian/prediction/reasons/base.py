"""Attributions: numbers that say how a model's log-odds come about, input by input, and add up to them.

They say what moved this model (its sensitivity), not what caused an illness and not what a treatment would do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.vocabulary import VOCABULARY

__all__ = ["HOURLY", "MISSING", "Attributions", "subject", "together"]

Floats = NDArray[np.float64]
HOURLY: Final = "hourly:"  # before a vital sign: what its last day, hour by hour, contributes
MISSING: Final = "(missing)"  # what the gaps contribute, where a model's path cannot tell them apart


@dataclass(frozen=True, slots=True)
class Attributions:
    """Of n rows. `contributions` (n, F) f8 by `names`, in log-odds; `base` (n,): the log-odds they start from;
    `residual` (n,): what the method left unexplained, so that base + sum + residual = `logit` (n,) exactly.
    """

    names: tuple[str, ...]
    contributions: Floats
    base: Floats
    residual: Floats

    @property
    def logit(self) -> Floats:
        """The log-odds that are explained, (n,)."""
        total: Floats = self.base + self.contributions.sum(axis=1) + self.residual
        return total

    def by_subject(self) -> Attributions:
        """The same for people: a vital sign or result with all its windows, ages and changes as one."""
        subjects = tuple(dict.fromkeys(subject(name) for name in self.names))
        place = {name: number for number, name in enumerate(subjects)}
        summed = np.zeros((len(self.base), len(subjects)))
        for column, name in enumerate(self.names):
            summed[:, place[subject(name)]] += self.contributions[:, column]
        return Attributions(subjects, summed, self.base, self.residual)

    def top(self, row: int, count: int) -> list[tuple[str, float]]:
        """The largest contributions of a row, largest first, by size; zeros are left out."""
        order = np.argsort(-np.abs(self.contributions[row]), kind="stable")[:count]
        found = [(self.names[place], float(self.contributions[row, place])) for place in order]
        return [(name, value) for name, value in found if value]


@lru_cache(maxsize=4096)
def subject(name: str) -> str:
    """What a column is about: the concept that its name begins with ("lactate_change" -> "lactate"), else itself."""
    plain = name.removeprefix(HOURLY)
    parts = plain.split("_")
    for length in range(len(parts), 0, -1):
        candidate = "_".join(parts[:length])
        if candidate in VOCABULARY:
            return candidate.removesuffix("_arterial") if candidate.endswith("pressure_arterial") else candidate
    return plain


def together(parts: Sequence[Attributions], weights: Sequence[float], intercept: float) -> Attributions:
    """Attributions of a weighted sum of log-odds: each adds up, so their weighted sum does."""
    names = tuple(dict.fromkeys(name for part in parts for name in part.names))
    place = {name: number for number, name in enumerate(names)}
    rows = len(parts[0].base)
    summed, base, residual = np.zeros((rows, len(names))), np.full(rows, intercept), np.zeros(rows)
    for part, weight in zip(parts, weights, strict=True):
        summed[:, [place[name] for name in part.names]] += weight * part.contributions
        base += weight * part.base
        residual += weight * part.residual
    return Attributions(names, summed, base, residual)

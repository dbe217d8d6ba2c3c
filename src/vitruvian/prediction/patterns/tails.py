"""How rare a score is: conformal tail probabilities in which every calibration patient counts the same.

A score's p is the weighted share of calibration hours with a score as large (ties count as larger), plus the weight of
the patient asked about; so for a new patient of the same population, at an hour drawn at random, p <= a happens with
probability at most a (Vovk et al. 2005; weights: Dunn, Wasserman and Ramdas 2023, J Am Stat Assoc 118:2491-2502).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["GRID", "as_json", "from_json", "tail_of", "tails"]

# Tail probabilities at which the limits are kept, falling; 0.05 makes the 95 % band.
GRID: Final[NDArray[np.float64]] = np.sort(np.append(np.round(np.geomspace(1.0, 2e-5, 60), 7), 0.05))[::-1]


def tails(score: NDArray[np.float32], patient: NDArray[np.int64]) -> NDArray[np.float64]:
    """The least score with at most each probability of `GRID`, (G,), from calibration hours (n,), NaN = none.

    Infinite where so rare a score cannot be told from this many patients, or none has one: it is never flagged then.
    """
    known = ~np.isnan(score)
    if not known.any():
        return np.full(GRID.size, np.inf)
    value, who = score[known].astype(np.float64), np.unique(patient[known], return_inverse=True)[1]
    weight = 1.0 / np.bincount(who)[who]
    order = np.argsort(-value, kind="stable")
    ranked = value[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)  # ties go together
    patients = int(who.max()) + 1
    share = (np.cumsum(weight[order])[ends] + 1.0) / (patients + 1.0)
    # The least value whose p is within each probability; none is, where even the largest is not rare enough.
    place = np.searchsorted(share, GRID, side="right") - 1
    limit: NDArray[np.float64] = np.where(place >= 0, ranked[ends[np.maximum(place, 0)]], np.inf)
    return limit


def tail_of(score: NDArray[np.float32], limits: NDArray[np.float64]) -> NDArray[np.float64]:
    """p of scores (...,): the probability of the grid that they reach, rounded up; NaN where there is no score."""
    place = np.searchsorted(limits, score, side="right") - 1  # limits rise as probabilities fall
    p: NDArray[np.float64] = np.where(np.isnan(score), np.nan, GRID[np.clip(place, 0, GRID.size - 1)])
    return p


def as_json(limits: NDArray[np.float64]) -> list[Any]:
    """Limits with None for infinite."""
    return [float(f"{limit:.6g}") if np.isfinite(limit) else None for limit in limits]


def from_json(limits: list[Any]) -> NDArray[np.float64]:
    """The same back."""
    return np.array([np.inf if limit is None else limit for limit in limits], np.float64)

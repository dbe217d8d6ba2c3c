"""The continuous ranked probability score of forecasts given as members, and intervals over patients.

CRPS(F, y) = E|X - y| - E|X - X'| / 2, X and X' drawn from F (Gneiting and Raftery 2007, J Am Stat Assoc 102:359-378,
equation 21); in the unit of what is forecast, 0 is perfect. F here is the discrete distribution of equally likely
members, for which the score is exact.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

__all__ = ["crps", "crps_dressed", "paired_interval"]


@njit(cache=True)
def _score(members: NDArray[np.float64], observed: float) -> float:
    """CRPS of sorted members (m,)."""
    m = members.size
    total = 0.0
    for i in range(m):
        total += abs(members[i] - observed) - (2 * i + 1 - m) * members[i] / m
    return total / m


@njit(cache=True, parallel=True)
def crps(members: NDArray[np.float64], observed: NDArray[np.float64]) -> NDArray[np.float64]:
    """The score of N forecasts of m members each, sorted along the last axis (N, m), for what was observed (N,)."""
    out = np.empty(observed.size)
    for n in prange(observed.size):
        out[n] = _score(members[n].astype(np.float64), observed[n])
    return out


@njit(cache=True, parallel=True)
def crps_dressed(
    points: NDArray[np.float64],
    residuals: NDArray[np.float64],
    low: float,
    high: float,
    observed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The score (N,) of points (N,) dressed with residuals (m,), sorted, and cut to what is possible (low, high)."""
    out = np.empty(observed.size)
    for n in prange(observed.size):
        members = np.minimum(np.maximum(points[n] + residuals, low), high)
        out[n] = _score(members, observed[n])
    return out


def paired_interval(
    difference: NDArray[np.float64],
    patient: NDArray[np.int64],
    *,
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float, float]:
    """The mean of N paired differences and its 95 % interval over patients: (mean, low, high).

    Patients are drawn with replacement and bring all their forecasts (percentile bootstrap of the ratio of sums), so
    that many hours of one patient do not count as many patients. NaN throughout where there is nothing.
    """
    if not difference.size:
        return float("nan"), float("nan"), float("nan")
    _, dense = np.unique(patient, return_inverse=True)
    total = np.bincount(dense, difference)
    count = np.bincount(dense).astype(np.float64)
    generator = np.random.default_rng(seed)
    means = np.empty(draws)
    chance = np.full(total.size, 1.0 / total.size)
    for draw in range(draws):
        weight = generator.multinomial(total.size, chance)
        means[draw] = weight @ total / (weight @ count)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(total.sum() / count.sum()), float(low), float(high)

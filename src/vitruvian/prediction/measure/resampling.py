"""Intervals over patients: whole patients are drawn, since the hours of one are no independent evidence.

A draw is how often each patient was taken; a figure of sums needs each patient's sums alone, never the rows again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DRAWS", "SEED", "interval", "limits", "patient_draws", "patient_sums", "weighted_median"]

DRAWS: Final = 200
SEED: Final = 20_190_219
LEVELS: Final = (0.025, 0.975)


def patient_draws(patients: int, count: int = DRAWS, seed: int = SEED) -> NDArray[np.int64]:
    """How often each patient is drawn in each of `count` bootstrap samples of all of them: (count, patients)."""
    random = np.random.default_rng(seed)
    return np.stack([np.bincount(random.integers(0, patients, patients), minlength=patients) for _ in range(count)])


def patient_sums(patient: NDArray[np.int64], patients: int, *columns: NDArray[Any]) -> NDArray[np.float64]:
    """Sums of columns (N,) over each patient's rows: (patients, K). `draws @ sums` are the sums of every draw."""
    return np.column_stack([np.bincount(patient, column, patients) for column in columns])


def limits(drawn: NDArray[np.floating]) -> list[float]:
    """The 95 % percentile interval of what the draws (D,) gave, those left out that gave nothing; NaN if none did."""
    known = drawn[~np.isnan(drawn)]
    if not known.size:
        return [float("nan"), float("nan")]
    low, high = np.quantile(known, LEVELS)
    return [float(low), float(high)]


def interval(
    figure: Callable[[NDArray[np.float64]], float], patient: NDArray[np.int64], draws: NDArray[np.int64]
) -> tuple[float, float]:
    """The 95 % percentile interval of a figure of row weights, made anew for every draw. Slow; for a figure that is
    neither a sum (`patient_sums`) nor a rank (`ranking.Ranking.drawn`).
    """
    low, high = limits(np.array([figure(draw[patient].astype(np.float64)) for draw in draws]))
    return low, high


def weighted_median(values: NDArray[np.float64], weights: NDArray[np.int64]) -> NDArray[np.float64]:
    """The median of values (K,) that are taken `weights` (D, K) times: (D,), NaN where none is taken."""
    out = np.full(weights.shape[0], np.nan)
    if not values.size:
        return out
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[:, order], axis=1)
    total = reached[:, -1]
    # An even number of values has two middle ones; the median is their mean.
    lower = np.argmax(reached >= ((total + 1) // 2)[:, None], axis=1)
    upper = np.argmax(reached >= (total // 2 + 1)[:, None], axis=1)
    some = total > 0
    out[some] = ((values[order][lower] + values[order][upper]) / 2)[some]
    return out

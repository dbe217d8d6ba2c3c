"""Platt's two numbers: a straight line on the log-odds that makes a risk match what came."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["TINY", "fit_platt", "logit_of", "sigmoid"]

_HALVINGS_MAX: Final = 40
TINY: Final = 1e-7  # a probability closer than this to 0 or 1 counts as this close


def fit_platt(
    logit: NDArray[np.float64], label: NDArray[np.float64], weight: NDArray[np.float64] | None = None
) -> tuple[float, float]:
    """Slope and intercept that make `sigmoid(slope x logit + intercept)` match labels (Platt 1999).

    `label` (N,) is 0 or 1, `weight` (N,) how much a row counts (all alike by default).
    """
    slope, intercept = 1.0, 0.0
    w = np.ones_like(logit) if weight is None else weight
    rows = np.column_stack([logit, np.ones_like(logit)])
    for _ in range(50):
        probability = sigmoid(slope * logit + intercept)
        pull = rows.T @ (w * (label - probability))
        information = (rows * (w * probability * (1 - probability))[:, None]).T @ rows
        move = np.linalg.solve(information + 1e-9 * np.eye(2), pull)
        # Scores that are far too sure leave hardly any information at the start: a whole step would never come back.
        before = _loss(slope * logit + intercept, label, w)
        for _ in range(_HALVINGS_MAX):
            if _loss((slope + move[0]) * logit + intercept + move[1], label, w) <= before + 1e-12 * abs(before):
                break
            move = move / 2
        slope, intercept = slope + float(move[0]), intercept + float(move[1])
        if float(np.abs(move).max()) < 1e-10:
            break
    return slope, intercept


def _loss(eta: NDArray[np.float64], label: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """The weighted log loss of log-odds, summed."""
    return float((weight * (np.logaddexp(0, eta) - label * eta)).sum())


def sigmoid(eta: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability of log-odds; never overflows."""
    positive = np.exp(-np.abs(eta))
    return np.where(eta >= 0, 1.0, positive) / (1.0 + positive)


def logit_of(probability: NDArray[np.floating]) -> NDArray[np.float64]:
    """The log-odds of a probability, kept finite by `TINY`."""
    clipped = np.clip(probability.astype(np.float64), TINY, 1 - TINY)
    return np.asarray(np.log(clipped / (1 - clipped)), np.float64)

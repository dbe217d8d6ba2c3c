"""How good a risk is: ranking, calibration, and intervals over patients. Evaluating needs no extra.

Every ranking figure takes weights, which is how a bootstrap draw of patients is expressed: a row counts as often as
its patient was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.sepsis.logistic import fit_platt

Floats = NDArray[np.float64]
ECE_BINS: Final = 10
_TINY: Final = 1e-7


class Ranking:
    """Rows ranked by score once, so that many weightings of them (bootstrap draws) are cheap."""

    def __init__(self, score: NDArray[np.floating], label: NDArray[np.int8]) -> None:
        if not np.isfinite(score).all():
            raise ModelError(
                "found scores that are not numbers, expected one for each hour; fill or leave out these rows"
            )
        self.order = np.argsort(-score, kind="stable")
        ranked = score[self.order]
        self.ends = np.append(np.flatnonzero(np.diff(ranked)), ranked.size - 1)  # last row of each tie
        self.positive = (label[self.order] > 0).astype(np.float64)

    def _curves(self, weight: Floats | None) -> tuple[Floats, Floats]:
        w = np.ones(self.order.size) if weight is None else weight[self.order]
        hits = np.cumsum(w * self.positive)[self.ends]
        taken = np.cumsum(w)[self.ends]
        return hits, taken - hits

    def auroc(self, weight: Floats | None = None) -> float:
        """Area under the receiver operating characteristic, ties counted half; NaN where one class is absent."""
        hits, false = self._curves(weight)
        if not (hits[-1] > 0 and false[-1] > 0):
            return float("nan")
        return float(np.trapezoid(np.append(0.0, hits), np.append(0.0, false)) / (hits[-1] * false[-1]))

    def auprc(self, weight: Floats | None = None) -> float:
        """Average precision: precision at each threshold, weighted by the gain in recall."""
        hits, false = self._curves(weight)
        if not hits[-1] > 0:
            return float("nan")
        taken = hits + false
        precision = np.divide(hits, taken, out=np.zeros_like(hits), where=taken > 0)
        return float((np.diff(hits, prepend=0.0) * precision).sum() / hits[-1])


def brier(probability: Floats, label: NDArray[np.int8]) -> float:
    """Mean squared distance of probability and outcome."""
    return float(np.mean((probability - label) ** 2))


def brier_skill(probability: Floats, label: NDArray[np.int8]) -> float:
    """1 - Brier / Brier of always saying the prevalence; 0 is no better than that, 1 is perfect."""
    share = float(label.mean())
    return 1.0 - brier(probability, label) / (share * (1 - share))


def calibration_line(probability: Floats, label: NDArray[np.int8]) -> tuple[float, float]:
    """Calibration slope, and calibration-in-the-large: the intercept with the slope held at 1 (ideal 1 and 0)."""
    clipped = np.clip(probability, _TINY, 1 - _TINY)
    logit = np.log(clipped / (1 - clipped))
    slope, _ = fit_platt(logit, label.astype(np.float64))
    shift = 0.0
    for _ in range(50):
        shifted = 1 / (1 + np.exp(-(logit + shift)))
        move = float((label - shifted).sum() / (shifted * (1 - shifted)).sum())
        shift += move
        if abs(move) < 1e-10:
            break
    return slope, shift


def adaptive_ece(probability: Floats, label: NDArray[np.int8]) -> float:
    """Expected calibration error over bins that hold equally many rows."""
    order = np.argsort(probability, kind="stable")
    gaps = [
        (part.size, abs(float(probability[part].mean()) - float(label[part].mean())))
        for part in np.array_split(order, ECE_BINS)
        if part.size
    ]
    return sum(size * gap for size, gap in gaps) / probability.size


def patient_draws(patients: int, count: int, seed: int) -> NDArray[np.int64]:
    """How often each patient is drawn in each of `count` bootstrap samples of all of them: (count, patients)."""
    random = np.random.default_rng(seed)
    return np.stack([np.bincount(random.integers(0, patients, patients), minlength=patients) for _ in range(count)])


def interval(
    figure: Callable[[Floats], float], patient: NDArray[np.int64], draws: NDArray[np.int64]
) -> tuple[float, float]:
    """The 95 % percentile interval of a figure of row weights over bootstrap draws of patients."""
    drawn = [figure(draw[patient].astype(np.float64)) for draw in draws]
    low, high = np.nanquantile(drawn, (0.025, 0.975))
    return float(low), float(high)

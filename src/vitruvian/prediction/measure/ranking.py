"""How well a score ranks: areas under the ROC and precision-recall curves, their draws, and the curves themselves."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError

__all__ = ["Ranking"]

Floats = NDArray[np.float64]
CURVE_POINTS: Final = 160  # of a curve in a report: more would not be seen


class Ranking:
    """Rows ranked by score once, so that many weightings of them (bootstrap draws) are cheap.

    `score` (N,) finite, `label` (N,) positive where above 0. Raises ModelError for a score that is not a number.
    """

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

    def drawn(self, patient: NDArray[np.int64], draws: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """`auroc` and `auprc` of every draw of patients, (D,) each, in one pass; `patient` (N,) as the scores."""
        last = np.zeros(self.order.size, np.bool_)
        last[self.ends] = True
        times = np.ascontiguousarray(draws.T, np.float64)
        return _areas(patient[self.order], self.positive > 0, last, times)

    def roc(self) -> tuple[Floats, Floats]:
        """False-positive rate and sensitivity, thinned for drawing; from (0, 0) to (1, 1)."""
        hits, false = self._curves(None)
        x, y = np.append(0.0, false) / false[-1], np.append(0.0, hits) / hits[-1]
        # Even steps along the curve's length, so that its steep start keeps as many points as its flat end.
        kept = _thinned(np.append(0.0, np.cumsum(np.diff(x) + np.diff(y))))
        return x[kept], y[kept]

    def precision_recall(self) -> tuple[Floats, Floats]:
        """Recall and precision at each threshold, thinned for drawing."""
        hits, false = self._curves(None)
        recall, precision = hits / hits[-1], hits / (hits + false)
        kept = _thinned(np.log(hits + false))
        return recall[kept], precision[kept]


def _thinned(along: Floats) -> NDArray[np.int64]:
    """Places of some `CURVE_POINTS` of the points that lie at rising positions `along`, both ends among them."""
    wanted = np.linspace(along[0], along[-1], CURVE_POINTS)
    return np.unique(np.append(np.searchsorted(along, wanted).clip(0, along.size - 1), [0, along.size - 1]))


@njit(cache=True)
def _areas(
    patient: NDArray[np.int64], positive: NDArray[np.bool_], last: NDArray[np.bool_], times: Floats
) -> tuple[Floats, Floats]:
    """Areas of every draw from rows in falling order of score; `times` (P, D) says how often a patient was drawn."""
    count = times.shape[1]
    hits, false, hits_before, false_before = np.zeros(count), np.zeros(count), np.zeros(count), np.zeros(count)
    area, precision = np.zeros(count), np.zeros(count)
    for i in range(patient.size):
        row = times[patient[i]]
        if positive[i]:
            hits += row
        else:
            false += row
        if last[i]:
            for d in range(count):
                gained = hits[d] - hits_before[d]
                area[d] += (false[d] - false_before[d]) * (hits[d] + hits_before[d]) * 0.5
                if gained > 0:
                    precision[d] += gained * hits[d] / (hits[d] + false[d])
                hits_before[d] = hits[d]
                false_before[d] = false[d]
    for d in range(count):
        area[d] = area[d] / (hits[d] * false[d]) if hits[d] > 0 and false[d] > 0 else np.nan
        precision[d] = precision[d] / hits[d] if hits[d] > 0 else np.nan
    return area, precision

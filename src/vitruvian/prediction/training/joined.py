"""Members joined to a variant: each calibrated, averaged on the logit, calibrated again, with interval and threshold.

Everything here is fitted on calibration patients, who fitted and chose nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.measure.platt import fit_platt, sigmoid

__all__ = ["Line", "Variant", "calibrated", "join"]

Floats = NDArray[np.float64]
DRAWS: Final = 60
DRAWN_ROWS: Final = 100_000  # hours of one patient are alike: fewer of them tell the spread over patients as well
_LIMIT: Final = 12.0  # logits beyond it say no more; it keeps a separable part from running away


@dataclass(frozen=True, slots=True)
class Line:
    """Platt's line on the logit."""

    slope: float
    intercept: float

    def of(self, logit: Floats) -> Floats:
        """The calibrated logit."""
        return self.slope * logit + self.intercept


@dataclass(frozen=True, slots=True)
class Variant:
    """A weighted average of calibrated members with its own line, and what widens its interval: `floor`, the standard
    error of the calibrated logit from which patients calibrated it.
    """

    weights: dict[str, float]
    lines: dict[str, Line]
    line: Line
    floor: float

    def logit(self, members: Mapping[str, Floats]) -> Floats:
        """The calibrated logit of rows, from the members' own."""
        average = sum(weight * self.lines[name].of(members[name]) for name, weight in self.weights.items())
        return self.line.of(np.asarray(average))

    def probability(self, members: Mapping[str, Floats]) -> Floats:
        """The calibrated probability."""
        return sigmoid(self.logit(members))

    def as_json(self) -> dict[str, Any]:
        """The part of `bundle.json` that is known here."""
        return {
            "members": {name: round(weight, 6) for name, weight in self.weights.items()},
            "slope": self.line.slope,
            "intercept": self.line.intercept,
            "interval": {"spread": 1.0, "floor": self.floor},
        }


def calibrated(logit: Floats, label: NDArray[np.int8]) -> Line:
    """Platt's line of these rows."""
    return Line(*fit_platt(np.clip(logit, -_LIMIT, _LIMIT), label.astype(np.float64)))


def join(
    weights: Mapping[str, float],
    members: Mapping[str, Floats],
    label: NDArray[np.int8],
    patient: NDArray[np.int64],
    lines: Mapping[str, Line],
    seed: int,
) -> Variant:
    """Join members with fixed weights on calibration rows: `members` (n,) logits each, `label`, `patient` (n,)."""
    total = sum(weights.values())
    shares = {name: weight / total for name, weight in weights.items()}
    mine = {name: lines[name] for name in shares}
    start = Variant(shares, mine, Line(1.0, 0.0), 0.0)
    average = start.logit(members)
    line = calibrated(average, label)
    return Variant(shares, mine, line, _standard_error(average, label, patient, line, seed))


def _standard_error(
    average: Floats, label: NDArray[np.int8], patient: NDArray[np.int64], line: Line, seed: int
) -> float:
    """How far the calibrated logit moves, on average over rows, when other patients calibrate it (bootstrap)."""
    few = slice(None, None, max(1, average.size // DRAWN_ROWS))
    average, label, patient = average[few], label[few], patient[few]
    random = np.random.default_rng(seed)
    names, dense = np.unique(patient, return_inverse=True)
    moved = np.empty((DRAWS, 2))
    for draw in range(DRAWS):
        often = np.bincount(random.integers(0, names.size, names.size), minlength=names.size)[dense]
        rows = np.repeat(np.arange(average.size), often)
        if label[rows].min() == label[rows].max():
            moved[draw] = line.slope, line.intercept
            continue
        one = calibrated(average[rows], label[rows])
        moved[draw] = one.slope, one.intercept
    spread = np.cov(moved.T)
    at = np.column_stack([average, np.ones_like(average)])
    return float(np.sqrt(np.einsum("ni,ij,nj->n", at, spread, at)).mean())

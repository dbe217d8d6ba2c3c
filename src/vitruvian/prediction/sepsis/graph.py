"""The fitted model as an ONNX graph: features as measured, NaN and all, to probability, interval and contributions.

Imputation, clipping, hinges, missing indicators, coefficients, bootstrap replicas and calibration are all inside, so
that what serves cannot drift apart from what was trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.families.rows.basis import TERMS, Basis
from vitruvian.prediction.families.rows.graph import Node, Outputs, model_bytes
from vitruvian.prediction.families.rows.logistic import (
    TERM_OUTPUTS,
    contribution_constants,
    contribution_steps,
    term_scale,
    terms_at_median,
)
from vitruvian.prediction.families.rows.ridge import Logistic, sigmoid

INTERVAL_Z: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Fitted:
    """A trained model: its basis, coefficients, bootstrap replicas (R, K + 1), and Platt's slope and intercept."""

    basis: Basis
    logistic: Logistic
    replicas: NDArray[np.float64]
    slope: float
    intercept: float

    def probability(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """The calibrated probability of features (N, F), in double precision; what the graph is compared with."""
        design = self.basis.expand(values).astype(np.float64)
        logit: NDArray[np.float64] = (
            self.slope * (design @ self.logistic.coefficients + self.logistic.intercept) + self.intercept
        )
        return sigmoid(logit)


def to_onnx(fitted: Fitted) -> bytes:
    """The serialised graph. Input `features` (N, F) f4; outputs `probability`, `low`, `high` (N,) and `contributions`
    (N, F), the calibrated log-odds that each feature adds to those of a patient at the training medians.
    """
    count = len(fitted.basis.names)
    outputs: Outputs = {"probability": None, "low": None, "high": None, "contributions": count}
    return model_bytes("sepsis", count, _steps(), _constants(fitted), outputs)


def _steps() -> list[Node]:
    """The graph's operators in order; names that no step makes are constants."""
    return [
        *contribution_steps(),
        Node("ReduceSum", ["contributions", "columns"], "departure", {"keepdims": 0}),
        Node("Add", ["departure", "base"], "logit", {}),
        Node("Sigmoid", ["logit"], "probability", {}),
        Node("Concat", TERM_OUTPUTS, "design", {"axis": 1}),
        Node("MatMul", ["design", "deviations"], "moves", {}),
        Node("Add", ["moves", "deviations_at_median"], "deviation_of", {}),
        Node("ReduceSumSquare", ["deviation_of"], "squares", {"axes": [1], "keepdims": 0}),
        Node("Mul", ["squares", "per_replica"], "variance", {}),
        Node("Sqrt", ["variance"], "deviation", {}),
        Node("Mul", ["deviation", "z"], "margin", {}),
        Node("Sub", ["logit", "margin"], "logit_low", {}),
        Node("Add", ["logit", "margin"], "logit_high", {}),
        Node("Sigmoid", ["logit_low"], "low", {}),
        Node("Sigmoid", ["logit_high"], "high", {}),
    ]


def _constants(fitted: Fitted) -> dict[str, Any]:
    basis, slope = fitted.basis, fitted.slope
    count = len(basis.names)
    deviations = slope * (fitted.replicas - np.append(fitted.logistic.coefficients, fitted.logistic.intercept))
    spread = deviations[:, :-1].reshape(-1, count, TERMS) / term_scale(basis)
    return contribution_constants(basis, slope * fitted.logistic.coefficients) | {
        "base": np.float32(slope * fitted.logistic.intercept + fitted.intercept),
        "deviations": spread.transpose(2, 1, 0).reshape(TERMS * count, -1),
        "deviations_at_median": deviations[:, -1] - (spread * terms_at_median(basis)).sum(axis=(1, 2)),
        "per_replica": np.float32(1.0 / len(deviations)),
        "z": np.float32(INTERVAL_Z),
        "columns": np.array([1], np.int64),
    }

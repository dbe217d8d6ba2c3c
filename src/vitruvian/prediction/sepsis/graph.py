"""The fitted model as an ONNX graph: features as measured, NaN and all, to probability, interval and contributions.

Imputation, clipping, hinges, missing indicators, coefficients, bootstrap replicas and calibration are all inside, so
that what serves cannot drift apart from what was trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.sepsis.basis import TERMS, Basis
from vitruvian.prediction.sepsis.logistic import Logistic

OPSET: Final = 17
IR_VERSION: Final = 8  # read by every onnxruntime since 1.15
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
        logit = self.slope * (design @ self.logistic.coefficients + self.logistic.intercept) + self.intercept
        probability: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-logit))
        return probability


def to_onnx(fitted: Fitted) -> bytes:
    """The serialised graph. Input `features` (N, F) f4; outputs `probability`, `low`, `high` (N,) and `contributions`
    (N, F), the calibrated log-odds that each feature adds to those of a patient at the training medians.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    constants = {name: numpy_helper.from_array(value, name) for name, value in _constants(fitted).items()}
    nodes = [helper.make_node(kind, inputs, [output], **attributes) for kind, inputs, output, attributes in _STEPS]
    count = len(fitted.basis.names)
    graph = helper.make_graph(
        nodes,
        "sepsis",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", count])],
        [
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N"]) for name in ("probability", "low", "high")),
            helper.make_tensor_value_info("contributions", TensorProto.FLOAT, ["N", count]),
        ],
        list(constants.values()),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="vitruvian")
    model.ir_version = IR_VERSION
    checker.check_model(model, full_check=True)
    serialised: bytes = model.SerializeToString()
    return serialised


# (operator, inputs, output, attributes), in order; names not made by a step are constants.
_STEPS: Final[tuple[tuple[str, list[str], str, dict[str, Any]], ...]] = (
    ("IsNaN", ["features"], "absent", {}),
    ("Where", ["absent", "center", "features"], "filled", {}),
    ("Max", ["filled", "low_limit"], "raised", {}),
    ("Min", ["raised", "high_limit"], "clipped", {}),
    ("Sub", ["clipped", "center"], "centered", {}),
    ("Div", ["centered", "scale"], "line", {}),
    ("Unsqueeze", ["line", "last_axis"], "line_term", {}),
    ("Unsqueeze", ["clipped", "last_axis"], "clipped_term", {}),
    ("Sub", ["clipped_term", "knots"], "beyond", {}),
    ("Relu", ["beyond"], "hinge", {}),
    ("Sub", ["hinge", "hinge_center"], "hinge_centered", {}),
    ("Div", ["hinge_centered", "hinge_scale"], "hinge_terms", {}),
    ("Cast", ["absent"], "absent_number", {"to": 1}),
    ("Mul", ["absent_number", "indicated"], "missing", {}),
    ("Unsqueeze", ["missing", "last_axis"], "missing_term", {}),
    ("Concat", ["line_term", "hinge_terms", "missing_term"], "terms", {"axis": 2}),
    ("Mul", ["terms", "coefficients"], "weighted", {}),
    ("ReduceSum", ["weighted", "last_axis"], "contributions", {"keepdims": 0}),
    ("ReduceSum", ["contributions", "row_axis"], "departure", {"keepdims": 0}),
    ("Add", ["departure", "base"], "logit", {}),
    ("Sigmoid", ["logit"], "probability", {}),
    ("Reshape", ["terms", "flat"], "design", {}),
    ("MatMul", ["design", "deviations"], "moves", {}),
    ("Add", ["moves", "base_deviations"], "spread_of", {}),
    ("ReduceSumSquare", ["spread_of"], "squares", {"axes": [1], "keepdims": 0}),
    ("Mul", ["squares", "per_replica"], "variance", {}),
    ("Sqrt", ["variance"], "deviation", {}),
    ("Mul", ["deviation", "z"], "margin", {}),
    ("Sub", ["logit", "margin"], "logit_low", {}),
    ("Add", ["logit", "margin"], "logit_high", {}),
    ("Sigmoid", ["logit_low"], "low", {}),
    ("Sigmoid", ["logit_high"], "high", {}),
)


def _constants(fitted: Fitted) -> dict[str, NDArray[Any]]:
    basis, slope = fitted.basis, fitted.slope
    deviations = slope * (fitted.replicas - np.append(fitted.logistic.coefficients, fitted.logistic.intercept))
    single: dict[str, Any] = {
        "center": basis.center,
        "scale": basis.scale,
        "low_limit": basis.low,
        "high_limit": basis.high,
        "knots": basis.knots,
        "hinge_center": basis.hinge_center,
        "hinge_scale": basis.scale[:, None],
        "indicated": basis.indicated,
        "coefficients": slope * fitted.logistic.coefficients.reshape(-1, TERMS),
        "base": slope * fitted.logistic.intercept + fitted.intercept,
        "deviations": deviations[:, :-1].T,
        "base_deviations": deviations[:, -1],
        "per_replica": 1.0 / len(deviations),
        "z": INTERVAL_Z,
    }
    constants = {name: np.ascontiguousarray(value, np.float32) for name, value in single.items()}
    axes = {"last_axis": [2], "row_axis": [1], "flat": [-1, basis.width]}
    return constants | {name: np.array(value, np.int64) for name, value in axes.items()}

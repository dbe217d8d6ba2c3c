"""What the row families share: from steps and constants to an ONNX graph, and its parity with the trainer's engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.base import IR_VERSION, OPSET
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.measure.platt import sigmoid

__all__ = ["BLOCK", "ML_OPSET", "Node", "Outputs", "measure_parity", "model_bytes", "rows_of"]

BLOCK: Final = 16_384  # rows handled at once by the trainer's engine, to bound memory
ML_OPSET: Final = 3  # trees, with missing values; read by every onnxruntime since 1.11
PARITY_ROWS_MAX: Final = 50_000
PARITY_MAX: Final = 1e-5


@dataclass(frozen=True, slots=True)
class Node:
    """An operator of a graph with its attributes; `domain` "ai.onnx.ml" for trees."""

    kind: str
    inputs: Sequence[str]
    output: str
    attributes: Mapping[str, Any]
    domain: str = ""


Outputs = Mapping[str, int | None]  # name -> columns; None = one number a row


def model_bytes(name: str, count: int, steps: Sequence[Node], constants: Mapping[str, Any], outputs: Outputs) -> bytes:
    """The serialised graph from `features` (N, `count`) f4 to `outputs`; constants become f4 unless they are i8."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes = [helper.make_node(s.kind, list(s.inputs), [s.output], domain=s.domain, **s.attributes) for s in steps]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", count])],
        [
            helper.make_tensor_value_info(one, TensorProto.FLOAT, ["N"] if wide is None else ["N", wide])
            for one, wide in outputs.items()
        ],
        [numpy_helper.from_array(_plain(value), one) for one, value in constants.items()],
    )
    imports = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    model = helper.make_model(graph, opset_imports=imports, producer_name="vitruvian")
    model.ir_version = IR_VERSION
    checker.check_model(model, full_check=True)
    serialised: bytes = model.SerializeToString()
    return serialised


def _plain(value: Any) -> NDArray[Any]:
    array = np.ascontiguousarray(value)
    return array if array.dtype == np.int64 else array.astype(np.float32)


def rows_of(table: Table, rows: NDArray[np.int64], features: Sequence[str]) -> NDArray[np.float32]:
    """The named columns of some rows, (n, F) f4, C-ordered."""
    return np.ascontiguousarray(table.values[np.ix_(rows, table.columns(features))])


def measure_parity(
    path: Path,
    features: Sequence[str],
    logit: Callable[[NDArray[np.float32]], NDArray[np.float64]],
    table: Table,
    rows: NDArray[np.int64],
) -> tuple[float, int]:
    """The largest difference of logits between a graph's file and the trainer's engine, and on how many rows.

    At most `PARITY_ROWS_MAX` rows, evenly spread over those given. Raises ModelError where a probability differs by
    more than 1e-5: what serves would not be what was trained.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    some = rows[np.linspace(0, rows.size - 1, min(rows.size, PARITY_ROWS_MAX)).astype(np.int64)] if rows.size else rows
    worst = off = 0.0
    for start in range(0, some.size, BLOCK):
        values = rows_of(table, some[start : start + BLOCK], features)
        served = session.run(["logit"], {"features": values})[0]
        expected = logit(values)
        worst = max(worst, float(np.abs(served - expected).max()))
        off = max(off, float(np.abs(sigmoid(served.astype(np.float64)) - sigmoid(expected)).max()))
    if not off <= PARITY_MAX:
        raise ModelError(
            f"found {path.name} {off:.2g} off the trainer's probability, expected at most {PARITY_MAX:g}; fit it with"
            " fewer or smoother terms"
        )
    return worst, int(some.size)

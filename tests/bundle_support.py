"""Small bundles with real graphs, made by hand: a logistic regression and a gated recurrent unit over hours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.tasks import TASKS

FEATURES = ("heart_rate", "respiratory_rate", "oxygen_saturation", "systolic_pressure", "body_temperature", "lactate")
MEDIANS = (85.0, 18.0, 97.0, 120.0, 37.0, 1.6)
WEIGHTS = (0.03, 0.08, -0.12, -0.02, 0.6, 0.35)
STATE = 5
HOUR_MEANS = np.array([85.0, 18.0, 97.0, 37.0, 120.0, 65.0, 82.0], np.float32)
HOUR_SCALES = np.array([17.0, 5.0, 3.0, 0.7, 23.0, 13.0, 16.0], np.float32)


def make_bundle(
    folder: Path,
    task: str = "sepsis",
    *,
    members: Sequence[str] = ("logistic", "gru"),
    serves: str = "standard",
    version: str = "1.0.0-test",
    base: float = -3.0,
    features: Sequence[str] = FEATURES,
    **told: Any,
) -> Path:
    """A bundle of a task in a folder, which is made. `base`: the log-odds of a patient at the medians."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in members:
        kind = "recurrent" if name.startswith("gru") else "row"
        if kind == "row":
            _logistic(folder / f"{name}.onnx", features, base)
        else:
            _recurrent(folder, name, features, base)
        rows.append({
            "name": name, "kind": kind, "features": list(features), "state": STATE if kind == "recurrent" else 0,
            "settings": {}, "parity_max": 0.0, "parity_rows": 0, "slope": 1.1, "intercept": -0.1,
        })  # fmt: skip
    one = TASKS[task]
    share = 1.0 / len(rows)
    variant = {
        "members": {row["name"]: share for row in rows}, "slope": 0.9, "intercept": 0.05, "policy": {"threshold": 0.05},
        "interval": {"spread": 1.0, "floor": 0.2}, "conformal": {},
    }  # fmt: skip
    bundle = {
        "format": 1, "task": task, "version": version, "target": one.target, "horizon_h": one.horizon_h,
        "validated": one.validated, "simulated": True, "data": "made by hand for tests (simulated)",
        "intended_use": "tests", "limits": [], "prevalence": 0.04, "split": {}, "members": rows,
        "variants": {"standard": variant, "no_practice": variant}, "serves": serves,
        "medians": dict(zip(FEATURES, MEDIANS, strict=True)), **told,
    }  # fmt: skip
    (folder / "bundle.json").write_text(json.dumps(bundle), "utf-8")
    return folder


def _save(path: Path, nodes: list[Any], ins: dict[str, int], outs: dict[str, int], held: dict[str, Any]) -> None:
    def told(name: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width] if width else ["N"])

    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in held.items()]
    graph = helper.make_graph(
        nodes, path.stem, [told(*one) for one in ins.items()], [told(*one) for one in outs.items()], constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    path.write_bytes(model.SerializeToString())


def _filled(source: str, output: str) -> list[Any]:
    return [
        helper.make_node("IsNaN", [source], [f"{source}_absent"]),
        helper.make_node("Where", [f"{source}_absent", f"{source}_center", source], [f"{source}_filled"]),
        helper.make_node("Sub", [f"{source}_filled", f"{source}_center"], [output]),
    ]


def _row_constants(features: Sequence[str], base: float) -> dict[str, NDArray[Any]]:
    known = dict(zip(FEATURES, zip(MEDIANS, WEIGHTS, strict=True), strict=True))
    pairs = np.array([known.get(name, (0.0, 0.01)) for name in features], np.float32)
    return {
        "features_center": pairs[:, 0].copy(), "weights": pairs[:, 1].copy(), "base": np.array([base], np.float32),
        "columns": np.array([1], np.int64),
    }  # fmt: skip


def _logistic(path: Path, features: Sequence[str], base: float) -> None:
    nodes = [
        *_filled("features", "departure"),
        helper.make_node("Mul", ["departure", "weights"], ["contributions"]),
        helper.make_node("ReduceSum", ["contributions", "columns"], ["sum"], keepdims=0),
        helper.make_node("Add", ["sum", "base"], ["logit"]),
    ]
    outs = {"logit": 0, "contributions": len(features)}
    _save(path, nodes, {"features": len(features)}, outs, _row_constants(features, base))


def _cell(rng: np.random.Generator) -> tuple[list[Any], dict[str, Any]]:
    """One step of a minimal gated unit: `hour`, `state` to `next`."""
    held = {"hour_center": HOUR_MEANS, "hour_scale": HOUR_SCALES}
    nodes = [*_filled("hour", "hour_departure"), helper.make_node("Div", ["hour_departure", "hour_scale"], ["hour_x"])]
    for gate, squash in (("gate", "Sigmoid"), ("fresh", "Tanh")):
        held[f"{gate}_w"] = rng.normal(0, 0.6, (len(CHANNELS), STATE)).astype(np.float32)
        held[f"{gate}_u"] = rng.normal(0, 0.6, (STATE, STATE)).astype(np.float32)
        nodes += [
            helper.make_node("MatMul", ["hour_x", f"{gate}_w"], [f"{gate}_in"]),
            helper.make_node("MatMul", ["state", f"{gate}_u"], [f"{gate}_back"]),
            helper.make_node("Add", [f"{gate}_in", f"{gate}_back"], [f"{gate}_sum"]),
            helper.make_node(squash, [f"{gate}_sum"], [gate]),
        ]
    nodes += [
        helper.make_node("Sub", ["fresh", "state"], ["step"]),
        helper.make_node("Mul", ["gate", "step"], ["moved"]),
        helper.make_node("Add", ["state", "moved"], ["next"]),
    ]
    return nodes, held


def _recurrent(folder: Path, name: str, features: Sequence[str], base: float) -> None:
    rng = np.random.default_rng(5)
    nodes, held = _cell(rng)
    ins = {"hour": len(CHANNELS), "state": STATE}
    _save(folder / f"{name}.carry.onnx", nodes, ins, {"next": STATE}, held)
    head = [
        *nodes,
        *_filled("features", "departure"),
        helper.make_node("Mul", ["departure", "weights"], ["parts"]),
        helper.make_node("ReduceSum", ["parts", "columns"], ["from_features"], keepdims=0),
        helper.make_node("Mul", ["next", "out"], ["seen"]),
        helper.make_node("ReduceSum", ["seen", "columns"], ["from_hours"], keepdims=0),
        helper.make_node("Add", ["from_features", "from_hours"], ["sum"]),
        helper.make_node("Add", ["sum", "base"], ["logit"]),
    ]
    held |= _row_constants(features, base) | {"out": np.linspace(-1.5, 1.5, STATE).astype(np.float32)}
    _save(folder / f"{name}.onnx", head, {"features": len(features), **ins}, {"logit": 0}, held)

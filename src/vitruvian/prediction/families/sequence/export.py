"""A fitted model as ONNX graphs, and how far they are from it."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vitruvian.prediction.families.base import OPSET
from vitruvian.prediction.families.sequence.model import Model
from vitruvian.prediction.inputs.hours import CONTEXT_H

__all__ = ["graph_of", "save_graphs", "served"]

Floats = NDArray[np.float32]
_EXAMPLES: Final = 3  # rows of the example a graph is traced by; their number is left open


class _Carry(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, hour: Tensor, state: Tensor) -> Tensor:
        return self.model.carry(hour, state)


class _Asked(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, hour: Tensor, state: Tensor) -> Tensor:
        return self.model.logit(features, self.model.seen(self.model.carry(hour, state)))


class _Windowed(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(self, features: Tensor, window: Tensor) -> Tensor:
        return self.model.logit(features, self.model.seen_of(window))


def save_graphs(model: Model, columns: int, folder: Path, name: str) -> None:
    """Write NAME.onnx, and NAME.carry.onnx for a recurrent model, as `families.base` sets out."""
    folder.mkdir(parents=True, exist_ok=True)
    channels, size = model.hours.channels, model.state_size
    features = torch.zeros(_EXAMPLES, columns)
    if not size:
        inputs = {"features": features, "window": torch.zeros(_EXAMPLES, CONTEXT_H, channels)}
        (folder / f"{name}.onnx").write_bytes(graph_of(_Windowed(model), inputs, "logit"))
        return
    step = {"hour": torch.zeros(_EXAMPLES, channels), "state": torch.zeros(_EXAMPLES, size)}
    (folder / f"{name}.carry.onnx").write_bytes(graph_of(_Carry(model), step, "next"))
    (folder / f"{name}.onnx").write_bytes(graph_of(_Asked(model), {"features": features} | step, "logit"))


def graph_of(module: nn.Module, inputs: dict[str, Tensor], output: str) -> bytes:
    """The graph of a module whose inputs all begin with the number of rows, which stays open."""
    held = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter of this pinned PyTorch that needs no further package says of itself that it is the older one.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            held,  # type: ignore[arg-type]  # a buffer is taken by this exporter
            dynamo=False,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=[output],
            dynamic_axes={part: {0: "n"} for part in (*inputs, output)},
        )
    return held.getvalue()


def served(folder: Path, name: str, features: Floats, window: Floats) -> NDArray[np.float64]:
    """Log-odds (n,) by the graphs alone, the state carried over the closed hours as a ward does it."""
    asked, carry = _session(folder / f"{name}.onnx"), folder / f"{name}.carry.onnx"
    if not carry.is_file():
        return np.asarray(asked.run(None, {"features": features, "window": window})[0], np.float64)
    step = _session(carry)
    state = np.zeros((features.shape[0], step.get_inputs()[1].shape[1]), np.float32)
    for hour in range(CONTEXT_H - 1):
        state = step.run(None, {"hour": np.ascontiguousarray(window[:, hour]), "state": state})[0]
    running = np.ascontiguousarray(window[:, -1])
    return np.asarray(asked.run(None, {"features": features, "hour": running, "state": state})[0], np.float64)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])

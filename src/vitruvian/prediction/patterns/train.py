"""Fit the forecaster on training patients, calibrate it on others, set the level of flags. Needs the `train` extra."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.base import OPSET
from vitruvian.prediction.families.sequence.prepare import hours_of
from vitruvian.prediction.families.sequence.trainer import one_thread
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H
from vitruvian.prediction.inputs.table import Table, windows
from vitruvian.prediction.patterns.calibrate import calibrated
from vitruvian.prediction.patterns.network import Forecaster, surprise_loss
from vitruvian.prediction.patterns.scores import AHEAD_H
from vitruvian.prediction.patterns.watch import Watch, expectations, run

__all__ = ["Recipe", "calibrate_graph", "train"]

_EVERY_H: Final = 12  # a training window ends at every twelfth hour of a stay, from a random first one
_PARITY_MAX: Final = 1e-4  # in standard deviations of the vital sign


@dataclass(frozen=True, slots=True)
class Recipe:
    """Size and fit of the forecaster; `alarms_per_day`: the budget that sets the level of flags, on calibration
    patients.
    """

    hidden: int = 32
    passes: int = 12
    batch: int = 256
    rate: float = 3e-3
    alarms_per_day: float = 0.5
    seed: int = 0


def train(
    table: Table,
    learn: NDArray[np.int64],
    calibrate: NDArray[np.int64],
    folder: Path,
    data: str,
    recipe: Recipe | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Watch:
    """Fit on rows `learn`, calibrate on rows `calibrate` (of other patients), write the folder and load it again.

    `data` names the set and the split, for the card. Raises ModelError where the graph is not the fitted model.
    """
    import onnxruntime

    recipe = recipe or Recipe()
    with one_thread():
        model = fit(table, learn, recipe, say)
        graph = graph_of(model)
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        apart = parity(model, session, windows(table, calibrate[:2000]))
    if not apart <= _PARITY_MAX:
        raise ModelError(f"found a graph {apart:.1e} standard deviations from the fitted model; report it")
    card: dict[str, Any] = {
        "channels": CHANNELS,
        "data": data,
        "recipe": asdict(recipe),
        "training_patients": int(np.unique(table.patient[learn]).size),
        "training_hours": int(learn.size),
        "parity_max": float(f"{apart:.2g}"),
    }
    return calibrate_graph(graph, card, table, learn, calibrate, folder)


def calibrate_graph(
    graph: bytes, card: dict[str, Any], table: Table, learn: NDArray[np.int64], calibrate: NDArray[np.int64],
    folder: Path,
) -> Watch:  # fmt: skip
    """Calibrate a forecaster's graph on rows `calibrate`, the population's spread taken of rows `learn`; write, load.

    Raises ModelError where a patient is among both.
    """
    import onnxruntime

    if np.isin(table.patient[calibrate], table.patient[learn]).any():
        raise ModelError("found patients both to learn from and to calibrate on, expected others; split by patient")
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    spread = np.nanstd(table.running[learn].astype(np.float64), axis=0).round(4)
    told = card | {
        "calibration_patients": int(np.unique(table.patient[calibrate]).size),
        "calibration_hours": int(calibrate.size),
        "spread": spread.tolist(),
    }
    budget = float(card["recipe"]["alarms_per_day"])
    told |= calibrated(lambda hours: expectations(session, spread, hours), table, calibrate, budget)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "forecaster.onnx").write_bytes(graph)
    (folder / "watch.json").write_text(json.dumps(told, indent=1, allow_nan=False) + "\n", "utf-8")
    return Watch.load(folder)


def fit(table: Table, learn: NDArray[np.int64], recipe: Recipe, say: Callable[[str], None]) -> Forecaster:
    """Adam along a falling cosine. Same seed, same forecaster on one processor family."""
    torch.manual_seed(recipe.seed)
    model = Forecaster(hours_of(table, learn), recipe.hidden)
    optimiser = torch.optim.Adam(model.parameters(), lr=recipe.rate)
    for turn in range(recipe.passes):
        random = np.random.default_rng((recipe.seed, turn))
        phase = random.integers(0, _EVERY_H, int(table.patient[-1]) + 1)
        rows = learn[(table.hour[learn] + phase[table.patient[learn]]) % _EVERY_H == 0]
        parts = np.array_split(random.permutation(rows), max(1, rows.size // recipe.batch))
        total = 0.0
        for number, part in enumerate(parts):
            done = (turn + number / len(parts)) / recipe.passes
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate * 0.5 * (1 + math.cos(math.pi * done))
            hours = torch.from_numpy(windows(table, part))
            came = (hours - model.hours.mean) / model.hours.spread
            middle, scale = model.ahead(hours[:, :-1])
            loss = torch.stack([_loss_at(row, middle, scale, came) for row in range(len(AHEAD_H))]).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            total += float(loss.detach())
        say(f"pass {turn + 1} of {recipe.passes}: loss {total / len(parts):.4f}")
    return model.eval()


def _loss_at(row: int, middle: Tensor, scale: Tensor, came: Tensor) -> Tensor:
    """The loss of one distance: what was foretold after hour k is of hour k + `AHEAD_H[row]`."""
    ahead = AHEAD_H[row]
    told = came.shape[1] - ahead
    return surprise_loss(middle[:, row, :told], scale[:, row, :told], came[:, ahead:])


def graph_of(model: Forecaster) -> bytes:
    """The ONNX graph: `closed` (n, CONTEXT_H - 1, C) -> `expected`, `scale` (n, 2, RECENT_H, C)."""
    import warnings

    held = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter of this pinned PyTorch calls itself the older one
        torch.onnx.export(
            model,
            (torch.zeros(3, CONTEXT_H - 1, len(CHANNELS)),),
            held,  # type: ignore[arg-type]  # a buffer is taken by this exporter
            dynamo=False,
            opset_version=OPSET,
            input_names=["closed"],
            output_names=["expected", "scale"],
            dynamic_axes={"closed": {0: "n"}, "expected": {0: "n"}, "scale": {0: "n"}},
        )
    return held.getvalue()


def parity(model: Forecaster, session: Any, hours: NDArray[np.float32]) -> float:
    """The largest difference between graph and model, in standard deviations of the vital sign."""
    with torch.inference_mode():
        own = [part.numpy() for part in model(torch.from_numpy(hours[:, :-1]))]
    spread = model.hours.spread.numpy()
    return max(float(np.abs((a - b) / spread).max()) for a, b in zip(own, run(session, hours), strict=True))

"""Where a fit stands, and the file it is kept in so that a killed one resumes."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.sequence.settings import Settings
from vitruvian.prediction.inputs.table import Table

__all__ = ["Course", "identity_of", "restore", "weights", "write"]

Weights = dict[str, Tensor]


@dataclass(slots=True)
class Course:
    """Where a fit stands: epochs and steps done, the running mean of weights, the best mean so far, its valid loss, and
    epochs since.
    """

    average: Weights
    best: Weights
    best_loss: float = math.inf
    epoch: int = 0
    steps: int = 0
    since: int = 0


def weights(model: nn.Module) -> Weights:
    """A copy of all weights."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def identity_of(
    table: Table, places: NDArray[np.int64], goal: Goal, settings: Settings, rows: NDArray[np.int64], seed: int
) -> str:
    """What a fit is of: settings, seed, columns, rows, targets and a sample of the numbers."""
    state = hashlib.blake2b(digest_size=16)
    state.update(json.dumps([asdict(settings), seed, torch.__version__, [table.names[p] for p in places]]).encode())
    some = rows[:: max(1, rows.size // 1000)]
    for part in (rows, goal.valid, goal.target[rows], goal.weight[rows], table.values[some], table.closed[some]):
        state.update(np.ascontiguousarray(part).tobytes())
    return state.hexdigest()


def write(path: Path, identity: str, model: nn.Module, optimiser: torch.optim.Optimizer, course: Course) -> None:
    """Keep it, whole or not at all."""
    beside = path.with_name(f"{path.name}.part")
    told = {"identity": identity, "model": model.state_dict(), "optimiser": optimiser.state_dict()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(told | {"course": asdict(course)}, beside)
    beside.replace(path)


def restore(path: Path, identity: str, model: nn.Module, optimiser: torch.optim.Optimizer, course: Course) -> bool:
    """Take up what is kept; False where there is nothing, or what is there is of another fit or cannot be read."""
    if not path.is_file():
        return False
    try:
        told = torch.load(path, weights_only=True)
    except Exception:  # whatever a torn file makes its reader stumble over, the fit begins anew
        return False
    if not isinstance(told, dict) or told.get("identity") != identity:
        return False
    model.load_state_dict(told["model"])
    optimiser.load_state_dict(told["optimiser"])
    for name, value in told["course"].items():
        setattr(course, name, value)
    return True

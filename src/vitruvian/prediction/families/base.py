"""The contract of a family of models, and of the members it leaves in a bundle.

Serving knows only a member's file and this description of it. All of a member's own preparation (filling, clipping,
scaling) is inside its graph, so that what serves cannot drift apart from what was trained. Graphs, all f4:

    row        NAME.onnx        `features` (n, F), NaN = missing             -> `logit` (n,)
    window     NAME.onnx        `features` (n, F), `window` (n, CONTEXT_H, C) -> `logit` (n,)
    recurrent  NAME.carry.onnx  `hour` (n, C), `state` (n, S)                 -> `next` (n, S)
               NAME.onnx        `features` (n, F), `hour` (n, C), `state` (n, S) -> `logit` (n,)

A recurrent state starts at zeros and is carried over the CONTEXT_H - 1 closed hours, the oldest first; `hour` of the
second graph is the hour that runs. So the state is a function of the tracker, and is carried as long as the hour lasts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.inputs.table import Table

__all__ = ["Family", "Fitted", "Goal", "MemberFile"]

Kind = Literal["row", "window", "recurrent"]
Say = Callable[[str], None]
OPSET: Final = 17
IR_VERSION: Final = 8  # read by every onnxruntime since 1.15


@dataclass(frozen=True, slots=True)
class Goal:
    """What is fitted on which rows of a table. `target` (N,) f8 0 or 1 (or in between), `weight` (N,) f8 of every row
    of the table; `train` and `valid` (rows): `valid` rows are of other patients and only stop or choose, never fit.
    """

    target: NDArray[np.float64]
    weight: NDArray[np.float64]
    train: NDArray[np.int64]
    valid: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A member as the bundle lists it. `state` is S of a recurrent one, else 0; `parity_max` the largest difference of
    a logit between the trainer's engine and ONNX Runtime, on `parity_rows` rows.
    """

    name: str
    kind: Kind
    features: tuple[str, ...]
    state: int
    settings: dict[str, Any]
    parity_max: float
    parity_rows: int

    def as_json(self) -> dict[str, Any]:
        """The row of `bundle.json`."""
        return asdict(self) | {"features": list(self.features)}


class Fitted(Protocol):
    """A fitted member, still in its trainer's engine."""

    @property
    def features(self) -> tuple[str, ...]:
        """What it reads, by name."""
        ...

    def logit(self, table: Table, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The uncalibrated log-odds of these rows, (n,)."""
        ...

    def save(self, folder: Path, name: str, table: Table, rows: NDArray[np.int64]) -> MemberFile:
        """Write the graphs; measure parity on these rows of the table (at least a few thousand where there are)."""
        ...


class Family(Protocol):
    """Fits one kind of model with its settings (a frozen dataclass whose fields are JSON). Same seed, same data, same
    model on one processor family. `kept` is a file for the state of a long fit, by which a killed one resumes.
    """

    @property
    def name(self) -> str:
        """As tables print it."""
        ...

    def fit(
        self, table: Table, features: tuple[str, ...], goal: Goal, *, seed: int, say: Say, kept: Path | None = None
    ) -> Fitted:
        """Fit on `goal.train`. Raises ModelError where that cannot be done."""
        ...

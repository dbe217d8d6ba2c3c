"""The learned risks of simulated members, by whichever models run at the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.inputs.blocks import Asked, columns
from vitruvian.prediction.inputs.hours import window
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.signals.tracker import Tracker

__all__ = ["RiskModels", "learned_risks"]

Floats = NDArray[np.float64]
_BODY: Final = {"height_cm": VOCABULARY["body_height"].index, "weight_kg": VOCABULARY["body_weight"].index}


def _none() -> Mapping[str, Predictor]:
    return {}


@dataclass(frozen=True)
class RiskModels:
    """The live models: `running()` gives those of now, by task; by default only scores are run again."""

    running: Callable[[], Mapping[str, Predictor]] = _none

    @classmethod
    def of(cls, *predictors: Predictor) -> RiskModels:
        """These, always."""
        fixed = {one.task.name: one for one in predictors}
        return cls(lambda: fixed)

    def hourly(self) -> dict[str, Predictor]:
        """Those that tell a risk at any hour; one that is told once a stay says nothing of the hours after."""
        return {name: one for name, one in self.running().items() if one.task.moment == "hourly"}


def learned_risks(
    predictors: Mapping[str, Predictor], tracker: Tracker, now_us: int, ages: Floats, male: float
) -> dict[str, tuple[Floats, str]]:
    """Of every row of the tracker, by the finding's name: probabilities (rows,), and why nothing is said of the first
    row where that is so.
    """
    rows = np.arange(tracker.rows)
    now = np.full(rows.size, now_us, np.int64)
    body = {name: tracker.last_value[rows, concept] for name, concept in _BODY.items()}
    asked = Asked(tracker, rows, now, ages, np.full(rows.size, male), body)
    names = tuple(dict.fromkeys(name for one in predictors.values() for name in one.needed))
    values = columns(names, asked)
    hours = window(tracker, rows, now) if any(one.windowed for one in predictors.values()) else None
    found = {}
    for task, one in predictors.items():
        risks = one.predict(values, names, hours)
        found[f"{task}_risk"] = (risks.probability, risks.why(0))
    return found

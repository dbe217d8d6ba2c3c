"""One batch of patients through every model that runs: features once for all, hours once, then each champion."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.inputs.blocks import Asked, columns
from vitruvian.prediction.inputs.hours import window
from vitruvian.prediction.serve.columns import RiskColumns
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.serve.states import States
from vitruvian.service.models import Group, Loaded, Models
from vitruvian.service.shadow import ShadowBatch, Shadows
from vitruvian.signals.kernels import NEVER_US
from vitruvian.signals.tracker import Tracker

__all__ = ["Scored", "Scoring", "asked_of"]

log = logging.getLogger(__name__)
Columns = NDArray[np.float32]
# What only a shadow reads may take so much of the scoring's time, or of a core where there is little to score.
EXTRA_SHARE_MAX: Final = 0.1
EXTRA_CORE_MAX: Final = 0.02
_BODY: Final = {"height_cm": VOCABULARY["body_height"].index, "weight_kg": VOCABULARY["body_weight"].index}


class Scored(NamedTuple):
    """Risks of a batch at an instant by task, and the models that told them."""

    risks: Mapping[str, RiskColumns]
    by: Mapping[str, Predictor]
    now_us: int


class Scoring:
    """Scores batches with what runs at their beginning. One thread; `counts` may be read by others."""

    def __init__(self, models: Models) -> None:
        self.models = models
        self.shadows = Shadows(ended=lambda task, told: models.note("disagreement", task=task, **told))
        self._states: dict[str, tuple[Predictor, States]] = {}
        self._scored_s = self._extra_s = 0.0
        self._began_s = time.perf_counter()
        self.failed: dict[str, str] = {}
        self.counts = {"risks_failed": 0}

    def score(
        self,
        tracker: Tracker,
        rows: NDArray[np.int64],
        pids: NDArray[np.int64],
        now_us: int,
        age_years: NDArray[np.float64],
        male: NDArray[np.float64],
        group: Group,
    ) -> Scored:
        """The risk of every task of a group of champions, of these rows of the tracker."""
        began = time.perf_counter()
        asked = asked_of(tracker, rows, now_us, age_years, male)
        values = columns(group.names, asked)
        hours = window(tracker, rows, now_us) if group.windowed else None
        first_us = tracker.first_us[rows]
        observed_h = np.where(first_us == NEVER_US, np.nan, (now_us - np.maximum(first_us, 0)) / HOUR_US)
        risks: dict[str, RiskColumns] = {}
        for task, one in group.champions.items():
            try:
                risks[task] = one.predictor.predict(
                    values, group.names, hours, keys=pids, states=self._states_of(task, one.predictor),
                    observed_h=observed_h,
                )  # fmt: skip
                self.failed.pop(task, None)  # what failed before, or the model before it, is no fault of now
            except Exception as error:  # one model's fault must not cost the others, nor the scores and alerts
                self._fault(task, error)
        self._scored_s += time.perf_counter() - began
        shadows = {task: one for task, one in self.models.running.shadows.items() if task in risks}
        if shadows:
            self._offer(group, shadows, asked, values, hours, pids, observed_h, risks, now_us)
        return Scored(risks, group.predictors, now_us)

    def note_disagreements(self) -> None:
        """Put into the log of models how far each shadow and its champion differ so far."""
        for task in self.models.running.shadows:
            told = self.shadows.told(task)
            if told is not None:
                self.models.note("disagreement", task=task, **told)

    def close(self) -> None:
        """Stop the shadows, and keep how far they differed."""
        self.shadows.close()
        try:
            self.note_disagreements()
        except OSError as error:  # a full disk must not keep the ward from closing its journal
            log.error("how far the shadows differed could not be kept: %s", error)

    def forget(self, pids: Iterable[int]) -> None:
        """These patients left or were merged away."""
        gone = list(pids)
        for _, states in self._states.values():
            states.forget(gone)

    def _extra_max_s(self, now_s: float) -> float:
        return max(EXTRA_SHARE_MAX * self._scored_s, EXTRA_CORE_MAX * (now_s - self._began_s))

    def _states_of(self, task: str, predictor: Predictor) -> States:
        kept = self._states.get(task)
        if kept is None or kept[0] is not predictor:
            kept = self._states[task] = (predictor, predictor.new_states())
        return kept[1]

    def _fault(self, task: str, error: Exception) -> None:
        self.counts["risks_failed"] += 1
        if self.failed.get(task) != str(error):
            log.error("the model of %s failed: %s", task, error)
            self.failed[task] = str(error)

    def _offer(
        self,
        group: Group,
        shadows: Mapping[str, Loaded],
        asked: Asked,
        values: Columns,
        hours: Columns | None,
        pids: NDArray[np.int64],
        observed_h: NDArray[np.float64],
        risks: Mapping[str, RiskColumns],
        now_us: int,
    ) -> None:
        """Give the shadows their part. What only they read is made within a small share of the scoring's time."""
        began = time.perf_counter()
        for task, one in shadows.items():
            shadow = one.predictor
            more = [name for name in shadow.needed if name not in group.names]
            if (more or (shadow.windowed and hours is None)) and self._extra_s > self._extra_max_s(began):
                self.shadows.drop(task, len(pids))
                continue
            try:
                read = np.concatenate([values, columns(more, asked)], axis=1) if more else values
                seen = window(asked.tracker, asked.rows, now_us) if shadow.windowed and hours is None else hours
            except Exception as error:
                self._fault(f"{task} (shadow)", error)
                continue
            champion = group.champions[task].predictor
            names, told = (*group.names, *more), risks[task].probability
            self.shadows.offer(ShadowBatch(task, shadow, champion, read, names, seen, pids, observed_h, told, now_us))
        self._extra_s += time.perf_counter() - began


def asked_of(
    tracker: Tracker,
    rows: NDArray[np.int64],
    now_us: int,
    age_years: NDArray[np.float64],
    male: NDArray[np.float64],
) -> Asked:
    """The question about rows of a live tracker; height and weight are the last that were measured."""
    body = {name: tracker.last_value[rows, concept] for name, concept in _BODY.items()}
    return Asked(tracker, rows, np.full(rows.size, now_us, np.int64), age_years, male, body)

"""One row of the table of results: how well a score ranks, how true it is, what its alarms are worth.

All rows of one `Judge` share their draws of patients, so that a difference between two scores is a paired one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.alarm_curve import SENSITIVITY, AlarmCurve, alarm_sums
from vitruvian.prediction.measure.calibration import calibration_figures
from vitruvian.prediction.measure.decisions import decision_figures, decision_sums
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.measure.resampling import DRAWS, SEED, limits, patient_draws, patient_sums
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.measure.utility import normalized_utility
from vitruvian.prediction.tasks import Task

__all__ = ["Judge", "Threshold"]

Floats = NDArray[np.float64]
Threshold = float | NDArray[np.float64]


class Judge:
    """Judges scores of the rows of one cohort at one task; `draws` bootstrap samples of its patients, seeded."""

    def __init__(self, task: Task, cohort: Cohort, draws: int = DRAWS, seed: int = SEED) -> None:
        self.task, self.cohort = task, cohort
        self.rows = rows_of(task, cohort)
        self.draws = patient_draws(cohort.patients, draws, seed)
        self.rankings: dict[str, Ranking] = {}
        self.curves: dict[str, AlarmCurve] = {}
        self._drawn: dict[str, dict[str, Floats]] = {}
        self._told: dict[str, dict[str, Any]] = {}

    def figures(
        self, name: str, score: NDArray[np.floating], threshold: Threshold, *, probability: bool = False
    ) -> dict[str, Any]:
        """Every figure of a score (N,) that alarms at `threshold` or above, with its `_95` interval over patients.

        A threshold of each row (N,) is for scores out of several fits, as in cross-validation; told is its median.
        Calibration is told where the score is a `probability`. Raises ModelError for a score of another length, or that
        is no number where the task is measured.
        """
        if score.shape != self.cohort.patient.shape:
            raise ModelError(
                f"found {score.size} scores of {name}, expected one for each of {self.cohort.patient.size} rows"
            )
        rows = self.rows
        mine = score[rows.index].astype(np.float64)
        cut = np.broadcast_to(np.asarray(threshold, np.float64), score.shape)
        alarm = mine >= cut[rows.index]
        row: dict[str, Any] = {"score": name, "threshold": float(np.median(cut[rows.index]))}
        drawn: dict[str, Floats] = {}
        ranking = self.rankings[name] = Ranking(mine, rows.label)
        row["auroc"], row["auprc"] = ranking.auroc(), ranking.auprc()
        drawn["auroc"], drawn["auprc"] = ranking.drawn(rows.patient, self.draws)
        self._decide(row, drawn, alarm)
        if self.task.decision == "utility":
            self._utility(row, drawn, alarm)
        row |= {f"{key}_95": limits(column) for key, column in drawn.items()}
        if probability:
            told, more = calibration_figures(mine, rows.label, rows.patient, self.draws)
            row, drawn = row | told, drawn | more
        if self.task.moment == "hourly":
            row |= self._alarms(name, score, cut)
        self._drawn[name], self._told[name] = drawn, row
        return row

    def difference(self, first: str, second: str) -> dict[str, Any]:
        """Figures of one judged score less those of another, paired by patient: each figure that both have, `_95`."""
        out: dict[str, Any] = {"score": first, "than": second}
        mine, theirs = self._drawn[first], self._drawn[second]
        for key in ("auroc", "auprc", "utility", "event1", "brier", "brier_skill", "ece", "f1", "accuracy"):
            if key in mine and key in theirs:
                out[key] = self._told[first][key] - self._told[second][key]
                out[f"{key}_95"] = limits(mine[key] - theirs[key])
        return out

    def _decide(self, row: dict[str, Any], drawn: dict[str, Floats], alarm: NDArray[np.bool_]) -> None:
        counts = decision_sums(alarm, self.rows.label, self.rows.patient, self.rows.patients)
        told = decision_figures(counts.sum(axis=0))
        over = decision_figures(self.draws @ counts)
        for key in ("accuracy", "precision", "recall", "specificity", "f1", "event1"):
            row[key], drawn[key] = float(told[key]), over[key]

    def _utility(self, row: dict[str, Any], drawn: dict[str, Floats], alarm: NDArray[np.bool_]) -> None:
        """Utility adds up over hours, so a draw needs each patient's sum alone, not every hour again."""
        values, rows = self.rows.values_scored, self.rows
        won = np.where(alarm, values.gain, 0.0)
        sums = patient_sums(rows.patient, rows.patients, won, values.best - values.silence)
        got, most = (self.draws @ sums).T
        row["utility"] = normalized_utility(values, alarm)
        drawn["utility"] = np.divide(got, most, out=np.full(got.shape, np.nan), where=most != 0)

    def _alarms(self, name: str, score: NDArray[np.floating], threshold: Floats) -> dict[str, Any]:
        """At the threshold; and, ending in `_at_80`, at the sensitivity at which scores are compared."""
        patient = self.cohort.patient
        told = alarm_sums(self.rows, patient, score, threshold).figures(self.rows, self.draws)
        curve = self.curves[name] = AlarmCurve(self.rows, patient, score)
        same, _ = curve.at(SENSITIVITY, self.draws)
        percent = round(100 * SENSITIVITY)
        return told | {_suffixed(key, percent): value for key, value in same.items()}


def _suffixed(key: str, percent: int) -> str:
    return f"{key[:-3]}_at_{percent}_95" if key.endswith("_95") else f"{key}_at_{percent}"

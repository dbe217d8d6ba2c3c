"""One row of the table of results: how well a score ranks, how well it is calibrated, what its alarms are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.sepsis import metrics
from vitruvian.prediction.sepsis.alarms import alarm_figures, threshold_for_sensitivity
from vitruvian.prediction.sepsis.challenge import Cohort
from vitruvian.prediction.sepsis.utility import hour_values, normalized_utility

DRAWS: Final = 200
SEED: Final = 20_190_219
SENSITIVITY: Final = 0.8


class Judge:
    """Judges scores of the hours of one cohort; draws of patients are the same for all, so that rows compare."""

    def __init__(self, cohort: Cohort, draws: int = DRAWS) -> None:
        self.cohort = cohort
        self.values = hour_values(cohort.patient, cohort.label)
        self.draws = metrics.patient_draws(len(cohort.ids), draws, SEED)

    def figures(
        self, name: str, score: NDArray[np.float64], threshold: float, *, probability: bool = False
    ) -> dict[str, Any]:
        """Every figure of a score (N,) that alarms at `threshold` or above; calibration where it is a probability."""
        cohort = self.cohort
        ranking = metrics.Ranking(score, cohort.label)
        row: dict[str, Any] = {"score": name}
        row["auroc"], row["auroc_95"] = ranking.auroc(), self._interval(ranking.auroc)
        row["auprc"], row["auprc_95"] = ranking.auprc(), self._interval(ranking.auprc)
        row["utility"] = normalized_utility(self.values, score >= threshold)
        row["utility_95"] = self._utility_interval(score >= threshold)
        row |= self._calibration(score) if probability else {}
        at = alarm_figures(cohort.patient, cohort.label, score, threshold)
        row |= _alarm_columns(at.per_patient_day, at.precision, at.sensitivity, at.lead_h, "")
        matched = threshold_for_sensitivity(cohort.patient, cohort.label, score, SENSITIVITY)
        same = alarm_figures(cohort.patient, cohort.label, score, matched)
        row |= _alarm_columns(same.per_patient_day, same.precision, same.sensitivity, same.lead_h, "_at_80")
        row["threshold"] = threshold
        return row

    def _calibration(self, probability: NDArray[np.float64]) -> dict[str, float]:
        label = self.cohort.label
        slope, intercept = metrics.calibration_line(probability, label)
        return {
            "brier": metrics.brier(probability, label),
            "brier_skill": metrics.brier_skill(probability, label),
            "calibration_slope": slope,
            "calibration_intercept": intercept,
            "ece": metrics.adaptive_ece(probability, label),
        }

    def _utility_interval(self, alarms: NDArray[np.bool_]) -> list[float]:
        """Utility adds up over hours, so a draw needs each patient's sum alone, not every hour again."""
        values, patients = self.values, self.draws.shape[1]
        gain = np.where(alarms, values.alarm - values.silence, 0.0)
        won = self.draws @ np.bincount(self.cohort.patient, gain, patients)
        most = self.draws @ np.bincount(self.cohort.patient, values.best - values.silence, patients)
        share = np.divide(won, most, out=np.full(won.shape, np.nan), where=most != 0)
        low, high = np.nanquantile(share, (0.025, 0.975))
        return [float(low), float(high)]

    def _interval(self, figure: Any) -> list[float]:
        return list(metrics.interval(figure, self.cohort.patient, self.draws))


def _alarm_columns(
    per_day: float, precision: float, sensitivity: float, lead_h: float, suffix: str
) -> dict[str, float]:
    return {
        f"alarms_per_patient_day{suffix}": per_day,
        f"alarm_precision{suffix}": precision,
        f"sensitivity{suffix}": sensitivity,
        f"median_lead_h{suffix}": lead_h,
    }


def tabulate(rows: list[dict[str, Any]]) -> list[str]:
    """The rows as a Markdown table for people."""
    lines = [
        "| score | AUROC | AUPRC | utility | Brier skill | slope | intercept | ECE | alarms/patient-day | precision |"
        " sensitivity | lead, h | at 80 %: alarms/patient-day | lead, h |",
        "|---|" + "---|" * 13,
    ]
    for row in rows:
        cells = [
            row["score"],
            *(_ranged(row, name) for name in ("auroc", "auprc", "utility")),
            *(_number(row, name) for name in ("brier_skill", "calibration_slope", "calibration_intercept", "ece")),
            *(_number(row, name, 2) for name in ("alarms_per_patient_day", "alarm_precision", "sensitivity")),
            *(_number(row, name, 1) for name in ("median_lead_h",)),
            _number(row, "alarms_per_patient_day_at_80", 2),
            _number(row, "median_lead_h_at_80", 1),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _number(row: Mapping[str, Any], name: str, decimals: int = 3) -> str:
    return f"{row[name]:.{decimals}f}" if name in row else "-"


def _ranged(row: Mapping[str, Any], name: str) -> str:
    low, high = row[f"{name}_95"]
    return f"{row[name]:.3f} ({low:.3f} to {high:.3f})"

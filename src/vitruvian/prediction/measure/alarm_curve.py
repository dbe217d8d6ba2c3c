"""Alarms against lead time: what it costs in alarms to catch a share of the patients, and how early they are caught.

Scores of whole points, such as NEWS2, reach few sensitivities. Between two thresholds the curve is a straight line, as
if each patient were watched at one of the two by lot, so that scores can be compared at the same sensitivity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.measure.alarms import REFRACTORY_H, alarm_rows
from vitruvian.prediction.measure.resampling import limits, weighted_median
from vitruvian.prediction.measure.rows import Rows

__all__ = ["LEAD_MIN_H", "SENSITIVITY", "AlarmCurve", "AlarmSums", "alarm_sums", "fewer"]

Floats = NDArray[np.float64]
SENSITIVITY: Final = 0.8  # at which scores are compared
LEAD_MIN_H: Final = 2.0
THRESHOLDS: Final = 60  # points of a curve
DAY_H: Final = 24.0


@dataclass(frozen=True, slots=True)
class AlarmSums:
    """Of each patient (P,) at one threshold: alarms `sounded` after the refractory time, how many of them `right`, and
    `lead_h` from the first alarm in the window that counts to the event (NaN = not caught).
    """

    threshold: float
    sounded: Floats
    right: Floats
    lead_h: Floats

    def figures(self, rows: Rows, draws: NDArray[np.int64]) -> dict[str, Any]:
        """Alarms a patient-day, their precision, the share of patients caught and their median lead, with intervals."""
        sums = np.column_stack([self.sounded, self.right, ~np.isnan(self.lead_h), rows.event, rows.hours])
        every = np.vstack([sums.sum(axis=0), draws @ sums])
        sounded, right, caught, events, hours = every.T
        with np.errstate(invalid="ignore", divide="ignore"):
            columns = {
                "alarms_per_patient_day": sounded / (hours / DAY_H),
                "alarm_precision": np.where(sounded > 0, right / sounded, np.nan),
                "sensitivity": np.where(events > 0, caught / events, np.nan),
                "median_lead_h": self.leads(draws),
            }
        out: dict[str, Any] = {}
        for name, column in columns.items():
            out[name], out[f"{name}_95"] = float(column[0]), limits(column[1:])
        return out

    def leads(self, draws: NDArray[np.int64]) -> Floats:
        """The median lead of all patients, then of every draw: (1 + D,)."""
        caught = np.flatnonzero(~np.isnan(self.lead_h))
        once = np.ones((1, caught.size), np.int64)
        return weighted_median(self.lead_h[caught], np.vstack([once, draws[:, caught]]))


def alarm_sums(
    rows: Rows, patient: NDArray[np.int64], score: NDArray[np.floating], threshold: float | Floats
) -> AlarmSums:
    """Alarms at `score >= threshold`; `patient`, `score` (N,) of every row of the cohort, rows being hours; so may the
    threshold be, of which the median is told.
    """
    alarms = alarm_rows(patient, rows.measured & (score >= threshold), REFRACTORY_H)
    at = np.flatnonzero(alarms)
    who = patient[at]
    lead = np.full(rows.patients, np.nan)
    near = at[rows.near[at]]
    caught, first = np.unique(patient[near], return_index=True)
    lead[caught] = -rows.since[near[first]]
    return AlarmSums(
        float(np.median(threshold)),
        np.bincount(who, minlength=rows.patients).astype(np.float64),
        np.asarray(np.bincount(who, rows.right[at], rows.patients), np.float64),
        lead,
    )


class AlarmCurve:
    """A score's alarms at thresholds from never to almost always, of every patient, so that draws are cheap."""

    def __init__(self, rows: Rows, patient: NDArray[np.int64], score: NDArray[np.floating]) -> None:
        self.rows = rows
        self.points = [alarm_sums(rows, patient, score, cut) for cut in _thresholds(rows, patient, score)]
        self._sounded = np.array([point.sounded for point in self.points])
        self._caught = np.array([~np.isnan(point.lead_h) for point in self.points], np.float64)

    def rates(self, draws: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Sensitivity and alarms a patient-day at each threshold (1 + D, 1 + K), of all patients and of every draw; the
        first column is silence.
        """
        times = np.vstack([np.ones((1, draws.shape[1])), draws])
        caught, sounded = times @ self._caught.T, times @ self._sounded.T
        events, hours = times @ self.rows.event.astype(np.float64), times @ self.rows.hours
        with np.errstate(invalid="ignore", divide="ignore"):
            sensitivity, rate = caught / events[:, None], sounded / (hours[:, None] / DAY_H)
        silence = np.zeros((times.shape[0], 1))
        # Refractory hours can make a lower threshold catch one patient fewer; the curve keeps the better one's count.
        return np.maximum.accumulate(np.hstack([silence, sensitivity]), axis=1), np.hstack([silence, rate])

    def at(self, wanted: float, draws: NDArray[np.int64]) -> tuple[dict[str, Any], Floats]:
        """The figures at a sensitivity, and the alarms a patient-day of all patients and of every draw (1 + D,).

        The threshold is found again in every draw. `threshold` and the lead are those of the highest threshold that
        reaches the sensitivity; all NaN where none does.
        """
        sensitivity, rate = self.rates(draws)
        between = np.array([_at(wanted, *both) for both in zip(sensitivity, rate, strict=True)])
        reached = np.flatnonzero(sensitivity[0] >= wanted - 1e-12)
        if not reached.size or not reached[0]:
            return {"alarms_per_patient_day": float("nan"), "threshold": float("nan")}, between
        point = self.points[reached[0] - 1]
        leads = point.leads(draws)
        told = {
            "alarms_per_patient_day": float(between[0]),
            "alarms_per_patient_day_95": limits(between[1:]),
            "median_lead_h": float(leads[0]),
            "median_lead_h_95": limits(leads[1:]),
            "threshold": point.threshold,
            "sensitivity_at_threshold": float(sensitivity[0, reached[0]]),
            "alarms_per_patient_day_at_threshold": float(rate[0, reached[0]]),
        }
        return told, between

    def told(self) -> dict[str, list[float]]:
        """The curve for drawing: at each threshold the sensitivity, alarms a patient-day, precision, median lead."""
        nobody = np.zeros((0, self.rows.patients), np.int64)
        figures = [point.figures(self.rows, nobody) for point in self.points]
        names = ("sensitivity", "alarms_per_patient_day", "alarm_precision", "median_lead_h")
        columns = {name: [figure[name] for figure in figures] for name in names}
        return {"threshold": [point.threshold for point in self.points]} | columns


def fewer(mine: Floats, theirs: Floats) -> dict[str, Any]:
    """The share by which one score's alarms (1 + D,) are fewer than another's, with its paired interval."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 1 - mine / theirs
    return {"fewer": float(share[0]), "fewer_95": limits(share[1:])}


def _thresholds(rows: Rows, patient: NDArray[np.int64], score: NDArray[np.floating]) -> Floats:
    """Thresholds, falling, at which even shares of the patients with the event would be caught."""
    peak = np.full(rows.patients, -np.inf)
    np.maximum.at(peak, patient[rows.near], score[rows.near].astype(np.float64))
    peaks = np.sort(peak[np.isfinite(peak)])[::-1]
    places = np.linspace(0, peaks.size - 1, min(THRESHOLDS, peaks.size)).round().astype(np.int64)
    return np.unique(peaks[places])[::-1]


def _at(wanted: float, sensitivity: Floats, rate: Floats) -> float:
    """The rate on the straight line between the two points around a sensitivity; NaN where it is never reached."""
    reached = np.flatnonzero(sensitivity >= wanted - 1e-12)
    if not reached.size:
        return float("nan")
    high = int(reached[0])
    if high == 0:
        return float(rate[0])
    low, step = sensitivity[high - 1], sensitivity[high] - sensitivity[high - 1]
    return float(rate[high - 1] + (wanted - low) / step * (rate[high] - rate[high - 1]))

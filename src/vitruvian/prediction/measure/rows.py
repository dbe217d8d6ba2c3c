"""The rows on which a task is measured, and what an alarm in each of them is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.utility import EARLIEST_H, LATEST_H, HourValues, hour_values, sepsis_times
from vitruvian.prediction.tasks import Task

__all__ = ["Rows", "rows_of"]


@dataclass(frozen=True, slots=True)
class Rows:
    """N rows of a cohort, of which n are measured: scored, with a known label.

    `index` (n,) are their places, `label` (n,) 0 or 1, `patient` (n,); `patients` is P. `since` (N,): hours from the
    event, +inf where the patient has none (hourly tasks; the event is 6 h after the first label, as the Challenge
    defines it). `near` (N,): rows in the window that counts, from 12 h before the event to 3 h after; for a task told
    once a stay, the row of a stay with the outcome. `right` (N,): rows where an alarm is no false one: `near`, and but
    for sepsis by the Challenge every row that carries the label. `event` (P,): patients with one. `values` (N,): what
    each row is worth, for hourly tasks (nothing where it is not measured).
    """

    index: NDArray[np.int64]
    label: NDArray[np.int8]
    patient: NDArray[np.int64]
    patients: int
    measured: NDArray[np.bool_]
    since: NDArray[np.float64]
    near: NDArray[np.bool_]
    right: NDArray[np.bool_]
    event: NDArray[np.bool_]
    values: HourValues | None

    @property
    def hours(self) -> NDArray[np.float64]:
        """Measured rows of each patient (P,)."""
        return np.bincount(self.patient, minlength=self.patients).astype(np.float64)

    @property
    def values_scored(self) -> HourValues:
        """What each measured row (n,) is worth."""
        assert self.values is not None, "a task told once a stay has no hourly values"
        return HourValues(self.values.alarm[self.index], self.values.silence[self.index], self.values.best[self.index])


def rows_of(task: Task, cohort: Cohort) -> Rows:
    """The measured rows of a cohort. Raises ModelError where none is, or all have one label."""
    measured = cohort.measured
    index = np.flatnonzero(measured)
    label = cohort.label[index]
    if not index.size or not label.any() or label.all():
        raise ModelError(
            f"found {index.size} rows of {cohort.data} with a known label, {int(label.sum())} of them with the outcome,"
            " expected both kinds; give more patients"
        )
    hourly = task.moment == "hourly"
    event = np.zeros(cohort.patients, np.bool_)
    if hourly:
        since = sepsis_times(cohort.patient, cohort.label)
        near = measured & (since >= EARLIEST_H) & (since <= LATEST_H)
        event[cohort.patient[near]] = True
        worth = hour_values(cohort.patient, cohort.label)
        values = HourValues(*(np.where(measured, each, 0.0) for each in (worth.alarm, worth.silence, worth.best)))
    else:
        since, values = np.full(cohort.patient.size, np.inf), None
        near = measured & (cohort.label > 0)
        event[cohort.patient[near]] = True
    right = near if task.decision == "utility" else near | (measured & (cohort.label > 0))
    return Rows(index, label, cohort.patient[index], cohort.patients, measured, since, near, right, event, values)

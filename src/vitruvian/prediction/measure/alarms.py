"""What a threshold means on a ward: how many alarms, how many right, how early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vitruvian.prediction.measure.utility import EARLIEST_H, LATEST_H, sepsis_times

REFRACTORY_H: Final = 6  # after an alarm the patient is known to be at risk; it sounds no second time for so long


@dataclass(frozen=True, slots=True)
class AlarmFigures:
    """At one threshold. A sepsis counts as caught by an alarm from 12 h before its onset to 3 h after.

    `per_patient_day`: alarms, after the refractory period. `precision`: alarms that catch a sepsis. `sensitivity`:
    septic patients who were caught. `lead_h`: median hours from the first such alarm to the onset, of those caught.
    """

    threshold: float
    per_patient_day: float
    precision: float
    sensitivity: float
    lead_h: float


@njit(cache=True)
def alarm_rows(patient: NDArray[np.int64], above: NDArray[np.bool_], refractory: int) -> NDArray[np.bool_]:
    """Which hours (N,) sound an alarm: above the threshold, and none of the patient's within the refractory hours."""
    alarms = np.zeros(above.size, np.bool_)
    last = -refractory
    for i in range(above.size):
        if i > 0 and patient[i] != patient[i - 1]:
            last = i - refractory
        if above[i] and i - last >= refractory:
            alarms[i] = True
            last = i
    return alarms


def alarm_figures(
    patient: NDArray[np.int64], label: NDArray[np.int8], score: NDArray[np.floating], threshold: float
) -> AlarmFigures:
    """The figures of alarming at `score >= threshold`; rows as in `utility.sepsis_times`, one an hour."""
    since = sepsis_times(patient, label)
    alarms = alarm_rows(patient, score >= threshold, REFRACTORY_H)
    near = (since >= EARLIEST_H) & (since <= LATEST_H)
    right = alarms & near
    septic = np.unique(patient[near]).size
    caught, first = np.unique(patient[right], return_index=True)
    leads = -since[right][first]
    sounded = int(alarms.sum())
    return AlarmFigures(
        float(threshold),
        sounded / (patient.size / 24.0),
        float(right.sum()) / sounded if sounded else float("nan"),
        caught.size / septic if septic else float("nan"),
        float(np.median(leads)) if caught.size else float("nan"),
    )


def threshold_for_sensitivity(
    patient: NDArray[np.int64], label: NDArray[np.int8], score: NDArray[np.floating], wanted: float = 0.8
) -> float:
    """The highest threshold at which this share of septic patients is caught."""
    since = sepsis_times(patient, label)
    near = (since >= EARLIEST_H) & (since <= LATEST_H)
    peak = np.full(int(patient[-1]) + 1, -np.inf)
    np.maximum.at(peak, patient[near], score[near].astype(np.float64))
    peaks = np.sort(peak[np.isfinite(peak)])[::-1]
    return float(peaks[min(int(np.ceil(wanted * peaks.size)), peaks.size) - 1])

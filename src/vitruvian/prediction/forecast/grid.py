"""Hourly grids of vital signs: what a forecast knows of a patient, from a table of many or from a live tracker.

A row is an hour, a column a channel. Patients lie one after another, a day of empty rows before each, so that the last
day of any row is a plain slice that never reaches into someone else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import LimitError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals.concepts import MONITORED
from vitruvian.signals.kernels import HOUR_US, MEAN, NEVER_US
from vitruvian.signals.tracker import Tracker

__all__ = ["CHANNELS", "HORIZONS_H", "LIMITS", "PAST_HOURS", "VITALS", "Grid", "history_of", "windows"]

# Channel -> (limits within which a value counts as measured). They are narrower than the vocabulary's, which keep
# anything that an instrument can show: a line that is flushed or a probe that is off is no vital sign to be forecast.
LIMITS: Final[dict[str, tuple[float, float]]] = {
    "heart_rate": (10.0, 300.0),
    "mean_pressure": (20.0, 200.0),
    "respiratory_rate": (2.0, 80.0),
    "oxygen_saturation": (50.0, 100.0),
    "systolic_pressure": (30.0, 300.0),
    "diastolic_pressure": (10.0, 200.0),
    "body_temperature": (30.0, 43.0),
    "arterial_oxygen": (20.0, 700.0),
    "inspired_oxygen_fraction": (0.21, 1.0),
}
CHANNELS: Final = tuple(LIMITS)
VITALS: Final = CHANNELS[:4]  # what is forecast
HORIZONS_H: Final = (1, 3, 6)
PAST_HOURS: Final = 24  # an hour and the 23 before it: what the tracker keeps

# Channel -> monitored concepts whose hourly means it is made of, the first that has the hour.
_SOURCES: Final[dict[str, tuple[str, ...]]] = {
    "mean_pressure": ("mean_pressure_arterial", "mean_pressure"),
    "systolic_pressure": ("systolic_pressure_arterial", "systolic_pressure"),
    "diastolic_pressure": ("diastolic_pressure_arterial", "diastolic_pressure"),
}


@dataclass(frozen=True, slots=True)
class Grid:
    """Hours of many patients.

    `values` (R, 9) f4 by `CHANNELS` in the vocabulary's units, NaN = not measured. `patient` (R,) i8: number of the
    patient, -1 for an empty row between two. `age_years`, `male` (P,): NaN = not stated. `blood_gas` (R,) bool: the
    hour's saturation is of arterial blood, not of the pulse oximeter. `line` (R,) bool: its mean pressure is invasive.
    `ids` (P,): names in the source.
    """

    values: NDArray[np.float32]
    patient: NDArray[np.int64]
    age_years: NDArray[np.float64]
    male: NDArray[np.float64]
    blood_gas: NDArray[np.bool_]
    line: NDArray[np.bool_]
    ids: tuple[str, ...]

    def rows_of(self, patients: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows that are hours of these patients, rising."""
        return np.flatnonzero(np.isin(self.patient, patients))

    def targets(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """What came of the vital signs after each of N rows: (N, 4, 3), NaN where not measured or after the stay.

        Rows past the end of the table count as empty.
        """
        out = np.full((rows.size, len(VITALS), len(HORIZONS_H)), np.nan, np.float32)
        for place, ahead_h in enumerate(HORIZONS_H):
            later = np.minimum(rows + ahead_h, self.patient.size - 1)
            same = (rows + ahead_h < self.patient.size) & (self.patient[later] == self.patient[rows])
            out[same, :, place] = self.values[later[same], : len(VITALS)]
        return out


def lay_out(
    hours: Sequence[NDArray[np.float32]],
    age_years: NDArray[np.float64],
    male: NDArray[np.float64],
    flags: Sequence[NDArray[np.bool_]],
    ids: Sequence[str],
) -> Grid:
    """A grid of P patients from their own tables.

    `hours[p]` is (T_p, 9), every hour of the stay in order (NaN rows where nothing was measured), `flags[p]` (T_p, 2)
    is blood gas and line. Values outside `LIMITS` become NaN.
    """
    gap = np.full((PAST_HOURS, len(CHANNELS)), np.nan, np.float32)
    gap_flags = np.zeros((PAST_HOURS, 2), np.bool_)
    gap_patient = np.full(PAST_HOURS, -1, np.int64)
    values, marks, patient = [gap], [gap_flags], [gap_patient]
    for number, (table, flag) in enumerate(zip(hours, flags, strict=True)):
        values += [table.astype(np.float32), gap]
        marks += [flag, gap_flags]
        patient += [np.full(len(table), number, np.int64), gap_patient]
    joined, marked = np.concatenate(values), np.concatenate(marks)
    lowest, highest = (np.array([limit[side] for limit in LIMITS.values()], np.float32) for side in (0, 1))
    with np.errstate(invalid="ignore"):
        joined[(joined < lowest) | (joined > highest)] = np.nan
    return Grid(joined, np.concatenate(patient), age_years, male, marked[:, 0], marked[:, 1], tuple(ids))


def windows(grid: Grid, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The last day up to and with each of N rows: (N, 9, 24), the newest hour last.

    Raises LimitError for a row that is no hour of a patient.
    """
    if rows.size and (rows.min() < 0 or rows.max() >= grid.patient.size or (grid.patient[rows] < 0).any()):
        raise LimitError("found rows that are no hour of a patient; expected some of `Grid.rows_of`")
    view = np.lib.stride_tricks.sliding_window_view(grid.values, PAST_HOURS, axis=0)
    return view[rows - (PAST_HOURS - 1)]


def history_of(tracker: Tracker, rows: NDArray[np.int64], now_us: int) -> NDArray[np.float32]:
    """What a live tracker holds of N patients, as `windows` gives it: (N, 9, 24), the hour of `now_us` last.

    Hourly means of the de-noised signal. Of a pressure, the arterial line's where it has the hour, else the cuff's.
    The last hour is the one that is running: its mean is of what has come so far. Of what is no monitored vital sign
    (oxygen in the blood and in the air breathed), the newest value alone is held.
    """
    out = np.full((rows.size, len(CHANNELS), PAST_HOURS), np.nan, np.float32)
    hour = now_us // HOUR_US
    slots = {name: slot for slot, name in enumerate(MONITORED)}
    lowest, highest = (np.array([limit[side] for limit in LIMITS.values()], np.float32) for side in (0, 1))
    for place, channel in enumerate(CHANNELS):
        if channel not in slots:
            _put_newest(tracker, rows, hour, VOCABULARY[channel].index, out[:, place])
            continue
        for source in reversed(_SOURCES.get(channel, (channel,))):
            kept = tracker.hour[rows, slots[source]]
            age = hour - kept.astype(np.int64)
            n, bucket = np.nonzero((age >= 0) & (age < PAST_HOURS) & (tracker.hour_count[rows, slots[source]] > 0))
            at = PAST_HOURS - 1 - age[n, bucket]
            out[n, place, at] = tracker.hour_stats[rows[n], slots[source], bucket, MEAN]
    with np.errstate(invalid="ignore"):
        out[(out < lowest[:, None]) | (out > highest[:, None])] = np.nan
    return out


def _put_newest(tracker: Tracker, rows: NDArray[np.int64], hour: int, concept: int, out: NDArray[np.float32]) -> None:
    """The newest value of a concept into its hour of `out` (N, 24)."""
    at_us = tracker.last_us[rows, concept]
    age = hour - np.where(at_us == NEVER_US, 0, at_us) // HOUR_US
    held = (at_us != NEVER_US) & (age >= 0) & (age < PAST_HOURS)
    out[held, PAST_HOURS - 1 - age[held]] = tracker.last_value[rows[held], concept]

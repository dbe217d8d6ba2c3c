"""What a watch finds and how often it is wrong: injected anomalies against false alarms on stable patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.patterns.calibrate import Foretell, alarm_rate, scores_of
from vitruvian.prediction.patterns.inject import HOURS, Event, injected
from vitruvian.prediction.patterns.rule import Rule, alarms, any_flagged

__all__ = ["Candidate", "false_alarms", "flags", "found", "stable_patients"]

# A stable hour has every measured vital sign within these, in the vocabulary's unit.
STABLE: Final[dict[str, tuple[float, float]]] = {
    "heart_rate": (50, 110), "respiratory_rate": (8, 25), "oxygen_saturation": (92, 100),
    "body_temperature": (35.5, 38.5), "systolic_pressure": (90, 170), "diastolic_pressure": (40, 100),
    "mean_pressure": (60, 115),
}  # fmt: skip
STABLE_SHARE: Final = 0.95  # of a stable patient's hours
STABLE_HOURS_MIN: Final = 24


@dataclass(frozen=True, slots=True)
class Candidate:
    """A watch to be measured: how it foretells, the rule it was calibrated to, and the scores it may use, (3C + 1,)."""

    foretell: Foretell
    rule: Rule
    uses: NDArray[np.bool_]


def stable_patients(table: Table, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Patients among these rows who never become septic, stay a day and are within limits in 95 % of their hours."""
    low, high = (np.array([STABLE[name][side] for name in CHANNELS], np.float32) for side in (0, 1))
    with np.errstate(invalid="ignore"):
        calm = ~((table.running[rows] < low) | (table.running[rows] > high)).any(axis=1)
    who, place = np.unique(table.patient[rows], return_inverse=True)
    hours = np.bincount(place)
    share = np.bincount(place, calm) / hours
    septic = np.bincount(place, table.label[rows] > 0) > 0
    chosen: NDArray[np.int64] = who[(share >= STABLE_SHARE) & (hours >= STABLE_HOURS_MIN) & ~septic]
    return chosen


def flags(candidate: Candidate, table: Table, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,): whether anything is flagged at each row."""
    return any_flagged(scores_of(candidate.foretell, table, rows), candidate.rule, candidate.uses)


def false_alarms(
    flag: NDArray[np.bool_], table: Table, rows: NDArray[np.int64], draws: int, random: np.random.Generator
) -> tuple[float, float, float]:
    """Alarms a patient-day on these rows, with a 95 % interval over patients."""
    place = np.unique(table.patient[rows], return_inverse=True)[1]
    started = np.bincount(place, alarms(flag, table.patient[rows], table.hour[rows]))
    hours = np.bincount(place)
    chosen = random.integers(0, hours.size, (draws, hours.size))
    low, high = np.quantile(24 * started[chosen].sum(axis=1) / hours[chosen].sum(axis=1), (0.025, 0.975))
    return alarm_rate(flag, table, rows), float(low), float(high)


def found(candidate: Candidate, table: Table, events: list[Event]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(events,): whether each was flagged within its hours, and whether the same hours were without it."""
    changed, rows = injected(table, events)
    own = np.array([np.arange(event.start, event.start + HOURS) for event in events]).reshape(-1)
    starts = np.arange(0, own.size, HOURS)
    with_it, without = flags(candidate, changed, rows), flags(candidate, table, own)
    return np.logical_or.reduceat(with_it, starts), np.logical_or.reduceat(without, starts)

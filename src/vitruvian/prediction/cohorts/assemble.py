"""Common ground of the readers: rows without gaps, samples from columns, hours of what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.prediction.cohorts.base import ORIGIN_US, Samples
from vitruvian.signals.tracker import Tracker

__all__ = ["HOURS_MAX", "Ints", "Step", "hours_up_to", "hours_within", "per_hour", "replayed", "sorted_samples"]

Ints = NDArray[np.int64]
HOURS_MAX: Final = 24 * 90  # of one stay; later hours are left out, so that one wrong date cannot fill the memory


@dataclass(frozen=True, slots=True)
class Step:
    """One hour of a replay: the tracker as it stands at `now_us`, the rows that are there and whose they are."""

    tracker: Tracker
    hour: int
    now_us: int
    rows: Ints
    patient: Ints


def hours_up_to(last: Ints) -> tuple[Ints, Ints]:
    """Rows of patients who stay from hour 1 to hour `last` (P,): patient (N,) and hour (N,)."""
    return hours_within(np.ones_like(last), last)


def hours_within(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Rows from hour `first` to hour `last` of each patient (P,), at most HOURS_MAX of each."""
    if (last < first).any():
        raise ReadingError(f"found {int((last < first).sum())} stays that end before they begin, expected none")
    lengths = np.minimum(last - first + 1, HOURS_MAX)
    begin = np.cumsum(lengths) - lengths
    patient = np.repeat(np.arange(lengths.size), lengths)
    return patient, np.arange(int(lengths.sum())) - begin[patient] + first[patient]


def sorted_samples(patient: Ints, concept: Ints, at_us: Ints, value: NDArray[np.float64]) -> Samples:
    """Samples by patient and time, those that are no numbers left out."""
    kept = np.flatnonzero(np.isfinite(value))
    order = kept[np.lexsort((at_us[kept], patient[kept]))]
    return Samples(patient[order], concept[order], at_us[order], value[order].astype(np.float64))


def per_hour(patient: Ints, hour: Ints, of: Ints, at_hour: Ints) -> Ints:
    """The row of each (patient, hour) asked for (M,), by rows as in a cohort; -1 where there is none."""
    count = int(patient[-1]) + 1
    starts, ends = np.searchsorted(patient, np.arange(count)), np.searchsorted(patient, np.arange(count), "right")
    row = starts[of] + at_hour - hour[starts[of]]
    inside = (row >= starts[of]) & (row < ends[of])
    return np.where(inside, row, -1)


def replayed(patient: Ints, hour: Ints, samples: Samples) -> Iterator[Step]:
    """Push samples through a tracker hour by hour; at each hour nothing later than it is in."""
    due = -((ORIGIN_US - samples.at_us) // HOUR_US)
    order = np.lexsort((samples.at_us, samples.patient, due))
    due = due[order]
    tracker = Tracker(int(patient[-1]) + 1)
    by_hour = np.argsort(hour, kind="stable")
    place = 0
    for rows in np.split(by_hour, np.flatnonzero(np.diff(hour[by_hour])) + 1):
        now = int(hour[rows[0]])
        end = int(np.searchsorted(due, now, side="right"))
        mine = order[place:end]
        tracker.update(samples.patient[mine], samples.concept[mine], samples.at_us[mine], samples.value[mine])
        place = end
        yield Step(tracker, now, ORIGIN_US + now * HOUR_US, rows, patient[rows])

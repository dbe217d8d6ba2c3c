"""Common ground of the readers: rows without gaps, and samples from columns."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.prediction.cohorts.base import Samples

__all__ = ["HOURS_MAX", "Ints", "hours_up_to", "hours_within", "per_hour", "sorted_samples"]

Ints = NDArray[np.int64]
HOURS_MAX: Final = 24 * 90  # of one stay; later hours are left out, so that one wrong date cannot fill the memory


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

"""What is known now of each patient's signals, as columns: one row a patient, a struct of arrays.

The tracker is the memory behind scores and features. It is fed one sample after another (a stream) or millions
at once (a table); both go through the same compiled loop, so they leave the same bits. A row depends on its own
samples only, and within a row each concept depends on its own samples only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import LimitError
from vitruvian.signals.concepts import TABLES
from vitruvian.signals.kernels import LATE, NEVER_US, OUTLIER, REJECTED, RING, STAY_STATS, TAKEN, update_rows

__all__ = ["HOURS", "LATE", "NEVER_US", "OUTLIER", "REJECTED", "TAKEN", "Tracker"]

HOURS: Final = 25  # hourly buckets a monitored vital sign keeps: a day, and the hour that is running
IMPLAUSIBLE_FLAG: Final = 2  # bit of a sample's quality

# Name -> (columns beyond the row, type, value of a row that has seen nothing).
_CONCEPTS: Final = len(TABLES.lowest)
_LAYOUT: Final[Mapping[str, tuple[tuple[int, ...], type, float | int]]] = {
    "last_value": ((_CONCEPTS,), np.float64, np.nan),
    "last_us": ((_CONCEPTS,), np.int64, NEVER_US),
    "trend_value": ((_CONCEPTS,), np.float64, np.nan),
    "previous_value": ((TABLES.labs,), np.float64, np.nan),
    "previous_us": ((TABLES.labs,), np.int64, NEVER_US),
    "ring_value": ((TABLES.slots, RING), np.float64, np.nan),
    "ring_us": ((TABLES.slots, RING), np.int64, NEVER_US),
    "ring_state": ((TABLES.slots, 2), np.int16, 0),
    "hour": ((TABLES.slots, HOURS), np.int32, -(2**31)),
    "hour_count": ((TABLES.slots, HOURS), np.int32, 0),
    "hour_stats": ((TABLES.slots, HOURS, 2), np.float32, np.nan),
    "stay_count": ((TABLES.stays,), np.int32, 0),
    "stay_time": ((TABLES.stays,), np.float64, 0.0),
    "stay_stats": ((TABLES.stays, STAY_STATS), np.float32, np.nan),
    "first_us": ((), np.int64, NEVER_US),
    "tests": ((), np.int32, 0),
    "rejected": ((), np.int32, 0),
    "outliers": ((), np.int32, 0),
}


class Tracker:
    """Signals of `rows` patients.

    Attributes (n rows, C concepts of the vocabulary by `Concept.index`, V monitored vital signs, L labs):
        last_value: (n, C) f8, the latest plausible value as it was sent, in the concept's unit; NaN = none yet.
        last_us: (n, C) i8, when it occurred; NEVER_US = none yet.
        trend_value: (n, C) f8, the same after the causal Hampel filter (differs only for monitored vitals).
        previous_value, previous_us: (n, L) the lab's value before that one.
        ring_value, ring_us, ring_state: (n, V, 7) and (n, V, 2), the filter's memory: raw values.
        hour, hour_count, hour_stats: (n, V, 25[, 2]) hourly mean and last of the trend.
        stay_count, stay_time, stay_stats: (n, S[, 9]) each followed signal since its first value, but for the hour
            that runs or the latest value: how many, their mean hour since the epoch, and `kernels.FIRST` ...
        first_us: (n,) the earliest sample; tests: (n,) lab results taken.
        rejected, outliers: (n,) samples refused as implausible, and samples that the filter replaced.
    """

    last_value: NDArray[np.float64]
    last_us: NDArray[np.int64]
    trend_value: NDArray[np.float64]
    previous_value: NDArray[np.float64]
    previous_us: NDArray[np.int64]
    ring_value: NDArray[np.float64]
    ring_us: NDArray[np.int64]
    ring_state: NDArray[np.int16]
    hour: NDArray[np.int32]
    hour_count: NDArray[np.int32]
    hour_stats: NDArray[np.float32]
    stay_count: NDArray[np.int32]
    stay_time: NDArray[np.float64]
    stay_stats: NDArray[np.float32]
    first_us: NDArray[np.int64]
    tests: NDArray[np.int32]
    rejected: NDArray[np.int32]
    outliers: NDArray[np.int32]

    def __init__(self, rows: int) -> None:
        for name, (shape, kind, empty) in _LAYOUT.items():
            setattr(self, name, np.full((rows, *shape), empty, kind))

    @property
    def rows(self) -> int:
        """How many patients there is room for."""
        return int(self.first_us.shape[0])

    @property
    def row_bytes(self) -> int:
        """Memory of one patient, in bytes."""
        return row_bytes()

    def grow(self, rows: int) -> None:
        """Make room for at least `rows` patients in all; new rows have seen nothing.

        Room grows by at least half, so that patients who arrive one by one cost a constant each.
        """
        if rows <= self.rows:
            return
        room, held = max(rows, self.rows + self.rows // 2), self.rows
        for name, (shape, kind, empty) in _LAYOUT.items():
            wider: NDArray[np.generic] = np.full((room, *shape), empty, kind)
            wider[:held] = getattr(self, name)
            setattr(self, name, wider)

    def reset(self, rows: NDArray[np.int64]) -> None:
        """Forget everything of these rows."""
        for name, (_, _, empty) in _LAYOUT.items():
            getattr(self, name)[rows] = empty

    def copy_rows(self, source: Tracker, rows: NDArray[np.int64], source_rows: NDArray[np.int64] | None = None) -> None:
        """Set `rows` to what `source` holds in `source_rows` (the same numbers where none are given)."""
        taken = rows if source_rows is None else source_rows
        for name in _LAYOUT:
            getattr(self, name)[rows] = getattr(source, name)[taken]

    def update(
        self,
        row: NDArray[np.int64],
        concept: NDArray[np.integer],
        occurred_us: NDArray[np.int64],
        value: NDArray[np.float64],
        quality: NDArray[np.integer] | None = None,
    ) -> NDArray[np.uint8]:
        """Take samples in order; columns of equal length N. Returns the outcome of each, (N,) u1.

        TAKEN; REJECTED (outside the plausible range, flagged implausible, or not a number: counted, and kept
        nowhere here); OUTLIER (raw in `last_value`, the median of its recent past in the trend); LATE (older
        than what its row and concept already hold: not taken; rewind the row and feed it again in order).

        The order that matters is that of a concept within a row: by instant, ties by the sample's `order`. A
        sample at the instant of the last one replaces it. Raises LimitError for a row or concept that is not
        there, or columns of unequal length; nothing is taken then.
        """
        row = np.ascontiguousarray(row, np.int64)
        index: NDArray[np.int64] = np.ascontiguousarray(concept, np.int64)
        if not row.shape == index.shape == occurred_us.shape == value.shape:
            raise LimitError("found sample columns of unequal length, expected one value each; fix the caller")
        if row.size and not (row.min() >= 0 and row.max() < self.rows):
            raise LimitError(f"found rows {row.min()} to {row.max()}, expected 0 to {self.rows - 1}; grow first")
        if row.size and not (index.min() >= 0 and index.max() < _CONCEPTS):
            raise LimitError(f"found concepts {index.min()} to {index.max()}, expected < {_CONCEPTS}")
        if quality is None:
            refused = np.zeros(row.shape, np.bool_)
        else:
            refused = (quality & IMPLAUSIBLE_FLAG) != 0
        outcome: NDArray[np.uint8] = update_rows(
            row,
            index,
            np.ascontiguousarray(occurred_us, np.int64),
            np.ascontiguousarray(value, np.float64),
            refused,
            TABLES.kernel,
            (self.last_value, self.last_us, self.trend_value, self.previous_value, self.previous_us),
            (self.ring_value, self.ring_us, self.ring_state),
            (self.hour, self.hour_count, self.hour_stats),
            (self.stay_count, self.stay_time, self.stay_stats),
            (self.first_us, self.tests, self.rejected, self.outliers),
        )
        return outcome

    def digest(self, row: int) -> bytes:
        """A 16-byte BLAKE2b digest of all that is kept of a row; equal rows of any two trackers agree."""
        state = hashlib.blake2b(digest_size=16)
        for name in _LAYOUT:
            state.update(np.ascontiguousarray(getattr(self, name)[row]).tobytes())
        return state.digest()

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Every column by name (not copies); `from_arrays` takes them back."""
        return {name: getattr(self, name) for name in _LAYOUT}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Tracker:
        """A tracker that holds these columns. Raises LimitError where they are not of this layout."""
        tracker = cls(0)
        rows = len(arrays["first_us"]) if "first_us" in arrays else 0
        for name, (shape, kind, _) in _LAYOUT.items():
            column = arrays.get(name)
            if column is None or column.shape != (rows, *shape):
                found = None if column is None else column.shape
                raise LimitError(
                    f"found tracker column {name} of shape {found}, expected {(rows, *shape)}: it was kept by"
                    " another version; rebuild it from the journal"
                )
            setattr(tracker, name, np.ascontiguousarray(column, kind))
        return tracker


def row_bytes() -> int:
    """Memory of one patient, in bytes."""
    return sum(int(np.prod(shape)) * np.dtype(kind).itemsize for shape, kind, _ in _LAYOUT.values())

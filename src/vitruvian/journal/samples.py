"""Columns of values, as the series keeps them and as the twin is fed.

One entry's values at one instant are one row of the series: `PACKED` records side by side in a blob, twelve
bytes a value. Columns are built from joined blobs at once, never value by value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from vitruvian.core.events import Receipt

CLOCK_SKEW: Final = 1
IMPLAUSIBLE: Final = 2
PRELIMINARY: Final = 4
COMPARATOR: Final = 8

PACKED: Final = np.dtype([("concept", "<u2"), ("quality", "u1"), ("pad", "u1"), ("value", "<f8")])
PACKED_FORMAT: Final = "HBxd"
ORDER_BIAS: Final = 1 << 63  # SQLite's integers are signed: an order is stored less this

# patient, occurred_us, order (stored), known_us, seq, blob
Row = tuple[int, int, int, int, int, bytes]


class Samples(msgspec.Struct, eq=False):
    """Columns of equal length.

    `order` breaks ties at one instant, the same whatever the order of arrival; `known_us` is when the source
    issued the value, else when it was recorded. `quality` holds bits: 1 clock skew, 2 outside the plausible
    range, 4 preliminary, 8 a bound (`<5`) rather than a value. Values are in the concept's unit; an infusion
    is its rate at its start and 0.0 at its end, a bolus its amount.
    """

    patient: NDArray[np.int64]
    concept: NDArray[np.int16]
    occurred_us: NDArray[np.int64]
    order: NDArray[np.uint64]
    known_us: NDArray[np.int64]
    value: NDArray[np.float64]
    quality: NDArray[np.uint8]
    seq: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.patient)

    def take(self, which: NDArray[np.bool_] | NDArray[np.int64]) -> Samples:
        """The rows of a mask or of positions."""
        return Samples(*(getattr(self, name)[which] for name in self.__struct_fields__))

    def sorted(self) -> Samples:
        """In canonical order: patient, occurred, order, concept; what one entry says twice stays as it said it."""
        return self.take(np.lexsort((self.concept, self.order, self.occurred_us, self.patient)))


class Commit(msgspec.Struct, eq=False):
    """What one transaction changed; given only after it is durable.

    `samples` are newly live, plain additions of patients who are not in `rebuild`, in canonical order.
    `rebuild` are patients whose past changed otherwise (a correction, a merge or its undoing, a device's
    association): read their series again. A patient in `rebuild` whom `Journal.survivor` maps to another has
    been merged away. `visits` are patients whose demographics, encounter or bed changed.
    """

    receipts: list[Receipt]
    first_seq: int
    last_seq: int
    recorded_us: int
    samples: Samples
    rebuild: set[int]
    visits: set[int]


def empty_samples() -> Samples:
    """No rows."""
    return from_rows(())


def from_rows(rows: Sequence[Row]) -> Samples:
    """Columns of series rows, sorted canonically."""
    count = len(rows)
    columns = np.fromiter((number for row in rows for number in row[:5]), dtype=np.int64, count=5 * count).reshape(
        count, 5
    )
    blobs = [row[5] for row in rows]
    return from_columns(columns, blobs).sorted()


def from_columns(columns: NDArray[np.int64], blobs: Sequence[bytes]) -> Samples:
    """Columns from `columns` (n, 5) of patient, occurred, stored order, known, seq, and one blob a row; unsorted."""
    packed = np.frombuffer(b"".join(blobs), dtype=PACKED)
    sizes = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs)) // PACKED.itemsize
    wide = np.repeat(columns, sizes, axis=0)
    order = wide[:, 2].astype(np.uint64) ^ np.uint64(ORDER_BIAS)
    return Samples(
        patient=wide[:, 0].copy(),
        concept=packed["concept"].astype(np.int16),
        occurred_us=wide[:, 1].copy(),
        order=order,
        known_us=wide[:, 3].copy(),
        value=packed["value"].astype(np.float64),
        quality=packed["quality"].copy(),
        seq=wide[:, 4].copy(),
    )

"""Which rows a step of the fit takes, and the hours before them.

A recurrent network runs once over a stretch of hours and is asked at each of the last ones: every row is learnt once
an epoch, with 12 to 23 closed hours before it where the stay has them. Where only a few rows are learnt (one a stay),
each has a stretch of its own, as it is served. Networks that read windows get one for each row of a sample.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.inputs.hours import CONTEXT_H
from vitruvian.prediction.inputs.table import Table, windows

__all__ = ["Batch", "stretches", "window_batches"]

_SPAN: Final = CONTEXT_H // 2  # rows learnt of a stretch
_DENSE: Final = 0.25  # from this share of a patient's rows on, stretches are shared


@dataclass(frozen=True, slots=True)
class Batch:
    """n rows to learn and m sequences. `rows` (n,); `hours` (m, L, C): hours of each sequence, the oldest first.

    Of a recurrent network these are closed hours; row i comes after the first `step[i]` of sequence `of[i]`, and
    `running` (n, C) is its own hour. Of a window network m = n and the window holds all.
    """

    rows: NDArray[np.int64]
    hours: NDArray[np.float32]
    of: NDArray[np.int64]
    step: NDArray[np.int64]
    running: NDArray[np.float32]


def stretches(
    table: Table, rows: NDArray[np.int64], batch_rows: int, random: np.random.Generator
) -> list[Batch]:  # fmt: skip
    """Batches for a recurrent network; `rows` rise."""
    starts = np.searchsorted(table.patient, table.patient[rows])
    patients = np.unique(table.patient[rows])
    lengths = np.diff(np.searchsorted(table.patient, np.append(patients, patients[-1] + 1)))
    span = _SPAN if rows.size >= _DENSE * lengths.sum() else 1
    phase = random.integers(0, span, int(table.patient[-1]) + 1)[table.patient[rows]]
    block = (rows - starts + phase) // span
    key = np.flatnonzero(np.diff(block, prepend=-1) | np.diff(table.patient[rows], prepend=-1))
    ends = np.append(key[1:], rows.size)
    order = random.permutation(key.size)
    parts = np.array_split(order, max(1, min(order.size, round(rows.size / batch_rows))))
    return [_stretch(table, rows, starts, [np.arange(key[one], ends[one]) for one in part], span) for part in parts]


def _stretch(
    table: Table, rows: NDArray[np.int64], starts: NDArray[np.int64], blocks: list[NDArray[np.int64]], span: int
) -> Batch:
    head, last = [block[0] for block in blocks], rows[[block[-1] for block in blocks]]
    begin = np.maximum(starts[head], rows[head] - CONTEXT_H + 1 + span)
    # Rows `begin` to `last`, each with the hour closed before it; what lies beyond `last` is never asked.
    at = begin[:, None] + np.arange(int((last - begin).max()) + 1)
    took = np.concatenate([rows[block] for block in blocks])
    of = np.repeat(np.arange(len(blocks)), [block.size for block in blocks])
    hours = table.closed[np.minimum(at, last[:, None])]
    return Batch(took, hours, of, took - begin[of] + 1, table.running[took])


def window_batches(
    table: Table, rows: NDArray[np.int64], batch_rows: int, most: int, random: np.random.Generator
) -> list[Batch]:
    """Batches for a window network: a fresh sample of at most `most` rows."""
    order = random.permutation(rows)[:most]
    parts = np.array_split(order, max(1, round(order.size / batch_rows)))
    own = [np.arange(part.size) for part in parts]
    return [Batch(p, windows(table, p), o, o, table.running[p]) for p, o in zip(parts, own, strict=True)]

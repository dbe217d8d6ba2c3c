"""A journal in memory, for tests of the twins that need no disk: the same answers as the real one gives."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal.samples import Commit, Samples

T0_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US

Row = tuple[int, int, int, int, int, float, int]  # patient, concept, occurred, order, known, value, quality


def index(name: str) -> int:
    return VOCABULARY[name].index


def samples(rows: Sequence[Row], seqs: Sequence[int]) -> Samples:
    """Columns of rows, in the journal's order."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    kinds = (np.int64, np.int16, np.int64, np.uint64, np.int64, np.float64, np.uint8)
    made = [np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    return Samples(*made, np.array(seqs, np.int64)).sorted()


class MemoryJournal:
    """Rows as they were committed; `commit` gives what a journal gives for a plain addition."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.seqs: list[int] = []
        self.merged: dict[int, int] = {}
        self.people: dict[int, Any] = {}

    def commit(self, rows: Sequence[Row], *, rebuild: Sequence[int] = (), visits: Sequence[int] = ()) -> Commit:
        first = len(self.rows) + 1
        seqs = list(range(first, first + len(rows)))
        self.rows += rows
        self.seqs += seqs
        keep = [i for i, row in enumerate(rows) if row[0] not in rebuild]
        fresh = samples([rows[i] for i in keep], [seqs[i] for i in keep])
        return Commit([], first, len(self.rows), 0, fresh, set(rebuild), set(visits))

    def series(
        self,
        pid: int,
        *,
        concepts: Sequence[int] | None = None,
        start_us: int,
        end_us: int,
        known_by_us: int | None = None,
    ) -> Samples:
        keep = [
            i
            for i, row in enumerate(self.rows)
            if self.survivor(row[0]) == pid
            and start_us <= row[2] < end_us
            and (concepts is None or row[1] in concepts)
            and (known_by_us is None or row[4] <= known_by_us)
        ]
        return samples([(pid, *self.rows[i][1:]) for i in keep], [self.seqs[i] for i in keep])

    def survivor(self, pid: int) -> int:
        while pid in self.merged:
            pid = self.merged[pid]
        return pid

    def patient_of(self, pid: int) -> Any:
        return SimpleNamespace(pid=pid, person=self.people.get(pid))

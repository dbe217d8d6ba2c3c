"""A cohort as the numbers a model learns from: pushed through the ward's own tracker, hour by hour, as a stream.

A row's numbers come from samples up to its hour and from nothing later. Beside the columns stand hourly means of the
vital signs, from which sequences are cut; live, the tracker gives the same (`grid`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import HOUR_US
from vitruvian.prediction.cohorts.base import ORIGIN_US, Cohort
from vitruvian.prediction.inputs.blocks import Asked, columns
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H, hourly
from vitruvian.signals.tracker import Tracker

__all__ = ["Step", "Table", "replay", "table_of", "windows"]

Say = Callable[[str], None]
SILENT: Final[Say] = lambda _: None  # noqa: E731


@dataclass(frozen=True, slots=True)
class Table:
    """N rows, as in the cohort. `values` (N, F) f4 by `names`, NaN = missing. `running` (N, C) f4: the mean of each
    vital sign (`CHANNELS`) in the hour that runs; `closed` (N, C): in the hour before it. `samples` were pushed, of
    which `rejected` were implausible.
    """

    names: tuple[str, ...]
    values: NDArray[np.float32]
    running: NDArray[np.float32]
    closed: NDArray[np.float32]
    patient: NDArray[np.int64]
    hour: NDArray[np.int64]
    label: NDArray[np.int8]
    scored: NDArray[np.bool_]
    samples: int
    rejected: int

    def columns(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Places of the named columns. Raises KeyError for one that is not here."""
        places = {name: place for place, name in enumerate(self.names)}
        return np.array([places[name] for name in names], np.int64)

    def of(self, kept: NDArray[np.bool_]) -> Table:
        """The rows (N,) of some patients, who must be whole; renumbered in their order here."""
        patient = np.unique(self.patient[kept], return_inverse=True)[1].astype(np.int64)
        parts = (self.values, self.running, self.closed)
        values, running, closed = (part[kept] for part in parts)
        return Table(
            self.names, values, running, closed, patient, self.hour[kept], self.label[kept], self.scored[kept],
            self.samples, self.rejected,
        )  # fmt: skip


def table_of(cohort: Cohort, names: Sequence[str], say: Say = SILENT) -> Table:
    """The named columns at every row of a cohort."""
    count = cohort.patient.size
    values = np.empty((count, len(names)), np.float32)
    running, closed = (np.full((count, len(CHANNELS)), np.nan, np.float32) for _ in range(2))
    pushed = rejected = 0
    for step in replay(cohort):
        values[step.rows] = columns(names, step.asked)
        closed[step.rows], running[step.rows] = hourly(step.asked.tracker, step.asked.rows, step.asked.now_us)
        pushed, rejected = pushed + step.samples, int(step.asked.tracker.rejected.sum())
        say(f"hour {step.hour}: {step.rows.size:,} patients")
    return Table(
        tuple(names), values, running, closed, cohort.patient, cohort.hour, cohort.label, cohort.scored, pushed,
        rejected,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """An hour of the stay just pushed: the cohort's `rows` (n,) of that hour, what is `asked` of their patients now,
    and how many `samples` were pushed for it.
    """

    hour: int
    rows: NDArray[np.int64]
    asked: Asked
    samples: int


def replay(cohort: Cohort) -> Iterator[Step]:
    """Push a cohort through a tracker hour by hour, as a stream; what is asked at a step sees nothing later."""
    tracker = Tracker(cohort.patients)
    samples, cuts, hours = _by_hour(cohort)
    order = np.argsort(cohort.hour, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(cohort.hour[order])) + 1):
        hour = int(cohort.hour[rows[0]])
        part = slice(cuts[np.searchsorted(hours, hour)], cuts[np.searchsorted(hours, hour, side="right")])
        mine = samples[part]
        took = cohort.samples
        tracker.update(took.patient[mine], took.concept[mine], took.at_us[mine], took.value[mine])
        who, now_us = cohort.patient[rows], ORIGIN_US + hour * HOUR_US
        asked = Asked(
            tracker,
            who,
            np.full(who.size, now_us, np.int64),
            cohort.age_years[who],
            cohort.male[who],
            {name: column[who] for name, column in cohort.admission.items()},
        )
        yield Step(hour, rows, asked, mine.size)


def _by_hour(cohort: Cohort) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Samples in the order they are pushed; the hours at which some are, and where each hour's begin (one more end).

    A sample is pushed at its patient's first row that is not before it; one after the last row is left out.
    """
    took = cohort.samples
    first, last = (np.zeros(cohort.patients, np.int64) for _ in range(2))
    first[cohort.patient[::-1]], last[cohort.patient] = cohort.hour[::-1], cohort.hour
    due = np.maximum(-((ORIGIN_US - took.at_us) // HOUR_US), first[took.patient])
    kept = np.flatnonzero(due <= last[took.patient])
    order = kept[np.lexsort((took.at_us[kept], took.patient[kept], due[kept]))]
    hours, starts = np.unique(due[order], return_index=True)
    return order, np.append(starts, order.size).astype(np.int64), hours


def windows(table: Table, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """The last `CONTEXT_H` hours of vital signs up to each of n rows: (n, CONTEXT_H, C) f4, the running hour last.

    Hours before the patient's first row are NaN; live, `hours.window` gives the same from the tracker.
    """
    out = np.full((rows.size, CONTEXT_H, len(CHANNELS)), np.nan, np.float32)
    out[:, -1] = table.running[rows]
    for back in range(CONTEXT_H - 1):
        source = rows - back
        same = (source >= 0) & (table.patient[np.maximum(source, 0)] == table.patient[rows])
        out[same, -2 - back] = table.closed[source[same]]
    return out

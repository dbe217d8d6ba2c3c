"""Anomalies of known kind and size put into recorded hours, to measure what a watch finds. Pure.

step   a value jumps by a size and stays there
drift  it moves there in equal parts
swap   two channels change places (leads or labels mixed up)
flat   a value stays exactly what it was
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.inputs.table import Table

__all__ = ["HOURS", "KINDS", "SIZES", "SWAPS", "Event", "events_of", "injected"]

Columns = NDArray[np.float32]
Kind = Literal["step", "drift", "swap", "flat"]
KINDS: Final[tuple[Kind, ...]] = ("step", "drift", "swap", "flat")
HOURS: Final = 8  # that an anomaly lasts
BEFORE: Final = 24  # hours of the patient's own before it
# A full size, in the vocabulary's unit; its sign is drawn, but for saturation, which falls.
SIZES: Final[dict[str, float]] = {
    "heart_rate": 30.0, "respiratory_rate": 10.0, "oxygen_saturation": -8.0, "body_temperature": 1.5,
    "systolic_pressure": 35.0, "diastolic_pressure": 20.0, "mean_pressure": 25.0,
}  # fmt: skip
SWAPS: Final = (("heart_rate", "mean_pressure"), ("systolic_pressure", "diastolic_pressure"))


@dataclass(frozen=True, slots=True)
class Event:
    """From row `start` of a table on, `HOURS` long: a kind, its channel (of a swap, both), and its size."""

    start: int
    kind: Kind
    channel: int
    other: int
    size: float


def events_of(
    table: Table, patients: NDArray[np.int64], kind: Kind, share: float, random: np.random.Generator
) -> list[Event]:
    """One event of each patient who has hours enough and the channel measured at its start; `share` of a full size."""
    events = []
    for patient in patients:
        first, end = np.searchsorted(table.patient, (patient, patient + 1))
        if end - first < BEFORE + HOURS:
            continue
        start = int(random.integers(first + BEFORE, end - HOURS + 1))
        channel, other, size = _drawn(kind, share, random)
        if not np.isnan(table.running[start, [channel, other]]).any():
            events.append(Event(start, kind, channel, other, size))
    return events


def _drawn(kind: Kind, share: float, random: np.random.Generator) -> tuple[int, int, float]:
    if kind == "swap":
        one, two = SWAPS[int(random.integers(len(SWAPS)))]
        return CHANNELS.index(one), CHANNELS.index(two), 0.0
    channel = int(random.integers(len(CHANNELS)))
    size = SIZES[CHANNELS[channel]] * share
    if CHANNELS[channel] != "oxygen_saturation":
        size *= float(random.choice((-1.0, 1.0)))
    return channel, channel, size


def injected(table: Table, events: list[Event]) -> tuple[Table, NDArray[np.int64]]:
    """Each event as a patient of its own: `BEFORE` hours as recorded, then `HOURS` with the anomaly; and the rows (n,)
    of the latter. The table must hold samples that came on the hour, as the Challenge's do: an hour's closed mean is
    then what it was while it ran.
    """
    span = BEFORE + HOURS
    rows = np.array([np.arange(event.start - BEFORE, event.start + HOURS) for event in events]).reshape(-1, span)
    running = table.running[rows]
    for place, event in enumerate(events):
        running[place, BEFORE:] = _changed(running[place, BEFORE:], event)
    closed = np.concatenate([table.closed[rows[:, :1]], running[:, :-1]], axis=1)
    count = rows.size
    made = Table(
        (), np.empty((count, 0), np.float32), running.reshape(count, -1), closed.reshape(count, -1),
        np.repeat(np.arange(len(events)), span), table.hour[rows].reshape(-1), np.zeros(count, np.int8),
        np.ones(count, np.bool_), 0, 0,
    )  # fmt: skip
    return made, np.flatnonzero(np.tile(np.arange(span) >= BEFORE, len(events)))


def _changed(hours: Columns, event: Event) -> Columns:
    """(HOURS, C) with the anomaly; what was not measured stays so, and values stay plausible."""
    out, channel = hours.copy(), event.channel
    if event.kind == "swap":
        out[:, [channel, event.other]] = hours[:, [event.other, channel]]
        return out
    if event.kind == "flat":
        out[:, channel] = np.where(np.isnan(hours[:, channel]), np.nan, hours[0, channel])
        return out
    part = np.ones(HOURS) if event.kind == "step" else np.arange(1, HOURS + 1) / HOURS
    low, high = VOCABULARY[CHANNELS[channel]].plausible
    out[:, channel] = np.clip(hours[:, channel] + event.size * part, low, high)
    return out

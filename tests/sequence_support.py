"""Small made-up tables for tests of sequence models."""

from __future__ import annotations

import numpy as np

from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.inputs.table import Table

NAMES = ("heart_rate", "heart_rate_mean_6h", "lactate", "shock_index")


def made_up(patients: int = 120, hours: int = 30, seed: int = 0, pattern: bool = True) -> Table:
    """Vital signs of noise, a third of them not measured; columns that are noise too, a fifth of them missing.

    With `pattern` the label says whether the heart rate two and three hours ago was high: nothing of the row tells it.
    """
    random = np.random.default_rng(seed)
    count = patients * hours
    patient = np.repeat(np.arange(patients), hours)
    hour = np.tile(np.arange(1, hours + 1), patients)
    closed = (random.standard_normal((count, len(CHANNELS))) * 10 + 80).astype(np.float32)
    running = (random.standard_normal((count, len(CHANNELS))) * 10 + 80).astype(np.float32)
    values = random.standard_normal((count, len(NAMES))).astype(np.float32)
    values[random.random(values.shape) < 0.2] = np.nan
    label = np.zeros(count, np.int8)
    if pattern:
        ago = np.roll(closed[:, 0], 1) + np.roll(closed[:, 0], 2) > 160
        label = np.where(hour > 3, ago, random.random(count) < 0.5).astype(np.int8)
    closed[:, 1:][random.random((count, len(CHANNELS) - 1)) < 0.33] = np.nan
    running[random.random(running.shape) < 0.33] = np.nan
    return Table(NAMES, values, running, closed, patient, hour, label, np.ones(count, np.bool_), 0, 0)


def goal_of(table: Table, share: float = 0.75) -> Goal:
    """The label, of the first patients to learn from and of the others to stop by."""
    last = int((int(table.patient[-1]) + 1) * share)
    learns = table.patient < last
    return Goal(
        (table.label > 0).astype(np.float64), np.ones(table.label.size), np.flatnonzero(learns), np.flatnonzero(~learns)
    )

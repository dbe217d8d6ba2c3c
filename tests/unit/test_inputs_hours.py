"""Hours of vital signs out of a tracker, against means taken by hand."""

from __future__ import annotations

import numpy as np

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H, hourly, window
from vitruvian.signals.tracker import Tracker

FIRST_H = 262_968
NAMES = ("heart_rate", "mean_pressure", "mean_pressure_arterial")


def test_hours_are_the_means_of_their_samples_with_the_arterial_line_first() -> None:
    random, patients, count = np.random.default_rng(0), 6, 400
    who = random.integers(0, patients, count)
    what = random.integers(0, 3, count)
    at_us = FIRST_H * HOUR_US + np.sort(random.integers(0, 40 * HOUR_US, count))
    value = random.uniform(60, 62, count)  # so close that no filter takes one for noise
    tracker = Tracker(patients)
    tracker.update(who, np.array([VOCABULARY[name].index for name in NAMES])[what], at_us, value)
    rows = np.array([3, 0, 3, 5])
    now_h = FIRST_H + np.array([40, 41, 44, 75])
    found = window(tracker, rows, now_h * HOUR_US + 7)
    for n, row in enumerate(rows):
        for place in range(CONTEXT_H):
            hour = now_h[n] - (CONTEXT_H - 1 - place)

            def mean(kind: int, row: int = row, hour: int = hour) -> float:
                mine = (who == row) & (what == kind) & (at_us // HOUR_US == hour)
                return float(value[mine].mean()) if mine.any() else np.nan

            heart, cuff, line = (mean(kind) for kind in range(3))
            told = found[n, place]
            assert np.isclose(told[CHANNELS.index("heart_rate")], heart, equal_nan=True)
            wanted = cuff if np.isnan(line) else line
            assert np.isclose(told[CHANNELS.index("mean_pressure")], wanted, equal_nan=True)
            assert np.isnan(told[CHANNELS.index("body_temperature")])
    assert not np.isnan(found[:3]).all() and np.isnan(found[3]).all()  # a day and a half later all of it is past
    closed, running = hourly(tracker, rows[:1], int(now_h[0]) * HOUR_US)
    assert np.array_equal(closed[0], found[0, -2], equal_nan=True)
    assert np.array_equal(running[0], found[0, -1], equal_nan=True)

"""The stay as a whole: against a plain second implementation, from its first value on, with nothing looked ahead."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from vitruvian.core.errors import LimitError
from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import Journal
from vitruvian.signals import Tracker
from vitruvian.signals.kernels import FADE_H
from vitruvian.signals.stay import STAY_FEATURES, STAY_PRACTICE, stay_features, stay_practice
from vitruvian.twin import SnapshotStale, snapshots

START_US = 480_000 * HOUR_US
ROW = np.array([0])


def push(tracker: Tracker, name: str, samples: list[tuple[int, float]]) -> None:
    at_us = np.array([at for at, _ in samples], np.int64)
    values = np.array([value for _, value in samples])
    index = np.full(at_us.size, VOCABULARY[name].index, np.int64)
    tracker.update(np.zeros(at_us.size, np.int64), index, at_us, values)


def told(tracker: Tracker, now_us: int) -> dict[str, float]:
    made = dict(zip(STAY_FEATURES, stay_features(tracker, ROW, now_us)[0].tolist(), strict=True))
    return made | dict(zip(STAY_PRACTICE, stay_practice(tracker, ROW, now_us)[0].tolist(), strict=True))


def plain(pairs: list[tuple[float, float]], now_h: float) -> dict[str, float]:
    """What the features mean, from (hour, value) pairs."""
    hours, values = [hour for hour, _ in pairs], [value for _, value in pairs]
    weights = [float(np.exp(-(now_h - hour) / FADE_H)) for hour in hours]
    return {
        "first": values[0],
        "min": min(values),
        "max": max(values),
        "mean": statistics.fmean(values),
        "sd": statistics.pstdev(values),
        "slope": statistics.linear_regression(hours, values).slope,
        "recent": statistics.fmean(values, weights),
        "count": float(len(values)),
    }


def test_a_lab_over_a_stay_agrees_with_a_plain_implementation() -> None:
    random = np.random.default_rng(3)
    samples = [
        (START_US + int(minute) * MINUTE_US, float(value))
        for minute, value in zip(np.cumsum(random.integers(20, 900, 60)), random.uniform(0.6, 9.0, 60), strict=True)
    ]
    tracker = Tracker(1)
    push(tracker, "lactate", samples)
    now_us = samples[-1][0] + 7 * HOUR_US
    made = told(tracker, now_us)
    for name, value in plain([(at / HOUR_US, x) for at, x in samples], now_us / HOUR_US).items():
        assert made[f"lactate_stay_{name}"] == pytest.approx(value, rel=2e-4, abs=1e-6), name
    assert made["lactate_stay_last"] == pytest.approx(samples[-1][1], rel=1e-6)


def test_a_monitor_is_summed_by_the_hour_and_the_cuff_pooled_with_the_line() -> None:
    tracker = Tracker(1)
    cuff = [(START_US + hour * HOUR_US, 100.0 + 3 * hour) for hour in range(8)]
    line = [(START_US + (8 * 60 + minute) * MINUTE_US, 130.0 + 5 * (minute // 60)) for minute in range(0, 360, 6)]
    push(tracker, "systolic_pressure", cuff)
    push(tracker, "systolic_pressure_arterial", line)
    now_us = START_US + 13 * HOUR_US
    pairs = [(480_000.0 + hour, 100.0 + 3 * hour) for hour in range(8)]
    pairs += [(480_008.0 + hour, 130.0 + 5 * hour) for hour in range(6)]
    made = told(tracker, now_us)
    for name, value in plain(pairs, 480_013.0).items():
        assert made[f"systolic_pressure_stay_{name}"] == pytest.approx(value, rel=2e-4), name
    assert made["systolic_pressure_stay_last"] == 155.0


def test_a_result_that_is_replaced_counts_once() -> None:
    tracker = Tracker(1)
    push(tracker, "creatinine", [(START_US, 1.0), (START_US + HOUR_US, 9.0), (START_US + HOUR_US, 2.0)])
    made = told(tracker, START_US + 2 * HOUR_US)
    assert (made["creatinine_stay_count"], made["creatinine_stay_max"], made["creatinine_stay_last"]) == (2, 2, 2)


def test_urine_is_told_as_a_rate_since_the_first_sample() -> None:
    tracker = Tracker(1)
    push(tracker, "heart_rate", [(START_US, 80.0)])
    push(tracker, "urine_output", [(START_US + hour * HOUR_US, 60.0) for hour in range(1, 25)])
    made = told(tracker, START_US + 24 * HOUR_US)
    assert made["urine_output_per_h"] == pytest.approx(60.0)
    assert made["urine_output_recent_per_h"] == pytest.approx(60.0, rel=0.06)  # hours are whole, the weight is not
    assert made["urine_output_age_h"] == 0.0
    later = told(tracker, START_US + 36 * HOUR_US)
    assert later["urine_output_per_h"] == pytest.approx(40.0)
    assert later["urine_output_recent_per_h"] < 30.0, "no urine for twelve hours must show"


def test_never_measured_is_missing_and_one_value_has_no_slope() -> None:
    tracker = Tracker(2)
    push(tracker, "lactate", [(START_US, 2.0)])
    made = told(tracker, START_US)
    assert np.isnan(made["sodium_stay_mean"])
    assert made["sodium_stay_count"] == 0
    assert made["lactate_stay_mean"] == 2.0
    assert np.isnan([made["lactate_stay_sd"], made["lactate_stay_slope"]]).all()
    empty = stay_features(tracker, np.array([1]), START_US)
    assert np.isnan(empty).all()


def test_a_row_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LimitError, match="grow first"):
        stay_features(Tracker(1), np.array([1]), START_US)


def test_memory_does_not_grow_with_the_stay() -> None:
    tracker = Tracker(1)
    before = sum(column.nbytes for column in tracker.arrays().values())
    push(tracker, "glucose", [(START_US + n * HOUR_US, 90.0 + n % 7) for n in range(2000)])
    assert sum(column.nbytes for column in tracker.arrays().values()) == before
    assert told(tracker, START_US + 2000 * HOUR_US)["glucose_stay_mean"] == pytest.approx(93.0, abs=0.05)


def test_a_snapshot_from_before_stays_were_kept_is_folded_anew(tmp_path, monkeypatch) -> None:
    """Not a crash: the layout differs, so the snapshot is told to be stale and the journal is read."""
    with Journal.open(tmp_path / "journal") as journal:
        twins = snapshots.open_twins(journal)
        old = {name: column for name, column in twins.tracker.arrays().items() if not name.startswith("stay_")}
        monkeypatch.setattr(twins.tracker, "arrays", lambda: old)
        blob = snapshots.snapshot(twins)
        with pytest.raises(SnapshotStale, match="another layout"):
            snapshots.restore(blob, journal)
        journal.save_snapshot(snapshots.NAME, twins.seq, blob)
        assert snapshots.open_twins(journal).seq == twins.seq

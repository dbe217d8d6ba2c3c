"""The tracker: outcomes, what it keeps, room for rows, digests, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.core.errors import LimitError
from vitruvian.core.time import HOUR_US, SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals import LATE, NEVER_US, OUTLIER, REJECTED, TAKEN, Tracker
from vitruvian.signals.concepts import LABS, MONITORED
from vitruvian.signals.tracker import row_bytes

START_US = 480_000 * HOUR_US
HR = VOCABULARY["heart_rate"].index
LACTATE = VOCABULARY["lactate"].index


def push(tracker: Tracker, row: int, concept: int, values: list[float], step_us: int = SECOND_US, quality: int = 0):
    count = len(values)
    return tracker.update(
        np.full(count, row, np.int64),
        np.full(count, concept, np.int16),
        START_US + np.arange(count, dtype=np.int64) * step_us,
        np.array(values, np.float64),
        np.full(count, quality, np.uint8),
    ).tolist()


def test_raw_is_kept_as_the_last_value_and_the_median_as_the_trend() -> None:
    tracker = Tracker(2)
    assert push(tracker, 1, HR, [80, 81, 80, 79, 200]) == [TAKEN] * 4 + [OUTLIER]
    assert tracker.last_value[1, HR] == 200
    assert tracker.trend_value[1, HR] == 80
    assert tracker.outliers.tolist() == [0, 1]
    assert np.isnan(tracker.last_value[0]).all()
    assert (tracker.last_us[0] == NEVER_US).all()


@pytest.mark.parametrize("value", [1000.0, -5.0, np.nan, np.inf])
def test_the_implausible_goes_nowhere_and_is_counted(value: float) -> None:
    tracker = Tracker(1)
    assert push(tracker, 0, HR, [80, value]) == [TAKEN, REJECTED]
    assert tracker.last_value[0, HR] == 80
    assert tracker.rejected[0] == 1


def test_a_sample_flagged_implausible_by_its_reader_is_not_taken() -> None:
    tracker = Tracker(1)
    assert push(tracker, 0, HR, [80], quality=2) == [REJECTED]
    assert push(tracker, 0, HR, [80], quality=1 | 4 | 8) == [TAKEN]


def test_a_late_sample_is_told_and_changes_nothing() -> None:
    tracker = Tracker(1)
    push(tracker, 0, HR, [80, 82], step_us=HOUR_US)
    before = tracker.digest(0)
    late = tracker.update(np.array([0]), np.array([HR]), np.array([START_US - 1]), np.array([70.0]))
    assert late.tolist() == [LATE]
    assert tracker.digest(0) == before


def test_a_lab_remembers_the_result_before_and_a_monitor_its_hours() -> None:
    tracker = Tracker(1)
    push(tracker, 0, LACTATE, [1.5, 3.0], step_us=6 * HOUR_US)
    place = LABS.index("lactate")
    assert tracker.previous_value[0, place] == 1.5
    assert tracker.previous_us[0, place] == START_US
    assert tracker.tests[0] == 2
    push(tracker, 0, HR, [80, 90, 100, 60], step_us=HOUR_US // 2)
    slot = list(MONITORED).index("heart_rate")
    hour = START_US // HOUR_US
    buckets = zip(tracker.hour[0, slot], tracker.hour_count[0, slot], tracker.hour_stats[0, slot], strict=True)
    kept = {int(at): (int(count), *stats.tolist()) for at, count, stats in buckets if count}
    assert kept == {hour: (2, 85.0, 90.0), hour + 1: (2, 80.0, 60.0)}


def test_a_lab_extreme_is_a_finding_and_is_never_filtered() -> None:
    tracker = Tracker(1)
    assert push(tracker, 0, LACTATE, [1.0, 1.0, 1.0, 1.0, 1.0, 15.0]) == [TAKEN] * 6
    assert tracker.trend_value[0, LACTATE] == 15.0


def test_rows_do_not_touch_each_other_and_room_does_not_matter() -> None:
    alone, crowd = Tracker(1), Tracker(50)
    rng = np.random.default_rng(1)
    values = rng.normal(80, 10, 300).tolist()
    push(alone, 0, HR, values)
    for row in range(50):
        push(crowd, row, HR, values if row == 7 else rng.normal(100, 20, 50).tolist())
    assert crowd.digest(7) == alone.digest(0)
    assert crowd.digest(8) != alone.digest(0)


def test_growing_resetting_and_copying_rows() -> None:
    tracker = Tracker(1)
    push(tracker, 0, HR, [80, 81])
    kept, empty = tracker.digest(0), Tracker(1).digest(0)
    tracker.grow(10)
    assert tracker.rows >= 10
    assert tracker.digest(0) == kept
    assert tracker.digest(9) == empty
    tracker.copy_rows(tracker, np.array([5]), np.array([0]))
    assert tracker.digest(5) == kept
    other = Tracker(10)
    other.copy_rows(tracker, np.array([5]))
    assert other.digest(5) == kept
    tracker.reset(np.array([0, 5]))
    assert tracker.digest(0) == tracker.digest(5) == empty
    tracker.grow(3)
    assert tracker.rows >= 10, "growing never takes room away"


def test_columns_go_out_and_come_back() -> None:
    tracker = Tracker(3)
    push(tracker, 2, HR, [80, 81])
    again = Tracker.from_arrays({name: column.copy() for name, column in tracker.arrays().items()})
    assert [again.digest(row) for row in range(3)] == [tracker.digest(row) for row in range(3)]
    assert sum(column.nbytes for column in tracker.arrays().values()) == 3 * row_bytes() == 3 * tracker.row_bytes
    broken = dict(tracker.arrays())
    broken["last_us"] = broken["last_us"][:, :-1]
    with pytest.raises(LimitError, match="last_us"):
        Tracker.from_arrays(broken)
    del broken["last_us"]
    with pytest.raises(LimitError, match="last_us"):
        Tracker.from_arrays(broken)


def test_zero_has_one_sign_so_that_states_hash_alike() -> None:
    base_excess = VOCABULARY["base_excess"].index
    plus, minus = Tracker(1), Tracker(1)
    push(plus, 0, base_excess, [0.0])
    push(minus, 0, base_excess, [-0.0])
    assert plus.digest(0) == minus.digest(0)


@pytest.mark.parametrize(
    ("row", "concept", "values"),
    [([2], [HR], [80.0]), ([-1], [HR], [80.0]), ([0], [len(VOCABULARY)], [80.0]), ([0], [-1], [80.0]), ([0], [HR], [])],
    ids=["row beyond", "row below", "concept beyond", "concept below", "unequal"],
)
def test_what_is_not_there_is_an_error_and_nothing_is_taken(
    row: list[int], concept: list[int], values: list[float]
) -> None:
    tracker = Tracker(1)
    empty = tracker.digest(0)
    with pytest.raises(LimitError):
        tracker.update(np.array(row), np.array(concept), np.array([START_US]), np.array(values))
    assert tracker.digest(0) == empty


def test_a_patient_stays_small() -> None:
    assert row_bytes() < 16_384, "10,000 patients must fit in a fraction of a gigabyte"

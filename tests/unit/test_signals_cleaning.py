"""The plausible range, the causal Hampel filter, and the regular grid."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.core.errors import LimitError
from vitruvian.core.time import SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals import clean_series, regular_grid, resample
from vitruvian.signals.concepts import MONITORED

HEART_RATE = VOCABULARY["heart_rate"]
FLOOR = MONITORED["heart_rate"]


def at_seconds(count: int, step_s: int = 5) -> np.ndarray:
    return np.arange(count, dtype=np.int64) * step_s * SECOND_US


def cleaned(values: list[float], step_s: int = 5):
    return clean_series(at_seconds(len(values), step_s), np.array(values), HEART_RATE, FLOOR)


def test_a_spike_is_replaced_by_the_median_of_its_past_and_the_raw_value_stays() -> None:
    result = cleaned([80, 81, 79, 80, 82, 190, 80, 81])
    assert result.clean.tolist() == [80, 81, 79, 80, 82, 80, 80, 81]
    assert result.values[5] == 190
    assert result.outliers.tolist() == [False] * 5 + [True, False, False]


def test_two_spikes_are_noise_and_a_third_on_the_same_side_is_the_patient() -> None:
    result = cleaned([80, 80, 80, 80, 80, 130, 131, 132, 133, 134, 135])
    assert result.clean.tolist() == [80, 80, 80, 80, 80, 80, 80, 132, 133, 134, 135]


@pytest.mark.parametrize("step", [-35.0, 35.0])
def test_a_lasting_step_passes_within_three_samples_whichever_way(step: float) -> None:
    values = [80.0] * 10 + [80.0 + step] * 20
    result = cleaned(values)
    assert result.clean[12:].tolist() == values[12:], "the third sample after the step, and all that follow"


def test_spikes_on_alternating_sides_never_become_a_change() -> None:
    result = cleaned([80] * 7 + [130, 30, 130, 30])
    assert set(result.clean[7:]) == {80.0}


def test_a_slow_drift_is_left_alone() -> None:
    values = [80 + 0.5 * i for i in range(60)]
    assert cleaned(values).clean.tolist() == values


def test_hourly_values_are_never_noise_since_no_neighbour_is_recent() -> None:
    values = [80.0, 80.0, 80.0, 80.0, 80.0, 150.0, 80.0]
    assert cleaned(values, step_s=3600).clean.tolist() == values


def test_the_filter_looks_only_back() -> None:
    values = np.random.default_rng(3).normal(80, 15, 200)
    whole = cleaned(values.tolist()).clean
    for cut in (1, 50, 123):
        assert np.array_equal(cleaned(values[:cut].tolist()).clean, whole[:cut])


def test_the_implausible_and_the_missing_are_counted_out() -> None:
    low, high = HEART_RATE.plausible
    result = cleaned([80, high + 1, np.nan, low - 1, 82])
    assert result.values.tolist() == [80, 82]
    assert result.rejected == 3


def test_times_that_fall_are_an_error() -> None:
    with pytest.raises(LimitError, match="rising"):
        clean_series(at_seconds(3)[::-1], np.ones(3), HEART_RATE, FLOOR)
    with pytest.raises(LimitError, match="rising"):
        resample(at_seconds(3)[::-1], np.ones(3), at_seconds(3))


def test_the_grid_takes_the_last_value_with_its_age_and_nothing_later() -> None:
    times = np.array([10, 20, 20, 95], np.int64) * SECOND_US
    grid = regular_grid(0, 120 * SECOND_US, 30 * SECOND_US)
    result = resample(times, np.array([1.0, 2.0, 3.0, 4.0]), grid)
    assert (grid // SECOND_US).tolist() == [0, 30, 60, 90, 120]
    assert result.known.tolist() == [False, True, True, True, True]
    assert result.values[1:].tolist() == [3, 3, 3, 4], "of two at one instant the last counts"
    assert result.age_s[1:].tolist() == [10, 40, 70, 25]
    assert np.isnan(result.values[0])
    assert np.isnan(result.age_s[0])


def test_a_value_too_old_is_missing_and_keeps_its_age() -> None:
    result = resample(at_seconds(1), np.array([5.0]), at_seconds(4, 60), valid_for_s=60)
    assert result.known.tolist() == [True, True, False, False]
    assert np.isnan(result.values[2:]).all()
    assert result.age_s.tolist() == [0, 60, 120, 180]


def test_missing_samples_say_nothing() -> None:
    result = resample(at_seconds(3), np.array([5.0, np.nan, np.nan]), at_seconds(3))
    assert result.values.tolist() == [5, 5, 5]
    empty = resample(at_seconds(2), np.array([np.nan, np.nan]), at_seconds(2))
    assert not empty.known.any()


def test_grids_of_one_step_agree_wherever_they_start() -> None:
    early, late = regular_grid(7, 1000, 60), regular_grid(300, 1000, 60)
    assert set(late) <= set(early)
    with pytest.raises(LimitError, match="step"):
        regular_grid(0, 10, 0)

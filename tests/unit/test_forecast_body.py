"""The body's forecasts of an hourly grid."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.prediction.forecast import CHANNELS
from vitruvian.prediction.forecast.body import complete, foresee, hourly_filter, person_of
from vitruvian.prediction.forecast.grid import lay_out


def test_who_is_not_known_is_a_typical_adult():
    unknown = person_of(float("nan"), float("nan"))
    assert (unknown.age_years, unknown.sex) == (60.0, "male")
    assert person_of(91.5, 0.0).sex == "female"
    assert person_of(15.0, 1.0).age_years == 18.0


def test_a_member_that_failed_stands_at_the_median_of_the_others():
    members = np.arange(5, dtype=np.float32)[None, None, None] * np.ones((2, 4, 3, 1), np.float32)
    members[0, 1, 2, 4] = np.nan
    members[1, 0, 0] = np.nan
    made = complete(members)
    assert made[0, 1, 2].tolist() == [0, 1, 2, 3, 1.5]
    assert np.isnan(made[1, 0, 0]).all()
    assert np.isnan(made).sum() == 5


@pytest.mark.long
def test_the_body_follows_what_was_measured_and_says_the_same_twice():
    tables = [np.full((4, len(CHANNELS)), np.nan, np.float32) for _ in range(2)]
    for table, rate, pressure in zip(tables, (60, 105), (95, 68), strict=True):
        table[:, :2] = rate, pressure
    flags = [np.zeros((4, 2), bool)] * 2
    grid = lay_out(tables, np.array([60.0, 60.0]), np.ones(2), flags, ["a", "b"])
    one = hourly_filter(8)
    made = foresee(one, grid, np.array([0, 1]), (2, 4), "test")
    assert made.members.shape == (4, 4, 3, 8)
    assert np.isfinite(made.members).all()
    assert made.rows.tolist() == [*(grid.rows_of(np.array([n]))[1] for n in (0, 1)),
                                  *(grid.rows_of(np.array([n]))[3] for n in (0, 1))]  # fmt: skip
    slow, fast = made.members[2:, :2, 0].mean(axis=-1)
    assert fast[0] - slow[0] > 20
    assert slow[1] - fast[1] > 10
    again = foresee(one, grid, np.array([1]), (2,), "test")
    np.testing.assert_array_equal(again.members[0], made.members[1])

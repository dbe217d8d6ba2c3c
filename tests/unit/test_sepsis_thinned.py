"""Fitting on fewer of the hours that are far from any sepsis."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.core.errors import ConfigurationError
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.rows import BoostedFamily
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.recipes.sepsis.thinned import ThinnedFamily, thinned

PATIENTS, HOURS = 300, 40


def made() -> tuple[Table, Goal]:
    """Patients whose every fourth hour stands for four; every tenth of them is near an outcome in its last hours."""
    patient, hour = np.repeat(np.arange(PATIENTS), HOURS), np.tile(np.arange(HOURS), PATIENTS)
    near = (patient % 10 == 0) & (hour >= 30)
    weight = np.where(near, 1.0, np.where((hour + patient) % 4 == 0, 4.0, 0.0))
    empty = np.zeros((patient.size, 1), np.float32)
    label = near.astype(np.int8)
    table = Table(("age_years",), empty, empty, empty, patient, hour, label, np.ones(patient.size, np.bool_), 0, 0)
    train = np.flatnonzero((weight > 0) & (patient % 3 > 0))
    return table, Goal(near.astype(np.float64), weight, train, np.flatnonzero(patient % 3 == 0))


@pytest.mark.parametrize("one_in", [1, 2, 4])
def test_far_hours_are_thinned_and_their_weight_stays(one_in: int) -> None:
    table, goal = made()
    fewer = thinned(goal, table, one_in)
    far, left = goal.weight[goal.train] > 1, goal.target[fewer.train] == 0
    assert left.sum() == pytest.approx(far.sum() / one_in, rel=0.02)
    assert fewer.weight[fewer.train][left].sum() == pytest.approx(goal.weight[goal.train][far].sum(), rel=0.02)
    assert (fewer.weight[fewer.train][left] == 4.0 * one_in).all()
    assert set(fewer.train) <= set(goal.train)


def test_hours_near_the_outcome_and_valid_rows_stay_as_they_are() -> None:
    table, goal = made()
    fewer = thinned(goal, table, 4)
    near = goal.train[goal.target[goal.train] == 1]
    assert set(near) <= set(fewer.train)
    assert (fewer.weight[near] == 1.0).all()
    np.testing.assert_array_equal(fewer.valid, goal.valid)
    np.testing.assert_array_equal(fewer.weight[goal.valid], goal.weight[goal.valid])
    assert goal.weight.max() == 4.0  # the goal of the other members is not touched


def test_every_patient_keeps_some_hour_and_hours_are_spread() -> None:
    table, goal = made()
    fewer = thinned(goal, table, 4)
    whole = np.unique(table.patient[goal.train])
    np.testing.assert_array_equal(np.unique(table.patient[fewer.train]), whole)
    far = fewer.train[goal.target[fewer.train] == 0]
    calm = far[table.patient[far] % 10 != 0]
    gaps = np.diff(calm)[np.diff(table.patient[calm]) == 0]
    assert (gaps == 16).all()
    assert np.unique(table.hour[calm]).size == HOURS  # no hour of the day or stay is left out


def test_a_share_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="one_in"):
        ThinnedFamily(BoostedFamily(), 0)

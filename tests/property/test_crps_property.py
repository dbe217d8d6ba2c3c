"""The score of a forecast: its definition, whatever the members, and its intervals over patients."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.prediction.forecast.crps import crps, crps_dressed, paired_interval

NUMBER = st.floats(-1e3, 1e3, allow_nan=False)


@given(st.lists(NUMBER, min_size=1, max_size=12), NUMBER)
def test_the_score_is_its_definition(values: list[float], observed: float):
    members = np.sort(values)
    wanted = np.abs(members - observed).mean() - np.abs(members[:, None] - members).mean() / 2
    found = crps(members[None], np.array([observed]))[0]
    assert found == pytest.approx(wanted, abs=1e-8)
    assert found >= -1e-9


@given(st.lists(NUMBER, min_size=2, max_size=12), NUMBER, NUMBER)
def test_a_dress_is_members_around_the_point_cut_to_what_is_possible(errors: list[float], point: float, seen: float):
    residuals = np.sort(errors)
    members = np.clip(point + residuals, -200.0, 100.0)
    found = crps_dressed(np.array([point]), residuals, -200.0, 100.0, np.array([seen]))[0]
    assert found == pytest.approx(crps(members[None], np.array([seen]))[0], abs=1e-8)


@given(st.integers(0, 10_000))
def test_an_interval_holds_its_mean_and_weighs_patients_by_their_forecasts(seed: int):
    generator = np.random.default_rng(seed)
    patient = generator.integers(0, 20, size=200)
    difference = generator.normal(size=200)
    mean, low, high = paired_interval(difference, patient, draws=100)
    assert mean == pytest.approx(difference.mean())
    assert low <= high
    again = paired_interval(difference, patient + 7, draws=100)
    assert again == (mean, low, high)


def test_hours_of_one_patient_do_not_count_as_many_patients():
    generator = np.random.default_rng(0)
    of_patient = generator.normal(size=30)
    difference = np.repeat(of_patient, 40)
    _, low, high = paired_interval(difference, np.repeat(np.arange(30), 40))
    assert high - low == pytest.approx(2 * 1.96 * of_patient.std() / np.sqrt(30), rel=0.15)
    _, few_low, few_high = paired_interval(difference, np.arange(1200))
    assert few_high - few_low < 0.3 * (high - low)


def test_nothing_has_no_interval():
    assert np.isnan(paired_interval(np.empty(0), np.empty(0, np.int64))).all()

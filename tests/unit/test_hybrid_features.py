"""Hybrid features: known values, units, what is missing, and the same in batch as in a stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.synthetic_cohort import write_parquet
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.kidney.tools import ckd_epi_2021
from vitruvian.prediction.cohorts.base import ORIGIN_US
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.inputs.blocks import Asked, columns
from vitruvian.prediction.inputs.gas import gas_exchange, oxygen_of_saturation
from vitruvian.prediction.inputs.hybrid import HYBRID
from vitruvian.prediction.inputs.table import table_of
from vitruvian.signals.tracker import Tracker

HEALTHY = {
    "heart_rate": 75.0, "systolic_pressure": 120.0, "diastolic_pressure": 80.0, "mean_pressure": 93.3,
    "respiratory_rate": 14.0, "oxygen_saturation": 97.0, "body_temperature": 37.0, "inspired_oxygen_fraction": 0.21,
    "bicarbonate": 24.0, "ph": 7.4, "arterial_co2": 40.0, "arterial_oxygen": 90.0, "urea_nitrogen": 14.0,
    "calcium": 9.4, "chloride": 104.0, "creatinine": 1.0, "glucose": 90.0, "lactate": 1.0, "magnesium": 2.0,
    "phosphate": 3.5, "potassium": 4.0, "hemoglobin": 15.0, "sodium": 140.0, "albumin": 4.4,
}  # fmt: skip


def told(changed: dict[str, float] | None = None, *, age: float = 40.0, male: float = 1.0) -> dict[str, float]:
    """The features of one patient, measured once, now."""
    values = HEALTHY | (changed or {})
    tracker = Tracker(1)
    names = [name for name, value in values.items() if not np.isnan(value)]
    index = np.array([VOCABULARY[name].index for name in names], np.int64)
    at_us = np.full(index.size, ORIGIN_US, np.int64)
    tracker.update(np.zeros(index.size, np.int64), index, at_us, np.array([values[name] for name in names]))
    one = np.zeros(1, np.int64)
    asked = Asked(tracker, one, np.full(1, ORIGIN_US, np.int64), np.full(1, age), np.full(1, male))
    return dict(zip(HYBRID, columns(HYBRID, asked)[0].tolist(), strict=True))


def test_a_healthy_adult_has_a_healthy_adults_body() -> None:
    body = told()
    expected = {
        "cardiac_output_estimate": (5.25, 0.01), "stroke_volume_estimate": (70.0, 0.1),
        "resistance_estimate": (16.8, 0.1),
        "cardiac_power_estimate": (1.09, 0.01), "compliance_estimate": (1.75, 0.01), "pulse_share": (1 / 3, 1e-3),
        "pulse_form": (0.3325, 1e-3), "oxygen_content": (19.8, 0.1), "oxygen_delivery_estimate": (1038.0, 5.0),
        "anion_gap": (11.0, 0.01), "sodium_chloride_difference": (36.0, 0.01), "osmolality": (290.0, 0.01),
        "tonicity": (285.0, 0.01), "co2_beyond_winters": (-4.0, 0.01), "strong_ion_difference": (42.3, 0.2),
        "alveolar_arterial_gradient": (0.21 * 713 - 50 - 90, 0.01), "calcium_corrected": (9.08, 0.01),
        "filtration_estimate": (float(ckd_epi_2021(1.0, 40.0, "male")), 0.1), "diastolic_shock_index": (0.9375, 1e-4),
        "output_beside_day": (0.0, 1e-4), "resistance_beside_day": (0.0, 1e-4),
    }  # fmt: skip
    for name, (value, slack) in expected.items():
        assert body[name] == pytest.approx(value, abs=slack), name
    assert 0.0 <= body["shunt_estimate"] < 0.1
    assert -2.0 < body["strong_ion_gap"] < 6.0
    assert np.isnan(body["dead_space_estimate"]) and np.isnan(body["kinetic_filtration"])


def test_illness_moves_them_the_right_way() -> None:
    well = told()
    warm_shock = told(
        {"heart_rate": 120.0, "systolic_pressure": 95.0, "diastolic_pressure": 40.0, "mean_pressure": 58.0}
    )
    assert warm_shock["resistance_estimate"] < 0.6 * well["resistance_estimate"]
    assert warm_shock["cardiac_output_estimate"] > 1.5 * well["cardiac_output_estimate"]
    cold_shock = told(
        {"heart_rate": 120.0, "systolic_pressure": 85.0, "diastolic_pressure": 65.0, "mean_pressure": 72.0}
    )
    assert cold_shock["stroke_volume_estimate"] < well["stroke_volume_estimate"]
    assert cold_shock["pulse_share"] < 0.25
    lung = told({"inspired_oxygen_fraction": 1.0, "arterial_oxygen": 100.0})
    assert 0.2 < lung["shunt_estimate"] < 0.4  # a quarter to a third by the iso-shunt lines at an FiO2 of 1
    assert lung["gradient_over_age"] > 500
    acid = told({"bicarbonate": 12.0, "ph": 7.2, "arterial_co2": 30.0, "lactate": 8.0})
    assert acid["anion_gap"] == pytest.approx(23.0, abs=0.01)
    assert acid["strong_ion_gap"] < 16 and acid["base_excess_estimate"] < -12
    assert acid["co2_beyond_winters"] == pytest.approx(4.0, abs=0.01)


def test_what_is_missing_stays_missing() -> None:
    nothing = told(dict.fromkeys(HEALTHY, np.nan))
    assert all(np.isnan(value) for value in nothing.values()), {k: v for k, v in nothing.items() if not np.isnan(v)}
    no_sex = told(male=np.nan)
    assert np.isnan(no_sex["filtration_estimate"])
    assert np.isnan(told({"diastolic_pressure": np.nan})["resistance_estimate"])
    assert np.isfinite(told({"albumin": np.nan})["anion_gap"])
    narrow = told({"systolic_pressure": 80.0, "diastolic_pressure": 80.0})  # no pulse: nothing to divide by
    assert np.isnan(narrow["pulse_form"]) and np.isnan(narrow["resistance_estimate"])


def test_kinetic_filtration_follows_a_rise_before_the_creatinine_tells() -> None:
    tracker = Tracker(1)
    index = np.full(2, VOCABULARY["creatinine"].index, np.int64)
    at_us = ORIGIN_US + np.array([0, 12], np.int64) * HOUR_US
    tracker.update(np.zeros(2, np.int64), index, at_us, np.array([1.0, 1.7]))
    one = np.zeros(1, np.int64)
    asked = Asked(tracker, one, at_us[1:], np.full(1, 40.0), np.ones(1))
    steady, kinetic, ratio = columns(("filtration_estimate", "kinetic_filtration", "kinetic_over_filtration"), asked)[0]
    before = float(ckd_epi_2021(1.0, 40.0, "male"))
    expected = before * 1.0 / 1.35 * (1 - 24 * 0.7 / (12 * 1.5))  # Chen 2013, equation 3
    assert kinetic == pytest.approx(expected, rel=1e-5)
    assert kinetic < 0.2 * steady and ratio == pytest.approx(kinetic / steady, rel=1e-5)


def test_oxygen_of_a_saturation() -> None:
    made = oxygen_of_saturation(np.array([50.0, 75.0, 90.0, 97.0, 98.0, np.nan]))
    assert made[:4] == pytest.approx([26.9, 39.8, 57.8, 90.0], rel=0.05)
    assert np.isnan(made[4:]).all()


def test_shunt_rises_with_what_is_lost_and_is_zero_where_nothing_is() -> None:
    po2 = np.array([560.0, 300.0, 150.0, 80.0, 50.0, 700.0])
    same = np.ones(6)
    shunt = gas_exchange(same, po2, 40 * same, 0 * same, 12 * same, 37 * same, 50 * same)[:, 2]
    assert (np.diff(shunt[:5]) > 0).all() and shunt[5] == 0.0 and shunt.max() < 0.7


def test_batch_and_stream_agree_and_the_future_does_not_matter(tmp_path: Path) -> None:
    cohort = read_challenge2019(write_parquet(tmp_path / "hours.parquet", patients=12, hours=20, seed=4))
    table = table_of(cohort, HYBRID)
    assert np.isfinite(table.values[:, HYBRID.index("resistance_estimate")]).mean() > 0.5
    tracker, took = Tracker(cohort.patients), cohort.samples
    for hour in range(1, int(cohort.hour.max()) + 1):
        now_us = ORIGIN_US + hour * HOUR_US
        for place in np.flatnonzero(took.at_us == now_us):  # one sample at a time; later ones are not there yet
            at = slice(place, place + 1)
            tracker.update(took.patient[at], took.concept[at], took.at_us[at], took.value[at])
        for row in np.flatnonzero(cohort.hour == hour):
            who = cohort.patient[row : row + 1]
            asked = Asked(tracker, who, np.full(1, now_us, np.int64), cohort.age_years[who], cohort.male[who])
            assert np.array_equal(columns(HYBRID, asked)[0], table.values[row], equal_nan=True)

"""MIMIC-IV as a cohort, on a simulated hospital in its published layout: who, which values when, and every label."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests import mimic_cohort
from tests.support import require_data
from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort
from vitruvian.prediction.cohorts.mimic import is_mimic
from vitruvian.prediction.cohorts.mimic_care import is_antibiotic
from vitruvian.prediction.cohorts.open import form_of, open_cohort
from vitruvian.prediction.inputs.table import table_of


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mimic_cohort.write(tmp_path_factory.mktemp("mimic"))


@pytest.fixture(scope="module")
def mortality(hospital: Path) -> Cohort:
    return open_cohort("mortality", hospital)


def values(cohort: Cohort, subject: str, concept: str) -> list[tuple[float, float]]:
    """Hour of availability and value of every sample."""
    took = cohort.samples
    mine = (took.patient == cohort.ids.index(subject)) & (took.concept == VOCABULARY[concept].index)
    hours = (took.at_us[mine] - ORIGIN_US) / HOUR_US
    return list(zip(hours.tolist(), took.value[mine].tolist(), strict=True))


def onset(cohort: Cohort, subject: str) -> float:
    """The first hour with the label; inf = none, NaN = not labelled."""
    mine = cohort.patient == cohort.ids.index(subject)
    if not cohort.scored[mine].any():
        return float("nan")
    return float(min(cohort.hour[mine & (cohort.label == 1)], default=np.inf))


def test_its_layout_is_recognised(hospital: Path) -> None:
    assert is_mimic(hospital)
    assert form_of(hospital).name == "mimic-iv"


def test_first_stays_of_adults(mortality: Cohort) -> None:
    assert mortality.ids == ("1", "2", "3", "4", "6", "7"), "a child, and a second stay, are left out"
    assert mortality.age_years.tolist() == [64, 81, 58, 70, 45, 66]
    assert mortality.male.tolist() == [1, 0, 1, 0, 0, 1]
    assert mortality.groups["unit"][0] == "Medical Intensive Care Unit (MICU)"
    assert mortality.admission["medical_unit"].tolist() == [1, 1, 1, 0, 1, 1]
    assert set(mortality.admission["hospital_before_icu_h"].tolist()) == {10.0}
    assert not mortality.simulated


def test_values_count_from_when_they_were_stored(mortality: Cohort) -> None:
    rates = values(mortality, "1", "heart_rate")
    assert (0.75, 80.0) in rates, "charted at a quarter past, stored half an hour later"
    assert (15.0, 150.0) in rates and not any(value == 150 and hour < 15 for hour, value in rates)
    assert values(mortality, "1", "creatinine")[0] == (3.5, 1.0)
    names = ("heart_rate",)
    table = table_of(mortality, names)
    mine = table.values[table.patient == 0, 0]
    assert 150.0 not in mine[:14].tolist(), "before hour 15 nobody could know it"


def test_units_fractions_bounds_and_strangers(mortality: Cohort) -> None:
    temperature = values(mortality, "1", "body_temperature")
    assert temperature[0][1] == pytest.approx(37.0)
    assert values(mortality, "1", "inspired_oxygen_fraction") == [(pytest.approx(12.2, abs=1e-3), 0.4)]
    assert values(mortality, "1", "lactate") == [(6.0, 0.5)], "a bound counts as its limit"
    assert all(value != 70.0 for _, value in values(mortality, "1", "heart_rate"))
    assert "1 rows had a unit that does not convert" in " ".join(mortality.notes)
    assert all(value != 199.0 for _, value in values(mortality, "6", "heart_rate")), "of the second stay"
    assert all(hour >= 0 for hour, _ in values(mortality, "4", "creatinine")), "before intensive care makes no feature"


def test_infusions_begin_and_end(mortality: Cohort) -> None:
    assert values(mortality, "3", "norepinephrine") == [(26.0, pytest.approx(0.2)), (40.0, 0.0)]


def test_death_in_hospital(mortality: Cohort) -> None:
    assert np.flatnonzero(mortality.scored).tolist() == [48 * one - 1 for one in range(1, 7)]
    assert mortality.label[mortality.scored].tolist() == [0, 1, 0, 0, 0, 0]


def test_kidney_injury_uses_a_baseline_from_before(hospital: Path) -> None:
    cohort = open_cohort("aki", hospital)
    assert onset(cohort, "4") == 30 - 6
    assert onset(cohort, "1") == np.inf


def test_sepsis_by_cultures_antibiotics_and_sofa(hospital: Path) -> None:
    cohort = open_cohort("sepsis", hospital)
    # Suspicion at 20 (the culture), SOFA rises at 26 (platelets 90: 2 points; norepinephrine: 3): onset 20.
    assert onset(cohort, "3") == 20 - 6
    assert onset(cohort, "1") == np.inf, "a screen, a cream and a short course are no suspicion"
    assert not (cohort.label == UNKNOWN).any()


def test_cardiac_arrest_as_charted(hospital: Path) -> None:
    cohort = open_cohort("cardiac_event", hospital)
    assert onset(cohort, "7") == 40 - 6
    assert onset(cohort, "1") == np.inf


def test_deterioration_from_the_vital_signs(hospital: Path) -> None:
    cohort = open_cohort("deterioration", hospital)
    assert cohort.label[cohort.scored].max() == 0, "everybody's vital signs are usual"
    assert values(cohort, "1", "heart_rate")[0][0] == 0.75, "labels by when it was taken, inputs by when it was stored"


@pytest.mark.parametrize(
    ("drug", "route", "is_one"),
    [
        ("Vancomycin", "IV", True), ("CefePIME", "IV", True), ("Vancomycin Oral Liquid", "PO", False),
        ("Gentamicin Ophth", "IV", False), ("Heparin", "IV", False), ("Meropenem", "IV DRIP", True),
        ("Vancomycin Enema", "IV", False),
    ],
)  # fmt: skip
def test_antibiotics_by_name_and_route(drug: str, route: str, is_one: bool) -> None:
    assert is_antibiotic(drug, route) is is_one


def test_a_missing_table_is_named(hospital: Path, tmp_path: Path) -> None:
    for name in ("hosp", "icu"):
        (tmp_path / name).mkdir()
        for path in (hospital / name).iterdir():
            if "chartevents" not in path.name:
                (tmp_path / name / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ReadingError, match="no chartevents"):
        open_cohort("sepsis", tmp_path)


@pytest.mark.data
def test_the_public_demo_says_what_it_lacks() -> None:
    with pytest.raises(ReadingError, match="no chartevents"):
        open_cohort("mortality", require_data("mimic_iv_demo"))

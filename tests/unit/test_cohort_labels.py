"""Labels made from measurements, against cases worked out by hand from the definitions."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort, Samples
from vitruvian.prediction.cohorts.derived import relabelled, stay_rows
from vitruvian.prediction.cohorts.labels import (
    aki_onsets,
    deterioration_labels,
    labels_before,
    sepsis_onsets,
    sofa_rises,
    suspicions,
)
from vitruvian.prediction.tasks import TASKS

INF = float("inf")


def samples_of(*rows: tuple[int, str, float, float]) -> Samples:
    """Samples from (patient, concept, hour, value)."""
    return Samples(
        np.array([row[0] for row in rows], np.int64),
        np.array([VOCABULARY[row[1]].index for row in rows], np.int64),
        np.array([ORIGIN_US + round(row[2] * HOUR_US) for row in rows], np.int64),
        np.array([row[3] for row in rows], np.float64),
    )


def creatinine(*results: tuple[float, float]) -> float:
    """The onset told by creatinine (hour, mg/dL) of one patient."""
    return float(aki_onsets(samples_of(*((0, "creatinine", hour, value) for hour, value in results)), 1)[0])


@pytest.mark.parametrize(
    ("results", "onset"),
    [
        ([(1, 1.0), (20, 1.3)], 20),  # exactly 0.3 within 48 h
        ([(1, 1.0), (20, 1.29)], INF),
        ([(1, 1.0), (60, 1.35)], INF),  # 0.3, but after 48 h, and less than 1.5 times
        ([(1, 1.0), (60, 1.5)], 60),  # 1.5 times within 7 days
        ([(1, 1.0), (180, 1.6)], INF),  # the baseline is older than 7 days
        ([(-100, 0.8), (2, 1.2)], 2),  # a baseline from before intensive care
        ([(-10, 0.8), (-2, 1.2)], INF),  # injured before, not since
        ([(1, 2.0), (10, 1.2), (20, 1.6)], 20),  # against the lowest, not the first
        ([(1, 1.0), (5, 99.0), (9, 1.1)], INF),  # implausible, and no result
    ],
)
def test_kidney_injury_by_creatinine(results: list[tuple[float, float]], onset: float) -> None:
    assert creatinine(*results) == onset


@pytest.mark.parametrize(
    ("volumes", "onset"),
    [
        ([30.0] * 6, 6),  # 180 mL in 6 h of 80 kg: below 240
        ([40.0] * 6, INF),  # exactly 0.5 mL/kg/h
        ([30.0] * 5, INF),  # not charted long enough
        ([100.0] + [30.0] * 6, 7),
    ],
)
def test_kidney_injury_by_urine(volumes: list[float], onset: float) -> None:
    took = samples_of(*((0, "urine_output", hour, volume) for hour, volume in enumerate(volumes, 1)))
    assert aki_onsets(took, 1, np.array([80.0]))[0] == onset
    assert aki_onsets(took, 1, np.array([np.nan]))[0] == INF, "without a weight urine says nothing"


def test_labels_run_from_six_hours_before() -> None:
    patient, hour = np.repeat([0, 1], 12), np.tile(np.arange(1, 13), 2)
    label = labels_before(patient, hour, np.array([9.0, INF]))
    assert label.tolist() == [0, 0] + [1] * 10 + [0] * 12


def test_deterioration_is_told_ahead_and_only_while_it_is_not_there() -> None:
    patient = np.zeros(10, np.int64)
    news2 = np.array([2.0, 3, 3, 3, 3, 3, 3, 8, 4, np.nan])
    # Hour 0 sees hours 1 to 6 (none high); 1 to 6 see the 7; at 7 it is there; 8 sees nothing known; 9 is unknown.
    assert deterioration_labels(patient, news2).tolist() == [0, 1, 1, 1, 1, 1, 1, UNKNOWN, UNKNOWN, UNKNOWN]


def test_deterioration_does_not_look_into_the_next_patient() -> None:
    assert deterioration_labels(np.array([0, 0, 1, 1]), np.array([2.0, 2.0, 9.0, 9.0])).tolist()[:2] == [0, UNKNOWN]


@pytest.mark.parametrize(
    ("cultures", "antibiotics", "found"),
    [
        ([5.0], [(10.0, 100.0)], 5.0),  # culture first, antibiotics within 72 h
        ([5.0], [(78.0, 200.0)], INF),  # too late after the culture
        ([30.0], [(10.0, 100.0)], 10.0),  # antibiotics first, culture within 24 h
        ([35.0], [(10.0, 100.0)], INF),
        ([5.0], [(10.0, 50.0)], INF),  # stopped after 40 h
        ([5.0], [(10.0, 11.0), (30.0, 31.0), (50.0, 51.0), (70.0, 71.0), (90.0, 91.0)], 5.0),  # doses of one course
        ([5.0], [(170.0, 199.0)], INF),
        ([150.0], [(180.0, 200.0)], 150.0),  # the stay ends (200 h) before 72 h are over
        ([], [(10.0, 100.0)], INF),
    ],
)
def test_suspicion_of_infection(cultures: list[float], antibiotics: list[tuple[float, float]], found: float) -> None:
    assert suspicions([cultures], [antibiotics], np.array([200.0]))[0] == found


def test_sepsis_needs_a_rise_of_sofa_near_the_suspicion() -> None:
    hour = np.arange(1, 61)
    patient = np.zeros(60, np.int64)
    sofa = np.where(hour < 30, 1.0, 3.0)
    rises = sofa_rises(patient, sofa)
    assert np.flatnonzero(rises)[0] == 29, "2 above the lowest of the 24 h before"
    assert not rises[54:].any(), "after a day at 3 it has not risen any more"
    for suspicion, onset in ((40.0, 30.0), (20.0, 20.0), (17.0, INF), (18.0, 18.0), (58.0, 34.0), (INF, INF)):
        assert sepsis_onsets(patient, hour, rises, np.array([suspicion]))[0] == onset, suspicion


def cohort_of(last: list[int], took: Samples, label: int = UNKNOWN) -> Cohort:
    """Patients with hours 1 to `last`."""
    patient = np.repeat(np.arange(len(last)), last)
    hour = np.concatenate([np.arange(1, one + 1) for one in last])
    labels = np.full(patient.size, label, np.int8)
    names = tuple(f"p{one}" for one in range(len(last)))
    known, age = labels != UNKNOWN, np.full(len(last), 60.0)
    return Cohort("made up", True, names, patient, hour, labels, known, age, age * 0, took)


def test_any_cohort_can_be_labelled_anew() -> None:
    vitals = ("respiratory_rate", "oxygen_saturation", "systolic_pressure", "heart_rate", "body_temperature")
    well, ill = (15.0, 97.0, 120.0, 80.0, 37.0), (28.0, 90.0, 85.0, 135.0, 37.0)
    rows = [(0, name, 0.5 + hour, value) for hour in range(5) for name, value in zip(vitals, well, strict=True)]
    rows += [(0, name, 5.5, value) for name, value in zip(vitals, ill, strict=True)]
    found = relabelled(cohort_of([8], samples_of(*rows)), TASKS["deterioration"])
    assert found.label.tolist() == [1, 1, 1, 1, 1, UNKNOWN, UNKNOWN, UNKNOWN]
    assert found.scored.tolist() == [True] * 5 + [False] * 3
    assert "NEWS2" in found.notes[-1]


def test_labels_that_nothing_can_make_are_refused() -> None:
    cohort = cohort_of([8], samples_of((0, "heart_rate", 1, 80)))
    with pytest.raises(ReadingError, match="only deterioration and aki can be made"):
        relabelled(cohort, TASKS["cardiac_event"])
    with pytest.raises(ReadingError, match="found nothing"):
        relabelled(cohort, TASKS["aki"])


def test_a_task_told_once_a_stay_has_one_row_a_stay() -> None:
    found = stay_rows(cohort_of([30, 10, 24], samples_of((0, "heart_rate", 1, 80)), 1), TASKS["mortality24"])
    assert found.ids == ("p0", "p2")
    assert np.flatnonzero(found.scored).tolist() == [23, 47]
    assert found.hour.max() == 24
    assert "1 stays ended before hour 24" in found.notes[-1]
    with pytest.raises(ReadingError, match="no stay of 24 h"):
        stay_rows(cohort_of([5], samples_of((0, "heart_rate", 1, 80)), 1), TASKS["mortality24"])

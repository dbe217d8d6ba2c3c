"""Alarms against lead time: sums by patient, the curve between thresholds, the comparison at one sensitivity."""

from __future__ import annotations

import numpy as np
import pytest

from vitruvian.prediction.cohorts.base import UNKNOWN, Cohort, Samples
from vitruvian.prediction.measure.alarm_curve import AlarmCurve, alarm_sums, fewer
from vitruvian.prediction.measure.alarms import alarm_figures
from vitruvian.prediction.measure.resampling import patient_draws
from vitruvian.prediction.measure.rows import Rows, rows_of
from vitruvian.prediction.tasks import task


def cohort_of(lengths: list[int], first: list[int | None], **changes: np.ndarray) -> Cohort:
    """Patients of so many hours, with the label from an hour on or never."""
    patient = np.repeat(np.arange(len(lengths)), lengths)
    hour = np.concatenate([np.arange(length) for length in lengths])
    starts = np.array([10**6 if each is None else each for each in first])
    label = changes.get("label", (hour >= starts[patient]).astype(np.int8))
    scored = changes.get("scored", np.ones(patient.size, np.bool_))
    none = np.zeros(0, np.int64)
    return Cohort(
        "made up", True, tuple(f"p{number}" for number in range(len(lengths))), patient, hour, label, scored,
        np.full(len(lengths), 60.0), np.zeros(len(lengths)), Samples(none, none, none, np.zeros(0)),
    )  # fmt: skip


def random_cohort(seed: int, patients: int = 80) -> tuple[Cohort, Rows, np.ndarray]:
    random = np.random.default_rng(seed)
    lengths = random.integers(10, 60, patients).tolist()
    first = [int(random.integers(4, length)) if number % 3 == 0 else None for number, length in enumerate(lengths)]
    cohort = cohort_of(lengths, first)
    score = random.random(cohort.patient.size) + 0.6 * (cohort.label > 0)
    return cohort, rows_of(task("sepsis"), cohort), score


@pytest.mark.parametrize("threshold", [0.2, 0.8, 1.2, 2.0])
def test_sums_by_patient_give_the_figures_of_all_rows(threshold: float) -> None:
    cohort, rows, score = random_cohort(0)
    told = alarm_sums(rows, cohort.patient, score, threshold).figures(rows, patient_draws(80, 10, seed=1))
    plain = alarm_figures(cohort.patient, cohort.label, score, threshold)
    assert told["alarms_per_patient_day"] == pytest.approx(plain.per_patient_day)
    assert told["sensitivity"] == pytest.approx(plain.sensitivity)
    assert told["alarm_precision"] == pytest.approx(plain.precision, nan_ok=True)
    assert told["median_lead_h"] == pytest.approx(plain.lead_h, nan_ok=True)


def test_a_draw_is_the_cohort_of_the_patients_drawn() -> None:
    cohort, rows, score = random_cohort(1)
    draws = patient_draws(80, 4, seed=2)
    rates = AlarmCurve(rows, cohort.patient, score)
    sensitivity, rate = rates.rates(draws)
    for place, draw in enumerate(draws, 1):
        chosen = np.repeat(np.arange(80), draw)
        pieces = [np.flatnonzero(cohort.patient == who) for who in chosen]
        places = np.concatenate(pieces)
        renumbered = np.repeat(np.arange(chosen.size), [piece.size for piece in pieces])
        for column, point in enumerate(rates.points, 1):
            plain = alarm_figures(renumbered, cohort.label[places], score[places], point.threshold)
            assert rate[place, column] == pytest.approx(plain.per_patient_day)
            assert sensitivity[place, column] >= plain.sensitivity - 1e-12


def test_between_two_whole_points_the_rate_lies_on_their_line() -> None:
    """Five septic patients, caught at 2 points (three of them) or 1 point (all): 80 % is half-way between."""
    lengths, first = [30] * 6, [12, 12, 12, 12, 12, None]
    cohort = cohort_of(lengths, first)
    rows = rows_of(task("sepsis"), cohort)
    score = np.zeros(cohort.patient.size)
    for who, points in enumerate([2, 2, 2, 1, 1]):
        score[who * 30 + 12] = points
    score[5 * 30 : 5 * 30 + 30 : 10] = 1  # three false alarms at 1 point
    curve = AlarmCurve(rows, cohort.patient, score)
    told, rate = curve.at(0.8, np.ones((2, 6), np.int64))
    days = 6 * 30 / 24
    at_two, at_one = 3 / days, 8 / days
    assert told["alarms_per_patient_day"] == pytest.approx((at_two + at_one) / 2)
    assert rate == pytest.approx([told["alarms_per_patient_day"]] * 3)
    assert (told["threshold"], told["sensitivity_at_threshold"]) == (1.0, 1.0)
    assert told["median_lead_h"] == 6
    exact, _ = curve.at(0.6, np.ones((1, 6), np.int64))
    assert exact["alarms_per_patient_day"] == pytest.approx(at_two)


def test_a_sensitivity_that_is_never_reached_has_no_rate() -> None:
    cohort = cohort_of([30, 30], [12, 12])
    score = np.zeros(60)
    score[5] = 1  # too early to count, and its silent hours are over by the window
    rows = rows_of(task("sepsis"), cohort)
    curve = AlarmCurve(rows, cohort.patient, np.where(cohort.patient == 0, score, -1.0))
    _, rate = curve.at(1.01, np.ones((1, 2), np.int64))
    assert np.isnan(rate).all()


def test_fewer_is_paired() -> None:
    theirs = np.array([2.0, 1.0, 4.0, 2.0])
    told = fewer(theirs * 0.6, theirs)
    assert told["fewer"] == pytest.approx(0.4)
    assert told["fewer_95"] == pytest.approx([0.4, 0.4])


def test_rows_that_are_not_scored_sound_no_alarm_and_are_worth_nothing() -> None:
    scored = np.ones(60, np.bool_)
    scored[40:50] = False
    label = np.concatenate([np.arange(30) >= 12, np.zeros(30)]).astype(np.int8)
    label[55] = UNKNOWN
    cohort = cohort_of([30, 30], [12, None], scored=scored, label=label)
    rows = rows_of(task("sepsis"), cohort)
    assert rows.index.size == 49
    assert rows.values is not None
    assert not rows.values.alarm[[*range(40, 50), 55]].any()
    sums = alarm_sums(rows, cohort.patient, np.where(np.isin(np.arange(60), [42, 55]), 1.0, 0.0), 0.5)
    assert sums.sounded.tolist() == [0, 0]
    assert rows.hours.tolist() == [30, 19]


def test_an_alarm_late_in_a_lasting_kidney_injury_is_no_false_one_but_catches_nobody() -> None:
    cohort = cohort_of([40, 20], [10, None])
    score = np.zeros(60)
    score[35] = 1
    for name, right in (("aki", 1.0), ("sepsis", 0.0)):
        sums = alarm_sums(rows_of(task(name), cohort), cohort.patient, score, 0.5)
        assert sums.right.tolist() == [right, 0.0]
        assert np.isnan(sums.lead_h).all()

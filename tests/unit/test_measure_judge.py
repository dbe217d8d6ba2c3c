"""Judging a model end to end on made-up cohorts: what stands in the evaluation, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import synthetic_cohort
from tests.evaluation_support import SCORES, evaluated, hourly_cohort, stay_cohort
from vitruvian.core.errors import ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import UNKNOWN, Cohort
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.measure import baselines
from vitruvian.prediction.measure.fairness import TOO_FEW, by_group
from vitruvian.prediction.measure.figures import Judge
from vitruvian.prediction.measure.judge import judge
from vitruvian.prediction.measure.utility import normalized_utility
from vitruvian.prediction.tasks import task


@pytest.fixture(scope="module")
def hourly() -> dict[str, Any]:
    return evaluated(hourly_cohort())


@pytest.fixture(scope="module")
def stay() -> dict[str, Any]:
    return evaluated(stay_cohort(), name="mortality24")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return read_challenge2019(synthetic_cohort.write_parquet(tmp_path_factory.mktemp("cohort") / "hours.parquet"))


def test_the_evaluation_has_what_a_reader_of_it_expects(hourly: dict[str, Any], stay: dict[str, Any]) -> None:
    for told, decision in ((hourly, "utility"), (stay, "event1")):
        for name in ("auroc", "auprc", "brier", "calibration_slope", "calibration_intercept", decision):
            low, high = told[f"{name}_95"]
            assert low <= told[name] <= high, name
        for name in ("fairness", "conformal", "decision_curve", "reliability", "confusion", "counts", "data", "split"):
            assert told[name], name
        assert told["rows"][0]["score"] == told["main"] == "model"
        assert told["prevalence"] == pytest.approx(told["counts"]["event_rows"] / told["counts"]["rows"], rel=1e-5)
        assert json.loads(json.dumps(told, allow_nan=False)) == told, "plain JSON, no NaN"
    assert hourly["alarms_curve"]["scores"].keys() == {row["score"] for row in hourly["rows"]}
    assert stay["alarms_curve"] is None
    assert "utility" not in stay
    assert "alarms_per_patient_day" not in stay


def test_simulated_data_are_said_to_be_and_never_count_as_validation(hourly: dict[str, Any]) -> None:
    assert hourly["simulated"]
    assert not hourly["validated"]
    real = evaluated(replace(hourly_cohort(), simulated=False))
    assert real["validated"]


def test_a_better_score_is_better_by_an_interval_above_nought(hourly: dict[str, Any]) -> None:
    against = {row["than"]: row for row in hourly["differences"]}
    assert against["noise"]["auroc_95"][0] > 0
    assert against["noise"]["auroc"] == pytest.approx(
        hourly["auroc"] - next(row["auroc"] for row in hourly["rows"] if row["score"] == "noise"), abs=1e-5
    )
    low, high = against["twin"]["auroc_95"]
    assert low == high == 0, "a score less itself is nought in every draw"


def test_utility_of_every_draw_is_that_of_the_patients_drawn() -> None:
    cohort, score = hourly_cohort(), SCORES["model"](hourly_cohort())
    judged = Judge(task("sepsis"), cohort, draws=6)
    judged.figures("model", score, 0.2)
    values = judged.rows.values
    assert values is not None
    for draw, found in zip(judged.draws, judged._drawn["model"]["utility"], strict=True):
        often = np.repeat(np.arange(cohort.patient.size), draw[cohort.patient])
        again = type(values)(values.alarm[often], values.silence[often], values.best[often])
        assert found == pytest.approx(normalized_utility(again, score[often] >= 0.2))


def test_confusion_by_row_and_by_patient_add_up(hourly: dict[str, Any]) -> None:
    keys = ("true_positives", "false_positives", "false_negatives", "true_negatives")
    counts = hourly["counts"]
    assert sum(hourly["confusion"]["rows"][key] for key in keys) == counts["rows"]
    by_patient = hourly["confusion"]["patients"]
    assert sum(by_patient[key] for key in keys) == counts["patients"]
    assert by_patient["true_positives"] + by_patient["false_negatives"] == counts["event_patients"]
    never = hourly["confusion"]["rows"]["always_negative"]
    assert never["accuracy"] == pytest.approx(1 - hourly["prevalence"], abs=1e-5)
    assert never["precision"] is None


def test_a_small_group_has_no_number_anywhere() -> None:
    cohort = hourly_cohort()
    male = cohort.male.copy()
    male[:30] = np.nan  # ten of them with the event: too few
    cohort = replace(cohort, male=male)
    judged = Judge(task("sepsis"), cohort, draws=20)
    told = by_group(cohort, judged.rows, SCORES["model"](cohort), 0.2, judged.draws)
    groups = {(each["attribute"], each["group"]): each for each in told["groups"]}
    assert groups["sex", "not stated"]["figures"] == TOO_FEW
    assert groups["sex", "not stated"]["patients"] == 30
    female = groups["sex", "female"]["figures"]
    assert female["auroc_95"][0] <= female["auroc"] <= female["auroc_95"][1]
    assert set(told["gaps"]) == {"sex", "age", "unit"}


def test_thresholds_of_each_row_are_those_of_several_fits() -> None:
    """Two halves at two thresholds give the counts of each half at its own."""
    cohort = hourly_cohort()
    score, halves = SCORES["model"](cohort), cohort.patient % 2
    cut = np.where(halves == 0, 0.1, 0.4)
    known: dict[str, Any] = {"main": "model", "probabilities": ["model"], "split": "out of fold", "draws": 5}
    both = judge(task("sepsis"), cohort, {"model": score}, {"model": cut}, **known)
    found = both["confusion"]["rows"]["true_positives"]
    parts = [((score >= each) & (cohort.label > 0) & (halves == half)).sum() for half, each in ((0, 0.1), (1, 0.4))]
    assert found == sum(parts)
    same = judge(task("sepsis"), cohort, {"model": score}, {"model": np.full(score.size, 0.2)}, **known)
    assert same == judge(task("sepsis"), cohort, {"model": score}, {"model": 0.2}, **known)


def test_fixed_draws_give_the_same_evaluation_again(hourly: dict[str, Any]) -> None:
    assert evaluated(hourly_cohort()) == hourly


def test_what_cannot_be_judged_is_refused_with_a_reason() -> None:
    cohort = hourly_cohort()
    score = SCORES["model"](cohort)
    known: dict[str, Any] = {"main": "model", "probabilities": ["model"], "split": "all", "draws": 5}
    with pytest.raises(ModelError, match="without scores, threshold"):
        judge(task("sepsis"), cohort, {"model": score, "other": score}, {"model": 0.5}, **known)
    with pytest.raises(ModelError, match="without scores, threshold"):
        judge(task("sepsis"), cohort, {"model": score}, {"model": 0.5}, **(known | {"probabilities": []}))
    with pytest.raises(ModelError, match="expected one for each of"):
        judge(task("sepsis"), cohort, {"model": score[1:]}, {"model": 0.5}, **known)
    with pytest.raises(ModelError, match="not numbers"):
        judge(task("sepsis"), cohort, {"model": np.where(score > 0.5, np.nan, score)}, {"model": 0.5}, **known)
    for label in (np.zeros_like(cohort.label), np.full_like(cohort.label, UNKNOWN)):
        with pytest.raises(ModelError, match="expected both kinds"):
            judge(task("sepsis"), replace(cohort, label=label), {"model": score}, {"model": 0.5}, **known)


# --- baselines ----------------------------------------------------------------


def test_baselines_learn_from_some_patients_and_score_others(made: Cohort) -> None:
    train, test = made.of(np.arange(0, 160)), made.of(np.arange(160, 240))
    learned = json.loads(json.dumps(baselines.learn(task("sepsis"), train)))
    scores, thresholds, table = baselines.scores_of(test, learned)
    assert set(scores) == set(thresholds) == {baselines.TIME_ONLY, *baselines.SCORES}
    assert all(score.shape == test.patient.shape and np.isfinite(score).all() for score in scores.values())
    assert "consciousness" in table.news2_lacks
    assert table.news2_known["pulse"] > 0.8
    told = judge(
        task("sepsis"), test, scores, thresholds, main=baselines.TIME_ONLY, probabilities=[baselines.TIME_ONLY],
        split="made up", news2_lacks=table.news2_lacks, draws=20,
    )  # fmt: skip
    news2 = next(row for row in told["rows"] if row["score"] == baselines.NEWS2)
    assert news2["auroc"] > 0.6, "the made-up sick have worse vital signs"
    assert told["alarms_against_news2"]["news2_lacks"] == table.news2_lacks


# The chart of the Royal College of Physicians (2017): points of a value that reaches each limit, the highest first.
CHART = {
    "respiratory_rate": ((25, 3), (21, 2), (12, 0), (9, 1), (-99, 3)),
    "oxygen_saturation": ((96, 0), (94, 1), (92, 2), (-99, 3)),
    "systolic_pressure": ((220, 3), (111, 0), (101, 1), (91, 2), (-99, 3)),
    "heart_rate": ((131, 3), (111, 2), (91, 1), (51, 0), (41, 1), (-99, 3)),
    "body_temperature": ((39.1, 2), (38.1, 1), (36.1, 0), (35.1, 1), (-99, 3)),
}


def test_news2_in_the_first_hour_is_the_charts(made: Cohort) -> None:
    found = baselines.score_table(made)
    took = made.samples
    first = np.flatnonzero(np.diff(made.patient, prepend=-1))
    expected = np.zeros(first.size)
    for name, limits in CHART.items():
        decimals = 1 if name == "body_temperature" else 0
        mine = (took.concept == VOCABULARY[name].index) & (took.at_us == took.at_us.min())
        for who, value in zip(took.patient[mine], took.value[mine], strict=True):
            whole = np.floor(value * 10**decimals + 0.5) / 10**decimals
            expected[who] += next(points for limit, points in limits if whole >= limit - 1e-9)
    assert np.array_equal(found.values[first, 0], expected)
    assert expected.max() >= 5


def test_a_baseline_sees_nothing_later(made: Cohort) -> None:
    before = baselines.score_table(made).values
    took = made.samples
    cut = took.at_us.min() + 10 * 3_600_000_000
    changed = replace(took, value=np.where(took.at_us > cut, took.value * 1.2, took.value))
    after = baselines.score_table(replace(made, samples=changed)).values
    early = made.hour <= 11
    assert np.array_equal(before[early], after[early])
    assert not np.array_equal(before[~early], after[~early])


def test_the_time_only_score_is_the_share_at_that_hour() -> None:
    hour = np.repeat(np.arange(12), 1000)
    label = (hour >= 6).astype(np.int8)
    clock = baselines.TimeOnly(hour, label)
    shares = clock.score(np.array([0, 5, 6, 11, 500]))
    assert (shares[:2] < 0.05).all()
    assert (shares[2:] > 0.95).all()
    again = baselines.TimeOnly.from_table(clock.table.tolist())
    assert np.array_equal(again.score(hour), clock.score(hour))


def test_a_task_told_once_a_stay_has_no_clock(made: Cohort, tmp_path: Path) -> None:
    stays = stay_cohort()
    learned = baselines.learn(task("mortality24"), stays)
    assert set(learned) == {"thresholds"}
    scores, _, _ = baselines.scores_of(stays, learned)
    assert set(scores) == set(baselines.SCORES)

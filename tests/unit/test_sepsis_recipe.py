"""The sepsis recipe: columns, goal, members joined, and the threshold at a site without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import synthetic_cohort
from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import UNKNOWN, Cohort, Samples
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.inputs.blocks import is_practice, known_names
from vitruvian.prediction.measure.platt import logit_of, sigmoid
from vitruvian.prediction.measure.utility import best_threshold, hour_values, normalized_utility
from vitruvian.prediction.recipes.sepsis import policy, recipe, wanted
from vitruvian.prediction.recipes.sepsis.features import CHARTED, DIRECTIONS, HABITS, PATIENT, STEADY
from vitruvian.prediction.recipes.sepsis.policy import MARGIN_LOGIT, PLATEAU, SCORES_MIN, middle_threshold
from vitruvian.prediction.sites.threshold import threshold_for

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    path: Path = tmp_path_factory.mktemp("made_up") / "hours.parquet"
    synthetic_cohort.table(patients=240, hours=30, seed=3).write_parquet(path)
    return read_challenge2019(path)


def risky(cohort: Cohort, seed: int = 0) -> Floats:
    """Probabilities (N,) that know something of the label."""
    noise = np.random.default_rng(seed).normal(size=cohort.patient.size)
    return sigmoid(-3.0 + 1.5 * (cohort.label > 0) + noise)


def test_every_column_can_be_made_and_is_named_once() -> None:
    for names in (STEADY, CHARTED, PATIENT, HABITS):
        assert len(set(names)) == len(names)
        assert set(names) <= set(known_names())
    assert set(DIRECTIONS) <= {*known_names()}
    assert set(DIRECTIONS.values()) == {1, -1}


def test_without_practice_no_member_reads_how_care_is_given() -> None:
    made = recipe()
    plans = {plan.name: plan for plan in made.members}
    for name in made.variants["no_practice"]:
        assert not [feature for feature in plans[name].features if is_practice(feature)]
    read = {feature for name in made.variants["standard"] for feature in plans[name].features}
    assert set(HABITS) <= read


@pytest.mark.parametrize("quick", [False, True])
def test_variants_join_members_that_are_fitted_and_shipped(quick: bool) -> None:
    made = recipe(quick=quick, compare=True)
    names = [plan.name for plan in made.members]
    assert len(set(names)) == len(names)
    for weights in made.variants.values():
        assert set(weights) <= set(names) - made.compared
        assert sum(weights.values()) == pytest.approx(1.0)
        assert min(weights.values()) > 0
    assert {"gru", "tcn", "transformer"} <= made.compared
    assert {"logistic", "forest", "lstm"} <= set(names) - made.compared  # each can be served alone


def test_the_goal_keeps_every_hour_that_matters_and_the_weight_of_the_rest(cohort: Cohort) -> None:
    made = wanted(cohort)
    label = cohort.label > 0
    near = label | (hour_values(cohort.patient, np.maximum(cohort.label, 0)).gain > 0)
    np.testing.assert_array_equal(made.target, label)
    assert (made.weight[near] == 1.0).all()
    kept = made.weight[~near]
    assert 0.2 < (kept > 0).mean() < 0.3
    assert kept.sum() == pytest.approx(kept.size, rel=0.06)
    per_patient = np.bincount(cohort.patient[~near], weights=kept > 0, minlength=cohort.patients)
    assert (per_patient[np.bincount(cohort.patient[~near], minlength=cohort.patients) >= 4] > 0).all()


def test_hours_whose_label_is_not_known_are_left_out(cohort: Cohort) -> None:
    unknown = cohort.label.copy()
    unknown[::7] = UNKNOWN
    part = Cohort(
        cohort.data, True, cohort.ids, cohort.patient, cohort.hour, unknown, unknown != UNKNOWN, cohort.age_years,
        cohort.male, cohort.samples,
    )  # fmt: skip
    made = wanted(part)
    assert (made.weight[::7] == 0).all()
    assert made.weight.sum() > 0


def test_the_threshold_is_the_middle_of_the_best_and_a_margin(cohort: Cohort) -> None:
    probability = risky(cohort)
    told = policy(cohort, probability)
    values = hour_values(cohort.patient, cohort.label)
    middle = middle_threshold(values, probability)
    assert logit_of(np.array([told["threshold"]]))[0] == pytest.approx(middle + MARGIN_LOGIT)
    assert threshold_for(np.tile(probability, 3), told) == pytest.approx(told["threshold"])


@pytest.mark.parametrize("seed", range(5))
def test_the_middle_lies_on_the_plateau_around_the_best(cohort: Cohort, seed: int) -> None:
    probability = risky(cohort, seed)
    values = hour_values(cohort.patient, cohort.label)
    best, highest = best_threshold(values, probability)
    start, grid = logit_of(np.array([best]))[0], np.arange(-1.0, 1.01, 0.02)
    near = [
        step for step in grid if normalized_utility(values, logit_of(probability) >= start + step) >= highest - PLATEAU
    ]
    middle = middle_threshold(values, probability) - start
    assert min(near) - 0.02 <= middle <= max(near) + 0.02
    # by a plain walk from the best to both sides
    low = high = 0.0
    while low > -1 and normalized_utility(values, logit_of(probability) >= start + low - 0.02) >= highest - PLATEAU:
        low -= 0.02
    while high < 1 and normalized_utility(values, logit_of(probability) >= start + high + 0.02) >= highest - PLATEAU:
        high += 0.02
    assert middle == pytest.approx((low + high) / 2, abs=0.021)


def test_the_threshold_follows_the_bulk_of_a_sites_scores(cohort: Cohort) -> None:
    probability = risky(cohort)
    told = policy(cohort, probability)
    site = np.tile(probability, 3)
    assert site.size > SCORES_MIN
    for shift in (-0.6, 0.4):
        moved = threshold_for(sigmoid(logit_of(site) + shift), told)
        expected = logit_of(np.array([told["threshold"]]))[0] + shift
        assert logit_of(np.array([moved]))[0] == pytest.approx(expected, abs=1e-6)
    far = threshold_for(sigmoid(logit_of(site) + 5.0), told)  # not one scale any more: it follows so far and no further
    assert logit_of(np.array([far]))[0] == pytest.approx(logit_of(np.array([told["threshold"]]))[0] + told["most"])


def test_more_septic_hours_hardly_move_the_threshold(cohort: Cohort) -> None:
    probability = risky(cohort)
    told = policy(cohort, probability)
    calm = np.tile(probability[cohort.label == 0], 4)
    ill = np.concatenate([calm, np.full(calm.size // 20, 0.9)])  # five hours in a hundred more, all of them alarms
    moved = logit_of(np.array([threshold_for(ill, told), threshold_for(calm, told)]))
    assert 0 <= moved[0] - moved[1] < 0.1


def test_few_scores_and_gaps_do_not_move_it(cohort: Cohort) -> None:
    told = policy(cohort, risky(cohort))
    assert threshold_for(np.full(SCORES_MIN - 1, 0.9), told) == told["threshold"]
    gaps = np.full(SCORES_MIN * 2, np.nan)
    gaps[:10] = 0.9
    assert threshold_for(gaps, told) == told["threshold"]


def test_hours_not_told_do_not_choose(cohort: Cohort) -> None:
    probability = risky(cohort)
    probability[::3] = np.nan
    told = policy(cohort, probability)
    assert 0 < told["threshold"] < 1
    assert told["middle"] == pytest.approx(np.nanmedian(logit_of(probability)))


def test_nobody_septic_is_an_error() -> None:
    empty = Samples(*(np.zeros(0, kind) for kind in (np.int64, np.int64, np.int64, np.float64)))
    calm = Cohort(
        "made up", True, ("a",), np.zeros(5, np.int64), np.arange(1, 6), np.zeros(5, np.int8), np.ones(5, np.bool_),
        np.array([60.0]), np.array([1.0]), empty,
    )  # fmt: skip
    with pytest.raises(ModelError, match="septic patients"):
        policy(calm, np.full(5, 0.1))


def test_policies_that_cannot_be_are_refused(cohort: Cohort) -> None:
    told = policy(cohort, risky(cohort))
    for wrong in ({"middle": float("nan")}, {"middle": None}, {"most": -1.0}, {"kind": "guess"}, {"weight": 2.0}):
        with pytest.raises(ModelError):
            threshold_for(risky(cohort), told | wrong)

"""The recipes of death in hospital and of the eICU demo, and fitting where everyone trains. The data are simulated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.cohorts.split import folds_of
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.inputs.blocks import is_practice, known_names
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.recipes import recipe_for
from vitruvian.prediction.recipes.eicu import eicu
from vitruvian.prediction.recipes.mortality import expected_alarms, mortality
from vitruvian.prediction.sites.threshold import threshold_for
from vitruvian.prediction.tasks import TASKS, task
from vitruvian.prediction.training.crossfit import crossfit, unseen_logits

RECIPES = {"mortality": mortality(), **{name: eicu(task(name)) for name in ("mortality24", "aki", "sepsis")}}


@pytest.fixture(scope="module")
def simulated() -> Cohort:
    return open_cohort("mortality", "simulated:160:3")


@pytest.fixture(scope="module")
def table(simulated: Cohort) -> Table:
    return table_of(simulated, mortality(quick=True).names)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_name_what_there_is_and_their_weights_are_shares(name: str) -> None:
    recipe = RECIPES[name]
    assert set(recipe.names) <= set(known_names())
    members = {plan.name: plan for plan in recipe.members}
    for weights in recipe.variants.values():
        assert sum(weights.values()) == pytest.approx(1.0)
        assert set(weights) <= set(members)
    for member in recipe.variants["no_practice"]:
        care = [feature for feature in members[member].features if is_practice(feature)]
        assert not care, f"{member} reads how care is given: {care}"
    for plan in recipe.members:
        assert len(set(plan.features)) == len(plan.features), plan.name


def test_a_task_finds_its_recipe(simulated: Cohort) -> None:
    assert "scattered" in {plan.name for plan in recipe_for(TASKS["mortality"], simulated).members}
    demo = replace(simulated, data="eICU demo (mortality24)")
    found = recipe_for(TASKS["mortality24"], demo, compare=True)
    assert {plan.name for plan in found.members} == {"lightgbm", "logistic", "plain_lightgbm"}
    assert found.compared == {"plain_lightgbm"}


def test_as_many_alarms_as_deaths_are_expected_and_elsewhere_the_same_share(simulated: Cohort) -> None:
    chance = np.random.default_rng(0).uniform(size=simulated.patient.size)
    policy = expected_alarms(simulated, chance)
    scored = simulated.scored & (simulated.label >= 0)
    deaths = int(simulated.label[scored].sum())
    assert abs(int((chance[scored] >= policy["threshold"]).sum()) - deaths) <= 1
    elsewhere = chance[scored] ** 3 * 0.2  # all scores lower, in the same order
    many = np.tile(elsewhere, 10)
    alarms = (many >= threshold_for(many, policy)).mean()
    assert alarms == pytest.approx(policy["share"], abs=0.02)


def test_logits_are_of_models_that_never_saw_the_patient(simulated: Cohort, table: Table) -> None:
    """Turning the outcomes of one fold upside down must not move that fold's logits by a bit; others' must move."""
    rows = np.flatnonzero(simulated.scored & (simulated.label >= 0))
    fold = folds_of(simulated.ids, 4, "test")[simulated.patient]
    target = simulated.label.astype(np.float64)
    turned = np.where(fold == 1, 1 - target, target)
    plan = next(one for one in mortality(quick=True).members if one.name == "lightgbm")

    def logits(of: np.ndarray) -> np.ndarray:
        goal = Goal(of, np.ones(of.size), rows, np.empty(0, np.int64))
        return unseen_logits(plan, table, goal, fold, rows, 1, lambda _: None)

    true, other = logits(target), logits(turned)
    mine = rows[fold[rows] == 1]
    assert mine.size > 10
    assert true[mine].tobytes() == other[mine].tobytes()
    assert not np.array_equal(true[rows], other[rows])
    assert np.isnan(np.delete(true, rows)).all()


def test_everyone_trains_and_the_lines_come_from_unseen_patients(
    simulated: Cohort, table: Table, tmp_path: Path
) -> None:
    recipe = replace(
        mortality(quick=True),
        members=tuple(plan for plan in mortality(quick=True).members if plan.name in ("lightgbm", "forest")),
        variants={"standard": {"lightgbm": 0.5, "forest": 0.5}},
    )
    trained = crossfit(simulated, table, recipe, tmp_path, lambda _: None, count=3)
    assert trained.parts.train.size == simulated.patients and not trained.parts.test.size
    assert (tmp_path / "lightgbm.onnx").is_file() and (tmp_path / "forest.onnx").is_file()
    rows = np.flatnonzero(simulated.scored & (simulated.label >= 0))
    chance = trained.variants["standard"].probability(trained.logits(rows))
    assert chance.mean() == pytest.approx(simulated.label[rows].mean(), abs=0.02), "calibrated in the large"
    again = crossfit(simulated, table, recipe, tmp_path / "again", lambda _: None, count=3)
    assert again.variants["standard"] == trained.variants["standard"], "same seed, same data, same model"

"""Attributions: exact where they claim to be, complete everywhere, and naming what really moves a model."""

from __future__ import annotations

import itertools
import json
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.bundle_support import FEATURES, MEDIANS, make_bundle
from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.rows import Boosted, BoostedFamily, Forest, ForestFamily
from vitruvian.prediction.families.rows.booster import trees_of
from vitruvian.prediction.families.rows.trees import Trees
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.reasons import HOURLY, MISSING, attribute, attribute_member, subject
from vitruvian.prediction.reasons.deletion import deletion
from vitruvian.prediction.reasons.leaves import Leaves, leaves_of, shapley
from vitruvian.prediction.serve.predictor import Predictor

ROWS, PATIENT_ROWS = 3_000, 20
SPREAD = (15.0, 4.0, 2.0, 20.0, 0.6, 0.7)
BOOSTED = Boosted(rounds=40, patience=10, learning_rate=0.1, leaf_rows_min=20, l2=1.0, feature_share=1.0, seeds=2)


def planted(seed: int = 0, *, shuffled: bool = False) -> tuple[Table, Goal]:
    """Real features' names; risk by heart rate, lactate and their product, the rest noise; a fifth is missing."""
    random = np.random.default_rng(seed)
    values = (np.array(MEDIANS) + np.array(SPREAD) * random.normal(size=(ROWS, len(FEATURES)))).astype(np.float32)
    z = (values - np.array(MEDIANS, np.float32)) / np.array(SPREAD, np.float32)
    logit = 0.9 * z[:, 0] + 0.9 * z[:, 5] + 0.7 * z[:, 0] * z[:, 5] - 1
    values[random.random(values.shape) < 0.2] = np.nan
    label = (random.random(ROWS) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    if shuffled:
        label = random.permutation(label)
    empty = np.full((ROWS, len(CHANNELS)), np.nan, np.float32)
    patient, hour = np.repeat(np.arange(ROWS // PATIENT_ROWS), PATIENT_ROWS), np.tile(np.arange(PATIENT_ROWS), 150)
    table = Table(FEATURES, values, empty, empty, patient, hour, label, np.ones(ROWS, np.bool_), 0, 0)
    return table, Goal(label.astype(np.float64), np.ones(ROWS), np.arange(2_400), np.arange(2_400, ROWS))


def silent(_: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a logistic regression, a recurrent unit, boosted trees and a forest."""
    folder = make_bundle(tmp_path_factory.mktemp("bundle") / "sepsis")
    table, goal = planted()
    told = json.loads((folder / "bundle.json").read_text("utf-8"))
    forest = ForestFamily(Forest(trees=20, leaves=20, leaf_rows_min=10, row_share=0.5, feature_share=0.7))
    families: dict[str, Any] = {"boosted": BoostedFamily(BOOSTED), "forest": forest}
    for name, family in families.items():
        member = family.fit(table, FEATURES, goal, seed=1, say=silent).save(folder, name, table, goal.valid)
        told["members"].append(member.as_json() | {"slope": 0.8, "intercept": -0.3})
    told["variants"]["standard"]["members"] = {"logistic": 0.1, "gru": 0.2, "boosted": 0.4, "forest": 0.3}
    (folder / "bundle.json").write_text(json.dumps(told), "utf-8")
    return folder


def patients(count: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    table, _ = planted(seed)
    random = np.random.default_rng(seed)
    hours = random.normal([85, 18, 97, 37, 120, 65, 82], [10, 4, 2, 0.5, 15, 10, 12], (count, CONTEXT_H, len(CHANNELS)))
    hours[random.random(hours.shape) < 0.3] = np.nan
    return table.values[:count], hours.astype(np.float32)


def walked(trees: Trees, root: int, row: np.ndarray, known: set[int]) -> float:
    """The mean of a tree where only some features are known: by cover at every other node, from the definition."""

    def at(node: int) -> float:
        feature = int(trees.feature[node])
        left, right = int(trees.left[node]), int(trees.right[node])
        if feature < 0:
            return float(trees.value[node])
        if feature not in known:
            whole = float(trees.cover[node])
            return (trees.cover[left] * at(left) + trees.cover[right] * at(right)) / whole
        x = row[feature]
        goes_left = bool(trees.missing_left[node]) if np.isnan(x) else x <= trees.threshold[node]
        return at(left if goes_left else right)

    return at(root)


def by_definition(trees: Trees, row: np.ndarray) -> np.ndarray:
    """Shapley values by all subsets of features."""
    count = row.size
    out = np.zeros(count)
    for feature in range(count):
        others = [one for one in range(count) if one != feature]
        for size in range(count):
            weight = factorial(size) * factorial(count - size - 1) / factorial(count)
            for chosen in itertools.combinations(others, size):
                for root in trees.roots:
                    gain = walked(trees, int(root), row, {*chosen, feature}) - walked(trees, int(root), row, {*chosen})
                    out[feature] += weight * gain
    return out


def test_leaves_give_shapley_values_by_their_definition() -> None:
    table, goal = planted()
    fitted = BoostedFamily(Boosted(rounds=6, patience=0, leaves=9, leaf_rows_min=20, l2=1.0)).fit(
        table, FEATURES, goal, seed=1, say=silent
    )
    values = table.values[:4][:, [FEATURES.index(name) for name in fitted.features]]
    found = shapley(leaves_of(fitted.trees), values)
    assert np.isnan(values).any()
    for row in range(4):
        np.testing.assert_allclose(found[row], by_definition(fitted.trees, values[row]), atol=1e-7)


def test_boosted_trees_agree_with_the_trainers_own_attributions() -> None:
    import lightgbm

    table, goal = planted()
    fitted = BoostedFamily(Boosted(rounds=150, patience=0, leaves=31, leaf_rows_min=10, l2=1.0)).fit(
        table, FEATURES, goal, seed=1, say=silent
    )
    booster = lightgbm.Booster(model_str=fitted.texts[0])
    expected = booster.predict(table.values[:400], pred_contrib=True)
    leaves = leaves_of(trees_of(booster, booster.current_iteration()))
    found = shapley(leaves, table.values[:400])
    np.testing.assert_allclose(found, expected[:, :-1], atol=1e-6)
    assert leaves.base == pytest.approx(expected[0, -1], abs=1e-6)


def test_every_attribution_adds_up_to_what_is_served(folder: Path) -> None:
    predictor = Predictor.load(folder)
    values, hours = patients(25)
    also = tuple(name for name in predictor.needed if name not in FEATURES)  # what only the gate reads
    served = predictor.score(np.hstack([values, np.full((25, len(also)), 60, np.float32)]), (*FEATURES, *also), hours)
    for place, name in enumerate(served.members):
        found = attribute_member(predictor, name, values, FEATURES, hours)
        logit = np.log(served.member_probability[:, place] / (1 - served.member_probability[:, place]))
        np.testing.assert_allclose(found.logit, logit, atol=2e-5)
        limit = 1e-2 if name == "gru" else 1e-5
        assert np.abs(found.residual).max() < limit, name
        assert np.ptp(found.base) < 1e-6
    whole = attribute(predictor, values, FEATURES, hours)
    np.testing.assert_allclose(whole.logit, np.log(served.probability / (1 - served.probability)), atol=2e-5)
    assert np.abs(whole.residual).max() < 2e-3
    assert set(whole.names) == {*FEATURES, MISSING, *(f"{HOURLY}{name}" for name in CHANNELS)}
    people = whole.by_subject()
    np.testing.assert_allclose(people.logit, whole.logit, atol=1e-12)
    both = [whole.names.index(name) for name in ("heart_rate", f"{HOURLY}heart_rate")]
    expected = whole.contributions[:, both].sum(axis=1)
    np.testing.assert_allclose(people.contributions[:, people.names.index("heart_rate")], expected, atol=1e-12)


def test_integrated_gradients_converge_and_are_exact_for_what_is_linear(folder: Path) -> None:
    predictor = Predictor.load(folder, serves="standard/gru")
    values, hours = patients(8)
    coarse, fine = (attribute(predictor, values, FEATURES, hours, steps=steps) for steps in (1, 32))
    assert np.abs(fine.residual).max() < 0.1 * np.abs(coarse.residual).max()
    assert np.abs(fine.residual).max() < 2e-3
    linear = attribute_member(Predictor.load(folder), "logistic", values, FEATURES)
    places = [fine.names.index(name) for name in FEATURES]
    np.testing.assert_allclose(fine.contributions[:, places], linear.contributions, atol=5e-4)


def test_gaps_in_the_hours_are_told_apart(folder: Path) -> None:
    predictor = Predictor.load(folder, serves="standard/gru")
    values, hours = patients(2)
    values = np.tile(np.array(MEDIANS, np.float32), (2, 1))
    usual = dict(zip(FEATURES, MEDIANS, strict=True))
    hours[:] = [usual.get(name, np.nan) for name in CHANNELS]
    found = attribute(predictor, values, FEATURES, hours)
    assert np.abs(found.contributions).max() < 1e-6 and np.abs(found.residual).max() < 1e-6  # the reference itself
    hours[1, -6:] = np.nan
    gone = attribute(predictor, values, FEATURES, hours)
    others = np.delete(gone.contributions, gone.names.index(MISSING), axis=1)
    assert np.abs(others).max() < 1e-6
    assert np.abs(gone.logit - gone.base - gone.contributions.sum(axis=1)).max() < 1e-6


def test_deleting_what_is_named_lowers_the_risk_more_than_chance(folder: Path) -> None:
    predictor = Predictor.load(folder)
    values, _ = patients(400)
    medians = np.array(MEDIANS, np.float32)
    for name in ("logistic", "boosted", "forest"):
        member = next(one for one in predictor.members if one.name == name)
        places = [FEATURES.index(feature) for feature in member.features]
        found = attribute_member(predictor, name, values, FEATURES)
        logit = found.logit
        high = np.argsort(-logit)[:100]
        tested = deletion(
            lambda rows, member=member: member.logit(rows)[0], np.ascontiguousarray(values[high][:, places]),
            found.contributions[high], medians[places], 4,
        )  # fmt: skip
        named, chance = tested.areas.mean(axis=0)
        assert named > 1.2 * chance > 0, name
        assert (tested.named[:, 0] == 0).all()
        backwards = deletion(
            lambda rows, member=member: member.logit(rows)[0], np.ascontiguousarray(values[high][:, places]),
            -found.contributions[high], medians[places], 4,
        )  # fmt: skip
        assert backwards.areas[:, 0].mean() < chance, name


def test_shuffled_labels_name_no_signal() -> None:
    """A model of shuffled labels must not find heart rate and lactate again: attributions follow the model."""
    settings = Boosted(rounds=30, patience=0, learning_rate=0.1, leaf_rows_min=20, l2=1.0, feature_share=1.0)
    sizes = []
    for shuffled in (False, True):
        table, goal = planted(shuffled=shuffled)
        fitted = BoostedFamily(settings).fit(table, FEATURES, goal, seed=1, say=silent)
        values = table.values[:500][:, [FEATURES.index(name) for name in fitted.features]]
        size = np.abs(shapley(leaves_of(fitted.trees), values)).mean(axis=0)
        sizes.append({name: float(size[place]) for place, name in enumerate(fitted.features)})
    real, chance = sizes
    assert min(real["heart_rate"], real["lactate"]) > 3 * max(real[name] for name in FEATURES[1:5])
    assert sum(chance.values()) < 0.6 * sum(real.values())
    assert max(chance.get("heart_rate", 0), chance.get("lactate", 0)) < 0.5 * max(real.values())


def test_subjects_are_what_people_know() -> None:
    expected = {
        "lactate_change": "lactate", "heart_rate_mean_6h": "heart_rate", "hourly:heart_rate": "heart_rate",
        "oxygen_saturation_arterial_age_h": "oxygen_saturation_arterial", "resistance_estimate": "resistance_estimate",
        "oxygen_saturation_min_24h": "oxygen_saturation", "age_years": "age_years", MISSING: MISSING,
    }  # fmt: skip
    assert {name: subject(name) for name in expected} == expected


def test_bad_input_is_refused(folder: Path, tmp_path: Path) -> None:
    predictor = Predictor.load(folder)
    values, hours = patients(2)
    with pytest.raises(ModelError, match="found no feature lactate"):
        attribute(predictor, values[:, :-1], FEATURES[:-1], hours)
    with pytest.raises(ModelError, match="found no hours for gru"):
        attribute(predictor, values, FEATURES)
    with pytest.raises(ModelError, match="found no trees at"):
        Trees.load(tmp_path / "absent.trees.npz")


def test_a_tree_that_asks_nothing_adds_nothing() -> None:
    none = np.zeros(0)
    leaves = Leaves(
        np.array([0, 0]), none.astype(np.int64), none.astype(np.float32), none.astype(np.float32), none.astype(bool),
        none, np.array([0.7]), 0.7,
    )  # fmt: skip
    assert (shapley(leaves, np.ones((3, 2), np.float32)) == 0).all()

"""Row families: they learn what was planted, keep the contract, and their graphs say what the trainer's engine says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.prediction.families.base import Goal, MemberFile
from vitruvian.prediction.families.rows import (
    Boosted,
    BoostedFamily,
    Forest,
    ForestFamily,
    LogisticFamily,
    LogisticSettings,
)
from vitruvian.prediction.families.rows.booster import average, trees_of
from vitruvian.prediction.families.rows.trees import SUFFIX, Trees, at_most
from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.inputs.table import Table

NAMES = ("rising", "falling", "gappy", "noise", "never")
PATIENTS, HOURS = 150, 30
SMALL = Boosted(rounds=60, patience=15, learning_rate=0.1, leaf_rows_min=20, l2=1.0, feature_share=1.0)
FAMILIES: list[Any] = [
    LogisticFamily(LogisticSettings(penalties=(10.0,))),
    ForestFamily(Forest(trees=20, leaves=30, leaf_rows_min=10, row_share=0.5, feature_share=0.7)),
    BoostedFamily(SMALL),
]


def planted(seed: int = 0, *, known: bool = False) -> tuple[Table, Goal]:
    """Risk rises with one feature, falls with another, and is higher where a third is missing."""
    random = np.random.default_rng(seed)
    count = PATIENTS * HOURS
    values = random.normal(size=(count, len(NAMES))).astype(np.float32)
    values[:, 0] = np.round(values[:, 0], 1)  # ties: thresholds lie next to values that occur
    if not known:
        values[random.random(count) < 0.4, 2] = np.nan
        values[random.random(count) < 0.1, 0] = np.nan
    values[:, 4] = np.nan
    logit = 1.2 * np.nan_to_num(values[:, 0]) - 0.8 * np.maximum(values[:, 1], 0) + 0.9 * np.isnan(values[:, 2]) - 1
    label = (random.random(count) < 1 / (1 + np.exp(-logit))).astype(np.int8)
    patient = np.repeat(np.arange(PATIENTS), HOURS)
    empty = np.full((count, len(CHANNELS)), np.nan, np.float32)
    hour = np.tile(np.arange(HOURS), PATIENTS)
    table = Table(NAMES, values, empty, empty, patient, hour, label, np.ones(count, np.bool_), 0, 0)
    weight = random.uniform(0.5, 1.5, count)
    fitted = patient < 110
    return table, Goal(label.astype(np.float64), weight, np.flatnonzero(fitted), np.flatnonzero(~fitted))


def auroc(label: np.ndarray, score: np.ndarray) -> float:
    ranks = np.argsort(np.argsort(score, kind="stable"), kind="stable")
    ill = label == 1
    return float((ranks[ill].mean() - ranks[~ill].mean()) / label.size + 0.5)


def served(folder: Path, member: MemberFile, values: np.ndarray) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / f"{member.name}.onnx", providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(["logit"], {"features": values})[0]
    return result


def silent(_: str) -> None:
    """Say nothing."""


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_learns_what_was_planted_and_serves_it(family: Any, tmp_path: Path) -> None:
    table, goal = planted()
    fitted = family.fit(table, NAMES, goal, seed=3, say=silent)
    assert "never" not in fitted.features
    assert {"rising", "falling"} <= set(fitted.features)
    logit = fitted.logit(table, goal.valid)
    assert auroc(table.label[goal.valid], logit) > 0.72
    member = fitted.save(tmp_path, "member", table, np.arange(table.patient.size))
    assert member.kind == "row" and member.state == 0 and member.features == fitted.features
    assert member.parity_max <= 1e-5 and member.parity_rows == table.patient.size
    json.dumps(member.as_json(), allow_nan=False)
    values = table.values[np.ix_(goal.valid, table.columns(member.features))]
    assert np.abs(served(tmp_path, member, values) - logit).max() <= 1e-5


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_same_seed_gives_the_same_model(family: Any) -> None:
    table, goal = planted()
    first, again = (family.fit(table, NAMES, goal, seed=5, say=silent) for _ in range(2))
    assert np.array_equal(first.logit(table, goal.valid), again.logit(table, goal.valid))
    assert first.to_onnx("member") == again.to_onnx("member")


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_shuffled_labels_teach_nothing(family: Any) -> None:
    table, goal = planted()
    shuffled = np.random.default_rng(1).permutation(goal.target)
    goal = Goal(shuffled, goal.weight, goal.train, goal.valid)
    try:
        fitted = family.fit(table, NAMES, goal, seed=5, say=silent)
    except ModelError as error:  # boosting may stop before the first split
        assert "ask nothing" in str(error)
        return
    assert abs(auroc(shuffled[goal.valid], fitted.logit(table, goal.valid)) - 0.5) < 0.05


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_one_outcome_is_refused(family: Any) -> None:
    table, goal = planted()
    with pytest.raises(ModelError, match="one outcome only"):
        family.fit(
            table, NAMES, Goal(np.zeros_like(goal.target), goal.weight, goal.train, goal.valid), seed=1, say=silent
        )


@pytest.mark.parametrize("family", FAMILIES[1:], ids=lambda family: family.name)
def test_targets_in_between_are_understood(family: Any) -> None:
    table, goal = planted()
    soft = Goal(0.1 + 0.8 * goal.target, goal.weight, goal.train, goal.valid)
    fitted = family.fit(table, NAMES, soft, seed=1, say=silent)
    logit = fitted.logit(table, goal.valid)
    assert auroc(table.label[goal.valid], logit) > 0.72
    mean = float(np.mean(1 / (1 + np.exp(-logit))))
    assert abs(mean - float(soft.target[goal.valid].mean())) < 0.05


def test_boosted_routes_every_value_as_the_trainer_does(tmp_path: Path) -> None:
    """Values at thresholds, next to them on either side, zeros, extremes, missing where training had none missing."""
    table, goal = planted(known=True)
    fitted = BoostedFamily(SMALL).fit(table, NAMES, goal, seed=2, say=silent)
    member = fitted.save(tmp_path, "member", table, goal.train)
    trees = Trees.load(tmp_path / f"member{SUFFIX}")
    cuts = trees.threshold[trees.feature == 0]
    edges = np.concatenate([cuts, np.nextafter(cuts, np.float32(np.inf)), np.nextafter(cuts, np.float32(-np.inf))])
    edges = np.concatenate([edges, np.float32([0, -0.0, 1e-38, -1e-38, 3e38, -3e38, np.nan])]).astype(np.float32)
    values = np.zeros((edges.size, len(member.features)), np.float32)
    values[:, 0] = edges
    values[::2, 1] = np.nan
    probe = Table(
        member.features, values, table.running[: edges.size], table.closed[: edges.size], np.arange(edges.size),
        np.zeros(edges.size, np.int64), np.zeros(edges.size, np.int8), np.ones(edges.size, np.bool_), 0, 0,
    )  # fmt: skip
    expected = fitted.logit(probe, np.arange(edges.size))
    assert np.abs(served(tmp_path, member, values) - expected).max() <= 1e-5


def test_thresholds_in_single_precision_divide_the_same_values() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=2_000).astype(np.float32)
    between = (values[:-1].astype(np.float64) + values[1:]) / 2
    cuts = np.concatenate(
        [values.astype(np.float64), between, np.nextafter(values.astype(np.float64), -np.inf), [1e300]]
    )
    kept = at_most(cuts)
    for cut, single in zip(cuts, kept, strict=True):
        assert np.array_equal(values.astype(np.float64) <= cut, values <= single)


def test_constraints_hold_everywhere() -> None:
    table, goal = planted()
    rising = Boosted(**{**plain(SMALL), "monotone": {"rising": -1, "falling": -1, "absent": 1}})
    fitted = BoostedFamily(rising).fit(table, NAMES, goal, seed=1, say=silent)
    line = np.linspace(-3, 3, 200).astype(np.float32)
    for name in set(fitted.features) & {"rising", "falling"}:
        values = np.tile(table.values[7], (200, 1))
        values[:, NAMES.index(name)] = line
        probe = Table(
            NAMES, values, table.running[:200], table.closed[:200], np.arange(200), np.zeros(200, np.int64),
            np.zeros(200, np.int8), np.ones(200, np.bool_), 0, 0,
        )  # fmt: skip
        assert (np.diff(fitted.logit(probe, np.arange(200))) <= 1e-12).all(), name
    with pytest.raises(ConfigurationError, match="expected 1"):
        BoostedFamily(Boosted(monotone={"rising": 2})).fit(table, NAMES, goal, seed=1, say=silent)


def plain(settings: Boosted) -> dict[str, Any]:
    from dataclasses import fields

    return {one.name: getattr(settings, one.name) for one in fields(settings)}


def test_additive_trees_ask_about_one_feature_each() -> None:
    table, goal = planted()
    fitted = BoostedFamily(Boosted(**{**plain(SMALL), "additive": True})).fit(table, NAMES, goal, seed=1, say=silent)
    ends = np.append(fitted.trees.roots[1:], fitted.trees.feature.size)
    asked = [
        set(fitted.trees.feature[a:b][fitted.trees.feature[a:b] >= 0].tolist())
        for a, b in zip(fitted.trees.roots, ends, strict=True)
    ]
    assert max(len(one) for one in asked) == 1
    assert len(set.union(*asked)) >= 2


def test_seeds_are_averaged_and_a_killed_fit_goes_on(tmp_path: Path) -> None:
    table, goal = planted()
    two = BoostedFamily(Boosted(**{**plain(SMALL), "seeds": 2}))
    kept = tmp_path / "fit.json"
    BoostedFamily(Boosted(**{**plain(SMALL), "seeds": 1})).fit(table, NAMES, goal, seed=4, say=silent, kept=kept)
    said: list[str] = []
    resumed = two.fit(table, NAMES, goal, seed=4, say=said.append, kept=kept)
    assert not any("seed 1 of 2" in line for line in said) and any("seed 2 of 2" in line for line in said)
    whole = two.fit(table, NAMES, goal, seed=4, say=silent)
    assert np.array_equal(resumed.logit(table, goal.valid), whole.logit(table, goal.valid))
    assert whole.texts[0] != whole.texts[1]
    other = two.fit(table, NAMES[:3], goal, seed=4, say=said.append, kept=kept)
    assert set(other.features) <= set(NAMES[:3]) and any("seed 1 of 2" in line for line in said)


def test_a_graph_that_is_too_large_is_refused(tmp_path: Path) -> None:
    table, goal = planted()
    fitted = BoostedFamily(Boosted(**{**plain(SMALL), "most_bytes": 100})).fit(table, NAMES, goal, seed=4, say=silent)
    with pytest.raises(ModelError, match="expected at most 100"):
        fitted.save(tmp_path, "member", table, goal.train)


def test_penalty_is_chosen_on_patients_set_aside() -> None:
    table, goal = planted()
    settings = LogisticSettings(penalties=(10.0, 1e7))
    assert LogisticFamily(settings).fit(table, NAMES, goal, seed=1, say=silent).penalty == 10.0
    nobody = Goal(goal.target, goal.weight, goal.train, goal.valid[:0])
    with pytest.raises(ModelError, match="nothing to choose by"):
        LogisticFamily(settings).fit(table, NAMES, nobody, seed=1, say=silent)
    with pytest.raises(ModelError, match="no rows to stop by"):
        BoostedFamily(SMALL).fit(table, NAMES, nobody, seed=1, say=silent)


def test_logistic_without_indicators_reads_a_gap_as_the_median() -> None:
    table, goal = planted()
    fitted = LogisticFamily(LogisticSettings((10.0,), indicators=False)).fit(table, NAMES, goal, seed=1, say=silent)
    values = table.values[:2].copy()
    values[0] = np.nan
    values[1, [NAMES.index(name) for name in fitted.features]] = fitted.basis.center
    probe = Table(
        NAMES, values, table.running[:2], table.closed[:2], np.arange(2), np.zeros(2, np.int64), np.zeros(2, np.int8),
        np.ones(2, np.bool_), 0, 0,
    )  # fmt: skip
    low, high = fitted.logit(probe, np.arange(2))
    assert low == pytest.approx(high, abs=1e-9)


def test_patients_are_drawn_whole_and_anew_for_each_seed() -> None:
    table, goal = planted()
    half = BoostedFamily(Boosted(**{**plain(SMALL), "patient_share": 0.5, "seeds": 2}))
    fitted = half.fit(table, NAMES, goal, seed=1, say=silent)
    seen = fitted.trees.cover[fitted.trees.roots]
    assert (seen <= 55 * HOURS).all() and (seen >= 0.55 * 55 * HOURS).all()  # 55 of 110 patients, 60 % of their rows
    assert fitted.texts[0] != fitted.texts[1]
    assert auroc(table.label[goal.valid], fitted.logit(table, goal.valid)) > 0.72


def test_the_trainers_scores_are_those_of_its_trees() -> None:
    """Early stopping goes by scores that the trainer keeps; they must be what the trees predict."""
    table, goal = planted()
    said: list[str] = []
    settings = Boosted(**{**plain(SMALL), "rounds": 100, "patience": 200, "learning_rate": 0.02, "row_share": 0.5})
    fitted = BoostedFamily(settings).fit(table, NAMES, goal, seed=1, say=said.append)
    assert fitted.trees.roots.size == 100, "slow enough to gain by every tree"
    logit, target = fitted.logit(table, goal.valid), goal.target[goal.valid]
    loss = np.average(np.logaddexp(0, logit) - target * logit, weights=goal.weight[goal.valid])
    assert any(line.endswith(f"100 trees binary_logloss {loss:.4f}") for line in said), said


def test_average_of_one_is_that_one() -> None:
    import lightgbm

    table, goal = planted()
    fitted = BoostedFamily(SMALL).fit(table, NAMES, goal, seed=1, say=silent)
    one = lightgbm.Booster(model_str=fitted.texts[0])
    trees = trees_of(one, one.current_iteration())
    assert average([trees, trees]).roots.size == 2 * trees.roots.size
    leaf = trees.feature < 0
    first = slice(0, int(trees.roots[1]))
    mean = average([trees]).base[0]
    assert mean == pytest.approx(np.average(trees.value[first][leaf[first]], weights=trees.cover[first][leaf[first]]))
    assert mean == pytest.approx(np.log(goal.target.mean() / (1 - goal.target.mean())), abs=0.2)

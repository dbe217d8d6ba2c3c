"""Row families and their reasons on real hours: the graphs say what the trainers say, and attributions add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support import require_data
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.rows import Boosted, BoostedFamily, Forest, ForestFamily, LogisticFamily
from vitruvian.prediction.inputs.hybrid import HYBRID
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.reasons.leaves import leaves_of, shapley
from vitruvian.signals.features import FEATURES

PATIENTS = 1_600  # some 60,000 hours


@pytest.fixture(scope="module")
def hours() -> tuple[Table, Goal]:
    cohort = read_challenge2019(require_data("physionet2019/training_setA.parquet")).of(np.arange(PATIENTS))
    table = table_of(cohort, (*FEATURES, *HYBRID))
    target = (cohort.label > 0).astype(np.float64)
    fitted = cohort.patient < PATIENTS * 3 // 4
    return table, Goal(target, np.ones(target.size), np.flatnonzero(fitted), np.flatnonzero(~fitted))


@pytest.mark.data
@pytest.mark.long
@pytest.mark.parametrize(
    "family",
    [LogisticFamily(), ForestFamily(Forest(trees=40)), BoostedFamily(Boosted(rounds=150, patience=0, seeds=2))],
    ids=lambda family: family.name,
)
def test_graphs_agree_with_their_trainers(family: Any, hours: tuple[Table, Goal], tmp_path: Path) -> None:
    table, goal = hours
    fitted = family.fit(table, table.names, goal, seed=1, say=lambda _: None)
    member = fitted.save(tmp_path, "member", table, np.arange(table.patient.size))
    assert member.parity_rows >= 50_000
    assert member.parity_max <= 1e-5
    if family.name == "boosted":
        values = table.values[np.ix_(goal.valid[:300], table.columns(member.features))]
        leaves = leaves_of(fitted.trees)
        summed = leaves.base + shapley(leaves, values).sum(axis=1)
        assert np.abs(summed - fitted.logit(table, goal.valid[:300])).max() < 1e-5

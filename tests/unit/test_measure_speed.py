"""Judging a Challenge-size test set takes its minutes, not an evening."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tests.support import limit_s
from vitruvian.prediction.cohorts.base import Cohort, Samples
from vitruvian.prediction.measure.baselines import NEWS2
from vitruvian.prediction.measure.judge import judge
from vitruvian.prediction.tasks import task

PATIENTS, HOURS, SCORES = 4_000, 40, 12


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_twelve_scores_of_160_000_hours_with_200_draws_within_two_minutes() -> None:
    random = np.random.default_rng(0)
    patient, hour = np.repeat(np.arange(PATIENTS), HOURS), np.tile(np.arange(HOURS), PATIENTS)
    first = np.where(np.arange(PATIENTS) % 11 == 0, random.integers(4, HOURS, PATIENTS), 10**6)
    label = (hour >= first[patient]).astype(np.int8)
    none = np.zeros(0, np.int64)
    cohort = Cohort(
        "made-up hours", True, tuple(str(number) for number in range(PATIENTS)), patient, hour, label,
        np.ones(patient.size, np.bool_), random.uniform(20, 90, PATIENTS), random.integers(0, 2, PATIENTS) * 1.0,
        Samples(none, none, none, np.zeros(0)),
    )  # fmt: skip
    names = [NEWS2, *(f"model {number}" for number in range(1, SCORES))]
    logit = -4 + 2 * label + random.normal(0, 1, (SCORES, label.size))
    scores = dict(zip(names, 1 / (1 + np.exp(-logit)), strict=True))
    begun = time.perf_counter()
    told = judge(
        task("sepsis"), cohort, scores, dict.fromkeys(names, 0.05), main="model 1", probabilities=names, split="all",
    )  # fmt: skip
    taken_s = time.perf_counter() - begun
    assert len(told["rows"]) == SCORES
    assert taken_s <= limit_s(120), f"took {taken_s:.0f} s"
    print(f"{taken_s:.1f} s")

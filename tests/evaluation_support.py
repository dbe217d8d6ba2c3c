"""Made-up cohorts whose risks are known, and evaluations of them, for tests of measuring and reporting."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np

from vitruvian.prediction.cohorts.base import UNKNOWN, Cohort, Samples
from vitruvian.prediction.measure.baselines import NEWS2, TIME_ONLY
from vitruvian.prediction.measure.conformal import fit_conformal, patient_scores
from vitruvian.prediction.measure.judge import judge
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.tasks import task

PATIENTS: Final = 240


def _people(random: np.random.Generator) -> dict[str, Any]:
    none = np.zeros(0, np.int64)
    units = ("medical", "surgical")
    return {
        "age_years": random.uniform(20, 90, PATIENTS),
        "male": (np.arange(PATIENTS) % 2).astype(np.float64),
        "samples": Samples(none, none, none, np.zeros(0)),
        "groups": {"unit": tuple(units[number % 2] for number in range(PATIENTS))},
        "notes": ("made by a generator",),
    }


@cache
def hourly_cohort() -> Cohort:
    """A third of the patients get the event; hours 12 to 48, simulated."""
    random = np.random.default_rng(11)
    lengths = random.integers(12, 49, PATIENTS)
    first = np.where(np.arange(PATIENTS) % 3 == 0, random.integers(2, lengths), 10**6)
    patient = np.repeat(np.arange(PATIENTS), lengths)
    hour = np.concatenate([np.arange(length) for length in lengths])
    return Cohort(
        "made-up hours", True, tuple(f"h{number}" for number in range(PATIENTS)), patient, hour,
        (hour >= first[patient]).astype(np.int8), np.ones(patient.size, np.bool_), **_people(random),
    )  # fmt: skip


@cache
def stay_cohort() -> Cohort:
    """Stays of 24 hours of which the last tells one label, simulated."""
    random = np.random.default_rng(12)
    patient, hour = np.repeat(np.arange(PATIENTS), 24), np.tile(np.arange(24), PATIENTS)
    scored = hour == 23
    label = np.full(patient.size, UNKNOWN, np.int8)
    label[scored] = random.random(PATIENTS) < 0.25
    return Cohort(
        "made-up stays", True, tuple(f"s{number}" for number in range(PATIENTS)), patient, hour, label, scored,
        **_people(random),
    )  # fmt: skip


def _risk(cohort: Cohort) -> np.ndarray:
    """Probabilities that are nearly true of the labels."""
    random = np.random.default_rng(13)
    logit = -2.5 + 2.2 * (cohort.label > 0) + random.normal(0, 1.2, cohort.label.size)
    return np.asarray(1 / (1 + np.exp(-logit)))


def _points(cohort: Cohort) -> np.ndarray:
    return np.floor(8 * _risk(cohort) + np.random.default_rng(14).random(cohort.label.size) * 4)


SCORES: Final[dict[str, Callable[[Cohort], np.ndarray]]] = {
    "model": _risk,
    "twin": _risk,
    "logistic regression": lambda cohort: _risk(cohort) ** 1.1,
    "random forest": lambda cohort: _risk(cohort) ** 0.9,
    "LSTM": lambda cohort: np.clip(_risk(cohort) + 0.01, 0, 1),
    "noise": lambda cohort: np.random.default_rng(15).random(cohort.label.size),
    TIME_ONLY: lambda cohort: np.clip(0.05 + cohort.hour / 200, 0, 1),
    NEWS2: _points,
}


def evaluated(cohort: Cohort, name: str = "sepsis", draws: int = 40) -> dict[str, Any]:
    """The evaluation of all `SCORES` on a cohort; the conformal thresholds are its own, which no real one's are."""
    scores = {key: make(cohort) for key, make in SCORES.items()}
    thresholds = {key: 5.0 if key == NEWS2 else 0.2 for key in scores}
    rows = rows_of(task(name), cohort)
    conformal = fit_conformal(patient_scores(rows, cohort.patient, scores["model"]), rows.event)
    return judge(
        task(name), cohort, scores, thresholds, main="model", probabilities=[key for key in scores if key != NEWS2],
        split="all of them", model="made-up 1", conformal=conformal, news2_lacks=["consciousness"], draws=draws,
    )  # fmt: skip

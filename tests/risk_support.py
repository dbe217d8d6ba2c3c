"""A small trained bundle on simulated patients, for tests of what comes after training."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.simulated import simulate_cohort
from vitruvian.prediction.families.base import Family
from vitruvian.prediction.families.rows import Boosted, BoostedFamily, LogisticFamily, LogisticSettings
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.recipes.base import Plan, Recipe, Wanted
from vitruvian.prediction.serve.bundle import Bundle
from vitruvian.prediction.sites.threshold import alarm_rate_policy
from vitruvian.prediction.tasks import task
from vitruvian.prediction.training.bundling import write_bundle
from vitruvian.prediction.training.fitting import fit, one_thread
from vitruvian.prediction.training.parts import split_parts

FEATURES = (
    "heart_rate", "respiratory_rate", "oxygen_saturation", "systolic_pressure", "mean_pressure", "body_temperature",
    "lactate", "creatinine", "shock_index", "age_years",
)  # fmt: skip


def families(*, sequence: bool) -> dict[str, Family]:
    """Members that fit in a second or two."""
    made: dict[str, Family] = {
        "logistic": LogisticFamily(LogisticSettings(penalties=(100.0,))),
        "boosted": BoostedFamily(Boosted(rounds=40, patience=0, leaf_rows_min=50, leaves=7)),
    }
    if sequence:
        from vitruvian.prediction.families.sequence import SequenceFamily, Settings

        for network in ("lstm", "tcn"):
            made[network] = SequenceFamily(
                Settings(network=network, hidden=8, head=8, epochs=1, batch_rows=512, epoch_rows=3_000)
            )
    return made


def recipe_of(name: str, *, sequence: bool = False) -> Recipe:
    """A recipe that gives every member the same weight."""
    members = tuple(Plan(each, family, FEATURES) for each, family in families(sequence=sequence).items())
    weights = {plan.name: 1.0 for plan in members}
    return Recipe(name, "test", members, {"standard": weights, "no_practice": weights}, _wanted, _policy)


def _wanted(cohort: Cohort) -> Wanted:
    known = cohort.scored & (cohort.label >= 0)
    return Wanted((cohort.label > 0).astype(np.float64), known.astype(np.float64))


def _policy(cohort: Cohort, probability: NDArray[np.float64]) -> dict[str, Any]:
    known = probability[np.isfinite(probability)]
    return alarm_rate_policy(known, float(np.quantile(known, 0.85)))


def train_small(
    folder: Path, cohort: Cohort, name: str = "cardiac_event", *, sequence: bool = False
) -> tuple[Bundle, Table]:
    """Fit, join and write the small recipe on a cohort, through the pipeline that `vitruvian train` runs."""
    recipe = recipe_of(name, sequence=sequence)
    with one_thread():
        table = table_of(cohort, recipe.names)
        parts = split_parts(cohort, "test")
        trained = fit(cohort, table, recipe, parts, folder, lambda _: None)
    return write_bundle(trained, cohort, table, recipe, folder), table


@cache
def simulated(patients: int = 300, seed: int = 0, name: str = "cardiac_event") -> Cohort:
    """Simulated patients, made once."""
    return simulate_cohort(task(name), patients, seed)

"""Five folds by patient of the Challenge 2019 set A: each fold's patients are told by a model that never saw them.

Every fold fits, joins, calibrates and chooses its threshold on the other four, by the shipped recipe. Takes up finished
folds of an earlier run from `VITRUVIAN_FOLDS` (a folder; a temporary one by default).
"""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import REPOSITORY, Bar, record
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.measure.utility import hour_values, normalized_utility
from vitruvian.prediction.recipes import recipe_for
from vitruvian.prediction.recipes.base import Recipe
from vitruvian.prediction.sites.threshold import threshold_for
from vitruvian.prediction.tasks import task
from vitruvian.prediction.training.fitting import fit, one_thread
from vitruvian.prediction.training.parts import fold_parts

DATA = "physionet2019/training_setA.parquet"
FOLDS = 5
SEED = "folds-1"
DRAWS = 200


def told(fold: int, cohort: Cohort, table: Table, recipe: Recipe, folder: Path) -> dict[str, dict[str, Any]]:
    """Of each variant, the test rows of a fold with their probabilities and the threshold they are held to."""
    kept = folder / f"fold-{fold}.npz"
    parts = fold_parts(cohort, SEED, fold, FOLDS)
    rows = parts.rows(cohort, parts.test)
    if not kept.exists():
        begun = time.process_time()
        trained = fit(cohort, table, recipe, parts, folder / f"fold-{fold}", lambda line: print(fold, line, flush=True))
        valid = parts.rows(cohort, parts.valid)
        held = cohort.of(parts.valid)
        found: dict[str, Any] = {"cpu_s": time.process_time() - begun}
        for name, variant in trained.variants.items():
            chance = np.zeros(held.patient.size)
            chance[held.scored & (held.label >= 0)] = variant.probability(trained.logits(valid))
            probability = variant.probability(trained.logits(rows))
            found[name] = probability
            found[f"{name}_threshold"] = threshold_for(probability, recipe.policy(held, chance))
        np.savez(kept, **found)
    one = np.load(kept)
    return {
        name: {"rows": rows, "probability": one[name], "threshold": float(one[f"{name}_threshold"])}
        for name in recipe.variants
    } | {"cost": {"cpu_s": float(one["cpu_s"])}}


def pooled(cohort: Cohort, folds: list[dict[str, Any]]) -> dict[str, Any]:
    """AUROC as the mean over folds, utility of all decisions together, with 95 % intervals over draws of patients."""
    values = hour_values(cohort.patient, cohort.label)
    alarm = np.zeros(cohort.patient.size, np.bool_)
    for one in folds:
        alarm[one["rows"]] = one["probability"] >= one["threshold"]
    gain = np.bincount(cohort.patient, np.where(alarm, values.gain, 0.0), cohort.patients)
    most = np.bincount(cohort.patient, values.best - values.silence, cohort.patients)
    random = np.random.default_rng(1)
    draws = np.stack(
        [
            np.bincount(random.integers(0, cohort.patients, cohort.patients), minlength=cohort.patients)
            for _ in range(DRAWS)
        ]
    )
    utilities = (draws @ gain) / (draws @ most)
    rankings = [Ranking(one["probability"], cohort.label[one["rows"]]) for one in folds]
    aurocs = np.array(
        [
            [
                ranking.auroc(draw[cohort.patient[one["rows"]]].astype(float))
                for one, ranking in zip(folds, rankings, strict=True)
            ]
            for draw in draws
        ]
    ).mean(axis=1)
    return {
        "auroc": float(np.mean([ranking.auroc() for ranking in rankings])),
        "auroc_95": [float(edge) for edge in np.quantile(aurocs, (0.025, 0.975))],
        "auroc_by_fold": [round(ranking.auroc(), 4) for ranking in rankings],
        "utility": normalized_utility(values, alarm),
        "utility_95": [float(edge) for edge in np.quantile(utilities, (0.025, 0.975))],
    }


def main() -> None:
    root = Path(os.environ.get("VITRUVIAN_DATA", REPOSITORY.parent / "shared" / "data"))
    of = task("sepsis")
    cohort = open_cohort(of, root / DATA)
    whole = recipe_for(of, cohort)
    variants = {"standard": whole.variants["standard"]}
    used = tuple(plan for plan in whole.members if plan.name in variants["standard"])
    recipe = replace(whole, members=used, variants=variants)
    with tempfile.TemporaryDirectory() as fresh, one_thread():
        folder = Path(os.environ.get("VITRUVIAN_FOLDS", fresh))
        folder.mkdir(parents=True, exist_ok=True)
        table = table_of(cohort, recipe.names)
        folds = [told(fold, cohort, table, recipe, folder) for fold in range(FOLDS)]
    found = {name: pooled(cohort, [fold[name] for fold in folds]) for name in recipe.variants}
    ours = found["standard"]
    record(
        "prediction_folds",
        title="Sepsis risk, five folds by patient",
        provenance=(
            f"{cohort.data} (CC BY 4.0), {cohort.patients:,} patients, each told by a model of the other four folds;"
            f" 95 % intervals over {DRAWS} draws of patients; thresholds from patients of the other folds"
        ),
        bars=[
            Bar("utility", ">= 0.45", round(ours["utility"], 3), ours["utility"] >= 0.45),
            Bar("AUROC, hour by hour", ">= 0.845", round(ours["auroc"], 4), ours["auroc"] >= 0.845),
        ],
        figures={
            name: {key: [round(edge, 4) for edge in value] if isinstance(value, list) else round(value, 4)
                   for key, value in one.items()}
            for name, one in found.items()
        } | {"cpu_s_a_fold": [round(fold["cost"]["cpu_s"]) for fold in folds]},
        notes=["Recipe and settings were chosen on pseudo-sites within the same set, so that these folds are a little"
               " kinder than patients who were never looked at."],
    )  # fmt: skip


if __name__ == "__main__":
    main()

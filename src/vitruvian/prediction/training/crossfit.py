"""Fitting where patients are few: everyone trains, and nobody judges a model that has seen them.

Each member is fitted on all patients, for the ward, and once a fold on the others. Lines, joined variants, thresholds
and conformal sets come from what the folds' models said of patients they had not seen (cross-fitting; Platt 1999 calls
for it, and so does Chernozhukov, Econom J 2018;21:C1). A model of all patients is a little better than the folds' are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.split import FOLDS, folds_of
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.recipes.base import Plan, Recipe
from vitruvian.prediction.training.fitting import SEED, Trained
from vitruvian.prediction.training.joined import calibrated, join
from vitruvian.prediction.training.parts import Parts
from vitruvian.prediction.training.stages import WORK, Known, fit_member, stage_digest

__all__ = ["FOLDS", "crossfit", "folds", "unseen_logits"]

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]
Say = Callable[[str], None]


def folds(cohort: Cohort, seed: int, count: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each patient (P,), by a hash of the name."""
    return folds_of(cohort.ids, count, f"crossfit-{seed}")


def unseen_logits(
    plan: Plan,
    table: Table,
    goal: Goal,
    fold: Rows,
    rows: Rows,
    seed: int,
    say: Say,
    kept: Path | None = None,
    known: Known | None = None,
) -> Floats:
    """A member's logits (N,) of `rows`, each by a fit on the rows of `goal.train` in other folds; NaN elsewhere.

    `fold` (N,): the fold of each row, the same for all rows of a patient. `kept`: a folder for finished folds, which a
    later run takes up where what went into them (`known`) is the same.
    """
    found = np.full(table.patient.size, np.nan)
    for one in np.unique(fold[rows]):
        mine = rows[fold[rows] == one]
        others = Goal(goal.target, goal.weight, goal.train[fold[goal.train] != one], np.empty(0, np.int64))
        file = None
        if kept is not None and known is not None:
            file = kept / f"{plan.name}.{stage_digest(plan, known, others, mine, seed)}.fold.npy"
        if file is not None and file.is_file():
            found[mine] = np.load(file, allow_pickle=False)
            say(f"{plan.name}: fold {int(one) + 1} taken up from an earlier run")
            continue
        found[mine] = plan.family.fit(table, plan.features, others, seed=seed, say=lambda _: None).logit(table, mine)
        if file is not None:
            partial = file.with_suffix(".part.npy")
            np.save(partial, found[mine])
            partial.rename(file)  # its presence says that it is whole
        say(f"{plan.name}: fold {int(one) + 1}")
    return found


def crossfit(
    cohort: Cohort, table: Table, recipe: Recipe, out: Path, say: Say, *, seed: int = SEED, count: int = FOLDS
) -> Trained:
    """Fit and join all members of a recipe on everyone; graphs go to `out`. What is returned tells, of each row, the
    logits of models that had not seen its patient. Members must not stop early: nobody is left to stop by.

    Raises ModelError where a member cannot be fitted. Needs the extra `train`.
    """
    out.mkdir(parents=True, exist_ok=True)
    everyone = np.arange(cohort.patients)
    nobody = np.empty(0, np.int64)
    parts = Parts(everyone, everyone, everyone, nobody)
    wanted = recipe.wanted(cohort)
    rows = cohort.measured_rows()
    goal = Goal(wanted.target, wanted.weight, rows[wanted.weight[rows] > 0], nobody)
    fold = folds(cohort, seed, count)[cohort.patient]
    known = Known(table)
    members = {}
    for plan in recipe.members:
        whole = fit_member(plan, table, known, goal, rows, out, seed, say)
        unseen = unseen_logits(plan, table, goal, fold, rows, seed, say, out / WORK, known)
        members[plan.name] = replace(whole, logit=unseen)
    label, patient = cohort.label[rows], cohort.patient[rows]
    logits = {name: done.logit[rows] for name, done in members.items()}
    lines = {name: calibrated(logit, label) for name, logit in logits.items()}
    variants = {name: join(weights, logits, label, patient, lines, seed) for name, weights in recipe.variants.items()}
    return Trained(members, lines, variants, parts)

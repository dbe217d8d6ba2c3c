"""`vitruvian train`: read, make inputs, fit members, join and calibrate them, write the bundle, measure it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.inputs.blocks import is_practice
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.measure.split import SEED as SPLIT_SEED
from vitruvian.prediction.measure.tidy import write_json
from vitruvian.prediction.recipes import recipe_for
from vitruvian.prediction.recipes.base import Recipe
from vitruvian.prediction.serve.bundle import FILE, Bundle
from vitruvian.prediction.serve.gate import GATED
from vitruvian.prediction.tasks import Task, task
from vitruvian.prediction.training.bundling import write_bundle
from vitruvian.prediction.training.crossfit import FOLDS, crossfit, folds
from vitruvian.prediction.training.crossjudge import crossed
from vitruvian.prediction.training.evaluate import Unseen, judge_bundle, judge_told, write
from vitruvian.prediction.training.fitting import SEED, Trained, fit, one_thread, said_of
from vitruvian.prediction.training.parts import split_parts
from vitruvian.prediction.training.speed import with_speed
from vitruvian.prediction.training.stages import WORK

__all__ = ["refuse_leak", "train"]

LEAK_AUROC: Final = 0.95
PLAIN: Final = "evaluation_no_practice.json"  # where folds measure; elsewhere `evaluate` does
Floats = NDArray[np.float64]
Say = Callable[[str], None]


def train(
    name: str,
    data: Path,
    out: Path,
    *,
    seed: int = SEED,
    compare: bool = False,
    quick: bool = False,
    allow_suspicious: bool = False,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Train a task's recipe on `data`, write the model's folder `out` and return its evaluation on test patients.

    `compare`: also fit models that are only there to be compared; `quick`: small settings that show the way. A run that
    was stopped goes on when it is started again. Raises ConfigurationError without the extra `train`, ReadingError for
    data in no known form, ModelError where there are too few patients or a figure is too good to be true.
    """
    of = task(name)
    cohort = open_cohort(of, data)
    say(f"{cohort.data}: {cohort.patients:,} patients, {cohort.patient.size:,} hours")
    recipe = recipe_for(of, cohort, compare=compare, quick=quick)
    with one_thread():
        table = table_of(cohort, tuple(dict.fromkeys((*recipe.names, *GATED))))
        say(f"{table.samples:,} samples pushed, {table.rejected:,} implausible; {len(table.names)} features")
        if recipe.everyone:
            trained = crossfit(cohort, table, recipe, out, say, seed=seed)
        else:
            trained = fit(cohort, table, recipe, split_parts(cohort, SPLIT_SEED), out, say, seed)
        bundle = write_bundle(trained, cohort, table, recipe, out)
        if recipe.everyone:
            evaluation = _measure_folds(of, trained, cohort, recipe, bundle, "standard", seed, say)
            plain = _measure_folds(of, trained, cohort, recipe, bundle, "no_practice", seed, say)
            write_json(plain, out / PLAIN)
        else:
            evaluation = _measure(of, trained, cohort, table, recipe, bundle, say)
        evaluation = with_speed(evaluation, bundle)
    evaluation["parity_max"] = max(float(row["parity_max"]) for row in bundle.told["members"])
    if not allow_suspicious:
        try:
            refuse_leak(of, evaluation)
        except ModelError:
            (out / FILE).unlink()  # what is refused must not be served; the members stay, for a run that allows it
            raise
    write(evaluation, bundle, out)
    shutil.rmtree(out / WORK, ignore_errors=True)
    return evaluation


def _measure(
    of: Task, trained: Trained, cohort: Cohort, table: Table, recipe: Recipe, bundle: Bundle, say: Say
) -> dict[str, Any]:
    """The evaluation on test patients, by the graphs; of members that leave none, by their trainers."""
    test = cohort.of(trained.parts.test)
    compared = {name: _alone(trained, cohort, bundle, name, trained.parts.test) for name in sorted(recipe.compared)}
    who = Unseen(test, f"{test.patients:,} test patients, split off by a hash of their names")
    mine = table.of(np.isin(cohort.patient, trained.parts.test))
    return judge_bundle(of, who, bundle, recipe.serves, table=mine, compared=compared, say=say)


def _measure_folds(
    of: Task, trained: Trained, cohort: Cohort, recipe: Recipe, bundle: Bundle, variant: str, seed: int, say: Say
) -> dict[str, Any]:
    """The evaluation of a variant by the folds' models, each of patients it had not seen; its members beside it."""
    fold = folds(cohort, seed)
    weights = recipe.variants[variant]
    main = crossed(of, cohort, trained, recipe, weights, fold)
    read = {plan.name: any(map(is_practice, plan.features)) for plan in recipe.members}
    cares = any(read[name] for name in weights)
    beside = {}
    for name in trained.members:
        if read[name] == cares or name in weights:
            one = crossed(of, cohort, trained, recipe, {name: 1.0}, fold)
            beside[name] = one.probability, one.threshold
    who = Unseen(
        cohort,
        f"all {cohort.patients:,} patients in {FOLDS} folds, each by models of the other folds; what ships was fitted"
        " on everyone",
    )
    return judge_told(
        of, who, bundle, variant, main.probability, beside, threshold=main.threshold, conformal=main.conformal, say=say
    )


def _alone(
    trained: Trained, cohort: Cohort, bundle: Bundle, name: str, part: NDArray[np.int64]
) -> tuple[Floats, float]:
    """A member's own probabilities of a part's rows, and its threshold."""
    variant = trained.alone(name)
    return said_of(trained, cohort, variant, part)[1], float(bundle.told["thresholds"][name])


def refuse_leak(of: Task, evaluation: Mapping[str, Any]) -> None:
    """Raise ModelError where an hourly risk of real patients ranks too well to be true."""
    if evaluation.get("simulated"):
        return
    if of.moment == "hourly" and (evaluation.get("auroc") or 0.0) >= LEAK_AUROC:
        raise ModelError(
            f"found an hourly AUROC of {evaluation['auroc']:.3f} for {of.name}, expected less than {LEAK_AUROC}: the"
            " label has leaked into the features until shown otherwise; find out how, or go on with --allow-suspicious"
        )

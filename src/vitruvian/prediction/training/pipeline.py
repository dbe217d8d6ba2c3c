"""`vitruvian train`: read, make inputs, fit members, join and calibrate them, write the bundle, measure it."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import UNKNOWN, Cohort
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.cohorts.prints import write_prints
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.measure import baselines
from vitruvian.prediction.measure.conformal import fit_conformal, patient_scores
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.measure.split import SEED as SPLIT_SEED
from vitruvian.prediction.recipes import recipe_for
from vitruvian.prediction.recipes.base import Recipe
from vitruvian.prediction.serve.bundle import FORMAT, Bundle
from vitruvian.prediction.serve.gate import GATED
from vitruvian.prediction.sites.drift import reference_of
from vitruvian.prediction.tasks import Task, task
from vitruvian.prediction.training.evaluate import Unseen, judge_bundle, write
from vitruvian.prediction.training.joined import Line, Variant, calibrated, join
from vitruvian.prediction.training.parts import Parts, split_parts
from vitruvian.prediction.training.stages import WORK, Done, fit_member, table_digest

__all__ = ["Trained", "fit", "refuse_leak", "train", "write_bundle"]

SEED: Final = 20_260_101
LEAK_AUROC: Final = 0.95
MEDIAN_ROWS: Final = 100_000
Floats = NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What fitting leaves: members with their logits on all scored rows, lines, variants, and who had which part."""

    members: dict[str, Done]
    lines: dict[str, Line]
    variants: dict[str, Variant]
    parts: Parts

    def logits(self, rows: NDArray[np.int64]) -> dict[str, Floats]:
        """Every member's uncalibrated logits of rows."""
        return {name: done.logit[rows] for name, done in self.members.items()}


def fit(cohort: Cohort, table: Table, recipe: Recipe, parts: Parts, out: Path, say: Say, seed: int = SEED) -> Trained:
    """Fit and join all members of a recipe; graphs and stages go to `out`. Needs the extra `train`."""
    out.mkdir(parents=True, exist_ok=True)
    wanted = recipe.wanted(cohort)
    train, valid = (
        rows[wanted.weight[rows] > 0] for rows in (parts.rows(cohort, parts.train), parts.rows(cohort, parts.valid))
    )
    goal = Goal(wanted.target, wanted.weight, train, valid)
    everyone = np.concatenate([parts.train, parts.valid, parts.calibrate, parts.test])
    rows = parts.rows(cohort, everyone)
    known_as = table_digest(table)
    members = {}
    for number, plan in enumerate(recipe.members):
        say(f"{plan.name}: member {number + 1} of {len(recipe.members)}")
        members[plan.name] = fit_member(plan, table, known_as, goal, rows, out, seed, say)
    held = parts.rows(cohort, parts.calibrate)
    label, patient = cohort.label[held], cohort.patient[held]
    lines = {name: calibrated(done.logit[held], label) for name, done in members.items()}
    logits = {name: done.logit[held] for name, done in members.items()}
    variants = {name: join(weights, logits, label, patient, lines, seed) for name, weights in recipe.variants.items()}
    return Trained(members, lines, variants, parts)


def write_bundle(trained: Trained, cohort: Cohort, table: Table, recipe: Recipe, out: Path) -> Bundle:
    """Write `bundle.json` and who was seen. Members that were only fitted to be compared leave no graph."""
    of = task(recipe.task)
    shown = {name: done for name, done in trained.members.items() if name not in recipe.compared}
    for name in recipe.compared:
        for path in (*out.glob(f"{name}.onnx"), *out.glob(f"{name}.*.onnx"), *out.glob(f"{name}.trees.npz")):
            path.unlink()
    fitted = trained.parts.rows(cohort, trained.parts.train)
    told = _about(of, cohort, recipe) | {
        "version": f"{recipe.version}+{_digest(out, shown)}",
        "prevalence": float(cohort.label[fitted].mean()),
        "split": {name: int(getattr(trained.parts, name).size) for name in ("train", "valid", "calibrate", "test")},
        "members": [
            done.file.as_json() | {"slope": trained.lines[name].slope, "intercept": trained.lines[name].intercept}
            for name, done in shown.items()
        ],
        "variants": _variants(of, trained, cohort, recipe, tuple(shown)),
        "thresholds": _thresholds(of, trained, cohort),
        "baselines": baselines.learn(of, cohort.of(np.concatenate([trained.parts.train, trained.parts.valid]))),
        "reference": reference_of(table, fitted),
        "medians": _medians(table, fitted),
    }
    write_prints(out, cohort, np.concatenate([trained.parts.train, trained.parts.valid, trained.parts.calibrate]))
    bundle = Bundle(out, told)
    bundle.write()
    return bundle


def _about(of: Task, cohort: Cohort, recipe: Recipe) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "task": of.name,
        "title": of.title,
        "target": of.target,
        "horizon_h": of.horizon_h,
        "moment": of.moment,
        "at_h": of.at_h,
        "validated": of.validated and not cohort.simulated,
        "simulated": cohort.simulated,
        "data": cohort.data,
        "notes": list(cohort.notes),
        "intended_use": recipe.intended_use,
        "limits": list(recipe.limits),
        "vocabulary": VOCABULARY.version,
        "serves": recipe.serves,
    }


def _variants(
    of: Task, trained: Trained, cohort: Cohort, recipe: Recipe, shipped: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """The recipe's variants and, so that each can be served, every member alone; policy and conformal sets of each.

    The threshold policy is chosen on patients who fitted nothing, the sets on those who calibrate.
    """
    alone = {name: Variant({name: 1.0}, trained.lines, Line(1.0, 0.0), 0.0) for name in shipped}
    found = {}
    for name, variant in {**trained.variants, **alone}.items():
        held, chance = _told(trained, cohort, variant, trained.parts.valid)
        told = variant.as_json() | {"policy": recipe.policy(held, chance)}
        calibrate, chance = _told(trained, cohort, variant, trained.parts.calibrate)
        rows = rows_of(of, calibrate)
        told["conformal"] = fit_conformal(patient_scores(rows, calibrate.patient, chance), rows.event)
        found[name] = told
    return found


def _thresholds(of: Task, trained: Trained, cohort: Cohort) -> dict[str, float]:
    """The threshold of every member by the task's decision, on patients who fitted nothing."""
    found = {}
    for name in trained.members:
        variant = Variant({name: 1.0}, trained.lines, Line(1.0, 0.0), 0.0)
        held, chance = _told(trained, cohort, variant, trained.parts.valid)
        found[name] = baselines.best(of, rows_of(of, held), chance)
    return found


def _told(trained: Trained, cohort: Cohort, variant: Variant, part: NDArray[np.int64]) -> tuple[Cohort, Floats]:
    """The cohort of a part, and what a variant tells at each of its rows (0 where nothing is measured)."""
    rows = trained.parts.rows(cohort, part)
    mine = cohort.of(part)
    chance = np.zeros(mine.patient.size)
    chance[mine.scored & (mine.label != UNKNOWN)] = variant.probability(trained.logits(rows))
    return mine, chance


def _medians(table: Table, rows: NDArray[np.int64]) -> dict[str, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a column without any value
        medians = np.nanmedian(table.values[rows[:: max(1, rows.size // MEDIAN_ROWS)]], axis=0)
    return {name: float(value) for name, value in zip(table.names, medians, strict=True) if np.isfinite(value)}


def _digest(out: Path, names: Iterable[str]) -> str:
    """Six bytes of BLAKE2b over the members' graphs, in hexadecimal."""
    told = blake2b(digest_size=6)
    for name in sorted(names):
        for path in sorted({*out.glob(f"{name}.onnx"), *out.glob(f"{name}.*.onnx")}):
            told.update(path.read_bytes())
    return told.hexdigest()


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
    parts = split_parts(cohort, SPLIT_SEED)
    with one_thread():
        table = table_of(cohort, tuple(dict.fromkeys((*recipe.names, *GATED))))
        say(f"{table.samples:,} samples pushed, {table.rejected:,} implausible; {len(table.names)} features")
        trained = fit(cohort, table, recipe, parts, out, say, seed)
        bundle = write_bundle(trained, cohort, table, recipe, out)
        evaluation = _measure(of, trained, cohort, table, recipe, bundle, say)
    if not allow_suspicious:
        refuse_leak(of, evaluation)
    write(evaluation, bundle, out)
    shutil.rmtree(out / WORK, ignore_errors=True)
    return evaluation


def _measure(
    of: Task, trained: Trained, cohort: Cohort, table: Table, recipe: Recipe, bundle: Bundle, say: Say
) -> dict[str, Any]:
    """The evaluation on test patients, with the members that were only fitted to be compared."""
    test = cohort.of(trained.parts.test)
    thresholds = bundle.told["thresholds"]
    compared = {}
    for name in sorted(recipe.compared):
        alone = Variant({name: 1.0}, trained.lines, Line(1.0, 0.0), 0.0)
        compared[name] = (_told(trained, cohort, alone, trained.parts.test)[1], float(thresholds[name]))
    who = Unseen(test, f"{test.patients:,} test patients, split off by a hash of their names")
    mine = table.of(np.isin(cohort.patient, trained.parts.test))
    result = judge_bundle(of, who, bundle, recipe.serves, table=mine, compared=compared, say=say)
    result["parity_max"] = max(float(row["parity_max"]) for row in bundle.told["members"])
    return result


def refuse_leak(of: Task, evaluation: Mapping[str, Any]) -> None:
    """Raise ModelError where an hourly risk of real patients ranks too well to be true."""
    if evaluation.get("simulated"):
        return
    if of.moment == "hourly" and (evaluation.get("auroc") or 0.0) >= LEAK_AUROC:
        raise ModelError(
            f"found an hourly AUROC of {evaluation['auroc']:.3f} for {of.name}, expected less than {LEAK_AUROC}: the"
            " label has leaked into the features until shown otherwise; find out how, or go on with --allow-suspicious"
        )


def one_thread() -> Any:
    """A context in which numeric libraries keep to one thread. Raises ConfigurationError without the extra `train`."""
    try:
        # Libraries that are loaded after the limit would not keep to it.
        import lightgbm  # noqa: F401
        import scipy.linalg  # noqa: F401
        import sklearn.ensemble  # noqa: F401
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError as error:
        raise ConfigurationError(f"found no {error.name}, expected the extra: pip install 'vitruvian[train]'") from None
    return threadpool_limits(1)

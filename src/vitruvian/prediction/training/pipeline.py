"""`vitruvian train`: read, make inputs, fit members, join and calibrate them, write the bundle, measure it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.prints import write_prints
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.recipes.base import Recipe
from vitruvian.prediction.serve.bundle import FORMAT, Bundle
from vitruvian.prediction.tasks import task
from vitruvian.prediction.training.joined import Line, Variant, calibrated, join
from vitruvian.prediction.training.parts import Parts
from vitruvian.prediction.training.stages import WORK, Done, fit_member, table_digest

__all__ = ["Trained", "fit", "train", "write_bundle"]

SEED: Final = 20_260_101
Floats = NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What fitting leaves: the members with their logits on all scored rows, lines, variants, and what was fitted on."""

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


def write_bundle(
    trained: Trained, cohort: Cohort, table: Table, recipe: Recipe, out: Path, extra: Mapping[str, Any]
) -> Bundle:
    """Write `bundle.json` and who was seen; `extra` joins at the top level. Compared members leave their graphs."""
    of = task(recipe.task)
    shown = {name: done for name, done in trained.members.items() if name not in recipe.compared}
    for name in recipe.compared:
        for path in out.glob(f"{name}.*onnx"):
            path.unlink()
    valid = trained.parts.rows(cohort, trained.parts.valid)
    held = cohort.of(trained.parts.valid)
    variants = {}
    for name, variant in trained.variants.items():
        probability = np.full(held.patient.size, np.nan)
        probability[held.scored & (held.label >= 0)] = variant.probability(trained.logits(valid))
        variants[name] = variant.as_json() | {"policy": recipe.policy(held, probability)}
    fitted = trained.parts.rows(cohort, trained.parts.train)
    with np.errstate(all="ignore"):
        medians = np.nanmedian(table.values[fitted[:: max(1, fitted.size // 100_000)]], axis=0)
    told = {
        "format": FORMAT,
        "task": of.name,
        "title": of.title,
        "version": f"{recipe.version}+{_digest(out, shown)}",
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
        "prevalence": float(cohort.label[fitted].mean()),
        "split": {name: int(getattr(trained.parts, name).size) for name in ("train", "valid", "calibrate", "test")},
        "members": [
            done.file.as_json() | {"slope": trained.lines[name].slope, "intercept": trained.lines[name].intercept}
            for name, done in shown.items()
        ],
        "variants": variants,
        "serves": recipe.serves,
        "medians": {name: float(value) for name, value in zip(table.names, medians, strict=True) if np.isfinite(value)},
    }
    seen = np.concatenate([trained.parts.train, trained.parts.valid, trained.parts.calibrate])
    write_prints(out, cohort, seen)
    bundle = Bundle(out, told | dict(extra))
    bundle.write()
    return bundle


def _digest(out: Path, members: Mapping[str, Done]) -> str:
    told = hashlib_of(path for name in sorted(members) for path in sorted(out.glob(f"{name}*.onnx")))
    return told


def hashlib_of(paths: Any) -> str:
    """Six bytes of BLAKE2b over files, in hexadecimal."""
    told = blake2b(digest_size=6)
    for path in paths:
        told.update(path.read_bytes())
    return told.hexdigest()


def inputs(cohort: Cohort, recipe: Recipe, say: Say) -> Table:
    """The table that a recipe reads."""
    table = table_of(cohort, recipe.names)
    say(f"{table.samples:,} samples pushed, {table.rejected:,} implausible; {len(table.names)} features")
    return table


def one_thread() -> Any:
    """A context in which numeric libraries keep to one thread. Raises ConfigurationError without the extra `train`."""
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError as error:
        raise ConfigurationError(f"found no {error.name}, expected the extra: pip install 'vitruvian[train]'") from None
    return threadpool_limits(1)


def clean(out: Path) -> None:
    """Remove the stages of a run that is whole."""
    shutil.rmtree(out / WORK, ignore_errors=True)

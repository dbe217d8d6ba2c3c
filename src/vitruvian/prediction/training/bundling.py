"""A fitted recipe as the folder that serves it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.prints import write_prints
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.measure import baselines
from vitruvian.prediction.measure.conformal import fit_conformal, patient_scores
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.recipes.base import Recipe
from vitruvian.prediction.serve import selftest
from vitruvian.prediction.serve.bundle import FORMAT, Bundle
from vitruvian.prediction.sites.drift import column_reference, reference_of
from vitruvian.prediction.tasks import Task, task
from vitruvian.prediction.training.fitting import Trained, said_of

__all__ = ["write_bundle"]

MEDIAN_ROWS: Final = 100_000


def write_bundle(trained: Trained, cohort: Cohort, table: Table, recipe: Recipe, out: Path) -> Bundle:
    """Write `bundle.json` and who was seen. Members that were only fitted to be compared leave no graph."""
    of = task(recipe.task)
    shown = {name: done for name, done in trained.members.items() if name not in recipe.compared}
    for name in recipe.compared:
        for path in (*out.glob(f"{name}.onnx"), *out.glob(f"{name}.*.onnx"), *out.glob(f"{name}.trees.npz")):
            path.unlink()
    fitted = cohort.measured_rows(trained.parts.train)
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
    selftest.keep(bundle)
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
    alone = {name: trained.alone(name) for name in shipped}
    found = {}
    for name, variant in {**trained.variants, **alone}.items():
        held, chance = said_of(trained, cohort, variant, trained.parts.valid)
        told = variant.as_json() | {"policy": recipe.policy(held, chance)}
        calibrate, chance = said_of(trained, cohort, variant, trained.parts.calibrate)
        rows = rows_of(of, calibrate)
        told["conformal"] = fit_conformal(patient_scores(rows, calibrate.patient, chance), rows.event)
        told["reference"] = column_reference(chance[rows.index])
        found[name] = told
    return found


def _thresholds(of: Task, trained: Trained, cohort: Cohort) -> dict[str, float]:
    """The threshold of every member by the task's decision, on patients who fitted nothing."""
    found = {}
    for name in trained.members:
        held, chance = said_of(trained, cohort, trained.alone(name), trained.parts.valid)
        found[name] = baselines.best(of, rows_of(of, held), chance)
    return found


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

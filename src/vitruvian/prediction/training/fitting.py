"""Fitting a recipe's members on one part of a cohort, and joining them on another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.recipes.base import Recipe
from vitruvian.prediction.training.joined import Line, Variant, calibrated, join
from vitruvian.prediction.training.parts import Parts
from vitruvian.prediction.training.stages import Done, Known, fit_member

__all__ = ["SEED", "Trained", "fit", "one_thread", "said_of"]

SEED: Final = 20_260_101
Floats = NDArray[np.float64]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What fitting leaves: members with logits of rows that did not fit them, lines, variants, who had which part."""

    members: dict[str, Done]
    lines: dict[str, Line]
    variants: dict[str, Variant]
    parts: Parts

    def logits(self, rows: NDArray[np.int64]) -> dict[str, Floats]:
        """Every member's uncalibrated logits of rows."""
        return {name: done.logit[rows] for name, done in self.members.items()}

    def alone(self, name: str) -> Variant:
        """One member by itself, calibrated by its own line."""
        return Variant({name: 1.0}, self.lines, Line(1.0, 0.0), 0.0)


def fit(cohort: Cohort, table: Table, recipe: Recipe, parts: Parts, out: Path, say: Say, seed: int = SEED) -> Trained:
    """Fit and join all members of a recipe; graphs and stages go to `out`. Needs the extra `train`."""
    out.mkdir(parents=True, exist_ok=True)
    wanted = recipe.wanted(cohort)
    train, valid = (
        rows[wanted.weight[rows] > 0] for rows in (cohort.measured_rows(parts.train), cohort.measured_rows(parts.valid))
    )
    goal = Goal(wanted.target, wanted.weight, train, valid)
    # What a model says of patients it was fitted on is of no use to anybody.
    rows = cohort.measured_rows(np.concatenate([parts.valid, parts.calibrate, parts.test]))
    known = Known(table)
    members = {}
    for number, plan in enumerate(recipe.members):
        say(f"{plan.name}: member {number + 1} of {len(recipe.members)}")
        members[plan.name] = fit_member(plan, table, known, goal, rows, out, seed, say)
    held = cohort.measured_rows(parts.calibrate)
    label, patient = cohort.label[held], cohort.patient[held]
    lines = {name: calibrated(done.logit[held], label) for name, done in members.items()}
    logits = {name: done.logit[held] for name, done in members.items()}
    variants = {name: join(weights, logits, label, patient, lines, seed) for name, weights in recipe.variants.items()}
    return Trained(members, lines, variants, parts)


def said_of(trained: Trained, cohort: Cohort, variant: Variant, part: NDArray[np.int64]) -> tuple[Cohort, Floats]:
    """The cohort of a part, and what a variant tells at each of its rows (0 where nothing is measured)."""
    rows = cohort.measured_rows(part)
    mine = cohort.of(part)
    chance = np.zeros(mine.patient.size)
    chance[mine.measured] = variant.probability(trained.logits(rows))
    return mine, chance


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

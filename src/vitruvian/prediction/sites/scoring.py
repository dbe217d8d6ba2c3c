"""A bundle's risks on a cohort, member by member, and which of its patients may be used for what."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.core.identifiers import hash64
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.prints import has_seen
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.measure.platt import logit_of, sigmoid
from vitruvian.prediction.serve.bundle import Bundle, shipped
from vitruvian.prediction.serve.combine import combined, curved
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.sites.threshold import threshold_for
from vitruvian.prediction.tasks import Task

__all__ = ["Scored", "bundle_of", "moved_threshold", "score_site", "split_site", "unseen"]

Floats = NDArray[np.float64]
Say = Callable[[str], None]
ROWS_AT_ONCE: Final = 65_536
_DRAWS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Scored:
    """A variant's log-odds (N,) at every row of a cohort, and its members' own, calibrated as the bundle has them
    (N, M) by `members`. `weights` (M,), `slope` and `intercept` made the first of the second; `told` is the variant as
    bundle.json has it.
    """

    variant: str
    logit: Floats
    members: tuple[str, ...]
    member_logit: Floats
    weights: Floats
    slope: float
    intercept: float
    policy: dict[str, Any]
    told: dict[str, Any]


def bundle_of(task: Task, model: Path | None) -> Bundle:
    """The bundle of a folder, or the shipped one. Raises ModelError for none, or for one of another task."""
    bundle = Bundle.read(shipped(task.name) if model is None else model)
    if bundle.told.get("task") != task.name:
        raise ModelError(
            f"found a model of {bundle.told.get('task')} in {bundle.folder}, expected {task.name}; give its folder"
        )
    return bundle


def unseen(bundle: Bundle, cohort: Cohort, say: Say) -> Cohort:
    """The patients whom the bundle was not fitted on. Raises ModelError where nobody is left."""
    fresh = np.flatnonzero(~has_seen(bundle.folder, cohort))
    if not fresh.size:
        raise ModelError(
            f"found {cohort.patients} patients in {cohort.data}, all of whom the model was fitted on; give others"
        )
    if fresh.size < cohort.patients:
        say(f"{cohort.patients - fresh.size:,} of {cohort.patients:,} patients fitted this model and are left out")
    return cohort.of(fresh) if fresh.size < cohort.patients else cohort


def score_site(bundle: Bundle, cohort: Cohort) -> tuple[Table, dict[str, Scored]]:
    """The table that the bundle reads of a cohort, and the log-odds of each of its variants."""
    variants: dict[str, dict[str, Any]] = bundle.told["variants"]
    predictors = {name: Predictor(bundle, name) for name in variants}
    table = table_of(cohort, tuple(dict.fromkeys(name for one in predictors.values() for name in one.needed)))
    members: dict[str, Floats] = {}
    # Variants of many members first: those of fewer then need no graph to run again.
    for name in sorted(variants, key=lambda one: -len(variants[one]["members"])):
        if not set(variants[name]["members"]) <= set(members):
            members |= _member_logits(predictors[name], table)
    return table, {name: _scored(name, variants[name], predictors[name], members) for name in variants}


def _member_logits(predictor: Predictor, table: Table) -> dict[str, Floats]:
    """Each member's calibrated log-odds (N,); a part of the rows at a time: explanations are as wide as inputs."""
    parts = []
    for start in range(0, len(table.values), ROWS_AT_ONCE):
        rows = np.arange(start, min(start + ROWS_AT_ONCE, len(table.values)))
        parts.append(logit_of(predictor.over(table, rows).member_probability))
    whole = np.concatenate(parts)
    return {name: whole[:, place] for place, name in enumerate(member.name for member in predictor.members)}


def _scored(name: str, variant: dict[str, Any], predictor: Predictor, members: dict[str, Floats]) -> Scored:
    names = tuple(variant["members"])
    mine = np.column_stack([members[member] for member in names])
    weights = np.array([float(weight) for weight in variant["members"].values()])
    slope, intercept = float(variant["slope"]), float(variant["intercept"])
    knots = np.array(variant.get("curve") or [], np.float64).reshape(-1, 2)
    logit = curved(combined(mine, weights, slope, intercept), knots)
    policy = dict(variant.get("policy") or {"kind": "fixed", "threshold": predictor.threshold})
    return Scored(name, logit, names, mine, weights, slope, intercept, policy, dict(variant))


def split_site(cohort: Cohort, share: float, seed: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Patients for learning and the others, by a hash of seed and name. Raises ModelError where either has nobody."""
    draw = np.array([hash64(seed, name) % _DRAWS for name in cohort.ids])
    learn = draw < share * _DRAWS
    if not learn.any() or learn.all():
        raise ModelError(
            f"found {cohort.patients} patients of {cohort.data} and a share of {share:g}, expected some on either side;"
            " give more patients or another share"
        )
    return np.flatnonzero(learn), np.flatnonzero(~learn)


def moved_threshold(cohort: Cohort, scored: Scored, logit: Floats) -> float:
    """What a variant's policy says of a site without labels, at the place that it has among new log-odds (N,)."""
    before = sigmoid(scored.logit[cohort.scored])
    place = float((before < threshold_for(before, scored.policy)).mean())
    return float(np.quantile(sigmoid(logit[cohort.scored]), place))

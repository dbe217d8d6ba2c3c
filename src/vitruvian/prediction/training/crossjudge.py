"""Measuring where everyone trains: of each fold, everything that is chosen comes from the other folds.

The lines, the joined variant, the threshold policy and the conformal sets of a fold are found on what the others'
models said of patients they had not seen, and are then held to the fold's patients. What ships has them from all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.conformal import fit_conformal, patient_scores
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.recipes.base import Recipe
from vitruvian.prediction.sites.threshold import threshold_for
from vitruvian.prediction.tasks import Task
from vitruvian.prediction.training.fitting import Trained
from vitruvian.prediction.training.joined import Line, Variant, calibrated

__all__ = ["Crossed", "crossed"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Crossed:
    """Of every row (N,) the probability and the threshold it is held to; the conformal thresholds of each patient (P,)
    as `measure.conformal.coverage` takes them.
    """

    probability: Floats
    threshold: Floats
    conformal: dict[str, Any]


def crossed(
    of: Task, cohort: Cohort, trained: Trained, recipe: Recipe, weights: Mapping[str, float], fold: NDArray[np.int64]
) -> Crossed:
    """Measure a weighted mean of members; `fold` (P,): the fold of each patient, as the members were cross-fitted."""
    rows = cohort.measured_rows()
    chance, cut = np.zeros(cohort.patient.size), np.ones(cohort.patient.size)
    event_from, none_to = np.zeros(cohort.patients), np.ones(cohort.patients)
    told: dict[str, Any] = {}
    for one in np.unique(fold):
        here = fold[cohort.patient[rows]] == one
        mine, others = rows[here], rows[~here]
        variant = _joined(trained, weights, others, cohort.label[others])
        rest = np.flatnonzero(fold != one)
        known = cohort.of(rest)
        said = np.zeros(known.patient.size)
        said[known.measured] = variant.probability(trained.logits(others))
        chance[mine] = variant.probability(trained.logits(mine))
        cut[mine] = threshold_for(chance[mine], recipe.policy(known, said))
        measured = rows_of(of, known)
        told = fit_conformal(patient_scores(measured, known.patient, said), measured.event)
        event_from[fold == one], none_to[fold == one] = told["event_from"], told["none_to"]
    return Crossed(chance, cut, told | {"event_from": event_from, "none_to": none_to})


def _joined(
    trained: Trained, weights: Mapping[str, float], rows: NDArray[np.int64], label: NDArray[np.int8]
) -> Variant:
    logits = trained.logits(rows)
    lines = {name: calibrated(logits[name], label) for name in weights}
    total = sum(weights.values())
    start = Variant({name: weight / total for name, weight in weights.items()}, lines, Line(1.0, 0.0), 0.0)
    return Variant(start.weights, lines, calibrated(start.logit(logits), label), 0.0)

"""The threshold of a recalibrated model: what a few labels say, mixed with what the policy says without them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.conformal import CONFIDENCE, fit_conformal, patient_scores
from vitruvian.prediction.measure.decisions import best_event1
from vitruvian.prediction.measure.platt import logit_of, sigmoid
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.measure.utility import best_threshold
from vitruvian.prediction.tasks import Task

__all__ = ["conformal_of", "policy_of", "tuned"]

TRUSTED_EVENTS: Final = 40  # patients with the outcome at which labels and policy count alike


def tuned(task: Task, cohort: Cohort, probability: NDArray[np.float64]) -> tuple[float, int]:
    """The best threshold on labelled rows by the task's own figure, and how many patients had the outcome."""
    rows = rows_of(task, cohort)
    mine = probability[rows.index]
    if task.decision == "utility":
        found, _ = best_threshold(rows.values_scored, mine)
    else:
        found, _ = best_event1(rows.label, mine)
    return found, int(rows.event.sum())


def policy_of(task: Task, cohort: Cohort, probability: NDArray[np.float64], without: float) -> dict[str, Any]:
    """A fixed policy for a site: the tuned threshold, drawn towards the one found `without` labels (same scale)."""
    found, events = tuned(task, cohort, probability)
    weight = events / (events + TRUSTED_EVENTS)
    ends = logit_of(np.array([without, found]))
    mixed = float(sigmoid(np.array([(1 - weight) * ends[0] + weight * ends[1]]))[0])
    return {
        "kind": "fixed",
        "threshold": mixed,
        "tuned_on_site": found,
        "without_labels": float(without),
        "weight_of_labels": weight,
    }


def conformal_of(task: Task, cohort: Cohort, probability: NDArray[np.float64]) -> dict[str, Any]:
    """Class-conditional conformal thresholds found anew on a site's labelled patients."""
    rows = rows_of(task, cohort)
    return fit_conformal(patient_scores(rows, cohort.patient, probability), rows.event, confidence=CONFIDENCE)

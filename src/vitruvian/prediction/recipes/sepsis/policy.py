"""When a risk is an alarm, also at a site that has no labels.

Scores of another hospital are moved as a whole by what it measures and how, and by how ill its patients are. Most hours
are far from sepsis, wherever they are: the median of a site's log-odds says how the bulk of its hours has moved, and
hardly how many septic ones there are. So the threshold moves with the median (`sites.threshold`, kind "median").
Beyond that a margin is added once and for all: on pseudo-sites a threshold too low cost far more than one too high,
since false alarms are many and missed hours few (docs/research/sepsis_transfer.md).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.platt import logit_of, sigmoid
from vitruvian.prediction.measure.utility import HourValues, best_threshold, hour_values

__all__ = ["MARGIN_LOGIT", "middle_threshold", "policy", "trained_policy"]

Floats = NDArray[np.float64]
MARGIN_LOGIT: Final = 0.1  # costs less than 0.01 of utility at home
# Thresholds whose utility is this near the best are as good: a few hundred septic patients say no more.
PLATEAU: Final = 0.01
REACH_LOGIT: Final = 1.0  # how far from the best the plateau is looked for
STEP_LOGIT: Final = 0.02
MOST_LOGIT: Final = 1.0
SCORES_MIN: Final = 2_000  # some fifty stays; the median of fewer is too much theirs


def policy(cohort: Cohort, probability: Floats) -> dict[str, Any]:
    """What a bundle keeps, from a cohort that fitted nothing and its calibrated probabilities (N,), NaN = not told.

    Hours that are not scored or not told do not count. Raises ModelError where no hour is worth an alarm.
    """
    told = cohort.scored & np.isfinite(probability)
    worth = _worth(cohort, told)
    return trained_policy(worth, probability[told])


def trained_policy(values: HourValues, probability: Floats) -> dict[str, Any]:
    """The policy from hours (N,) whose worth is known: the middle of the best thresholds, with the margin."""
    if not (values.best > values.silence).any():
        raise ModelError("found no hour worth an alarm, expected septic patients to choose a threshold by")
    cautious = float(sigmoid(np.array([middle_threshold(values, probability) + MARGIN_LOGIT]))[0])
    return {
        "kind": "median",
        "threshold": cautious,
        "middle": float(np.median(logit_of(probability))),
        "most": MOST_LOGIT,
        "weight": 1.0,
        "scores_min": SCORES_MIN,
    }


def middle_threshold(values: HourValues, probability: Floats) -> float:
    """The log-odds in the middle of the plateau around the threshold of the highest utility.

    The very best one lies anywhere on the plateau by chance; its middle is steadier.
    """
    best = float(logit_of(np.array([best_threshold(values, probability)[0]]))[0])
    grid = best + np.arange(-REACH_LOGIT, REACH_LOGIT + STEP_LOGIT / 2, STEP_LOGIT)
    order = np.argsort(probability, kind="stable")
    gained = np.append(np.cumsum(values.gain[order][::-1])[::-1], 0.0)  # by alarming from this row upwards
    utility = gained[np.searchsorted(logit_of(probability)[order], grid)] / (values.best.sum() - values.silence.sum())
    centre = grid.size // 2
    low = np.flatnonzero(utility[: centre + 1] < utility.max() - PLATEAU)
    high = np.flatnonzero(utility[centre:] < utility.max() - PLATEAU)
    first = low[-1] + 1 if low.size else 0
    last = centre + high[0] - 1 if high.size else grid.size - 1
    return float((grid[min(first, centre)] + grid[max(last, centre)]) / 2)


def _worth(cohort: Cohort, told: NDArray[np.bool_]) -> HourValues:
    """What the told hours are worth. Hours that are not scored are not labelled either: they cannot be an onset."""
    every = hour_values(cohort.patient, np.where(cohort.scored, cohort.label, 0).astype(np.int8))
    return HourValues(every.alarm[told], every.silence[told], every.best[told])

"""When a risk is an alarm, also at a site that has no labels.

Scores of another hospital are moved as a whole by what it measures and how, and by how ill its patients are. Most hours
are far from sepsis, wherever they are: the median of a site's log-odds says how the bulk of its hours has moved, and
hardly how many septic ones there are. So the threshold moves with the median (`sites.threshold`, kind "median").
Beyond that a margin is added once and for all: on pseudo-sites a threshold too low cost far more than one too high,
since false alarms are many and missed hours few (docs/research/sepsis_transfer.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.platt import logit_of, sigmoid
from vitruvian.prediction.measure.utility import HourValues, best_threshold, hour_values
from vitruvian.prediction.sites import threshold as sites

__all__ = ["MARGIN_LOGIT", "policy", "threshold_for", "trained_policy"]

Floats = NDArray[np.float64]
MARGIN_LOGIT: Final = 0.15  # costs some 0.004 of utility at home
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
    """The policy from hours (N,) whose worth is known: the threshold of the highest utility, with the margin."""
    if not (values.best > values.silence).any():
        raise ModelError("found no hour worth an alarm, expected septic patients to choose a threshold by")
    best, _ = best_threshold(values, probability)
    cautious = float(sigmoid(logit_of(np.array([best])) + MARGIN_LOGIT)[0])
    return {
        "kind": "median",
        "threshold": cautious,
        "middle": float(np.median(logit_of(probability))),
        "most": MOST_LOGIT,
        "weight": 1.0,
        "scores_min": SCORES_MIN,
    }


def threshold_for(scores_of_site: Floats, trained: Mapping[str, Any]) -> float:
    """The probability at or above which this site alarms, from its own calibrated scores (N,) and from no label."""
    return sites.threshold_for(scores_of_site, trained)


def _worth(cohort: Cohort, told: NDArray[np.bool_]) -> HourValues:
    """What the told hours are worth. Hours that are not scored are not labelled either: they cannot be an onset."""
    every = hour_values(cohort.patient, np.where(cohort.scored, cohort.label, 0).astype(np.int8))
    return HourValues(every.alarm[told], every.silence[told], every.best[told])

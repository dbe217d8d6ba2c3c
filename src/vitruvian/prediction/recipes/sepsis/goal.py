"""What the sepsis models are fitted to."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.measure.utility import hour_values
from vitruvian.prediction.recipes.base import Wanted

__all__ = ["KEPT_ONE_IN", "wanted"]

# Of hours far from any sepsis one in so many is kept, with as much more weight. One in sixteen ranked as well as one in
# three on pseudo-sites: hours of one patient are alike.
KEPT_ONE_IN: Final = 4


def wanted(cohort: Cohort) -> Wanted:
    """The label, as it is: 1 from six hours before the onset. All labelled hours weigh the same.

    Weighing hours by what an alarm is worth moved neither ranking nor utility beyond chance on pseudo-sites. Hours that
    are labelled, or in which an alarm is worth something, are all kept.
    """
    label = np.where(cohort.measured, cohort.label, 0).astype(np.int8)
    near = (label > 0) | (hour_values(cohort.patient, label).gain > 0)
    weight = np.where(near, 1.0, np.where(_drawn(cohort.patient, cohort.hour), float(KEPT_ONE_IN), 0.0))
    known = cohort.measured
    return Wanted((label > 0).astype(np.float64), np.where(known, weight, 0.0))


def _drawn(patient: NDArray[np.int64], hour: NDArray[np.int64]) -> NDArray[np.bool_]:
    """One in `KEPT_ONE_IN` hours of every patient, (N,): spread evenly, and begun at another hour for each patient."""
    drawn: NDArray[np.bool_] = (hour + patient) % KEPT_ONE_IN == 0
    return drawn

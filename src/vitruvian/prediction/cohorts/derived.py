"""A cohort with other labels: those of a task that can be made from the measurements themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import UNKNOWN, Cohort
from vitruvian.prediction.cohorts.labels import aki_onsets, deterioration_labels, labels_before, news2_and_sofa
from vitruvian.prediction.tasks import Task

__all__ = ["DERIVED", "relabelled", "stay_rows"]


def relabelled(cohort: Cohort, task: Task) -> Cohort:
    """The same patients with labels of `task` made from their samples. Raises ReadingError where it is not DERIVED,
    or where no row could be labelled.
    """
    make = DERIVED.get(task.name)
    if make is None:
        raise ReadingError(
            f"found no labels of {task.name} in {cohort.data}, expected data that bring them;"
            f" only {' and '.join(DERIVED)} can be made from measurements"
        )
    label, note = make(cohort)
    if not (label != UNKNOWN).any():
        raise ReadingError(f"found nothing in {cohort.data} from which {task.name} could be told ({note})")
    return replace(cohort, label=label, scored=label != UNKNOWN, notes=(*cohort.notes, note))


def _deterioration(cohort: Cohort) -> tuple[NDArray[np.int8], str]:
    news2, _ = news2_and_sofa(cohort)
    note = "labels: NEWS2 of the known parts, 7 or more within 6 h, in hours where it is below 7"
    return deterioration_labels(cohort.patient, news2), note


def _aki(cohort: Cohort) -> tuple[NDArray[np.int8], str]:
    onset_h = aki_onsets(cohort.samples, cohort.patients, cohort.admission.get("weight_kg"))
    label = labels_before(cohort.patient, cohort.hour, onset_h)
    measured = np.zeros(cohort.patients, np.bool_)
    measured[cohort.samples.patient[cohort.samples.concept == VOCABULARY["creatinine"].index]] = True
    note = "labels: KDIGO stage 1 or more by creatinine, and by urine where weight and six hours of it are known"
    return np.where(measured[cohort.patient], label, UNKNOWN).astype(np.int8), note


DERIVED: Final[dict[str, Callable[[Cohort], tuple[NDArray[np.int8], str]]]] = {
    "deterioration": _deterioration,
    "aki": _aki,
}


def stay_rows(cohort: Cohort, task: Task) -> Cohort:
    """For a task told once a stay: rows up to `task.at_h`, the row at that hour scored, shorter stays left out.

    `cohort.label` must hold the stay's outcome on every row. Raises ReadingError where no stay is long enough.
    """
    if task.moment != "stay" or task.at_h is None:
        return cohort
    at_h = int(task.at_h)
    long = np.unique(cohort.patient[cohort.hour == at_h])
    if not long.size:
        raise ReadingError(f"found no stay of {at_h} h in {cohort.data}, expected some; {task.name} is told then")
    chosen = cohort.of(long)
    rows = chosen.hour <= at_h
    patient, hour, label = chosen.patient[rows], chosen.hour[rows], chosen.label[rows]
    left = cohort.patients - chosen.patients
    notes = (*cohort.notes, f"{left} stays ended before hour {at_h} and are left out") if left else cohort.notes
    return replace(
        chosen, patient=patient, hour=hour, label=label, scored=(hour == at_h) & (label != UNKNOWN), notes=notes
    )

"""Drift and quality of data at a path: what the command line asks, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.events import Quantity
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import Cohort, Samples
from vitruvian.prediction.cohorts.open import form_of, open_cohort
from vitruvian.prediction.measure.platt import sigmoid
from vitruvian.prediction.serve.bundle import Bundle
from vitruvian.prediction.sites.adaptive import Window, step
from vitruvian.prediction.sites.drift import drift
from vitruvian.prediction.sites.quality import quality_of
from vitruvian.prediction.sites.scoring import score_site
from vitruvian.prediction.tasks import TASKS
from vitruvian.records.base import read_events

__all__ = ["drift_of", "quality_at"]

CUTS_MAX: Final = 50
_TASKS_TRIED: Final = ("sepsis", "mortality", "mortality24", "aki", "deterioration", "cardiac_event")


def drift_of(bundle: Bundle, cohort: Cohort) -> dict[str, Any]:
    """Drift of a cohort against a bundle's own reference: features, scores, and where within the cohort, in the order
    of its patients, the mean risk moved. Raises ModelError where the bundle keeps no reference.
    """
    table, scored = score_site(bundle, cohort)
    served = scored[str(bundle.told["serves"]).partition("/")[0]]
    rows = np.flatnonzero(cohort.scored)
    probability = sigmoid(served.logit)
    kept = dict(bundle.told.get("reference") or {})
    if "reference" in served.told:
        kept["score"] = served.told["reference"]
    told = drift(kept, table, rows, probability[rows])
    head = {"task": bundle.told["task"], "model": bundle.told["version"], "data": cohort.data}
    return head | {"simulated": cohort.simulated} | told | {"change": _change(cohort, probability)}


def _change(cohort: Cohort, probability: NDArray[np.float64]) -> dict[str, Any]:
    """An adaptive window over each patient's mean risk, in the order in which the data give patients."""
    mine = cohort.scored
    total = np.bincount(cohort.patient[mine], probability[mine], cohort.patients)
    count = np.bincount(cohort.patient[mine], minlength=cohort.patients)
    window = Window()
    cuts: list[dict[str, Any]] = []
    for patient in np.flatnonzero(count):
        before = window.mean
        window, moved = step(window, float(np.clip(total[patient] / count[patient], 0.0, 1.0)))
        if moved and len(cuts) < CUTS_MAX:
            cuts.append({"patient": int(patient), "mean_before": before, "mean_after": window.mean})
    said = "Patients in the order of the data, which need not be the order in which they came."
    return {"cuts": cuts, "window": window.count, "said": said if cuts else f"The mean risk did not move. {said}"}


def quality_at(path: Path) -> dict[str, Any]:
    """The quality report of any labelled form, or of anything the readers of records know.

    Raises ReadingError where neither can read it.
    """
    try:
        form_of(path)
    except ReadingError:
        if not path.exists():
            raise
        return _of_records(path)
    refused = ""
    for name in _TASKS_TRIED:  # the labels do not matter here, but each form has those of some task only
        try:
            cohort = open_cohort(TASKS[name], path)
        except ReadingError as error:
            refused = refused or str(error)
            continue
        return quality_of(cohort.samples, cohort.patients, cohort.patient.size, data=cohort.data)
    try:
        return _of_records(path)
    except ReadingError:
        raise ReadingError(refused) from None


def _of_records(path: Path) -> dict[str, Any]:
    numbers: dict[tuple[str, str], int] = {}
    rows: list[tuple[int, int, int, float]] = []
    for entry in read_events(path):
        if not entry.subject:
            continue
        who = numbers.setdefault((entry.subject[0].system, entry.subject[0].value), len(numbers))
        for event in entry.events:
            if event.kind == "observation" and event.concept and isinstance(event.value, Quantity):
                rows.append((who, VOCABULARY[event.concept].index, event.occurred_us, event.value.value))
    if not rows:
        raise ReadingError(f"found no measured value in {path}, expected records or labelled data; check the path")
    patient, concept, at_us = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    samples = Samples(patient, concept, at_us, np.array([row[3] for row in rows]))
    slots = np.unique(np.column_stack([patient, at_us // HOUR_US]), axis=0).shape[0]
    return quality_of(samples, len(numbers), slots, data=path.name, in_order=_in_order(patient, at_us))


def _in_order(patient: NDArray[np.int64], at_us: NDArray[np.int64]) -> bool:
    """Whether each patient's samples come in time's order."""
    order = np.argsort(patient, kind="stable")
    same = np.diff(patient[order]) == 0
    return not bool((np.diff(at_us[order])[same] < 0).any())

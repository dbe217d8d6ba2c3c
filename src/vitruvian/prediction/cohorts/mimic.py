"""MIMIC-IV as a cohort: the published tables (hosp/ and icu/, csv or csv.gz) to labelled hours of intensive care.

The first stay in intensive care of each adult; hour 0 is its beginning. A value may be used from the time it was stored
(`storetime`), labels go by the time it was taken (`charttime`). Labels: death in hospital from admissions; acute kidney
injury and sepsis by `cohorts.labels`; deterioration by NEWS2; cardiac arrest as charted in procedureevents.

Johnson et al., Sci Data 2023;10:1, doi 10.13026/kpb9-mt58. What was measured before intensive care makes no feature;
up to seven days of it are a baseline of creatinine.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.assemble import hours_up_to, sorted_samples
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort, Samples
from vitruvian.prediction.cohorts.derived import relabelled, stay_rows
from vitruvian.prediction.cohorts.labels import (
    ONSET_HOUR_MIN,
    aki_onsets,
    labels_before,
    news2_and_sofa,
    sepsis_onsets,
    sofa_rises,
    suspicions,
)
from vitruvian.prediction.cohorts.mimic_care import antibiotics, arrests, cultures, supports
from vitruvian.prediction.cohorts.mimic_tables import Measured, Stays, measured, read_stays
from vitruvian.prediction.tasks import Task
from vitruvian.records.mimic.site import find, version_of

__all__ = ["NAME", "is_mimic", "read_mimic"]

NAME: Final = "MIMIC-IV"
_MEDICAL: Final = ("medical", "micu", "coronary", "ccu")


def is_mimic(path: Path) -> bool:
    """Whether a folder holds MIMIC-IV's tables."""
    if not path.is_dir():
        return False
    admissions = find(path, "admissions")
    return admissions is not None and find(path, "icustays") is not None and version_of(admissions) == "mimic-iv"


def read_mimic(path: Path, task: Task) -> Cohort:
    """Read a folder with labels of `task`. Raises ReadingError where a table is absent or nobody is left."""
    stays = read_stays(path)
    parts = [
        measured(path, "chartevents", stays, needed=True),
        measured(path, "labevents", stays, needed=True),
        measured(path, "outputevents", stays, needed=False),
    ]
    taken, known = _samples(path, stays, parts)
    patient, hour = hours_up_to(np.maximum(np.ceil((stays.out_us - stays.in_us) / HOUR_US), 1).astype(np.int64))
    unread = sum(part.unread for part in parts)
    notes = ["a value counts from its storetime, where one is stated; labels go by charttime"]
    if unread:
        notes.append(f"{unread} rows had a unit that does not convert and are left out")
    cohort = Cohort(
        data=f"{NAME} ({path.name})",
        simulated=False,
        ids=stays.subject,
        patient=patient,
        hour=hour,
        label=np.full(patient.size, UNKNOWN, np.int8),
        scored=np.zeros(patient.size, np.bool_),
        age_years=stays.age_years,
        male=stays.male,
        samples=known,
        admission=_facts(stays),
        groups={"unit": stays.unit},
        notes=tuple(notes),
    )
    return _labelled(cohort, task, path, stays, taken)


def _labelled(cohort: Cohort, task: Task, path: Path, stays: Stays, taken: Samples) -> Cohort:
    if task.name == "deterioration":
        found = relabelled(replace(cohort, samples=taken), task)  # labels by when it was taken
        return replace(found, samples=cohort.samples)
    if task.moment == "stay":
        return stay_rows(replace(cohort, label=stays.died[cohort.patient].astype(np.int8)), task)
    if task.name == "aki":
        onset_h = aki_onsets(taken, cohort.patients, _weights(taken, cohort.patients))
        known = _has(taken, "creatinine", cohort.patients) | _has(taken, "urine_output", cohort.patients)
    elif task.name == "sepsis":
        onset_h = _sepsis(cohort, path, stays, taken)
        known = onset_h >= ONSET_HOUR_MIN
    elif task.name == "cardiac_event":
        onset_h = arrests(path, stays)
        known = np.ones(cohort.patients, np.bool_)
    else:
        raise ReadingError(f"found task {task.name}, for which {NAME} has no labels; bring a labelled table")
    label = labels_before(cohort.patient, cohort.hour, onset_h)
    known_rows = known[cohort.patient]
    left = int((~known).sum())
    notes = (*cohort.notes, f"{left} stays are not labelled (nothing to tell by, or an onset at admission)")
    label = np.where(known_rows, label, UNKNOWN).astype(np.int8)
    return replace(cohort, label=label, scored=known_rows, notes=notes if left else cohort.notes)


def _sepsis(cohort: Cohort, path: Path, stays: Stays, taken: Samples) -> NDArray[np.float64]:
    _, sofa = news2_and_sofa(replace(cohort, samples=taken))
    stay_h = (stays.out_us - stays.in_us) / HOUR_US
    suspicion_h = suspicions(cultures(path, stays), antibiotics(path, stays), stay_h)
    rises = sofa_rises(cohort.patient, sofa)
    return sepsis_onsets(cohort.patient, cohort.hour, rises, suspicion_h)


def _samples(path: Path, stays: Stays, parts: list[Measured]) -> tuple[Samples, Samples]:
    """The samples by when they were taken (with what came before intensive care), and by when they were known."""
    stay, concept, when, value = supports(path, stays)
    who = np.concatenate([*(part.stay for part in parts), stay])
    what = np.concatenate([*(part.concept for part in parts), concept])
    number = np.concatenate([*(part.value for part in parts), value])
    shift = ORIGIN_US - stays.in_us[who]
    taken_us = np.concatenate([*(part.taken_us for part in parts), when]) + shift
    known_us = np.concatenate([*(part.known_us for part in parts), when]) + shift
    inside = taken_us >= ORIGIN_US
    return sorted_samples(who, what, taken_us, number), sorted_samples(
        who[inside], what[inside], known_us[inside], number[inside]
    )


def _facts(stays: Stays) -> dict[str, NDArray[np.float64]]:
    medical = np.array([any(word in unit.lower() for word in _MEDICAL) for unit in stays.unit])
    return {
        "medical_unit": medical.astype(np.float64),
        "surgical_unit": (~medical).astype(np.float64),
        "hospital_before_icu_h": (stays.in_us - stays.admitted_us) / HOUR_US,
    }


def _weights(taken: Samples, patients: int) -> NDArray[np.float64]:
    """The first weight of each stay (P,), NaN = none: for labels only, since it may be charted late."""
    weight_kg = np.full(patients, np.nan)
    mine = np.flatnonzero(taken.concept == VOCABULARY["body_weight"].index)[::-1]
    weight_kg[taken.patient[mine]] = taken.value[mine]
    return weight_kg


def _has(taken: Samples, name: str, patients: int) -> NDArray[np.bool_]:
    found = np.zeros(patients, np.bool_)
    found[taken.patient[taken.concept == VOCABULARY[name].index]] = True
    return found

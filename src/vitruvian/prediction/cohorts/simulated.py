"""Simulated patients: for the plumbing of training where no labelled data are at hand, never for a result.

Each patient has a baseline of vital signs that wander (an autoregression) and labs drawn now and then; some have an
event, before which heart rate, breathing and lactate rise and pressure and saturation fall over hours. How strongly
differs between patients, and some worsen without an event, so that a model has something to learn and to miss.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.assemble import Ints, hours_up_to, sorted_samples
from vitruvian.prediction.cohorts.base import ORIGIN_US, Cohort
from vitruvian.prediction.cohorts.derived import DERIVED, relabelled, stay_rows
from vitruvian.prediction.cohorts.labels import labels_before
from vitruvian.prediction.tasks import Task

__all__ = ["NAME", "simulate_cohort"]

NAME: Final = "simulated patients"
HOURS_MIN, HOURS_LAST = 8, 72
RAMP_H: Final = 12.0  # over so many hours before its event a patient worsens
EVENT_SHARE, LOOKALIKE_SHARE = 0.25, 0.2
MEMORY: Final = 0.8  # of the hourly wandering
PERSISTENT: Final = 0.7  # of a patient's spread stands for the whole stay
# Concept: middle, spread, how far it moves in the worst hour, share of hours at which it is measured.
VITALS: Final[dict[str, tuple[float, float, float, float]]] = {
    "heart_rate": (82, 12, 35, 0.95), "respiratory_rate": (17, 3, 11, 0.9), "oxygen_saturation": (97, 1.4, -6, 0.95),
    "body_temperature": (36.9, 0.4, 1.2, 0.35), "systolic_pressure": (122, 14, -34, 0.9),
    "diastolic_pressure": (63, 9, -18, 0.9), "mean_pressure": (82, 10, -23, 0.9),
}  # fmt: skip
LABS: Final[dict[str, tuple[float, float, float, float]]] = {
    "lactate": (1.5, 0.4, 3.5, 0.08), "creatinine": (1.0, 0.25, 0.8, 0.06), "leukocytes": (9, 2.5, 6, 0.05),
    "platelets": (215, 60, -70, 0.05), "urea_nitrogen": (17, 5, 12, 0.06), "potassium": (4.1, 0.4, 0.6, 0.08),
    "glucose": (128, 25, 30, 0.12), "hemoglobin": (11, 1.4, -1, 0.06), "bicarbonate": (24, 2.5, -6, 0.06),
    "ph": (7.39, 0.03, -0.12, 0.05),
}  # fmt: skip


def simulate_cohort(task: Task, patients: int = 400, seed: int = 0) -> Cohort:
    """Simulated patients with labels of `task`; the same seed gives the same patients."""
    random = np.random.default_rng(seed)
    last = random.integers(HOURS_MIN, HOURS_LAST + 1, patients)
    if task.at_h is not None:
        last = np.maximum(last, int(task.at_h))
    patient, hour = hours_up_to(last)
    onset_h, worst, event = _courses(random, patients, last)
    sick = np.clip((hour - onset_h[patient] + RAMP_H) / RAMP_H, 0, 1) * worst[patient]
    places, concepts, values = _measured(random, patient, sick, patients)
    age_years = np.clip(random.normal(62, 16, patients), 18, 95).round()
    medical = random.random(patients) < 0.5
    event_h = np.where(event, onset_h, np.inf)
    label = labels_before(patient, hour, event_h)
    if task.moment == "stay":
        label = event[patient].astype(np.int8)
    cohort = Cohort(
        data=f"{NAME} ({patients}, seed {seed})",
        simulated=True,
        ids=tuple(f"simulated-{seed}-{place:05d}" for place in range(patients)),
        patient=patient,
        hour=hour,
        label=label,
        scored=np.ones(patient.size, np.bool_),
        age_years=age_years,
        male=(random.random(patients) < 0.55).astype(np.float64),
        samples=sorted_samples(patient[places], concepts, ORIGIN_US + hour[places] * HOUR_US, values),
        admission={
            "medical_unit": medical.astype(np.float64),
            "surgical_unit": (~medical).astype(np.float64),
            "hospital_before_icu_h": random.exponential(20, patients),
        },
        groups={"unit": tuple("medical" if one else "surgical" for one in medical)},
        notes=("simulated: says whether the plumbing works, and nothing of any patient",),
    )
    return relabelled(cohort, task) if task.name in DERIVED else stay_rows(cohort, task)


def _courses(
    random: np.random.Generator, patients: int, last: Ints
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """When each patient is at the worst (hours), how bad that is (0 = never worse), and whether it is an event."""
    draw = random.random(patients)
    onset_h = np.floor(random.uniform(6, last + 1)).astype(np.float64)
    event, lookalike = draw < EVENT_SHARE, (draw >= EVENT_SHARE) & (draw < EVENT_SHARE + LOOKALIKE_SHARE)
    return (
        onset_h,
        np.where(event | lookalike, random.uniform(0.0, 1.0, patients) * np.where(event, 0.9, 0.7), 0.0),
        event,
    )


def _measured(
    random: np.random.Generator, patient: Ints, sick: NDArray[np.float64], patients: int
) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Rows, concepts and values that were measured."""
    places, concepts, values = [], [], []
    starts = np.flatnonzero(np.diff(patient, prepend=-1))
    for name, (middle, spread, move, share) in (VITALS | LABS).items():
        own = random.normal(0, spread * PERSISTENT, patients)
        noise = _wandering(random.normal(0, 1, patient.size), starts) * spread * (1 - PERSISTENT**2) ** 0.5
        value = middle + own[patient] + noise + move * sick
        # The sick are tested more, as everywhere.
        often = share + 0.1 * np.minimum(sick, 1) if name in LABS else share
        low, high = VOCABULARY[name].plausible
        taken = np.flatnonzero(random.random(patient.size) < often)
        places.append(taken)
        concepts.append(np.full(taken.size, VOCABULARY[name].index, np.int64))
        values.append(np.clip(value[taken], low, high))
    return np.concatenate(places), np.concatenate(concepts), np.concatenate(values)


def _wandering(noise: NDArray[np.float64], starts: Ints) -> NDArray[np.float64]:
    """An autoregression of unit spread that begins anew with each patient."""
    out = noise.copy()
    fresh = np.zeros(noise.size, np.bool_)
    fresh[starts] = True
    for place in range(1, noise.size):
        if not fresh[place]:
            out[place] = MEMORY * out[place - 1] + (1 - MEMORY**2) ** 0.5 * noise[place]
    return out

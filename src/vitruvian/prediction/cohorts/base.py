"""A cohort: patients with what was measured of them, the hours at which a risk is told, and what came.

Readers make it from any published form; everything after it (features, training, evaluation) knows only this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US

__all__ = ["ORIGIN_US", "UNKNOWN", "Cohort", "Samples"]

# Public data state no dates; any whole hour will do as the admission, since features know differences only.
ORIGIN_US: Final = 262_968 * HOUR_US  # 2000-01-01T00:00:00Z
UNKNOWN: Final = -1  # a label that is not known


@dataclass(frozen=True, slots=True)
class Samples:
    """What was measured: S samples. `patient` (S,) dense numbers, `concept` (S,) `Concept.index`, `at_us` (S,) the
    moment from which the value may be used (the result's time where the source has one, else when it was charted),
    with admission at `ORIGIN_US`; `value` (S,) in the vocabulary's unit.
    """

    patient: NDArray[np.int64]
    concept: NDArray[np.int64]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Patients (P), their samples, and the N rows at which a risk is told.

    Rows are whole hours since admission, consecutive within a patient, one patient after another: `patient` (N,) dense
    numbers that never decrease, `hour` (N,), `label` (N,) 0, 1 or UNKNOWN. `scored` (N,): rows on which the task is
    measured and trained (for a task of moment "stay", one a patient; the others only carry sequences on).
    `ids` (P,): names in the source. `age_years`, `male` (P,): NaN = not stated. `admission`: further facts of it,
    (P,) each, NaN = unknown (`medical_unit`, `surgical_unit`, `hospital_before_icu_h`, `height_cm`, `weight_kg`).
    `groups`: (P,) of text each, for fairness and shifts (`unit`). `data`: the name of the set as tables print it;
    `simulated`: whether it is. `notes`: what a reader must know of it (times that are absent, values clipped, ...).
    """

    data: str
    simulated: bool
    ids: tuple[str, ...]
    patient: NDArray[np.int64]
    hour: NDArray[np.int64]
    label: NDArray[np.int8]
    scored: NDArray[np.bool_]
    age_years: NDArray[np.float64]
    male: NDArray[np.float64]
    samples: Samples
    admission: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        step = np.diff(self.patient)
        follows = np.diff(self.hour) == 1
        if self.patient.size == 0 or self.patient[0] != 0 or self.patient[-1] + 1 != len(self.ids):
            raise ReadingError(f"found {self.data} without an hour for each of {len(self.ids)} patients")
        if not (((step == 0) & follows) | (step == 1)).all():
            raise ReadingError(
                f"found gaps between hours of {self.data}, expected none; readers fill gaps with empty rows"
            )

    @property
    def patients(self) -> int:
        """How many patients."""
        return len(self.ids)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(N,) which rows are scored and have a known label."""
        known: NDArray[np.bool_] = self.scored & (self.label != UNKNOWN)
        return known

    def measured_rows(self, patients: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """The measured rows of these patients (None: of all), rising."""
        mine = self.measured if patients is None else self.measured & np.isin(self.patient, patients)
        return np.flatnonzero(mine)

    def of(self, patients: NDArray[np.int64]) -> Cohort:
        """The cohort of some patients (their numbers, any order), renumbered in rising order."""
        chosen = np.unique(patients)
        number = np.full(self.patients, -1, np.int64)
        number[chosen] = np.arange(chosen.size)
        rows, kept = number[self.patient] >= 0, number[self.samples.patient] >= 0
        took = self.samples
        return Cohort(
            self.data,
            self.simulated,
            tuple(self.ids[place] for place in chosen),
            number[self.patient[rows]],
            self.hour[rows],
            self.label[rows],
            self.scored[rows],
            self.age_years[chosen],
            self.male[chosen],
            Samples(number[took.patient[kept]], took.concept[kept], took.at_us[kept], took.value[kept]),
            {name: column[chosen] for name, column in self.admission.items()},
            {name: tuple(column[place] for place in chosen) for name, column in self.groups.items()},
            self.notes,
        )

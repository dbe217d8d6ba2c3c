"""Who is on the ward, and what each row of it needs from the twins, gathered for many patients at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import DAY_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import Journal, Patient
from vitruvian.service.build import METHODS, Latest
from vitruvian.service.views import WARD_CONCEPTS
from vitruvian.signals.concepts import TABLES
from vitruvian.signals.kernels import NEVER_US
from vitruvian.twin import Twins, kernels

SHOWN_FOR_US: Final = DAY_US  # a patient in no bed is shown this long after the last measurement

_NAMES: Final = tuple(
    dict.fromkeys(
        [method for name in WARD_CONCEPTS for method in METHODS.get(name, (name,))]
        + ["oxygen_flow", "inspired_oxygen_fraction", "oxygen_supplementation"]
    )
)
_AT: Final = np.array([VOCABULARY[name].index for name in _NAMES])
_SLOT: Final = np.asarray(TABLES.slot_of)[_AT]


class Board:
    """The patients that the journal knows, by their dense number and public id; kept current by `refresh`."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.patients: dict[int, Patient] = {}
        self._pid_of: dict[str, int] = {}
        for patient in journal.patients():
            self._put(patient)

    def _put(self, patient: Patient) -> None:
        self.patients[patient.pid] = patient
        self._pid_of[patient.id] = patient.pid

    def refresh(self, pids: Iterable[int]) -> None:
        """Read these patients again: their demographics, place or merges changed, or they are new."""
        for pid in pids:
            self._put(self._journal.patient_of(pid))

    def patient(self, pid: int) -> Patient:
        """The patient of a number, read from the journal where it is new."""
        if pid not in self.patients:
            self.refresh([pid])
        return self.patients[pid]

    def pid_of(self, public_id: str) -> int:
        """The surviving patient's number behind a public id. Raises NotFoundError where there is none."""
        pid = self._pid_of.get(public_id)
        if pid is None:
            pid = self._journal.patient(public_id).pid
        return self._journal.survivor(pid)

    def on_ward(self, twins: Twins, now_us: int) -> list[int]:
        """Patients in a bed or an open encounter, and those measured within a day who were not discharged."""
        shown = []
        newest = dict(zip(twins.pid_of.tolist(), twins.newest_us.tolist(), strict=True))
        for pid, patient in list(self.patients.items()):
            if patient.merged_into is not None:
                continue
            recent = pid in twins and now_us - newest.get(pid, NEVER_US) < SHOWN_FOR_US
            if patient.location is not None or (recent and not self._discharged(patient)):
                shown.append(pid)
        return shown

    def _discharged(self, patient: Patient) -> bool:
        return patient.visit is None and bool(self._journal.bed_history(patient.pid))


def latest_of_rows(twins: Twins, rows: NDArray[np.int64]) -> list[dict[str, Latest]]:
    """For each row, the newest value of every concept that a row of the ward shows, with its source's interval."""
    value = twins.tracker.last_value[rows[:, None], _AT]
    at_us = twins.tracker.last_us[rows[:, None], _AT]
    cadence_s = kernels.cadences(twins.tracker.ring_us, rows)
    interval_s = np.where(_SLOT >= 0, cadence_s[:, np.maximum(_SLOT, 0)], np.nan)
    seen = at_us != NEVER_US
    return [
        {
            name: Latest(number, moment, None if interval != interval else interval)
            for name, number, moment, interval, known in zip(_NAMES, *columns, strict=True)
            if known
        }
        for columns in zip(value.tolist(), at_us.tolist(), interval_s.tolist(), seen.tolist(), strict=True)
    ]

"""FHIR R4 as Synthea writes it (NDJSON, or one bundle a patient) as a cohort: hours of hospital stays.

A patient's stay is the first inpatient or emergency encounter (for a task told at an hour: the first that lasts so
long). Labels: death within the stay or a day after it; sepsis, acute kidney injury and cardiac events by the SNOMED CT
code of a condition, from its onset; deterioration by NEWS2. Synthea's people are synthetic, and every table says so;
FHIR of another source is read in the same way and is called by its folder.

Walonoski et al., J Am Med Inform Assoc 2018;25:230-238.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError
from vitruvian.core.events import Coded, Entry, Event, Person, Quantity, Visit
from vitruvian.core.time import DAY_US, HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.assemble import Ints, hours_up_to, sorted_samples
from vitruvian.prediction.cohorts.base import ORIGIN_US, UNKNOWN, Cohort
from vitruvian.prediction.cohorts.derived import relabelled, stay_rows
from vitruvian.prediction.cohorts.labels import labels_before
from vitruvian.prediction.tasks import Task
from vitruvian.records.base import read_events

__all__ = ["CODES", "is_fhir", "read_fhir"]

NAME: Final = "Synthea (synthetic patients)"
_SNOMED: Final = "http://snomed.info/sct"
_STAYS: Final = ("I", "E")  # HL7 table 0004: inpatient, emergency
_YEAR_US: Final = 365.2425 * DAY_US
_SUFFIXES: Final = (".json", ".ndjson", ".json.gz", ".ndjson.gz", ".jsonl")
# SNOMED CT codes of the conditions that a task foresees.
CODES: Final[dict[str, frozenset[str]]] = {
    "sepsis": frozenset({"91302008", "76571007", "10001005", "448417001", "447931005"}),
    "aki": frozenset({"14669001", "298015003"}),
    "cardiac_event": frozenset({"410429000", "22298006", "401303003", "401314000", "57054005", "71908006"}),
}


@dataclass(slots=True)
class _Person:
    """What is gathered of one patient; times in microseconds."""

    name: str
    birth_us: int | None = None
    sex: str = ""
    deceased_us: int | None = None
    stays: dict[str, list[int | None]] = field(default_factory=dict)  # encounter: beginning, end
    samples: list[tuple[int, int, float]] = field(default_factory=list)  # known from, concept, value
    conditions: list[tuple[int, str]] = field(default_factory=list)


def is_fhir(path: Path) -> bool:
    """Whether a path is FHIR by its ending, or a folder that holds such files."""
    if path.is_dir():
        return any(one.name.lower().endswith(_SUFFIXES) for one in path.iterdir() if one.is_file())
    return path.is_file() and path.name.lower().endswith(_SUFFIXES)


def read_fhir(path: Path, task: Task) -> Cohort:
    """Read bundles or NDJSON. Raises ReadingError where nobody stayed in hospital (long enough for the task)."""
    people, synthetic = _gathered(read_events(path))
    length_h = task.at_h or 0.0
    chosen = [(one, stay) for one in people if (stay := _stay(one, length_h)) is not None]
    if not chosen:
        raise ReadingError(
            f"found {len(people)} patients in {path} and no inpatient or emergency stay of {max(length_h, 1):g} h,"
            " expected some; give more patients, or a task that is told earlier"
        )
    starts = np.array([start for _, (start, _) in chosen], np.int64)
    ends = np.array([end for _, (_, end) in chosen], np.int64)
    patient, hour = hours_up_to(np.maximum(np.ceil((ends - starts) / HOUR_US), 1).astype(np.int64))
    who, at_us, concept, value = _columns(chosen)
    cohort = Cohort(
        data=f"{NAME if synthetic else 'FHIR'} ({path.name})",
        simulated=synthetic,
        ids=tuple(one.name for one, _ in chosen),
        patient=patient,
        hour=hour,
        label=np.full(patient.size, UNKNOWN, np.int8),
        scored=np.ones(patient.size, np.bool_),
        age_years=np.array([_age(one, start) for one, (start, _) in chosen]),
        male=np.array([{"male": 1.0, "female": 0.0}.get(one.sex, np.nan) for one, _ in chosen]),
        samples=sorted_samples(who, concept, at_us, value),
        notes=("stays are encounters; a value counts from when it was issued, where that is stated",),
    )
    if task.name == "deterioration":
        return relabelled(cohort, task)
    if task.moment == "stay":
        died = [one.deceased_us is not None and one.deceased_us <= end + DAY_US for one, (_, end) in chosen]
        return stay_rows(replace(cohort, label=np.array(died, np.int8)[patient]), task)
    onset_h = np.array([_onset(one, stay, CODES[task.name]) for one, stay in chosen])
    return replace(cohort, label=labels_before(patient, hour, onset_h))


def _gathered(entries: Iterable[Entry]) -> tuple[list[_Person], bool]:
    people: dict[str, _Person] = {}
    synthetic = False
    for entry in entries:
        if not entry.subject or entry.status in ("entered-in-error", "cancelled"):
            continue
        first = entry.subject[0]
        synthetic = synthetic or "synthea" in first.system.lower()
        person = people.setdefault(f"{first.system}|{first.value}", _Person(first.value))
        for event in entry.events:
            _take(person, entry, event)
    return sorted(people.values(), key=lambda one: one.name), synthetic


def _take(person: _Person, entry: Entry, event: Event) -> None:
    match event.value:
        case Person(birth_us=birth_us, sex=sex, deceased_us=deceased_us):
            person.birth_us = birth_us if birth_us is not None else person.birth_us
            person.sex, person.deceased_us = sex or person.sex, deceased_us or person.deceased_us
        case Visit(action=action, patient_class=kind) if kind in _STAYS and entry.encounter is not None:
            stay = person.stays.setdefault(entry.encounter.value, [None, None])
            if action in ("admit", "discharge"):
                stay[0 if action == "admit" else 1] = event.occurred_us
        case Quantity(value=value) if event.kind == "observation" and event.concept:
            known_us = max(event.occurred_us, entry.available_us or event.occurred_us)
            person.samples.append((known_us, VOCABULARY[event.concept].index, value))
        case Coded(system=system, code=code) if event.kind == "condition" and system == _SNOMED:
            person.conditions.append((event.occurred_us, code))


def _stay(person: _Person, length_h: float) -> tuple[int, int] | None:
    """The first stay of at least so many hours; its beginning and end."""
    whole = sorted((start, end) for start, end in person.stays.values() if start is not None and end is not None)
    return next(((start, end) for start, end in whole if end - start >= max(length_h * HOUR_US, 1)), None)


def _onset(person: _Person, stay: tuple[int, int], codes: frozenset[str]) -> float:
    """Hours from the beginning of a stay to the first of these conditions within it; inf = none."""
    start, end = stay
    mine = [(at_us - start) / HOUR_US for at_us, code in person.conditions if code in codes and start <= at_us <= end]
    return min(mine, default=float("inf"))


def _columns(chosen: list[tuple[_Person, tuple[int, int]]]) -> tuple[Ints, Ints, Ints, NDArray[np.float64]]:
    """Number of the patient, when known, concept and value of what was measured within the stays."""
    rows = [
        (number, at_us - start + ORIGIN_US, concept, value)
        for number, (one, (start, end)) in enumerate(chosen)
        for at_us, concept, value in one.samples
        if start <= at_us <= end
    ]
    who, at_us, concept = (np.array([row[place] for row in rows], np.int64) for place in range(3))
    return who, at_us, concept, np.array([row[3] for row in rows], np.float64)


def _age(person: _Person, start: int) -> float:
    return float("nan") if person.birth_us is None else float(np.floor((start - person.birth_us) / _YEAR_US))

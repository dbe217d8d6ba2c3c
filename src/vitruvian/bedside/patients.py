"""Virtual patients: who they are (clearly fictitious), where they lie, what is usual for them, what will happen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.bedside import noise
from vitruvian.bedside.courses import COURSES, PATTERN, SIGNALS, CourseName
from vitruvian.core.errors import ConfigurationError

__all__ = ["SYSTEM", "Patient", "Patients"]

SYSTEM: Final = "urn:vitruvian:simulated:patient"
VISIT_SYSTEM: Final = "urn:vitruvian:simulated:visit"
PATIENTS_MAX: Final = 1_000_000
BEDS_PER_ROOM: Final = 2
ROOMS_PER_WARD: Final = 12
_TREES: Final = (
    "Alder", "Aspen", "Beech", "Birch", "Cedar", "Cherry", "Chestnut", "Cypress", "Elder", "Elm", "Fir", "Hawthorn",
    "Hazel", "Holly", "Hornbeam", "Juniper", "Larch", "Laurel", "Linden", "Maple", "Oak", "Olive", "Pine", "Poplar",
    "Rowan", "Sequoia", "Spruce", "Sycamore", "Willow", "Yew",
)  # fmt: skip
_GIVEN: Final = {
    "female": ("Ada", "Berta", "Clara", "Dora", "Edda", "Flora", "Greta", "Hilda", "Ida", "Jana"),
    "male": ("Anton", "Bruno", "Carlo", "David", "Emil", "Felix", "Gustav", "Hugo", "Ivo", "Jonas"),
}
_CHILDREN: Final = 0.04
_STREAM: Final = 100


@dataclass(frozen=True, slots=True)
class Patient:
    """One virtual patient's admission data. Families are trees of a numbered grove: no one is called so."""

    number: int
    family: str
    given: str
    sex: str
    birth: str
    ward: str
    room: str
    bed: str

    @property
    def record(self) -> str:
        """The medical record number."""
        return f"SIM-{self.number:06d}"

    @property
    def device(self) -> str:
        """The monitor at the bed."""
        return f"sim-monitor-{self.number:06d}"


class Patients:
    """`count` virtual patients of a seed. The same seed gives the same first patients whatever the count.

    `base` (patients, signals) are usual values by age and constitution; `early` and `late` what the course adds.
    """

    def __init__(self, count: int, seed: int, courses: tuple[CourseName, ...] = PATTERN) -> None:
        if not 1 <= count <= PATIENTS_MAX:
            raise ConfigurationError(f"found {count} patients, expected 1 to {PATIENTS_MAX}")
        self.count, self.seed = count, seed
        self.keys = noise.keys(seed, count)
        draw = noise.uniform(self.keys, 0, _STREAM, 8)
        spread = noise.normal(self.keys, 1, _STREAM, len(SIGNALS))
        child = draw[:, 0] < _CHILDREN
        self.age_years = np.where(child, 1 + 14 * draw[:, 1], 19 + 74 * np.sqrt(draw[:, 1])).astype(np.float32)
        self.female = draw[:, 2] < 0.5
        self.courses: list[CourseName] = [courses[index % len(courses)] for index in range(count)]
        self.base = _baseline(self.age_years, spread)
        scale = (0.85 + 0.3 * draw[:, 3])[:, None]
        self.early = _effects(self.courses, "early") * scale
        self.late = _effects(self.courses, "late") * scale
        self.onset_h = (0.2 + 3.0 * draw[:, 4]).astype(np.float32)
        self.ramp_h, self.hold_h, self.recover_h = (
            np.array([getattr(COURSES[name], part) for name in self.courses], dtype=np.float32)
            for part in ("ramp_h", "hold_h", "recover_h")
        )
        self.noisy = np.array([name == "noisy-sensor" for name in self.courses])
        self.loose = np.array([name == "disconnected-lead" for name in self.courses])
        self._draw = draw

    def patient(self, index: int, today: datetime | None = None) -> Patient:
        """The admission data of one patient; the birth date is reckoned from `today`."""
        sex = "female" if self.female[index] else "male"
        given = _GIVEN[sex][int(self._draw[index, 5] * 10)]
        grove, tree = divmod(index, len(_TREES))
        day = (today or datetime.now(UTC)) - timedelta(days=float(self.age_years[index]) * 365.25)
        ward, place = divmod(index, ROOMS_PER_WARD * BEDS_PER_ROOM)
        room, bed = divmod(place, BEDS_PER_ROOM)
        return Patient(
            index + 1,
            f"{_TREES[tree]}-Simulated" + (f"-{grove + 1}" if grove else ""),
            given,
            sex,
            f"{day.year:04d}-{day.month:02d}-01",
            f"Virtual {_letters(ward)}",
            f"{room + 1}",
            "AB"[bed],
        )


def _letters(number: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    text = ""
    number += 1
    while number:
        number, digit = divmod(number - 1, 26)
        text = chr(65 + digit) + text
    return text


def _baseline(age: NDArray[np.float32], spread: NDArray[np.float32]) -> NDArray[np.float32]:
    """Usual values by age: children after PALS 2020 (mid-range), adults with pressure rising by 0.4 mmHg a year."""
    child = age < 16
    pulse = np.where(child, 128 - 3.6 * age, 73 - 0.03 * (age - 50)) + 6.5 * spread[:, 0]
    breathing = np.where(child, 28 - 0.8 * age, 15.5) + 1.4 * spread[:, 1]
    oxygen = 97.3 - 0.012 * np.maximum(age - 30, 0) + 0.7 * spread[:, 2]
    temperature = 36.75 + 0.18 * spread[:, 3]
    systolic = np.where(child, 88 + 1.9 * age, 112 + 0.4 * (age - 20)) + 8 * spread[:, 4]
    diastolic = np.where(child, 54 + 0.9 * age, 68 + 0.12 * (age - 20)) + 4.5 * spread[:, 5]
    mean = diastolic + (systolic - diastolic) / 3
    return np.stack([pulse, breathing, oxygen, temperature, systolic, diastolic, mean, pulse], axis=1).astype(
        np.float32
    )


def _effects(courses: list[CourseName], part: str) -> NDArray[np.float32]:
    rows = {
        name: [float(getattr(course, part).get(signal, 0.0)) for signal in SIGNALS] for name, course in COURSES.items()
    }
    return np.array([rows[name] for name in courses], dtype=np.float32)

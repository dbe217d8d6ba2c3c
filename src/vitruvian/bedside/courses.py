"""The scripted courses of virtual patients: what happens, how fast, and what it does to vitals and laboratory values.

Plausible, not physiological: the sizes are those of textbook presentations (sepsis: Singer et al., JAMA 2016;315:801;
haemorrhage: ATLS classes I-IV; respiratory failure: BTS oxygen guideline 2017), chosen so that monitors and scores see
what they would at a bedside. Models of physiology are elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["COURSES", "LABS", "PATTERN", "SIGNALS", "Course", "CourseName", "Lab", "severity"]

CourseName = Literal["stable", "sepsis", "bleed", "respiratory-failure", "noisy-sensor", "disconnected-lead"]

# What a monitor sends at each tick, with units and decimals.
SIGNALS: Final[Mapping[str, tuple[str, int]]] = {
    "heart_rate": ("/min", 0),
    "respiratory_rate": ("/min", 0),
    "oxygen_saturation": ("%", 0),
    "body_temperature": ("Cel", 1),
    "systolic_pressure": ("mm[Hg]", 0),
    "diastolic_pressure": ("mm[Hg]", 0),
    "mean_pressure": ("mm[Hg]", 0),
    "pulse_rate": ("/min", 0),
}


@dataclass(frozen=True, slots=True)
class Lab:
    """A laboratory value: usual mean and spread in `unit`, and decimals shown."""

    unit: str
    mean: float
    spread: float
    decimals: int


LABS: Final[Mapping[str, Lab]] = {
    "lactate": Lab("mmol/L", 1.1, 0.3, 1),
    "creatinine": Lab("mg/dL", 0.9, 0.2, 2),
    "leukocytes": Lab("10*3/uL", 7.5, 1.5, 1),
    "platelets": Lab("10*3/uL", 245, 45, 0),
    "bilirubin_total": Lab("mg/dL", 0.6, 0.15, 1),
    "hemoglobin": Lab("g/dL", 13.2, 1.1, 1),
    "potassium": Lab("mmol/L", 4.1, 0.3, 1),
    "sodium": Lab("mmol/L", 139, 2.2, 0),
    "urea_nitrogen": Lab("mg/dL", 15, 3.5, 0),
    "glucose": Lab("mg/dL", 108, 14, 0),
    "bicarbonate": Lab("mmol/L", 24.5, 1.4, 0),
    "ph": Lab("[pH]", 7.40, 0.02, 2),
    "arterial_co2": Lab("mm[Hg]", 40, 2.5, 0),
    "arterial_oxygen": Lab("mm[Hg]", 92, 7, 0),
    "c_reactive_protein": Lab("mg/L", 6, 3, 0),
}


@dataclass(frozen=True, slots=True)
class Course:
    """What a course does at full severity.

    `early` changes in proportion to severity, `late` with its cube: what the body compensates at first. `labs` are
    factors at full severity. Times are in hours of the course.
    """

    ramp_h: float = 6.0
    hold_h: float = 4.0
    recover_h: float = 8.0
    early: Mapping[str, float] = field(default_factory=dict)
    late: Mapping[str, float] = field(default_factory=dict)
    labs: Mapping[str, float] = field(default_factory=dict)
    oxygen_from: float | None = None  # severity at which oxygen is given
    clouded_from: float | None = None  # severity at which consciousness changes


COURSES: Final[Mapping[CourseName, Course]] = {
    "stable": Course(),
    "sepsis": Course(
        early={"heart_rate": 34, "respiratory_rate": 10, "body_temperature": 2.1, "oxygen_saturation": -3},
        late={
            "systolic_pressure": -42, "diastolic_pressure": -26, "heart_rate": 12, "respiratory_rate": 5,
            "oxygen_saturation": -3,
        },
        labs={
            "lactate": 4.2, "creatinine": 2.3, "leukocytes": 2.4, "platelets": 0.45, "bilirubin_total": 2.8,
            "urea_nitrogen": 2.1, "bicarbonate": 0.72, "ph": 0.988, "c_reactive_protein": 35, "glucose": 1.35,
            "arterial_co2": 0.9, "arterial_oxygen": 0.7,
        },
        oxygen_from=0.6,
        clouded_from=0.8,
    ),
    "bleed": Course(
        ramp_h=2.0, hold_h=2.0, recover_h=5.0,
        early={"heart_rate": 36, "respiratory_rate": 6, "diastolic_pressure": 4, "body_temperature": -0.3},
        late={
            "systolic_pressure": -48, "diastolic_pressure": -26, "heart_rate": 14, "respiratory_rate": 5,
            "body_temperature": -0.6,
        },
        labs={
            "hemoglobin": 0.55, "lactate": 4.5, "platelets": 0.6, "bicarbonate": 0.78, "ph": 0.988, "creatinine": 1.4,
            "arterial_co2": 0.95,
        },
        clouded_from=0.9,
    ),
    "respiratory-failure": Course(
        ramp_h=4.0, hold_h=3.0, recover_h=6.0,
        early={"respiratory_rate": 14, "oxygen_saturation": -6, "heart_rate": 18, "systolic_pressure": 12},
        late={"oxygen_saturation": -8, "respiratory_rate": 5, "heart_rate": 10, "systolic_pressure": -10},
        labs={"arterial_co2": 1.7, "ph": 0.975, "arterial_oxygen": 0.55, "bicarbonate": 1.15, "lactate": 1.6},
        oxygen_from=0.35,
        clouded_from=0.85,
    ),
    "noisy-sensor": Course(),
    "disconnected-lead": Course(),
}  # fmt: skip

# Who gets which course, repeated: a ward of 24 has all of them, and most patients are stable.
PATTERN: Final[tuple[CourseName, ...]] = (
    "stable", "stable", "sepsis", "stable", "respiratory-failure", "stable", "stable", "noisy-sensor",
    "stable", "bleed", "stable", "stable", "sepsis", "stable", "stable", "disconnected-lead",
    "stable", "stable", "respiratory-failure", "stable", "bleed", "stable", "sepsis", "noisy-sensor",
)  # fmt: skip

PERIOD_H: Final = 36.0  # after recovery the course begins again


def severity(
    time_h: float, onset_h: NDArray[np.float32], ramp_h: NDArray[np.float32], hold_h: NDArray[np.float32],
    recover_h: NDArray[np.float32],
) -> NDArray[np.float32]:  # fmt: skip
    """Severity from 0 to 1 of each patient: none until onset, a smooth rise, a plateau, a smooth recovery."""
    since = np.mod(np.float32(time_h) - onset_h, np.float32(PERIOD_H))
    since = np.where(np.float32(time_h) < onset_h, np.float32(0), since)
    rise = np.clip(since / ramp_h, 0, 1)
    fall = np.clip((since - ramp_h - hold_h) / recover_h, 0, 1)
    level = rise * rise * (3 - 2 * rise) - fall * fall * (3 - 2 * fall)
    result: NDArray[np.float32] = np.clip(level, 0, 1).astype(np.float32)
    return result

"""Which columns the sepsis models read, by name. Why these: docs/research/sepsis_transfer.md.

`STEADY` says how the patient is in words that any hospital shares: vital signs with their day's extremes, means and
courses, the labs that sepsis moves, scores, age. `CHARTED` adds the rarer labs and the hours since each measurement:
it ranks better at home and leans more on local habits. `PATIENT` adds the stay so far, for models that may not know how
long it has been. `CLOCK` and `HABITS` are practice patterns.
"""

from __future__ import annotations

from typing import Final

from vitruvian.signals.features import FEATURES, PRACTICE_FEATURES, VITALS

__all__ = ["CHARTED", "CLOCK", "DIRECTIONS", "HABITS", "PATIENT", "STAYED", "STEADY"]

_OF_VITALS: Final = ("", "_min_24h", "_max_24h", "_mean_24h", "_mean_6h", "_departure_24h", "_sd_6h", "_delta_6h")
_LABS: Final = (
    "leukocytes", "urea_nitrogen", "creatinine", "bilirubin_total", "platelets", "lactate", "hematocrit", "glucose",
    "bicarbonate", "ph", "arterial_co2", "inspired_oxygen_fraction", "aptt", "potassium", "magnesium", "phosphate",
    "calcium", "chloride", "hemoglobin",
)  # fmt: skip
_CHANGES: Final = ("leukocytes_change", "creatinine_change", "platelets_change", "urea_nitrogen_change")
_DERIVED: Final = (
    "shock_index", "modified_shock_index", "pulse_pressure", "warm_heart_rate", "spo2_fio2", "bun_creatinine", "sirs",
    "qsofa_known", "sofa_known",
)  # fmt: skip
PERSON: Final = ("age_years", "male")

STEADY: Final[tuple[str, ...]] = (
    *(f"{name}{of}" for name in VITALS for of in _OF_VITALS),
    *_LABS,
    *_CHANGES,
    *_DERIVED,
    *PERSON,
)
# 12 h windows say nothing that the 6 and 24 h ones do not.
CHARTED: Final[tuple[str, ...]] = tuple(name for name in FEATURES if not name.endswith("_12h"))

# What the stay has been so far: extremes and means of the vital signs, the last of each lab however old, its extremes.
STAYED: Final[tuple[str, ...]] = (
    *(f"{name}_stay_{of}" for name in VITALS for of in ("min", "max", "mean")),
    *(f"{name}_stay_{of}" for name in _LABS for of in ("last", "min", "max")),
)
PATIENT: Final[tuple[str, ...]] = (*CHARTED, *STAYED)

CLOCK: Final = ("observed_h",)  # stands for the time in intensive care
HABITS: Final[tuple[str, ...]] = (*PRACTICE_FEATURES, "medical_unit", "surgical_unit", "hospital_before_icu_h")

# The direction that physiology gives: 1 where risk may not fall as the value rises. What is bad on both sides has none.
DIRECTIONS: Final[dict[str, int]] = {
    **{f"{name}{of}": 1 for name in ("heart_rate", "respiratory_rate") for of in _OF_VITALS[:5]},
    **{f"{name}{of}": -1 for name in ("systolic_pressure", "mean_pressure") for of in _OF_VITALS[:5]},
    **dict.fromkeys(
        (
            "body_temperature_max_24h", "shock_index", "modified_shock_index", "warm_heart_rate", "sirs", "qsofa_known",
            "sofa_known", "urea_nitrogen", "creatinine", "bilirubin_total", "lactate", "creatinine_change",
            "urea_nitrogen_change", "observed_h",
        ),
        1,
    ),
    **dict.fromkeys(
        ("spo2_fio2", "platelets", "oxygen_saturation_mean_24h", "oxygen_saturation_min_24h", "bicarbonate"), -1
    ),
}  # fmt: skip

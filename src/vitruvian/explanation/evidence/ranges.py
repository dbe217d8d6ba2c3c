"""Critical values of adults: those for which laboratories telephone and early-warning scores give their most points.

Vital signs: the limits of 3 points in NEWS2 (Royal College of Physicians, 2017). Laboratory: limits in wide use
(Kost 1990, JAMA 263:704, medians of US hospitals; lactate: the septic-shock limit of 4 mmol/L, Rhodes 2017). A
hospital's own list goes before ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vitruvian.core.vocabulary import VOCABULARY

__all__ = ["CRITICAL", "is_critical", "outside"]

# (at or below, at or above), in the concept's unit; None: no such limit.
CRITICAL: Final[Mapping[str, tuple[float | None, float | None]]] = {
    "heart_rate": (40, 131), "respiratory_rate": (8, 25), "oxygen_saturation": (91, None),
    "systolic_pressure": (90, 220), "body_temperature": (35.0, 40.0), "mean_pressure": (55, None),
    "consciousness": (None, 1), "glasgow_coma_score": (8, None),
    "lactate": (None, 4.0), "potassium": (2.8, 6.2), "sodium": (120, 158), "glucose": (46, 484),
    "ph": (7.21, 7.59), "hemoglobin": (6.6, None), "platelets": (37, None), "calcium": (6.6, 12.9),
    "arterial_oxygen": (43, None), "arterial_co2": (19, 67), "creatinine": (None, 7.4), "bicarbonate": (10, 40),
    "inr": (None, 5.0),
}  # fmt: skip


def is_critical(name: str, value: float) -> bool:
    """Whether a value (in the concept's unit) is critical in an adult; False for what has no limits here."""
    low, high = CRITICAL.get(name, (None, None))
    return (low is not None and value <= low) or (high is not None and value >= high)


def outside(name: str, value: float, age_years: float | None, sex: str) -> int:
    """-1 below the usual range at this age and sex, +1 above it, 0 within it or where none is known."""
    concept = VOCABULARY.get(name)
    normal = concept.normal_range(age_years, sex) if concept and age_years is not None else None
    if normal is None:
        return 0
    return -1 if value < normal[0] else 1 if value > normal[1] else 0

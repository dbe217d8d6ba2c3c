"""Bedside scores of few inputs: qSOFA and the shock index.

qSOFA: Singer M et al. The Third International Consensus Definitions for Sepsis and Septic Shock (Sepsis-3). JAMA
2016;315:801-810. One point each for a respiratory rate of 22 /min or more, altered mentation (GCS under 15) and a
systolic pressure of 100 mm[Hg] or less; 2 or more is positive. Defined for adults.

Shock index: heart rate over systolic pressure. Allgower M, Burri C. Schockindex. Dtsch Med Wochenschr
1967;92:1947-1950. About 0.5 to 0.7 at rest in adults.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vitruvian.prediction.scores.inputs import MISSING, Bools, Floats, Inputs, Points, altered, pick

VERSION: Final = "Sepsis-3"
SHOCK_INDEX_VERSION: Final = "Allgower-1967"
PARTS: Final[tuple[str, ...]] = ("respiration", "consciousness", "systolic_pressure")
PARTS_MIN: Final = 2
ADULT_YEARS: Final = 18
SHOCK_INDEX_AGE_MIN_YEARS: Final = 16


@dataclass(frozen=True, slots=True)
class Qsofa:
    """qSOFA of n patients: `points` (3, n), -1 missing; `at_least`, `value` (NaN under 2 known parts), `exact`,
    `applicable`.
    """

    points: Points
    at_least: Points
    value: Floats
    exact: Bools
    applicable: Bools


def qsofa(inputs: Inputs) -> Qsofa:
    """qSOFA of every patient; pure. Not applicable under 18 years (the definition is of adults)."""
    respiration = inputs.of("respiratory_rate")
    consciousness = altered(inputs)
    systolic = pick(inputs, "systolic_pressure_arterial", "systolic_pressure")[0]
    with np.errstate(invalid="ignore"):
        applicable = ~(inputs.years < ADULT_YEARS)
        met = np.stack([respiration >= 22, consciousness == 1, systolic <= 100])
    missing = np.isnan(np.stack([respiration, consciousness, systolic])) | ~applicable
    points = np.where(missing, MISSING, met).astype(np.int8)
    known = (~missing).sum(axis=0)
    at_least = (points == 1).sum(axis=0).astype(np.int8)
    value = np.where(known >= PARTS_MIN, at_least.astype(np.float64), np.nan)
    return Qsofa(points, at_least, value, known == len(PARTS), applicable)


def shock_index(inputs: Inputs) -> Floats:
    """Heart rate over systolic pressure (n,); NaN where either is missing, or under 16 years (other normal ranges)."""
    rate = pick(inputs, "heart_rate", "pulse_rate")[0]
    systolic = pick(inputs, "systolic_pressure_arterial", "systolic_pressure")[0]
    with np.errstate(invalid="ignore", divide="ignore"):
        usable = (systolic > 0) & ~(inputs.years < SHOCK_INDEX_AGE_MIN_YEARS)
        return np.where(usable, rate / systolic, np.nan)

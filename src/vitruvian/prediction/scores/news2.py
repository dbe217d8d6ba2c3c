"""NEWS2, the National Early Warning Score 2.

Source: Royal College of Physicians. National Early Warning Score (NEWS) 2: Standardising the assessment of
acute-illness severity in the NHS. Updated report of a working party. London: RCP, 2017. Chart 1 (the scoring
system) and chart 2 (thresholds and triggers). Not for use under 16 years or in pregnancy (same report).

The chart is written in whole numbers (temperature in tenths): a value is rounded half up to the chart's precision
first. A missing part adds nothing: the aggregate is then a lower bound, `exact` is false, and below `PARTS_MIN`
known parts no value is given at all (the lower bound and the single red part remain, since what is known is already
true).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vitruvian.prediction.scores.inputs import MISSING, Bools, Floats, Inputs, Points, altered, on_oxygen, pick

VERSION: Final = "RCP-2017"
PARTS: Final[tuple[str, ...]] = (
    "respiration",
    "oxygen_saturation",
    "oxygen",
    "systolic_pressure",
    "pulse",
    "consciousness",
    "temperature",
)
PARTS_MIN: Final = 4  # fewer known parts than this: no value
AGE_MIN_YEARS: Final = 16

BANDS: Final[tuple[str, ...]] = ("none", "low", "low-medium", "medium", "high")
BAND_NONE, BAND_LOW, BAND_LOW_MEDIUM, BAND_MEDIUM, BAND_HIGH = range(5)

# Upper limits of every band but the last (inclusive), and the points of each band.
_RESPIRATION = (np.array([8.0, 11, 20, 24]), np.array([3, 1, 0, 2, 3], np.int8))
_SATURATION_1 = (np.array([91.0, 93, 95]), np.array([3, 2, 1, 0], np.int8))
_SATURATION_2_AIR = (np.array([83.0, 85, 87]), np.array([3, 2, 1, 0], np.int8))
_SATURATION_2_OXYGEN = (np.array([83.0, 85, 87, 92, 94, 96]), np.array([3, 2, 1, 0, 1, 2, 3], np.int8))
_SYSTOLIC = (np.array([90.0, 100, 110, 219]), np.array([3, 2, 1, 0, 3], np.int8))
_PULSE = (np.array([40.0, 50, 90, 110, 130]), np.array([3, 1, 0, 1, 2, 3], np.int8))
_TEMPERATURE_TENTHS = (np.array([350.0, 360, 380, 390]), np.array([3, 1, 0, 1, 2], np.int8))


@dataclass(frozen=True, slots=True)
class News2:
    """NEWS2 of n patients, in columns.

    `points` (7, n): of each of `PARTS`, -1 where missing. `at_least` (n,): the sum of the known points. `value`
    (n,): the same, NaN where not applicable or fewer than `PARTS_MIN` parts are known. `exact` (n,): all seven
    known. `red` (n,): one part alone scores 3. `band` (n,): index into `BANDS` of what is known, -1 where nothing
    is or not applicable. `scale_2` (n,): SpO2 scale 2 was prescribed. `applicable` (n,): not under 16 and not
    pregnant.
    """

    points: Points
    at_least: Points
    value: Floats
    exact: Bools
    red: Bools
    band: Points
    scale_2: Bools
    applicable: Bools


def news2(inputs: Inputs) -> News2:
    """NEWS2 of every patient; pure. Where it is not applicable, every part is missing and nothing is issued."""
    with np.errstate(invalid="ignore"):
        applicable = ~((inputs.years < AGE_MIN_YEARS) | (inputs.of("pregnancy") > 0))
        scale_2 = inputs.of("spo2_scale_2") == 1
    points = np.empty((len(PARTS), len(inputs)), np.int8)
    oxygen = on_oxygen(inputs)
    points[0] = _banded(inputs.of("respiratory_rate"), _RESPIRATION)
    points[1] = _saturation(inputs.of("oxygen_saturation"), scale_2, oxygen)
    points[2] = np.where(np.isnan(oxygen), MISSING, np.where(oxygen == 1, 2, 0))
    points[3] = _banded(pick(inputs, "systolic_pressure_arterial", "systolic_pressure")[0], _SYSTOLIC)
    points[4] = _banded(pick(inputs, "heart_rate", "pulse_rate")[0], _PULSE)
    consciousness = altered(inputs)
    points[5] = np.where(np.isnan(consciousness), MISSING, np.where(consciousness == 1, 3, 0))
    points[6] = _banded(inputs.of("body_temperature") * 10, _TEMPERATURE_TENTHS)
    points[:, ~applicable] = MISSING
    return _aggregate(points, scale_2, applicable)


def _banded(value: Floats, table: tuple[Floats, Points]) -> Points:
    limits, points = table
    # The small addition undoes binary fractions such as 38.05 * 10 = 380.49999; it is far below any chart's
    # precision.
    band = np.searchsorted(limits, np.floor(value + 0.5 + 1e-9), side="left")
    scored: Points = np.where(np.isnan(value), np.int8(MISSING), points[np.minimum(band, len(points) - 1)])
    return scored


def _saturation(value: Floats, scale_2: Bools, oxygen: Floats) -> Points:
    scale_1 = _banded(value, _SATURATION_1)
    if not scale_2.any():
        return scale_1
    # With oxygen unknown the points of scale 2 above 92 % are those on air: the lower bound.
    second = np.where(oxygen == 1, _banded(value, _SATURATION_2_OXYGEN), _banded(value, _SATURATION_2_AIR))
    return np.where(scale_2, second, scale_1).astype(np.int8)


def _aggregate(points: Points, scale_2: Bools, applicable: Bools) -> News2:
    known = (points != MISSING).sum(axis=0)
    at_least = np.where(points > 0, points, 0).sum(axis=0).astype(np.int8)
    red = (points == 3).any(axis=0)
    band = np.select(
        [known == 0, at_least >= 7, at_least >= 5, red, at_least >= 1],
        [MISSING, BAND_HIGH, BAND_MEDIUM, BAND_LOW_MEDIUM, BAND_LOW],
        BAND_NONE,
    ).astype(np.int8)
    value = np.where(applicable & (known >= PARTS_MIN), at_least.astype(np.float64), np.nan)
    return News2(points, at_least, value, known == len(PARTS), red, band, scale_2, applicable)

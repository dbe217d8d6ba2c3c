"""Partial SOFA: the Sequential Organ Failure Assessment of what is known now.

Source: Vincent JL et al. The SOFA (Sepsis-related Organ Failure Assessment) score to describe organ
dysfunction/failure. Intensive Care Med 1996;22:707-710, table 3. Newest valid values are used, not the worst of a
day, so this is a *current* SOFA; a missing organ adds nothing and the sum is then a lower bound.

Respiration where there is no arterial gas: PaO2 estimated from SpO2 by the inverted oxygen dissociation curve (Ellis
RK. J Appl Physiol 1989;67:902, of Severinghaus JW. J Appl Physiol 1979;46:599-602; for P/F: Brown SM et al. Chest
2016;150:307-313), flagged in `respiration_substituted`. The linear relation of Rice et al. (Chest 2007;132:410-417)
was fitted in ventilated patients and goes wrong on room air, where 85 % would be a P/F above 400 and no points. The
curve is flat above an SpO2 of 97 %: there only a P/F that is at least 400 even at 97 % gives points (none), else the
part is missing. The 3 and 4 points of respiration need respiratory support: without known support they are 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from vitruvian.prediction.scores.inputs import MISSING, Bools, Floats, Inputs, Points, glasgow, on_oxygen, pick

VERSION: Final = "Vincent-1996-current-2"  # 2: SpO2 by the dissociation curve, GCS by the fresher of total and sum
PARTS: Final[tuple[str, ...]] = ("respiration", "coagulation", "liver", "cardiovascular", "nervous_system", "renal")
PARTS_MIN: Final = 2  # fewer known organs than this: no value
ADULT_YEARS: Final = 18
_AIR = 0.21
_SPO2_MAX = 97.0  # above this the dissociation curve is flat and SpO2 says nothing of PaO2


@dataclass(frozen=True, slots=True)
class Sofa:
    """SOFA of n patients: `points` (6, n), -1 missing; `at_least`, `value` (NaN under 2 known organs), `exact`,
    `applicable`.

    `respiration_substituted` (n,): the respiratory points rest on SpO2, not on an arterial gas.
    """

    points: Points
    at_least: Points
    value: Floats
    exact: Bools
    respiration_substituted: Bools
    applicable: Bools


def sofa(inputs: Inputs) -> Sofa:
    """Partial SOFA of every patient; pure. Not applicable under 18 years (validated in adults)."""
    with np.errstate(invalid="ignore"):
        applicable = ~(inputs.years < ADULT_YEARS)
    points = np.empty((len(PARTS), len(inputs)), np.int8)
    points[0], substituted = _respiration(inputs)
    points[1] = _rising(-inputs.of("platelets"), (-150, -100, -50, -20), above=True)
    points[2] = _rising(inputs.of("bilirubin_total"), (1.2, 2.0, 6.0, 12.0))
    points[3] = _cardiovascular(inputs)
    points[4] = _rising(-glasgow(inputs)[0], (-14, -12, -9, -5))
    points[5] = _renal(inputs)
    points[:, ~applicable] = MISSING
    known = (points != MISSING).sum(axis=0)
    at_least = np.where(points > 0, points, 0).sum(axis=0).astype(np.int8)
    value = np.where(known >= PARTS_MIN, at_least.astype(np.float64), np.nan)
    return Sofa(points, at_least, value, known == len(PARTS), substituted & (points[0] != MISSING), applicable)


def _rising(value: Floats, limits: tuple[float, ...], *, above: bool = False) -> Points:
    """Points 0 to 4: how many limits the value has reached (passed, with `above`); missing where NaN."""
    reached = np.searchsorted(np.array(limits), value, side="left" if above else "right")
    return np.where(np.isnan(value), MISSING, reached).astype(np.int8)


def _respiration(inputs: Inputs) -> tuple[Points, Bools]:
    fraction = inputs.of("inspired_oxygen_fraction")
    fraction = np.where(np.isnan(fraction) & (on_oxygen(inputs) == 0), _AIR, fraction)
    saturation = inputs.of("oxygen_saturation")
    with np.errstate(invalid="ignore", divide="ignore"):
        measured = inputs.of("arterial_oxygen") / fraction
        estimated = oxygen_pressure(np.minimum(saturation, _SPO2_MAX)) / fraction
        estimated = np.where((saturation > _SPO2_MAX) & (estimated < 400), np.nan, estimated)
        supported = inputs.of("mechanical_ventilation") > 0
    substituted = np.isnan(measured) & ~np.isnan(estimated)
    ratio = np.where(substituted, estimated, measured)
    points = _rising(-ratio, (-400, -300, -200, -100), above=True)
    return np.where(supported, points, np.minimum(points, 2)).astype(np.int8), substituted


def oxygen_pressure(saturation: Floats) -> Floats:
    """PaO2 (n,) in mm[Hg] at which hemoglobin is saturated to so many per cent (n,): Ellis 1989, at pH 7.40 and 37 Cel.

    Fever and acidosis shift the curve to the right, so that the true PaO2 is then higher than this.
    """
    term = 11_700.0 / (100.0 / saturation - 1.0)
    root = np.sqrt(50.0**3 + term**2)
    pressure: Floats = np.cbrt(term + root) + np.cbrt(term - root)
    return pressure


def mean_pressure(inputs: Inputs) -> Floats:
    """Mean arterial pressure (n,) in mm[Hg]: measured, else (systolic + 2 diastolic) / 3 of one method."""
    measured = pick(inputs, "mean_pressure_arterial", "mean_pressure")[0]
    line = (inputs.of("systolic_pressure_arterial") + 2 * inputs.of("diastolic_pressure_arterial")) / 3
    cuff = (inputs.of("systolic_pressure") + 2 * inputs.of("diastolic_pressure")) / 3
    return np.where(np.isnan(measured), np.where(np.isnan(line), cuff, line), measured)


def _cardiovascular(inputs: Inputs) -> Points:
    """Catecholamine rates in ug/kg/min; other vasopressors are not in the 1996 table and add nothing."""
    pressure = mean_pressure(inputs)
    norepinephrine, epinephrine = inputs.of("norepinephrine"), inputs.of("epinephrine")
    dopamine, dobutamine = inputs.of("dopamine"), inputs.of("dobutamine")
    with np.errstate(invalid="ignore"):
        four = (dopamine > 15) | (epinephrine > 0.1) | (norepinephrine > 0.1)
        three = (dopamine > 5) | (epinephrine > 0) | (norepinephrine > 0)
        two = (dopamine > 0) | (dobutamine > 0)
        one = pressure < 70
    points: Points = np.zeros(len(inputs), np.int8)
    points[:] = np.select([four, three, two, one, ~np.isnan(pressure)], [4, 3, 2, 1, 0], MISSING)
    return points


def _renal(inputs: Inputs) -> Points:
    by_creatinine = _rising(inputs.of("creatinine"), (1.2, 2.0, 3.5, 5.0))
    urine = inputs.urine_24h_ml
    with np.errstate(invalid="ignore"):
        by_urine = np.select([np.isnan(urine), urine < 200, urine < 500], [MISSING, 4, 3], 0)
    worse: Points = np.maximum(by_creatinine, by_urine).astype(np.int8)
    return worse

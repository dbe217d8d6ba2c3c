"""Hybrid features: what a body's equations make of the numbers at hand, in closed form, the same in batch and stream.

Each is a quantity that a clinician knows, with its source beside it. They hold no information beyond their inputs;
what they may give a model is the right combination, which need not be learned anew in each hospital. Levels that need a
calibration nobody has made (cardiac output by the pulse) are scaled to a reference adult: only their differences
between patients and hours are meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.physiology.kidney.tools import ckd_epi_2021, kinetic_gfr
from vitruvian.physiology.respiration.blood import HUFNER_ML_G
from vitruvian.prediction.inputs.gas import DISSOLVED_ML_DL_MMHG, GAS, gas_exchange, oxygen_of_saturation
from vitruvian.signals.concepts import LABS
from vitruvian.signals.kernels import HOUR_US, NEVER_US

__all__ = ["HYBRID", "INPUTS", "hybrid"]

Column = NDArray[np.float64]
Get = Callable[[str], Column]

STROKE_ML: Final = 350.0  # scales Liljestrand and Zander's index: 120/80 mmHg give 70 mL
VENOUS_MMHG: Final = 5.0  # central venous pressure where none is measured (assumption)
CREATININE_RISE_MG_DL_DAY: Final = 1.5  # without filtration (Chen 2013)
KINETIC_HOURS: Final = (2.0, 72.0)  # two results nearer than that are noise, farther apart another illness
USUAL_CO2_MMHG: Final = 40.0
RESTING_OXYGEN_ML_MIN: Final = 250.0

_VITALS: Final = ("heart_rate", "systolic_pressure", "diastolic_pressure", "mean_pressure")
INPUTS: Final[tuple[str, ...]] = (
    *_VITALS, *(f"{name}_mean_24h" for name in _VITALS), "respiratory_rate", "oxygen_saturation", "body_temperature",
    "inspired_oxygen_fraction", "end_tidal_co2", "base_excess", "bicarbonate", "ph", "arterial_co2",
    "oxygen_saturation_arterial", "urea_nitrogen", "calcium", "chloride", "creatinine", "glucose", "lactate",
    "magnesium", "phosphate", "potassium", "hemoglobin", "sodium", "albumin", "arterial_oxygen", "age_years", "male",
)  # fmt: skip


def _output(rate: Column, systolic: Column, diastolic: Column) -> Column:
    """Cardiac output, L/min, by Liljestrand and Zander 1928: the best of eleven pulse estimates (Sun 2009)."""
    return rate * STROKE_ML * (systolic - diastolic) / (systolic + diastolic) / 1000.0


def _saturation(get: Get) -> Column:
    gas = get("oxygen_saturation_arterial")
    return np.where(np.isnan(gas), get("oxygen_saturation"), gas)


def _content(get: Get) -> Column:
    """Oxygen of arterial blood, mL/dL; what is dissolved is left out where no pressure was measured."""
    dissolved = DISSOLVED_ML_DL_MMHG * np.nan_to_num(get("arterial_oxygen"))
    return HUFNER_ML_G * get("hemoglobin") * _saturation(get) / 100.0 + dissolved


def _gap(get: Get) -> Column:
    """Anion gap, mmol/L, at an albumin of 4 g/dL (Figge 1998), uncorrected where albumin is not known."""
    return get("sodium") - get("chloride") - get("bicarbonate") + 2.5 * (4.0 - _or(get("albumin"), 4.0))


def _strong(get: Get) -> Column:
    """Apparent strong ion difference, mmol/L (Figge 1991); ions that are not known at their usual level."""
    # mEq/L: just under half of calcium is ionised and counts twice; so is two thirds of magnesium.
    calcium, magnesium = 0.475 * 0.5 * _or(get("calcium"), 8.8), 0.411 * 0.67 * _or(get("magnesium"), 2.0)
    cations = get("sodium") + _or(get("potassium"), 4.1) + calcium + 2.0 * magnesium
    return cations - get("chloride") - _or(get("lactate"), 1.2)


def _effective(get: Get) -> Column:
    """What bicarbonate, albumin and phosphate make of it (Figge 1992)."""
    ph = _or(get("ph"), 7.4)
    albumin = 10.0 * _or(get("albumin"), 4.0) * (0.123 * ph - 0.631)
    return get("bicarbonate") + albumin + 0.323 * _or(get("phosphate"), 3.5) * (0.309 * ph - 0.469)


def _or(column: Column, usual: float) -> Column:
    return np.where(np.isnan(column), usual, column)


def _estimated(creatinine: Column, age: Column, male: Column) -> Column:
    """Filtration, mL/min/1.73 m2, by CKD-EPI 2021; NaN where the sex is not known."""
    men, women = (ckd_epi_2021(creatinine, age, sex) for sex in ("male", "female"))
    made: Column = np.where(male == 1, men, np.where(male == 0, women, np.nan))
    return made


# In this order: a rule may use the ones before it.
_RULES: Final[dict[str, Callable[[Get], Column]]] = {
    "cardiac_output_estimate": lambda get: _output(
        get("heart_rate"), get("systolic_pressure"), get("diastolic_pressure")
    ),
    "stroke_volume_estimate": lambda get: 1000.0 * get("cardiac_output_estimate") / get("heart_rate"),
    "resistance_estimate": lambda get: (get("mean_pressure") - VENOUS_MMHG) / get("cardiac_output_estimate"),
    "compliance_estimate": lambda get: (
        get("stroke_volume_estimate") / (get("systolic_pressure") - get("diastolic_pressure"))
    ),
    # Cardiac power, W (Fincke 2004 J Am Coll Cardiol 44:340).
    "cardiac_power_estimate": lambda get: get("mean_pressure") * get("cardiac_output_estimate") / 451.0,
    # Each beside the patient's own day: what a change of tone or of output looks like.
    "output_beside_day": lambda get: np.log(
        get("cardiac_output_estimate") / _output(*(get(f"{name}_mean_24h") for name in _VITALS[:3]))
    ),
    "resistance_beside_day": lambda get: (
        np.log((get("mean_pressure") - VENOUS_MMHG) / (get("mean_pressure_mean_24h") - VENOUS_MMHG))
        - get("output_beside_day")
    ),
    # Where the mean lies within the pulse: a third, more where vessels are stiff or the pulse is damped.
    "pulse_form": lambda get: (
        (get("mean_pressure") - get("diastolic_pressure")) / (get("systolic_pressure") - get("diastolic_pressure"))
    ),
    "pulse_share": lambda get: (get("systolic_pressure") - get("diastolic_pressure")) / get("systolic_pressure"),
    "diastolic_shock_index": lambda get: get("heart_rate") / get("diastolic_pressure"),  # Ospina-Tascon 2020
    "age_shock_index": lambda get: get("age_years") * get("heart_rate") / get("systolic_pressure"),  # Zarzaur 2008
    "rate_pressure_product": lambda get: get("heart_rate") * get("systolic_pressure") / 1000.0,
    "respiratory_shock_index": lambda get: (
        get("respiratory_rate") * get("heart_rate") / get("systolic_pressure")
    ),  # breathing and shock index together, as quick SOFA has them
    "oxygen_content": _content,
    "oxygen_delivery_estimate": lambda get: 10.0 * get("oxygen_content") * get("cardiac_output_estimate"),
    # Resting consumption, a tenth more for each degree, over what is delivered.
    "extraction_estimate": lambda get: (
        RESTING_OXYGEN_ML_MIN * 1.1 ** (_or(get("body_temperature"), 37.0) - 37.0) / get("oxygen_delivery_estimate")
    ),
    "oxygen_by_pulse": lambda get: oxygen_of_saturation(get("oxygen_saturation")),
    "gradient_by_pulse": lambda get: (
        get("inspired_oxygen_fraction") * 713.0
        - _or(get("arterial_co2"), USUAL_CO2_MMHG) / 0.8
        - get("oxygen_by_pulse")
    ),
    "ventilation_demand": lambda get: get("respiratory_rate") * _or(get("arterial_co2"), USUAL_CO2_MMHG) / 40.0,
    "dead_space_estimate": lambda get: 1.0 - get("end_tidal_co2") / get("arterial_co2"),  # Enghoff 1938, end-tidal
    "filtration_estimate": lambda get: _estimated(get("creatinine"), get("age_years"), get("male")),
    "anion_gap": _gap,
    "gap_beyond_lactate": lambda get: get("anion_gap") - get("lactate"),
    "sodium_chloride_difference": lambda get: get("sodium") - get("chloride"),
    "strong_ion_difference": _strong,
    "strong_ion_gap": lambda get: get("strong_ion_difference") - _effective(get),
    "co2_beyond_winters": lambda get: get("arterial_co2") - (1.5 * get("bicarbonate") + 8.0),  # Albert 1967
    # Base excess by Van Slyke's equation in plasma (Siggaard-Andersen 1977), where the analyser gave none.
    "base_excess_estimate": lambda get: np.where(
        np.isnan(get("base_excess")),
        0.93 * (get("bicarbonate") - 24.4 + 14.8 * (get("ph") - 7.4)),
        get("base_excess"),
    ),
    "osmolality": lambda get: 2.0 * get("sodium") + get("glucose") / 18.0 + get("urea_nitrogen") / 2.8,
    "tonicity": lambda get: 2.0 * get("sodium") + get("glucose") / 18.0,
    "calcium_corrected": lambda get: get("calcium") + 0.8 * (4.0 - get("albumin")),  # Payne 1973
}
_KINETIC: Final = ("kinetic_filtration", "kinetic_over_filtration")
HYBRID: Final[tuple[str, ...]] = (*_RULES, *GAS, *_KINETIC)
_CREATININE: Final = LABS.index("creatinine")


def hybrid(tracker: Any, rows: NDArray[np.int64], index: int, others: Callable[[Sequence[str]], Any]) -> Any:
    """`HYBRID` of `rows` (n,) of a tracker: (n, F) f4, NaN where an input is missing and has no usual level.

    `index` is the vocabulary's number of creatinine, whose two last results the kinetic filtration needs (Chen 2013);
    `others(names)` gives columns of `INPUTS`, (n, len(names)).
    """
    given = np.asarray(others(INPUTS), np.float64)
    table = {name: given[:, place] for place, name in enumerate(INPUTS)}
    out = np.full((rows.size, len(HYBRID)), np.nan, np.float32)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for name, rule in _RULES.items():
            made = rule(table.__getitem__)
            table[name] = np.where(np.isfinite(made), made, np.nan)
        columns = [table[name] for name in _RULES]
        gas = [
            table[name]
            for name in (
                "inspired_oxygen_fraction", "arterial_oxygen", "arterial_co2", "base_excess_estimate", "hemoglobin",
                "body_temperature", "age_years",
            )
        ]  # fmt: skip
        columns += list(gas_exchange(*gas).T)
        columns += list(_kinetic(tracker, rows, index, table).T)
        out[:] = np.column_stack(columns)
    out[~np.isfinite(out)] = np.nan
    return out


def _kinetic(tracker: Any, rows: NDArray[np.int64], index: int, table: Mapping[str, Column]) -> Column:
    """Filtration while creatinine moves from its result before to its last, taking the one before as steady; and its
    ratio to what the last result alone says. (n, 2), NaN without two results in a fit distance.
    """
    before = tracker.previous_value[rows, _CREATININE].astype(np.float64)
    then, last = tracker.previous_us[rows, _CREATININE], tracker.last_us[rows, index]
    known = (then != NEVER_US) & (last != NEVER_US)
    hours = np.where(known, (np.where(known, last, 0) - np.where(known, then, 0)) / HOUR_US, np.nan)
    hours = np.where((hours >= KINETIC_HOURS[0]) & (hours <= KINETIC_HOURS[1]), hours, np.nan)
    made = kinetic_gfr(
        before,
        table["creatinine"],
        hours,
        baseline_creatinine=before,
        baseline_gfr=_estimated(before, table["age_years"], table["male"]),
        largest_rise_per_day=CREATININE_RISE_MG_DL_DAY,
    )
    return np.column_stack([made, made / table["filtration_estimate"]])

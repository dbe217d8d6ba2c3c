"""What the two forms of the circulation declare: parameters with sources, states, inputs, couplings, outputs.

Both forms share `COMMON`, at the same places, so that a value means the same in either. `BEATS_ONLY` are the valves and
atria that only the pulsating form sees; `SHAPE` are the constants by which the cycle-averaged form follows it, fitted
to it by `benchmarks/circulation_fit.py` and to nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from vitruvian.physiology.base import Export, Import, Input, Output, Parameter, State
from vitruvian.physiology.person import REFERENCE, Person

__all__ = ["BEATS_ONLY", "COMMON", "EXPORTS", "IMPORTS", "INPUTS", "OUTPUTS", "SHAPE", "domain", "personalise"]

STANDARD: Final = "standard male of Pulse's validation"
URSINO: Final = "Ursino 1998, Am J Physiol 275:H1733"
FITTED: Final = "fitted so that the reference man shows the table of Pulse's standard male; "
TO_CLASSES: Final = "fitted to the table of haemorrhage classes I to IV; "
TO_BEATS: Final = "fitted to the beat-resolved form (benchmarks/circulation_fit.py)"
R: Final = "mm[Hg].s/mL"
C: Final = "mL/mm[Hg]"
E: Final = "mm[Hg]/mL"


def positions(*groups: Sequence[Any]) -> dict[str, int]:
    """Where each of some declarations stands, by name."""
    return {one.name: i for i, one in enumerate(one for group in groups for one in group)}


def _one(
    name: str,
    value: float,
    unit: str,
    low: float,
    high: float,
    source: str,
    about: str = "",
    spread: float = 0.0,
    estimated: bool = False,
) -> Parameter:
    return Parameter(name, value, unit, low, high, source, about, spread, "log", estimated)


COMMON: Final = (
    _one("heart_rate_rest", 72.0, "/min", 30, 200, STANDARD, "at the set pressure", 0.12, True),
    _one("set_pressure", 91.2, "mm[Hg]", 40, 160, FITTED + "Ursino: 92", "the baroreflex rests there", 0.08, True),
    _one("systemic_resistance", 0.901, R, 0.1, 6, FITTED + "Ursino's beds in parallel: 1.05", "at rest", 0.15, True),
    _one("venous_resistance", 0.0277, R, 0.001, 0.5, FITTED + "Ursino: 0.011, without the great veins", "", 0.1),
    _one("pulmonary_resistance", 0.058, R, 0.005, 2, FITTED + "Ursino: 0.118", "", 0.2),
    _one("pulmonary_venous_resistance", 0.0056, R, 0.0005, 0.5, f"{URSINO}, table 1"),
    _one("arterial_compliance", 2.035, C, 0.2, 8, FITTED + "Segers 2007, Hypertension 49:1248", "", 0.2, True),
    _one("venous_compliance", 70.0, C, 10, 500, "Maas 2012, Anesth Analg 115:880: 1 mL/mmHg/kg; Ursino: 111", "", 0.1),
    _one("pulmonary_arterial_compliance", 4.5, C, 0.3, 30, "Lankhaar 2006, Am J Physiol 291:H1731: 3 to 6", "", 0.2),
    _one("pulmonary_venous_compliance", 25.37, C, 3, 120, f"{URSINO}, table 1", "", 0.1),
    _one("right_atrial_compliance", 31.25, C, 3, 150, f"{URSINO}, table 2"),
    _one("left_atrial_compliance", 19.23, C, 3, 100, f"{URSINO}, table 2"),
    _one("left_elastance", 2.437, E, 0.2, 15, FITTED + "Ursino: 2.95", "end-systolic, at rest", 0.2, True),
    _one("left_dead_volume", 16.77, "mL", 0, 100, f"{URSINO}, table 2", "at which the ventricle bears no pressure"),
    _one("left_stiffness", 0.0153, "/mL", 0.001, 0.1, f"{URSINO}, table 2", "of the diastolic curve", 0.05),
    _one("left_diastolic_pressure", 1.5, "mm[Hg]", 0.1, 10, f"{URSINO}, table 2", "of the diastolic curve"),
    _one("right_elastance", 0.434, E, 0.05, 5, FITTED + "Ursino: 1.75 at a smaller ventricle", "", 0.2),
    _one("right_dead_volume", 40.8, "mL", 0, 150, f"{URSINO}, table 2"),
    _one("right_stiffness", 0.0073, "/mL", 0.001, 0.1, FITTED + "Ursino: 0.011", "", 0.05),
    _one("right_diastolic_pressure", 1.5, "mm[Hg]", 0.1, 10, f"{URSINO}, table 2"),
    _one("systole_base", 0.5, "s", 0.1, 1, f"{URSINO}, equation 15", "systole lasts base - slope / period"),
    _one("systole_slope", 0.075, "s2", 0, 0.3, f"{URSINO}, equation 15"),
    _one("stressed_volume", 1_384.0, "mL", 100, 8_000, FITTED + "about 30 % of the blood", "at rest", 0.08, True),
    _one("unstressed_volume", 4_290.0, "mL", 50, 14_000, "5,674 mL of the standard male less the stressed volume"),
    _one("baroreflex_gain", 1.0, "1", 0, 3, f"{URSINO}; spread: La Rovere 1998, Lancet 351:478", "", 0.3, True),
    _one("gain_resistance", 0.29, "1", 0, 2, TO_CLASSES + "Ursino's beds by conductance: 0.33"),
    _one("gain_contractility", 0.161, "1", 0, 1, f"{URSINO}, table 3: 0.475 of 2.95, 0.282 of 1.75"),
    _one("gain_capacity", 215.0, "mL", 0, 3_000, TO_CLASSES + "Ursino: 398, with no low-pressure reflex"),
    _one("gain_period_sympathetic", 0.156, "1", 0, 1, f"{URSINO}, table 3: 0.13 of 0.833 s"),
    _one("gain_period_vagal", 0.108, "s", 0, 1, f"{URSINO}, table 3: 0.09 s2 of 0.833 s", "per impulse a second"),
    _one("low_pressure_capacity", 579.0, "mL", 0, 4_000, TO_CLASSES + "Rothe 1983, Physiol Rev 63:1281: 10 mL/kg",
         "unstressed volume that the low-pressure reflex can give up"),
    _one("low_pressure_range", 0.3, "mm[Hg]", 0.1, 10, TO_CLASSES + "assumption",
         "fall of right atrial pressure that calls half of it"),
    _one("low_pressure_set", 4.0, "mm[Hg]", -2, 20, "right atrial pressure of the standard male", "at rest"),
    _one("coronary_half_pressure", 32.0, "mm[Hg]", 5, 80, "assumption: the heart fails below the limit of coronary "
         "autoregulation, 40 mmHg (Canty 1988, Circ Res 63:821)", "mean pressure that halves contractility"),
    _one("gain_hypoxia", 0.7, "1", 0, 10, "assumption: heart rate rises by 20 to 30 /min at 40 mmHg of oxygen "
         "(Ursino, Magosso 2000, Am J Physiol 279:H149)", "of arterial oxygen on sympathetic outflow"),
    _one("gain_hypercapnia", 0.01, "/mm[Hg]", 0, 0.1, "assumption: a slight rise of pressure with carbon dioxide"),
    _one("ischaemic_pressure", 76.0, "mm[Hg]", 20, 100, "Guyton and Hall, chapter 18: chemoreceptors below 80, brain "
         "below 60 mmHg", "below which want of flow drives the sympathetic nerves"),
    _one("gain_ischaemia", 16.0, "1", 0, 20, TO_CLASSES + "assumption"),
    Parameter("intrathoracic_rest", -4.0, "mm[Hg]", -15, 15, "Albanese 2016, Am J Physiol 310:H899", scale="plain"),
    _one("tone_capacity", 1_000.0, "mL", 0, 5_000, "assumption: of the order of the reflex's own reserve",
         "unstressed volume given up when venous_tone_factor rises by 1"),
    _one("pooling_volume", 1_000.0, "mL", 0, 3_000, "Smith 1994, J Clin Pharmacol 34:375: 0.5 to 1 L"),
    _one("carotid_height", 9.0, "mm[Hg]", 0, 40, "assumption: half the column of 25 cm to the carotid"),
    _one("rest_oxygen_uptake", 255.0, "mL/min", 5, 1_000, "3.3 mL/kg/min"),
    _one("heart_rate_max", 177.2, "/min", 60, 260, "Tanaka 2001, J Am Coll Cardiol 37:153: 208 - 0.7 age"),
    _one("dilation_by_demand", 0.2, "1", 0, 2, "assumption: cardiac output rises by 5 to 6 L for each L/min of oxygen "
         "(Astrand 1964, J Appl Physiol 19:268)"),
    _one("rate_by_demand", 0.1, "1", 0, 1, "assumption: heart rate nears its maximum near the largest oxygen uptake"),
    _one("contractility_by_demand", 0.25, "1", 0, 1, "assumption, as above"),
    _one("capillary_share", 0.15, "1", 0.01, 1, "capillary pressure 17 mmHg, Guyton and Hall, chapter 16",
         "resistance after the capillaries over that before"),
    _one("body_surface", REFERENCE.bsa_m2, "m2", 0.1, 5, "Du Bois 1916"),
)  # fmt: skip

BEATS_ONLY: Final = (
    _one("characteristic_impedance", 0.03, R, 0, 0.3, "Segers 2007, Hypertension 49:1248"),
    _one("left_source_resistance", 3.75e-4, "s/mL", 0, 5e-3, f"{URSINO}, table 2: of isometric pressure"),
    _one("right_source_resistance", 1.4e-3, "s/mL", 0, 1e-2, f"{URSINO}, table 2"),
    _one("aortic_valve_resistance", 0.008, R, 0.001, 1, "assumption: a few mmHg at peak flow"),
    _one(
        "mitral_valve_resistance", 0.005, R, 0.0005, 1, f"{URSINO}, table 2: 0.0025, doubled: no inertia opposes flow"
    ),
    _one("pulmonary_valve_resistance", 0.008, R, 0.001, 1, "assumption: as the aortic valve"),
    _one("tricuspid_valve_resistance", 0.005, R, 0.0005, 1, f"{URSINO}, table 2: 0.0025, doubled"),
    _one("left_atrial_elastance", 0.12, E, 0.03, 2, FITTED + "0.61 in Heldt 2004, thesis, MIT"),
    _one("right_atrial_elastance", 0.07, E, 0.02, 2, FITTED + "0.74 in Heldt 2004, thesis, MIT"),
    _one("left_atrial_dead_volume", 25.0, "mL", 0, 100, f"{URSINO}, table 2"),
    _one("right_atrial_dead_volume", 25.0, "mL", 0, 100, f"{URSINO}, table 2"),
    _one("atrial_systole", 0.17, "s", 0.05, 0.4, "Heldt 2004, thesis, MIT: a fifth of the beat"),
)

INPUTS: Final = (
    Input("pacing_rate", "/min", 0.0, 0.0, 220.0, "0: none; otherwise the heart beats at least this often"),
    Input("tilt", "1", 0.0, 0.0, 1.0, "head up: sine of the angle"),
    Input("exercise", "W", 0.0, 0.0, 400.0, "work on a bicycle"),
)

IMPORTS: Final = (
    Import("blood_volume_flow", "mL/s", 0.0, "into the vessels"),
    Import("intrathoracic_pressure", "mm[Hg]", -4.0, "mean over breaths"),
    Import("arterial_oxygen_pressure", "mm[Hg]", 95.0),
    Import("arterial_co2_pressure", "mm[Hg]", 40.0),
    Import("resistance_factor", "1", 1.0),
    Import("contractility_factor", "1", 1.0),
    Import("heart_rate_factor", "1", 1.0),
    Import("venous_tone_factor", "1", 1.0, "above 1: veins hold less"),
    Import("pulmonary_resistance_factor", "1", 1.0),
    Import("metabolic_demand", "1", 1.0, "oxygen wanted against rest, besides exercise"),
)

EXPORTS: Final = (
    Export("cardiac_output", "mL/s"),
    Export("arterial_pressure", "mm[Hg]", "mean"),
    Export("right_atrial_pressure", "mm[Hg]"),
    Export("capillary_pressure", "mm[Hg]"),
    Export("circulating_volume", "mL"),
    Export("pulmonary_blood_flow", "mL/s"),
)


def _state(name: str, unit: str, initial: float, about: str, tolerance: float = 1e-3, low: float = 0.0) -> State:
    return State(name, unit, initial, about, low=low, tolerance=tolerance)


# The nerves and vessels' tone, the same in both forms.
CONTROL_STATES: Final = (
    _state("sensed_pressure", "mm[Hg]", 88.0, "arterial pressure at the carotid sinus, as the afferent lags it"),
    _state("sensed_filling", "mm[Hg]", 4.0, "transmural right atrial pressure, lagged", 1e-4, -20.0),
    _state("flow", "mL/s", 93.0, "blood flow through the tissues, lagged"),
    _state("vagal", "1/s", 0.0, "vagal outflow to the sinus node less that at rest", 1e-5, -10.0),
    _state("sympathetic_rate", "1", 0.0, "sympathetic effect on the sinus node against rest", 1e-5, -10.0),
    _state(
        "sympathetic_tone", "1", 0.0, "sympathetic effect on resistance and contractility against rest", 1e-5, -10.0
    ),
    _state("capacity", "mL", 0.0, "unstressed volume given up by the veins", 1e-3, -5_000.0),
    _state("pooled", "mL", 0.0, "blood held in the lower body upright"),
    _state("demand", "1", 0.0, "oxygen wanted above rest, in units of rest, as vessels follow it", 1e-5, -1.0),
)

BEATS_STATES: Final = (
    *CONTROL_STATES,
    _state("left_ventricle", "mL", 130.0, "volume"),
    _state("left_atrium", "mL", 70.0, "volume"),
    _state("right_ventricle", "mL", 150.0, "volume"),
    _state("right_atrium", "mL", 110.0, "volume"),
    _state("systemic_arteries", "mL", 130.0, "stressed volume"),
    _state("systemic_veins", "mL", 4_600.0, "volume"),
    _state("pulmonary_arteries", "mL", 65.0, "stressed volume"),
    _state("pulmonary_veins", "mL", 200.0, "stressed volume"),
    _state("phase", "1", 0.0, "beats since the start; the fraction is where the beat stands", 1e-4),
)

MEAN_STATES: Final = (
    *CONTROL_STATES,
    _state("left_ventricle", "mL", 100.0, "mean volume"),
    _state("right_ventricle", "mL", 110.0, "mean volume"),
    _state("systemic_arteries", "mL", 140.0, "stressed volume"),
    _state("systemic_veins", "mL", 4_700.0, "volume with the right atrium"),
    _state("pulmonary", "mL", 430.0, "stressed volume of pulmonary vessels and left atrium"),
)

BEATS_OUTPUTS: Final = (
    Output("heart_rate", "/min"),
    Output("mean_pressure", "mm[Hg]", "lagged by the afferent; see beats.py for each beat"),
    Output("central_venous_pressure", "mm[Hg]", "lagged"),
    Output("cardiac_output", "L/min", "lagged"),
    Output("aortic_pressure", "mm[Hg]"),
    Output("left_ventricular_pressure", "mm[Hg]"),
    Output("left_atrial_pressure", "mm[Hg]"),
    Output("right_ventricular_pressure", "mm[Hg]"),
    Output("right_atrial_pressure", "mm[Hg]"),
    Output("pulmonary_artery_pressure", "mm[Hg]"),
    Output("left_ventricular_volume", "mL"),
    Output("right_ventricular_volume", "mL"),
    Output("aortic_flow", "mL/s"),
    Output("beat_phase", "1", "beats since the start"),
    Output("stressed_volume", "mL"),
    Output("baroreflex_activity", "1", "sympathetic outflow against rest"),
    Output("total_volume", "mL", "all blood in the circuit"),
)

OUTPUTS: Final = (
    Output("heart_rate", "/min"),
    Output("systolic_pressure", "mm[Hg]"),
    Output("diastolic_pressure", "mm[Hg]"),
    Output("mean_pressure", "mm[Hg]"),
    Output("central_venous_pressure", "mm[Hg]"),
    Output("pulmonary_artery_mean", "mm[Hg]"),
    Output("pulmonary_wedge_pressure", "mm[Hg]"),
    Output("cardiac_output", "L/min"),
    Output("cardiac_index", "L/min/m2"),
    Output("stroke_volume", "mL"),
    Output("ejection_fraction", "%"),
    Output("systemic_vascular_resistance", "dyn.s/cm5"),
    Output("pulmonary_vascular_resistance", "dyn.s/cm5"),
    Output("left_ventricular_elastance", "mm[Hg]/mL"),
    Output("stressed_volume", "mL"),
    Output("filling_pressure_systemic", "mm[Hg]"),
    Output("baroreflex_activity", "1", "sympathetic outflow against rest"),
    Output("total_volume", "mL", "all blood in the circuit"),
)

# Constants of the cycle-averaged form: see equations.py for what each does.
SHAPE: Final = tuple(
    _one(name, value, "1", low, high, TO_BEATS, about)
    for name, value, low, high, about in (
        (
            "left_afterload",
            1.2335,
            0.3,
            3.0,
            "end-systolic over mean arterial pressure, and peak over effective elastance",
        ),
        ("left_filling", 5.0902, 0.5, 30.0, "filling rate, in units of diastole's share of the beat"),
        ("left_kick", 1.4476, 0.5, 3.0, "end-diastolic over mean atrial pressure"),
        ("right_afterload", 1.7276, 0.3, 4.0, ""),
        ("right_filling", 5.4156, 0.5, 30.0, ""),
        ("right_kick", 0.9969, 0.5, 3.0, ""),
        ("pulse_height", 1.0339, 0.2, 2.0, "pulse pressure over stroke volume / compliance"),
        ("pulse_above", 0.5602, 0.3, 0.9, "share of the pulse that lies above the mean"),
    )
)


# --- people ------------------------------------------------------------------

_VOLUMES: Final = ("low_pressure_capacity", "gain_capacity", "tone_capacity", "pooling_volume")
_LARGER: Final = (
    "arterial_compliance", "venous_compliance", "pulmonary_arterial_compliance", "pulmonary_venous_compliance",
    "right_atrial_compliance", "left_atrial_compliance", "left_dead_volume", "right_dead_volume", "stressed_volume",
    "left_atrial_dead_volume", "right_atrial_dead_volume", *_VOLUMES,
)  # fmt: skip
_SMALLER: Final = (
    "systemic_resistance", "venous_resistance", "pulmonary_resistance", "left_source_resistance",
    "right_source_resistance", "left_elastance", "left_stiffness",
    "right_elastance", "right_stiffness", "characteristic_impedance", "aortic_valve_resistance",
    "mitral_valve_resistance", "pulmonary_valve_resistance", "tricuspid_valve_resistance",
    "pulmonary_venous_resistance", "left_atrial_elastance", "right_atrial_elastance",
)  # fmt: skip


def personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """Parameters of a person: flows and volumes of heart and vessels in proportion to body surface (so that the cardiac
    index and pressures stay), all blood after Nadler 1962, arteries stiffer with age (Franklin 1997, Circulation
    96:308: pulse pressure widens), the largest heart rate after Tanaka 2001.
    """
    made = dict(values)
    size = person.bsa_m2 / REFERENCE.bsa_m2
    blood = (
        (values["stressed_volume"] + values["unstressed_volume"]) * person.blood_volume_ml / REFERENCE.blood_volume_ml
    )
    for name in _LARGER:
        if name in made:
            made[name] = values[name] * size
    for name in _SMALLER:
        if name in made:
            made[name] = values[name] / size
    made["unstressed_volume"] = max(blood - made["stressed_volume"], 0.3 * blood)
    made["rest_oxygen_uptake"] = values["rest_oxygen_uptake"] * person.relative(0.75)
    made["heart_rate_max"] = 208.0 - 0.7 * person.age_years
    older = person.age_years - REFERENCE.age_years
    made["arterial_compliance"] *= max(0.4, 1.0 - 0.010 * older)
    made["body_surface"] = person.bsa_m2
    limits = {one.name: (one.low, one.high) for one in (*COMMON, *BEATS_ONLY)}
    return {name: min(max(v, limits[name][0]), limits[name][1]) if name in limits else v for name, v in made.items()}


def domain(person: Person) -> str:
    """Why a person is outside the model, or nothing."""
    if person.age_years < 16:
        return "the circulation is that of adults, from 16 years on"
    if not 35 <= person.weight_kg <= 220 or not 130 <= person.height_cm <= 220:
        return "the circulation is scaled from 35 to 220 kg and 130 to 220 cm"
    return ""

"""What the meal model declares: the average adult's values, with their sources."""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Dose, Input, Output, Parameter, State
from vitruvian.physiology.person import Person

__all__ = ["DOSES", "INPUTS", "OUTPUTS", "PARAMETERS", "SOURCES", "STATES", "domain", "personalise"]

MAN_2007: Final = "Dalla Man, Rizza, Cobelli, IEEE Trans Biomed Eng 54 (2007) 1740, table I, normal subject"
GIM_2007: Final = "Dalla Man, Raimondo, Rizza, Cobelli, J Diabetes Sci Technol 1 (2007) 323, subcutaneous insulin"
MAN_2009: Final = "Dalla Man, Breton, Cobelli, J Diabetes Sci Technol 3 (2009) 56, model C"
SOURCES: Final = (
    "Dalla Man C, Rizza RA, Cobelli C. IEEE Trans Biomed Eng 54 (2007) 1740-1749",
    "Dalla Man C, Raimondo DM, Rizza RA, Cobelli C. J Diabetes Sci Technol 1 (2007) 323-330",
    "Kovatchev BP, Breton M, Dalla Man C, Cobelli C. J Diabetes Sci Technol 3 (2009) 44-55",
    "Dalla Man C, Breton MD, Cobelli C. J Diabetes Sci Technol 3 (2009) 56-67",
    "Dalla Man C, Micheletto F, Lv D, Breton M, Kovatchev B, Cobelli C. J Diabetes Sci Technol 8 (2014) 26-34",
)
T1: Final = (
    "assumption: the normal subject of Dalla Man 2007 without beta cells and without the portal signal, held at 120 "
    "mg/dL by a plasma insulin of 60 pmol/L; follows from the steady state"
)
SPREAD: Final = (
    0.3  # assumption: about the spread between adults of one build; the simulator's joint table is not public
)

STATES: Final = (
    State("stomach_solid", "mg", 0.0, "food in the stomach, solid", tolerance=1e-3),
    State("stomach_liquid", "mg", 0.0, "food in the stomach, triturated", tolerance=1e-3),
    State("gut", "mg", 0.0, "glucose in the intestine", tolerance=1e-3),
    State("glucose_plasma", "mg/kg", 225.6, "glucose in plasma and what equilibrates fast with it", tolerance=1e-5),
    State("glucose_tissue", "mg/kg", 171.9, "glucose in slow tissue", tolerance=1e-5),
    State("insulin_plasma", "pmol/kg", 3.0, "insulin in plasma", tolerance=1e-6),
    State("insulin_action", "pmol/L", 0.0, "remote insulin above basal, on uptake", low=-1e4, tolerance=1e-5),
    State("insulin_delay_1", "pmol/L", 60.0, "first delay of insulin on production", tolerance=1e-5),
    State("insulin_delay_2", "pmol/L", 60.0, "second delay of insulin on production", tolerance=1e-5),
    State("insulin_liver", "pmol/kg", 3.06, "insulin in the liver", tolerance=1e-6),
    State("depot_1", "pmol", 6_000.0, "insulin under the skin, not monomeric", tolerance=1e-3),
    State("depot_2", "pmol", 5_000.0, "insulin under the skin, monomeric", tolerance=1e-3),
    State("glucose_interstitial", "mg/kg", 225.6, "glucose where a sensor lies", tolerance=1e-5),
    State("plate", "g", 0.0, "carbohydrate served and not yet eaten", low=-1e-3, tolerance=1e-6),
    State("meal_running", "mg", 0.0, "stomach before the meal and all eaten since; between meals its content",
          low=-1.0, tolerance=1e-3),
    State("meal_before", "mg", 0.0, "content of the stomach when eating began; between meals its content",
          low=-1.0, tolerance=1e-3),
    State("meal_last", "mg", 0.0, "size of the last meal", tolerance=0.2),
    State("pulse_above_rest", "/min", 0.0, "heart rate above rest", tolerance=1e-5),
    State("exercise_effect", "1", 0.0, "what exercise does to insulin's action", tolerance=1e-7),
    State("exercise_work", "1", 0.0, "beats above rest, summed while the effect lasts", tolerance=1e-3),
)  # fmt: skip

_KP1: Final = 3.0950377  # 2.0812777 + 0.0021 * 225.6 + 0.009 * 60: production equal to use at 120 mg/dL
_BASAL: Final = 1.4532  # 60 pmol/L * 0.05 L/kg * (m2 + m4 - m1 m2 / (m1 + m3)), the clearance

PARAMETERS: Final = (
    Parameter("weight", 77.1, "kg", 20.0, 250.0, "the person"),
    Parameter("glucose_volume", 1.88, "dL/kg", 0.5, 5.0, MAN_2007, "VG", spread=0.1),
    Parameter("k1", 0.065, "/min", 0.005, 0.5, MAN_2007, "plasma to tissue", spread=0.2),
    Parameter("k2", 0.079, "/min", 0.005, 0.5, MAN_2007, "tissue to plasma", spread=0.2),
    Parameter("insulin_volume", 0.05, "L/kg", 0.01, 0.3, MAN_2007, "VI", spread=0.1),
    Parameter("m1", 0.190, "/min", 0.01, 2.0, MAN_2007, "liver to plasma"),
    Parameter("m2", 0.484, "/min", 0.01, 2.0, MAN_2007, "plasma to liver"),
    Parameter("m3", 0.285, "/min", 0.01, 2.0,
              "Dalla Man 2007, equation 5 at the basal extraction of 0.6 (table I): 0.6 m1 / (1 - 0.6)",
              "loss in the liver"),
    Parameter("m4", 0.194, "/min", 0.01, 2.0, MAN_2007, "loss in the periphery"),
    Parameter("k_max", 0.0558, "/min", 0.005, 0.5, MAN_2007, "fastest gastric emptying", spread=SPREAD),
    Parameter("k_min", 0.0080, "/min", 0.0005, 0.2, MAN_2007, "slowest gastric emptying", spread=SPREAD),
    Parameter("k_abs", 0.057, "/min", 0.005, 1.0, MAN_2007, "absorption from the gut", spread=SPREAD, estimated=True),
    Parameter("bioavailability", 0.90, "1", 0.1, 1.0, MAN_2007, "share of carbohydrate that reaches plasma (f)"),
    Parameter("emptying_b", 0.82, "1", 0.3, 0.999, MAN_2007, "share of the meal left when emptying has slowed by half"),
    Parameter("emptying_d", 0.010, "1", 1e-4, 0.9, MAN_2007, "share left when it has sped up again by half (d)"),
    Parameter("kp1", _KP1, "mg/kg/min", 0.5, 30.0, T1, "production without glucose and insulin"),
    Parameter("kp2", 0.0021, "/min", 0.0001, 0.1, MAN_2007, "glucose's effect on production", spread=SPREAD),
    Parameter("kp3", 0.009, "mg/kg/min/(pmol/L)", 0.0005, 0.2, MAN_2007, "insulin's effect on production"),
    Parameter("ki", 0.0079, "/min", 0.0005, 0.1, MAN_2007, "delay of that effect", spread=SPREAD),
    Parameter("f_cns", 1.0, "mg/kg/min", 0.1, 5.0, MAN_2007, "use by brain and red cells"),
    Parameter("v_m0", 2.50, "mg/kg/min", 0.1, 40.0, MAN_2007, "uptake without insulin above basal"),
    Parameter("v_mx", 0.047, "mg/kg/min/(pmol/L)", 0.001, 1.0, MAN_2007, "insulin's effect on uptake"),
    Parameter("k_m0", 225.59, "mg/kg", 20.0, 2000.0, MAN_2007, "tissue glucose of half uptake"),
    Parameter("p2u", 0.0331, "/min", 0.001, 0.5, MAN_2007, "delay of insulin's action on uptake", spread=SPREAD),
    Parameter("ke1", 0.0005, "/min", 0.0, 0.1, MAN_2007, "renal loss above the threshold"),
    Parameter("ke2", 339.0, "mg/kg", 100.0, 1000.0, MAN_2007, "renal threshold"),
    Parameter("basal_insulin_level", 60.0, "pmol/L", 1.0, 500.0, T1, "plasma insulin at the basal rate"),
    Parameter("ka1", 0.0018, "/min", 0.0, 0.2, GIM_2007, "not monomeric insulin to plasma"),
    Parameter("ka2", 0.0182, "/min", 0.001, 0.5, GIM_2007, "monomeric insulin to plasma", spread=SPREAD),
    Parameter("kd", 0.0164, "/min", 0.001, 0.5, GIM_2007, "dissociation under the skin", spread=SPREAD),
    Parameter("k_interstitial", 0.17, "/min", 0.005, 2.0,
              "Basu et al., Diabetes 62 (2013) 4083: tracer reaches interstitial fluid in 5 to 6 min"),
    Parameter("basal_insulin", _BASAL, "pmol/kg/min", 0.0, 20.0, T1, "what the pump gives all day"),
    Parameter("insulin_sensitivity", 1.0, "1", 0.05, 20.0,
              "1 by definition; spread: assumption, as seen between adults of one build in clamps",
              "what insulin beyond the basal level does, against the reference", spread=0.35, estimated=True),
    Parameter("eating_rate", 5.0, "g/min", 0.5, 50.0, "assumption: 60 g are eaten in 12 min; simglucose's rate too"),
    Parameter("heart_rate_rest", 65.0, "/min", 30.0, 120.0, "assumption: an adult at rest"),
    Parameter("heart_rate_per_watt", 0.5, "/min/W", 0.1, 2.0,
              "assumption: from rest to about 165/min at 200 W on a cycle"),
    Parameter("exercise_beta", 0.01, "min", 0.0, 0.2, MAN_2009, "insulin-independent uptake by a beat above rest"),
    Parameter("exercise_alpha", 3e-4, "1", 0.0, 0.01, MAN_2009, "insulin's action by work done"),
    Parameter("exercise_gamma", 1e-7, "L/pmol", 0.0, 1e-4, MAN_2009, "affinity by work done"),
    Parameter("exercise_threshold", 0.1, "1", 0.01, 1.0, MAN_2009, "rise over rest at half effect (a)"),
    Parameter("exercise_t_pulse", 5.0, "min", 0.5, 60.0, MAN_2009),
    Parameter("exercise_t_in", 1.0, "min", 0.1, 60.0, MAN_2009),
    Parameter("exercise_t_out", 600.0, "min", 10.0, 5000.0, MAN_2009, "how long the effect lasts"),
    Parameter("exercise_power", 4.0, "1", 1.0, 10.0, MAN_2009),
)  # fmt: skip

INPUTS: Final = (
    Input("meal", "g/min", 0.0, 0.0, 200.0, "carbohydrate eaten"),
    Input(
        "meal_size", "g", 0.0, 0.0, 500.0, "carbohydrate of the whole meal being eaten, where it is known beforehand"
    ),
    Input("insulin", "[iU]/h", 0.0, 0.0, 1200.0, "insulin under the skin beyond the basal rate"),
    Input("insulin_basal_share", "1", 1.0, 0.0, 5.0, "share of the basal rate that the pump gives; 0: it has stopped"),
    Input("glucose_infusion", "g/h", 0.0, 0.0, 200.0, "glucose into a vein"),
    Input("exercise", "W", 0.0, 0.0, 400.0, "power on a cycle"),
)

DOSES: Final = (
    Dose("insulin", "[iU]", "depot_1", 6000.0, 100.0, "rapid-acting insulin under the skin"),
    Dose("meal", "g", "plate", 1.0, 500.0, "carbohydrate of a meal, eaten at the eating rate"),
)

OUTPUTS: Final = (
    Output("glucose", "mg/dL", "in plasma"),
    Output("glucose_interstitial", "mg/dL", "where a sensor lies"),
    Output("plasma_insulin", "m[IU]/L"),
    Output("insulin_on_board", "[iU]", "insulin under the skin beyond what the basal rate keeps there"),
    Output("insulin_sensitivity", "1"),
    Output("glucose_appearance", "mg/kg/min", "from the gut"),
    Output("glucose_production", "mg/kg/min", "by the liver"),
    Output("glucose_utilisation", "mg/kg/min", "by all tissues"),
)


def personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """The average adult at the person's weight: every mass and rate of the model is per kg."""
    return values | {"weight": person.weight_kg}


def domain(person: Person) -> str:
    """The average shipped is of adults; children of the published simulator have parameters of their own."""
    if person.age_years < 14:
        return f"found {person.age_years:g} years, expected 14 or more: children's parameters are not public"
    if not 40 <= person.weight_kg <= 200:
        return f"found {person.weight_kg:g} kg, expected 40 to 200: rates per kg were measured in adults of common size"
    return ""

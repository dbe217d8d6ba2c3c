"""What the intensive-care model declares, with its sources."""

from __future__ import annotations

import math
from typing import Final

from vitruvian.physiology.base import Dose, Import, Input, Output, Parameter, State
from vitruvian.physiology.glucose.icu.equations import REFERENCE_SENSITIVITY
from vitruvian.physiology.person import Person

__all__ = ["DOSES", "IMPORTS", "INPUTS", "OUTPUTS", "PARAMETERS", "SOURCES", "STATES", "domain", "personalise"]

LIN_2011: Final = "Lin et al., Comput Methods Programs Biomed 102 (2011) 192, table of the ICING model"
SOURCES: Final = (
    "Lin J, Razak NN, Pretty CG, et al. A physiological intensive control insulin-nutrition-glucose (ICING) model "
    "validated in critically ill patients. Comput Methods Programs Biomed 102 (2011) 192-205",
    "Pretty CG, Le Compte AJ, Chase JG, et al. Ann Intensive Care 2 (2012) 17 (how insulin sensitivity varies)",
)

STATES: Final = (
    State("glucose_amount", "mmol", 90.0, "glucose in its distribution volume", tolerance=1e-4),
    State("insulin_interstitial", "m[IU]/L", 8.0, "insulin where it acts", tolerance=1e-5),
    State("insulin_plasma", "m[IU]", 57.0, "insulin in plasma", tolerance=1e-4),
    State("stomach", "mmol", 0.0, "glucose of feed in the stomach", tolerance=1e-4),
    State("gut", "mmol", 0.0, "glucose of feed in the gut", tolerance=1e-4),
)

PARAMETERS: Final = (
    Parameter("glucose_volume", 13.3, "L", 2.0, 60.0, LIN_2011, spread=0.1),
    Parameter("p_g", 0.006, "/min", 0.0005, 0.05, LIN_2011, "clearance of glucose that needs no insulin", spread=0.2),
    Parameter("glucose_production", 1.16, "mmol/min", 0.1, 6.0, LIN_2011, "by the liver", spread=0.2, estimated=True),
    Parameter("brain_use", 0.3, "mmol/min", 0.05, 2.0, LIN_2011),
    Parameter("insulin_sensitivity", REFERENCE_SENSITIVITY, "L/m[IU]/min", 1e-6, 5e-3,
              "assumption: within the 1e-4 to 8e-4 L/mU/min that Lin 2011 and Pretty 2012 identify hour by hour; it "
              "is the parameter to be estimated, and its spread is between patients and hours alike",
              "what interstitial insulin does to glucose", spread=0.6, estimated=True),
    Parameter("alpha_g", 0.0154, "L/m[IU]", 0.0001, 0.2, LIN_2011, "saturation of insulin's action"),
    Parameter("insulin_volume", 3.15, "L", 0.5, 20.0, LIN_2011, spread=0.1),
    Parameter("alpha_i", 0.0017, "L/m[IU]", 0.0, 0.1, LIN_2011, "saturation of hepatic clearance"),
    Parameter("n_i", 0.003, "/min", 0.0001, 0.1, LIN_2011, "exchange of plasma and interstitial insulin"),
    Parameter("n_c", 0.003, "/min", 0.0001, 0.1, LIN_2011, "use of interstitial insulin"),
    Parameter("n_k", 0.0542, "/min", 0.001, 0.5, LIN_2011, "renal clearance", spread=0.2),
    Parameter("n_l", 0.1578, "/min", 0.001, 1.0, LIN_2011, "hepatic clearance", spread=0.2),
    Parameter("x_l", 0.67, "1", 0.0, 0.99, LIN_2011, "secreted insulin that the liver takes first"),
    Parameter("secretion_max", 45.7, "m[IU]/min", 0.0, 500.0, LIN_2011, "secretion without insulin in plasma (k1)",
              spread=0.3),
    Parameter("secretion_slope", 0.0015, "L/m[IU]", 0.0, 0.1, LIN_2011, "its suppression by insulin (k2/k3)"),
    Parameter("d1", math.log(2) / 20, "/min", 0.001, 0.5, LIN_2011, "stomach to gut, half-life 20 min"),
    Parameter("d2", math.log(2) / 100, "/min", 0.0005, 0.5, LIN_2011, "gut to plasma, half-life 100 min"),
    Parameter("p_max", 6.11, "mmol/min", 0.5, 50.0, LIN_2011, "most that can be absorbed"),
    Parameter("weight", 77.1, "kg", 20.0, 300.0, "the person"),
)  # fmt: skip

INPUTS: Final = (
    Input("insulin", "[iU]/h", 0.0, 0.0, 100.0, "insulin into a vein"),
    Input("glucose_infusion", "g/h", 0.0, 0.0, 200.0, "glucose into a vein"),
    Input("meal", "g/min", 0.0, 0.0, 10.0, "carbohydrate fed into stomach or gut"),
)

DOSES: Final = (
    Dose("insulin", "[iU]", "insulin_plasma", 1000.0, 50.0, "insulin into a vein, at once"),
    Dose("glucose_infusion", "g", "glucose_amount", 1000.0 / 180.156, 100.0, "glucose into a vein, at once"),
    Dose("meal", "g", "stomach", 1000.0 / 180.156, 300.0, "carbohydrate into the stomach, at once"),
)

IMPORTS: Final = (Import("insulin_sensitivity_factor", "1", 1.0, "what another room does to insulin's effect"),)

OUTPUTS: Final = (
    Output("glucose", "mg/dL", "in blood"),
    Output("plasma_insulin", "m[IU]/L"),
    Output("insulin_sensitivity", "1", "against 3e-4 L/mU/min"),
    Output("insulin_interstitial", "m[IU]/L"),
    Output("glucose_from_feed", "g/h"),
)


def personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """The published patient: the paper gives volumes and fluxes of an adult, not per kg, and so does this."""
    return values | {"weight": person.weight_kg}


def domain(person: Person) -> str:
    """Adults in intensive care."""
    if person.age_years < 16:
        return f"found {person.age_years:g} years, expected 16 or more: the model was identified in adults"
    return ""

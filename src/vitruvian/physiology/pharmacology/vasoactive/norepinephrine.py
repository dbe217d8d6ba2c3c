"""Norepinephrine: what it declares, with its sources."""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Dose, Export, Input, Model, Output, Parameter, State
from vitruvian.physiology.person import Person
from vitruvian.physiology.pharmacology.vasoactive import equations

__all__ = ["NOREPINEPHRINE"]

BELOEIL: Final = "Beloeil 2005 Br J Anaesth 95:782 (12 in septic shock, 11 after trauma; one compartment)"
SCALE: Final = (
    "assumption: the largest effects were chosen so that 0.1 ug/kg/min raises resistance by about a third before "
    "reflexes answer; the concentration of half effect and the slope are of arterial pressure in Beloeil 2005"
)


def _personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """Weight enters the infusion only: Beloeil 2005 found no influence of weight on clearance or volume."""
    values["weight"] = person.weight_kg
    return values


NOREPINEPHRINE: Final = Model(
    name="norepinephrine",
    title="Norepinephrine infusion",
    time_unit="min",
    states=(
        State("central", "ug", 0.0, "infused norepinephrine in the body", tolerance=1e-6),
        State("effect_site", "ng/mL", 0.0, "concentration at the vessels", tolerance=1e-7),
    ),
    parameters=(
        Parameter("clearance", 3.0, "L/min", 0.2, 12.0,
                  BELOEIL + ": 3 L/min at a SAPS II of 20, 0.9 L/min at 60", spread=0.35, estimated=True),
        Parameter("volume", 8.7, "L", 1.0, 40.0, BELOEIL + ": half-life 2 min at 3 L/min", spread=0.2),
        Parameter("effect_rate", 1.0, "/min", 0.05, 10.0,
                  "assumption: pressure follows the concentration within a minute or two", spread=0.3),
        Parameter("half_effect", 7.04, "ng/mL", 0.3, 200.0, BELOEIL + ": concentration of half the rise of pressure",
                  spread=0.4, estimated=True),
        Parameter("hill", 1.8, "1", 0.5, 6.0, BELOEIL),
        Parameter("resistance_max", 2.5, "1", 0.0, 10.0, SCALE, "largest rise of arterial resistance", spread=0.3,
                  estimated=True),
        Parameter("venous_tone_max", 0.6, "1", 0.0, 5.0, SCALE, "largest rise of venous tone", spread=0.3),
        Parameter("contractility_max", 0.6, "1", 0.0, 5.0, SCALE, "largest rise of contractility", spread=0.3),
        Parameter("heart_rate_max", 0.15, "1", 0.0, 2.0, SCALE + "; the reflex masks it", "direct effect on the sinus",
                  spread=0.3),
        Parameter("own_level", 0.25, "ng/mL", 0.0, 20.0,
                  "Goldstein 1983 J Clin Endocrinol Metab 57:753 and others: 0.2 to 0.3 ng/mL at rest", spread=0.4),
        Parameter("sensitivity", 1.0, "1", 0.02, 10.0,
                  "assumption: 1 in health; septic vessels answer less, by how much is not known for one patient",
                  "divides the concentration of half effect", spread=0.3, estimated=True),
        Parameter("weight", 77.1, "kg", 0.3, 400.0, "the person"),
    ),
    inputs=(Input("norepinephrine", "ug/kg/min", 0.0, 0.0, 10.0, "infusion into a vein"),),
    doses=(Dose("norepinephrine", "ug", "central", high=1_000.0, about="into a vein"),),
    exports=(
        Export("resistance_factor", "1", "on arterial resistance"),
        Export("venous_tone_factor", "1", "on venous tone"),
        Export("contractility_factor", "1", "on the ventricles' elastance"),
        Export("heart_rate_factor", "1", "on heart rate, before reflexes"),
    ),
    outputs=(
        Output("norepinephrine_plasma", "ng/mL", "in arterial plasma, with the body's own"),
        Output("norepinephrine_resistance", "1", "factor on arterial resistance"),
    ),
    rhs=equations.norepinephrine_rhs,
    observe=equations.norepinephrine_observe,
    emit=equations.norepinephrine_emit,
    start=equations.start,
    personalise=_personalise,
    rtol=1e-7,
    first_step=1e-2,
    h_max=10.0,
    grid_s=60.0,
    limits="Adults. The answer to a vasopressor in shock is the weakest evidence here: it varies ten-fold between "
    "patients, and falls with acidosis and sepsis, which this room does not know.",
    sources=(
        "Beloeil H, Mazoit JX, Benhamou D, Duranteau J. Norepinephrine kinetics and dynamics in septic shock and "
        "trauma patients. Br J Anaesth 95 (2005) 782-788",
    ),
)  # fmt: skip

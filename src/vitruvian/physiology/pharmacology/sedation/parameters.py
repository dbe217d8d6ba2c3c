"""What propofol and fentanyl declare, with their sources."""

from __future__ import annotations

import math
from typing import Final

from vitruvian.physiology.base import Dose, Export, Input, Output, Parameter, State
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.pharmacology.sedation.eleveld import eleveld

__all__ = [
    "FENTANYL_PARAMETERS",
    "FENTANYL_SOURCES",
    "FENTANYL_STATES",
    "PROPOFOL_DOSES",
    "PROPOFOL_EXPORTS",
    "PROPOFOL_INPUTS",
    "PROPOFOL_OUTPUTS",
    "PROPOFOL_PARAMETERS",
    "PROPOFOL_SOURCES",
    "PROPOFOL_STATES",
    "fentanyl_personalise",
    "propofol_domain",
    "propofol_personalise",
]

ELEVELD: Final = "Eleveld 2018 Br J Anaesth 120:942, tables 2 and 3, for the reference person (arterial, no opioid)"
SU: Final = "Su 2023 Br J Anaesth 131:222 (propofol and remifentanil in volunteers, mechanism-based haemodynamic model)"
BOUILLON: Final = "Bouillon 2004 Anesthesiology 100:240 (ventilatory depression by propofol in the non-steady state)"
SHAFER: Final = "Shafer 1990 Anesthesiology 73:1091 (fentanyl, 21 patients)"
YASSEN: Final = "Yassen 2007 Clin Pharmacol Ther 81:50 (fentanyl and ventilation in volunteers)"
_OF: Final = eleveld(REFERENCE)

PROPOFOL_STATES: Final = (
    State("central", "mg", 0.0, "in the central compartment", tolerance=1e-7),
    State("rapid", "mg", 0.0, "in the rapid compartment", tolerance=1e-7),
    State("slow", "mg", 0.0, "in the slow compartment", tolerance=1e-7),
    State("effect_site", "ug/mL", 0.0, "concentration where it acts", tolerance=1e-8),
    State("tone", "1", 1.0, "arterial tone, of the person's own", tolerance=1e-7),
)

PROPOFOL_PARAMETERS: Final = (
    Parameter("clearance", _OF["clearance"], "L/min", 0.005, 10.0, ELEVELD, spread=0.26, estimated=True),
    Parameter("volume", _OF["volume"], "L", 0.05, 30.0, ELEVELD, spread=0.6),
    Parameter("flow_2", _OF["flow_2"], "L/min", 0.01, 20.0, ELEVELD, spread=0.45),
    Parameter("volume_2", _OF["volume_2"], "L", 0.1, 300.0, ELEVELD, spread=0.5),
    Parameter("flow_3", _OF["flow_3"], "L/min", 0.003, 10.0, ELEVELD, spread=0.45),
    Parameter("volume_3", _OF["volume_3"], "L", 1.0, 2_000.0, ELEVELD, spread=0.6),
    Parameter("effect_rate", _OF["effect_rate"], "/min", 0.01, 3.0, ELEVELD, "ke0", spread=0.5),
    Parameter("breath_half", 1.33, "ug/mL", 0.1, 20.0, BOUILLON, "half of the drive to breathe is gone", spread=0.3),
    Parameter("breath_hill", 1.68, "1", 0.5, 6.0, BOUILLON),
    Parameter("weight", 77.1, "kg", 0.3, 400.0, "the person"),
    Parameter("bis_half", _OF["bis_half"], "ug/mL", 0.3, 20.0, ELEVELD, "half of the fall of the index", spread=0.24,
              estimated=True),
    Parameter("bis_base", 93.0, "1", 60.0, 100.0, ELEVELD, "index awake", scale="plain"),
    Parameter("bis_hill_low", 1.89, "1", 0.5, 6.0, ELEVELD, "below half effect"),
    Parameter("bis_hill_high", 1.47, "1", 0.5, 6.0, ELEVELD, "above half effect"),
    Parameter("tone_rate", 0.072, "/min", 0.005, 2.0, SU, "turnover of tone"),
    Parameter("tone_max", 0.778, "1", 0.0, 1.0, SU, "largest fall of resistance, before reflexes", scale="logit"),
    Parameter("tone_half", 3.21, "ug/mL", 0.3, 30.0, SU, spread=0.4, estimated=True),
    Parameter("tone_hill", 1.83, "1", 0.5, 6.0, SU),
    Parameter("stroke_max", 0.154 * math.exp(0.0333 * 9.0), "1", 0.0, 0.9,
              SU + ", its effect on stroke volume taken as one on contractility", "grows with age", scale="logit"),
    Parameter("stroke_half", 0.44, "ug/mL", 0.02, 10.0, SU),
    Parameter("venous_tone_max", 0.10, "1", 0.0, 0.9,
              "assumption: veins give way a little, with the same concentrations as arteries"),
)  # fmt: skip

PROPOFOL_INPUTS: Final = (Input("propofol", "mg/kg/h", 0.0, 0.0, 40.0, "infusion into a vein"),)
PROPOFOL_DOSES: Final = (Dose("propofol", "mg", "central", high=500.0, about="into a vein"),)
PROPOFOL_EXPORTS: Final = (
    Export("resistance_factor", "1", "on arterial resistance, before reflexes"),
    Export("contractility_factor", "1", "on the ventricles' elastance"),
    Export("venous_tone_factor", "1", "on venous tone"),
    Export("ventilatory_drive_factor", "1", "on the drive to breathe"),
)
PROPOFOL_OUTPUTS: Final = (
    Output("propofol_plasma", "ug/mL", "propofol in arterial plasma"),
    Output("propofol_effect_site", "ug/mL", "propofol where it acts on the brain"),
    Output("bispectral_index", "1", "as it would be without the monitor's delay"),
    Output("propofol_ventilatory_drive", "1", "share of the drive to breathe that is left"),
)
PROPOFOL_SOURCES: Final = (
    "Eleveld DJ, Colin P, Absalom AR, Struys MMRF. Br J Anaesth 120 (2018) 942-959",
    "Su H, Koomen JV, Eleveld DJ, Struys MMRF, Colin PJ. Br J Anaesth 131 (2023) 222-233",
    "Bouillon T, Bruhn J, Radu-Radulescu L, et al. Anesthesiology 100 (2004) 240-250",
)


def propofol_personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """Eleveld's covariates; the effect on stroke volume grows with age (Su 2023)."""
    values |= eleveld(person)
    values["weight"] = person.weight_kg
    values["stroke_max"] = min(0.154 * math.exp(0.0333 * (person.age_years - 35.0)), 0.8)
    return values


def propofol_domain(person: Person) -> str:
    """Eleveld 2018 holds from 27 weeks after conception to 88 years and from 0.68 to 160 kg."""
    if person.age_years > 90 or not 0.68 <= person.weight_kg <= 160:
        return f"{person.age_years:g} years and {person.weight_kg:g} kg; the data reached 88 years and 160 kg"
    return ""


# Shafer 1990, micro-constants per minute: k10, k12, k21, k13, k31 and the central volume (L).
_V1, _K10, _K12, _K21, _K13, _K31 = 6.09, 0.0827, 0.471, 0.102, 0.225, 0.006

FENTANYL_STATES: Final = (
    State("central", "ug", 0.0, "in the central compartment", tolerance=1e-6),
    State("rapid", "ug", 0.0, "in the rapid compartment", tolerance=1e-6),
    State("slow", "ug", 0.0, "in the slow compartment", tolerance=1e-6),
    State("effect_site", "ng/mL", 0.0, "concentration where it acts", tolerance=1e-8),
)
FENTANYL_PARAMETERS: Final = (
    Parameter("clearance", _K10 * _V1, "L/min", 0.02, 5.0, SHAFER, spread=0.3, estimated=True),
    Parameter("volume", _V1, "L", 0.2, 60.0, SHAFER, spread=0.3),
    Parameter("flow_2", _K12 * _V1, "L/min", 0.05, 30.0, SHAFER, spread=0.3),
    Parameter("volume_2", _K12 / _K21 * _V1, "L", 1.0, 300.0, SHAFER, spread=0.3),
    Parameter("flow_3", _K13 * _V1, "L/min", 0.02, 20.0, SHAFER, spread=0.3),
    Parameter("volume_3", _K13 / _K31 * _V1, "L", 5.0, 3_000.0, SHAFER, spread=0.3),
    Parameter("effect_rate", math.log(2) / 16.4, "/min", 0.005, 1.0, YASSEN, "of ventilation: half-life 16.4 min"),
    Parameter("breath_half", 1.14, "ng/mL", 0.1, 20.0, YASSEN, spread=0.3, estimated=True),
    Parameter("breath_hill", 2.68, "1", 0.5, 6.0, YASSEN),
    Parameter("weight", 77.1, "kg", 0.3, 400.0, "the person"),
)
FENTANYL_SOURCES: Final = (
    "Shafer SL, Varvel JR, Aziz N, Scott JC. Anesthesiology 73 (1990) 1091-1102",
    "Yassen A, Olofsen E, Romberg R, Sarton E, Teppema L, Danhof M, Dahan A. Clin Pharmacol Ther 81 (2007) 50-58",
)


def fentanyl_personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """The doses of Shafer 1990 hold as they are: weight was no help there."""
    values["weight"] = person.weight_kg
    return values

"""What vancomycin and ciprofloxacin declare, with their sources."""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Dose, Export, Import, Input, Output, Parameter, State
from vitruvian.physiology.person import Person

__all__ = ["REGOES", "cockcroft_gault", "domain", "personalise_ciprofloxacin", "personalise_vancomycin"]

GOTI: Final = "Goti 2018 Ther Drug Monit 40:212, final model"
CIPRO: Final = (
    "Goodman and Gilman, The Pharmacological Basis of Therapeutics, 11th ed. (2005), appendix II: clearance 7.6 "
    "mL/min/kg, volume 2.2 L/kg, half-life 3.3 h, 50 % in urine, 60 % by mouth, 40 % bound"
)
KILL: Final = "Regoes 2004 Antimicrob Agents Chemother 48:3670, table of E. coli O18:K1:H7 in vitro"
# Net growth rate without drug and at most drug (/h), MIC (mg/L), steepness: Regoes 2004.
REGOES: Final = {
    "ampicillin": (0.75, -4.0, 3.4, 0.75),
    "ciprofloxacin": (0.88, -6.5, 0.017, 1.1),
    "rifampin": (0.70, -4.3, 12.0, 2.5),
    "streptomycin": (0.89, -8.8, 18.5, 1.9),
    "tetracycline": (0.81, -8.1, 0.67, 0.61),
}
_RENAL: Final = Import("renal_function_factor", "1", 1.0, "function of the kidney, of the person's own")


def cockcroft_gault(person: Person, creatinine_mg_dl: float) -> float:
    """Creatinine clearance, mL/min (Cockcroft and Gault 1976 Nephron 16:31), by total body weight."""
    clearance = (140.0 - person.age_years) * person.weight_kg / (72.0 * creatinine_mg_dl)
    return max(clearance * (1.0 if person.sex == "male" else 0.85), 1.0)


VANCOMYCIN_STATES: Final = (
    State("central", "mg", 0.0, "in the central compartment", tolerance=1e-9),
    State("peripheral", "mg", 0.0, "in the second compartment", tolerance=1e-9),
    State("exposure", "mg.h/L", 0.0, "area under the concentration so far", tolerance=1e-8),
)
VANCOMYCIN_PARAMETERS: Final = (
    Parameter(
        "clearance",
        4.5,
        "L/h",
        0.2,
        30.0,
        GOTI,
        "at a creatinine clearance of 120 mL/min",
        spread=0.398,
        estimated=True,
    ),
    Parameter(
        "volume", 58.4, "L", 3.0, 400.0, GOTI, "of 70 kg; 11.9 kg to 175 kg were studied", spread=0.5, estimated=True
    ),
    Parameter("flow_2", 6.5, "L/h", 0.1, 60.0, GOTI),
    Parameter("volume_2", 38.4, "L", 1.0, 300.0, GOTI, spread=0.45),
    Parameter(
        "creatinine_clearance",
        114.0,
        "mL/min",
        1.0,
        300.0,
        "Cockcroft and Gault 1976 Nephron 16:31, at a creatinine of 0.9 (male) or 0.7 mg/dL (female)",
    ),
    Parameter("dialysis", 0.0, "1", 0.0, 1.0, GOTI + ": 1 for a patient on haemodialysis", scale="plain"),
)
VANCOMYCIN_INPUTS: Final = (Input("vancomycin", "mg/h", 0.0, 0.0, 3_000.0, "infusion into a vein"),)
VANCOMYCIN_IMPORTS: Final = (_RENAL,)
VANCOMYCIN_DOSES: Final = (Dose("vancomycin", "mg", "central", high=5_000.0, about="into a vein, at once"),)
VANCOMYCIN_OUTPUTS: Final = (
    Output("vancomycin_level", "ug/mL", "vancomycin in serum"),
    Output("vancomycin_exposure", "mg.h/L", "area under the concentration since the start"),
    Output("clearance_now", "L/h", "under the kidney's function now"),
)
VANCOMYCIN_SOURCES: Final = (
    "Goti V, Chaturvedula A, Fossler MJ, Mok S, Jacob JT. Hospitalized patients with and without hemodialysis have "
    "markedly different vancomycin pharmacokinetics. Ther Drug Monit 40 (2018) 212-221",
)

CIPROFLOXACIN_STATES: Final = (
    State("gut", "mg", 0.0, "swallowed, not yet absorbed", tolerance=1e-9),
    State("central", "mg", 0.0, "in the central compartment", tolerance=1e-9),
    State("peripheral", "mg", 0.0, "in the second compartment", tolerance=1e-9),
    State("log_count", "1", 6.0, "logarithm (base 10) of the bacteria in a mL", low=-10.0, high=13.0, tolerance=1e-8),
)
CIPROFLOXACIN_PARAMETERS: Final = (
    Parameter("clearance", 32.0, "L/h", 1.0, 150.0, CIPRO, spread=0.3, estimated=True),
    Parameter("volume", 90.0, "L", 3.0, 500.0, CIPRO + "; the central share is an assumption", spread=0.3),
    Parameter("flow_2", 45.0, "L/h", 0.5, 400.0, "assumption: distributes within an hour or two"),
    Parameter("volume_2", 64.0, "L", 3.0, 500.0, CIPRO),
    Parameter("renal_share", 0.5, "1", 0.0, 1.0, CIPRO),
    Parameter("absorption_rate", 1.5, "/h", 0.05, 20.0, "assumption: peak an hour or so after swallowing", spread=0.4),
    Parameter("free_share", 0.6, "1", 0.01, 1.0, CIPRO),
    Parameter("mic", 0.017, "mg/L", 1e-4, 200.0, KILL, "the pharmacodynamic MIC, at which nothing grows or dies",
              spread=0.5, estimated=True),
    Parameter("growth", 0.88, "/h", 0.01, 3.0, KILL, "net growth without drug", spread=0.2),
    Parameter("death", -6.5, "/h", -20.0, -0.1, KILL, "net growth with most drug", scale="plain"),
    Parameter("kappa", 1.1, "1", 0.2, 6.0, KILL, "steepness"),
    Parameter("log_count_max", 9.0, "1", 4.0, 12.0, "assumption: a billion in a mL feed nobody more", scale="plain"),
    Parameter("log_inoculum", 6.0, "1", 0.0, 9.0, "assumption: an established infection", scale="plain"),
    Parameter("bioavailability", 0.6, "1", 0.0, 1.0, CIPRO),
)  # fmt: skip
CIPROFLOXACIN_INPUTS: Final = (Input("ciprofloxacin", "mg/h", 0.0, 0.0, 1_500.0, "infusion into a vein"),)
CIPROFLOXACIN_IMPORTS: Final = (_RENAL,)
CIPROFLOXACIN_DOSES: Final = (
    Dose("ciprofloxacin", "mg", "gut", high=1_500.0, about="swallowed", factor_by="bioavailability"),
    Dose("ciprofloxacin_iv", "mg", "central", high=1_000.0, about="into a vein", concept="ciprofloxacin"),
)
CIPROFLOXACIN_EXPORTS: Final = (Export("antibiotic_concentration", "mg/L", "free in plasma"),)
CIPROFLOXACIN_OUTPUTS: Final = (
    Output("bacterial_count", "1", "logarithm of the bacteria in a mL, where the free concentration is plasma's"),
    Output("ciprofloxacin_level", "ug/mL", "ciprofloxacin in plasma"),
    Output("net_growth", "/h", "growth less death"),
)
CIPROFLOXACIN_SOURCES: Final = (
    "Regoes RR, Wiuff C, Zappala RM, Garner KN, Baquero F, Levin BR. Pharmacodynamic functions: a multiparameter "
    "approach to the design of antibiotic treatment regimens. Antimicrob Agents Chemother 48 (2004) 3670-3676",
    CIPRO,
)


def personalise_vancomycin(values: dict[str, float], person: Person) -> dict[str, float]:
    """Goti 2018: the central volume by weight, clearance by creatinine clearance."""
    values["volume"] *= person.weight_kg / 70.0
    creatinine = 0.9 if person.sex == "male" else 0.7
    values["creatinine_clearance"] = min(cockcroft_gault(person, creatinine), 300.0)
    return values


def personalise_ciprofloxacin(values: dict[str, float], person: Person) -> dict[str, float]:
    """Clearances by weight to the power 3/4, volumes by weight, from 70 kg."""
    size = person.weight_kg / 70.0
    for name in ("clearance", "flow_2"):
        values[name] *= size**0.75
    for name in ("volume", "volume_2"):
        values[name] *= size
    return values


def domain(person: Person) -> str:
    """Adults only."""
    return "" if person.age_years >= 18 else f"{person.age_years:g} years old; this model is of adults"

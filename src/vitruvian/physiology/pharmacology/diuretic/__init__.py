"""Furosemide."""

from typing import Final

from vitruvian.physiology.base import Dose, Export, Import, Input, Model, Output, Parameter, State
from vitruvian.physiology.person import Person
from vitruvian.physiology.pharmacology.diuretic import equations

__all__ = ["FUROSEMIDE"]

KINETICS: Final = (
    "Goodman and Gilman, The Pharmacological Basis of Therapeutics, 11th ed. (2005), appendix II: clearance 1.66 "
    "mL/min/kg, volume 0.13 L/kg, 71 % in urine, 71 % by mouth"
)
KAOJARERN: Final = (
    "Kaojarern 1982 Kidney Int 22:69: half of the largest answer at 69.8 ug/min, most answer per amount at 21.5 "
    "ug/min, from which the slope"
)


def _personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    values["clearance"] *= person.weight_kg / 77.1
    values["volume"] *= person.weight_kg / 77.1
    return values


def _domain(person: Person) -> str:
    return "" if person.age_years >= 16 else f"{person.age_years:g} years old; this model is of adults"


FUROSEMIDE: Final = Model(
    name="furosemide",
    title="Furosemide and diuresis",
    time_unit="h",
    states=(
        State("gut", "mg", 0.0, "swallowed, not yet absorbed", tolerance=1e-9),
        State("central", "mg", 0.0, "in plasma", tolerance=1e-9),
        State("excretion", "mg/h", 0.0, "rate at which it reaches the urine", tolerance=1e-9),
    ),
    parameters=(
        Parameter("clearance", 1.66 * 77.1 * 60 / 1_000, "L/h", 0.2, 60.0, KINETICS, spread=0.3, estimated=True),
        Parameter("volume", 0.13 * 77.1, "L", 0.5, 80.0, KINETICS, spread=0.3),
        Parameter("renal_share", 0.71, "1", 0.0, 1.0, KINETICS),
        Parameter("absorption_rate", 0.8, "/h", 0.02, 10.0, "assumption: slower than elimination, peak after an hour",
                  spread=0.5),
        Parameter("tubule_rate", 6.0, "/h", 0.5, 60.0, "assumption: ten minutes from plasma to the loop"),
        Parameter("half_effect", 69.8 * 60 / 1_000, "mg/h", 0.1, 100.0, KAOJARERN, spread=0.4, estimated=True),
        Parameter("hill", 1.23, "1", 0.3, 6.0, KAOJARERN),
        Parameter("effect_max", 20.0, "1", 0.0, 60.0,
                  "assumption: at most a fifth to a quarter of the filtered sodium, against 1 % without, is excreted",
                  "largest rise of urine flow, of what it would be", spread=0.3),
        Parameter("bioavailability", 0.71, "1", 0.0, 1.0, KINETICS),
    ),
    inputs=(Input("furosemide", "mg/h", 0.0, 0.0, 200.0, "infusion into a vein"),),
    imports=(Import("renal_function_factor", "1", 1.0, "function of the kidney, of the person's own"),),
    doses=(
        Dose("furosemide", "mg", "central", high=1_000.0, about="into a vein"),
        Dose("furosemide_oral", "mg", "gut", high=1_000.0, about="swallowed", factor_by="bioavailability",
             concept="furosemide"),
    ),
    exports=(Export("diuresis_factor", "1", "urine flow over what it would be"),),
    outputs=(
        Output("furosemide_plasma", "mg/L", "furosemide in plasma"),
        Output("furosemide_excretion", "mg/h", "into the urine"),
        Output("diuresis_factor", "1", "urine flow over what it would be"),
    ),
    rhs=equations.rhs,
    observe=equations.observe,
    emit=equations.emit,
    start=equations.start,
    personalise=_personalise,
    domain=_domain,
    rtol=1e-7,
    first_step=1e-3,
    h_max=6.0,
    grid_s=60.0,
    limits="Adults; the answer weakens with salt already lost and in heart, liver and kidney failure (only the "
    "kidney's function is known here).",
    sources=(
        "Kaojarern S, Day B, Brater DC. The time course of delivery of furosemide into urine: an independent "
        "determinant of overall response. Kidney Int 22 (1982) 69-74",
        KINETICS,
    ),
)  # fmt: skip

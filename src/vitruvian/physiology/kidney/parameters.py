"""What the kidney declares, with its sources."""

from __future__ import annotations

from typing import Final

from vitruvian.core.errors import ModelError
from vitruvian.physiology.base import Export, Import, Input, Output, Parameter, State
from vitruvian.physiology.kidney.tools import ckd_epi_2021
from vitruvian.physiology.person import REFERENCE, Person

__all__ = [
    "EXPORTS",
    "IMPORTS",
    "INPUTS",
    "OUTPUTS",
    "PARAMETERS",
    "SOURCES",
    "STATES",
    "body_water_l",
    "domain",
    "from_creatinine",
    "personalise",
]

INKER: Final = "Inker 2021 N Engl J Med 385:1737 (CKD-EPI 2021)"
GUYTON: Final = "Guyton and Hall, Textbook of Medical Physiology, 11th ed. (2006), chapter 26 (autoregulation)"
SMITH: Final = "Smith HW, The Kidney (1951): filtration fraction about 0.2 in men"
REID: Final = "Reid 2003 Clin Sci 104:17: 2 L of Hartmann's solution in an hour, about 1 L of urine in six hours"
ATLS: Final = (
    "American College of Surgeons, ATLS: 20 to 30 mL/h after class II, 5 to 15 mL/h after class III haemorrhage; "
    "part of the fall is pressure's"
)
PRESSURE_DIURESIS: Final = (
    "Guyton and Hall 2006, chapter 19: the renal output curve, nothing at 50 mmHg, six to eight times the usual at 200"
)
SOURCES: Final = (
    "Inker LA, Eneanya ND, Coresh J, et al. New creatinine- and cystatin C-based equations to estimate GFR without "
    "race. N Engl J Med 385 (2021) 1737-1749",
    "Chen S. Retooling the creatinine clearance equation to estimate kinetic GFR when the plasma creatinine is "
    "changing acutely. J Am Soc Nephrol 24 (2013) 877-888",
    "KDIGO clinical practice guideline for acute kidney injury. Kidney Int Suppl 2 (2012) 1-138, table 2",
    "Guyton AC, Hall JE. Textbook of Medical Physiology, 11th ed. (2006), chapters 19 and 26",
)


def body_water_l(person: Person) -> float:
    """Total body water, L (Watson 1980 Am J Clin Nutr 33:27)."""
    height, weight = person.height_cm, person.weight_kg
    if person.sex == "male":
        return max(2.447 - 0.09516 * person.age_years + 0.1074 * height + 0.3362 * weight, 0.4 * weight)
    return max(-2.097 + 0.1069 * height + 0.2466 * weight, 0.4 * weight)


def usual_creatinine_mg_dl(person: Person) -> float:
    """Serum creatinine of a healthy person of that sex, mg/dL: where CKD-EPI 2021 has its knee."""
    return 0.9 if person.sex == "male" else 0.7


def _gfr_ml_min(person: Person, creatinine_mg_dl: float) -> float:
    """Filtration of the person, not of 1.73 m2 of him."""
    return float(ckd_epi_2021(creatinine_mg_dl, person.age_years, person.sex)) * person.bsa_m2 / 1.73


STATES: Final = (
    State("creatinine", "mg", 380.0, "creatinine in body water", tolerance=1e-4),
    State("urea", "mg", 6_000.0, "urea nitrogen in body water", tolerance=1e-2),
    State("filtration", "1", 1.0, "filtration, of the person's own", tolerance=1e-7),
    State("flow", "1", 1.0, "renal blood flow, of the person's own", tolerance=1e-7),
    State("urine", "mL/min", 1.0, "urine flow", tolerance=1e-6),
    State("fluid_excess", "mL", 0.0, "fluid received less fluid lost", low=-20_000.0, tolerance=1e-3),
    State("injury", "1", 0.0, "share of nephrons out of work", high=1.0, tolerance=1e-8),
)

PARAMETERS: Final = (
    Parameter("gfr", _gfr_ml_min(REFERENCE, 0.9), "mL/min", 2.0, 300.0, INKER + " times body surface over 1.73 m2",
              "filtration of the person's own", spread=0.15, estimated=True),
    Parameter("creatinine_baseline", 0.9, "mg/dL", 0.1, 15.0, INKER + ": the creatinine that goes with that filtration",
              spread=0.1),
    Parameter("urea_baseline", 14.0, "mg/dL", 2.0, 150.0, "usual adult interval 8 to 20 mg/dL of urea nitrogen",
              spread=0.2),
    Parameter("body_water", body_water_l(REFERENCE), "L", 1.0, 150.0, "Watson 1980 Am J Clin Nutr 33:27", spread=0.08),
    Parameter("urine_baseline", 0.8 * 77.1 / 60, "mL/min", 0.01, 10.0,
              "usual adult urine, 1.5 L a day", "urine flow when nothing is done", spread=0.25, estimated=True),
    Parameter("filtration_fraction", 0.2, "1", 0.02, 0.6, SMITH),
    Parameter("hematocrit", 0.45, "1", 0.05, 0.7, "usual adult haematocrit", scale="logit"),
    Parameter("pressure_reference", 87.0, "mm[Hg]", 30.0, 180.0, "usual adult mean arterial pressure",
              "pressure at which the person's own filtration holds"),
    Parameter("plateau", 80.0, "mm[Hg]", 30.0, 160.0, GUYTON, "autoregulation holds from here", spread=0.03),
    Parameter("filtration_stop", 45.0, "mm[Hg]", 10.0, 79.0, GUYTON, "no filtration below"),
    Parameter("flow_stop", 25.0, "mm[Hg]", 0.0, 79.0, GUYTON, "no blood flow below"),
    Parameter("plateau_top", 180.0, "mm[Hg]", 120.0, 260.0, GUYTON, "autoregulation holds to here"),
    Parameter("plateau_slope", 0.1, "1", 0.0, 1.0, GUYTON + ": a few per cent over the plateau"),
    Parameter("urine_stop", 50.0, "mm[Hg]", 10.0, 79.0, PRESSURE_DIURESIS),
    Parameter("urine_power", 1.5, "1", 0.2, 5.0, PRESSURE_DIURESIS, spread=0.2),
    Parameter("excess_rate", 0.0011, "/min", 0.0, 0.1, REID, "share of a fluid excess excreted in a minute",
              spread=0.4, estimated=True),
    Parameter("deficit_scale", 2_500.0, "mL", 200.0, 20_000.0, ATLS, "deficit that divides urine by e", spread=0.3),
    Parameter("lag", 0.5, "min", 0.05, 10.0,
              "assumption: myogenic answer within 10 s, tubuloglomerular feedback within a minute (Just 2007 Am J "
              "Physiol 292:R1)"),
    Parameter("urine_lag", 5.0, "min", 0.5, 60.0, "assumption: minutes from filtration to bladder"),
    Parameter("ischaemia_rate", 0.01, "/min", 0.0, 0.2,
              "assumption: an hour at 40 mmHg puts a sixth of the nephrons out of work", spread=0.5),
    Parameter("ischaemia_pressure", 60.0, "mm[Hg]", 20.0, 90.0,
              "assumption: injury begins where perioperative studies see it, at 55 to 65 mmHg (Walsh 2013 "
              "Anesthesiology 119:507)"),
    Parameter("toxin_rate", 1 / 2_880.0, "/min", 0.0, 0.1,
              "assumption: a severe nephrotoxin shows over two days", spread=0.5),
    Parameter("recovery", 5_760.0, "min", 100.0, 200_000.0, "assumption: tubules recover over days (here four)",
              spread=0.5),
    Parameter("age", 44.0, "a", 0.0, 120.0, "the person", scale="plain"),
    Parameter("female", 0.0, "1", 0.0, 1.0, "the person", scale="plain"),
    Parameter("urea_share", 0.5, "1", 0.1, 0.8, "Guyton and Hall 2006, chapter 27: about half of filtered urea"),
    Parameter("urine_most", 0.3, "1", 0.05, 1.0, "assumption: no more than this share of filtrate leaves as urine"),
)  # fmt: skip

INPUTS: Final = (
    Input("blood_loss", "mL/min", 0.0, 0.0, 3_000.0, "bleeding"),
    Input("crystalloid", "mL/min", 0.0, 0.0, 1_000.0, "crystalloid into a vein"),
    Input("colloid", "mL/min", 0.0, 0.0, 1_000.0, "colloid into a vein"),
    Input("red_cells", "mL/min", 0.0, 0.0, 1_000.0, "red cells into a vein"),
    Input("plasma", "mL/min", 0.0, 0.0, 1_000.0, "plasma into a vein"),
    Input("renal_replacement_therapy", "mL/min", 0.0, 0.0, 500.0, "clearance by the machine"),
    Input("nephrotoxin", "1", 0.0, 0.0, 1.0, "exposure to what harms tubules, 1: severe"),
)
IMPORTS: Final = (
    Import("arterial_pressure", "mm[Hg]", 87.0, "mean arterial pressure"),
    Import("diuresis_factor", "1", 1.0, "urine flow over what it would be, under a diuretic"),
    Import("tissue_damage_factor", "1", 1.0, "share of filtration that illness leaves (1: all of it)"),
)
EXPORTS: Final = (
    Export("urine_flow", "mL/s", "urine"),
    Export("renal_function_factor", "1", "filtration, of the person's own"),
)
OUTPUTS: Final = (
    Output("glomerular_filtration_rate", "mL/min", "filtration now, which no laboratory sees"),
    Output("renal_blood_flow", "mL/min", "both kidneys"),
    Output("urine_flow", "mL/h", "urine"),
    Output("creatinine", "mg/dL", "serum creatinine"),
    Output("egfr", "mL/min/{1.73_m2}", "CKD-EPI 2021 of that creatinine, late as a laboratory is"),
    Output("urea_nitrogen", "mg/dL", "urea nitrogen in serum"),
    Output("kidney_injury", "1", "share of nephrons out of work"),
    Output("fluid_excess", "mL", "fluid received less fluid lost"),
)


def personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """The kidney of a healthy person of that age, sex and build."""
    creatinine = usual_creatinine_mg_dl(person)
    values["gfr"] = _gfr_ml_min(person, creatinine)
    values["creatinine_baseline"] = creatinine
    values["body_water"] = body_water_l(person)
    values["urine_baseline"] *= person.weight_kg / 77.1
    values["age"] = person.age_years
    values["female"] = 1.0 if person.sex == "female" else 0.0
    values["hematocrit"] = 0.45 if person.sex == "male" else 0.40
    return values


def from_creatinine(person: Person, creatinine_mg_dl: float) -> dict[str, float]:
    """The parameters to set for a person whose usual creatinine is known: `simulate(..., parameters=...)`.

    Raises ModelError where it is no creatinine of a human being.
    """
    if not 0.1 <= creatinine_mg_dl <= 15.0:
        raise ModelError(f"found a creatinine of {creatinine_mg_dl} mg/dL, expected 0.1 to 15; correct it or its unit")
    return {
        "gfr": max(_gfr_ml_min(person, creatinine_mg_dl), 2.0),
        "creatinine_baseline": creatinine_mg_dl,
    }


def domain(person: Person) -> str:
    """CKD-EPI 2021 is of adults."""
    return "" if person.age_years >= 18 else f"{person.age_years:g} years old; CKD-EPI 2021 is of adults"

"""What the room of body fluids declares: parameters with sources, states, inputs, couplings, outputs."""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Export, Import, Input, Output, Parameter, State
from vitruvian.physiology.person import REFERENCE, Person

__all__ = ["EXPORTS", "IMPORTS", "INPUTS", "OUTPUTS", "PARAMETERS", "STATES", "personalise"]

BIGHAMIAN: Final = "Bighamian 2016, Front Physiol 7:390"

PARAMETERS: Final = (
    Parameter("blood_volume", 5_674.0, "mL", 100, 15_000, "standard male of Pulse's validation", "at the start", 0.07),
    Parameter("hematocrit_start", 0.44, "1", 0.1, 0.7, "men 0.41 to 0.50, women 0.36 to 0.44 (Beutler 2006, Blood "
              "107:1747)", "at the start", 0.06, estimated=True),
    Parameter("cell_hemoglobin", 33.4, "g/dL", 25, 38, "mean corpuscular concentration, 32 to 36 g/dL", "", 0.02),
    Parameter("interstitial_start", 11_700.0, "mL", 500, 40_000, "Guyton and Hall, chapter 25: 11 L of 70 kg"),
    Parameter("gain_shift", 0.07, "/min", 0.001, 1, f"{BIGHAMIAN}: proportional feedback; value: half in 8 to 10 min, "
              "Hahn 2010, Anesthesiology 113:470", "of the shift into the tissue", 0.3, estimated=True),
    Parameter("split_crystalloid", 2.3, "1", 0, 10, f"{BIGHAMIAN}, alpha of infusion; Hahn 2010: 25 to 30 % stays",
              "to the tissue over what stays in the vessels", 0.2, estimated=True),
    Parameter("split_colloid", 0.35, "1", 0, 5, "assumption: three quarters stay at first; "
              "Rehm 2001, Anesthesiology 95:849, found more", "as above"),
    Parameter("split_loss", 0.10, "1", 0, 5, f"{BIGHAMIAN}, alpha of haemorrhage; value: fitted to the blood volumes "
              "of Pulse's haemorrhage classes", "what the tissue gives back over what stays lost", 0.2),
    Parameter("filtration", 0.2, "mL/min/mm[Hg]", 0, 20, "assumption: what capillary pressure does beyond the feedback "
              "of volume; Guyton gives 6.7 for all of it", "by a change of capillary pressure", 0.3),
    Parameter("capillary_rest", 17.0, "mm[Hg]", 5, 40, "Guyton and Hall, chapter 16", "at which nothing is filtered"),
    Parameter("escape", 0.055, "/h", 0.005, 0.5, "transcapillary escape of albumin 5 to 6 %/h, three times that in "
              "septic shock (Fleck 1985, Lancet 325:781)", "of plasma, by each unit of leak above rest"),
    Parameter("red_cell_hematocrit", 0.55, "1", 0.3, 0.9, "red cells in additive solution 0.50 to 0.65 (European "
              "guide to blood components)", "of the concentrate given"),
    Parameter("intake", 0.8 * 77.1 / 60, "mL/min", 0, 20, "assumption: as much is drunk and eaten as leaves as urine "
              "while nothing is done, 1.5 L a day", "water taken in", scale="plain"),
    Parameter("unit_hemoglobin", 18.0, "g/dL", 8, 30, "as above: 50 to 60 g in 300 mL", "of it"),
)  # fmt: skip

STATES: Final = (
    State("plasma", "mL", 3_177.0, "volume in the vessels", tolerance=0.01),
    State("red_cells", "mL", 2_497.0, "volume in the vessels", tolerance=0.01),
    State("hemoglobin", "g", 834.0, "mass in the vessels", tolerance=0.005),
    State("interstitial", "mL", 11_700.0, "volume in the tissue", tolerance=0.1),
    State("held", "mL", 0.0, "change of blood volume that the balance of the vessels' wall aims at", low=-20_000.0,
          tolerance=0.01),
    State("flow", "mL/s", 0.0, "net flow into the vessels, lagged", low=-1_000.0, tolerance=1e-4),
)  # fmt: skip

INPUTS: Final = (
    Input("blood_loss", "mL/min", 0.0, 0.0, 2_000.0, "whole blood"),
    Input("crystalloid", "mL/min", 0.0, 0.0, 500.0, "isotonic"),
    Input("colloid", "mL/min", 0.0, 0.0, 500.0, "isoncotic"),
    Input("red_cells", "mL/min", 0.0, 0.0, 500.0, "red cell concentrate"),
    Input("plasma", "mL/min", 0.0, 0.0, 500.0, "thawed plasma"),
)

IMPORTS: Final = (
    Import("capillary_pressure", "mm[Hg]", 17.0),
    Import("urine_flow", "mL/s", 0.8 * 77.1 / 3_600, "water lost from the body"),
    Import("leak_factor", "1", 1.0, "permeability of capillaries against rest"),
)

EXPORTS: Final = (
    Export("blood_volume_flow", "mL/s", "into the vessels"),
    Export("hemoglobin_concentration", "g/dL"),
    Export("hematocrit_fraction", "1"),
)

OUTPUTS: Final = (
    Output("blood_volume", "mL"),
    Output("plasma_volume", "mL"),
    Output("interstitial_volume", "mL"),
    Output("hemoglobin", "g/dL"),
    Output("hematocrit", "%"),
    Output("hemoglobin_mass", "g"),
    Output("fluid_shift", "mL/min", "from the vessels into the tissue"),
)


def personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """Blood volume after Nadler 1962, tissue fluid by lean mass (Janmahasatian 2005), haematocrit by sex."""
    made = dict(values)
    made["blood_volume"] = values["blood_volume"] * person.blood_volume_ml / REFERENCE.blood_volume_ml
    lean = person.lean_mass_kg / REFERENCE.lean_mass_kg
    made["interstitial_start"] = values["interstitial_start"] * lean
    made["filtration"] = values["filtration"] * lean
    made["intake"] = values["intake"] * person.weight_kg / REFERENCE.weight_kg
    if person.sex == "female":
        made["hematocrit_start"] = values["hematocrit_start"] * 0.90
    limits = {one.name: one for one in PARAMETERS}
    return {name: min(max(value, limits[name].low), limits[name].high) for name, value in made.items()}

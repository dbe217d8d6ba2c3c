"""What warfarin declares, with its sources, and what a genotype changes."""

from __future__ import annotations

import math
from typing import Final

from vitruvian.core.errors import ModelError
from vitruvian.physiology.base import Dose, Import, Input, Output, Parameter, State
from vitruvian.physiology.person import Person

__all__ = ["CYP2C9", "VKORC1", "genotype", "personalise"]

HAMBERG: Final = "Hamberg 2007 Clin Pharmacol Ther 81:529, tables 2 to 4"
# Share of S-warfarin clearance left (table 2: 31.5, 45.3, 72.2, 69.0 and 85.2 % less), and EC50 in mg/L (table 4).
CYP2C9: Final = {"*1/*1": 1.0, "*1/*2": 0.685, "*1/*3": 0.547, "*2/*2": 0.278, "*2/*3": 0.310, "*3/*3": 0.148}
VKORC1: Final = {"GG": 4.61, "AG": 3.02, "AA": 2.20}
AGE_S: Final = -0.0091  # per year from 71, on S-warfarin's clearance
AGE_R: Final = -0.0098

STATES: Final = (
    State("gut", "mg", 0.0, "swallowed, not yet absorbed", tolerance=1e-9),
    State("s_central", "mg", 0.0, "S-warfarin in the central compartment", tolerance=1e-9),
    State("s_peripheral", "mg", 0.0, "S-warfarin in the second compartment", tolerance=1e-9),
    State("r_central", "mg", 0.0, "R-warfarin", tolerance=1e-9),
    State("enzyme", "1", 1.0, "amount of CYP2C9, of the usual", tolerance=1e-9),
    *(State(f"fast_{i}", "1", 1.0, "fast clotting factors in their chain", tolerance=1e-9) for i in range(1, 7)),
    State("slow", "1", 1.0, "slow clotting factors", tolerance=1e-9),
)

PARAMETERS: Final = (
    Parameter("clearance_s", 0.314, "L/h", 0.005, 3.0, HAMBERG, "S-warfarin, *1/*1, 71 years", spread=0.31,
              estimated=True),
    Parameter("volume_s", 13.8, "L", 1.0, 80.0, HAMBERG, spread=0.26),
    Parameter("flow_s", 0.131, "L/h", 0.005, 5.0, HAMBERG),
    Parameter("volume_s2", 6.59, "L", 0.1, 80.0, HAMBERG, spread=0.5),
    Parameter("absorption_rate", 2.0, "/h", 0.1, 20.0, HAMBERG + " (fixed there)"),
    Parameter("clearance_r", 0.139, "L/h", 0.005, 2.0, HAMBERG, "R-warfarin, 71 years", spread=0.255),
    Parameter("volume_r", 12.8, "L", 1.0, 80.0, HAMBERG, spread=0.27),
    Parameter("enzyme_share", 0.85, "1", 0.0, 1.0,
              "Rettie 1992 Chem Res Toxicol 5:54 (S-7-hydroxylation by CYP2C9 leads); Hamberg's *3/*3 leave 0.148",
              "CYP2C9's share of S-warfarin's clearance"),
    Parameter("enzyme_turnover", math.log(2) / 104.0, "/h", 1e-4, 1.0, "Yang J et al., Curr Drug Metab 9 (2008) 384"),
    Parameter("half_effect", 3.02, "mg/L", 0.2, 40.0, HAMBERG,
              "S-warfarin at half inhibition, VKORC1 AG (the most frequent genotype there)",
              spread=0.41, estimated=True),
    Parameter("hill", 0.424, "1", 0.1, 4.0, HAMBERG),
    Parameter("transit_fast", 28.6, "h", 1.0, 100.0,
              "Hamberg 2010 Clin Pharmacol Ther 87:727. The 11.6 h of 2007 put the lowest activity after a large dose "
              "at 24 h (at 108 h, if they are one compartment's); in O'Reilly's 32 volunteers it was at 48 h",
              "mean time through the six fast compartments", spread=0.14),
    Parameter("transit_slow", 120.0, "h", 10.0, 1_000.0, HAMBERG, spread=0.5),
    Parameter("inr_base", 1.0, "{INR}", 0.7, 2.0, HAMBERG + ": the patient's own before treatment"),
    Parameter("inr_max", 20.0, "{INR}", 5.0, 40.0, HAMBERG + " (fixed there)"),
    Parameter("inr_power", 3.61, "1", 1.0, 8.0, HAMBERG),
    Parameter("bioavailability", 1.0, "1", 0.0, 1.0, HAMBERG + ": clearances and volumes are apparent, by mouth"),
)  # fmt: skip

INPUTS: Final = (
    Input("cyp2c9_inhibition", "1", 0.0, 0.0, 1e4, "inhibitor's concentration over its Ki"),
    Input("cyp2c9_induction", "1", 0.0, 0.0, 50.0, "enzyme added in the steady state, of the usual"),
)
IMPORTS: Final = (Import("hepatic_function_factor", "1", 1.0, "function of the liver, of the person's own"),)
DOSES: Final = (Dose("warfarin", "mg", "gut", high=150.0, about="racemate, swallowed", factor_by="bioavailability"),)
OUTPUTS: Final = (
    Output("inr", "{INR}", "international normalised ratio"),
    Output("warfarin_level", "mg/L", "both enantiomers in plasma"),
    Output("s_warfarin_level", "mg/L", "the enantiomer that acts"),
    Output("clotting_activity", "%", "product of fast and slow factors, of the usual"),
)
SOURCES: Final = (
    "Hamberg A-K, Dahl M-L, Barban M, et al. A PK-PD model for predicting the impact of age, CYP2C9, and VKORC1 "
    "genotype on individualization of warfarin therapy. Clin Pharmacol Ther 81 (2007) 529-538",
    "Rowland M, Matin SB. J Pharmacokinet Biopharm 1 (1973) 553-567",
)


def personalise(values: dict[str, float], person: Person) -> dict[str, float]:
    """Clearances fall with age (Hamberg 2007: 0.91 and 0.98 % a year from 71); weight had no influence there."""
    years = min(person.age_years, 95.0) - 71.0
    values["clearance_s"] *= 1.0 + AGE_S * years
    values["clearance_r"] *= 1.0 + AGE_R * years
    return values


def genotype(person: Person, cyp2c9: str = "*1/*1", vkorc1: str = "GG") -> dict[str, float]:
    """The parameters to set for a genotype, as `simulate(..., parameters=genotype(person, "*1/*3", "AG"))`.

    Raises ModelError for a genotype that Hamberg 2007 does not report.
    """
    if cyp2c9 not in CYP2C9 or vkorc1 not in VKORC1:
        raise ModelError(
            f"found CYP2C9 {cyp2c9!r} and VKORC1 {vkorc1!r}, expected one of {', '.join(CYP2C9)} and one of "
            f"{', '.join(VKORC1)}"
        )
    values = personalise({one.name: one.value for one in PARAMETERS}, person)
    return {
        "clearance_s": values["clearance_s"] * CYP2C9[cyp2c9],
        "half_effect": VKORC1[vkorc1],
        # The poor alleles leave little enzyme for an inhibitor to act on.
        "enzyme_share": max(1.0 - (1.0 - values["enzyme_share"]) / CYP2C9[cyp2c9], 0.0),
    }


def domain(person: Person) -> str:
    """Adults only: children clear and clot otherwise."""
    return "" if person.age_years >= 18 else f"{person.age_years:g} years old; the data are of adults of 22 to 87"

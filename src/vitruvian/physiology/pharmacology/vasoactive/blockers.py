"""Esmolol and metoprolol: what they declare, with their sources."""

from __future__ import annotations

import math
from typing import Final

from vitruvian.physiology.base import Dose, Export, Import, Input, Model, Output, Parameter, State
from vitruvian.physiology.person import Person
from vitruvian.physiology.pharmacology.vasoactive import equations

__all__ = ["ESMOLOL", "METOPROLOL"]

SUM: Final = (
    "Sum 1983 Clin Pharmacol Ther 34:427 (8 volunteers): clearance 285 mL/min/kg, volume 3.43 L/kg (taken as that of "
    "the steady state), half-lives 2.03 and 9.19 min; solved from these four. That the central volume is a quarter, as "
    "is said there too, would leave nothing to decline with 9 min"
)
SIZE: Final = (
    "assumption: size of the effect at rest before reflexes; esmolol lowers a resting heart rate by a tenth or so and "
    "contractility rather more (Benfield and Sorkin 1987 Drugs 33:392)"
)
EXPORTS: Final = (
    Export("heart_rate_factor", "1", "on heart rate, before reflexes"),
    Export("contractility_factor", "1", "on the ventricles' elastance"),
)
# Volume of the steady state = clearance (alpha + beta - k10) / (alpha beta); alpha beta = k10 k21.
_ALPHA, _BETA = math.log(2) / 2.03, math.log(2) / 9.19
_K10: Final = _ALPHA + _BETA - 3.43 * _ALPHA * _BETA / 0.285
_V1: Final = 0.285 / _K10
_K21: Final = _ALPHA * _BETA / _K10
_K12: Final = _ALPHA + _BETA - _K10 - _K21


def _by_weight(values: dict[str, float], person: Person) -> dict[str, float]:
    size = person.weight_kg / 77.1
    for name in ("clearance", "volume", "flow_2", "volume_2"):
        values[name] *= size
    values["weight"] = person.weight_kg
    return values


def _adult(person: Person) -> str:
    return "" if person.age_years >= 16 else f"{person.age_years:g} years old; this model is of adults"


ESMOLOL: Final = Model(
    name="esmolol",
    title="Esmolol infusion",
    time_unit="min",
    states=(
        State("central", "mg", 0.0, "in the central compartment", tolerance=1e-8),
        State("effect_site", "mg/L", 0.0, "concentration at the receptors", tolerance=1e-9),
        State("peripheral", "mg", 0.0, "in the second compartment", tolerance=1e-8),
    ),
    parameters=(
        Parameter("clearance", 0.285 * 77.1, "L/min", 0.5, 200.0, SUM, spread=0.3, estimated=True),
        Parameter("volume", _V1 * 77.1, "L", 1.0, 600.0, SUM, spread=0.3),
        Parameter("flow_2", _K12 * _V1 * 77.1, "L/min", 1e-4, 200.0, SUM, spread=0.3),
        Parameter("volume_2", _K12 / _K21 * _V1 * 77.1, "L", 1e-3, 600.0, SUM, spread=0.3),
        Parameter("effect_rate", 0.8, "/min", 0.01, 20.0,
                  "assumption: nine tenths of the effect within five minutes of a loaded infusion, as its label says"),
        Parameter("half_effect", 0.5, "mg/L", 0.01, 50.0,
                  "assumption: Sum 1983 finds the answer to isoproterenol lowered at 50 to 400 ug/kg/min (0.18 to 1.4 "
                  "mg/L), with the logarithm of the concentration", spread=0.4),
        Parameter("heart_rate_max", 0.25, "1", 0.0, 0.9, SIZE, "largest fall of heart rate", spread=0.25,
                  estimated=True),
        Parameter("contractility_max", 0.35, "1", 0.0, 0.9, SIZE, "largest fall of contractility", spread=0.25),
        Parameter("weight", 77.1, "kg", 0.3, 400.0, "the person"),
    ),
    inputs=(Input("esmolol", "ug/kg/min", 0.0, 0.0, 1_000.0, "infusion into a vein"),),
    doses=(Dose("esmolol", "mg", "central", high=300.0, about="into a vein"),),
    exports=EXPORTS,
    outputs=(
        Output("esmolol_plasma", "ug/mL", "esmolol in blood"),
        Output("beta_blockade", "1", "share of the beta receptors' effect that is blocked"),
    ),
    rhs=equations.esmolol_rhs,
    observe=equations.blocker_observe,
    emit=equations.blocker_emit,
    start=equations.start,
    personalise=_by_weight,
    domain=_adult,
    rtol=1e-7,
    first_step=1e-2,
    h_max=10.0,
    grid_s=60.0,
    limits="Adults; what it does at rest is small and depends on how much sympathetic drive there is to block.",
    sources=(
        "Sum CY, Yacobi A, Kartzinel R, et al. Kinetics of esmolol, an ultra-short-acting beta blocker, and of its "
        "major metabolite. Clin Pharmacol Ther 34 (1983) 427-434",
    ),
)  # fmt: skip

REGARDH: Final = "Regardh and Johnsson 1980 Clin Pharmacokinet 5:557 (clearance about 1 L/min, half-life 3 to 4 h)"

METOPROLOL: Final = Model(
    name="metoprolol",
    title="Metoprolol by mouth or vein",
    time_unit="h",
    states=(
        State("central", "mg", 0.0, "in the central compartment", tolerance=1e-9),
        State("effect_site", "mg/L", 0.0, "concentration at the receptors", tolerance=1e-11),
        State("peripheral", "mg", 0.0, "in the second compartment", tolerance=1e-9),
        State("gut", "mg", 0.0, "swallowed, not yet absorbed", tolerance=1e-9),
        State("enzyme", "1", 1.0, "amount of CYP2D6, of the usual", tolerance=1e-9),
    ),
    parameters=(
        Parameter("clearance", 60.0, "L/h", 2.0, 300.0, REGARDH, spread=0.4, estimated=True),
        Parameter("volume", 150.0, "L", 5.0, 900.0, REGARDH, spread=0.2),
        Parameter("flow_2", 120.0, "L/h", 0.1, 2_000.0, "assumption: distributes within half an hour", spread=0.2),
        Parameter("volume_2", 140.0, "L", 5.0, 900.0, REGARDH, spread=0.2),
        Parameter("effect_rate", 6.0, "/h", 0.1, 60.0, "assumption: the heart follows within minutes"),
        Parameter("half_effect", 0.05, "mg/L", 0.001, 2.0,
                  "assumption: near half of the largest fall of exercise heart rate at some 50 ug/L", spread=0.4),
        Parameter("heart_rate_max", 0.25, "1", 0.0, 0.9, SIZE, "largest fall of heart rate", spread=0.25,
                  estimated=True),
        Parameter("contractility_max", 0.3, "1", 0.0, 0.9, SIZE, "largest fall of contractility", spread=0.25),
        Parameter("weight", 77.1, "kg", 0.3, 400.0, "the person"),
        Parameter("enzyme_share", 0.8, "1", 0.0, 1.0,
                  "Blake 2013 Clin Pharmacol Ther 94:394: exposure about five times greater in poor metabolisers of "
                  "CYP2D6, so that about four fifths go that way"),
        Parameter("absorption_rate", 1.3, "/h", 0.05, 20.0, "assumption: peak after 1.5 to 2 h", spread=0.4),
        Parameter("enzyme_turnover", math.log(2) / 51.0, "/h", 1e-4, 1.0,
                  "Yang J et al., Curr Drug Metab 9 (2008) 384"),
        Parameter("bioavailability", 0.5, "1", 0.0, 1.0, REGARDH + "; first pass", spread=0.0),
    ),
    inputs=(
        Input("metoprolol", "mg/h", 0.0, 0.0, 50.0, "infusion into a vein"),
        Input("cyp2d6_inhibition", "1", 0.0, 0.0, 1e4, "inhibitor's concentration over its Ki"),
        Input("cyp2d6_induction", "1", 0.0, 0.0, 50.0, "enzyme added in the steady state, of the usual"),
    ),
    imports=(Import("hepatic_function_factor", "1", 1.0, "function of the liver, of the person's own"),),
    doses=(
        Dose("metoprolol", "mg", "gut", high=500.0, about="swallowed", factor_by="bioavailability"),
        Dose("metoprolol_iv", "mg", "central", high=30.0, about="into a vein", concept="metoprolol"),
    ),
    exports=EXPORTS,
    outputs=(
        Output("metoprolol_plasma", "mg/L", "metoprolol in plasma"),
        Output("beta_blockade", "1", "share of the beta receptors' effect that is blocked"),
    ),
    rhs=equations.metoprolol_rhs,
    observe=equations.blocker_observe,
    emit=equations.blocker_emit,
    start=equations.metoprolol_start,
    personalise=_by_weight,
    domain=_adult,
    rtol=1e-8,
    first_step=1e-3,
    h_max=12.0,
    grid_s=60.0,
    limits="Adults. First pass is not changed by inhibition: exposure by mouth under a strong inhibitor is too low.",
    sources=("Regardh CG, Johnsson G. Clinical pharmacokinetics of metoprolol. Clin Pharmacokinet 5 (1980) 557-569",),
)  # fmt: skip

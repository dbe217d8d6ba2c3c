"""The declarations of the inflammatory room: states, parameters with their sources, what acts on it, what it shows."""

from __future__ import annotations

from typing import Final

from vitruvian.physiology.base import Dose, Export, Import, Input, Output, Parameter, State

__all__ = ["DOSES", "EXPORTS", "IMPORTS", "INPUTS", "LIMITS", "OUTPUTS", "PARAMETERS", "SOURCES", "STATES"]

STATES: Final = (
    State(
        "pathogen",
        "1",
        0.0,
        "pathogen in blood and tissue, of P_inf = 20 (10^6/mL in the paper)",
        high=1e3,
        tolerance=1e-8,
    ),
    State("phagocytes", "1", 0.0, "activated phagocytes N*", high=1e2),
    State("damage", "1", 0.0, "tissue damage D", high=1e3),
    State("anti_inflammatory", "1", 0.125, "anti-inflammatory mediators C_A (background s_c / mu_c)", high=1e2),
    State("injury", "1", 0.0, "what the organs feel of the inflammation, late", high=1.0),
)

_R: Final = "Reynolds 2006 (J Theor Biol 242:220) table 1"
_ASSUMED: Final = "assumption: the link of this dimensionless model to the circulation is ours; "

PARAMETERS: Final = (
    Parameter("k_pg", 0.6, "/h", 0.02, 2.5, _R + ", varied there from 0.021 to 2.44", "growth of the pathogen",
              spread=0.25, estimated=True),
    Parameter("p_inf", 20.0, "1", 1.0, 100.0, _R, "most pathogen that tissue carries"),
    Parameter("k_pm", 0.6, "/h", 0.1, 2.0, _R, "killing by local, non-specific defence"),
    Parameter("s_m", 0.005, "/h", 0.0005, 0.05, _R, "source of the local defence"),
    Parameter("mu_m", 0.002, "/h", 0.0002, 0.02, _R, "decay of the local defence"),
    Parameter("k_mp", 0.01, "/h", 0.001, 0.1, _R, "use of the local defence by pathogen"),
    Parameter("k_pn", 1.8, "/h", 0.2, 6.0, _R, "killing by activated phagocytes", spread=0.2),
    Parameter("k_np", 0.1, "/h", 0.01, 1.0, _R, "activation by pathogen", spread=0.2),
    Parameter("k_nn", 0.01, "/h", 0.001, 0.1, _R, "activation by phagocytes"),
    Parameter("k_nd", 0.02, "/h", 0.002, 0.2, _R, "activation by damage", spread=0.2),
    Parameter("s_nr", 0.08, "/h", 0.01, 0.5, _R, "source of resting phagocytes", spread=0.1),
    Parameter("mu_nr", 0.12, "/h", 0.02, 1.0, _R, "decay of resting phagocytes"),
    Parameter("mu_n", 0.05, "/h", 0.01, 0.5, _R, "decay of activated phagocytes"),
    Parameter("k_dn", 0.35, "/h", 0.05, 2.0, _R, "most damage by phagocytes", spread=0.2),
    Parameter("x_dn", 0.06, "1", 0.01, 0.5, _R, "phagocytes that do half of it"),
    Parameter("mu_d", 0.02, "/h", 0.005, 0.2, _R, "repair of damage", spread=0.2, estimated=True),
    Parameter("c_inf", 0.28, "1", 0.05, 1.0, _R, "anti-inflammatory mediators that halve an effect"),
    Parameter("s_c", 0.0125, "/h", 0.001, 0.1, _R, "source of anti-inflammatory mediators"),
    Parameter("k_cn", 0.04, "/h", 0.005, 0.3, _R, "most production of anti-inflammatory mediators", spread=0.2),
    Parameter("k_cnd", 48.0, "1", 5.0, 200.0, _R, "weight of damage in it"),
    Parameter("mu_c", 0.1, "/h", 0.02, 0.5, _R, "decay of anti-inflammatory mediators"),
    Parameter("psi_min", -6.5, "/h", -20.0, -0.1, "Regoes 2004 (Antimicrob Agents Chemother 48:3670): E. coli and "
              "ciprofloxacin", "net growth at the highest exposure", scale="plain"),
    Parameter("kappa", 1.1, "1", 0.3, 5.0, "Regoes 2004 (Antimicrob Agents Chemother 48:3670) table: E. coli and "
              "ciprofloxacin", "Hill coefficient of the kill curve"),
    Parameter("penetration", 0.5, "1", 0.0, 1.0, "assumption: half of the free drug in blood reaches the site",
              "concentration at the site against blood"),
    Parameter("exposure_mic", 4.0, "1", 0.05, 50.0, "assumption: a full course (antibiotic = 1) keeps this many times "
              "the minimal inhibitory concentration in blood"),
    Parameter("mic", 1.0, "mg/L", 0.001, 1024.0, "EUCAST: breakpoints of common antibiotics against Enterobacterales",
              "minimal inhibitory concentration for `antibiotic_concentration`"),
    Parameter("injury_half", 0.35, "1", 0.02, 3.0, _ASSUMED + "activated phagocytes at half of the effect"),
    Parameter("injury_lag", 4.0, "h", 0.2, 48.0, _ASSUMED + "hours from cells to organs"),
    Parameter("resistance_fall", 0.55, "1", 0.0, 0.9, _ASSUMED + "most fall of vascular resistance; septic shock halves"
              " it (Parrillo 1993, N Engl J Med 328:1471)", spread=0.2, estimated=True),
    Parameter("contractility_fall", 0.35, "1", 0.0, 0.9, _ASSUMED + "Parker 1984 (Ann Intern Med 100:483): ejection "
              "fraction 0.3-0.4 in septic shock", spread=0.3),
    Parameter("tone_fall", 0.25, "1", 0.0, 0.9, _ASSUMED + "venous pooling (Magder 2016, Crit Care 20:89)", spread=0.3),
    Parameter("leak_rise", 1.3, "1", 0.0, 10.0, _ASSUMED + "Fleck 1985 (Lancet 1:781): albumin escapes three times "
              "as fast in septic shock", spread=0.3),
    Parameter("heart_rate_rise", 0.15, "1", 0.0, 1.0, _ASSUMED + "beyond reflexes; with 10 beats a degree of fever"),
    Parameter("fever", 2.2, "K", 0.0, 4.0, _ASSUMED + "most rise of body temperature", spread=0.25),
    Parameter("metabolism_rise", 0.25, "1", 0.0, 1.0, _ASSUMED + "Kreymann 1993 (Crit Care Med 21:1012): oxygen uptake "
              "30-55 % up in sepsis, fever included"),
    Parameter("lung_damage", 0.6, "1", 0.0, 1.0, _ASSUMED + "most lung injury (of 1)", spread=0.3),
    Parameter("lactate_rise", 2.0, "1", 0.0, 10.0, _ASSUMED + "adrenergic glycolysis (Levy 2005, Lancet 365:871)"),
    Parameter("damage_half", 8.0, "1", 0.5, 50.0, _ASSUMED + "tissue damage at half of its effect on lung and heart"),
)  # fmt: skip

INPUTS: Final = (
    Input("antibiotic", "1", 0.0, 0.0, 10.0, "exposure, as a share of a full course that works"),
    Input("anti_inflammatory_therapy", "1", 0.0, 0.0, 10.0, "added source of anti-inflammatory mediators, of s_c"),
)

DOSES: Final = (Dose("infection", "1", "pathogen", high=100.0, about="pathogen added at once, of p_inf = 20"),)

IMPORTS: Final = (Import("antibiotic_concentration", "mg/L", 0.0, "free drug in blood, of a drug's room"),)

EXPORTS: Final = (
    Export("resistance_factor", "1"),
    Export("contractility_factor", "1"),
    Export("venous_tone_factor", "1"),
    Export("heart_rate_factor", "1"),
    Export("leak_factor", "1"),
    Export("lung_injury", "1"),
    Export("temperature_shift", "K"),
    Export("metabolic_demand", "1"),
    Export("lactate_production_factor", "1"),
)

OUTPUTS: Final = (
    Output("pathogen_load", "1"),
    Output("inflammation_level", "1", "activated phagocytes, against those at half of their effect on organs"),
    Output("tissue_damage", "1"),
    Output("anti_inflammatory", "1"),
    Output("body_temperature", "Cel"),
    Output("leukocytes", "10*3/uL", "assumption: 7, and as many more as phagocytes are activated, of their ceiling"),
)

LIMITS: Final = (
    "A dimensionless model of infection in general: no organism, no site, no adaptive immunity. Its course is a "
    "hypothesis, its link to the circulation an assumption. Not for choosing or timing a treatment."
)

SOURCES: Final = (
    "Reynolds 2006 J Theor Biol 242:220",
    "Day 2006 J Theor Biol 242:237",
    "Regoes 2004 Antimicrob Agents Chemother 48:3670",
)

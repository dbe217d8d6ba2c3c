"""The linear drugs: theophylline, caffeine, phenobarbital in the newborn, and three models of no drug in particular."""

from __future__ import annotations

import math
from typing import Final

from vitruvian.physiology.base import Model, Output, Parameter
from vitruvian.physiology.person import Person
from vitruvian.physiology.pharmacology.compartments.parameters import TURNOVER_SOURCE, linear_drug, scaled

__all__ = [
    "CAFFEINE",
    "CAFFEINE_NEWBORN",
    "ONE_COMPARTMENT",
    "PHENOBARBITAL_NEWBORN",
    "THEOPHYLLINE",
    "THREE_COMPARTMENT",
    "TWO_COMPARTMENT",
]

CYP1A2_TURNOVER: Final = math.log(2) / 39.0
ANY: Final = "assumption: round numbers of no drug in particular"
CHARLES: Final = "Charles 2008 Ther Drug Monit 30:709"
CAFFEINE_ADULT: Final = "Arnaud 1993 Prog Drug Res 40:1 (adults: half-life about 5 h, volume about 0.6 L/kg)"
SHAPE: Final = (0.0, 1.0)


def _common(
    clearance: Parameter,
    renal_share: tuple[float, str],
    enzyme_share: tuple[float, str],
    absorption: tuple[float, float, str],
    turnover: tuple[float, str],
    volume: Parameter,
    bioavailability: tuple[float, str],
) -> tuple[Parameter, ...]:
    """The seven parameters that every linear drug has; absorption is (rate /h, spread, source)."""
    return (
        clearance,
        Parameter("renal_share", renal_share[0], "1", *SHAPE, renal_share[1], "share of clearance by the kidney"),
        Parameter("enzyme_share", enzyme_share[0], "1", *SHAPE, enzyme_share[1], "the enzyme's share of the rest"),
        Parameter("absorption_rate", absorption[0], "/h", 1e-3, 50.0, absorption[2], spread=absorption[1]),
        Parameter("enzyme_turnover", turnover[0], "/h", 1e-4, 1.0, turnover[1], "how fast induction comes and goes"),
        volume,
        Parameter("bioavailability", bioavailability[0], "1", 0.0, 1.0, bioavailability[1]),
    )


def _adult(person: Person) -> str:
    return "" if person.age_years >= 16 else f"{person.age_years:g} years old; this model is of adults"


THEOPH_FIT: Final = (
    "Upton's data of 12 volunteers (Boeckmann, Sheiner, Beal 1994 NONMEM guide V) as fitted by Pinheiro and Bates "
    "2000, table 8.4: log clearance -3.2 /kg/h, log ka 0.45, log ke -2.43"
)
THEOPHYLLINE: Final[Model] = linear_drug(
    "theophylline",
    "Theophylline by mouth or vein",
    parameters=_common(
        Parameter("clearance", 0.040 * 70, "L/h", 0.2, 30.0, THEOPH_FIT, spread=0.25, estimated=True),
        (0.10, "Ogilvie 1978 Clin Pharmacokinet 3:267: about a tenth unchanged in urine"),
        (
            0.80,
            "assumption: CYP1A2's share of hepatic clearance, by what smoking and fluvoxamine change",
        ),
        (1.57, 0.6, THEOPH_FIT),
        (CYP1A2_TURNOVER, TURNOVER_SOURCE),
        Parameter("volume", 0.46 * 70, "L", 3.0, 150.0, THEOPH_FIT, spread=0.13, estimated=True),
        (0.96, "Hendeles 1977 Clin Pharmacokinet 2:309: completely absorbed from solution and plain tablets"),
    ),
    level=Output("theophylline_level", "ug/mL", "theophylline in plasma"),
    rate_max=200.0,
    dose_max=1_500.0,
    personalise=scaled,
    enzyme="cyp1a2",
    domain=_adult,
    limits="Adults; elimination is taken as linear, which fails above about 20 mg/L.",
    sources=(THEOPH_FIT,),
)


def _caffeine_adult(values: dict[str, float], person: Person) -> dict[str, float]:
    return scaled(values, person)


CAFFEINE: Final[Model] = linear_drug(
    "caffeine",
    "Caffeine in adults",
    parameters=_common(
        Parameter("clearance", 0.083 * 70, "L/h", 0.2, 40.0, CAFFEINE_ADULT, spread=0.4, estimated=True),
        (0.02, "Arnaud 1993: 1 to 2 % unchanged in urine"),
        (0.95, "assumption: nearly all by CYP1A2 (Kalow and Tang 1993 Clin Pharmacol Ther 53:503)"),
        (6.0, 0.6, "Blanchard and Sawers 1983 Eur J Clin Pharmacol 24:93: peak within half an hour of swallowing"),
        (CYP1A2_TURNOVER, TURNOVER_SOURCE),
        Parameter("volume", 0.6 * 70, "L", 3.0, 200.0, CAFFEINE_ADULT, spread=0.15, estimated=True),
        (1.0, "Blanchard and Sawers 1983: complete"),
    ),
    level=Output("caffeine_level", "mg/L", "caffeine in plasma"),
    rate_max=200.0,
    dose_max=2_000.0,
    personalise=_caffeine_adult,
    enzyme="cyp1a2",
    domain=_adult,
    limits="Adults who are not pregnant, up to some 500 mg at a time (beyond, elimination saturates).",
    sources=(CAFFEINE_ADULT,),
)


def _caffeine_newborn(values: dict[str, float], person: Person) -> dict[str, float]:
    """Charles 2008: CL = 0.167 (W/70)^0.75 (PNA/12)^0.358 L/h with PNA in days; V = 58.7 L for 70 kg, by weight."""
    size = person.weight_kg / 70.0
    age_d = max(person.age_years * 365.25, 0.5)
    values["clearance"] *= size**0.75 * (age_d / 12.0) ** 0.358
    values["volume"] *= size
    return values


def _newborn(person: Person) -> str:
    if person.age_years * 365.25 > 90 or not 0.4 <= person.weight_kg <= 6:
        return (
            f"{person.age_years * 365.25:.0f} days old and {person.weight_kg:g} kg; this model is of preterm newborns"
        )
    return ""


CAFFEINE_NEWBORN: Final[Model] = linear_drug(
    "caffeine_newborn",
    "Caffeine base in the preterm newborn",
    parameters=_common(
        Parameter("clearance", 0.167, "L/h", 1e-4, 5.0, CHARLES, spread=0.19, estimated=True),
        (0.86, "Aldridge 1979 J Pediatr 94:663: about 85 % unchanged in urine in the newborn"),
        (0.9, "assumption: what is metabolised goes by CYP1A2, as in adults"),
        (1.48, 0.5, CHARLES),
        (CYP1A2_TURNOVER, TURNOVER_SOURCE),
        Parameter("volume", 58.7, "L", 0.05, 100.0, CHARLES, spread=0.22, estimated=True),
        (1.0, CHARLES + ": bioavailability complete"),
    ),
    level=Output("caffeine_level", "mg/L", "caffeine base in plasma"),
    drug="caffeine",
    rate_max=50.0,
    dose_max=200.0,
    personalise=_caffeine_newborn,
    enzyme="cyp1a2",
    domain=_newborn,
    limits="Preterm newborns in the first three months; doses are of caffeine base (half of the citrate).",
    sources=("Charles BG et al. Caffeine citrate treatment for extremely premature infants with apnea: population "
             "pharmacokinetics. Ther Drug Monit 30 (2008) 709-716",),
)  # fmt: skip

GRASELA: Final = "Grasela and Donn 1985 Dev Pharmacol Ther 8:374: CL 0.0047 L/h/kg, V 0.96 L/kg"


def _per_kg(values: dict[str, float], person: Person) -> dict[str, float]:
    values["clearance"] *= person.weight_kg
    values["volume"] *= person.weight_kg
    return values


PHENOBARBITAL_NEWBORN: Final[Model] = linear_drug(
    "phenobarbital_newborn",
    "Phenobarbital in the newborn",
    parameters=_common(
        Parameter("clearance", 0.0047, "L/h", 1e-4, 5.0, GRASELA, spread=0.19, estimated=True),
        (0.25, "assumption: about a quarter unchanged in urine, as in adults"),
        (0.5, "assumption: CYP2C9's share"),
        (0.5, 0.5, "assumption: absorbed over some hours"),
        (math.log(2) / 104.0, TURNOVER_SOURCE),
        Parameter("volume", 0.96, "L", 0.05, 100.0, GRASELA, spread=0.16, estimated=True),
        (0.9, "assumption: nearly complete"),
    ),
    level=Output("phenobarbital_level", "ug/mL", "phenobarbital in plasma"),
    drug="phenobarbital",
    rate_max=100.0,
    dose_max=400.0,
    personalise=_per_kg,
    enzyme="cyp2c9",
    domain=_newborn,
    limits="Newborns in the first weeks; the enzyme's maturation within them is not followed.",
    sources=(GRASELA,),
)


def _generic(extra: int) -> Model:
    number = ("one", "two", "three")[extra]
    tissues = (
        Parameter("flow_2", 4.0, "L/h", 1e-4, 1e4, ANY),
        Parameter("volume_2", 20.0, "L", 1e-3, 1e5, ANY),
        Parameter("flow_3", 0.8, "L/h", 1e-4, 1e4, ANY),
        Parameter("volume_3", 60.0, "L", 1e-3, 1e5, ANY),
    )[: 2 * extra]
    return linear_drug(
        f"{number}_compartment",
        f"A drug of {number} compartment{'s' * (extra > 0)}",
        parameters=_common(
            Parameter("clearance", 5.0, "L/h", 1e-4, 1e4, ANY, spread=0.3, estimated=True),
            (0.3, ANY),
            (0.8, ANY),
            (1.2, 0.4, ANY),
            (math.log(2) / 36.0, ANY),
            Parameter("volume", 30.0, "L", 1e-3, 1e5, ANY, spread=0.3, estimated=True),
            (0.8, ANY),
        )
        + tissues,
        level=Output("drug_level", "mg/L", "drug in plasma"),
        drug="drug",
        rate_max=1e5,
        dose_max=1e6,
        personalise=scaled,
        limits="For drugs whose kinetics are linear; give it the drug's own parameters.",
        sources=("Gibaldi M, Perrier D. Pharmacokinetics, 2nd ed. Marcel Dekker 1982, chapters 1 to 3",),
    )


ONE_COMPARTMENT: Final[Model] = _generic(0)
TWO_COMPARTMENT: Final[Model] = _generic(1)
THREE_COMPARTMENT: Final[Model] = _generic(2)

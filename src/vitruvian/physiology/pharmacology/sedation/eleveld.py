"""Eleveld's propofol model: its parameters for a person.

Source: Eleveld DJ, Colin P, Absalom AR, Struys MMRF. Pharmacokinetic-pharmacodynamic model for propofol for broad
application in anaesthesia and sedation. Br J Anaesth 120 (2018) 942-959, tables 2 and 3. Fat-free mass: Al-Sallami HS
et al. Clin Pharmacokinet 54 (2015) 1183-1193.
"""

from __future__ import annotations

import math
from typing import Final

from vitruvian.physiology.person import Person

__all__ = ["REFERENCE_PERSON", "eleveld", "fat_free_mass_kg"]

REFERENCE_PERSON: Final = Person(35.0, "male", 170.0, 70.0)
GESTATION_WEEKS: Final = 40.0


def fat_free_mass_kg(person: Person) -> float:
    """Fat-free mass (kg) from age, sex, weight and height, children included (Al-Sallami 2015)."""
    if person.sex == "male":
        ripe, half, slope, base, rise = 0.88, 13.4, -12.7, 6_680.0, 216.0
    else:
        ripe, half, slope, base, rise = 1.11, 7.1, -1.1, 8_780.0, 244.0
    grown = ripe + (1.0 - ripe) / (1.0 + math.pow(max(person.age_years, 1e-3) / half, slope))
    return grown * 9_270.0 * person.weight_kg / (base + rise * person.bmi)


def _sigmoid(x: float, half: float, slope: float) -> float:
    return 1.0 / (1.0 + math.pow(half / x, slope))


def _weeks(person: Person) -> float:
    """Age since conception, weeks, for a birth at term."""
    return person.age_years * 52.143 + GESTATION_WEEKS


def eleveld(person: Person, opiates: bool = False) -> dict[str, float]:
    """Volumes (L), clearances (L/min), effect-site rate (/min) and concentration of half effect (ug/mL) of a person.

    Of arterial samples, as what reaches the heart and brain is. `opiates` says whether opioids are given besides.
    """
    standard = REFERENCE_PERSON
    age, size = person.age_years, person.weight_kg / 70.0
    slow_ripe = _sigmoid(_weeks(person), 68.3, 1.0)
    slow_ripe_standard = _sigmoid(_weeks(standard), 68.3, 1.0)
    v2 = 25.5 * size * math.exp(-0.0156 * (age - 35.0))
    v3 = 273.0 * fat_free_mass_kg(person) / fat_free_mass_kg(standard)
    clearance = (1.79 if person.sex == "male" else 2.10) * size**0.75
    clearance *= _sigmoid(_weeks(person), 42.3, 9.06) / _sigmoid(_weeks(standard), 42.3, 9.06)
    if opiates:
        v3 *= math.exp(-0.0138 * age)
        clearance *= math.exp(-0.00286 * age)
    return {
        "volume": 6.28 * _sigmoid(person.weight_kg, 33.6, 1.0) / _sigmoid(70.0, 33.6, 1.0),
        "volume_2": v2,
        "volume_3": v3,
        "clearance": clearance,
        "flow_2": 1.75 * (v2 / 25.5) ** 0.75 * (1.0 + 1.30 * (1.0 - slow_ripe)),
        "flow_3": 1.11 * (v3 / 273.0) ** 0.75 * slow_ripe / slow_ripe_standard,
        "effect_rate": 0.146 * size**-0.25,
        "bis_half": 3.08 * math.exp(-0.00635 * (age - 35.0)),
    }

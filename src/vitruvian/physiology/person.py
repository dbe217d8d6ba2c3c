"""Whose body it is: age, sex, height and weight, and what follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

from vitruvian.core.errors import ModelError

__all__ = ["REFERENCE", "Person"]


@dataclass(frozen=True, slots=True)
class Person:
    """A person. Raises ModelError where a value is not of a human being."""

    age_years: float = 44.0
    sex: Literal["male", "female"] = "male"
    height_cm: float = 180.0
    weight_kg: float = 77.1

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("age_years", self.age_years, 0.0, 120.0),
            ("height_cm", self.height_cm, 20.0, 260.0),
            ("weight_kg", self.weight_kg, 0.3, 400.0),
        ):
            if not low <= value <= high:
                raise ModelError(f"found {name} = {value}, expected {low:g} to {high:g}; correct the person")
        if self.sex not in ("male", "female"):
            raise ModelError(f"found sex {self.sex!r}, expected male or female (the equations know no other)")

    @property
    def bsa_m2(self) -> float:
        """Body surface area, m2 (Du Bois 1916: 0.007184 W^0.425 H^0.725)."""
        return float(0.007184 * self.weight_kg**0.425 * self.height_cm**0.725)

    @property
    def bmi(self) -> float:
        """Body mass index, kg/m2."""
        return self.weight_kg / (self.height_cm / 100) ** 2

    @property
    def ideal_weight_kg(self) -> float:
        """Predicted body weight, kg, of an adult (ARDSNet 2000, after Devine 1974)."""
        return max((50.0 if self.sex == "male" else 45.5) + 0.91 * (self.height_cm - 152.4), 0.3)

    @property
    def blood_volume_ml(self) -> float:
        """Blood volume of an adult, mL (Nadler 1962)."""
        h3 = (self.height_cm / 100) ** 3
        if self.sex == "male":
            return 1_000 * (0.3669 * h3 + 0.03219 * self.weight_kg + 0.6041)
        return 1_000 * (0.3561 * h3 + 0.03308 * self.weight_kg + 0.1833)

    @property
    def lean_mass_kg(self) -> float:
        """Fat-free mass, kg (Janmahasatian 2005)."""
        if self.sex == "male":
            return 9_270 * self.weight_kg / (6_680 + 216 * self.bmi)
        return 9_270 * self.weight_kg / (8_780 + 244 * self.bmi)

    def relative(self, power: float = 0.75) -> float:
        """Allometric size against the reference person's weight."""
        return math.pow(self.weight_kg / 77.1, power)


# The standard male of the Pulse and BioGears validation tables.
REFERENCE: Final = Person()

"""Drugs with linear kinetics."""

from vitruvian.physiology.pharmacology.compartments.drugs import (
    CAFFEINE,
    CAFFEINE_NEWBORN,
    ONE_COMPARTMENT,
    PHENOBARBITAL_NEWBORN,
    THEOPHYLLINE,
    THREE_COMPARTMENT,
    TWO_COMPARTMENT,
)

__all__ = [
    "CAFFEINE",
    "CAFFEINE_NEWBORN",
    "ONE_COMPARTMENT",
    "PHENOBARBITAL_NEWBORN",
    "THEOPHYLLINE",
    "THREE_COMPARTMENT",
    "TWO_COMPARTMENT",
]

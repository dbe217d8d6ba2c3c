"""Drugs: how much of them is where, and what they do to the rest of the body."""

from vitruvian.physiology.pharmacology.antibiotics import CIPROFLOXACIN, VANCOMYCIN
from vitruvian.physiology.pharmacology.anticoagulant import WARFARIN, genotype
from vitruvian.physiology.pharmacology.compartments import (
    CAFFEINE,
    CAFFEINE_NEWBORN,
    ONE_COMPARTMENT,
    PHENOBARBITAL_NEWBORN,
    THEOPHYLLINE,
    THREE_COMPARTMENT,
    TWO_COMPARTMENT,
)
from vitruvian.physiology.pharmacology.diuretic import FUROSEMIDE
from vitruvian.physiology.pharmacology.sedation import FENTANYL, PROPOFOL
from vitruvian.physiology.pharmacology.vasoactive import ESMOLOL, METOPROLOL, NOREPINEPHRINE

__all__ = [
    "CAFFEINE",
    "CAFFEINE_NEWBORN",
    "CIPROFLOXACIN",
    "ESMOLOL",
    "FENTANYL",
    "FUROSEMIDE",
    "METOPROLOL",
    "NOREPINEPHRINE",
    "ONE_COMPARTMENT",
    "PHENOBARBITAL_NEWBORN",
    "PROPOFOL",
    "THEOPHYLLINE",
    "THREE_COMPARTMENT",
    "TWO_COMPARTMENT",
    "VANCOMYCIN",
    "WARFARIN",
    "genotype",
]

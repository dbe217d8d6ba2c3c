"""Drugs that act on heart and vessels."""

from vitruvian.physiology.pharmacology.vasoactive.blockers import ESMOLOL, METOPROLOL
from vitruvian.physiology.pharmacology.vasoactive.norepinephrine import NOREPINEPHRINE

__all__ = ["ESMOLOL", "METOPROLOL", "NOREPINEPHRINE"]

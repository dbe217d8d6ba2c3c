"""Drugs: the contract for each, and what each does at the bedside."""

from __future__ import annotations

from vitruvian.physiology.actions import Action
from vitruvian.physiology.pharmacology import (
    CAFFEINE,
    CIPROFLOXACIN,
    ESMOLOL,
    FUROSEMIDE,
    METOPROLOL,
    NOREPINEPHRINE,
    PROPOFOL,
    VANCOMYCIN,
    WARFARIN,
)
from vitruvian.testing.models import ModelConformance


class TestNorepinephrine(ModelConformance):
    """The contract."""

    model = NOREPINEPHRINE
    actions = (Action("norepinephrine", 0.1, "ug/kg/min", 60, 300),)
    horizon = 20.0


class TestEsmolol(ModelConformance):
    """The contract."""

    model = ESMOLOL
    actions = (Action("esmolol", 40, "mg", 60), Action("esmolol", 100, "ug/kg/min", 60, 300))
    horizon = 20.0


class TestPropofol(ModelConformance):
    """The contract."""

    model = PROPOFOL
    actions = (Action("propofol", 150, "mg", 60), Action("propofol", 6, "mg/kg/h", 60, 900))
    horizon = 60.0


class TestVancomycin(ModelConformance):
    """The contract."""

    model = VANCOMYCIN
    actions = (Action("vancomycin", 1_000, "mg", 0, 3_600), Action("vancomycin", 1_000, "mg", 43_200, 3_600))
    horizon = 48.0


class TestWarfarin(ModelConformance):
    """The contract."""

    model = WARFARIN
    actions = (*(Action("warfarin", 5, "mg", 86_400 * day) for day in range(5)),)
    horizon = 240.0


class TestCiprofloxacin(ModelConformance):
    """The contract."""

    model = CIPROFLOXACIN
    actions = (Action("ciprofloxacin", 500, "mg", 3_600),)
    horizon = 24.0
    steady = False


class TestCaffeine(ModelConformance):
    """The contract."""

    model = CAFFEINE
    actions = (Action("caffeine", 200, "mg", 600), Action("cyp1a2_inhibition", 3, "1", 0))
    horizon = 24.0


class TestMetoprolol(ModelConformance):
    """The contract."""

    model = METOPROLOL
    actions = (Action("metoprolol", 100, "mg", 600), Action("cyp2d6_inhibition", 3, "1", 0))
    horizon = 24.0


class TestFurosemide(ModelConformance):
    """The contract."""

    model = FUROSEMIDE
    actions = (Action("furosemide", 40, "mg", 600),)
    horizon = 12.0

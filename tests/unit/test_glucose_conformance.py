"""The conformance suite on the two glucose models."""

from __future__ import annotations

from vitruvian.physiology.actions import Action
from vitruvian.physiology.glucose import ICU_GLUCOSE, UVA_PADOVA
from vitruvian.testing.models import ModelConformance


class TestMealModel(ModelConformance):
    """UVA/Padova over a meal with its bolus and a walk."""

    model = UVA_PADOVA
    horizon = 720.0
    actions = (
        Action("meal", 60, "g", 600),
        Action("insulin", 4, "[iU]", 600),
        Action("exercise", 60, "W", 7200, 1800),
    )


class TestIcuModel(ModelConformance):
    """ICING under insulin and feed."""

    model = ICU_GLUCOSE
    horizon = 720.0
    actions = (Action("insulin", 3, "[iU]/h", 600), Action("meal", 8, "g/h", 1200))

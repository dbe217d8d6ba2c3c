"""The conformance suite on inflammation."""

from __future__ import annotations

from vitruvian.physiology.actions import Action
from vitruvian.physiology.inflammation import INFLAMMATION
from vitruvian.testing.models import ModelConformance


class TestInflammation(ModelConformance):
    """A week of an infection that is treated after half a day."""

    model = INFLAMMATION
    horizon = 168.0
    actions = (Action("infection", 1, "1"), Action("antibiotic", 1, "1", 12 * 3600, 72 * 3600))

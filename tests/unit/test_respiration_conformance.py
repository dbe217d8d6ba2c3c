"""The conformance suite on breathing."""

from __future__ import annotations

from vitruvian.physiology.actions import Action
from vitruvian.physiology.respiration import RESPIRATION
from vitruvian.testing.models import ModelConformance


class TestRespiration(ModelConformance):
    """A minute without breath, then a ventilator on pure oxygen, and a lung that collapses."""

    model = RESPIRATION
    drift_max = 5e-2  # base excess rests near 0 mmol/L, where a thousandth of a mmol/L is a hundredth of it
    actions = (
        Action("apnoea", 1, "1", 10, 60),
        Action("inspired_oxygen_fraction", 1.0, "1", 120),
        Action("mechanical_ventilation", 1, "1", 120),
        Action("pneumothorax", 0.5, "1", 240),
    )

"""The kidney: the contract, filtration under pressure, creatinine, urine, and KDIGO's table."""

from __future__ import annotations

from vitruvian.physiology.actions import Action
from vitruvian.physiology.kidney import KIDNEY
from vitruvian.testing.models import ModelConformance


class TestKidney(ModelConformance):
    """The contract."""

    model = KIDNEY
    actions = (Action("crystalloid", 1_000, "mL", 60, 1_200), Action("nephrotoxin", 0.5, "1", 600))
    horizon = 120.0

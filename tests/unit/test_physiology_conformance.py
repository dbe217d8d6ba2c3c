"""The conformance suite on the tests' own small models."""

from __future__ import annotations

from tests.physiology_support import LOWER, OTHER, UPPER
from vitruvian.physiology.actions import Action
from vitruvian.physiology.bodies.compose import compose
from vitruvian.testing.models import ModelConformance


class TestTanks(ModelConformance):
    """Two tanks and a factor."""

    model = compose(
        "conforming_tanks", "Tanks", [UPPER, LOWER, OTHER], limits="of the tests", sources=("of the tests",)
    )
    actions = (Action("crystalloid", 100, "mL", 10, 100),)
    steady = False

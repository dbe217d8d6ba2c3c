"""What if? Interventions and changed values, followed in a patient's own ensemble against doing nothing."""

from vitruvian.physiology.actions import Action
from vitruvian.scenarios.believed import Believed, believed
from vitruvian.scenarios.effects import Effect, share_from_data
from vitruvian.scenarios.learned import RiskModels
from vitruvian.scenarios.ports import Posterior, Signals
from vitruvian.scenarios.risks import RiskEffect
from vitruvian.scenarios.scenario import Scenario
from vitruvian.scenarios.store import Saved, Scenarios, ScenarioStore
from vitruvian.scenarios.what_if import WhatIf, what_if

__all__ = [
    "Action",
    "Believed",
    "Effect",
    "Posterior",
    "RiskEffect",
    "RiskModels",
    "Saved",
    "Scenario",
    "ScenarioStore",
    "Scenarios",
    "Signals",
    "WhatIf",
    "believed",
    "share_from_data",
    "what_if",
]

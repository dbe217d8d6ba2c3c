"""The recipe for any labelled data: plain choices that need no research of their own.

Logistic regression, boosted trees and a recurrent network on the same features of the patient, averaged on the
log-odds. Practice patterns stay out of it: nothing was measured that says they would carry over.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.families.base import Family
from vitruvian.prediction.families.rows import (
    Boosted,
    BoostedFamily,
    Forest,
    ForestFamily,
    LogisticFamily,
    LogisticSettings,
)
from vitruvian.prediction.families.sequence import SequenceFamily, Settings
from vitruvian.prediction.measure.baselines import best
from vitruvian.prediction.measure.rows import rows_of
from vitruvian.prediction.recipes.base import Plan, Recipe, Wanted
from vitruvian.prediction.tasks import Task
from vitruvian.signals.features import FEATURES

__all__ = ["general"]

Floats = NDArray[np.float64]
INTENDED: Final = (
    "Adults (18 years or older) in hospital care like that of the data it was trained on. Investigational: not a"
    " medical device, never the only ground for a decision."
)
LIMITS: Final = (
    "Trained on one set of data. Elsewhere, measure it first: ranking, probabilities and thresholds all change.",
    "Contributions say what the risk is associated with. They are not causes, and not the effect of a treatment.",
)
MANY_ROWS: Final = 50_000
# 12 h windows say nothing that the 6 and 24 h ones do not.
PLAIN: Final = tuple(name for name in FEATURES if not name.endswith("_12h"))


def general(of: Task, rows: int, *, quick: bool = False, compare: bool = False) -> Recipe:
    """The recipe of a task for a cohort with so many scored rows; `quick` with small settings, `compare` with the
    models that are only compared.
    """
    members = [Plan(name, family, PLAIN) for name, family in _families(rows, quick).items()]
    compared = _compared(quick) if compare else {}
    members += [Plan(name, family, PLAIN) for name, family in compared.items()]
    weights = {"logistic": 1 / 3, "lightgbm": 1 / 3, "lstm": 1 / 3}

    def wanted(cohort: Cohort) -> Wanted:
        known = cohort.measured
        return Wanted((cohort.label > 0).astype(np.float64), known.astype(np.float64))

    def policy(cohort: Cohort, probability: Floats) -> dict[str, Any]:
        return {"kind": "fixed", "threshold": best(of, rows_of(of, cohort), probability)}

    return Recipe(
        of.name,
        "1.0.0",
        tuple(members),
        {"standard": weights, "no_practice": weights},
        wanted,
        policy,
        intended_use=INTENDED,
        limits=LIMITS,
        compared=frozenset(compared),
    )


def _families(rows: int, quick: bool) -> dict[str, Family]:
    """The members that ship. Leaves hold a share of the rows, so that small data are not learned by heart."""
    leaf_rows = min(400, max(5, rows // 300))
    trees = Boosted(rounds=60 if quick else 1500, leaf_rows_min=leaf_rows, learning_rate=0.1 if quick else 0.03)
    forest = Forest(trees=10, leaf_rows_min=leaf_rows) if quick else Forest(leaf_rows_min=min(60, leaf_rows))
    return {
        "logistic": LogisticFamily(LogisticSettings((3000.0,) if rows > MANY_ROWS else (300.0,))),
        "forest": ForestFamily(forest),
        "lightgbm": BoostedFamily(trees),
        "lstm": SequenceFamily(_settings("lstm", quick)),
    }


def _compared(quick: bool) -> dict[str, Family]:
    return {
        "gru": SequenceFamily(_settings("gru", quick)),
        "tcn": SequenceFamily(_settings("tcn", quick)),
        "transformer": SequenceFamily(_settings("transformer", quick)),
    }


def _settings(network: Literal["lstm", "gru", "tcn", "transformer"], quick: bool) -> Settings:
    return Settings(network, hidden=16, head=16, epochs=2) if quick else Settings(network)

"""Death in hospital, told at 48 hours: the recipe, as research on the Challenge 2012's set a chose it.

What carried over from one part of the set to another: the stay as a whole beside the last day, parts of SOFA and SAPS,
and small trees (six leaves) on few columns each. Directions forced on the trees, softer outcomes for those who died
soon after discharge, networks and kernels gained nothing on 4,000 stays. Averaging families on the log-odds gained a
little.
"""

from __future__ import annotations

from typing import Any, Final

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
from vitruvian.prediction.inputs.blocks import ADMISSION, BODY, UNIT
from vitruvian.prediction.inputs.severity import SEVERITY
from vitruvian.prediction.recipes.base import Plan, Recipe, Wanted
from vitruvian.signals.features import FEATURES, PRACTICE_FEATURES
from vitruvian.signals.stay import STAY_FEATURES, STAY_PRACTICE

__all__ = ["CARED", "LEVELS", "WHOLE", "expected_alarms", "known_outcomes", "mortality"]

Floats = NDArray[np.float64]
VERSION: Final = "1.0.0"
INTENDED: Final = (
    "Adults in intensive care, once, 48 hours after admission. Investigational: not a medical device, never the only"
    " ground for a decision."
)
LIMITS: Final = (
    "Trained on stays of at least 48 hours in one hospital before 2012. Elsewhere, measure it first: ranking,"
    " probabilities and thresholds all change.",
    "Contributions say what the risk is associated with. They are not causes, and not the effect of a treatment.",
)
# How the patient is: the last day, the stay as a whole, and how ill by the scores' own parts.
WHOLE: Final = (*FEATURES, *STAY_FEATURES, *SEVERITY, *BODY)
# How care is given joins: unit, counts of tests.
CARED: Final = (
    *WHOLE,
    *(name for name in ADMISSION if name.endswith("_unit")),
    *UNIT,
    *PRACTICE_FEATURES,
    *STAY_PRACTICE,
)
_LEVEL_ENDS: Final = ("_stay_last", "_stay_min", "_stay_max", "_stay_mean", "_stay_recent", "_mean_24h")
# Levels without their courses, for the regression: slopes and spreads cost it more than they tell it.
LEVELS: Final = (
    *(name for name in WHOLE if name.endswith(_LEVEL_ENDS)), *SEVERITY, *BODY, "age_years", "male", "shock_index",
    "spo2_fio2",
)  # fmt: skip


def mortality(*, quick: bool = False, compare: bool = False) -> Recipe:
    """The recipe; `quick` with few trees, to try the way. `compare`: also fit trees that know how care is given."""
    members = [Plan(name, family, features) for name, (family, features) in _members(quick).items()]
    if compare:
        members.append(Plan("lightgbm_cared", members[0].family, CARED))
    weights = {"lightgbm": 0.4, "scattered": 0.2, "logistic": 0.2, "forest": 0.2}
    return Recipe(
        "mortality",
        VERSION,
        tuple(members),
        {"standard": weights, "no_practice": weights},  # unit and counts of tests gained less than 0.002 of AUROC
        known_outcomes,
        expected_alarms,
        intended_use=INTENDED,
        limits=LIMITS,
        everyone=True,
        compared=frozenset({"lightgbm_cared"} if compare else ()),
    )


def _members(quick: bool) -> dict[str, tuple[Family, tuple[str, ...]]]:
    rounds = 40 if quick else 450
    seeds, leaf_rows = (1, 8) if quick else (2, 20)
    small = Boosted(
        rounds=rounds, patience=0, learning_rate=0.03, leaves=6, leaf_rows_min=leaf_rows, l2=5.0, feature_share=0.08,
        row_share=0.7, seeds=seeds,
    )  # fmt: skip
    scattered = Boosted(
        rounds=rounds if quick else 700, patience=0, learning_rate=0.03, leaves=6, leaf_rows_min=leaf_rows, l2=5.0,
        feature_share=0.3, row_share=0.7, extra=True,
    )  # fmt: skip
    forest = Forest(
        trees=20 if quick else 200, leaves=160, leaf_rows_min=5, row_share=0.7, feature_share=0.08,
        most_bytes=6_000_000,
    )  # fmt: skip
    return {
        "lightgbm": (BoostedFamily(small), WHOLE),
        "scattered": (BoostedFamily(scattered), WHOLE),
        "logistic": (LogisticFamily(LogisticSettings((100.0,))), LEVELS),
        "forest": (ForestFamily(forest), WHOLE),
    }


def known_outcomes(cohort: Cohort) -> Wanted:
    """Every scored row whose outcome is known counts alike."""
    known = cohort.measured
    return Wanted((cohort.label > 0).astype(np.float64), known.astype(np.float64))


def expected_alarms(cohort: Cohort, probability: Floats) -> dict[str, Any]:
    """As many alarms as deaths are to be expected: the lesser of sensitivity and positive predictive value is greatest
    about there, where both are equal. Elsewhere the same share of the site's own scores; no labels are needed.
    """
    known = cohort.measured
    share = float((cohort.label[known] > 0).mean())
    return {
        "kind": "alarm_rate",
        "threshold": float(np.quantile(probability[known], 1.0 - share)),
        "share": share,
    }

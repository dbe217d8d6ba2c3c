"""The recipes of the eICU demo's tasks: little data, so small models of few kinds, strongly regularised.

Chosen once, from what held on the Challenge 2012's stays: those of aki and sepsis without a look at the demo's own
outcomes, the size of mortality24's trees with one look at its folds (70 deaths). The stay as a whole beside the last
day, small trees and a ridge regression averaged on the log-odds.
"""

from __future__ import annotations

from typing import Final

from vitruvian.prediction.families.rows import Boosted, BoostedFamily, LogisticFamily, LogisticSettings
from vitruvian.prediction.inputs.severity import SEVERITY
from vitruvian.prediction.recipes.base import Plan, Recipe
from vitruvian.prediction.recipes.mortality import INTENDED, LEVELS, WHOLE, expected_alarms, known_outcomes
from vitruvian.prediction.tasks import Task
from vitruvian.signals.concepts import CARE
from vitruvian.signals.features import FEATURES, PRACTICE_FEATURES
from vitruvian.signals.stay import AGED

__all__ = ["PLAIN", "eicu"]

# What a plain model reads, and what ours is compared with: the last day's simple causal features, the latest of what
# they leave out (urine above all, by which kidney injury is told), and the clock, which ours does without.
PLAIN: Final = (
    *(name for name in FEATURES if not name.endswith("_12h")),
    *(f"{name}_stay_last" for name in CARE), *(f"{name}_age_h" for name in AGED), *PRACTICE_FEATURES,
)  # fmt: skip
LIMITS: Final = (
    "Trained on a demonstration set: a few dozen outcomes of many hospitals. Not to be used before it is trained on"
    " more.",
    "Contributions say what the risk is associated with. They are not causes, and not the effect of a treatment.",
)
_COURSES: Final = tuple(name for name in WHOLE if not name.endswith("_12h"))
_LEVELS: Final = tuple(dict.fromkeys((*LEVELS, *SEVERITY)))


def eicu(of: Task, *, quick: bool = False, compare: bool = True) -> Recipe:
    """The recipe of `mortality24`, `aki` or `sepsis`. With `compare`, a LightGBM as it comes is fitted beside it."""
    stay = of.moment == "stay"
    trees = Boosted(
        rounds=30 if quick else (300 if stay else 250),
        patience=0,
        learning_rate=0.02 if stay else 0.04,
        leaves=4 if stay else 8,
        leaf_rows_min=25 if stay else 400,
        l2=20.0 if stay else 50.0,
        feature_share=0.08 if stay else 0.15,
        row_share=0.7,
        seeds=2 if stay and not quick else 1,
    )
    plain = Boosted(
        rounds=100, patience=0, learning_rate=0.1, leaves=31, leaf_rows_min=20, l2=0.0, feature_share=1.0,
        row_share=1.0, bins=255,
    )  # fmt: skip
    ridge = LogisticFamily(LogisticSettings((100.0,) if stay else (3000.0,)))
    members = [Plan("lightgbm", BoostedFamily(trees), _COURSES), Plan("logistic", ridge, _LEVELS)]
    if compare:
        members.append(Plan("plain_lightgbm", BoostedFamily(plain), PLAIN))
    weights = {"lightgbm": 0.6, "logistic": 0.4}
    return Recipe(
        of.name,
        "1.0.0",
        tuple(members),
        {"standard": weights, "no_practice": weights},
        known_outcomes,
        expected_alarms,
        intended_use=INTENDED.replace("once, 48 hours after admission", "as its task says") if stay else INTENDED,
        limits=LIMITS,
        compared=frozenset({"plain_lightgbm"} if compare else ()),
        everyone=True,
    )

"""The sepsis recipe: which members, on which columns, joined how. The research behind each choice, with its figures, is
docs/research/sepsis_transfer.md; it never saw another hospital, only parts of one.

Two variants. "standard" may use practice patterns: time in intensive care, counts of tests, the unit, the time in
hospital before. "no_practice" may not, and has members of its own, since a model that was fitted with the clock and is
then denied it is no good.
"""

from __future__ import annotations

from typing import Final, Literal

from vitruvian.prediction.families.rows import (
    Boosted,
    BoostedFamily,
    Forest,
    ForestFamily,
    LogisticFamily,
    LogisticSettings,
)
from vitruvian.prediction.families.sequence import SequenceFamily, Settings
from vitruvian.prediction.recipes.base import Plan, Recipe
from vitruvian.prediction.recipes.sepsis.features import CHARTED, CLOCK, DIRECTIONS, HABITS, PATIENT, STAYED, STEADY
from vitruvian.prediction.recipes.sepsis.goal import wanted
from vitruvian.prediction.recipes.sepsis.masked import MaskedFamily
from vitruvian.prediction.recipes.sepsis.policy import policy
from vitruvian.prediction.recipes.sepsis.thinned import ThinnedFamily

__all__ = ["STANDARD", "WITHOUT_PRACTICE", "recipe", "trees"]

Network = Literal["lstm", "gru", "tcn", "transformer"]
VERSION: Final = "2.0.0"
INTENDED: Final = (
    "Adults (18 years or older) in intensive care, to show when the risk of sepsis by Sepsis-3 rises. Investigational:"
    " not a medical device, never the only ground for a decision."
)
LIMITS: Final = (
    "Trained on one hospital. On another one ranking may fall far: on the eICU demo, which makes its records and sepsis"
    " labels otherwise, the shipped model ranked worse than NEWS2. Measure it there first. Evaluations move the"
    " threshold with the site's own scores, the ward keeps the bundle's; probabilities hold only after recalibration"
    " there.",
    "The label rests on orders for cultures and antibiotics and on SOFA: the model learned when clinicians suspect it.",
    "The standard variant knows the time in intensive care and how often tests are made. Without practice patterns,"
    " extremes since the stay began still widen as it lasts, and hours since a measurement still tell habits.",
    "Trained on hourly values without consciousness, urine, vasopressors, ventilation and cultures.",
    "Contributions say what the risk is associated with. They are not causes, and not the effect of a treatment.",
)

# Weights of the members' calibrated log-odds. Trees weigh most, since they kept most under a change of patients; the
# others err differently. The networks lost most there and weigh little. The clock alone is a member: when sepsis comes
# hangs on the time in intensive care nearly alike everywhere, and who knows more makes too little of it elsewhere.
STANDARD: Final = {
    "clock": 0.27, "lightgbm": 0.22, "lightgbm_masked": 0.2, "lightgbm_steady": 0.14, "logistic": 0.08, "forest": 0.03,
    "lstm": 0.06,
}  # fmt: skip
WITHOUT_PRACTICE: Final = {
    "lightgbm_patient": 0.4, "lightgbm_patient_masked": 0.3, "logistic_patient": 0.2, "lstm_patient": 0.1,
}  # fmt: skip


def trees(*, monotone: bool = False, quick: bool = False) -> Boosted:
    """Trees that cannot say much each: eight leaves, many rows in each leaf, a strong pull to zero, few features to
    choose from, and a fixed number of rounds, since stopping by patients of the same hospital asks for too many.
    """
    return Boosted(
        rounds=40 if quick else 400,
        patience=0,
        learning_rate=0.06,
        leaves=8,
        leaf_rows_min=50 if quick else 600,
        l2=10.0 if quick else 200.0,
        feature_share=0.2,
        row_share=0.7,
        bins=63,
        monotone=DIRECTIONS if monotone else {},
        seeds=1 if quick else 3,
    )


def recipe(*, quick: bool = False, compare: bool = False) -> Recipe:
    """The recipe; `quick` with small settings that only show that all of it runs, `compare` with members that are
    fitted for the table of results alone.
    """
    logistic = LogisticFamily(LogisticSettings((3_000.0,)))
    plain, steady = (ThinnedFamily(BoostedFamily(trees(monotone=one, quick=quick))) for one in (False, True))
    lstm = SequenceFamily(_network("lstm", quick))
    members = [
        Plan("clock", plain, CLOCK),
        Plan("logistic", logistic, STEADY + HABITS),
        Plan("forest", ForestFamily(Forest(trees=10) if quick else Forest()), STEADY + HABITS),
        Plan("lightgbm", plain, CHARTED + HABITS),
        Plan("lightgbm_masked", MaskedFamily(plain), CHARTED + HABITS),
        Plan("lightgbm_steady", steady, STEADY + HABITS),
        Plan("lstm", lstm, STEADY + HABITS),
        Plan("logistic_patient", logistic, STEADY + STAYED),
        Plan("lightgbm_patient", plain, PATIENT),
        Plan("lightgbm_patient_masked", MaskedFamily(plain), PATIENT),
        Plan("lstm_patient", lstm, STEADY),
    ]
    others: tuple[Network, ...] = ("gru", "tcn", "transformer") if compare else ()
    members += [Plan(name, SequenceFamily(_network(name, quick)), STEADY + HABITS) for name in others]
    return Recipe(
        "sepsis",
        VERSION,
        tuple(members),
        {"standard": STANDARD, "no_practice": WITHOUT_PRACTICE},
        wanted,
        policy,
        intended_use=INTENDED,
        limits=LIMITS,
        # Practice patterns are those of one hospital; a ward that nobody measured must not live on them.
        serves="no_practice",
        compared=frozenset(others),
        everyone=True,
    )


def _network(network: Network, quick: bool) -> Settings:
    """Concepts are hidden at random while fitting, so that no one measurement is leaned upon."""
    return (
        Settings(network, hidden=16, head=16, epochs=2)
        if quick
        else Settings(network, epochs=6, masked=0.2, decay=0.05)
    )

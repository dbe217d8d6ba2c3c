"""Families that read one row of features: logistic regression, random forest, boosted trees."""

from vitruvian.prediction.families.rows.boosted import Boosted, BoostedFamily
from vitruvian.prediction.families.rows.forest import Forest, ForestFamily
from vitruvian.prediction.families.rows.logistic import LogisticFamily, LogisticSettings

__all__ = ["Boosted", "BoostedFamily", "Forest", "ForestFamily", "LogisticFamily", "LogisticSettings"]

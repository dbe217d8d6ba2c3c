"""The recipe of the sepsis risk: columns, members, goal, and the threshold at a site without labels."""

from vitruvian.prediction.sepsis.recipe.goal import wanted
from vitruvian.prediction.sepsis.recipe.plan import recipe
from vitruvian.prediction.sepsis.recipe.policy import policy, threshold_for

__all__ = ["policy", "recipe", "threshold_for", "wanted"]

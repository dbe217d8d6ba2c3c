"""The recipe of the sepsis risk: columns, members, goal, and the threshold at a site without labels."""

from vitruvian.prediction.recipes.sepsis.goal import wanted
from vitruvian.prediction.recipes.sepsis.plan import recipe
from vitruvian.prediction.recipes.sepsis.policy import policy

__all__ = ["policy", "recipe", "wanted"]

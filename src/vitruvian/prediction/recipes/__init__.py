"""Recipes: for each task which features, families and policies."""

from __future__ import annotations

from typing import Final

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.eicu import NAME as EICU
from vitruvian.prediction.recipes.base import Plan, Recipe, Wanted
from vitruvian.prediction.recipes.eicu import eicu
from vitruvian.prediction.recipes.general import general
from vitruvian.prediction.recipes.mortality import mortality
from vitruvian.prediction.recipes.sepsis import recipe as sepsis
from vitruvian.prediction.tasks import Task

__all__ = ["Plan", "Recipe", "Wanted", "recipe_for"]

MANY_ROWS: Final = 100_000  # the sepsis recipe's members want a hospital's worth of hours


def recipe_for(of: Task, cohort: Cohort, *, compare: bool = False, quick: bool = False) -> Recipe:
    """The recipe that research chose for a task and data like these, or the general one."""
    rows = int(cohort.scored.sum())
    if of.name == "mortality":
        return mortality(quick=quick, compare=compare)
    if cohort.data.startswith(EICU) and of.name in ("mortality24", "aki", "sepsis"):
        return eicu(of, quick=quick, compare=compare)
    if of.name == "sepsis" and rows >= MANY_ROWS:
        return sepsis(quick=quick, compare=compare)
    return general(of, rows, quick=quick, compare=compare)

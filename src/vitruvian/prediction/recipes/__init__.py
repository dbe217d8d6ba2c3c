"""Recipes: for each task which features, families and policies."""

from __future__ import annotations

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.eicu import NAME as EICU
from vitruvian.prediction.recipes.base import Plan, Recipe, Wanted
from vitruvian.prediction.recipes.general import general
from vitruvian.prediction.tasks import Task

__all__ = ["Plan", "Recipe", "Wanted", "recipe_for"]


def recipe_for(of: Task, cohort: Cohort, *, compare: bool = False, quick: bool = False) -> Recipe:
    """The recipe that research chose for a task, or the general one."""
    if cohort.data.startswith(EICU):
        from vitruvian.prediction.recipes.eicu import eicu

        return eicu(of, quick=quick, compare=compare)
    if of.name == "sepsis":
        from vitruvian.prediction.sepsis.recipe import recipe as sepsis

        return sepsis(quick=quick, compare=compare)
    if of.name == "mortality":
        from vitruvian.prediction.recipes.mortality import mortality

        return mortality(quick=quick, compare=compare)
    return general(of, int(cohort.scored.sum()), quick=quick, compare=compare)

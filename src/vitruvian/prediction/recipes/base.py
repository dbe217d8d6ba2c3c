"""A recipe: for one task which features go to which families, how members are joined, and how thresholds are chosen.

Recipes are choices, made by research that never saw the data they are measured on; `training` only carries them out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.families.base import Family

__all__ = ["Plan", "Recipe", "Wanted"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is fitted at each of N rows: `target` (0 to 1), `weight` (0: the row is left out)."""

    target: Floats
    weight: Floats


@dataclass(frozen=True, slots=True)
class Plan:
    """A member to be fitted: its `name` in the bundle, the family with its settings, its features by name."""

    name: str
    family: Family
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """`task` by its name. `variants`: "standard" and "no_practice", each {member: weight}, weights sum to 1.

    `wanted(cohort)` says what is fitted; `policy(cohort, probability)` chooses the threshold policy (a JSON dict, see
    `sites.threshold`) on patients who fitted nothing: a cohort of them and their calibrated probabilities (N,).
    `compared`: members that are fitted for the table of results only and not shipped. `serves`: what the ward shows.
    `everyone`: where patients are few, all of them train, and folds calibrate and measure (`training.crossfit`).
    """

    task: str
    version: str
    members: tuple[Plan, ...]
    variants: Mapping[str, Mapping[str, float]]
    wanted: Callable[[Cohort], Wanted]
    policy: Callable[[Cohort, Floats], dict[str, Any]]
    serves: str = "standard"
    intended_use: str = ""
    limits: tuple[str, ...] = ()
    compared: frozenset[str] = field(default_factory=frozenset)
    everyone: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every feature that some member reads, once."""
        return tuple(dict.fromkeys(name for plan in self.members for name in plan.features))

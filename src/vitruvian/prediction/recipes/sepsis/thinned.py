"""Fitting trees on fewer of the hours that are far from any sepsis, each with more weight.

Hours of one patient are alike, and trees that see all of them learn the patients. On patients at home, trees fitted on
one in 16 such hours ranked better than on one in 4 or 8, five comparisons of five (docs/research/sepsis_transfer.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError
from vitruvian.prediction.families.base import Family, Fitted, Goal, Say
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.recipes.sepsis.goal import KEPT_ONE_IN

__all__ = ["ThinnedFamily", "thinned"]


def thinned(goal: Goal, table: Table, one_in: int) -> Goal:
    """The goal with one in `one_in` of the training rows that stand for several hours (weight above 1), and as much
    more weight on those. Spread evenly over each stay, begun at another hour for each patient.
    """
    rows = goal.train
    many = goal.weight[rows] > 1.0
    # Such rows are already every so many hours; counting them within the patient spreads what is kept.
    start = np.r_[True, table.patient[rows][1:] != table.patient[rows][:-1]]
    before: NDArray[np.int64] = np.cumsum(many) - many
    place = before - np.maximum.accumulate(np.where(start, before, 0))
    # A quarter of the number: the number itself has said at which hour a patient's first such row lies (`goal`).
    kept = ~many | ((place + table.patient[rows] // KEPT_ONE_IN) % one_in == 0)
    weight = goal.weight.copy()
    weight[rows[many & kept]] *= one_in
    return replace(goal, weight=weight, train=rows[kept])


@dataclass(frozen=True, slots=True)
class ThinnedFamily:
    """A family of rows that is fitted on a thinned goal. `goal.train` must rise, as rows of the table do."""

    inner: Family
    one_in: int = 4

    def __post_init__(self) -> None:
        if self.one_in < 1:
            raise ConfigurationError(f"found one_in {self.one_in}, expected 1 or more")

    @property
    def name(self) -> str:
        """The inner family's."""
        return self.inner.name

    def fit(
        self, table: Table, features: tuple[str, ...], goal: Goal, *, seed: int, say: Say, kept: Path | None = None
    ) -> Fitted:
        """As the inner family fits."""
        mine = thinned(replace(goal, train=np.sort(goal.train)), table, self.one_in)
        return self.inner.fit(table, features, mine, seed=seed, say=say, kept=kept)

"""Fitting with whole concepts hidden at random, so that no one measurement, and no habit of making it, is leaned upon.

Another hospital measures other things: what is charted everywhere in one set may be rare in the next. Hidden is a
concept of a patient with all that is made of it alone (its value, hours since, windows, change, extremes), as if it
were not measured in that stay; features of several concepts are hidden on their own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError
from vitruvian.prediction.families.base import Family, Fitted, Goal, Say
from vitruvian.prediction.inputs.table import Table
from vitruvian.signals.concepts import LABS
from vitruvian.signals.derived import DERIVED
from vitruvian.signals.features import PLAIN, VITALS

__all__ = ["MaskedFamily", "Masking", "concept_of", "masked"]

Values = NDArray[np.float32]
_CONCEPTS: Final = tuple(sorted((*VITALS, *PLAIN, *LABS), key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Masking:
    """`share` of the labs and other concepts, `share_vitals` of the vital signs, hidden in each stay; seeded apart."""

    share: float = 0.3
    share_vitals: float = 0.15
    seed: int = 5

    def __post_init__(self) -> None:
        if not (0 <= self.share < 1 and 0 <= self.share_vitals < 1):
            raise ConfigurationError(
                f"found shares {self.share} and {self.share_vitals} to hide, expected 0 or more and below 1"
            )


def concept_of(feature: str) -> str | None:
    """The measured concept that a feature is made of alone; None for one of several, of the person, or of the care."""
    if feature in DERIVED:
        return None
    for name in _CONCEPTS:
        if feature == name or feature.startswith(f"{name}_"):
            return name
    return None


def masked(values: Values, names: tuple[str, ...], patient: NDArray[np.int64], how: Masking) -> Values:
    """A copy of features (N, F) with concepts hidden by patient (N,), whose numbers may be any."""
    out = values.copy()
    random = np.random.default_rng(how.seed)
    stays, place = np.unique(patient, return_inverse=True)
    groups: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        key = name if name in DERIVED else concept_of(name)
        if key is not None:
            groups.setdefault(key, []).append(column)
    for key, columns in groups.items():
        share = how.share_vitals if key in VITALS else how.share
        hidden = np.flatnonzero((random.random(stays.size) < share)[place])
        for column in columns:
            out[hidden, column] = np.nan
    return out


@dataclass(frozen=True, slots=True)
class MaskedFamily:
    """A family of rows whose training rows are masked; the rows that stop or choose are left as they are."""

    inner: Family
    masking: Masking = Masking()

    @property
    def name(self) -> str:
        """The inner family's."""
        return self.inner.name

    def fit(
        self, table: Table, features: tuple[str, ...], goal: Goal, *, seed: int, say: Say, kept: Path | None = None
    ) -> Fitted:
        """As the inner family fits, on a small table of its own that holds only the rows and columns of the fit."""
        rows = np.union1d(goal.train, goal.valid)
        part = replace(
            table,
            names=features,
            values=table.values[np.ix_(rows, table.columns(features))],
            running=table.running[rows],
            closed=table.closed[rows],
            patient=table.patient[rows],
            hour=table.hour[rows],
            label=table.label[rows],
            scored=table.scored[rows],
        )
        train, valid = np.searchsorted(rows, goal.train), np.searchsorted(rows, goal.valid)
        part.values[train] = masked(part.values[train], features, part.patient[train], self.masking)
        mine = Goal(goal.target[rows], goal.weight[rows], train, valid)
        return self.inner.fit(part, features, mine, seed=seed, say=say, kept=kept)

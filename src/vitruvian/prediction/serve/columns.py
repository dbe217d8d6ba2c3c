"""What a predictor answers: one row a patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.serve.gate import SUFFICIENT

__all__ = ["RiskColumns"]


@dataclass(frozen=True, slots=True)
class RiskColumns:
    """The risk of n patients.

    `probability`, `low`, `high` (n,) f8: the calibrated probability and its 95 % interval; NaN where nothing may be
    said. `reason` (n,) u1: a place in `reasons`, 0 where all is well. `member_probability` (n, M) f8 by `members`: each
    member's own calibrated probability. `missing` (n, 5): which of `gate.REQUIRED` are not recent.
    `contributions` (n, F) f4 by `names`: the log-odds that each feature adds to those of a patient at the training
    medians, within the member `explained` (no columns and an empty name where no member can say).

    The interval is the model's own uncertainty (which patients it happened to be trained on, how far its members
    disagree). It does not say how surely one patient will or will not have the outcome.
    """

    probability: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    reason: NDArray[np.uint8]
    reasons: tuple[str, ...]
    members: tuple[str, ...]
    member_probability: NDArray[np.float64]
    missing: NDArray[np.bool_]
    explained: str
    names: tuple[str, ...]
    contributions: NDArray[np.float32]

    @property
    def insufficient(self) -> NDArray[np.bool_]:
        """(n,) where nothing may be said."""
        silent: NDArray[np.bool_] = self.reason != SUFFICIENT
        return silent

    def why(self, row: int) -> str:
        """Why nothing is said of a row; empty where a risk is."""
        return self.reasons[int(self.reason[row])]

    def silenced(self) -> RiskColumns:
        """The same with NaN wherever nothing may be said."""
        silent = self.insufficient
        members, contributions = self.member_probability.copy(), self.contributions.copy()
        members[silent] = np.nan
        contributions[silent] = np.nan
        probability, low, high = (
            np.where(silent, np.nan, column) for column in (self.probability, self.low, self.high)
        )
        return RiskColumns(
            probability, low, high, self.reason, self.reasons, self.members, members, self.missing, self.explained,
            self.names, contributions,
        )  # fmt: skip

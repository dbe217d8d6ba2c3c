"""Members of a variant weighed anew from labels: a logistic regression on their log-odds, near the old weights.

Weights stay above 0, so that no member is turned upside down; each patient counts as one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.measure.platt import sigmoid
from vitruvian.prediction.sites.scoring import Scored

__all__ = ["Weighed", "weigh"]

Floats = NDArray[np.float64]
WEIGHT_SPREAD: Final = 0.25  # how far weights may be expected to move, as a standard deviation
SHIFT_SPREAD: Final = 1.5
STEPS_MAX: Final = 100
TOTAL_MIN: Final = 0.05  # a variant whose members hardly count any more says nothing


@dataclass(frozen=True, slots=True)
class Weighed:
    """`members`: name to weight, sum 1; `slope` and `intercept` of the variant; `events`: patients with the outcome."""

    members: dict[str, float]
    slope: float
    intercept: float
    patients: int
    events: int

    def logit(self, members: Floats) -> Floats:
        """The variant's log-odds (n,) from its members' calibrated ones (n, M), in the order of `members`."""
        found: Floats = self.slope * (members @ np.array(list(self.members.values()))) + self.intercept
        return found

    def as_json(self) -> dict[str, Any]:
        """What a record keeps of it."""
        return {
            "members": self.members,
            "slope": self.slope,
            "intercept": self.intercept,
            "patients": self.patients,
            "patients_with_outcome": self.events,
        }


def weigh(scored: Scored, label: NDArray[np.int8], patient: NDArray[np.int64], rows: NDArray[np.int64]) -> Weighed:
    """Fit on labelled `rows` (n,) of a scored cohort; `label` 0 or 1 and `patient` (n,) of these rows.

    Raises ModelError where they hold one class only.
    """
    events = np.unique(patient[label > 0]).size
    if not events or label.all():
        raise ModelError(f"found {rows.size} new rows of one kind, expected both; bring more patients")
    x = np.column_stack([scored.member_logit[rows], np.ones(rows.size)])
    start = np.append(scored.slope * scored.weights, scored.intercept)
    prior = np.append(np.full(scored.weights.size, 1 / WEIGHT_SPREAD**2), 1 / SHIFT_SPREAD**2)
    patients = np.unique(patient).size
    found = _fit(x, label.astype(np.float64), patients / rows.size, start, prior)
    total = float(found[:-1].sum())
    if total < TOTAL_MIN:
        found, total = start, float(start[:-1].sum())
    shares = {name: float(one) / total for name, one in zip(scored.members, found[:-1], strict=True)}
    return Weighed(shares, total, float(found[-1]), patients, events)


def _fit(x: Floats, truth: Floats, weight: float, start: Floats, prior: Floats) -> Floats:
    """Newton's steps with halving, the weights kept at 0 or above."""

    def loss(theta: Floats) -> float:
        eta = x @ theta
        return weight * float((np.logaddexp(0, eta) - truth * eta).sum()) + 0.5 * float(prior @ (theta - start) ** 2)

    theta, value = start.copy(), loss(start)
    for _ in range(STEPS_MAX):
        probability = sigmoid(x @ theta)
        pull = weight * (x.T @ (truth - probability)) - prior * (theta - start)
        spread = weight * ((x * (probability * (1 - probability))[:, None]).T @ x) + np.diag(prior)
        move = np.linalg.solve(spread, pull)
        for halving in range(20):
            tried = theta + move / 2**halving
            tried[:-1] = np.maximum(tried[:-1], 0.0)
            lower = loss(tried)
            if lower < value:
                break
        else:
            break
        done, theta, value = value - lower < 1e-10, tried, lower
        if done:
            break
    return theta

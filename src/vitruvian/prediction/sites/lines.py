"""What a few labels of another site do to a calibrated score: nothing, a shift, a line, or a monotone curve.

All hours together weigh as much as there are patients, since the hours of one patient are no independent evidence;
among themselves they weigh alike, so that a long stay tells more. And the fit is shrunk towards no change, so that ten
patients cannot move a model far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.measure.platt import sigmoid

__all__ = ["EVENTS_MIN", "METHODS", "Method", "SiteLine", "fit_site", "method_for"]

Floats = NDArray[np.float64]
Method = Literal["none", "intercept", "platt", "isotonic"]
METHODS: Final[tuple[Method, ...]] = ("none", "intercept", "platt", "isotonic")
# Patients with the outcome from which a method is worth its freedom.
EVENTS_MIN: Final[dict[Method, int]] = {"none": 0, "intercept": 5, "platt": 20, "isotonic": 500}
SLOPE_SPREAD: Final = 0.3  # how far slopes of other sites lie from 1, as a standard deviation, before anything is seen
SHIFT_SPREAD: Final = 1.5  # the same of intercepts: prevalence differs widely
KNOTS: Final = 40
STEPS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class SiteLine:
    """`method`, and what it found: logit' = slope x logit + intercept; for a curve `knots` (K, 2), logit to logit',
    flat beyond its ends. `patients` and `events` (patients with the outcome) it was fitted on.
    """

    method: Method
    slope: float
    intercept: float
    knots: tuple[tuple[float, float], ...]
    patients: int
    events: int

    def of(self, logit: Floats) -> Floats:
        """The recalibrated logit (n,)."""
        if self.knots:
            x, y = np.array(self.knots).T
            return np.asarray(np.interp(logit, x, y), np.float64)
        return self.slope * logit + self.intercept

    def as_json(self) -> dict[str, Any]:
        """What a record keeps of it."""
        told: dict[str, Any] = {
            "method": self.method,
            "slope": self.slope,
            "intercept": self.intercept,
            "patients": self.patients,
            "patients_with_outcome": self.events,
        }
        return told | ({"knots": [list(knot) for knot in self.knots]} if self.knots else {})


def method_for(events: int, *, curves: bool = False) -> Method:
    """The method that so many patients with the outcome allow; a curve only where it may be one."""
    allowed = [one for one in METHODS if events >= EVENTS_MIN[one] and (curves or one != "isotonic")]
    return allowed[-1]


def fit_site(
    logit: Floats, label: NDArray[np.int8], patient: NDArray[np.int64], method: Method | None = None
) -> SiteLine:
    """Fit on a site's labelled rows: `logit`, `label` 0 or 1, `patient` (n,). `method` None chooses by `method_for`.

    Raises ModelError for an unknown method or rows without a number.
    """
    if not np.isfinite(logit).all():
        raise ModelError("found scores that are no numbers, expected one for each labelled row; leave these rows out")
    patients, events = np.unique(patient).size, np.unique(patient[label > 0]).size
    chosen = method_for(events) if method is None else method
    if chosen not in METHODS:
        raise ModelError(f"found method {chosen!r}, expected one of {', '.join(METHODS)}")
    if chosen == "none" or events == 0 or not (label == 0).any():
        return SiteLine("none", 1.0, 0.0, (), patients, events)
    weight = _by_patient(patient)
    if chosen == "isotonic":
        return SiteLine(chosen, 1.0, 0.0, _curve(logit, label, weight), patients, events)
    slope, intercept = _line(logit, label.astype(np.float64), weight, held=chosen == "intercept")
    return SiteLine(chosen, slope, intercept, (), patients, events)


def _by_patient(patient: NDArray[np.int64]) -> Floats:
    """Weights (n,) that sum to the number of patients while rows keep their shares: a patient's many hours do not
    make him more certain, and the share of hours with the outcome stays what it is.
    """
    return np.full(patient.size, np.unique(patient).size / patient.size)


def _line(logit: Floats, label: Floats, weight: Floats, *, held: bool) -> tuple[float, float]:
    """Slope and intercept of highest posterior density; with `held` the slope stays 1."""
    slope, intercept = 1.0, 0.0
    rows = np.column_stack([logit, np.ones_like(logit)])
    prior = np.array([1 / SLOPE_SPREAD**2, 1 / SHIFT_SPREAD**2])
    for _ in range(STEPS_MAX):
        probability = sigmoid(slope * logit + intercept)
        pull = rows.T @ (weight * (label - probability)) - prior * np.array([slope - 1.0, intercept])
        spread = (rows * (weight * probability * (1 - probability))[:, None]).T @ rows + np.diag(prior)
        move = np.array([0.0, pull[1] / spread[1, 1]]) if held else np.linalg.solve(spread, pull)
        move = np.clip(move, -1.0, 1.0)
        slope, intercept = slope + float(move[0]), intercept + float(move[1])
        if float(np.abs(move).max()) < 1e-9:
            break
    return slope, intercept


def _curve(logit: Floats, label: NDArray[np.int8], weight: Floats) -> tuple[tuple[float, float], ...]:
    """A monotone curve through equal parts of the rows (pool adjacent violators), as few knots on the log-odds."""
    order = np.argsort(logit, kind="stable")
    parts = [part for part in np.array_split(order, KNOTS) if part.size]
    x = [float(logit[part].mean()) for part in parts]
    # Half a patient of each kind in every part keeps the log-odds finite.
    hits = [float((weight[part] * label[part]).sum()) + 0.5 * float(label.mean()) for part in parts]
    size = [float(weight[part].sum()) + 0.5 for part in parts]
    pooled: list[list[float]] = []  # hits, size, parts in it
    for hit, whole in zip(hits, size, strict=True):
        pooled.append([hit, whole, 1])
        while len(pooled) > 1 and pooled[-2][0] * pooled[-1][1] >= pooled[-1][0] * pooled[-2][1]:
            last = pooled.pop()
            pooled[-1] = [one + other for one, other in zip(pooled[-1], last, strict=True)]
    share = np.repeat([hit / whole for hit, whole, _ in pooled], [int(count) for _, _, count in pooled])
    y = np.log(share / (1 - share))
    kept: list[tuple[float, float]] = []
    for at, value in zip(x, y, strict=True):
        if not kept or at > kept[-1][0]:
            kept.append((at, float(value)))
    return tuple(kept)

"""Offline calibration: the parameters that fit a record best, by least squares from many starts.

All parameter sets that an iteration needs, the finite differences included, run as one ensemble. Automatic
differentiation is not used: through valves and doses it gave a contractility gradient of -1.16 where the converged one
is -0.52 (see docs/decisions/0010-estimation.md), and differences cost less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.estimation import primitives
from vitruvian.estimation.base import Filter, standard_deviations
from vitruvian.physiology import run as running
from vitruvian.physiology.person import REFERENCE, Person

__all__ = ["Fit", "Problem", "Record", "fit"]

Floats = NDArray[np.float64]
STEP: Final = 1e-2  # of a finite difference, in prior standard deviations
RTOL: Final = 1e-8  # of the integration: its error must lie well under what a difference moves
FAILED: Final = 1e3  # residual of a parameter set that cannot be run: far from any fit, yet finite


@dataclass(frozen=True)
class Record:
    """What was measured of one person, and what was done: times_s (T,) ascending from 0, values (T, O) with NaN for
    none, in the order of the filter's observations. `schedule` is in the model's time unit. `settled`: whether the
    model is first run to rest under what is done at time 0.
    """

    times_s: Floats
    values: Floats
    schedule: running.Schedule | None = None
    person: Person = REFERENCE
    changes: Mapping[str, float] = field(default_factory=dict)
    settled: bool = True


@dataclass(frozen=True)
class Fit:
    """The best fit: names and values of the parameters (E,); z, the same in transformed space; covariance (E, E) of z
    by Laplace's approximation, the prior included where it was used; cost, half the sum of squared residuals, and that
    of every start; chi_square of the data for each of `freedom`; at_bound, the parameters that ended at a bound.
    """

    names: tuple[str, ...]
    values: Floats
    z: Floats
    covariance: Floats
    cost: float
    costs: Floats
    chi_square: float
    freedom: int
    at_bound: tuple[str, ...]

    def as_changes(self) -> dict[str, float]:
        """As `Model.parameter_values` takes it."""
        return dict(zip(self.names, map(float, self.values), strict=True))


class Problem:
    """A record to be explained: residuals and sensitivities of many parameter sets at once.

    Everything is in prior standard deviations from the person's prior: x (E,) = (z - centre) / sd. Raises ModelError
    where the record does not fit the filter.
    """

    def __init__(self, one: Filter, record: Record, *, prior: bool = True) -> None:
        shape = (len(record.times_s), len(one.observations))
        if np.shape(record.values) != shape or not one.estimated:
            raise ModelError(
                f"{one.model.name}: found values {np.shape(record.values)} and {len(one.estimated)} parameters to "
                f"estimate, expected {shape} and at least one"
            )
        one = replace(one, considered=())
        self.filter, self.record, self.prior = one, record, prior
        self.constants = one.model.parameter_values(record.person, record.changes)
        centre = self.constants[one.where]
        self.centre, self.sds = one.parameter_form.forward(centre), standard_deviations(one.parameters, centre)
        self.known = np.isfinite(record.values)
        edges = (np.array([low for low, _ in self._edges()]), np.array([high for _, high in self._edges()]))
        self.low, self.high = ((edge - self.centre) / self.sds for edge in edges)

    def _edges(self) -> list[tuple[float, float]]:
        """Bounds in transformed space; a logit has none of its own and is kept within 12 units."""
        result = []
        for one in self.filter.parameters:
            if one.scale == "logit":
                result.append((-12.0, 12.0))
            elif one.scale == "log":
                result.append((float(np.log(max(one.low, 1e-12))), float(np.log(one.high))))
            else:
                result.append((one.low, one.high))
        return result

    def values(self, x: Floats) -> Floats:
        """Parameter values (K, E) of x (K, E)."""
        return self.filter.parameter_form.back(self.centre + np.atleast_2d(x) * self.sds)

    def shown(self, x: Floats) -> Floats:
        """What each x (K, E) shows: (K, T, O); NaN where the model cannot be run."""
        one, record, theta = self.filter, self.record, self.values(x)
        p = one.full(self.constants[None], theta[None])[0]
        plan = running.nothing(one.model) if record.schedule is None else record.schedule
        y = running.start(one.model, p, plan.levels[0])
        if record.settled and one.model.settle > 0:
            rest = running.held(plan.levels[0])
            y = running.run(one.model, y, p, -one.model.settle, 0.0, (), rest, rtol=RTOL).end
        times = record.times_s / one.model.seconds
        done = running.run(one.model, y, p, 0.0, float(times[-1]), times, plan, rtol=RTOL)
        shown: Floats = done.outputs[:, :, one.outputs]
        return shown

    def residuals(self, x: Floats) -> Floats:
        """Standardised residuals (K, R) of x (K, E): each known value, then the prior's where it is used."""
        sd, relative = self.filter.errors
        shown = self.shown(x)
        error = np.sqrt(sd**2 + (relative * np.where(self.known, self.record.values, 0.0)) ** 2)
        off = ((shown - np.where(self.known, self.record.values, 0.0)) / error)[:, self.known]
        off = np.where(np.isfinite(off), off, FAILED)
        result: Floats = np.concatenate([off, np.atleast_2d(x)], axis=1) if self.prior else off
        return result

    def slopes(self, x: Floats) -> Floats:
        """The Jacobian (R, E) of the residuals at x (E,), by central differences in one ensemble."""
        size = len(x)
        moved = np.repeat(np.asarray(x)[None], 2 * size, axis=0)
        moved[:size] += STEP * np.eye(size)
        moved[size:] -= STEP * np.eye(size)
        found = self.residuals(moved)
        result: Floats = ((found[:size] - found[size:]) / (2 * STEP)).T
        return result

    def starts(self, count: int, key: int) -> Floats:
        """Starting points (K, E): the prior's centre, then draws from it, within the bounds."""
        draws = np.empty((1, count, len(self.sds)))
        primitives.normals(np.array([key], np.uint64), 0, primitives.PRIOR, 500_000, draws)
        draws[0, 0] = 0.0
        margin = 1e-6 * (self.high - self.low)
        result: Floats = np.clip(draws[0], self.low + margin, self.high - margin)
        return result


def fit(one: Filter, record: Record, *, starts: int = 4, prior: bool = True, key: int = 0, loss: str = "linear") -> Fit:
    """The parameters that explain a record best; with `prior`, those most likely given it and the person's prior.

    `starts` guards against local minima; `loss` is SciPy's name of a loss ("soft_l1" bears outliers). Needs SciPy
    (extra `train`). Raises ModelError where no start can be run.
    """
    from scipy.optimize import least_squares

    problem = Problem(one, record, prior=prior)
    best: Any = None
    costs = []
    for x in problem.starts(starts, key):
        found = least_squares(
            lambda x: problem.residuals(x[None])[0], x, problem.slopes, (problem.low, problem.high), loss=loss,
            x_scale="jac", max_nfev=60,
        )  # fmt: skip
        costs.append(float(found.cost))
        if best is None or found.cost < best.cost:
            best = found
    shown = problem.shown(best.x[None])[0]
    if not np.isfinite(shown).all():
        raise ModelError(f"{one.model.name}: found no parameters that can be run to {record.times_s[-1]:g} s")
    slopes = problem.slopes(best.x)
    covariance = np.linalg.pinv(slopes.T @ slopes, rcond=1e-12) * np.outer(problem.sds, problem.sds)
    count = int(problem.known.sum())
    near = 1e-3 * (problem.high - problem.low)
    at_bound = tuple(
        name
        for name, at in zip(one.estimated, (best.x < problem.low + near) | (best.x > problem.high - near), strict=True)
        if at
    )
    return Fit(
        one.estimated,
        problem.values(best.x)[0],
        problem.centre + best.x * problem.sds,
        covariance,
        float(best.cost),
        np.array(costs),
        float(np.sum(problem.residuals(best.x[None])[0][:count] ** 2)),
        max(count - len(one.estimated), 1),
        at_bound,
    )

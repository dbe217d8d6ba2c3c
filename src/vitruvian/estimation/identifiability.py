"""Which parameters the data of one patient can tell, which only together, and which not at all.

Locally: sensitivities of what is observed, in units of its error, make the Fisher information. Globally, for a
parameter at a time: the profile likelihood (Raue et al. 2009, Bioinformatics 25:1923).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.estimation.base import Filter
from vitruvian.estimation.calibrate import Problem, Record

__all__ = ["Known", "Profile", "Report", "profile", "report"]

Floats = NDArray[np.float64]
TOLERANCE: Final = 0.05  # relative standard deviation up to which a parameter is told: 95 % of estimates within 10 %
HELD_BY_DATA: Final = 0.7  # posterior over prior standard deviation under which the data say something
CHI_SQUARE_95: Final = 3.841  # one degree of freedom

Word = Literal["identifiable", "weak", "prior only"]


@dataclass(frozen=True)
class Known:
    """What the data tell of one parameter.

    relative_sd: the standard deviation of an unbiased estimate over the parameter's value, by the Cramér-Rao bound of
    the data alone (infinite where the data cannot tell). shrinkage: the share of the prior's variance that the data
    take away. partners: parameters whose errors it trades with (correlation in the posterior beyond 0.7), strongest
    first. word: identifiable (relative_sd within the tolerance); weak (the data say something); prior only.
    """

    name: str
    relative_sd: float
    shrinkage: float
    partners: tuple[tuple[str, float], ...]
    word: Word


@dataclass(frozen=True)
class Report:
    """All parameters; collinearity, how far the best hidden combination of them hides (Brun et al. 2001, Water Resour.
    Res. 37:1015, eq. 13: above 10 to 15 they cannot be told apart); the combination that the data tell least of, as
    parameters with their weights, in prior standard deviations.
    """

    parameters: tuple[Known, ...]
    collinearity: float
    least_told: tuple[tuple[str, float], ...]

    def named(self, word: Word) -> tuple[str, ...]:
        """The parameters of which this is said."""
        return tuple(one.name for one in self.parameters if one.word == word)

    def __str__(self) -> str:
        lines = []
        for one in self.parameters:
            partners = ", ".join(f"{name} ({r:+.2f})" for name, r in one.partners[:2])
            told = "not told" if not np.isfinite(one.relative_sd) else f"within {100 * one.relative_sd:.1f} % (1 sd)"
            lines.append(f"{one.name}: {one.word}; {told}" + (f"; trades with {partners}" if partners else ""))
        return "\n".join(lines)


def report(one: Filter, record: Record, at: Floats | None = None, *, tolerance: float = TOLERANCE) -> Report:
    """From the design of a record (its times, schedule and which values are known; what they are does not matter).

    at (E,): parameter values to judge at, by default the person's usual ones. Errors are the observations' own, taken
    as independent from time to time. Raises ModelError where the model cannot be run there.
    """
    problem = Problem(one, record, prior=False)
    if at is None:
        x = np.zeros(len(one.estimated))
    else:
        x = (problem.filter.parameter_form.forward(np.asarray(at, np.float64)) - problem.centre) / problem.sds
    slopes = problem.slopes(x)
    if not np.isfinite(problem.shown(x[None])).all():
        raise ModelError(f"{one.model.name}: found parameters that cannot be run, expected some within their ranges")
    information = slopes.T @ slopes
    posterior: Floats = np.linalg.inv(information + np.eye(len(x))).astype(np.float64)
    alone = _cramer_rao(information)
    values = problem.values(x)[0]
    known = []
    for e, name in enumerate(one.estimated):
        per_sd = abs(problem.values(x + 0.01 * np.eye(len(x))[e])[0, e] - values[e]) / 0.01
        relative = float(alone[e] * per_sd / abs(values[e])) if values[e] else float("inf")
        spread = float(np.sqrt(posterior[e, e]))
        word: Word = "identifiable" if relative <= tolerance else "weak" if spread < HELD_BY_DATA else "prior only"
        known.append(Known(name, relative, 1 - spread**2, _partners(one, posterior, e), word))
    weakest = np.linalg.eigh(information)[1][:, 0]
    order = np.argsort(-np.abs(weakest))
    least = tuple((one.estimated[i], round(float(weakest[i]), 3)) for i in order if abs(weakest[i]) > 0.1)
    return Report(tuple(known), _collinearity(slopes), least)


def _cramer_rao(information: Floats) -> Floats:
    """Standard deviations (E,) of unbiased estimates; infinite along directions without information."""
    levels, directions = np.linalg.eigh(information)
    floor = max(levels[-1], 1e-30) * 1e-10
    told = levels > floor
    variance = (directions[:, told] ** 2 / levels[told]).sum(1)
    hidden = (directions[:, ~told] ** 2).sum(1) > 1e-6
    result: Floats = np.where(hidden, np.inf, np.sqrt(variance))
    return result


def _partners(one: Filter, posterior: Floats, e: int) -> tuple[tuple[str, float], ...]:
    sds = np.sqrt(np.diag(posterior))
    r = posterior[e] / (sds * sds[e])
    order = [i for i in np.argsort(-np.abs(r)) if i != e and abs(r[i]) > 0.7]
    return tuple((one.estimated[i], round(float(r[i]), 3)) for i in order)


def _collinearity(slopes: Floats) -> float:
    length = np.sqrt((slopes**2).sum(0))
    if (length <= 0).any():
        return float("inf")
    least = np.linalg.eigvalsh((slopes / length).T @ (slopes / length))[0]
    return float(1 / np.sqrt(least)) if least > 1e-12 else float("inf")


@dataclass(frozen=True)
class Profile:
    """values (K,) of one parameter, and by how much the misfit (minus twice the log likelihood) is above its least when
    the others do their best. low and high: where it passes 3.84 (95 %), infinite where it does not.
    """

    name: str
    values: Floats
    above: Floats
    low: float
    high: float

    @property
    def bounded(self) -> bool:
        """Whether the data alone hold the parameter on both sides."""
        return bool(np.isfinite(self.low) and np.isfinite(self.high))


def profile(one: Filter, record: Record, name: str, *, points: int = 13, reach: float = 3.0) -> Profile:
    """The profile likelihood of a parameter over `reach` prior standard deviations on either side of its prior.

    Needs SciPy (extra `train`). Raises ModelError where the name is not among those estimated.
    """
    from scipy.optimize import least_squares

    if name not in one.estimated:
        raise ModelError(f"found {name!r}, expected one of {', '.join(one.estimated)}")
    problem, e = Problem(one, record, prior=False), one.estimated.index(name)
    grid = np.linspace(max(-reach, problem.low[e]), min(reach, problem.high[e]), points)
    others = np.arange(len(one.estimated)) != e
    costs = np.empty(points)
    middle = int(np.argmin(np.abs(grid)))
    for path in (range(middle, points), range(middle - 1, -1, -1)):
        guess = np.zeros(others.sum())
        for k in path:

            def whole(part: Floats, fixed: float = float(grid[k])) -> Floats:
                x = np.empty(len(others))
                x[others], x[e] = part, fixed
                return x

            if others.any():
                found = least_squares(
                    lambda part, whole=whole: problem.residuals(whole(part)[None])[0], guess,
                    lambda part, whole=whole: problem.slopes(whole(part))[:, others],
                    (problem.low[others], problem.high[others]), max_nfev=40,
                )  # fmt: skip
                guess, costs[k] = found.x, 2 * found.cost
            else:
                costs[k] = float(np.square(problem.residuals(whole(guess)[None])[0]).sum())
    above = costs - costs.min()
    values = problem.values(np.where(others, 0.0, 1.0) * grid[:, None])[:, e]
    best = int(np.argmin(above))
    return Profile(name, values, above, _crossing(values, above, best, -1), _crossing(values, above, best, 1))


def _crossing(values: Floats, above: Floats, best: int, step: int) -> float:
    """Where the profile first passes the 95 % level going from its least in one direction; infinite if it does not."""
    k = best
    while 0 <= k + step < len(values):
        if above[k + step] > CHI_SQUARE_95:
            part = (CHI_SQUARE_95 - above[k]) / (above[k + step] - above[k])
            return float(values[k] + part * (values[k + step] - values[k]))
        k += step
    return float(step * np.inf)

"""The posterior of parameters given a record, by an ensemble of walkers that run as one ensemble of the model.

The stretch move of Goodman and Weare (2010, Commun. Appl. Math. Comput. Sci. 5:65), in halves as Foreman-Mackey et al.
(2013, PASP 125:306) do it in emcee: it needs no tuning to the scale or the correlation of parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.estimation.base import Filter
from vitruvian.estimation.calibrate import Problem, Record

__all__ = ["Posterior", "sample"]

Floats = NDArray[np.float64]
STRETCH: Final = 2.0  # the width of the stretch's distribution that Goodman and Weare use


@dataclass(frozen=True)
class Posterior:
    """Draws: values (steps, walkers, E) after the warm-up, with the parameters' names; z the same in transformed space;
    acceptance, the share of moves taken; steps_apart (E,), the integrated autocorrelation time in steps.
    """

    names: tuple[str, ...]
    values: Floats
    z: Floats
    acceptance: float
    steps_apart: Floats

    @property
    def effective(self) -> float:
        """How many independent draws these are worth, of the parameter that moves slowest."""
        return float(self.values.shape[0] * self.values.shape[1] / self.steps_apart.max())

    def interval(self, level: float = 0.9) -> Floats:
        """Central intervals (E, 2) of the values."""
        flat = self.values.reshape(-1, self.values.shape[2])
        return np.quantile(flat, [(1 - level) / 2, (1 + level) / 2], axis=0).T


def sample(
    one: Filter, record: Record, *, steps: int = 600, walkers: int = 32, warm_up: int = 200, seed: int = 0
) -> Posterior:
    """Draw from the posterior under the person's prior. Raises ModelError where walkers are too few or none can run."""
    problem = Problem(one, record, prior=True)
    size = len(one.estimated)
    if walkers < 2 * size or walkers % 2 or warm_up >= steps:
        raise ModelError(
            f"found {walkers} walkers, {steps} steps, {warm_up} to warm up; expected an even number of at least "
            f"{2 * size} walkers and more steps than warm-up"
        )
    random = np.random.Generator(np.random.Philox(key=seed))
    x = problem.starts(walkers, seed)
    score = _score(problem, x)
    if not np.isfinite(score).any():
        raise ModelError(f"{one.model.name}: found no draw of the prior that can be run")
    half, taken = walkers // 2, 0
    kept = np.empty((steps - warm_up, walkers, size))
    for step in range(steps):
        for mine, theirs in ((slice(0, half), slice(half, walkers)), (slice(half, walkers), slice(0, half))):
            stretch = (1 + (STRETCH - 1) * random.random(half)) ** 2 / STRETCH
            other = x[theirs][random.integers(0, half, half)]
            proposed = other + stretch[:, None] * (x[mine] - other)
            found = _score(problem, proposed)
            limit = np.log(random.random(half))
            accept = (size - 1) * np.log(stretch) + found - score[mine] > limit
            x[mine] = np.where(accept[:, None], proposed, x[mine])
            score[mine] = np.where(accept, found, score[mine])
            taken += int(accept.sum()) if step >= warm_up else 0
        if step >= warm_up:
            kept[step - warm_up] = x
    shape = kept.shape
    values = problem.values(kept.reshape(-1, size)).reshape(shape)
    apart = np.array([_autocorrelation_time(kept[:, :, e]) for e in range(size)])
    return Posterior(one.estimated, values, problem.centre + kept * problem.sds, taken / (shape[0] * walkers), apart)


def _score(problem: Problem, x: Floats) -> Floats:
    """Log posterior (K,) up to a constant; minus infinity outside the bounds."""
    inside = ((x >= problem.low) & (x <= problem.high)).all(1)
    result = np.full(len(x), -np.inf)
    if inside.any():
        result[inside] = -0.5 * np.square(problem.residuals(x[inside])).sum(1)
    return result


def _autocorrelation_time(chain: Floats) -> float:
    """Of a chain (steps, walkers), averaged over walkers, with Sokal's window of five times itself."""
    steps = len(chain)
    off = chain - chain.mean()
    spectrum = np.abs(np.fft.rfft(off, 2 * steps, axis=0)) ** 2
    together = np.fft.irfft(spectrum, axis=0)[:steps].mean(1)
    if together[0] <= 0:
        return float(steps)
    time = 2 * np.cumsum(together / together[0]) - 1
    window = np.flatnonzero(np.arange(steps) >= 5 * time)
    return float(max(time[window[0]] if len(window) else time[-1], 1.0))

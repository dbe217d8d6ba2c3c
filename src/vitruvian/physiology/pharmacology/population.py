"""What a drug's parameters are in a population, from few samples of each of many people.

Iterative two-stage estimation (Steimer, Mallet, Golmard, Boisvieux 1984 Drug Metab Rev 15:265): each person's
parameters are the most probable ones under the population so far; the population is then the mean and the spread of
these, with what each leaves uncertain added to the spread. Parameters are taken as logarithms, the error as additive
plus proportional. It is a first-order method: with very sparse data it is less exact than a stochastic one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError

__all__ = ["Fit", "Subject", "fit_population"]

Floats = NDArray[np.float64]
STEP: float = 1e-5
INNER_MAX: int = 40


@dataclass(frozen=True)
class Subject:
    """One person's data: `predict(parameters (K,))` gives what `observed` (n,) should have been."""

    predict: Callable[[Floats], Floats]
    observed: Floats


@dataclass(frozen=True)
class Fit:
    """The population: typical parameters (K,), their standard errors on the logarithm (K,), the spread between people
    as the standard deviation of the logarithm (K,), additive and proportional error, and each person's parameters
    (N, K).
    """

    typical: Floats
    standard_errors: Floats
    spread: Floats
    additive: float
    proportional: float
    individual: Floats
    rounds: int

    def residuals(self, subjects: Sequence[Subject]) -> Floats:
        """Observed less predicted with each person's own parameters, one after another."""
        return np.concatenate(
            [one.observed - one.predict(own) for one, own in zip(subjects, self.individual, strict=True)]
        )


def fit_population(
    subjects: Sequence[Subject],
    guess: Sequence[float],
    *,
    spread: Sequence[float] | None = None,
    additive: float = 0.1,
    proportional: float = 0.1,
    rounds: int = 60,
    tolerance: float = 1e-4,
) -> Fit:
    """Fit by iterated two-stage from a guess of the typical parameters (K,). An error that is guessed 0 stays 0.

    Raises ModelError without data.
    """
    if len(subjects) < 2 or any(one.observed.size == 0 for one in subjects):
        raise ModelError(f"found {len(subjects)} subjects, or one without data, expected two or more with some")
    mean = np.log(np.asarray(guess, np.float64))
    omega = np.square(np.full(len(mean), 0.4) if spread is None else np.asarray(spread, np.float64))
    own = np.tile(mean, (len(subjects), 1))
    error = np.array([additive, proportional])
    done, left = 0, np.zeros((len(subjects), len(mean)))
    while done < rounds:
        done += 1
        before = np.concatenate([mean, np.sqrt(omega), error])
        for i, subject in enumerate(subjects):
            own[i], left[i] = _most_probable(subject, own[i], mean, omega, error)
        mean = own.mean(axis=0)
        omega = np.maximum(((own - mean) ** 2 + left).mean(axis=0), 1e-6)
        error = _error(subjects, own, error)
        if np.abs(np.concatenate([mean, np.sqrt(omega), error]) - before).max() < tolerance:
            break
    return Fit(
        np.exp(mean), np.sqrt(omega / len(subjects)), np.sqrt(omega), float(error[0]), float(error[1]),
        np.exp(own), done,
    )  # fmt: skip


def _most_probable(subject: Subject, x: Floats, mean: Floats, omega: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Logarithms of a person's most probable parameters (Gauss-Newton with halving), and their variances."""
    seen = subject.observed

    def weighed(logs: Floats) -> tuple[Floats, Floats]:
        found = subject.predict(np.exp(logs))
        return found, np.hypot(error[0], error[1] * np.abs(found)) + 1e-12

    def loss(logs: Floats, sd: Floats) -> float:
        return float((((seen - subject.predict(np.exp(logs))) / sd) ** 2).sum() + ((logs - mean) ** 2 / omega).sum())

    hessian = np.diag(1.0 / omega)
    for _ in range(INNER_MAX):
        found, sd = weighed(x)
        slopes = np.stack(
            [(subject.predict(np.exp(x + STEP * unit)) - found) / STEP for unit in np.eye(len(x))], axis=1
        )
        scaled = slopes / sd[:, None]
        hessian = scaled.T @ scaled + np.diag(1.0 / omega)
        step = np.linalg.solve(hessian, scaled.T @ ((seen - found) / sd) - (x - mean) / omega)
        here, share = loss(x, sd), 1.0
        while loss(x + share * step, sd) > here and share > 1e-4:
            share *= 0.5
        x = x + share * step
        if np.abs(share * step).max() < 1e-6:
            break
    return x, np.diag(np.linalg.inv(hessian))


def _error(subjects: Sequence[Subject], own: Floats, before: Floats) -> Floats:
    """Additive and proportional error of the residuals, each in its share of the variance (one round of EM)."""
    predicted = [one.predict(np.exp(x)) for one, x in zip(subjects, own, strict=True)]
    squared = np.concatenate([(s.observed - f) ** 2 for s, f in zip(subjects, predicted, strict=True)])
    level = np.square(np.concatenate(predicted))
    # Each person's own parameters take up some of the freedom of the data.
    squared *= max(squared.size / max(squared.size - own.size * 0.5, 1.0), 1.0)
    for _ in range(20):
        a, b = before**2
        total = a + b * level + 1e-24
        share = a / total
        new_a = float((share**2 * squared + share * b * level).mean())
        rest = 1.0 - share
        usable = level > 1e-12
        new_b = float(((rest**2 * squared + rest * a)[usable] / level[usable]).mean()) if usable.any() else b
        before = np.where(before > 0, np.sqrt(np.maximum([new_a, new_b], 1e-10)), 0.0)
    return before

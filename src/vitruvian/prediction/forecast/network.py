"""A small network that gives quantiles: forward for serving, and the fit by its own score, both in plain numpy.

Two hidden layers and a linear path beside them. What leaves it are 30 equally likely members a vital sign and horizon,
as steps from the newest value in units of the vital sign's usual error. Its loss is the mean pinball loss of the
members at their levels, half the CRPS of the members (Laio and Tamea 2007, Hydrol Earth Syst Sci 11:1267-1277).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVELS", "MEMBERS", "Network", "Recipe", "fit"]

MEMBERS: Final = 30
LEVELS: Final[NDArray[np.float32]] = ((np.arange(MEMBERS) + 0.5) / MEMBERS).astype(np.float32)
_FAR: Final = 6.0  # standardised features are cut here: an outlier must not carry a forecast away

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is fitted: sizes, rate of learning, decay of weights, passes over the data, seed, number."""

    hidden: tuple[int, int] = (96, 64)
    rate: float = 2e-3
    decay: float = 1e-4
    passes: int = 12
    batch: int = 1024
    seed: int = 0
    networks: int = 1  # how many, of seeds that follow, are averaged


@dataclass(frozen=True, slots=True)
class Network:
    """Weights by name: `centre`, `scale` (F,); `w1`, `b1`, `w2`, `b2`, `w3`, `skip`, `b3`. F features, T targets."""

    weights: dict[str, Array]

    def standardise(self, features: Array) -> Array:
        """Features (N, F) as the layers take them: standardised, cut, 0 where unknown."""
        z = (features - self.weights["centre"]) / self.weights["scale"]
        cut: Array = np.clip(np.nan_to_num(z, nan=0.0), -_FAR, _FAR).astype(np.float32)
        return cut

    def steps(self, features: Array) -> Array:
        """Steps from the newest value (N, T, 30), rising: in units of the target's usual error."""
        w, z = self.weights, self.standardise(features)
        first = np.maximum(z @ w["w1"] + w["b1"], 0.0)
        second = np.maximum(first @ w["w2"] + w["b2"], 0.0)
        out = second @ w["w3"] + z @ w["skip"] + w["b3"]
        return np.sort(out.reshape(len(features), -1, MEMBERS), axis=-1)


def pinball(out: Array, truth: Array, weight: Array) -> tuple[float, Array]:
    """Mean weighted pinball loss and its gradient by `out`: out (B, T, 30), truth (B, T) with NaN, weight (T,)."""
    known = ~np.isnan(truth)
    error = np.where(known, truth, 0.0)[:, :, None] - out
    below = (error < 0).astype(np.float32)
    slope = below - LEVELS
    share = (known * weight).astype(np.float32)[:, :, None] / np.float32(len(out) * MEMBERS)
    return float((-slope * error * share).sum()), slope * share


def fit(
    table: Array,
    truth: Array,
    weight: Array,
    recipe: Recipe,
    say: Callable[[str], None] = lambda line: None,
) -> Network:
    """Fit to features `table` (N, F) and steps `truth` (N, T), NaN where none, with weights (T,) of the targets.

    Adam (Kingma and Ba 2015) with decoupled decay, the rate falling along a cosine; what is returned is the running
    mean of the weights over about the last pass.
    """
    generator = np.random.default_rng(recipe.seed)
    centre = np.nan_to_num(np.nanmean(table, axis=0)).astype(np.float32)
    scale = np.nan_to_num(np.nanstd(table, axis=0)).astype(np.float32)
    scale[scale < 1e-6] = 1.0
    w = _start(table.shape[1], truth, recipe, generator)
    moments = {name: (np.zeros_like(value), np.zeros_like(value)) for name, value in w.items()}
    mean = {name: value.copy() for name, value in w.items()}
    ready = Network({"centre": centre, "scale": scale}).standardise(table)
    steps = recipe.passes * (len(table) // recipe.batch)
    keep = 1.0 - 1.0 / max(len(table) // recipe.batch, 10)
    step = 0
    for turn in range(recipe.passes):
        order, total = generator.permutation(len(table)), 0.0
        for start in range(0, len(table) - recipe.batch + 1, recipe.batch):
            chosen = order[start : start + recipe.batch]
            loss, gradient = _gradient(w, ready[chosen], truth[chosen], weight)
            total, step = total + loss, step + 1
            rate = recipe.rate * min(step / 200, 0.5 * (1 + np.cos(np.pi * step / steps)))
            _adam(w, gradient, moments, step, rate, recipe.decay)
            for name, value in mean.items():
                np.add(value, np.float32(1 - keep) * (w[name] - value), out=value)
        say(f"pass {turn + 1} of {recipe.passes}: loss {total * recipe.batch / len(table):.5f}")
    return Network({"centre": centre, "scale": scale, **mean})


def _start(width: int, truth: Array, recipe: Recipe, generator: np.random.Generator) -> dict[str, Array]:
    """He's random weights; a last layer of zeros, with the quantiles of the steps themselves as its bias."""
    first, second = recipe.hidden
    size = truth.shape[1] * MEMBERS
    bias = np.nanquantile(truth, LEVELS, axis=0).T.reshape(size)
    return {
        "w1": (generator.standard_normal((width, first)) * np.sqrt(2 / width)).astype(np.float32),
        "b1": np.zeros(first, np.float32),
        "w2": (generator.standard_normal((first, second)) * np.sqrt(2 / first)).astype(np.float32),
        "b2": np.zeros(second, np.float32),
        "w3": np.zeros((second, size), np.float32),
        "skip": np.zeros((width, size), np.float32),
        "b3": np.nan_to_num(bias).astype(np.float32),
    }


def _gradient(w: dict[str, Array], z: Array, truth: Array, weight: Array) -> tuple[float, dict[str, Array]]:
    """Loss of a batch and its gradient by every weight."""
    first = np.maximum(z @ w["w1"] + w["b1"], 0.0)
    second = np.maximum(first @ w["w2"] + w["b2"], 0.0)
    out = (second @ w["w3"] + z @ w["skip"] + w["b3"]).reshape(len(z), -1, MEMBERS)
    loss, by_out = pinball(out, truth, weight)
    top = by_out.reshape(len(z), -1)
    by_second = (top @ w["w3"].T) * (second > 0)
    by_first = (by_second @ w["w2"].T) * (first > 0)
    return loss, {
        "w3": second.T @ top,
        "skip": z.T @ top,
        "b3": top.sum(axis=0),
        "w2": first.T @ by_second,
        "b2": by_second.sum(axis=0),
        "w1": z.T @ by_first,
        "b1": by_first.sum(axis=0),
    }


def _adam(
    w: dict[str, Array],
    gradient: dict[str, Array],
    moments: dict[str, tuple[Array, Array]],
    step: int,
    rate: float,
    decay: float,
) -> None:
    """One step of Adam, in place."""
    one, two = 0.9, 0.99
    for name, value in w.items():
        mean, square = moments[name]
        mean += np.float32(1 - one) * (gradient[name] - mean)
        square += np.float32(1 - two) * (gradient[name] ** 2 - square)
        held = mean / (1 - one**step) / (np.sqrt(square / (1 - two**step)) + 1e-8)
        if value.ndim > 1:
            held = held + decay * value
        np.subtract(value, np.float32(rate) * held.astype(np.float32), out=value)

"""A small BERT encoder in NumPy: enough to read MiniLM's weights, with nothing to install but NumPy.

Sources: Vaswani et al. 2017 (attention), Devlin et al. 2019 (BERT), Hendrycks and Gimpel 2016 (GELU). Dropout does
nothing at inference and is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError

__all__ = ["Bert", "erf"]

Floats = NDArray[np.float32]
_EPSILON: Final = np.float32(1e-12)  # of the layer norms, as trained
_HEAD_DIM: Final = 32


class Bert:
    """The encoder. `weights` by the names of the published checkpoint. Immutable, so any thread may ask it."""

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        self._w = {name: np.ascontiguousarray(value, np.float32) for name, value in weights.items() if _kept(value)}
        try:
            self.width = int(self._w["embeddings.word_embeddings.weight"].shape[1])
            self._positions = (
                self._w["embeddings.position_embeddings.weight"]
                + (self._w["embeddings.token_type_embeddings.weight"][0])
            )
        except KeyError as error:
            raise ModelError(
                f"found weights without {error}, expected those of a BERT encoder; install them again"
            ) from None
        self._layers = 1 + max(int(name.split(".")[2]) for name in self._w if name.startswith("encoder.layer."))
        self._heads = self.width // _HEAD_DIM
        self.tokens_max = len(self._positions)
        for layer in range(self._layers):
            self._join(f"encoder.layer.{layer}.attention.self")

    def _join(self, head: str) -> None:
        """Query, key and value as one matrix: one product in place of three."""
        names = ("query", "key", "value")
        self._w[f"{head}.all.weight"] = np.ascontiguousarray(
            np.concatenate([self._w.pop(f"{head}.{one}.weight") for one in names]).T
        )
        self._w[f"{head}.all.bias"] = np.concatenate([self._w.pop(f"{head}.{one}.bias") for one in names])

    def __call__(self, tokens: NDArray[np.int64], mask: NDArray[np.bool_]) -> Floats:
        """Hidden states (N, T, width) of token ids (N, T); `mask` (N, T) is false where a row is padded."""
        hidden = self._w["embeddings.word_embeddings.weight"][tokens] + self._positions[: tokens.shape[1]]
        hidden = self._norm(hidden, "embeddings.LayerNorm")
        away = np.where(mask, np.float32(0), np.float32(-1e9))[:, None, None, :]
        for layer in range(self._layers):
            hidden = self._layer(hidden, away, f"encoder.layer.{layer}")
        return hidden

    def _layer(self, hidden: Floats, away: Floats, name: str) -> Floats:
        attended = self._attention(hidden, away, f"{name}.attention.self")
        hidden = self._norm(hidden + self._dense(attended, f"{name}.attention.output.dense"),
                            f"{name}.attention.output.LayerNorm")  # fmt: skip
        wide = self._dense(hidden, f"{name}.intermediate.dense")
        bent = erf(wide * np.float32(1 / math.sqrt(2)))
        bent += 1
        bent *= np.float32(0.5)
        wide *= bent
        return self._norm(hidden + self._dense(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attention(self, hidden: Floats, away: Floats, name: str) -> Floats:
        rows, length, _ = hidden.shape
        flat = hidden.reshape(-1, self.width)
        joined = flat @ self._w[f"{name}.all.weight"] + self._w[f"{name}.all.bias"]
        q, k, v = joined.reshape(rows, length, 3, self._heads, _HEAD_DIM).transpose(2, 0, 3, 1, 4)
        scores = q @ k.transpose(0, 1, 3, 2) * np.float32(1 / math.sqrt(_HEAD_DIM)) + away
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed: Floats = (scores @ v).transpose(0, 2, 1, 3).reshape(rows, length, self.width)
        return mixed

    def _dense(self, x: Floats, name: str) -> Floats:
        rows = x.reshape(-1, x.shape[-1])  # one product of matrices: NumPy multiplies stacks one by one
        made: Floats = rows @ self._w[f"{name}.weight"].T
        made += self._w[f"{name}.bias"]
        return made.reshape(*x.shape[:-1], -1)

    def _norm(self, x: Floats, name: str) -> Floats:
        made: Floats = x - x.mean(axis=-1, keepdims=True)
        made /= np.sqrt(np.einsum("...i,...i->...", made, made)[..., None] / np.float32(self.width) + _EPSILON)
        made *= self._w[f"{name}.weight"]
        made += self._w[f"{name}.bias"]
        return made


def erf(x: Floats) -> Floats:
    """The error function to within 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26); NumPy has none."""
    size = np.abs(x)
    t = size * np.float32(0.3275911)
    t += 1
    np.divide(np.float32(1), t, out=t)
    series = t * np.float32(1.061405429)
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series += np.float32(term)
        series *= t
    size *= size
    np.negative(size, out=size)
    np.exp(size, out=size)
    series *= size
    made: Floats = np.subtract(np.float32(1), series, out=series)
    return np.copysign(made, x, out=made)


def _kept(value: NDArray[Any]) -> bool:
    return np.issubdtype(value.dtype, np.floating)  # position ids are counted, not read

"""Likeness to example questions: the votes of the nearest, by the cosine of sentence vectors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.explanation.ask.lexicon import table

__all__ = ["Nearest", "examples"]

NEIGHBOURS: Final = 7
SHARPNESS: Final = 12.0  # how much more the nearer of two examples counts
_MARKS: Final[Mapping[str, str]] = {"{m}": "lactate", "{d}": "noradrenaline", "{r}": "sepsis",
                                    "{s}": "early warning score", "{x}": "500 ml", "{t}": "since six",
                                    "{n}": "in three hours"}  # fmt: skip
Floats = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]


def examples() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The example questions, and the intent of each."""
    texts, intents = [], []
    for intent, rows in table("prototypes").items():
        for row in rows:
            text = row
            for mark, word in _MARKS.items():
                text = text.replace(mark, word)
            texts.append(text)
            intents.append(intent)
    return tuple(texts), tuple(intents)


class Nearest:
    """The examples as vectors; made once, which takes a second or so. Any thread may ask it."""

    def __init__(self, embed: Embed, vectors: Floats | None = None) -> None:
        texts, self._intents = examples()
        self.vectors = embed(texts) if vectors is None else vectors
        self._cosines = lru_cache(maxsize=512)(lambda text: self.vectors @ embed([text])[0])

    def votes(self, question: str) -> dict[str, float]:
        """The share of each intent among the nearest examples; the shares add up to 1."""
        cosines = self._cosines(question)
        nearest = np.argsort(-cosines)[:NEIGHBOURS]
        weights = np.exp(SHARPNESS * (cosines[nearest] - cosines[nearest[0]]))
        shares: dict[str, float] = {}
        for place, weight in zip(nearest.tolist(), (weights / weights.sum()).tolist(), strict=True):
            shares[self._intents[place]] = shares.get(self._intents[place], 0.0) + weight
        return shares

    def likeness(self, question: str) -> float:
        """The cosine of the nearest example."""
        return float(self._cosines(question).max())

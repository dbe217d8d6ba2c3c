"""What a question is like: shares of intents from its sentence vectors, by a linear classifier learned from examples.

`fit` learned it (`python -m vitruvian.explanation.ask.fit`); it is kept beside this file, with the digest of the
examples and of the sentence weights that it goes with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.explanation.ask.lexicon import lexicon, table
from vitruvian.explanation.ask.reading import read

__all__ = ["FILE", "Examples", "Judge", "examples", "kept_judge", "vectors"]

FILE: Final = "judge.npz"
_MARKS: Final = {"{m}": "lactate", "{d}": "noradrenaline", "{r}": "sepsis", "{s}": "early warning score",
                 "{x}": "500 ml", "{t}": "since six", "{n}": "in three hours"}  # fmt: skip
Floats = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]


class Examples:
    """The example questions: as compared (one name of each sort in place of all), as asked, and their intents."""

    def __init__(self) -> None:
        self.marked: list[str] = []
        self.asked: list[str] = []
        self.intents: list[str] = []
        words = lexicon()
        for intent, rows in table("prototypes").items():
            for row in rows:
                text = row
                for mark, word in _MARKS.items():
                    text = text.replace(mark, word)
                seen = read(text, 0, "UTC", words)
                self.marked.append(seen.example)
                self.asked.append(seen.text)
                self.intents.append(intent)

    @property
    def digest(self) -> str:
        """SHA-256 of all of them."""
        joined = "\n".join("\t".join(row) for row in zip(self.marked, self.asked, self.intents, strict=True))
        return hashlib.sha256(joined.encode()).hexdigest()


class Judge:
    """Shares of intents. `weights` (2 x width, intents) and `bias`; any thread may ask it."""

    def __init__(self, embed: Embed, weights: Floats, bias: Floats, intents: Sequence[str]) -> None:
        self._weights, self._bias, self._intents = weights, bias, tuple(intents)
        self._logits = lru_cache(maxsize=512)(lambda *texts: vectors(embed, [texts[0]], [texts[1]])[0] @ weights + bias)

    def shares(self, marked: str, asked: str) -> dict[str, float]:
        """By intent, adding up to 1."""
        logits = self._logits(marked, asked)
        powers = np.exp(logits - logits.max())
        return dict(zip(self._intents, (powers / powers.sum()).tolist(), strict=True))


def examples() -> Examples:
    """The examples, read."""
    return Examples()


def vectors(embed: Embed, marked: Sequence[str], asked: Sequence[str]) -> Floats:
    """(N, 2 x width): of the question as compared, and as asked."""
    made = embed([*marked, *asked])
    return np.hstack([made[: len(marked)], made[len(marked) :]])


def kept_judge(embed: Embed, digest: str) -> Judge:
    """The classifier that is kept here, on sentence vectors of these weights. Raises ModelError where they differ."""
    with resources.as_file(resources.files(__package__).joinpath(FILE)) as path, np.load(path) as kept:
        if digest and str(kept["sentences"]) != digest:
            raise ModelError(
                f"found sentence weights {digest[:12]}, expected {str(kept['sentences'])[:12]}, which questions are "
                "judged by; install them again: vitruvian model install minilm"
            )
        weights, bias = kept["weights"].astype(np.float32), kept["bias"].astype(np.float32)
        return Judge(embed, weights, bias, [str(one) for one in kept["intents"]])

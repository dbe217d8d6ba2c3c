"""What a question is like: shares of intents from its sentence vector and its pieces of words, by a linear classifier
learned from examples.

`fit` learned it (`python -m vitruvian.explanation.ask.fit`); it is kept beside this file, with the digest of the
examples and of the sentence weights that it goes with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.explanation.ask.grams import PLACES, placed
from vitruvian.explanation.ask.lexicon import lexicon, table
from vitruvian.explanation.ask.reading import read

__all__ = ["FILE", "SENTENCE", "Examples", "Judge", "examples", "kept_judge"]

FILE: Final = "judge.npz"
SECOND: Final = "examples_second.jsonl"  # by a second author, who had not seen the rules
SENTENCE: Final = 2.0  # length of a sentence vector beside that of pieces of words, which is 1
_MARKS: Final = {"{m}": "lactate", "{d}": "noradrenaline", "{r}": "sepsis", "{s}": "early warning score",
                 "{x}": "500 ml", "{t}": "since six", "{n}": "in three hours"}  # fmt: skip
Floats = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Floats]


class Examples:
    """The example questions of both authors: as compared (one name of each sort in place of all), with marks in place
    of names, and their intents.
    """

    def __init__(self) -> None:
        self.compared: list[str] = []
        self.masked: list[str] = []
        self.intents: list[str] = []
        words = lexicon()
        for intent, question in _written():
            seen = read(question, 0, "UTC", words)
            self.compared.append(seen.example)
            self.masked.append(seen.masked)
            self.intents.append(intent)

    @property
    def digest(self) -> str:
        """SHA-256 of all of them."""
        joined = "\n".join("\t".join(row) for row in zip(self.compared, self.masked, self.intents, strict=True))
        return hashlib.sha256(joined.encode()).hexdigest()


def _written() -> Iterator[tuple[str, str]]:
    for intent, rows in table("prototypes").items():
        for row in rows:
            text = row
            for mark, word in _MARKS.items():
                text = text.replace(mark, word)
            yield intent, text
    for line in resources.files(__package__).joinpath(SECOND).read_text("utf-8").splitlines():
        one = json.loads(line)
        yield one["intent"], one["question"]


class Judge:
    """Shares of intents. `weights` (places of pieces and runs of words, then the sentence's width; by intent) and
    `bias`; any thread may ask it.
    """

    def __init__(self, embed: Embed, weights: Floats, bias: Floats, intents: Sequence[str]) -> None:
        self._embed, self._weights, self._bias, self._intents = embed, weights, bias, tuple(intents)
        self._logits = lru_cache(maxsize=512)(self._of)

    def shares(self, compared: str, masked: str) -> dict[str, float]:
        """By intent, adding up to 1."""
        logits = self._logits(compared, masked)
        powers = np.exp(logits - logits.max())
        return dict(zip(self._intents, (powers / powers.sum()).tolist(), strict=True))

    def _of(self, compared: str, masked: str) -> Floats:
        at, sizes = placed(masked)
        sentence = SENTENCE * self._embed([compared])[0]
        made: Floats = sizes @ self._weights[at] + sentence @ self._weights[PLACES:] + self._bias
        return made


def examples() -> Examples:
    """The examples, read."""
    return Examples()


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

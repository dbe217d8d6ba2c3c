"""Pieces of words and runs of words of a question, hashed into a fixed number of places: cheap, and sure of spelling.

Sources: Weinberger et al. 2009 (feature hashing).
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["PLACES", "grams", "placed"]

PIECES: Final = 1 << 13  # places of pieces of words
RUNS: Final = 1 << 12  # and of runs of words
PLACES: Final = PIECES + RUNS
_PIECE: Final = (2, 3, 4, 5)  # letters
_RUN: Final = (1, 2, 3)  # words
Floats = NDArray[np.float32]


def placed(masked: str) -> tuple[NDArray[np.int64], Floats]:
    """Places and weights of one question, as it stands with marks: each of the two kinds has length 1."""
    words = masked.split()
    pieces = Counter(_hashed(one, PIECES) for word in words for one in _pieces(word))
    runs = Counter(PIECES + _hashed(one, RUNS) for one in _runs(words))
    at = np.array([*pieces, *runs], np.int64)
    return at, np.concatenate([_unit(pieces), _unit(runs)])


def grams(masked: Sequence[str]) -> Floats:
    """(N, PLACES), dense: for learning."""
    made = np.zeros((len(masked), PLACES), np.float32)
    for row, text in zip(made, masked, strict=True):
        at, weights = placed(text)
        row[at] = weights
    return made


def _pieces(word: str) -> Iterator[str]:
    edged = f" {word.casefold()} "
    for length in _PIECE:
        for start in range(max(len(edged) - length + 1, 1)):
            yield edged[start : start + length]


def _runs(words: Sequence[str]) -> Iterator[str]:
    for length in _RUN:
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _hashed(text: str, places: int) -> int:
    return zlib.crc32(text.encode()) % places


def _unit(counts: Counter[int]) -> Floats:
    weights = np.array([1 + log(number) for number in counts.values()], np.float32)
    size = float(np.linalg.norm(weights))
    return weights / size if size else weights

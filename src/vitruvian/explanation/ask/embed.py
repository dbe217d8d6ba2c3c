"""Sentences as vectors: MiniLM-L6 (Wang et al. 2020; Reimers and Gurevych 2019), read by `bert`.

The weights are installed by `vitruvian model install minilm`, the tokenizer by the extra `[embed]`; nothing is fetched
here. Without them questions are routed by names and patterns alone.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.explanation.ask.bert import Bert
from vitruvian.explanation.llm import weights

__all__ = ["NAME", "Embedder", "installed_embedder"]

NAME: Final = "minilm"
TOKENS_MAX: Final = 64  # of a question; what is longer is cut
_BATCH: Final = 32
Floats = NDArray[np.float32]


class Embedder:
    """Vectors of length 1: the mean of the hidden states of a text's tokens. Any thread may ask it."""

    def __init__(self, bert: Bert, tokenizer: Any, digest: str = "") -> None:
        self._bert, self._tokenizer, self.digest = bert, tokenizer, digest
        self._lock = threading.Lock()  # a tokenizer keeps its padding between calls

    @classmethod
    def load(cls, folder: Path, digest: str = "") -> Embedder:
        """From a folder with `model.safetensors` and `tokenizer.json`.

        Raises ModelError where they, or the packages that read them, are not there.
        """
        try:
            from safetensors.numpy import load_file
            from tokenizers import Tokenizer
        except ImportError as error:
            raise ModelError(
                f"found no package {error.name}, expected it; run pip install 'vitruvian[embed]'"
            ) from None
        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            read = load_file(str(folder / "model.safetensors"))
        except Exception as error:  # both packages raise bare exceptions of their own
            raise ModelError(
                f"found sentence weights in {folder.name} that cannot be read ({error}), expected MiniLM's; install "
                f"them again: vitruvian model install {NAME}"
            ) from None
        tokenizer.enable_truncation(TOKENS_MAX)
        tokenizer.enable_padding()
        return cls(Bert(read), tokenizer, digest)

    def __call__(self, texts: Sequence[str]) -> Floats:
        """(N, width) in the texts' order."""
        made = np.empty((len(texts), self._bert.width), np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))  # alike lengths: little padding
        for first in range(0, len(order), _BATCH):
            places = order[first : first + _BATCH]
            made[places] = self._batch([texts[place] for place in places])
        return made

    def _batch(self, texts: list[str]) -> Floats:
        with self._lock:
            encoded = self._tokenizer.encode_batch(texts)
        tokens = np.array([one.ids for one in encoded], np.int64)
        mask = np.array([one.attention_mask for one in encoded], bool)
        hidden = self._bert(tokens, mask) * mask[:, :, None]
        mean = hidden.sum(axis=1) / mask.sum(axis=1, keepdims=True)
        made: Floats = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return made


def installed_embedder() -> Embedder | None:
    """The embedder of the installed weights, or None where they or its packages are not installed."""
    try:
        found = weights.find(NAME)
        return None if found is None else Embedder.load(found.path.parent, found.digest)
    except ModelError:
        return None

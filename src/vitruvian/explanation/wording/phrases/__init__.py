"""The phrase books: every way in which a model may word a claim.

They are the closed list that the grammar forces and the verifier allows. What no pattern says cannot be shown, however
harmless it looks; what every pattern says is read by a person before it is added, and tested to mean its claim.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import Final

import msgspec

from vitruvian.explanation.claims import Audience, Claim, Facet, Sign, Skeleton, Slot
from vitruvian.explanation.drafts.base import skeleton_of, template_of
from vitruvian.explanation.wording.patterns import Choice, Node, Word, ends, lowered, parse, tokens_of, words
from vitruvian.explanation.wording.phrases import ahead, known, lists, risk
from vitruvian.explanation.wording.phrases.base import Book
from vitruvian.explanation.wording.tags import tag_of, tagged

__all__ = ["BOOK", "WORDED", "Phrases", "phrases_of"]

BOOK: Final[Book] = {**risk.BOOK, **ahead.BOOK, **known.BOOK, **lists.BOOK}
WORDED: Final = ("en",)  # languages with a phrase book; the others keep their drafts
SLOTS_MAX: Final = 14  # a longer list reads no better for being worded, and its shape is hardly met again


class Phrases(msgspec.Struct, frozen=True, dict=True):
    """All patterns of a claim's shape that have its slots, each once and in the draft's order; `tags` by slot name.

    `others`: those that the draft's own sentence does not follow.
    """

    nodes: tuple[Node, ...] = ()
    others: tuple[Node, ...] = ()
    tags: dict[str, str] = {}

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word in them, in small letters."""
        return frozenset(word.lower() for node in self.nodes for word in words(node))

    def hold(self, tokens: Sequence[str]) -> bool:
        """Whether these tokens (words in small letters, tags, marks) are one of the sentences."""
        tag = self.tags.__getitem__
        return any(len(tokens) in ends(node, tokens, 0, tag) for node in self.nodes)


def phrases_of(claim: Claim, draft: Skeleton, audience: Audience, language: str) -> Phrases:
    """The phrases of a claim; none where its draft stands alone: in other languages, where the words are the twin's own
    (notes, reasons), in the lines of a handover, which all read alike and are many, and in long lists.
    """
    line = claim.slot("place") is not None
    if language not in WORDED or claim.kind not in BOOK or line or len(claim.slots) > SLOTS_MAX:
        return Phrases()
    slots = tuple((one.name, one.facet) for one in claim.slots)
    return _phrases(claim.kind, slots, claim.sign, template_of(draft), audience)


@lru_cache(maxsize=2_048)
def _phrases(kind: str, slots: tuple[tuple[str, Facet], ...], sign: Sign, template: str, audience: Audience) -> Phrases:
    """By the claim's shape alone, so that every patient's claim of a shape finds the same trees."""
    shape = Claim(kind, tuple(Slot(name, name, facet) for name, facet in slots), sign)
    draft = skeleton_of(template, shape)
    tags, order = {slot.name: tag_of(slot) for slot in shape.slots}, tuple(slot.name for slot in draft.slots)
    own = lowered(tokens_of(tagged(draft)))
    nodes = tuple(
        node for node in map(parse, dict.fromkeys(BOOK[kind](shape, audience))) if set(_orders(node)) == {order}
    )
    others = tuple(node for node in nodes if len(own) not in ends(node, own, 0, tags.__getitem__))
    return Phrases(nodes, others, tags)


def _orders(node: Node) -> Iterator[tuple[str, ...]]:
    """The orders in which its sentences have slots."""
    if isinstance(node, Word):
        yield (node.slot,) if node.slot else ()
    elif isinstance(node, Choice):
        yield from {order for part in node.parts for order in _orders(part)}
    else:
        heads: set[tuple[str, ...]] = {()}
        for part in node.parts:
            tails = set(_orders(part))
            heads = {(*head, *tail) for head in heads for tail in tails}
        yield from heads

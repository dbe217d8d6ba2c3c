"""Tags: what a model sees in the place of a fact. They say a fact's role, never the fact.

`{risk}` of a template is `<RISK>` in a prompt. A skeleton with tags holds no label, number or time of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from vitruvian.explanation.claims import Claim, Facet, Skeleton, Slot
from vitruvian.explanation.wording.base import Refused

__all__ = ["TAG", "tag_of", "tagged", "untagged"]

TAG: Final = re.compile(r"<([A-Z][A-Z0-9]*)>")
_SLOT: Final = re.compile(r"([a-z]+(?:_[a-z]+)*?)([0-9]*)")
# Slots of lists are named by a letter and a number; a model needs a word: by letter where that decides, else by facet.
_LETTERS: Final[Mapping[tuple[str, Facet], str]] = {
    ("d", "value"): "DOSE", ("d", "text"): "DOSE", ("e", "label"): "EDIT", ("f", "value"): "FROM",
    ("m", "label"): "MISSING", ("v", "text"): "VALUE",
}  # fmt: skip
_FACETS: Final[Mapping[Facet, str]] = {
    "label": "ITEM", "value": "VALUE", "when": "TIME", "text": "WORDS", "direction": "TREND", "frequency": "SHARE",
}  # fmt: skip


def tag_of(slot: Slot) -> str:
    """The tag of a slot: `<RISK>`, `<FINDING1>`. Tags of a claim's slots differ from each other."""
    found = _SLOT.fullmatch(slot.name)
    head, number = (found[1], found[2]) if found else (slot.name, "")
    named = (_LETTERS.get((head, slot.facet)) or _FACETS[slot.facet]) if len(head) == 1 else head.upper()
    return f"<{named.replace('_', '')}{number}>"


def tagged(skeleton: Skeleton) -> str:
    """A skeleton as a model sees it."""
    return "".join(part if isinstance(part, str) else tag_of(part) for part in skeleton.parts)


def untagged(text: str, claim: Claim) -> Skeleton:
    """The skeleton of a text with tags. Raises Refused for a tag that is none of the claim's."""
    slots = {tag_of(one): one for one in claim.slots}
    parts: list[str | Slot] = []
    for place, piece in enumerate(TAG.split(text)):
        if place % 2 == 0:
            if piece:
                parts.append(piece)
        elif f"<{piece}>" in slots:
            parts.append(slots[f"<{piece}>"])
        else:
            raise Refused("tags", f"found the tag <{piece[:20]}>, expected {' '.join(slots) or 'none'}")
    return Skeleton(tuple(parts))

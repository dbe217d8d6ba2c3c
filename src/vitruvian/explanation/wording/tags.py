"""Tags: what a model sees in the place of a fact. They say a fact's role, never the fact.

`{risk}` of a template is `<RISK>` in a prompt. A skeleton with tags holds no label, number or time of anybody.
"""

from __future__ import annotations

import re
from typing import Final

from vitruvian.explanation.claims import Claim, Skeleton, Slot
from vitruvian.explanation.wording.base import Refused

__all__ = ["TAG", "tag_of", "tagged", "untagged"]

TAG: Final = re.compile(r"<([A-Z][A-Z0-9]*)>")
_SLOT: Final = re.compile(r"([a-z]+(?:_[a-z]+)*?)([0-9]*)")
# Slots of lists are named by a letter and a number; a model needs a word. `m` is a move or what is missing.
_LETTERS: Final = {
    "a": "ACTION", "c": "FINDING", "d": "FINDING", "e": "EDIT", "s": "SUBJECT", "t": "TIME", "v": "VALUE",
}  # fmt: skip
_BY_FACET: Final = {"direction": "TREND", "label": "ITEM"}


def tag_of(slot: Slot) -> str:
    """The tag of a slot: `<RISK>`, `<FINDING1>`. Tags of a claim's slots differ from each other."""
    found = _SLOT.fullmatch(slot.name)
    head, number = (found[1], found[2]) if found else (slot.name, "")
    named = _LETTERS.get(head) or (_BY_FACET.get(slot.facet) if len(head) == 1 else None) or head.upper()
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

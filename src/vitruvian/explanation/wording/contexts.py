"""What may stand right before and right after a slot, by its role: where a number's role is told by the words at it.

`{earlier}` among the neighbours is another slot. A role that is not listed may have any neighbour here (the phrase book
decides). `("", role)` holds for every kind that has no line of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["AFTER", "BEFORE", "CENTRAL", "PREPOSITIONS", "SPANS"]

# Slots that read with a preposition of their own: `over the next 6 h`, `at 14:05`. Another before it makes no sense.
SPANS: Final = ("horizon", "window")
PREPOSITIONS: Final = frozenset(
    ("at", "by", "during", "for", "in", "of", "on", "over", "to", "until", "within", "after", "before", "from")
)
# The numbers that an interval may belong to.
CENTRAL: Final = frozenset(("risk", "later", "difference", "value"))

_NAMED: Final = frozenset(("interval", "range", "is", "of"))
BEFORE: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("", "earlier"): frozenset(("from",)),
    ("", "ago"): frozenset(("{earlier}", "from", "as")),
    ("", "before"): frozenset((",",)),
    ("", "after"): frozenset(("and",)),
    ("", "from"): frozenset(("from", ",")),
    ("", "to"): frozenset(("to", "and")),
    ("", "f"): frozenset(("from",)),
    ("changes", "v"): frozenset(("to",)),
    ("", "now"): frozenset(("from", ",")),
    ("", "low"): _NAMED,
    ("effect", "low"): _NAMED | {"to"},
    ("", "high"): frozenset(("to",)),
    ("effect", "high"): _NAMED | {"to"},
    ("", "confidence"): frozenset(("(", "the")),
    ("", "difference"): frozenset(("by", "be", "than")),
    ("", "likelihood"): frozenset(("is",)),
    ("", "risk"): frozenset(("at", "is", "now", "about", "of", "{outcome}")),
}
_CLOSES: Final = frozenset((")", ".", ",", ";", "{horizon}"))
AFTER: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("", "low"): frozenset(("to",)),
    ("effect", "low"): _CLOSES | {"to"},
    ("", "high"): _CLOSES,
    ("effect", "high"): _CLOSES | {"to"},
    ("", "confidence"): frozenset(("interval", "range")),
    ("", "before"): frozenset(("without",)),
    ("", "after"): frozenset(("with",)),
    ("", "from"): frozenset(("to", "then")),
    ("", "to"): frozenset(("{window}", "now")),
    ("", "f"): frozenset(("to",)),
    ("", "earlier"): frozenset(("{ago}",)),
}

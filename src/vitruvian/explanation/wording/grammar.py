"""The grammar (GBNF, as llama.cpp reads it) that forces an answer into the phrase book: every tag once, in the draft's
order, words of the claim's closed list between them, and a full stop at the end.

The pattern that the draft's own sentence follows is left out: it stands already, and a small model that may copy it,
or may change a word of it, does nothing else.
"""

from __future__ import annotations

from vitruvian.explanation.claims import Audience, Claim, Skeleton
from vitruvian.explanation.wording.patterns import gbnf
from vitruvian.explanation.wording.phrases import phrases_of

__all__ = ["grammar_of"]


def grammar_of(claim: Claim, draft: Skeleton, audience: Audience, language: str) -> str:
    """The grammar of the wordings of a claim that are built otherwise than its draft; empty where there are none."""
    phrases = phrases_of(claim, draft, audience, language)
    rules = [gbnf(node, phrases.tags.__getitem__) for node in phrases.others]
    if not rules:
        return ""
    names = [f"way{number}" for number in range(1, len(rules) + 1)]
    lines = [f"root ::= {' | '.join(names)}", *(f"{name} ::= {rule}" for name, rule in zip(names, rules, strict=True))]
    return "\n".join(lines) + "\n"

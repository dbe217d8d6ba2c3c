"""Explanations as they are answered: the sentences with the place of each fact in them, and each fact in full."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from vitruvian.explanation.claims import Audience, Explanation, Sentence
from vitruvian.explanation.evidence.base import Evidence, Kind
from vitruvian.explanation.footnotes import Footnote, footnotes

__all__ = ["ExplanationView", "StatusView", "explanation_view"]


class ExplanationView(msgspec.Struct, frozen=True):
    """What a person reads. `text`: its sentences as one; a sentence's `cites` are (start, end, fact, facet), and
    `footnotes` says each fact in full. `status`: `draft` (no model, or not yet), `partly`, `fluent`; `pending`: better
    words are on their way; `refused`: how often each rule refused a model's wording.
    """

    kind: Kind
    audience: Audience
    language: str
    at_us: int
    text: str
    sentences: tuple[Sentence, ...]
    footnotes: Mapping[str, Footnote]
    status: Literal["draft", "partly", "fluent"]
    model: str
    pending: bool
    refused: Mapping[str, int]
    simulated: bool


class StatusView(msgspec.Struct, frozen=True):
    """The language model behind the words: its home and name, whether prompts leave this machine and what they hold;
    sentences accepted, drafts shown, refusals by rule; what waits; and the end of the audit's hash chain.
    """

    home: str
    model: str
    remote: bool
    sent: str
    deadline_s: float
    accepted: int
    drafts: int
    refused: Mapping[str, int]
    waiting: int
    running: bool
    worked: int
    dropped: int
    audit_head: str


def explanation_view(said: Explanation, evidence: Evidence, *, pending: bool = False) -> ExplanationView:
    """The view of an explanation of this packet."""
    return ExplanationView(
        said.kind, said.audience, said.language, said.at_us, said.text, said.sentences, footnotes(said, evidence),
        said.status, said.model, pending, said.refused, said.simulated,
    )  # fmt: skip

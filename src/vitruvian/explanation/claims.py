"""What sentences are made of: a claim states facts in named slots; a skeleton is its wording with the facts left open.

claim     what is said: its kind, which fact stands in which slot, and the sign of what it says
skeleton  how it is said: words and slots, no number and no name of the patient's
sentence  a skeleton filled by code, with the place of each fact in the text
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from vitruvian.explanation.evidence.base import Fact, Kind

__all__ = ["PROMPT_VERSION", "Audience", "Cite", "Claim", "Explanation", "Facet", "Sentence", "Skeleton", "Slot"]

PROMPT_VERSION: Final = "2"  # part of cache keys and of the audit: raised when prompts, grammar or rules change

Audience = Literal["clinician", "patient"]
Facet = Literal["label", "value", "when", "text", "frequency", "direction"]
Sign = Literal[-1, 0, 1] | None


class Slot(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A place in a sentence that code fills: the named facet of a fact.

    `label`: what it is; `value`: its number with unit; `when`: its time of day, or how long ago; `text`: its words;
    `frequency`: a probability as people in a hundred.
    """

    name: str
    fact: str
    facet: Facet


class Claim(msgspec.Struct, frozen=True):
    """One thing that is said. `kind` decides wordings and rules (drafts/base.py lists them); slot names are unique.

    `sign`: +1 what it speaks of rises or is above, -1 falls or is below, 0 is unchanged, None: no direction. Always
    computed from the facts' numbers.
    """

    kind: str
    slots: tuple[Slot, ...]
    sign: Sign = None

    def slot(self, name: str) -> Slot | None:
        """The slot of that name."""
        return next((one for one in self.slots if one.name == name), None)

    @property
    def facts(self) -> tuple[str, ...]:
        """The ids it cites, each once, in order."""
        return tuple(dict.fromkeys(one.fact for one in self.slots))

    @property
    def shape(self) -> str:
        """What a wording of it depends on: kind, sign, slot names and facets. No fact, no number."""
        inner = ",".join(f"{one.name}:{one.facet}" for one in self.slots)
        return f"{self.kind}({inner}){'' if self.sign is None else f'{self.sign:+d}'}"


class Skeleton(msgspec.Struct, frozen=True):
    """Words and slots (by name) of a claim, in order: `("The risk is ", Slot(...), ".")`."""

    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Its slots in order."""
        return tuple(part for part in self.parts if isinstance(part, Slot))

    @property
    def words(self) -> str:
        """Its text outside slots, a slot as a line break."""
        return "".join("\n" if isinstance(part, Slot) else part for part in self.parts)


class Cite(msgspec.Struct, frozen=True, array_like=True):
    """text[start:end] of a sentence shows this facet of this fact."""

    start: int
    end: int
    fact: str
    facet: Facet


class Sentence(msgspec.Struct, frozen=True):
    """A sentence as shown. `origin`: the deterministic draft, or a language model's verified wording (`model`).

    `refused`: why a model's wording was not taken (a rule's name), where one was tried.
    """

    text: str
    cites: tuple[Cite, ...]
    claim: str
    origin: Literal["draft", "model"] = "draft"
    refused: str = ""

    @property
    def facts(self) -> tuple[str, ...]:
        """The ids it cites, each once, in order."""
        return tuple(dict.fromkeys(one.fact for one in self.cites))

    def pieces(self) -> Iterator[tuple[str, str]]:
        """(text, fact id or empty) in order: what a page needs to make each fact something to point at."""
        at = 0
        for cite in self.cites:
            if cite.start > at:
                yield self.text[at : cite.start], ""
            yield self.text[cite.start : cite.end], cite.fact
            at = cite.end
        if at < len(self.text):
            yield self.text[at:], ""


class Explanation(msgspec.Struct, frozen=True):
    """An explanation with its evidence: what a person reads, and what they can check it by.

    `facts`: those cited, and how each reads in full is for whoever shows it. `status`: `draft` (no model, or it works
    still), `partly` (some sentences are a model's), `fluent` (all are). `refused`: how often each rule refused.
    """

    kind: Kind
    audience: Audience
    language: str
    at_us: int
    sentences: tuple[Sentence, ...]
    facts: tuple[Fact, ...]
    evidence: str
    status: Literal["draft", "partly", "fluent"] = "draft"
    model: str = ""
    refused: Mapping[str, int] = {}
    simulated: bool = False

    @property
    def text(self) -> str:
        """The sentences as one text."""
        return " ".join(sentence.text for sentence in self.sentences)

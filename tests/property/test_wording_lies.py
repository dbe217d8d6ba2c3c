"""Whatever is not true is refused: sentences and skeletons made false on purpose, and answers of any text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wording_support import AUDIENCES, drafted, every_way, one_of
from vitruvian.explanation.claims import Audience, Claim, Sentence, Skeleton, Slot
from vitruvian.explanation.drafting import plan_of
from vitruvian.explanation.drafts import draft_of, manner_of
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.filling import fill
from vitruvian.explanation.wording.base import Refused
from vitruvian.explanation.wording.prompt import skeleton_of_answer
from vitruvian.explanation.wording.read_back import read_back
from vitruvian.explanation.wording.verifier import verify
from vitruvian.testing.lies import LIES, false_skeletons, lies
from vitruvian.testing.packets import packets

Told = tuple[Evidence, Audience, Claim, Skeleton, Skeleton, Sentence]


def told(seed: int, count: int) -> Iterator[Told]:
    """Every claim of so many packets, as its draft and as a wording of the phrase book: packet, reader, claim, draft,
    skeleton, sentence.
    """
    random = Random(seed)
    for packet in packets(seed, count):
        for audience in AUDIENCES:
            for claim in plan_of(packet, audience):
                draft = draft_of(claim, audience, "en")
                for skeleton in {draft, one_of(claim, draft, audience, random) or draft}:
                    yield (
                        packet,
                        audience,
                        claim,
                        draft,
                        skeleton,
                        fill(skeleton, claim, packet, audience, manner_of("en")),
                    )


def refused_of_all(seed: int, packets_count: int, most: int) -> tuple[Counter[str], Counter[str]]:
    """Lies told and refused, by kind; fails at the first that passes."""
    random, of_text, of_skeleton = Random(seed), Counter[str](), Counter[str]()
    for packet, audience, claim, draft, skeleton, sentence in told(seed, packets_count):
        if of_text.total() + of_skeleton.total() >= most:
            break
        for kind, text in lies(sentence, packet, audience, random):
            of_text[kind] += 1
            with pytest.raises(Refused):
                read_back(text, claim, packet, audience, "en")
                pytest.fail(f"{kind}: {text!r} passed for {sentence.text!r}")
        for kind, false in false_skeletons(skeleton, random):
            of_skeleton[kind] += 1
            with pytest.raises(Refused):
                verify(false, claim, draft, audience, "en")
                pytest.fail(f"{kind}: {false.parts} passed for {skeleton.parts}")
    return of_text, of_skeleton


def test_what_is_true_reads_back() -> None:
    """Drafts and wordings of every kind of packet: otherwise refusing all lies would mean nothing."""
    kinds: Counter[str] = Counter()
    for packet, audience, claim, draft, skeleton, sentence in told(1, 48):
        verify(skeleton, claim, draft, audience, "en")
        read_back(sentence.text, claim, packet, audience, "en")
        kinds[claim.kind] += 1
    assert len(kinds) > 25


def test_lies_are_refused() -> None:
    of_text, of_skeleton = refused_of_all(2, 40, 1_500)
    assert of_text.total() + of_skeleton.total() >= 1_500
    assert set(of_text) == set(LIES)


@pytest.mark.long
def test_many_lies_about_every_kind_of_packet_are_refused() -> None:
    of_text, of_skeleton = refused_of_all(4, 240, 60_000)
    assert of_text.total() >= 5_000
    assert of_skeleton.total() >= 5_000


SHAPES = [(claim, audience) for claim, audience in drafted() if claim.slots]
WORDS = [
    "the",
    "model",
    "risk",
    "of",
    "is",
    "not",
    "up",
    "down",
    "from",
    "to",
    "rising",
    "higher",
    "lower",
    "<RISK>",
    "<OUTCOME>",
    "<LOW>",
    ",",
    ".",
    "(",
    ")",
    "12",
    "%",
    "should",
]


@given(st.sampled_from(SHAPES), st.text(max_size=200))
def test_arbitrary_text_is_refused(shape: tuple[Claim, Audience], answer: str) -> None:
    claim, audience = shape
    draft = draft_of(claim, audience, "en")
    with pytest.raises(Refused):
        verify(skeleton_of_answer(answer, claim, draft), claim, draft, audience, "en")


@given(st.sampled_from(SHAPES), st.randoms(use_true_random=False), st.data())
def test_an_answer_is_refused_or_is_a_wording_of_the_phrase_book(
    shape: tuple[Claim, Audience], random: Random, data: st.DataObject
) -> None:
    """A true wording with words taken out, put in and exchanged: it passes only where it is another true wording."""
    claim, audience = shape
    draft = draft_of(claim, audience, "en")
    begun = one_of(claim, draft, audience, random) or draft
    words = "".join(part if isinstance(part, str) else f" {{{part.name}}} " for part in begun.parts).split()
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(words) - 1))
        change = data.draw(st.sampled_from(("drop", "add", "exchange")))
        if change == "drop" and len(words) > 1:
            words.pop(at)
        elif change == "add":
            words.insert(at, data.draw(st.sampled_from(WORDS)))
        else:
            other = data.draw(st.integers(0, len(words) - 1))
            words[at], words[other] = words[other], words[at]
    slots = {slot.name: slot for slot in claim.slots}
    parts: list[str | Slot] = []
    for word in words:
        parts.append(slots[word[1:-1]] if word[0] == "{" and word[1:-1] in slots else f" {word} ")
    skeleton = Skeleton(tuple(parts))
    try:
        verify(skeleton, claim, draft, audience, "en")
    except Refused:
        return
    ways = {way for n in range(400) for way in every_way(claim, draft, audience, Random(n))} | {draft}
    assert skeleton in ways

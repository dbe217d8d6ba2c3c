"""What a model is asked: tags and words, nothing of a patient; and how its answer is read."""

from __future__ import annotations

import re

import pytest

from tests.wording_support import AUDIENCES, drafted
from vitruvian.explanation.claims import Claim, Slot
from vitruvian.explanation.drafting import plan_of
from vitruvian.explanation.drafts import draft_of, manner_of
from vitruvian.explanation.showing import show
from vitruvian.explanation.wording.base import Refused
from vitruvian.explanation.wording.prompt import ANSWER_CHARS_MAX, prompt_of, skeleton_of_answer, wordable
from vitruvian.explanation.wording.tags import TAG, tag_of, tagged, untagged
from vitruvian.testing.packets import packets

RISK = Claim("risk", (Slot("outcome", "risk", "label"), Slot("risk", "risk", "value")))
DRAFT = draft_of(RISK, "clinician", "en")


def test_a_prompt_depends_on_the_shape_alone() -> None:
    """Two patients' claims of one shape make the same prompt, to the letter: nothing of either is in it."""
    prompts: dict[tuple[str, str], str] = {}
    again = 0
    for packet in packets(3, 120):
        for audience in AUDIENCES:
            for claim in plan_of(packet, audience):
                draft = draft_of(claim, audience, "en")
                if not wordable(claim, draft, audience, "en"):
                    continue
                made = repr(prompt_of(claim, draft, audience, "en"))
                again += (claim.shape, audience) in prompts
                assert prompts.setdefault((claim.shape, audience), made) == made
    assert again > 500


def test_a_prompt_holds_no_number_label_or_time() -> None:
    for packet in packets(4, 60):
        for claim in plan_of(packet, "clinician"):
            draft = draft_of(claim, "clinician", "en")
            if not wordable(claim, draft, "clinician", "en"):
                continue
            prompt = prompt_of(claim, draft, "clinician", "en")
            outside = TAG.sub("", f"{prompt.system}\n{prompt.user}\n{prompt.grammar.replace('way', '')}")
            assert not re.search(r"\d", re.sub(r"^\d+ ::=|\b\d+ \|", "", outside.split("root")[0])), claim.kind
            for slot in claim.slots:
                fact = packet.by_id[slot.fact]
                if slot.facet in ("label", "text"):
                    shown = show(fact, slot.facet, packet, "clinician", manner_of("en"))
                    assert len(shown) < 6 or shown not in f"{prompt.system}{prompt.user}{prompt.grammar}"


def test_prompts_are_short_and_share_their_beginning() -> None:
    systems, longest = set(), 0
    for claim, audience in drafted():
        draft = draft_of(claim, audience, "en")
        if wordable(claim, draft, audience, "en"):
            prompt = prompt_of(claim, draft, audience, "en")
            systems.add(prompt.system)
            longest = max(longest, len(prompt.system) + len(prompt.user))
    assert len(systems) == 1  # read once for all sentences of an explanation
    assert longest < 1_600  # some 400 tokens, for a context of 2,048 and a deadline of seconds


def test_tags_of_a_claim_differ() -> None:
    for claim, _ in drafted():
        tags = [tag_of(slot) for slot in claim.slots]
        assert len(set(tags)) == len(tags), tags
        assert all(TAG.fullmatch(tag) for tag in tags)


def test_the_twins_own_words_are_not_a_models_to_word() -> None:
    for kind, slot in (("note", Slot("n1", "note-1", "text")), ("silent", Slot("reason", "reason", "text"))):
        claim = Claim(kind, (slot,))
        draft = draft_of(claim, "clinician", "en")
        assert not wordable(claim, draft, "clinician", "en")
        with pytest.raises(Refused) as refused:
            prompt_of(claim, draft, "clinician", "en")
        assert refused.value.rule == "verbatim"
    assert not wordable(RISK, DRAFT, "clinician", "de")


def test_an_answer_is_read_as_it_stands() -> None:
    text = "The estimated risk of <OUTCOME> is <RISK>."
    skeleton = skeleton_of_answer(f"  {text}\n", RISK, DRAFT)
    assert tagged(skeleton) == text
    assert skeleton.slots == DRAFT.slots
    assert skeleton_of_answer(f'Sentence: "{text}"', RISK, DRAFT) == skeleton
    assert tagged(untagged(text, RISK)) == text


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("x" * (ANSWER_CHARS_MAX + 1), "size"),
        ("The risk of <OUTCOME> is <OTHER>.", "tags"),
        ("The risk of <RISK> is <OUTCOME>.", "tags"),
        ("The risk of <OUTCOME> is high.", "tags"),
        ("The risk of <OUTCOME> is <RISK> <RISK>.", "tags"),
        ("The risk of <SCRIPT> is <RISK>.", "tags"),
    ],
)
def test_an_answer_that_is_no_wording_is_refused(answer: str, rule: str) -> None:
    with pytest.raises(Refused) as refused:
        skeleton_of_answer(answer, RISK, DRAFT)
    assert refused.value.rule == rule

"""Patterns of sentences: the notation, whether a sentence is one of them, and the grammar that forces one."""

from __future__ import annotations

import re
from random import Random

import pytest

from tests.gbnf_support import written
from tests.wording_support import AUDIENCES, drafted, worded
from vitruvian.explanation.drafts import draft_of
from vitruvian.explanation.wording.grammar import grammar_of
from vitruvian.explanation.wording.patterns import ends, gbnf, lowered, parse, sampled, size, spaced, tokens_of, words
from vitruvian.explanation.wording.phrases import BOOK
from vitruvian.explanation.wording.tags import tag_of

EXAMPLE = "(the [model's] estimate|our estimate) of {outcome} [<< interval {low} to {high} >>] is {risk} ."


def _tag(slot: str) -> str:
    return f"<{slot.upper()}>"


def test_the_notation_stands_for_a_finite_set_of_sentences() -> None:
    node = parse(EXAMPLE)
    assert size(node) == 6
    made = {spaced([_tag(one[1:-1]) if one[0] == "{" else one for one in sampled(node, Random(n))]) for n in range(200)}
    assert made == {
        f"{head} estimate of <OUTCOME>{middle} is <RISK>."
        for head in ("the", "the model's", "our")
        for middle in ("", " (interval <LOW> to <HIGH>)")
    }
    assert set(words(node)) == {"the", "model's", "estimate", "our", "of", "interval", "to", "is"}


@pytest.mark.parametrize("wrong", ["(a|b", "a ]", "a {b", "a & b", "( a [b )"])
def test_a_pattern_that_does_not_close_is_an_error(wrong: str) -> None:
    with pytest.raises(ValueError, match="found"):
        parse(wrong)


def test_membership_is_of_whole_sentences() -> None:
    node = parse(EXAMPLE)
    inside = lowered(tokens_of("The model's estimate of <OUTCOME> (interval <LOW> to <HIGH>) is <RISK>."))
    assert len(inside) in ends(node, inside, 0, _tag)
    for text in (
        "The model's estimate of <OUTCOME> (interval <HIGH> to <LOW>) is <RISK>.",
        "The model's estimate of <OUTCOME> is <RISK>",
        "The our estimate of <OUTCOME> is <RISK>.",
        "The estimate of <OUTCOME> is <RISK>. The",
    ):
        tokens = lowered(tokens_of(text))
        assert len(tokens) not in ends(node, tokens, 0, _tag), text


def test_the_grammar_and_the_reading_of_a_pattern_agree() -> None:
    """The grammar is read by an interpreter of GBNF that knows nothing of patterns."""
    node, random = parse(EXAMPLE), Random(3)
    grammar = f"root ::= {gbnf(node, _tag)}\n"
    texts = {written(grammar, random) for _ in range(200)}
    assert len(texts) == size(node)
    for text in texts:
        assert text[0].isupper()
        assert spaced(tokens_of(text)) == text
        tokens = lowered(tokens_of(text))
        assert len(tokens) in ends(node, tokens, 0, _tag), text


def test_what_begins_a_sentence_may_be_left_out_and_still_has_its_capital() -> None:
    grammar = f"root ::= {gbnf(parse('[about] {share} of it (| << [the] {low} >>) .'), _tag)}\n"
    texts = {written(grammar, Random(n)) for n in range(100)}
    assert texts == {
        f"{head}<SHARE> of it{tail}." for head in ("About ", "") for tail in ("", " (<LOW>)", " (the <LOW>)")
    }


def test_every_grammar_makes_wordings_of_its_claim_and_not_the_draft() -> None:
    random, made = Random(11), 0
    for claim, audience in drafted():
        draft = draft_of(claim, audience, "en")
        grammar = grammar_of(claim, draft, audience, "en")
        own = worded(draft)
        for _ in range(3 if grammar else 0):
            text = written(grammar, random)
            made += 1
            assert text != own
            assert re.findall(r"<[A-Z0-9]+>", text) == [tag_of(slot) for slot in draft.slots], text
            assert re.fullmatch(r"[A-Za-z <>,;:()'0-9-]+\.", text), text
    assert made > 1_000


def test_every_kind_with_a_phrase_book_has_wordings_for_both_readers() -> None:
    """A book whose slots stood in another order than the drafts' would be passed over in silence."""
    have = {
        (claim.kind, audience)
        for claim, audience in drafted()
        if grammar_of(claim, draft_of(claim, audience, "en"), audience, "en")
    }
    assert have == {(kind, audience) for kind in BOOK for audience in AUDIENCES}

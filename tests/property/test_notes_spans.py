"""Whatever the text, every suggestion quotes it exactly, and what is quarantined changes nothing else."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vitruvian.explanation.notes import dictionary, extract
from vitruvian.explanation.notes.quarantine import quarantine
from vitruvian.explanation.notes.sentences import sentences

PIECES = st.sampled_from(
    ["chest pain", "no ", "denies ", "HR 118", "BP 90/40", ", ", ". ", "\n", "\r\n", "- ", "?", "PMH: ", "mother had ",
     "oedema", "İ", "ß", "ﬁ", "e\u0301", "\u200b", "\u202e", "\U0001f600", "<b>", "{", "ignore previous instructions",
     "µg", "Ω", "A41.9", "("]
)  # fmt: skip
TEXTS = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=30).map("".join))


@given(TEXTS)
@settings(deadline=None, max_examples=60)
def test_every_span_quotes_the_text(text: str) -> None:
    for one in extract(text, dictionary()):
        assert 0 <= one.start < one.end <= len(text)
        assert text[one.start : one.end] == one.text


@given(TEXTS)
@settings(deadline=None, max_examples=60)
def test_sentences_and_regions_stand_in_order(text: str) -> None:
    last = 0
    for span in sentences(text):
        assert last <= span.start < span.end <= len(text)
        assert not any(letter.isalnum() for letter in text[last : span.start])
        last = span.end
    assert not any(letter.isalnum() for letter in text[last:])
    last = 0
    for region in quarantine(text):
        assert last <= region.start < region.end <= len(text)
        last = region.end


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=60))
@settings(deadline=None, max_examples=40)
def test_a_block_of_markup_leaves_the_note_as_it_was(inside: str) -> None:
    clean = "Cough and fever. HR 96.\nPMH: COPD.\n"
    block = f"```\n{inside.replace('`', '').replace('~', '')}\n```\n"
    found = [one for one in extract(clean + block, dictionary()) if not one.quarantined]
    assert [(one.text, one.assertion, one.start) for one in found] == [
        (one.text, one.assertion, one.start) for one in extract(clean, dictionary())
    ]

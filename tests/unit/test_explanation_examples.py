"""The page of examples is what the drafts say now, and holds what it should."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import get_args

from tests.support import REPOSITORY
from vitruvian.explanation.drafting import AUDIENCES, draft
from vitruvian.explanation.drafts import LANGUAGES
from vitruvian.explanation.evidence.base import Kind
from vitruvian.testing.explanation_examples import examples, main, page

PAGE = REPOSITORY / "docs" / "explanation_examples.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m vitruvian.testing.explanation_examples`"


def test_it_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    main([str(tmp_path / "page.md")])
    assert (tmp_path / "page.md").read_text("utf-8") == page()


def test_two_packets_of_every_kind() -> None:
    kinds = [packet.kind for packet in examples()]
    assert set(kinds) == set(get_args(Kind))
    assert all(kinds.count(kind) == 2 for kind in kinds)


def test_languages_differ_and_say_as_much() -> None:
    """No sentence stands in the page in two languages, and each language has as many."""
    for packet, reader in product(examples(), AUDIENCES):
        told = [draft(packet, reader, language).sentences for language in LANGUAGES]
        assert len({len(sentences) for sentences in told}) == 1
        for sentences in zip(*told, strict=True):
            assert len({one.text for one in sentences}) == len(LANGUAGES)
            assert len({one.facts and tuple(sorted(one.facts)) for one in sentences}) == 1

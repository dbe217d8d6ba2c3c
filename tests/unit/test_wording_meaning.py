"""What every wording of a kind says and what none may say, judged by its words alone: the phrase book is not asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest

from tests.wording_support import drafted, every_way
from vitruvian.explanation.drafts import draft_of
from vitruvian.explanation.wording.tags import tagged

MOVING = {"rise", "fall", "rises", "falls", "rose", "fell", "increase", "decrease", "increases", "decreases", "go",
          "goes", "went", "change", "stay"}  # fmt: skip


@pytest.mark.parametrize("kind", ["effect", "risk_effect", "score_effect"])
def test_two_runs_of_a_what_if_never_read_as_a_course(kind: str) -> None:
    """Both runs are named, and no verb of movement: the baseline may itself go the other way."""
    found = 0
    for text in wordings(kind):
        said = text.replace("without the change", "without it").replace("with the change", "with it")
        against = "than without it" in said or "compared with no change," in said.lower() or "from that without" in said
        assert against if kind == "effect" else "<BEFORE> without it and <AFTER> with it" in said, text
        left = said.lower().replace("no change", "").replace("that it goes this way", "")
        assert not MOVING & set(re.findall("[a-z]+", left)), text
        assert " from <" not in text
        assert "would" in text
        found += 1
    assert found > 20


@pytest.mark.parametrize(
    ("kind", "never"),
    [
        ("latest", "measurement of"),  # an estimate has a newest value, and nobody measured it
        ("extreme", "measured"),  # of a risk
        ("absent", "value of"),  # of a medicine
        ("medicines", "Medicines"),  # oxygen is none
        ("no_drivers", "single"),  # several together may
        ("risk_moved", "higher than"),
    ],
)
def test_words_that_say_another_thing_are_in_no_wording(kind: str, never: str) -> None:
    texts = list(wordings(kind))
    assert texts
    assert not [one for one in texts if never in one]


@pytest.mark.parametrize(
    ("kind", "always"),
    [
        ("scenario", ("only", "compared with no change")), ("frequency", ("about",)), ("usual", ("about",)),
        ("risk", ("model", "estimated", "predicted")), ("risk_moved", ("model", "estimated", "predicted")),
        ("expected", ("expects", "forecast")), ("critical_ahead", ("simulation", "model")),
        ("drivers", ("not necessarily as its cause", "need not be the cause")),
    ],
)  # fmt: skip
def test_words_that_carry_the_meaning_are_in_every_wording(kind: str, always: tuple[str, ...]) -> None:
    texts = list(wordings(kind))
    assert texts
    assert not [one for one in texts if not any(each in one.lower() for each in always)]


def wordings(kind: str) -> Iterator[str]:
    """Drafts and many wordings of every shape of a kind, for both readers, with tags."""
    for claim, audience in drafted():
        if claim.kind == kind:
            draft = draft_of(claim, audience, "en")
            yield tagged(draft)
            for turn in range(3):
                yield from (tagged(each) for each in every_way(claim, draft, audience, Random(turn)))

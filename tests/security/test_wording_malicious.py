"""Language models that lie: whatever they answer, nothing is displayed that the evidence does not say."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from tests.wording_support import AUDIENCES, one_of, worded
from vitruvian.explanation.claims import Audience, Claim
from vitruvian.explanation.drafting import draft as drafted_explanation
from vitruvian.explanation.drafting import plan_of
from vitruvian.explanation.drafts import draft_of
from vitruvian.explanation.narrate import Narrator
from vitruvian.explanation.wording.base import MemoryCache, Wording
from vitruvian.explanation.wording.read_back import read_back
from vitruvian.testing.liars import LIARS, Liar
from vitruvian.testing.packets import packets


def shown_of_a_liar(name: str, seed: int, count: int) -> int:
    """Explanations by a liar are the drafts, to the letter; how many sentences it was asked for."""
    model = Liar(LIARS[name])
    for packet in packets(seed, count):
        for audience in AUDIENCES:
            shown = Narrator(model, MemoryCache()).explain(packet, audience, wait=True)
            assert shown.text == drafted_explanation(packet, audience).text, name
            assert shown.status == "draft"
            assert all(one.origin == "draft" for one in shown.sentences)
    return model.asked


@pytest.mark.parametrize("name", LIARS)
def test_nothing_that_a_liar_says_is_displayed(name: str) -> None:
    assert shown_of_a_liar(name, 17, 12) > 15


@pytest.mark.long
@pytest.mark.parametrize("name", LIARS)
def test_nothing_that_a_liar_says_of_many_packets_is_displayed(name: str) -> None:
    assert shown_of_a_liar(name, 18, 120) > 150


def test_a_model_that_words_truly_is_displayed() -> None:
    """The same machinery lets a true wording through: refusing everything would be no feat."""
    fluent = 0
    for packet in packets(18, 24):
        for audience in AUDIENCES:
            claims = plan_of(packet, audience)
            shown = Narrator(Liar(_truths(claims, audience))).explain(packet, audience, wait=True)
            for sentence, claim in zip(shown.sentences, claims, strict=True):
                read_back(sentence.text, claim, packet, audience, "en")
                assert not sentence.refused, sentence
            fluent += shown.status == "fluent"
    assert fluent > 30


def _truths(claims: tuple[Claim, ...], audience: Audience) -> Callable[[str], str]:
    """By its draft, another wording of each claim."""
    random = Random(5)
    drafts = [(claim, draft_of(claim, audience, "en")) for claim in claims]
    return {
        worded(draft): worded(one_of(claim, draft, audience, random) or draft) for claim, draft in drafts
    }.__getitem__


TAMPERED = (
    "The risk is 0 %.", "{risk}", "{outcome}{outcome}", "All is well.", "{__class__}", "", "{risk.__init__}",
    "The risk of {outcome} is not {risk}.", "<b>{risk}</b> of {outcome}.", "{low} to {high}: {risk} of {outcome}.",
)  # fmt: skip


def test_a_cache_that_was_tampered_with_changes_nothing_that_is_displayed() -> None:
    class Tampered:
        """Every wording it is asked for is another lie."""

        def __init__(self) -> None:
            self.turn = 0

        def get(self, key: str) -> Wording | None:
            self.turn += 1
            return Wording(TAMPERED[self.turn % len(TAMPERED)])

        def put(self, key: str, wording: Wording) -> None:
            """Kept nowhere."""

    for packet in packets(19, 24):
        for audience in AUDIENCES:
            shown = Narrator(Liar(lambda text: text), Tampered()).explain(packet, audience)
            assert shown.text == drafted_explanation(packet, audience).text

"""The verifier: every draft and every wording of the phrase books passes; each rule refuses what it is for."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from tests.wording_support import drafted, every_way
from vitruvian.explanation.claims import Claim, Skeleton, Slot
from vitruvian.explanation.drafts import LANGUAGES, draft_of
from vitruvian.explanation.drafts.base import KINDS, skeleton_of
from vitruvian.explanation.wording import rules, verifier
from vitruvian.explanation.wording.base import Refused
from vitruvian.explanation.wording.rules import Checked, checked_of
from vitruvian.explanation.wording.tags import tagged, untagged
from vitruvian.explanation.wording.verifier import verify

RISK = Claim(
    "risk_moved",
    (
        Slot("outcome", "risk", "label"), Slot("risk", "risk", "value"), Slot("low", "low", "value"),
        Slot("high", "high", "value"), Slot("horizon", "horizon", "value"), Slot("earlier", "earlier", "value"),
        Slot("ago", "earlier", "when"),
    ),
    1,
)  # fmt: skip
DRAFT = draft_of(RISK, "clinician", "en")


def refusal(text: str, claim: Claim = RISK, draft: Skeleton = DRAFT) -> str:
    """The name of the rule that refuses a wording; empty where it passes."""
    try:
        verify(untagged(text, claim), claim, draft, "clinician", "en")
    except Refused as refused:
        return refused.rule
    return ""


def broken(rule: str, text: str, claim: Claim = RISK, draft: Skeleton = DRAFT) -> bool:
    """Whether a rule by itself refuses a wording, whatever the others say."""
    try:
        getattr(rules, rule)(checked_of(untagged(text, claim), claim, draft, "clinician", "en"))
    except Refused:
        return True
    return False


def test_every_draft_passes() -> None:
    kinds = set()
    for claim, audience in drafted():
        draft = draft_of(claim, audience, "en")
        try:
            verify(draft, claim, draft, audience, "en")
        except Refused as refused:
            pytest.fail(f"{claim.kind} for a {audience}: {refused} in {tagged(draft)!r}")
        kinds.add(claim.kind)
    assert kinds == set(KINDS)


def test_every_wording_of_the_phrase_books_passes_every_rule() -> None:
    """The rules know nothing of the phrase book (but the last two): they hold it to what may be said at all."""
    random, seen = Random(2), 0
    for claim, audience in drafted():
        draft = draft_of(claim, audience, "en")
        for skeleton in every_way(claim, draft, audience, random):
            seen += 1
            try:
                verify(skeleton, claim, draft, audience, "en")
            except Refused as refused:
                pytest.fail(f"{claim.kind} for a {audience}: {refused} in {tagged(skeleton)!r}")
    assert seen > 1_200


def test_a_language_without_a_phrase_book_keeps_its_draft() -> None:
    german = Skeleton(("Das Risiko von ", *DRAFT.parts[1:]))
    for language in {*LANGUAGES, "xx"} - {"en"}:
        verify(DRAFT, RISK, DRAFT, "clinician", language)
        with pytest.raises(Refused):
            verify(german, RISK, DRAFT, "clinician", language)


GOOD = "The estimated risk of <OUTCOME> <HORIZON> is <RISK> (interval <LOW> to <HIGH>), up from <EARLIER> <AGO>."


def test_a_wording_of_the_phrase_book_passes() -> None:
    assert refusal(GOOD) == ""


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("size", GOOD[:-1] + " now" * 300 + "."),
        ("characters", GOOD.replace("estimated", "еstimated")),  # a Cyrillic letter
        ("characters", GOOD.replace("risk of", "risk\u200b of")),
        ("characters", GOOD.replace("risk of", "\u202erisk of")),
        ("characters", GOOD.replace("risk of", "risk\u00a0of")),
        ("characters", GOOD.replace("risk of", "risk &amp; of")),
        ("characters", GOOD.replace("risk of", "<b>risk</b> of")),
        ("characters", GOOD.replace("risk of", "risk\tof")),
        ("numbers", GOOD.replace("<RISK>", "<RISK> 9")),
        ("numbers", GOOD.replace("estimated", "twice estimated")),
        ("numbers", GOOD.replace("<RISK>", "<RISK> per cent")),
        ("numbers", GOOD.replace("<RISK>", "<RISK> mmHg")),
        ("tags", GOOD.replace("<LOW> to <HIGH>", "<HIGH> to <LOW>")),
        ("tags", GOOD.replace("<RISK>", "<RISK> <RISK>")),
        ("tags", GOOD.replace(" (interval <LOW> to <HIGH>)", "")),
        ("tags", GOOD.replace("<RISK>", "<EARLIER>").replace("up from <EARLIER>", "up from <RISK>")),
        ("sentence", GOOD + " The risk is up."),
        ("sentence", GOOD[:-1]),
        ("characters", GOOD[:-1] + "?"),
        ("sentence", GOOD[0].lower() + GOOD[1:]),
        ("sentence", GOOD.replace("risk of", "risk  of")),
        ("sentence", GOOD.replace("(interval", "interval")),
        ("negation", GOOD.replace("is <RISK>", "is not <RISK>")),
        ("negation", GOOD.replace("up from", "no longer up from")),
        ("directive", GOOD.replace("<AGO>", "<AGO>, consider fluids")),
        ("causal", GOOD.replace("<AGO>", "<AGO>, caused by pneumonia")),
        ("certainty", GOOD.replace("is <RISK>", "is certainly <RISK>")),
        ("intensity", GOOD.replace("up from", "sharply up from")),
        ("polarity", GOOD.replace("up from", "down from")),
        ("polarity", GOOD.replace("up from", "than")),
        ("polarity", GOOD.replace("up from", "up and higher than")),
        ("required", GOOD.replace("risk", "figure")),
        ("roles", GOOD.replace("up from", "up to")),
        ("roles", GOOD.replace("up from <EARLIER>", "up with <EARLIER>")),
        ("roles", GOOD.replace("<HORIZON>", "during <HORIZON>")),
        ("roles", GOOD.replace("interval <LOW>", "<LOW>")),
        ("words", GOOD.replace("The estimated", "The splendid estimated")),
        ("wording", GOOD.replace("estimated", "model's")),
        ("wording", GOOD.replace("The estimated risk of", "Risk the estimated of")),
    ],
)  # fmt: skip
def test_each_rule_refuses_what_it_is_for(rule: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        verify(untagged(text, RISK), RISK, DRAFT, "clinician", "en")
    assert refused.value.rule == rule


def test_an_interval_belongs_to_its_own_number() -> None:
    draft = skeleton_of(
        "The risk of {outcome} {horizon} is {risk}, up from {earlier} {ago} (interval {low} to {high}).", RISK
    )
    assert broken("belongings", tagged(draft), draft=draft)


def test_items_keep_their_own_values() -> None:
    claim = Claim(
        "critical", tuple(Slot(f"{a}{n}", f"f{n}", f) for n in (1, 2) for a, f in (("c", "label"), ("v", "value")))
    )  # type: ignore[arg-type]
    draft = draft_of(claim, "clinician", "en")
    crossed = skeleton_of("Critical: {c1} {v2} and {c2} {v1}.", claim)
    assert broken("belongings", tagged(crossed), claim, draft)
    assert not broken("belongings", tagged(draft), claim, draft)


@pytest.mark.parametrize("kind", ["effect", "risk_effect", "score_effect"])
def test_a_what_if_stays_hypothetical(kind: str) -> None:
    found = 0
    for claim, audience in drafted():
        if claim.kind != kind:
            continue
        draft = draft_of(claim, audience, "en")
        for verb in ("will", "did", "may"):
            parts = tuple(p.replace("would", verb) if isinstance(p, str) else p for p in draft.parts)
            with pytest.raises(Refused):
                verify(Skeleton(parts), claim, draft, audience, "en")
            found += 1
    assert found


def test_the_slots_must_be_the_claims_own() -> None:
    """A slot of the same name that shows another fact, or another facet, is another claim."""
    for other in (Slot("risk", "other", "value"), Slot("risk", "risk", "frequency")):
        parts = tuple(other if isinstance(p, Slot) and p.name == "risk" else p for p in DRAFT.parts)
        with pytest.raises(Refused) as refused:
            verify(Skeleton(parts), RISK, DRAFT, "clinician", "en")
        assert refused.value.rule == "tags"
    with pytest.raises(Refused):  # a draft that is not of the claim
        verify(DRAFT, Claim("risk_moved", RISK.slots[:-1], 1), DRAFT, "clinician", "en")


def test_what_a_kind_may_say_in_spite_of_the_lists_counts_for_that_kind_alone() -> None:
    one = checked_of(
        untagged(GOOD.replace("is <RISK>", "was not measured at <RISK>"), RISK), RISK, DRAFT, "clinician", "en"
    )
    assert isinstance(one, Checked)
    with pytest.raises(Refused):
        rules.said(one)


def test_a_wording_that_passed_is_still_held_to_its_facts() -> None:
    """Verdicts are remembered by shape, and a shape holds no fact."""
    assert refusal(GOOD) == ""
    other = tuple(msgspec.structs.replace(slot, fact=f"{slot.fact}-2") for slot in RISK.slots)
    worded = untagged(GOOD, Claim("risk_moved", other, 1))
    with pytest.raises(Refused) as refused:
        verify(worded, RISK, DRAFT, "clinician", "en")
    assert refused.value.rule == "tags"


def test_no_refusal_is_remembered() -> None:
    """Whoever answers nonsense fills no memory."""
    before = verifier._judge.cache_info().currsize
    for number in range(50):
        assert refusal(GOOD.replace("The estimated", "The " + "x" * (number + 1) + " estimated")) == "words"
    assert verifier._judge.cache_info().currsize == before

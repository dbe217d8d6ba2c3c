"""What is said of packets of every kind: nothing important left out, no more than is read, every fact cited."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.explanation.claims import Audience, Claim, Explanation
from vitruvian.explanation.drafting import AUDIENCES, draft, plan_of
from vitruvian.explanation.drafts import LANGUAGES, manner_of
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.packet import read_packet
from vitruvian.explanation.showing import show
from vitruvian.testing.packets import KINDS, packets

FEW: tuple[str, ...] = ("risk", "forecast", "what_if", "alert")


def made(count: int, seed: int = 501) -> Iterator[Evidence]:
    yield from packets(seed, count)


def unnamed(evidence: Evidence, said: Explanation) -> list[str]:
    """Red flags whose name, and where they have one whose value, the text does not show."""
    manner = manner_of(said.language)
    shown = {(cite.fact, cite.facet) for sentence in said.sentences for cite in sentence.cites}
    lacking = []
    for fact in evidence.red_flags:
        facets = [] if "missing_key" in fact.flags else ["value"]
        if evidence.kind != "handover" or fact.role != "probability":
            facets.append("label")
        for facet in facets:
            text = show(fact, facet, evidence, said.audience, manner)  # type: ignore[arg-type]
            if (fact.id, facet) not in shown or text.casefold() not in said.text.casefold():
                lacking.append(f"{fact.id}: {facet}")
        if "rising_risk" in fact.flags and not _rises(fact, evidence, said.audience):
            lacking.append(f"{fact.id}: that it rose")
    return lacking


def _rises(fact: Fact, evidence: Evidence, audience: Audience) -> bool:
    claims = [one for one in plan_of(evidence, audience) if one.kind in ("risk_moved", "bed") and one.sign == 1]
    return any(fact.id in claim.facts and claim.slot("earlier") for claim in claims)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_nothing_important_is_left_out(audience: Audience) -> None:
    flagged = 0
    for evidence in made(65 * len(KINDS)):  # 520 packets
        said = draft(evidence, audience)
        assert not unnamed(evidence, said), (evidence, said.text)
        flagged += bool(evidence.red_flags)
    assert flagged > 250


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != "en"])
@pytest.mark.parametrize("audience", AUDIENCES)
def test_nor_in_any_other_language(audience: Audience, language: str) -> None:
    for evidence in made(8 * len(KINDS), seed=9):
        assert not unnamed(evidence, draft(evidence, audience, language))


@pytest.mark.long
@pytest.mark.parametrize("audience", AUDIENCES)
def test_nothing_important_is_left_out_of_many(audience: Audience) -> None:
    for evidence in made(625 * len(KINDS), seed=77):
        assert not unnamed(evidence, draft(evidence, audience))


def test_a_clinician_reads_at_most_four_sentences_of_what_is_urgent() -> None:
    longest = dict.fromkeys(KINDS, 0)
    for evidence in made(65 * len(KINDS)):
        longest[evidence.kind] = max(longest[evidence.kind], len(draft(evidence).sentences))
    assert all(longest[kind] <= 4 for kind in FEW), longest
    assert longest["answer"] <= 8 and longest["timeline"] <= 12, longest


def test_every_claim_has_its_slots_once_and_its_facts_in_the_packet() -> None:
    for evidence in made(20 * len(KINDS)):
        for audience in AUDIENCES:
            for claim in plan_of(evidence, audience):
                names = [one.name for one in claim.slots]
                assert len(set(names)) == len(names), claim
                assert set(claim.facts) <= set(evidence.by_id), claim


SIGNS = {"expected": ("later", "now"), "changed": ("to", "from"), "risk_moved": ("risk", "earlier")}


def value(claim: Claim, slot: str, evidence: Evidence) -> float:
    found = claim.slot(slot)
    assert found is not None
    number = evidence.by_id[found.fact].value
    assert number is not None
    return number


def test_a_sign_is_that_of_the_numbers() -> None:
    seen = set()
    for evidence in made(40 * len(KINDS)):
        for claim in plan_of(evidence, "clinician"):
            if claim.kind == "effect":
                moved = value(claim, "difference", evidence)
            elif claim.kind in ("risk_effect", "score_effect"):
                moved = value(claim, "after", evidence) - value(claim, "before", evidence)
            elif claim.kind in SIGNS and claim.slot(SIGNS[claim.kind][1]):
                moved = value(claim, SIGNS[claim.kind][0], evidence) - value(claim, SIGNS[claim.kind][1], evidence)
            else:
                continue
            seen.add((claim.kind, claim.sign))
            if claim.sign:
                assert moved * claim.sign > 0, claim
    assert {("effect", 1), ("effect", -1), ("expected", 1), ("expected", -1), ("changed", 1), ("changed", -1)} <= seen
    assert {("risk_moved", 1), ("risk_moved", -1), ("risk_effect", 1), ("score_effect", -1)} <= seen


def test_a_what_if_begins_with_what_is_simulated() -> None:
    for evidence in packets(8, 60, "what_if"):
        for audience in AUDIENCES:
            assert plan_of(evidence, audience)[0].kind == "scenario"
            assert draft(evidence, audience).simulated


def test_nobody_is_named_who_saw_an_alarm_and_no_patient_is() -> None:
    for evidence in made(10 * len(KINDS)):
        for audience in AUDIENCES:
            assert "p-1" not in draft(evidence, audience).text


MADE = [json.loads(msgspec.json.encode(one)) for one in packets(12, 4 * len(KINDS))]
CRITICAL = {"id": "zz-critical", "role": "measurement", "name": "potassium", "value": 7.1, "unit": "mmol/L"}
MISSING = {"id": "zz-missing", "role": "missing", "name": "own_reading", "flags": ["missing_key"]}
UNTOLD = ("place", "words", "horizon", "window", "confidence", "count", "action", "edit")  # hold no value of their own
RISING = {"id": "zz-risk", "role": "probability", "name": "aki_risk", "label": "kidney injury", "value": 0.4}


@given(st.sampled_from(MADE), st.booleans(), st.sampled_from(AUDIENCES))
def test_a_red_flag_is_named_wherever_someone_puts_it(packet: dict[str, object], belongs: bool, who: Audience) -> None:
    facts = packet["facts"]
    assert isinstance(facts, list)
    of = {"of": facts[0]["id"]} if belongs and "of" not in facts[0] and facts[0]["role"] in UNTOLD else {}
    at_us = packet["at_us"]
    assert isinstance(at_us, int)
    then = {"id": "zz-then", "role": "earlier", "name": "aki_risk", "value": 0.1, "of": "zz-risk", "at_us": at_us - 1}
    added = [CRITICAL | of, MISSING | of, RISING | of, then]
    evidence = read_packet(json.dumps(packet | {"facts": [*facts[:390], *added]}).encode())
    assert {"zz-critical", "zz-missing", "zz-risk"} <= {one.id for one in evidence.red_flags}
    said = draft(evidence, who)
    assert {"zz-critical", "zz-missing", "zz-risk"} <= {name for one in said.sentences for name in one.facts}

"""A patient's plan: the same facts in shorter sentences."""

from __future__ import annotations

from vitruvian.explanation.claims import Claim, Slot
from vitruvian.explanation.drafting import draft, plan_of
from vitruvian.explanation.plans.plain import AT_ONCE, ENOUGH, plain
from vitruvian.testing.packets import packets


def slots(*names: str, facet: str = "label") -> tuple[Slot, ...]:
    return tuple(Slot(name, f"of-{name}", facet) for name in names)  # type: ignore[arg-type]


def names_in(claims: tuple[Claim, ...]) -> list[list[str]]:
    return [[one.name for one in claim.slots] for claim in claims]


def test_a_list_is_told_a_few_at_a_time_and_numbered_anew() -> None:
    found = plain([Claim("medicines", slots("place", "g1", "d1", "t1", "g2", "t2"))])
    assert names_in(found) == [
        ["place", "g1", "d1", "t1"],
        ["place", "g1", "t1"],
    ]
    assert [one.fact for one in found[1].slots] == ["of-place", "of-g2", "of-t2"]


def test_what_is_critical_and_what_is_missing_stand_apart() -> None:
    found = plain([Claim("critical_missing", slots("place", "c1", "v1", "t1", "m1", "m2"))])
    assert [claim.kind for claim in found] == ["critical", "missing", "missing"]
    assert names_in(found[1:]) == [["place", "m1"], ["place", "m1"]]
    assert [one.fact for one in found[2].slots] == ["of-place", "of-m2"]


def test_two_lists_in_one_sentence_keep_their_own_numbers() -> None:
    found = plain([Claim("scenario", slots("a1", "dose1", "a2", "how2", "e1", "set1", "more"))])
    assert names_in(found) == [
        ["a1", "dose1"],
        ["a1", "how1"],
        ["e1", "set1", "more"],
    ]


def test_confidence_is_left_out_but_of_a_measured_figure() -> None:
    risk, figure = plain(
        [Claim("risk", slots("risk", "low", "high", "confidence")), Claim("figure", slots("value", "confidence"))]
    )
    assert risk.slot("confidence") is None
    assert figure.slot("confidence") is not None


def test_signs_stay() -> None:
    found = plain([Claim("results", slots("s1", "v1", "s2", "v2"), -1)])
    assert [claim.sign for claim in found] == [-1, -1]


def test_no_red_flag_is_lost_and_sentences_stay_small() -> None:
    for packet in packets(seed=8, count=160):
        told = draft(packet, "patient")
        cited = {fact for sentence in told.sentences for fact in sentence.facts}
        assert {fact.id for fact in draft(packet).facts if fact in packet.red_flags} <= cited
        for claim in plan_of(packet, "patient"):
            heads = {one.name[:-1] for one in claim.slots if one.name[-1:].isdigit()}
            for head in heads:
                assert sum(one.name[:-1] == head for one in claim.slots) <= AT_ONCE.get(claim.kind, 8)
            assert claim.kind not in ENOUGH or ENOUGH[claim.kind] >= 1

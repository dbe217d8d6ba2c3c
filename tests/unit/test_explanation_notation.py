"""The notation of templates: what stands when, lists and joints, and errors that say where a table is wrong."""

from __future__ import annotations

from importlib.resources import files

import pytest

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.claims import Claim, Facet, Sign, Slot
from vitruvian.explanation.drafts.notation import Joint, listed, template_from
from vitruvian.explanation.drafts.templates import templates_from

JOINTS = {"and": Joint(", ", " and "), "or": Joint(", ", " or ")}
PARTS = {"over": "[ {horizon}]"}
ENGLISH = files("vitruvian.explanation.drafts").joinpath("english", "templates.toml").read_text("utf-8")


def said(template: str, slots: str = "", sign: Sign = None, facet: Facet = "value") -> str:
    claim = Claim("risk", tuple(Slot(name, name, facet) for name in slots.split()), sign)
    return template_from(template, JOINTS, PARTS, "here")(claim)


def test_an_optional_part_stands_where_its_slots_do() -> None:
    assert said("at {risk}[ ([{confidence} ]{low}-{high})].", "risk low high confidence") == (
        "at {risk} ({confidence} {low}-{high})."
    )
    assert said("at {risk}[ ([{confidence} ]{low}-{high})].", "risk low high") == "at {risk} ({low}-{high})."
    assert said("at {risk}[ ([{confidence} ]{low}-{high})].", "risk low confidence") == "at {risk}."


def test_the_first_that_can_stand_does() -> None:
    assert said("[{place}: far|Far] out", "place") == "{place}: far out"
    assert said("[{place}: far|Far] out") == "Far out"
    assert said("[{a}|{b}] out") == " out"


@pytest.mark.parametrize(("sign", "words"), [(1, "rose"), (-1, "fell"), (0, "stayed"), (None, "")])
def test_a_choice_by_sign(sign: Sign, words: str) -> None:
    assert said("[+:rose|-:fell|0:stayed|?:]", sign=sign) == words


def test_one_wording_for_several_signs() -> None:
    assert [said("[+-:than|0:from that]", sign=sign) for sign in (1, -1, 0)] == ["than", "than", "from that"]


def test_a_sign_that_is_not_worded_is_an_error_and_never_passed_over() -> None:
    with pytest.raises(ValueError, match="found sign 0, expected one of"):
        said("[+:rose|-:fell]", sign=0)
    with pytest.raises(ValueError, match="always stands"):  # worded, but a slot of that wording is not there
        said("now[+:, up from {earlier}|?:]", sign=1)


def test_a_slot_that_always_stands_and_is_absent_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"found \['low'\], expected every slot"):
        said("at {risk}", "low")


def test_items_of_a_list_follow_their_numbers_and_lack_what_they_lack() -> None:
    template = "<{a*}[ {dose*}]|{e*}|{more}>"
    assert said(template, "a1") == "{a1}"
    assert said(template, "a1 dose1 a2 e1") == "{a1} {dose1}, {a2} and {e1}"
    assert said(template, "a1 dose1 more a2 dose2") == "{a1} {dose1}, {a2} {dose2} and {more}"
    assert said(template, "e10 e9") == "{e10} and {e9}", "in the claim's order"


def test_a_list_without_items_cannot_stand() -> None:
    assert said("[<{a*}>|nothing]") == "nothing"
    assert said("[<score {score}|risk {risk}>|nothing]", "risk") == "risk {risk}"
    with pytest.raises(ValueError, match="always stands"):
        said("<{a*}>")


def test_joints_are_the_languages() -> None:
    assert said("<or:{s*}>", "s1 s2 s3") == "{s1}, {s2} or {s3}"
    assert [listed(list("abc")[:n], JOINTS["and"]) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]


def test_a_choice_by_the_number_of_items() -> None:
    template = "[{place}: ][1:alarm|alarms]: <{a*}|{more}>"
    assert said(template, "a1") == "alarm: {a1}"
    assert said(template, "place a1 more") == "{place}: alarms: {a1} and {more}"


def test_a_choice_by_facet() -> None:
    template = "<[{d*} ({v*:text})|{d*} {v*}]>"
    assert said(template, "d1 v1", facet="text") == "{d1} ({v1})"
    assert said(template, "d1 v1", facet="value") == "{d1} {v1}"


def test_parts_of_the_table_are_put_in() -> None:
    assert said("risk$over.", "horizon") == "risk {horizon}."


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("at {risk", "found '{risk', expected a slot"),
        ("at {Risk}", "found '{Risk}', expected a slot"),
        ("at 5 $", r"found '\$', expected a slot"),
        ("[ {risk}", "found its end, expected one of"),
        ("[ {risk}>", "found '>', expected one of"),
        ("{risk}]", "found ']', expected its end"),
        ("<{a*}]", "found ']', expected one of"),
        ("a|b", r"found '\|', expected its end"),
        ("[+:up|down]", r"found a choice by \['\+', ''\], expected a sign"),
        ("[+:up|+-:down]", r"found a choice by .*, expected a sign"),
        ("[1:one|+:two]", "found a choice by .*, expected a sign"),
        ("<nor:{s*}>", "found joint 'nor', expected one of and, or"),
        ("$under", r"found \$under, expected one of the parts over"),
        ("[1:alarm|alarms]", "found a choice by number and 0 lists, expected one list"),
        ("[1:alarm|alarms] <{a*}> <{b*}>", "found a choice by number and 2 lists, expected one list"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(template: str, found: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^german, latest: {found}"):
        template_from(template, JOINTS, PARTS, "german, latest")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("no_alarm = ", "no_alarms = ", r"\[clinician\]: .*\['no_alarm', 'no_alarms'\]"),
        ("[patient]", "[patients]", "patient"),
        ("and = [", "and = [3, ", "joints"),
        ("[parts]", "[parts", "parts"),
        (
            "No alarm is open.",
            "No alarm is {open}.",
            r"\[clinician\] no_alarm: found \[\], expected every slot",
        ),
        ("is still open", "{alarm} is still open", r"\[clinician\] alarm: found slots .* expected .*'since'"),
        (
            "Given {when}: {what}[ {dose}].",
            "Given {when}: {what} {dose}.",
            r"\[clinician\] given: found \['what', 'when'\], expected every",
        ),
        ("Given {when}: {what}[ {dose}].", "Given {when}: {what}.", r"\[clinician\] given: found slots"),
        ("[+:Risen|-:Fallen|0:Little changed]", "[+:Risen|-:Fallen]", r"changes: found sign 0, expected one of"),
        ("[+:highest|-:lowest]", "[+-:highest]", "extreme: found .* for two signs, expected to tell them apart"),
        ("[+:highest|-:lowest]", "highest", "extreme: found .* for two signs, expected to tell them apart"),
    ],
)
def test_a_table_that_does_not_word_every_claim_is_refused(old: str, new: str, told: str) -> None:
    assert old in ENGLISH
    with pytest.raises(ConfigurationError, match=f"(?s)^tables/en.*{told}"):
        templates_from(ENGLISH.replace(old, new, 1), "tables/en")

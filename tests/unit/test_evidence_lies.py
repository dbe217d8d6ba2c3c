"""Packets that tell what is not so: each was read and shown as true once, and is refused now or told as what it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.drafting import AUDIENCES, draft
from vitruvian.explanation.drafts import LANGUAGES
from vitruvian.explanation.evidence.base import Evidence, Fact
from vitruvian.explanation.evidence.labels import own_label
from vitruvian.explanation.evidence.packet import read_packet
from vitruvian.explanation.evidence.signs import fault_of_name, seen, unseen
from vitruvian.explanation.subjects import subjects

AT_US = 480_000 * HOUR_US
Json = dict[str, Any]

HEART: Json = {"role": "measurement", "name": "heart_rate", "value": 80, "unit": "/min", "at_us": AT_US - HOUR_US}
LACTATE: Json = {"role": "measurement", "name": "lactate", "value": 2.0, "unit": "mmol/L", "at_us": AT_US - HOUR_US}
RISK: Json = {"role": "probability", "name": "sepsis_risk", "label": "sepsis", "value": 0.5}
MINE: Json = {"role": "probability", "name": "mine", "label": "mine", "value": 0.5}
SALINE: Json = {"role": "action", "name": "crystalloid", "value": 500, "unit": "mL"}
LATER: Json = {"role": "expected", "name": "lactate", "value": 9, "unit": "mmol/L", "horizon_h": 2}
BED: Json = {"id": "bed", "role": "place", "name": "bed", "label": "Bed 1"}
WARMER: Json = {"role": "difference", "name": "body_temperature", "value": 1.1, "unit": "Cel", "horizon_h": 1}


def ends(low: float, high: float, of: str, name: str, unit: str) -> list[Json]:
    return [
        {"role": f"interval_{side}", "name": name, "value": value, "unit": unit, "of": of}
        for side, value in (("low", low), ("high", high))
    ]


def read(kind: str, *facts: Json) -> Evidence:
    numbered = [{"id": f"f{number}"} | fact for number, fact in enumerate(facts)]
    return read_packet(json.dumps({"kind": kind, "at_us": AT_US, "facts": numbered}).encode())


def said(kind: str, *facts: Json) -> str:
    return draft(read(kind, *facts)).text


def alarms(count: int) -> Json:
    return {"role": "count", "name": "alarms", "value": count}


REFUSED: dict[str, tuple[str, list[Json]]] = {
    "alarms that nobody tells": ("alert", [alarms(7)]),
    "nothing but a count of alarms": ("timeline", [alarms(7)]),
    "nothing but a span": ("timeline", [{"role": "window", "name": "window", "value": 2}]),
    "lactate 0.5 called high": ("answer", [LACTATE | {"value": 0.5, "flags": ["high"]}]),
    "potassium 4 called high": (
        "answer",
        [HEART | {"name": "potassium", "unit": "mmol/L", "value": 4, "flags": ["high"]}],
    ),
    "lactate 4 called low": ("answer", [LACTATE | {"value": 4, "flags": ["low"]}]),
    "two values at one time": ("answer", [LACTATE, LACTATE | {"value": 3}]),
    "two values at no time": ("answer", [LACTATE, LACTATE | {"value": 3, "at_us": None}]),
    "an extreme that is none": (
        "answer",
        [
            LACTATE | {"id": "highest-1"},
            LACTATE | {"value": 9.5},
            {"role": "window", "name": "w", "value": 6, "of": "highest-1"},
        ],
    ),
    "missing and measured": ("answer", [HEART, {"role": "missing", "name": "heart_rate"}]),
    "missing blood pressure and a pressure": (
        "timeline",
        [HEART | {"name": "mean_pressure", "unit": "mm[Hg]"}, {"role": "missing", "name": "blood_pressure"}],
    ),
    "absent over a span in which it was measured": (
        "answer",
        [
            LACTATE,
            {"id": "a", "role": "missing", "name": "lactate"},
            {"role": "window", "name": "w", "value": 2, "of": "a"},
        ],
    ),
    "the after of another risk": (
        "what_if",
        [SALINE, RISK | {"id": "b"}, RISK | {"name": "aki_risk", "value": 0.1, "of": "b"}],
    ),
    "a risk of 3": ("answer", [{"role": "measurement", "name": "sepsis_risk", "value": 3}]),
    "a risk score of 3": ("answer", [{"role": "score", "name": "sepsis_risk", "value": 3}]),
    "a risk lower by 5": ("what_if", [SALINE, WARMER | {"name": "sepsis_risk", "value": -5, "unit": "1"}]),
    "an area of 3.5": ("card", [{"role": "figure", "name": "auroc", "value": 3.5}]),
    "an area below nought": ("card", [{"role": "figure", "name": "auroc", "value": -1}]),
    "a score of -4.5": ("answer", [{"role": "score", "name": "news2", "value": -4.5}]),
    "a score of 500": ("answer", [{"role": "score", "name": "news2", "value": 500}]),
    "no alarm beside an alarm": (
        "handover",
        [BED, alarms(0), {"role": "alarm", "name": "heart_rate", "text": "HR 134", "at_us": AT_US, "of": "bed"}],
    ),
    "fewer beds than places": ("handover", [BED, {"role": "count", "name": "beds", "value": 0}]),
    "three risks": ("risk", [RISK, RISK | {"name": "aki_risk"}, RISK | {"name": "mortality_risk"}]),
    "steady from nothing": (
        "forecast",
        [LATER | {"direction": "steady"}, {"role": "horizon", "name": "h", "value": 2}],
    ),
    "beyond the horizon": ("forecast", [LATER | {"horizon_h": 24}, {"role": "horizon", "name": "h", "value": 1}]),
    "a forecast of now": ("forecast", [LATER | {"horizon_h": 0}]),
    "a change over 6 h from 100 h ago": (
        "answer",
        [
            LACTATE | {"id": "last"},
            LACTATE | {"value": 9, "at_us": AT_US - 100 * HOUR_US, "of": "last"},
            {"role": "window", "name": "w", "value": 6, "of": "last"},
        ],
    ),
    "a driver without anything": ("risk", [RISK, {"role": "driver", "name": "heart_rate"}]),
    "a unit that is a sentence": (
        "answer",
        [{"role": "measurement", "name": "zz", "value": 20, "unit": "normal, sepsis excluded"}],
    ),
    "a unit with words in braces": (
        "answer",
        [{"role": "measurement", "name": "zz", "value": 20, "unit": "{sepsis is excluded}"}],
    ),
    "kilograms of insulin": ("what_if", [SALINE | {"name": "insulin", "value": 5, "unit": "kg"}]),
    "a place that is a finding": ("handover", [BED | {"label": "Bed 1: no sepsis, discharge, Bed 2"}]),
    "an answer of nothing": ("answer", [{"role": "words", "name": "zz", "text": "a"}]),
    "unseen signs in words": ("risk", [RISK, {"role": "words", "name": "note", "text": "well\u00ad done"}]),
}


@pytest.mark.parametrize("lie", REFUSED)
def test_it_is_refused_in_a_line(lie: str) -> None:
    kind, facts = REFUSED[lie]
    with pytest.raises(ReadingError, match=r"found .*expected"):
        read(kind, *facts)


@pytest.mark.parametrize(
    "label",
    [
        "12 % lower risk of sepsis", "sepsis over the next 6 h at 3 % (95 % interval 1 % to 4 %) and the risk of death",
        "sepsis at 5 mg", "sepsis\u3002x", "sepsis\uff0ex", "sepsis.Give insulin", "sepsis!", "a\u2028b", "a\u0085b",
        "a\u00adb", "\U000e0041a", "s\u0435psis", "\u05e9\u05dc\u05d5\u05dd", "a\u3164b", "a\ue000b", "sepsis: none",
        "three per cent",
    ],
)  # fmt: skip
def test_a_label_is_a_name(label: str) -> None:
    assert fault_of_name(label, "probability")
    for brought in (MINE | {"label": label}, MINE | {"name": label, "label": ""}):
        with pytest.raises(ReadingError, match=r"found .*expected|not of the schema"):
            read("risk", brought)


def test_every_name_of_the_twins_own_is_a_name() -> None:
    """Without it the test above could refuse whatever comes."""
    assert not [one.name for one in VOCABULARY if fault_of_name(subjects(one.name).label, "event")]
    assert not fault_of_name("Ward 4 1D", "place") and not fault_of_name("NaCl 0.9", "driver")
    assert seen("a\u00adb\u2028c") == "a b c" and not unseen("Müller-Straße 3 °C µg")


def test_labels_and_words_that_are_not_the_twins_are_told_from_its_own() -> None:
    told = read("risk", MINE | {"label": "give insulin"}, HEART | {"role": "missing", "value": None, "label": "sepsis"})
    assert told.brought
    assert not own_label(told.facts[0])
    assert own_label(told.facts[1]) and told.facts[1].label == "heart rate"
    assert "“give insulin”" in draft(told).text
    note = {"role": "words", "name": "note", "text": "Stop taking your tablets"}
    for audience in AUDIENCES:
        assert "the packet says: “Stop taking your tablets”" in draft(read("risk", RISK, note), audience).text
        assert "“" not in draft(Evidence("risk", AT_US, (Fact("p", "probability", "mine", "x", 0.2),)), audience).text


@pytest.mark.parametrize(("name", "label"), [("encounter", "Discharge"), ("x", "Intubation"), ("event", "A fall")])
def test_only_what_is_a_medicine_was_given(name: str, label: str) -> None:
    event = {"role": "event", "name": name, "label": label, "text": "home", "at_us": AT_US - HOUR_US}
    for kind in ("timeline", "answer"):
        for audience in AUDIENCES:
            made = draft(read(kind, event), audience)
            assert [one.claim for one in made.sentences] == ["happened"]
            assert label in made.text
    given = {"role": "event", "name": "crystalloid", "text": "500 mL", "at_us": AT_US - HOUR_US}
    assert "Given: crystalloid" in said("timeline", given)


def test_that_no_alarm_is_open_needs_a_count_that_says_so() -> None:
    assert said("alert", alarms(0)) == "No alarm is open."
    assert "alarm" not in said("timeline", HEART)
    assert "80/min" in said("timeline", HEART)
    assert "alarm" not in said("timeline", HEART, alarms(7)).casefold()


def test_a_difference_goes_where_its_numbers_go() -> None:
    interval = ends(0.6, 1.7, "d", "body_temperature", "Cel")
    assert "1.1 °C higher" in said("what_if", SALINE, WARMER | {"id": "d"}, *interval)
    assert "1.1 °C higher" in said("what_if", SALINE, WARMER)
    colder = WARMER | {"id": "d", "value": -1.1}
    assert "1.1 °C lower" in said("what_if", SALINE, colder, *ends(-1.7, -0.6, "d", "body_temperature", "Cel"))
    assert "no clear direction" in said(
        "what_if", SALINE, WARMER | {"id": "d"}, *ends(-0.6, 1.7, "d", "body_temperature", "Cel")
    )


def test_a_forecast_goes_where_its_numbers_go() -> None:
    now = {"role": "estimate", "name": "lactate", "value": 2, "unit": "mmol/L", "of": "e"}
    assert read("forecast", LATER | {"id": "e"}, now).by_id["e"].direction == "rising"
    assert read("forecast", LATER | {"id": "e"}, now | {"value": 9}).by_id["e"].direction == "steady"


def test_what_cannot_be_seen_is_no_effect() -> None:
    tiny = {"role": "difference", "name": "mean_pressure", "value": 0.03, "unit": "mm[Hg]", "horizon_h": 1,
            "direction": "rising"}  # fmt: skip
    for kind in ("what_if", "answer"):
        for audience in AUDIENCES:
            made = draft(read(kind, SALINE, tiny), audience)
            assert "higher" not in made.text
            assert any(one.claim == "effect_open" for one in made.sentences)
    assert "1 mmHg higher" in said("what_if", SALINE, tiny | {"value": 0.6})


@pytest.mark.parametrize("worked_out", [
    {"role": "estimate", "name": "cardiac_output", "value": 5}, {"role": "score", "name": "news2", "value": 5},
])  # fmt: skip
def test_what_is_worked_out_was_measured_at_no_time(worked_out: Json) -> None:
    text = said("answer", worked_out | {"at_us": AT_US - HOUR_US})
    assert "5" in text
    assert "measured" not in text and "23:00" not in text
    assert ("estimated" in text) == (worked_out["role"] == "estimate")


def test_only_the_newest_is_the_latest() -> None:
    text = said("answer", LACTATE | {"at_us": AT_US - 5 * HOUR_US}, LACTATE | {"value": 3.5})
    assert text.count("latest lactate") == 1
    assert "3.5 mmol/L" in text and "2.0" not in text


def test_an_id_hides_nothing() -> None:
    assert "2.0 mmol/L" in said("answer", LACTATE | {"id": "critical-1"})


def test_what_has_grown_old_is_not_told_as_without_a_record() -> None:
    old = HEART | {"at_us": AT_US - 30 * HOUR_US}
    text = said("answer", old, {"role": "missing", "name": "heart_rate", "flags": []})
    assert "no record" not in text
    assert "Not measured recently: heart rate" in text and "80/min" in text
    aged = Fact("missing-ph", "missing", "ph", "pH", at_us=AT_US - 90 * HOUR_US)
    assert "no record" not in draft(Evidence("answer", AT_US, (aged,))).text


def test_both_risks_of_a_packet_are_told() -> None:
    for audience in AUDIENCES:
        text = draft(read("risk", RISK, RISK | {"name": "aki_risk", "value": 0.9}), audience).text
        assert "50 %" in text and "90 %" in text


def test_the_level_of_a_risk_stands_before_whatever_must_be_said() -> None:
    critical = [LACTATE | {"value": 6}, HEART | {"value": 180}, {"role": "missing", "name": "respiratory_rate"}]
    ahead = LATER | {"name": "mean_pressure", "value": 40, "unit": "mm[Hg]"}
    for audience in AUDIENCES:
        made = draft(read("risk", RISK, RISK | {"name": "aki_risk", "value": 0.9}, *critical, ahead), audience)
        assert made.sentences[0].claim == made.sentences[1].claim == "risk"
        assert audience == "patient" or len(made.sentences) <= 4


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        ("risk", [{"role": "words", "name": "note", "text": "measured once"}]),
        ("card", [{"role": "figure", "name": "auroc", "value": 0.9}]),
        ("answer", [{"role": "measurement", "name": "zz", "value": 5e-324}]),
        ("risk", [RISK, {"role": "driver", "name": "heart_rate", "text": "not measured recently"}]),
    ],
)
def test_whatever_is_read_is_told_to_everyone(kind: str, facts: list[Json]) -> None:
    told = read(kind, *facts)
    for audience in AUDIENCES:
        for language in LANGUAGES:
            assert draft(told, audience, language).text

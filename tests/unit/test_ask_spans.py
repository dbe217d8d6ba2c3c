"""A span that ended is told by the clock; a time that is none, a dose that is none, are said to be none."""

from __future__ import annotations

import msgspec
import pytest

from vitruvian.core.time import HOUR_US, from_us
from vitruvian.explanation.claims import Audience
from vitruvian.explanation.drafting import draft
from vitruvian.explanation.evidence.packet import read_packet
from vitruvian.service.asking import Asked, Asking
from vitruvian.testing.ward import MemoryWard

PATIENT = "sim-003"
ENDED = (
    "what was the lowest heart rate yesterday?", "highest heart rate between 02:00 and 04:00",
    "how did the heart rate change yesterday?", "what was the heart rate at 3am",
    "when was the last ammonia yesterday", "lowest ammonia between 02:00 and 04:00",
    "highest risk of sepsis between 03:00 and 05:00", "what medicines were given yesterday?",
    "was vancomycin given yesterday", "what happened between 02:00 and 04:00?",
    "alarms between 02:00 and 04:00",
)  # fmt: skip


@pytest.fixture(scope="module")
def ward() -> MemoryWard:
    return MemoryWard(4, history_h=12)  # it is nine in the morning there


@pytest.fixture(scope="module")
def asking(ward: MemoryWard) -> Asking:
    return Asking(ward, examples=lambda: None)


def said(found: Asked, reader: Audience = "clinician", language: str = "en") -> str:
    return draft(found.evidence, reader, language).text


@pytest.mark.parametrize("question", ENDED)
def test_a_span_that_ended_is_never_the_last_hours(ward: MemoryWard, asking: Asking, question: str) -> None:
    found = asking.answer(PATIENT, question)
    until_us = found.route.until_us
    assert until_us is not None and until_us < ward.now_us()
    for reader in ("clinician", "patient"):
        assert "in the last" not in said(found, reader)  # type: ignore[arg-type]
    for one in found.evidence.of_role("measurement", "event", "alarm"):
        if "critical" not in one.flags:
            assert one.at_us is not None and one.at_us <= until_us
    for one in found.evidence.of_role("window"):
        assert one.at_us == until_us


@pytest.mark.parametrize("question", ENDED)
def test_what_is_told_of_it_can_be_read_back(asking: Asking, question: str) -> None:
    evidence = asking.answer(PATIENT, question).evidence
    brought = read_packet(msgspec.json.encode(evidence))
    assert brought.of_role("window") == evidence.of_role("window")
    assert draft(brought, "clinician").text


def test_extremes_of_a_span_that_ended_are_those_of_the_series(ward: MemoryWard, asking: Asking) -> None:
    now_us = ward.now_us()
    begins_us, ends_us = now_us - 7 * HOUR_US, now_us - 5 * HOUR_US
    assert f"{from_us(begins_us):%H:%M} {from_us(ends_us):%H:%M}" == "02:00 04:00"
    (series,) = ward.series(PATIENT, ["heart_rate"], start_us=begins_us, end_us=ends_us + 1, points=0)
    found = asking.answer(PATIENT, "highest heart rate between 02:00 and 04:00")
    (fact,) = found.evidence.of_role("measurement")
    assert fact.value == max(series.value)
    assert "between 02:00 and 04:00 on 1 Jan" in said(found)
    assert "zwischen 02:00 und 04:00 Uhr" in said(found, language="de")
    assert "entre las 02:00 y las 04:00" in said(found, language="es")


def test_this_morning_is_not_over_yet(asking: Asking) -> None:
    found = asking.answer(PATIENT, "what was my highest heart rate this morning?", "patient")
    assert found.route.until_us is None
    assert found.evidence.of_role("measurement")


@pytest.mark.parametrize(
    "question",
    [
        "heart rate at 25:99", "heart rate on 31 February", "heart rate 99999999 days ago", "lactate since 9999-01-01",
        "heart rate since 2026-11-21T99:00", "heart rate at 13 pm", "highest heart rate between 25:00 and 26:00",
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_said_to_be_none(asking: Asking, question: str) -> None:
    found = asking.answer(PATIENT, question)
    assert (found.route.why, found.answered) == ("time", False)
    assert "names a time that is not there" in said(found)


@pytest.mark.parametrize(
    ("dose", "told"),
    [
        ("-500 mL", "negative dose"), ("minus 500 mL", "negative dose"), ("10-20 mL", "a range of doses"),
        ("250 to 500 mL", "a range of doses"), ("0 mL", "a dose of 0 changes nothing"),
        ("250 mL or 500 mL", "several doses"), ("9" * 330 + " mL", "no number that can be simulated"),
    ],
)  # fmt: skip
def test_what_is_no_single_positive_dose_is_not_simulated(asking: Asking, dose: str, told: str) -> None:
    found = asking.answer(PATIENT, f"what would {dose} of saline do")
    assert not found.evidence.of_role("action") and not found.answered
    assert told in said(found)


def test_a_dash_is_no_sign_and_a_step_goes_to_its_end(asking: Asking) -> None:
    assert asking.answer(PATIENT, "what would saline do — 500 mL?").route.detail.dose == 500
    assert asking.answer(PATIENT, "what if FiO2 went from 40 % to 60 %").route.detail.dose == 60


def test_what_is_asked_of_the_past_is_simulated_from_now_and_said_so(asking: Asking) -> None:
    found = asking.answer(PATIENT, "what if we had given 500 mL of saline two hours ago?")
    assert found.evidence.of_role("action")
    assert any("simulated from now on" in one.text for one in found.evidence.of_role("words"))
    ahead = asking.answer(PATIENT, "what if we give 500 mL of saline?")
    assert not any("simulated from now on" in one.text for one in ahead.evidence.of_role("words"))


def test_what_is_not_forecast_is_said_to_be_so(asking: Asking) -> None:
    found = asking.answer(PATIENT, "what will lactate be in 3 hours?")
    assert "lactate is not among what is forecast" in said(found)
    risk = asking.answer(PATIENT, "what will the risk of sepsis be in 3 hours")
    assert risk.evidence.of_role("probability")
    assert any("as it is now" in one.text for one in risk.evidence.of_role("words"))


def test_the_highest_risk_is_of_the_main_one_where_none_is_named(asking: Asking) -> None:
    (fact,) = asking.answer(PATIENT, "highest risk in the last 6 hours?").evidence.of_role("probability")
    assert fact.id == "highest-sepsis_risk"


def test_whether_it_alarmed_is_not_whether_an_alarm_is_open(asking: Asking) -> None:
    assert asking.answer(PATIENT, "how many times did it alarm?").route.window_h == 24
    assert asking.answer(PATIENT, "which alarms are open?").route.window_h is None


@pytest.mark.parametrize(
    ("question", "language", "reason"),
    [
        ("Soll ich Noradrenalin geben?", "de", "das entscheidet das Behandlungsteam"),
        ("Wie viel Noradrenalin soll ich geben?", "de", "empfiehlt keine Dosis"),
        ("Kann er entlassen werden?", "de", "wer aufgenommen, verlegt oder entlassen wird"),
        ("Gib 500 mL Kochsalz", "de", "das entscheidet das Behandlungsteam"),
        ("¿Debo dar noradrenalina?", "es", "decide el equipo que atiende"),
        ("¿Qué dosis de furosemida?", "es", "no recomienda dosis"),
        ("should I give 500 mL?", "de", "das entscheidet das Behandlungsteam"),
        ("should I give 500 mL?", "es", "decide el equipo que atiende"),
    ],
)
def test_orders_are_refused_in_their_language(asking: Asking, question: str, language: str, reason: str) -> None:
    found = asking.answer(PATIENT, question, language=language)
    assert found.intent == "forbidden"
    assert reason in said(found, language=language)


@pytest.mark.parametrize(("language", "told"), [("de", "auf Englisch verstanden"), ("es", "se entienden en inglés")])
def test_what_is_not_understood_is_said_in_the_language(asking: Asking, language: str, told: str) -> None:
    for question in ("Wie war die Nacht so insgesamt gewesen?", "zzz qqq"):
        text = said(asking.answer(PATIENT, question, language=language), language=language)
        assert told in text and "understood" not in text

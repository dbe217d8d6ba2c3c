"""A device's message to an entry, or the reason why not."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.support import limit_s
from vitruvian.core.events import Association, Coded, Person, Quantity, Reading, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import HOUR_US, MINUTE_US, parse_iso
from vitruvian.streams.mqtt.payload import decode
from vitruvian.streams.mqtt.topics import Topic, parse

NOW_US = parse_iso("2026-03-01T12:00:00Z").us
OBSERVATIONS = Topic("monitor-1", "observations")


def read(message: dict[str, Any] | bytes, topic: Topic = OBSERVATIONS) -> Reading:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return decode(topic, payload, NOW_US)


def told(values: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "a", "time": NOW_US, "values": values, **more}


def values_of(reading: Reading) -> dict[str, Any]:
    return {event.concept: event.value for event in reading.entries[0].events}


def test_a_message_becomes_one_entry_of_its_device() -> None:
    reading = read(told({"heart_rate": [80, "/min"], "oxygen_saturation": [97.5, "%"]}))
    (entry,) = reading.entries
    assert (entry.source, entry.source_id, entry.device, entry.status) == ("mqtt", "monitor-1/a", "monitor-1", "final")
    assert entry.subject == () and entry.encounter is None
    assert values_of(reading) == {"heart_rate": Quantity(80.0, "/min"), "oxygen_saturation": Quantity(97.5, "%")}
    assert {event.occurred_us for event in entry.events} == {NOW_US}
    assert reading.refusal is None and reading.refused_parts == ()


@pytest.mark.parametrize("again", range(2))  # the second time by the cache
def test_units_are_converted_and_what_was_stated_is_kept(again: int) -> None:
    reading = read(told({"body_temperature": [100.4, "[degF]"], "glucose": [5.5, "mmol/L"]}))
    temperature, glucose = values_of(reading).values()
    assert temperature.value == pytest.approx(38.0) and temperature.unit == "Cel"
    assert (temperature.stated_value, temperature.stated_unit) == (100.4, "[degF]")
    assert glucose.value == pytest.approx(99.1, abs=0.05)


def test_comparators_words_and_truths() -> None:
    reading = read(
        told({"lactate": [0.5, "mmol/L", "<"], "consciousness": "voice", "oxygen_supplementation": True, "ph": 7.4})
    )
    found = values_of(reading)
    assert found["lactate"].comparator == "<"
    assert isinstance(found["consciousness"], Coded) and found["consciousness"].number == 2
    assert found["oxygen_supplementation"].number == 1
    assert found["ph"].value == 7.4


def test_null_means_not_measured() -> None:
    assert list(values_of(read(told({"heart_rate": None, "oxygen_saturation": [97, "%"]})))) == ["oxygen_saturation"]


@pytest.mark.parametrize(
    ("name", "stated", "reason"),
    [
        ("heart_speed", [80, "/min"], "unknown-concept"),
        ("heart_rate", [80, "mm[Hg]"], "unit"),
        ("heart_rate", [80, "furlong"], "unit"),
        ("heart_rate", 80, "unit"),
        ("heart_rate", [1e308, "/min"], "absurd-number"),
        ("heart_rate", -1e13, "absurd-number"),
        ("heart_rate", [], "malformed-value"),
        ("heart_rate", ["80", "/min"], "malformed-value"),
        ("heart_rate", [80, "/min", "about"], "comparator"),
        ("heart_rate", True, "malformed-value"),
        ("consciousness", "sleepy", "unknown-answer"),
        ("news2", [3, "{score}"], "not-observable"),
        ("norepinephrine", [0.1, "ug/kg/min"], "not-observable"),
    ],
)
def test_a_bad_value_is_quarantined_and_the_others_are_taken(name: str, stated: object, reason: str) -> None:
    reading = read(told({name: stated, "respiratory_rate": [18, "/min"]}))
    assert list(values_of(reading)) == ["respiratory_rate"]
    assert [part.reason for part in reading.refused_parts] == [reason]
    assert reading.unmapped == (("heart_speed",) if reason == "unknown-concept" else ())
    alone = read(told({name: stated}))
    assert alone.entries == () and alone.refusal is not None and alone.refusal.reason == reason
    assert alone.refusal.source_id == "monitor-1/a"


def test_an_implausible_value_is_kept_and_flagged() -> None:
    (event,) = read(told({"heart_rate": [900, "/min"]})).entries[0].events
    assert event.quality == ("implausible",)


def test_a_clock_ahead_is_flagged_after_5_minutes_and_refused_after_24_hours() -> None:
    def at(us: int) -> Reading:
        return read({"id": 1, "time": us, "values": {"heart_rate": [80, "/min"]}})

    assert at(NOW_US + 5 * MINUTE_US).entries[0].events[0].quality == ()
    assert at(NOW_US + 5 * MINUTE_US + 1).entries[0].events[0].quality == ("clock-skew",)
    assert at(NOW_US + 24 * HOUR_US).entries[0].events[0].quality == ("clock-skew",)
    refusal = at(NOW_US + 24 * HOUR_US + 1).refusal
    assert refusal is not None and refusal.reason == "future"
    assert at(NOW_US - 400 * 24 * HOUR_US).entries[0].events[0].quality == ()  # late is not skewed


def test_times_keep_their_zone_and_must_have_one() -> None:
    event = read(told({"heart_rate": [80, "/min"]}) | {"time": "2026-03-01T13:00:00+02:00"}).entries[0].events[0]
    assert (event.occurred_us, event.zone) == (NOW_US - HOUR_US, "+02:00")
    for stated, reason in [
        ("2026-03-01T13:00:00", "time-without-zone"),
        ("yesterday", "malformed-time"),
        (1_772_366_400, "time-unit"),
        (1_772_366_400_000, "time-unit"),
    ]:
        refusal = read(told({"heart_rate": [80, "/min"]}) | {"time": stated}).refusal
        assert refusal is not None and refusal.reason == reason, stated


def test_status_issue_version_and_origin() -> None:
    entry = read(
        told({"lactate": [2, "mmol/L"]}, status="corrected", issued="2026-03-01T12:40:00Z", version=2, simulated=True)
    ).entries[0]
    assert entry.status == "corrected" and entry.source_version == "2" and entry.source == "mqtt:simulated"
    assert entry.available_us == NOW_US + 40 * MINUTE_US
    assert read(told({"lactate": [2, "mmol/L"]}, replayed=True)).entries[0].source == "mqtt:replayed"
    withdrawn = read(told({}, status="entered-in-error")).entries[0]
    assert withdrawn.events == () and withdrawn.status == "entered-in-error"


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "malformed-json"),
        (b'{"id":"a","time":1,"values":{"heart_rate":[NaN,"/min"]}}', "malformed-json"),
        (b"\xff\xfe", "malformed-json"),
        (b"[]", "malformed-message"),
        (b'{"id":"a","values":{}}', "malformed-message"),
        (b'{"id":"","time":1772366400000000,"values":{"heart_rate":[8,"/min"]}}', "malformed-id"),
        (b'{"id":"a","time":1772366400000000,"values":{}}', "no-values"),
        (b'{"x":' + b"[" * 100_000, "too-deep"),
        (b'{"id":"' + b"a" * (1 << 20) + b'"}', "too-large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(payload: bytes, reason: str) -> None:
    refusal = read(payload).refusal
    assert refusal is not None and refusal.reason == reason
    assert len(refusal.raw) <= 65_536 and refusal.source_id.startswith("monitor-1/")


def test_an_association_says_who_lies_where() -> None:
    message = {
        "id": "adm",
        "time": NOW_US,
        "patient": [{"system": "urn:x", "value": "7", "type": "MR"}],
        "person": {"family": "Alder", "birth": "1960-05-01", "sex": "female"},
        "visit": {"visit": {"system": "urn:v", "value": "9"}, "location": {"ward": "A", "bed": "1"}},
    }
    (entry,) = read(message, Topic("monitor-1", "association")).entries
    assert entry.subject == (Identifier("urn:x", "7", "MR"),) and entry.encounter == Identifier("urn:v", "9")
    person, visit, device = (event.value for event in entry.events)
    assert person == Person("Alder", "", parse_iso("1960-05-01").us, "female")
    assert isinstance(visit, Visit) and visit.action == "admit" and visit.location == Location("", "A", "", "1")
    assert device == Association("start", "monitor-1", None)
    assert [event.kind for event in entry.events] == ["identity", "encounter", "device"]


def test_an_association_to_a_bed_needs_no_patient_and_one_to_nothing_is_refused() -> None:
    topic = Topic("monitor-1", "association")
    (entry,) = read({"id": 1, "time": NOW_US, "location": {"ward": "A", "bed": "1"}}, topic).entries
    assert entry.subject == () and entry.device == ""
    assert entry.events[0].value == Association("start", "monitor-1", Location("", "A", "", "1"))
    refusal = read({"id": 1, "time": NOW_US, "person": {"family": "X"}, "location": {"bed": "1"}}, topic).refusal
    assert refusal is not None and refusal.reason == "no-subject"
    refusal = read({"id": 1, "time": NOW_US}, topic).refusal
    assert refusal is not None and refusal.reason == "no-subject"


def test_topics_name_devices() -> None:
    assert parse(b"vitruvian/v1/a.b:1-x/observations") == Topic("a.b:1-x", "observations")
    for foreign in (
        b"vitruvian/v2/a/observations",
        b"vitruvian/v1/a b/observations",
        b"vitruvian/v1/a/receipts",
        b"\xff",
    ):
        assert parse(foreign) is None
    refusal = read(b"\x00\x01", Topic("m", "waveform")).refusal
    assert refusal is not None and refusal.reason == "not-supported" and refusal.raw == b""


def test_a_message_of_8_values_costs_little() -> None:
    values = {
        name: [80, unit]
        for name, unit in [
            ("heart_rate", "/min"), ("respiratory_rate", "/min"), ("oxygen_saturation", "%"), ("pulse_rate", "/min"),
            ("systolic_pressure", "mm[Hg]"), ("diastolic_pressure", "mm[Hg]"), ("mean_pressure", "mm[Hg]"),
            ("body_temperature", "Cel"),
        ]
    }  # fmt: skip
    payload = json.dumps(told(values)).encode()
    best = min(_seconds(payload) for _ in range(5))
    assert best / 1_000 < limit_s(60e-6)  # 9 us on the machine it was written on


def _seconds(payload: bytes) -> float:
    began = time.perf_counter()
    for _ in range(1_000):
        decode(OBSERVATIONS, payload, NOW_US)
    return time.perf_counter() - began

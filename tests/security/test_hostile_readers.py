"""What got past a reader once, at the entrances of a real ward."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks._hostile_payloads import bent, fhir_bodies, render
from tests.fhir_support import observation
from tests.service_support import application, client
from tests.unit.test_hl7v2_reader import PID, message, obx
from vitruvian.core.events import Reading, Refusal
from vitruvian.core.time import DAY_US, SystemClock
from vitruvian.records import fhir
from vitruvian.records.base import Context
from vitruvian.records.live import timely
from vitruvian.service.runtime import Ward, WardSettings
from vitruvian.streams.mllp import Hl7Intake
from vitruvian.streams.mqtt.intake import MqttIntake
from vitruvian.streams.mqtt.topics import Topic, _parse, parse

UCUM = "http://unitsofmeasure.org"
SUBJECT = {"identifier": {"system": "urn:x", "value": "p1"}}


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    async with Ward.open(WardSettings(tmp_path / "ward.db"), SystemClock()) as opened:
        yield opened


def fhir_at(when: str) -> bytes:
    return json.dumps(observation(subject=SUBJECT, effectiveDateTime=when)).encode()


def infusion(until: str) -> bytes:
    return json.dumps({
        "resourceType": "MedicationAdministration", "id": "m1", "status": "completed", "subject": SUBJECT,
        "effectivePeriod": {"start": "2026-01-01T08:00:00Z", "end": until},
        "medicationCodeableConcept": {"coding": [
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "7512", "display": "norepinephrine"}
        ]},
        "dosage": {"rateQuantity": {"value": 0.1, "unit": "ug/kg/min", "system": UCUM, "code": "ug/kg/min"}},
    }).encode()  # fmt: skip


def hl7_at(when: str) -> bytes:
    return message("ORU^R01", PID, "OBR|1||F1", obx("8867-4^HR^LN", "60", "/min", at=when))


@pytest.mark.parametrize(
    ("path", "body", "past"),
    [
        ("fhir", fhir_at("2290-01-01T00:00:00Z"), fhir_at("2026-01-01T00:00:00Z")),
        ("fhir", infusion("2290-01-01T00:00:00Z"), infusion("2026-01-01T09:00:00Z")),
        ("hl7v2", hl7_at("22900101"), hl7_at("20260101")),
    ],
)
async def test_a_value_of_the_future_does_not_hide_the_true_ones(
    ward: Ward, path: str, body: bytes, past: bytes
) -> None:
    async with client(application(ward)) as http:  # type: ignore[arg-type]
        answer = await http.post(f"/api/v1/{path}", content=body)
        assert (answer.status_code, answer.json()["reasons"]) == (422, {"future": 1})
        kept = await http.get("/api/v1/quarantine")
        assert [row["reason"] for row in kept.json()["quarantine"]] == ["future"]
        assert (await http.get("/api/v1/patients")).json()["patients"] == []
        done = await http.post(f"/api/v1/{path}", content=past)
        assert (done.status_code, set(done.json()["outcomes"]), done.json()["read"]) == (200, {"committed"}, 1)


async def test_nor_over_mqtt_or_mllp(ward: Ward) -> None:
    def decode(device: str, payload: bytes, now_us: int) -> Any:
        return fhir.read_bytes(payload, Context(source=f"mqtt:{device}", device=device))

    intake = MqttIntake("mqtt://127.0.0.1:1", ward, ward.clock, decode_fhir=decode)
    readings = intake._read_fhir(Topic("d", "fhir"), fhir_at("2290-01-01T00:00:00Z"), ward.now_us())
    assert [one.refusal.reason for one in readings if one.refusal] == ["future"]
    assert b"MSA|AE|" in await Hl7Intake(ward, Context(), ward.clock)(hl7_at("22900101"))


@pytest.mark.parametrize(("ahead_h", "reason"), [(23.9, None), (24.1, "future")])
def test_a_day_ahead_is_the_limit(ahead_h: float, reason: str | None) -> None:
    now = datetime.now(UTC)
    now_us = int(now.timestamp() * 1e6)
    (taken,) = timely(list(fhir.read_bytes(fhir_at((now + timedelta(hours=ahead_h)).isoformat()), Context())), now_us)
    assert (taken.refusal.reason if taken.refusal else None) == reason
    assert bool(taken.entries) == (reason is None)
    if taken.refusal:
        assert b"heart_rate" in taken.refusal.raw


def test_an_order_may_be_for_next_week() -> None:
    order = {
        "resourceType": "MedicationRequest", "id": "r1", "status": "active", "intent": "order", "subject": SUBJECT,
        "authoredOn": "2026-02-01T00:00:00Z", "medicationCodeableConcept": {"text": "ibuprofen"},
    }  # fmt: skip
    readings = list(fhir.read_bytes(json.dumps(order).encode(), Context()))
    assert readings[0].entries
    assert timely(readings, readings[0].entries[0].events[0].occurred_us - 7 * DAY_US) == readings
    refused = [Reading("x", refusal=Refusal("json", "found", "s"))]
    assert timely(refused, 0) == refused


def test_a_wrong_type_before_a_depth_without_end() -> None:
    deep = b"[" * 20_000 + b"]" * 20_000
    data = b'{"resourceType":"Bundle","entry":[{"fullUrl":1},{"resource":{"resourceType":"Patient","x":%b}}]}' % deep
    (reading,) = fhir.read_bytes(data, Context())
    assert reading.refusal is not None
    assert reading.refusal.reason == "too-deep"


def test_topics_that_are_too_long_are_not_remembered() -> None:
    assert parse(b"vitruvian/v1/" + b"d" * 128 + b"/observations") == Topic("d" * 128, "observations")
    before = _parse.cache_info().currsize
    for n in range(200):
        assert parse(b"vitruvian/v1/%d" % n + b"d" * 60_000 + b"/observations") is None
    assert _parse.cache_info().currsize == before


@given(st.integers(0, 3_599).flatmap(lambda n: bent(fhir_bodies(n))), st.booleans())
def test_hostile_resources_are_readings(value: Any, ascii_only: bool) -> None:
    for reading in timely(list(fhir.read_bytes(render(value, ascii_only=ascii_only), Context(device="d"))), 10**15):
        assert sum((bool(reading.entries), bool(reading.ignored), reading.refusal is not None)) == 1

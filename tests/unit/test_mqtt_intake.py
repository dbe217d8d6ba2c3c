"""From a real broker to a sink: acknowledged and receipted after the commit, bounded, never stuck, never lost."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.mqtt_support import Listener, MemorySink, eventually, intake, mosquitto
from vitruvian.core.errors import JournalError
from vitruvian.core.events import Entry, Event, Quantity, Reading, Receipt
from vitruvian.core.time import SystemClock
from vitruvian.streams.broker import EmbeddedBroker
from vitruvian.streams.mqtt import MqttIntake, topics
from vitruvian.streams.mqtt import intake as intake_module
from vitruvian.streams.mqtt.receipts import digest


@pytest.fixture(params=["nats", "mosquitto"])
async def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "nats":
        async with EmbeddedBroker(tmp_path / "broker") as broker:
            yield broker.url
    else:
        async with mosquitto(tmp_path) as url:
            yield url


def payload(number: int | str, value: float = 80.0, **more: object) -> bytes:
    message = {"id": str(number), "time": time.time_ns() // 1000, "values": {"heart_rate": [value, "/min"]}}
    return json.dumps(message | more).encode()


def publish(listener: Listener, device: str, *payloads: bytes, channel: topics.Channel = "observations") -> None:
    connection = listener.connection
    assert connection is not None
    for one in payloads:
        connection.publish(topics.topic(device, channel), one, connection.next_id())


def receipts(listener: Listener) -> list[dict[str, object]]:
    return [json.loads(message.payload) for message in listener.messages]


async def test_one_receipt_a_device_and_commit_after_the_commit(broker_url: str) -> None:
    sink, device = MemorySink(), Listener()
    sink.blocked = asyncio.Event()
    async with intake(broker_url, sink) as running:
        await device.open(broker_url, "vitruvian/v1/+/receipts")
        publish(device, "one", *(payload(n) for n in range(50)))
        publish(device, "two", payload("x"), payload("x2", bogus=1), b'{"id":"bad",', b"\x00", payload("y", 1e300))
        await eventually(lambda: running.counts["messages"] == 55)
        await asyncio.sleep(0.1)
        assert device.messages == []  # nothing is durable yet
        sink.blocked.set()
        await eventually(lambda: sum(len(one["ids"]) for one in receipts(device)) >= 55)  # type: ignore[arg-type, misc]
        told = receipts(device)
    assert len(sink.kept) == 52 and len(told) <= 2 * len(sink.batches) + 2
    ids = [one for receipt in told for one in receipt["ids"]]  # type: ignore[attr-defined]
    unnamed = digest(b"\x00")
    assert sorted(ids) == sorted([*map(str, range(50)), "x", "x2", "bad", "y", unnamed])
    refused = [(part["id"], part["reason"]) for receipt in told for part in receipt.get("refused", [])]  # type: ignore[attr-defined]
    assert sorted(refused) == [("bad", "malformed-json"), (unnamed, "malformed-json"), ("y", "absurd-number")]
    assert {one.reason for one in sink.refused} == {"malformed-json", "absurd-number"}


async def test_unacknowledged_messages_come_again_after_a_restart_of_the_ward(broker_url: str) -> None:
    """What the ward received and could not keep before it was killed, the broker delivers to its successor."""
    stuck, device = MemorySink(), Listener()
    stuck.blocked = asyncio.Event()
    async with intake(broker_url, stuck) as first:
        await device.open(broker_url)
        publish(device, "one", *(payload(n) for n in range(100)))
        await eventually(lambda: first.counts["messages"] == 100)
    assert stuck.kept == {}
    sink = MemorySink()
    async with intake(broker_url, sink):
        await eventually(lambda: len(sink.kept) == 100, 40)


async def test_a_journal_that_cannot_keep_is_asked_again_and_nothing_is_acknowledged(broker_url: str) -> None:
    sink, device = MemorySink(), Listener()
    sink.failing = True
    async with intake(broker_url, sink) as running:
        await device.open(broker_url, "vitruvian/v1/one/receipts")
        publish(device, "one", payload(1), b"not json")
        await eventually(lambda: running.counts["messages"] == 2)
        await asyncio.sleep(0.5)
        assert device.messages == []
        sink.failing = False
        await eventually(lambda: len(sink.kept) == 1 and len(sink.refused) == 1)
        await eventually(lambda: len(device.messages) >= 1)


class PickySink(MemorySink):
    """Cannot keep one entry, whatever is tried."""

    async def submit(self, entries: Sequence[Entry]) -> list[Receipt]:
        if any(entry.source_id.endswith("/poison") for entry in entries):
            raise JournalError("the entries could not be kept")
        return await super().submit(entries)


async def test_one_entry_that_cannot_be_kept_does_not_hold_up_the_others(broker_url: str) -> None:
    sink, device = PickySink(), Listener()
    async with intake(broker_url, sink):
        await device.open(broker_url, "vitruvian/v1/one/receipts")
        publish(device, "one", payload(1), payload("poison"), payload(2))
        await eventually(lambda: len(sink.kept) == 2 and len(sink.refused) == 1)
        assert sink.refused[0].reason == "not-kept"
        await eventually(lambda: "poison" in [i for one in receipts(device) for i in one["ids"]])  # type: ignore[attr-defined]


async def test_a_full_queue_stops_reading_and_loses_nothing(broker_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "WAITING_MESSAGES_MAX", 200)
    monkeypatch.setattr(intake_module, "COMMIT_ENTRIES_MAX", 50)
    sink, device = MemorySink(), Listener()
    sink.blocked = asyncio.Event()
    async with intake(broker_url, sink) as running:
        await device.open(broker_url)
        for start in range(0, 5_000, 500):
            publish(device, "one", *(payload(n, pad="x" * 400) for n in range(start, start + 500)))
            await asyncio.sleep(0.02)
        await eventually(lambda: running.counts["pauses"] == 1)
        await asyncio.sleep(0.3)
        assert running.waiting < 2_000  # one read of the socket beyond the limit, not everything
        sink.blocked.set()
        await eventually(lambda: len(sink.kept) == 5_000, 60)
    assert max(sink.batches) <= 50


async def test_fhir_messages_are_read_and_receipted_by_their_own_ids(tmp_path: Path) -> None:
    def read(device: str, data: bytes, now_us: int) -> Sequence[Reading]:
        found = json.loads(data)  # raises for what is no JSON: that must not end the stream
        event = Event("observation", "heart_rate", Quantity(found["value"], "/min"), now_us)
        return [Reading("Observation", (Entry("fhir", "Observation/x", (event,), device=device),))]

    sink, device = MemorySink(), Listener()
    async with EmbeddedBroker(tmp_path / "broker") as broker:
        running = MqttIntake(broker.url, sink, SystemClock(), decode_fhir=read)
        task = asyncio.create_task(running.run())
        await running.ready.wait()
        await device.open(broker.url, "vitruvian/v1/one/receipts")
        nameless = b'{"resourceType":"Observation","value":71.0}'
        publish(device, "one", b'{"meta":{"id":"m"},"id":"obs-1","value":70.0}', nameless, b"{", channel="fhir")
        await eventually(lambda: sum(len(one["ids"]) for one in receipts(device)) == 3)  # type: ignore[arg-type, misc]
        told = receipts(device)
        ids = [one for receipt in told for one in receipt["ids"]]  # type: ignore[attr-defined]
        assert sorted(ids) == sorted(["obs-1", digest(nameless), digest(b"{")])
        refused = [part for receipt in told for part in receipt.get("refused", [])]  # type: ignore[attr-defined]
        assert refused == [{"id": digest(b"{"), "reason": "unreadable"}]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_foreign_topics_do_not_exist_and_fhir_needs_a_reader(broker_url: str) -> None:
    sink, device = MemorySink(), Listener()
    async with intake(broker_url, sink) as running:
        connection = await device.open(broker_url)
        connection.publish(b"vitruvian/v1/bad!name/observations", payload(1), connection.next_id())
        publish(device, "one", b'{"resourceType":"Observation"}', channel="fhir")
        await eventually(lambda: running.counts["messages"] == 2 and len(sink.refused) == 1)
        assert running.counts["foreign"] == 1 and sink.refused[0].reason == "not-supported"
        await eventually(lambda: len(device.pubacks) == 2)

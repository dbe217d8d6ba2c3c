"""The device's end: what is said is kept until the ward's receipt, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.mqtt_support import MemorySink, eventually, intake
from vitruvian.bedside.device import Client, LightClient
from vitruvian.bedside.outbox import Outbox, Outgoing
from vitruvian.core.errors import Overloaded
from vitruvian.streams.broker import EmbeddedBroker
from vitruvian.streams.mqtt import BrokerUnavailable, topics


def message(number: int | str, value: float = 80, device: str = "d") -> Outgoing:
    said = {"id": str(number), "time": time.time_ns() // 1000, "values": {"heart_rate": [value, "/min"]}}
    return Outgoing(device, str(number), topics.topic(device, "observations"), json.dumps(said).encode())


def test_an_outbox_outlives_its_process_and_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    first = Outbox(path, messages_max=5)
    first.put([message(n) for n in range(3)])
    first.close()
    again = Outbox(path, messages_max=5)
    assert [one.id for one in again.pending(0, 10)] == ["0", "1", "2"]
    with pytest.raises(Overloaded):
        again.put([message(n) for n in range(3, 6)])
    assert len(again) == 3
    assert again.remove([("d", "1"), ("d", "9"), ("other", "2")]) == 1
    again.put([message(n) for n in range(3, 6)])
    assert [one.id for one in again.pending(1, 3)] == ["2", "3", "4"]
    again.close()


def test_an_outbox_keeps_one_of_each_and_refuses_another_under_the_same_id(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    once = message(1)
    outbox.put([once])
    outbox.put([once, message(2)])
    assert len(outbox) == 2
    with pytest.raises(Overloaded):
        outbox.put([message(3), message(1, 99)])
    assert [one.id for one in outbox.pending(0, 9)] == ["1", "2"] and len(outbox) == 2
    outbox.close()


async def test_everything_said_is_kept_by_the_ward_and_leaves_the_outbox(tmp_path: Path) -> None:
    sink = MemorySink()
    async with EmbeddedBroker(tmp_path / "broker") as broker, intake(broker.url, sink):
        outbox = Outbox(tmp_path / "outbox.db")
        async with Client(broker.url, outbox, client_id="station", devices=["d"]) as client:
            for start in range(0, 1_000, 100):
                await client.send([message(n) for n in range(start, start + 100)])
            await client.send([Outgoing("d", "odd", topics.topic("d", "observations"), b"\x00 no id to be seen")])
            async with asyncio.timeout(20):
                await client.drained()
        assert len(sink.kept) == 1_000 and len(outbox) == 0
        assert client.refused == {"malformed-json": 1} and client.counts["receipted"] == 1_001
        outbox.close()


async def test_a_full_outbox_makes_the_device_wait(tmp_path: Path) -> None:
    sink = MemorySink()
    async with EmbeddedBroker(tmp_path / "broker") as broker:
        outbox = Outbox(messages_max=10)
        async with Client(broker.url, outbox, client_id="station", devices=["d"], resend_s=0.2) as client:
            await client.send([message(n) for n in range(10)])
            with pytest.raises(TimeoutError):  # no ward yet: nobody gives a receipt
                async with asyncio.timeout(0.3):
                    await client.send([message(10)])
            async with intake(broker.url, sink):
                async with asyncio.timeout(20):
                    await client.send([message(10)])
                    await client.drained()
        assert len(sink.kept) == 11 and client.counts["resent"] > 0
        outbox.close()


async def test_what_was_said_before_a_crash_of_the_device_is_sent_by_its_successor(tmp_path: Path) -> None:
    sink, path = MemorySink(), tmp_path / "outbox.db"
    outbox = Outbox(path)
    outbox.put([message(n) for n in range(50)])
    outbox.close()
    async with EmbeddedBroker(tmp_path / "broker") as broker, intake(broker.url, sink):
        outbox = Outbox(path)
        async with Client(broker.url, outbox, client_id="station") as client, asyncio.timeout(20):
            await client.drained()
        outbox.close()
    assert len(sink.kept) == 50


async def test_the_light_client_keeps_within_its_window_and_says_when_the_broker_is_gone(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path / "broker") as broker:
        async with LightClient(broker.url, client_id="load", window=50) as client:
            await client.send([message(n) for n in range(2_000)])
            assert client.counts["sent"] - client.counts["acknowledged"] <= 50
            await client.drained()
            assert client.counts == {"sent": 2_000, "acknowledged": 2_000}
            await broker.stop()
            with pytest.raises(BrokerUnavailable):
                async with asyncio.timeout(10):
                    while True:
                        await client.send([message("more")])
                        await asyncio.sleep(0.05)
    await eventually(lambda: True)

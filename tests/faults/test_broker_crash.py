"""The broker is killed again and again: nothing of the devices' outboxes is lost, and everyone is back within 5 s."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from tests.mqtt_support import MemorySink, eventually, intake
from tests.support import limit_s
from vitruvian.bedside.device import Client
from vitruvian.bedside.monitors import Monitors
from vitruvian.bedside.outbox import Outbox
from vitruvian.streams.broker import EmbeddedBroker

KILLS = 20
BACK_S_MAX = 5.0


async def test_20_kills_of_the_broker_lose_nothing(tmp_path: Path) -> None:
    sink = MemorySink(commit_s=0.005)
    monitors = Monitors(10, 1, time.time_ns() // 1_000)
    said: set[str] = set()
    back_s: list[float] = []
    outbox = Outbox(tmp_path / "outbox.db")
    async with EmbeddedBroker(tmp_path / "broker") as broker, intake(broker.url, sink) as running:
        async with Client(broker.url, outbox, client_id="station", devices=monitors.devices, resend_s=1.0) as client:

            async def talk() -> None:
                while True:
                    messages = monitors.readings(time.time_ns() // 1_000)
                    await client.send(messages)
                    said.update(f"{one.device}/{one.id}" for one in messages)
                    await asyncio.sleep(0.05)

            talking = asyncio.create_task(talk())
            for _ in range(KILLS):
                await asyncio.sleep(0.1)
                pid = broker.pid
                assert pid is not None
                before = broker.restarts
                os.kill(pid, signal.SIGKILL)
                began = time.monotonic()
                await eventually(lambda before=before: broker.restarts > before, 60)  # type: ignore[misc]
                await eventually(lambda pid=pid: not running.connected or broker.pid not in (None, pid), 60)  # type: ignore[misc]
                await eventually(lambda: running.connected and client.connected.is_set(), 60)
                back_s.append(time.monotonic() - began)
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            async with asyncio.timeout(60):
                await client.drained()
    kept = {source_id for _, source_id in sink.kept}
    assert len(said) > 500
    assert said - kept == set()
    assert broker.restarts >= KILLS
    assert max(back_s) < limit_s(BACK_S_MAX), back_s
    outbox.close()


async def test_a_stalled_broker_is_noticed_by_its_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that is stopped, not dead, keeps its sockets open: only the missing answers tell."""
    from vitruvian.streams.mqtt import BrokerUnavailable, Connection

    async with EmbeddedBroker(tmp_path / "broker") as broker:
        connection = await Connection.open(broker.address, "quiet", lambda _: None, keepalive_s=1)
        pid = broker.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            async with asyncio.timeout(60):
                await connection.lost
            assert connection.reason == "the broker was silent"
            with pytest.raises(BrokerUnavailable):
                await connection.writable()
        finally:
            os.kill(pid, signal.SIGCONT)

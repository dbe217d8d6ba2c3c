"""What the MQTT tests share: a sink that remembers, a mosquitto of our own, a ward's intake, waiting with a limit."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests import support
from vitruvian.core.errors import JournalUnavailable
from vitruvian.core.events import Entry, Receipt, Refusal
from vitruvian.core.time import Clock, SystemClock
from vitruvian.streams.mqtt import BrokerUnavailable, Connection, MqttIntake, address
from vitruvian.streams.mqtt.codec import Message


class MemorySink:
    """A real sink without a disk: keeps entries by (source, source_id), tells duplicates, and can be made to fail."""

    def __init__(self, commit_s: float = 0.0) -> None:
        self.kept: dict[tuple[str, str], Entry] = {}
        self.refused: list[Refusal] = []
        self.duplicates = 0
        self.batches: list[int] = []
        self.commit_s = commit_s
        self.failing = False
        self.blocked: asyncio.Event | None = None

    async def submit(self, entries: Sequence[Entry]) -> list[Receipt]:
        if self.blocked is not None:
            await self.blocked.wait()
        if self.commit_s:
            await asyncio.sleep(self.commit_s)
        if self.failing:
            raise JournalUnavailable("no space left on device")
        self.batches.append(len(entries))
        return [self._keep(entry) for entry in entries]

    def _keep(self, entry: Entry) -> Receipt:
        key = (entry.source, entry.source_id)
        if self.kept.get(key) == entry:
            self.duplicates += 1
            return Receipt("duplicate", 0)
        self.kept[key] = entry
        return Receipt("committed", len(self.kept))

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        if self.failing:
            raise JournalUnavailable("no space left on device")
        self.refused.extend(refusals)
        return [Receipt("quarantined", 0, one.reason) for one in refusals]


@asynccontextmanager
async def intake(url: str, sink: MemorySink, clock: Clock | None = None) -> AsyncIterator[MqttIntake]:
    """A running intake, subscribed."""
    running = MqttIntake(url, sink, clock or SystemClock())
    task = asyncio.create_task(running.run())
    try:
        async with asyncio.timeout(10):
            await running.ready.wait()
        yield running
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[str]:
    """A mosquitto on a free loopback port; its URL. Skips (fails in CI) where there is none."""
    program = support.require_program("mosquitto")
    port = support.free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 8192\nmax_queued_messages 100000\n"
    )
    process = subprocess.Popen([program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"mqtt://127.0.0.1:{port}"
    try:
        until = time.monotonic() + 10
        while True:
            try:
                (await Connection.open(address(url), "probe", lambda _: None)).close()
                break
            except BrokerUnavailable:
                assert time.monotonic() < until
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(10)


class Listener:
    """A plain client that collects what is published."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.pubacks: list[int] = []
        self.connection: Connection | None = None

    async def open(self, url: str, *filters: str, client_id: str = "listener") -> Connection:
        self.connection = await Connection.open(address(url), client_id, self.messages.extend, self.pubacks.extend)
        if filters:
            await self.connection.subscribe(filters, 0)
        return self.connection


async def eventually(condition: Callable[[], bool], limit_s: float = 60.0) -> None:
    """Wait until `condition` holds; fail after `limit_s`."""
    until = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < until, "waited too long"
        await asyncio.sleep(0.01)

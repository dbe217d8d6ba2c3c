"""Between device, broker and ward: delay, partition, reset, and a ward slower than its devices. Nothing is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.mqtt_support import MemorySink, eventually, intake
from vitruvian.bedside import device as device_module
from vitruvian.bedside.device import Client
from vitruvian.bedside.monitors import Monitors
from vitruvian.bedside.outbox import Outbox
from vitruvian.streams.broker import EmbeddedBroker
from vitruvian.streams.mqtt import connection as connection_module
from vitruvian.streams.mqtt import intake as intake_module


class Proxy:
    """A TCP proxy that can delay, stop forwarding without closing, and reset what it carries."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.delay_s = 0.0
        self.open = asyncio.Event()
        self.open.set()

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"mqtt://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def reset(self) -> None:
        """Cut every connection at once, whatever is on its way."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self.open.wait()
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except (OSError, asyncio.CancelledError):
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._carry(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await self.open.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                sink.write(data)
                await sink.drain()
        except (OSError, ConnectionError):
            pass
        finally:
            sink.transport.abort()


@asynccontextmanager
async def proxied(port: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Silence is noticed within 1.5 s."""
    monkeypatch.setattr(
        connection_module.Connection.connect, "__kwdefaults__", {"clean_session": True, "keepalive_s": 1}
    )
    monkeypatch.setattr(connection_module, "CONNECT_S_MAX", 1.0)
    yield


@pytest.mark.parametrize("which", ["device", "ward"])
async def test_delay_partition_and_reset_lose_nothing(tmp_path: Path, impatient: None, which: str) -> None:
    sink, said = MemorySink(), set[str]()
    monitors = Monitors(10, 1, time.time_ns() // 1_000)
    outbox = Outbox(tmp_path / "outbox.db")
    async with EmbeddedBroker(tmp_path / "broker") as broker, proxied(broker.address.port) as proxy:
        device_url = proxy.url if which == "device" else broker.url
        ward_url = proxy.url if which == "ward" else broker.url
        async with (
            intake(ward_url, sink),
            Client(device_url, outbox, client_id="station", devices=monitors.devices, resend_s=0.5) as client,
        ):

            async def talk(seconds: float) -> None:
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    messages = monitors.readings(time.time_ns() // 1_000)
                    await client.send(messages)
                    said.update(f"{one.device}/{one.id}" for one in messages)
                    await asyncio.sleep(0.05)

            proxy.delay_s = 0.3
            await talk(1.5)
            proxy.delay_s = 0.0
            proxy.open.clear()  # a partition: sockets stay, nothing passes
            await talk(3.0)
            proxy.open.set()
            for _ in range(5):
                await talk(0.3)
                proxy.reset()
            await talk(0.3)
            async with asyncio.timeout(40):
                await client.drained()
    assert len(said) > 300
    assert said <= {source_id for _, source_id in sink.kept}
    outbox.close()


async def test_a_ward_slower_than_its_devices_is_not_driven_further_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Devices that sent everything again after each silence would load a slow ward until it never caught up."""
    monkeypatch.setattr(intake_module, "COMMIT_ENTRIES_MAX", 20)
    monkeypatch.setattr(intake_module, "WAITING_MESSAGES_MAX", 40)
    monkeypatch.setattr(intake_module, "SUBMISSIONS_MAX", 1)
    sink = MemorySink(commit_s=0.1)  # 200 messages a second
    monitors = Monitors(100, 1, time.time_ns() // 1_000)
    outbox = Outbox()
    async with EmbeddedBroker(tmp_path / "broker") as broker, intake(broker.url, sink):
        async with Client(broker.url, outbox, client_id="station", devices=monitors.devices, resend_s=0.5) as client:
            for _ in range(12):
                await client.send(monitors.readings(time.time_ns() // 1_000))
                await asyncio.sleep(0.01)
            async with asyncio.timeout(40):
                await client.drained()
    assert len(sink.kept) == 1_200
    assert client.counts["resent"] < 600 and sink.duplicates < 600


async def test_new_readings_do_not_queue_behind_a_slow_ward(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is under way shrinks until it comes back in time; the rest waits in the outbox, where it is as safe."""
    monkeypatch.setattr(intake_module, "COMMIT_ENTRIES_MAX", 20)
    monkeypatch.setattr(intake_module, "SUBMISSIONS_MAX", 1)
    sink = MemorySink(commit_s=0.1)
    monitors = Monitors(100, 1, time.time_ns() // 1_000)
    outbox = Outbox()
    async with EmbeddedBroker(tmp_path / "broker") as broker, intake(broker.url, sink):
        async with Client(broker.url, outbox, client_id="station", devices=monitors.devices) as client:
            for _ in range(15):
                await client.send(monitors.readings(time.time_ns() // 1_000))
            await eventually(lambda: client.counts["receipted"] > 700, 20)
            under_way = client.counts["sent"] - client.counts["receipted"]
            assert device_module.WINDOW_MIN <= under_way <= 250
            async with asyncio.timeout(30):
                await client.drained()
    assert len(sink.kept) == 1_500

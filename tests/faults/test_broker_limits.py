"""The embedded broker: one owner, loopback, accounts, bounded, and refusing what it cannot keep."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mqtt_support import Listener, eventually
from vitruvian.core.errors import ConfigurationError
from vitruvian.streams.broker import BrokerSettings, EmbeddedBroker
from vitruvian.streams.mqtt import BrokerUnavailable, Connection, address
from vitruvian.streams.mqtt.codec import Message

TOPIC = b"vitruvian/v1/d/observations"


async def test_a_full_broker_refuses_and_what_it_acknowledged_is_delivered(tmp_path: Path) -> None:
    """At the limit of its message stream nats-server sends no PUBACK and disconnects the publisher. The ward's session
    still connects, gets every acknowledged message, and then there is room again.
    """
    got: list[int] = []

    def take(messages: list[Message]) -> None:
        got.extend(int(message.payload[:6]) for message in messages)
        ward.acknowledge(message.packet_id for message in messages)

    async with EmbeddedBroker(tmp_path, BrokerSettings(store_bytes_max=1 << 20)) as broker:
        ward = await Connection.open(broker.address, "ward", lambda _: None, clean_session=False)
        await ward.subscribe(["vitruvian/v1/+/observations"], 1)
        ward.close()
        await ward.lost
        device = Listener()
        connection = await device.open(broker.url, client_id="device")
        for number in range(3_000):
            connection.publish(TOPIC, b"%06d" % number + b"x" * 1_000, connection.next_id())
            if number % 50 == 0:
                await asyncio.sleep(0.005)
        async with asyncio.timeout(10):
            await connection.lost
        acknowledged = len(device.pubacks)
        assert 500 < acknowledged < 1_100
        ward = Connection(take)
        await ward.connect(broker.address, "ward", clean_session=False)
        assert ward.session_present
        await ward.subscribe(["vitruvian/v1/+/observations"], 1)
        await eventually(lambda: len(set(got)) >= acknowledged)
        assert set(range(acknowledged)) <= set(got)
        connection = await device.open(broker.url, client_id="device")
        connection.publish(TOPIC, b"%06d" % 900_000, 1)
        await eventually(lambda: 900_000 in got)


async def test_the_store_outlives_the_broker(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as broker:
        ward = await Connection.open(broker.address, "ward", lambda _: None, clean_session=False)
        await ward.subscribe(["#"], 1)
        ward.close()
        device = Listener()
        connection = await device.open(broker.url, client_id="device")
        for number in range(20):
            connection.publish(TOPIC, b"%d" % number, connection.next_id())
        await eventually(lambda: len(device.pubacks) == 20)
    got: list[Message] = []
    async with EmbeddedBroker(tmp_path) as broker:
        ward = await Connection.open(broker.address, "ward", got.extend, clean_session=False)
        await eventually(lambda: len(got) == 20)


async def test_only_one_process_owns_a_folder(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path):
        with pytest.raises(ConfigurationError, match="another process"):
            await EmbeddedBroker(tmp_path).start()
    async with EmbeddedBroker(tmp_path) as again:
        assert again.pid is not None


async def test_a_broker_left_by_a_killed_ward_is_ended_and_its_store_taken_over(tmp_path: Path) -> None:
    script = (
        "import asyncio, os, sys\nfrom pathlib import Path\n"
        "from vitruvian.streams.broker import EmbeddedBroker\n"
        "async def main():\n"
        "    broker = EmbeddedBroker(Path(sys.argv[1]))\n"
        "    await broker.start()\n"
        "    print(broker.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True
    )
    orphan = int(killed.stdout)
    assert Path(f"/proc/{orphan}").exists() or sys.platform != "linux"
    async with EmbeddedBroker(tmp_path) as broker:
        assert broker.pid not in (None, orphan)
        assert "nats-server" not in _command(orphan)


def _command(pid: int) -> str:
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_text() if path.exists() else ""


async def test_a_pid_of_someone_else_is_left_alone(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        tmp_path.joinpath("broker.pid").write_text(str(bystander.pid))
        async with EmbeddedBroker(tmp_path):
            assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


async def test_a_taken_port_is_said_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}"):
            await EmbeddedBroker(tmp_path, BrokerSettings(port=port)).start()


async def test_accounts(tmp_path: Path) -> None:
    settings = BrokerSettings(user="ward", password='p"a\\s$s 1')
    async with EmbeddedBroker(tmp_path, settings) as broker:
        connection = await Connection.open(broker.address, "good", lambda _: None)
        connection.close()
        for user, password in [(None, None), ("ward", "wrong"), ("ward", None)]:
            with pytest.raises(BrokerUnavailable):
                await Connection.open(broker.address._replace(user=user, password=password), "bad", lambda _: None)
        assert (tmp_path / "nats.conf").stat().st_mode & 0o077 == 0
        assert settings.password not in broker.url and "p%22" not in repr(address("mqtt://ward:p%22@h"))


async def test_a_client_id_with_blanks_is_refused_before_any_broker_sees_it() -> None:
    for wrong in ("", "a b", "a\n"):
        with pytest.raises(ConfigurationError, match="client id"):
            await Connection.open(address("mqtt://127.0.0.1:1"), wrong, lambda _: None)


def test_settings_that_cannot_work_are_refused() -> None:
    for wrong in (
        {"host": "0.0.0.0"}, {"user": "x"}, {"password": "x"}, {"port": 70_000}, {"in_flight_max": 0},
    ):  # fmt: skip
        with pytest.raises(ConfigurationError):
            BrokerSettings(**wrong)  # type: ignore[arg-type]


async def test_it_listens_on_loopback_only(tmp_path: Path) -> None:
    async with EmbeddedBroker(tmp_path) as broker:
        wide = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        port = f"{broker.address.port:04X}"
        bound = {parts[1].split(":")[0] for parts in wide if parts[1].endswith(f":{port}") and parts[3] == "0A"}
        assert bound == {"0100007F"}

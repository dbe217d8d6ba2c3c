"""The disk fills under a running ward: nothing is acknowledged that is not kept, reading goes on, and it recovers."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.test_journal_faults import small_disk
from tests.mqtt_support import eventually
from tests.support import limit_s
from tests.unit.test_hl7v2_reader import message, obx
from vitruvian.streams.broker import EmbeddedBroker
from vitruvian.testing.ward_process import Kept, Station, WardProcess, fresh_hashes

BACK_S_MAX = 10.0


class Tmpfs:
    """A small disk that something else fills to the last byte."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._ballast = folder, folder / "ballast"

    def fill(self, ward: WardProcess) -> None:
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def free(self, ward: WardProcess) -> None:
        self._ballast.unlink()


class FileLimit:
    """For those who may not mount: the ward may write nothing beyond the first page of any file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._before = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

    def fill(self, ward: WardProcess) -> None:
        self._before = resource.prlimit(ward.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(ward.pid, resource.RLIMIT_FSIZE, (4_096, self._before[1]))

    def free(self, ward: WardProcess) -> None:
        resource.prlimit(ward.pid, resource.RLIMIT_FSIZE, self._before)


@contextlib.contextmanager
def tmpfs(folder: Path) -> Iterator[Tmpfs]:
    with small_disk(folder, 12) as disk:
        yield Tmpfs(disk)


@contextlib.contextmanager
def file_limit(folder: Path) -> Iterator[FileLimit]:
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux limits a running process from outside")
    folder.mkdir()
    yield FileLimit(folder)


def posted(ward: WardProcess, number: int) -> int:
    """The status of one observation pushed over HTTP."""
    now = datetime.now(UTC).isoformat()
    patient = {"system": "urn:hospital", "value": "7"}
    body = {"id": f"push-{number}", "time": now, "values": {"heart_rate": [80, "/min"]}, "patient": patient}
    status, answer = ward.post("observations", body)
    if status == 503:
        assert "full" in str(answer) or "nothing was committed" in str(answer), answer
    return status


def acknowledged(ward: WardProcess, number: int) -> str:
    """The code of the acknowledgement (MSA-1) of one result sent over MLLP."""
    pid = "PID|1||4711^^^HOSP^MR||Doe^Jane||19500101|F"
    data = message("ORU^R01", pid, f"OBR|1||F{number}", obx("8867-4^HR^LN", "60", "/min"))
    data = data.replace(b"|T|", b"|P|")
    with socket.create_connection(("127.0.0.1", ward.mllp_port), 20) as line:
        line.sendall(b"\x0b" + data + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            part = line.recv(65_536)
            assert part, answer
            answer += part
    return next(part for part in answer.split(b"\r") if part.startswith(b"MSA")).split(b"|")[1].decode()


Disk = Callable[[Path], contextlib.AbstractContextManager[Tmpfs | FileLimit]]


@pytest.mark.parametrize("kind", [tmpfs, file_limit])
async def test_a_full_disk_is_told_to_every_source_and_passes(kind: Disk, tmp_path: Path) -> None:
    with kind(tmp_path / "disk") as disk:
        journal = disk.folder / "ward.db"
        station, kept = Station(tmp_path / "outbox.db", 20, rate_hz=5.0), Kept(journal)
        async with EmbeddedBroker(tmp_path / "broker") as broker:
            with WardProcess(journal, "--mqtt", broker.url, log=tmp_path / "ward.log") as ward:
                await asyncio.to_thread(ward.start)
                async with station.connected(broker.url) as client:
                    talking = asyncio.create_task(station.talk(client))
                    await eventually(lambda: client.counts["receipted"] > 150, 60)
                    assert await asyncio.to_thread(posted, ward, 0) == 200
                    assert await asyncio.to_thread(acknowledged, ward, 0) == "AA"
                    disk.fill(ward)
                    # The journal may still have room within its own files; it is soon used up.
                    await eventually(lambda: not ward.is_ready(), 60)
                    await asyncio.sleep(0.3)
                    before, waiting = client.counts["receipted"], len(station.outbox)
                    for number in range(1, 4):
                        assert await asyncio.to_thread(posted, ward, number) == 503
                    assert await asyncio.to_thread(acknowledged, ward, 1) == "AR"
                    started = time.monotonic()
                    live = await asyncio.to_thread(ward.hashes)  # reading goes on
                    assert len(live) >= 20
                    assert time.monotonic() - started < limit_s(5)
                    await asyncio.sleep(0.5)
                    assert client.counts["receipted"] == before
                    assert len(station.outbox) > waiting
                    receipted = station.receipted()
                    disk.free(ward)
                    freed = time.monotonic()
                    await eventually(lambda: client.counts["receipted"] > before, limit_s(BACK_S_MAX))
                    await eventually(ward.is_ready, limit_s(BACK_S_MAX))
                    assert await asyncio.to_thread(posted, ward, 1) == 200
                    assert await asyncio.to_thread(acknowledged, ward, 1) == "AA"
                    assert time.monotonic() - freed < limit_s(BACK_S_MAX)
                    talking.cancel()
                    await asyncio.gather(talking, return_exceptions=True)
                    async with asyncio.timeout(60):
                        await client.drained()
                kept.read()
                assert kept.lost(receipted | station.said) == set()
                assert kept.duplicated == 0
                anew = fresh_hashes(journal)
                assert len(anew) == 22  # of the monitors, the push and the result
                assert await asyncio.to_thread(ward.hashes, anew) == anew
                assert (await asyncio.to_thread(ward.stop))[0] == 0
        station.close()

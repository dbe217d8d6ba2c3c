"""Stopping and starting: clean and quick, nothing lost, and a second ward is told why it cannot run."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

from tests.mqtt_support import eventually
from tests.support import limit_s
from vitruvian.testing.ward_process import Kept, Station, WardProcess, fresh_hashes

STOP_S_MAX = 5.0


async def test_a_stop_while_devices_speak_is_clean_and_the_next_start_goes_on(tmp_path: Path) -> None:
    journal = tmp_path / "ward.db"
    station, kept = Station(tmp_path / "outbox.db", 100, rate_hz=2.5), Kept(journal)
    with WardProcess(journal) as ward:
        for number in (signal.SIGINT, signal.SIGTERM):
            await asyncio.to_thread(ward.start)
            async with station.connected(ward.mqtt) as client:
                talking = asyncio.create_task(station.talk(client))
                await asyncio.sleep(1.0)
                status, took_s = await asyncio.to_thread(ward.stop, number)
                talking.cancel()
                await asyncio.gather(talking, return_exceptions=True)
                receipted = station.receipted()
            assert (status, took_s < limit_s(STOP_S_MAX)) == (0, True), took_s
            said = ward.said()
            assert "Traceback" not in said
            assert "ERROR" not in said
            kept.read()
            assert len(receipted) > 100
            assert kept.lost(receipted) == set()
            # Stopped in order, the ward leaves a snapshot: the next start has nothing to fold.
            assert list(tmp_path.glob("ward.db.snapshots/*"))
        await asyncio.to_thread(ward.start)
        async with station.connected(ward.mqtt) as client, asyncio.timeout(60):
            await client.drained()
        kept.read()
        assert (kept.lost(station.said), kept.duplicated) == (set(), 0)
        assert await asyncio.to_thread(ward.hashes) == fresh_hashes(journal)
    station.close()


async def test_the_virtual_ward_stops_with_its_monitors(tmp_path: Path) -> None:
    with WardProcess(tmp_path / "ward.db", "--patients", "4", "--history", "1", command="ward") as ward:
        ward.start()
        await eventually(lambda: len(ward.get("patients")["patients"]) == 4, 180)
        status, took_s = ward.stop(signal.SIGINT)
        assert (status, took_s < limit_s(STOP_S_MAX)) == (0, True), took_s
        assert "Traceback" not in ward.said()


def refused(*arguments: str) -> str:
    """The one line on standard error of a command that must not start."""
    program = Path(sys.executable).with_name("vitruvian")
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("vitruvian: ")
    return lines[0]


def test_a_second_ward_and_a_taken_port_are_told_in_one_line(tmp_path: Path) -> None:
    journal = str(tmp_path / "ward.db")
    with WardProcess(tmp_path / "ward.db") as ward:
        ward.start()
        assert "another process runs the broker" in refused("ward", "--journal", journal, "--port", "0")
        elsewhere = ("--mqtt", ward.mqtt, "--port", "0")
        assert "stop the other ward" in refused("serve", "--journal", journal, *elsewhere, "--mllp-port", "0")
        port = ward.url.rpartition(":")[2]
        other = str(tmp_path / "other.db")
        assert f"127.0.0.1:{port}: the port is taken" in refused("ward", "--journal", other, "--port", port)
        taken = str(ward.mllp_port)
        said = refused("serve", "--journal", other, "--port", "0", "--mllp-port", taken)
        assert f"127.0.0.1:{taken}" in said
        assert ward.is_ready()  # the first was not disturbed

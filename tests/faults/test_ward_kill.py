"""The whole ward is killed while devices speak: what has a receipt is in the log once, and every twin stands again."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

import pytest

from tests.mqtt_support import eventually
from tests.support import limit_s
from vitruvian.testing.ward_process import Kept, Station, WardProcess, fresh_hashes

BEDS = 250  # at 1 Hz, of 8 signals: 2,000 observations a second
RESTART_S_MAX = 5.0


async def killed(folder: Path, kills: int, rng: random.Random) -> tuple[list[float], int]:
    """Kill a ward that often; the seconds of each restart, and how many messages were told of receipts."""
    journal = folder / "ward.db"
    kept, station, restarts_s = Kept(journal), Station(folder / "outbox.db", BEDS), []
    with WardProcess(journal) as ward:
        await asyncio.to_thread(ward.start)
        for _ in range(kills):
            async with station.connected(ward.mqtt) as client:
                await station.talk(client, rng.uniform(1.0, 2.5))
                ward.kill()
                receipted = station.receipted()
            kept.read()
            assert kept.lost(receipted) == set()
            restarts_s.append(await asyncio.to_thread(ward.start))
        async with station.connected(ward.mqtt) as client, asyncio.timeout(60):
            await client.drained()
        kept.read()
        assert kept.lost(station.said) == set()
        assert kept.duplicated == 0
        live = await asyncio.to_thread(ward.hashes)
        assert live == fresh_hashes(journal)
        assert len(live) == BEDS
        ward.kill()  # nothing is said any more: what comes back must be what went
        await asyncio.to_thread(ward.start)
        assert await asyncio.to_thread(ward.hashes) == live
    station.close()
    return restarts_s, len(station.said)


async def test_three_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    restarts_s, said = await killed(tmp_path, 3, random.Random(1))
    assert said > 3 * BEDS
    assert max(restarts_s) < limit_s(RESTART_S_MAX), restarts_s


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_thirty_kills_lose_nothing_acknowledged(tmp_path: Path) -> None:
    restarts_s, said = await killed(tmp_path, 30, random.Random(2))
    assert said > 30 * BEDS
    assert max(restarts_s) < limit_s(RESTART_S_MAX), restarts_s


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(") ")[2][0] != "Z"


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes through /proc")
async def test_a_killed_ward_leaves_no_monitors_and_its_broker_to_the_next(tmp_path: Path) -> None:
    with WardProcess(tmp_path / "ward.db", "--patients", "3", "--history", "0", command="ward") as ward:
        await asyncio.to_thread(ward.start)
        await eventually(lambda: len(children(ward.pid)) == 2)
        broker = ward.broker_pid
        (bedside,) = set(children(ward.pid)) - {broker}
        ward.kill()
        await eventually(lambda: not alive(bedside), limit_s(5))
        await asyncio.to_thread(ward.start)
        assert not alive(broker)
        assert alive(ward.broker_pid)
        # The monitors go on where they were: the same patients, no second copy of anyone.
        await eventually(lambda: len(ward.get("patients")["patients"]) == 3, 180)
        began = time.monotonic()
        processes = [*children(ward.pid)]
        assert ward.stop()[0] == 0
        assert time.monotonic() - began < limit_s(5)
        assert not any(alive(pid) for pid in processes)

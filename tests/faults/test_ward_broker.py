"""The broker dies under a running ward: everyone is back within seconds, outboxes lose nothing, silence is told."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.mqtt_support import eventually
from vitruvian.testing.ward_process import Kept, Station, WardProcess, fresh_hashes

# What a person may expect; held to in the long run alone, on a machine that does nothing else.
BACK_S_MAX = 5.0
GAP_S_MAX = 10.0
WAIT_S = 60.0  # for what must come, however slow the machine


def gaps(ward: WardProcess) -> set[str]:
    """Patients of whom the ward says that nothing is heard."""
    alerts: list[dict[str, Any]] = ward.get("alerts")["alerts"]
    return {one["patient"] for one in alerts if one["rule"] == "silence" and one["technical"]}


async def broken(folder: Path, kills: int) -> tuple[list[float], float]:
    """Kill the ward's broker that often while devices speak: the seconds until a device had its receipt again, and
    those until the ward told that all are silent.
    """
    station, kept, back_s = Station(folder / "outbox.db", 40, rate_hz=5.0), Kept(folder / "ward.db"), []
    with WardProcess(folder / "ward.db") as ward:
        await asyncio.to_thread(ward.start)
        async with station.connected(ward.mqtt) as client:
            talking = asyncio.create_task(station.talk(client))
            for _ in range(kills):
                await asyncio.sleep(0.7)
                os.kill(ward.broker_pid, signal.SIGKILL)
                began, connects = time.monotonic(), client.counts["connects"]
                await eventually(lambda connects=connects: client.counts["connects"] > connects, WAIT_S)  # type: ignore[misc]
                before = client.counts["receipted"]
                await eventually(lambda before=before: client.counts["receipted"] > before, WAIT_S)  # type: ignore[misc]
                back_s.append(time.monotonic() - began)
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            async with asyncio.timeout(60):
                await client.drained()
        silent = time.monotonic()
        await eventually(lambda: len(gaps(ward)) == 40, WAIT_S)
        told_s = time.monotonic() - silent
        kept.read()
        assert (kept.lost(station.said), kept.duplicated) == (set(), 0)
        assert await asyncio.to_thread(ward.hashes) == fresh_hashes(folder / "ward.db")
        async with station.connected(ward.mqtt) as client:  # and it ends when they are heard again
            talking = asyncio.create_task(station.talk(client))
            await eventually(lambda: not gaps(ward), WAIT_S)
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
    station.close()
    return back_s, told_s


async def test_three_kills_of_the_broker(tmp_path: Path) -> None:
    back_s, _ = await broken(tmp_path, 3)
    assert len(back_s) == 3


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_twenty_kills_of_the_broker(tmp_path: Path) -> None:
    back_s, told_s = await broken(tmp_path, 20)
    assert max(back_s) < BACK_S_MAX, back_s
    assert told_s < GAP_S_MAX

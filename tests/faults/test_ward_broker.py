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

BACK_S_MAX = 5.0
GAP_S_MAX = 10.0


def gaps(ward: WardProcess) -> set[str]:
    """Patients of whom the ward says that nothing is heard."""
    alerts: list[dict[str, Any]] = ward.get("alerts")["alerts"]
    return {one["patient"] for one in alerts if one["rule"] == "silence" and one["technical"]}


async def broken(folder: Path, kills: int) -> list[float]:
    """Kill the ward's broker that often while devices speak; the seconds until a device had its receipt again."""
    station, kept, back_s = Station(folder / "outbox.db", 40, rate_hz=5.0), Kept(folder / "ward.db"), []
    with WardProcess(folder / "ward.db") as ward:
        await asyncio.to_thread(ward.start)
        async with station.connected(ward.mqtt) as client:
            talking = asyncio.create_task(station.talk(client))
            for _ in range(kills):
                await asyncio.sleep(0.7)
                os.kill(ward.broker_pid, signal.SIGKILL)
                began = time.monotonic()
                await eventually(lambda: not client.connected.is_set())
                before = client.counts["receipted"]
                await eventually(lambda before=before: client.counts["receipted"] > before, 20)  # type: ignore[misc]
                back_s.append(time.monotonic() - began)
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
            async with asyncio.timeout(60):
                await client.drained()
        silent = time.monotonic()
        await eventually(lambda: len(gaps(ward)) == 40, GAP_S_MAX + 5)
        assert time.monotonic() - silent < GAP_S_MAX
        kept.read()
        assert (kept.lost(station.said), kept.duplicated) == (set(), 0)
        assert await asyncio.to_thread(ward.hashes) == fresh_hashes(folder / "ward.db")
        async with station.connected(ward.mqtt) as client:  # and it ends when they are heard again
            await station.talk(client, 3.0)
            await eventually(lambda: not gaps(ward), 5)
    station.close()
    return back_s


async def test_three_kills_of_the_broker(tmp_path: Path) -> None:
    back_s = await broken(tmp_path, 3)
    assert max(back_s) < BACK_S_MAX, back_s


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_twenty_kills_of_the_broker(tmp_path: Path) -> None:
    back_s = await broken(tmp_path, 20)
    assert max(back_s) < BACK_S_MAX, back_s

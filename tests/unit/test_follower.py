"""A fault while following one commit must not take another's values from the twins."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from vitruvian.core.events import Entry, Event, Quantity
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import ManualClock, parse_iso
from vitruvian.service.runtime import Ward, WardSettings

NOW_US = parse_iso("2026-03-01T12:00:00Z").us


def heart_rate(number: int) -> Entry:
    event = Event("observation", "heart_rate", Quantity(70.0 + number, "/min"), NOW_US + number)
    return Entry("test", str(number), (event,), subject=(Identifier("test", f"p{number}", "MR"),))


async def test_a_fault_in_the_alerts_leaves_no_hole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = WardSettings(tmp_path / "w.db")
    async with Ward.open(settings, ManualClock(NOW_US)) as ward:
        follower = ward.follower
        real = follower.alerts.follow
        faults = iter([True])

        def breaks_once(*arguments: Any) -> Any:
            if next(faults, False):
                raise RuntimeError("boom")
            return real(*arguments)

        with follower.lock:  # held, so that several commits gather in one call
            first = asyncio.create_task(ward.submit([heart_rate(0)]))
            await asyncio.sleep(0.1)
            await ward.submit([heart_rate(1)])
            await ward.submit([heart_rate(2)])
            monkeypatch.setattr(follower.alerts, "follow", breaks_once)
        await first
        await ward.submit([heart_rate(3)], applied=True)
        assert ward.intake.counts["follow_errors"] == 1
        assert all(pid in ward.twins for pid in follower.board.patients)
        hashes = {pid: ward.twins.hash(pid) for pid in follower.board.patients}
    assert len(hashes) == 4
    async with Ward.open(settings, ManualClock(NOW_US)) as again:
        assert {pid: again.twins.hash(pid) for pid in again.follower.board.patients} == hashes

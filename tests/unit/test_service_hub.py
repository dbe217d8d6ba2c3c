"""The hub: one frame for all, nothing unbounded, and every page ends up showing what is so."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.errors import Overloaded
from vitruvian.service import hub as hub_module
from vitruvian.service.hub import KEPT_FRAMES_MAX, QUEUE_FRAMES_MAX, Hub, difference
from vitruvian.service.views import AlertView, BedRow, Cell, News2Brief, RiskBrief


def row(patient: str, heart_rate: float = 80.0, **more: Any) -> BedRow:
    fields: dict[str, Any] = {
        "id": patient, "bed": "Ward 1A", "ward": "Ward", "name": patient, "sex": "female", "age_years": 70,
        "vitals": {"heart_rate": Cell(heart_rate, 1_000_000, 5), "respiratory_rate": Cell(16.0, 1_000_000, 5)},
        "oxygen": "air", "news2": News2Brief(1, "1", "low"), "risk": RiskBrief(0.1, 0.05, 0.2), "lane": "low",
        "at_us": 1_000_000, "stale_s": 5,
    }  # fmt: skip
    return BedRow(**(fields | more))


class Source:
    """What the hub is given: rows that a test changes."""

    def __init__(self, *patients: str) -> None:
        self.rows = {patient: row(patient) for patient in patients}
        self.alarms: list[AlertView] = []
        self.number = 0
        self.built = 0
        self.hub = Hub(self._build, lambda: self.alarms, lambda: self.number, lambda: 5_000_000)

    def _build(self, now_us: int, ids: Sequence[str] | None) -> list[BedRow]:
        self.built += 1
        return [self.rows[one] for one in (self.rows if ids is None else ids) if one in self.rows]

    def change(self, patient: str, heart_rate: float) -> None:
        self.number += 1
        self.rows[patient] = row(patient, heart_rate)
        self.hub.touch([patient], 4_000_000)


def frames(data: bytes) -> list[tuple[str, str, dict[str, Any]]]:
    """(event, id, data) of each server-sent event."""
    found = []
    for block in data.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "data" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


async def follow(source: Source, **how: str) -> tuple[AsyncIterator[bytes], list[tuple[str, str, dict[str, Any]]]]:
    stream = source.hub.subscribe(**how)
    return stream, frames(await anext(stream))


async def take(stream: AsyncIterator[bytes]) -> list[tuple[str, str, dict[str, Any]]]:
    return frames(await asyncio.wait_for(anext(stream), 2))


async def test_a_viewer_gets_a_snapshot_and_then_only_what_changed() -> None:
    source = Source("a", "b")
    stream, first = await follow(source)
    assert [event for event, _, _ in first] == ["snapshot"]
    assert [one["id"] for one in first[0][2]["rows"]] == ["a", "b"]
    source.hub.touch(["a", "b"])
    source.hub.tick()
    await take(stream)  # never sent before: whole once
    source.change("a", 91.0)
    source.hub.tick()
    ((event, _, data),) = await take(stream)
    assert (event, data["seq"], data["schema"], data["source_ts"]) == ("delta", 1, 1, 4_000.0)
    assert data["rows"] == [{"id": "a", "vitals": {"heart_rate": {"value": 91.0, "at_us": 1_000_000, "stale_s": 5}}}]
    assert data["server_ts"] > 1e12


async def test_a_tick_builds_once_for_any_number_of_viewers() -> None:
    source = Source("a")
    streams = [(await follow(source))[0] for _ in range(20)]
    built = source.built
    source.change("a", 99.0)
    source.hub.tick()
    received = {await asyncio.wait_for(anext(stream), 2) for stream in streams}
    assert len(received) == 1
    assert source.built == built + 1


async def test_nothing_is_built_while_nobody_looks() -> None:
    source = Source("a")
    source.change("a", 99.0)
    source.hub.tick()
    assert source.built == 0


async def test_a_slow_viewer_loses_frames_never_memory_and_then_sees_the_present() -> None:
    source = Source("a")
    slow, _ = await follow(source)
    quick, _ = await follow(source)
    for step in range(QUEUE_FRAMES_MAX + 5):
        source.change("a", 100.0 + step)
        source.hub.tick()
        await take(quick)
    assert source.hub.counts["dropped"] > 0
    ((event, _, data),) = await take(slow)
    assert event == "snapshot"
    assert data["rows"][0]["vitals"]["heart_rate"]["value"] == 100.0 + QUEUE_FRAMES_MAX + 4


async def test_who_reconnects_gets_what_was_missed_and_no_more() -> None:
    source = Source("a")
    stream, _ = await follow(source)
    source.change("a", 90.0)
    source.hub.tick()
    ((_, last_id, _),) = await take(stream)
    await stream.aclose()  # type: ignore[attr-defined]
    for value in (91.0, 92.0):
        source.change("a", value)
        source.hub.tick()
    _, missed = await follow(source, last_event_id=last_id)
    assert [event for event, _, _ in missed] == ["delta", "delta"]
    assert [data["rows"][0]["vitals"]["heart_rate"]["value"] for _, _, data in missed] == [91.0, 92.0]
    assert source.hub.counts["resumed"] == 1


@pytest.mark.parametrize("last_event_id", ["", "0-1", "zz-99999999999999999999", "-", "nonsense", "1-2-3"])
async def test_an_unknown_position_gets_a_snapshot(last_event_id: str) -> None:
    source = Source("a")
    _, first = await follow(source, last_event_id=last_event_id)
    assert [event for event, _, _ in first] == ["snapshot"]


async def test_a_position_too_long_ago_gets_a_snapshot() -> None:
    source = Source("a")
    stream, _ = await follow(source)
    source.change("a", 90.0)
    source.hub.tick()
    ((_, last_id, _),) = await take(stream)
    for step in range(KEPT_FRAMES_MAX + 1):
        source.change("a", 100.0 + step)
        source.hub.tick()
    _, first = await follow(source, last_event_id=last_id)
    assert first[0][0] == "snapshot"


async def test_a_topic_made_anew_never_takes_an_old_position_for_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "LINGER_S", -1.0)
    source = Source("a")
    stream, first = await follow(source)
    last_id = first[0][1]
    await stream.aclose()  # type: ignore[attr-defined]
    source.change("a", 99.0)
    source.hub.tick()  # the topic is forgotten; the change is sent to nobody
    _, again = await follow(source, last_event_id=last_id)
    assert again[0][0] == "snapshot"
    assert again[0][2]["rows"][0]["vitals"]["heart_rate"]["value"] == 99.0


async def test_a_patients_page_hears_of_that_patient_only() -> None:
    source = Source("a", "b")
    stream, first = await follow(source, patient="b")
    assert [one["id"] for one in first[0][2]["rows"]] == ["b"]
    source.change("a", 99.0)
    source.change("b", 77.0)
    source.hub.tick()
    ((_, _, data),) = await take(stream)
    assert [one["id"] for one in data["rows"]] == ["b"]


async def test_who_leaves_the_ward_is_told_of() -> None:
    source = Source("a", "b")
    stream, _ = await follow(source)
    del source.rows["b"]
    source.hub.touch([], gone=["b"])
    source.hub.tick()
    ((_, _, data),) = await take(stream)
    assert data["gone"] == ["b"]


async def test_alarms_reach_the_ward_and_their_patient() -> None:
    source = Source("a", "b")
    ward, _ = await follow(source)
    page, _ = await follow(source, patient="b")
    source.alarms = [AlertView("x", "a", "1A", "A", "hr", 3, "HR 134 > 120", "open", 1)]
    source.hub.alerts_changed()
    source.hub.tick()
    assert [(event, len(data["alerts"])) for event, _, data in await take(ward)] == [("alerts", 1)]
    assert [(event, data["alerts"]) for event, _, data in await take(page)] == [("alerts", [])]


async def test_silence_is_broken_by_a_heartbeat_that_does_not_move_the_position(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hub_module, "HEARTBEAT_S", 0.0)
    source = Source("a")
    stream, first = await follow(source)
    source.hub.tick()
    ((event, frame_id, _),) = await take(stream)
    assert event == "heartbeat"
    assert frame_id == first[0][1]


async def test_a_touch_from_another_thread_is_sent_at_once() -> None:
    source = Source("a")
    task = asyncio.create_task(source.hub.run())
    await asyncio.sleep(0)
    stream, _ = await follow(source)
    threading.Thread(target=source.change, args=("a", 123.0)).start()
    seen: list[str] = []
    while "delta" not in seen:
        seen += [event for event, _, _ in await take(stream)]
    task.cancel()


async def test_open_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "VIEWERS_MAX", 2)
    source = Source("a")
    kept = [await follow(source) for _ in range(2)]
    with pytest.raises(Overloaded, match="close some pages"):
        await follow(source)
    await kept[0][0].aclose()  # type: ignore[attr-defined]
    await follow(source)


def merged(shown: dict[str, dict[str, Any]], changes: list[dict[str, Any]]) -> None:
    """What a page does with changes."""
    for change in changes:
        before = shown.get(change["id"], {})
        whole = change.pop("whole", False)
        parts = {
            field: change[field] if whole else {**before.get(field, {}), **change.get(field, {})}
            for field in ("vitals", "risk")
        }
        parts["vitals"] = {concept: cell for concept, cell in parts["vitals"].items() if cell is not None}
        shown[change["id"]] = {**before, **change, **parts}


steps = st.lists(
    st.one_of(
        st.tuples(st.just("change"), st.sampled_from("abc"), st.sampled_from([60.0, 61.0, 62.0])),
        st.tuples(st.just("drop"), st.sampled_from("abc"), st.none()),
        st.tuples(st.just("risk"), st.sampled_from("abc"), st.sampled_from([0.1, 0.2, 0.3])),
        st.tuples(st.just("tick"), st.none(), st.none()),
        st.tuples(st.just("join"), st.none(), st.none()),
    ),
    max_size=30,
)


@given(steps)
def test_whoever_joins_whenever_ends_up_showing_what_is_so(script: list[tuple[str, str | None, float | None]]) -> None:
    async def play() -> None:
        source = Source("a", "b", "c")
        viewers: list[tuple[AsyncIterator[bytes], dict[str, dict[str, Any]]]] = []

        async def join() -> None:
            stream, first = await follow(source)
            shown: dict[str, dict[str, Any]] = {}
            merged(shown, first[0][2]["rows"])
            viewers.append((stream, shown))

        await join()
        for action, patient, value in script:
            if action == "change" and patient and value:
                source.change(patient, value)
            elif action == "drop" and patient:
                before = source.rows[patient]
                source.rows[patient] = msgspec.structs.replace(
                    before, vitals={k: v for k, v in before.vitals.items() if k != "respiratory_rate"}
                )
                source.hub.touch([patient])
            elif action == "risk" and patient and value:
                risk = RiskBrief(value, spark=(None, 100 if value > 0.2 else 300))
                source.rows[patient] = msgspec.structs.replace(source.rows[patient], risk=risk)
                source.hub.touch([patient])
            elif action == "tick":
                source.hub.tick()
            else:
                await join()
        source.hub.tick()
        now = json.loads(msgspec.json.encode(list(source.rows.values())))
        for stream, shown in viewers:
            try:
                while True:
                    received = frames(await asyncio.wait_for(anext(stream), 0.001))
                    merged(shown, [change for _, _, data in received for change in data.get("rows", [])])
            except TimeoutError:
                pass
            assert [shown[one["id"]] for one in now] == now

    asyncio.run(play())


def test_a_cell_that_is_gone_is_said_to_be() -> None:
    before, after = row("a"), row("a", vitals={})
    assert difference(before, after) == {"id": "a", "vitals": {"heart_rate": None, "respiratory_rate": None}}
    assert difference(before, row("a")) is None

"""One change, encoded once, to every open page.

The follower says which patients moved (`touch`, from any thread); a few times a second the hub builds their rows once,
keeps what differs from what was last sent, encodes it once a topic and hands the same bytes to every viewer. A viewer
that does not keep up loses frames, never memory: its queue is bounded, and when it reads again it gets a snapshot.

Topics: `ward` (every row) and `patient:ID` (one). Frames are server-sent events (WHATWG HTML, 9.2) with an `id`, by
which a page that reconnects gets what it missed, or a snapshot where that is too long ago.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from vitruvian.core.errors import Overloaded
from vitruvian.service.views import SCHEMA, AlertView, BedRow, RiskBrief

WARD: Final = "ward"
INTERVAL_S: Final = 0.12  # between frames
HEARTBEAT_S: Final = 2.0  # of silence on a topic before an empty frame goes out
QUEUE_FRAMES_MAX: Final = 16  # that may wait for one viewer
KEPT_FRAMES_MAX: Final = 50  # a topic, for those that reconnect
LINGER_S: Final = 10.0  # a topic goes on without viewers, so that one that reconnects misses nothing
SNAPSHOT_AGE_MAX_S: Final = 0.5  # that viewers who join together may share
SWEEP_ROWS: Final = 40  # a tick, looked at again though nothing was heard: an expired input changes a score
VIEWERS_MAX: Final = 500

_encode = msgspec.json.Encoder().encode


class _Viewer:
    """One open stream: a bounded queue, and whether it fell behind."""

    __slots__ = ("behind", "frames", "ready")

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.ready = asyncio.Event()
        self.behind = False

    def put(self, frame: bytes) -> bool:
        """Queue a frame; False where it was dropped because the viewer is slow."""
        if len(self.frames) >= QUEUE_FRAMES_MAX:
            self.frames.clear()
            self.behind = True
        if not self.behind:
            self.frames.append(frame)
        self.ready.set()
        return not self.behind


class _Topic:
    """The viewers of one topic, and its last frames by number."""

    __slots__ = ("kept", "number", "seen_at", "sent_at", "snapshot", "snapshot_at", "viewers")

    def __init__(self, number: int) -> None:
        self.viewers: set[_Viewer] = set()
        self.kept: deque[tuple[int, bytes]] = deque(maxlen=KEPT_FRAMES_MAX)
        self.number = number
        self.sent_at = 0.0
        self.seen_at = time.monotonic()  # when it last had a viewer
        self.snapshot = b""
        self.snapshot_at = 0.0


class Hub:
    """Fans the ward's changes out. `touch` and `alerts_changed` may be called from any thread, the rest on the loop.

    `rows(now_us, ids)` builds rows (all where `ids` is None), `alerts()` the open alarms, `seq()` the last commit seen.
    """

    def __init__(
        self,
        rows: Callable[[int, Sequence[str] | None], Sequence[BedRow]],
        alerts: Callable[[], Sequence[AlertView]],
        seq: Callable[[], int],
        now_us: Callable[[], int],
        *,
        speed: float = 1.0,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._rows, self._alerts, self._seq, self._now_us = rows, alerts, seq, now_us
        self._speed = speed
        self._interval_s = interval_s
        self._topics: dict[str, _Topic] = {}
        self._number = 0  # of the last frame of any topic: a topic that is made anew never repeats one
        self._sweep: deque[str] = deque()
        self._last: dict[str, BedRow] = {}
        self._lock = threading.Lock()
        self._dirty: set[str] = set()
        self._gone: set[str] = set()
        self._alerts_dirty = False
        self._source_us = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        # Frame numbers start over with the process: the epoch tells an id of an earlier one from ours.
        self._epoch = f"{time.time_ns() // 1_000_000:x}"
        self.counts = {"frames": 0, "bytes": 0, "dropped": 0, "snapshots": 0, "resumed": 0, "build_ms": 0.0}

    def touch(self, ids: Iterable[str], source_us: int = 0, gone: Iterable[str] = ()) -> None:
        """These patients moved (`gone`: left the ward); `source_us` is the newest measurement among what moved them."""
        with self._lock:
            self._dirty.update(ids)
            self._gone.update(gone)
            self._source_us = max(self._source_us, source_us)
        self._rouse()

    def alerts_changed(self) -> None:
        """The list of open alarms is another now."""
        self._alerts_dirty = True
        self._rouse()

    def _rouse(self) -> None:
        loop = self._loop
        if loop is None or self._wake.is_set():
            return
        try:
            loop.call_soon_threadsafe(self._wake.set)
        except RuntimeError:  # the loop closed while we were told: nobody is looking any more
            self._loop = None

    @property
    def viewers(self) -> int:
        """Open streams."""
        return sum(len(topic.viewers) for topic in self._topics.values())

    async def run(self) -> None:
        """Send frames until cancelled."""
        # Events belong to the loop that waits for them: a service that is started anew brings its own.
        self._wake = asyncio.Event()
        self._topics.clear()
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                started = time.monotonic()
                try:
                    await asyncio.wait_for(self._wake.wait(), HEARTBEAT_S / 2)
                except TimeoutError:
                    pass
                self._wake.clear()
                self.tick()
                # The first change after a pause goes out at once; a steady flow is paced.
                await asyncio.sleep(max(0.0, self._interval_s - (time.monotonic() - started)))
        finally:
            self._loop = None

    def tick(self) -> None:
        """Send what changed since the last tick, once a topic, and heartbeats where a topic has been silent."""
        with self._lock:
            dirty, gone, source_us = self._dirty, self._gone, self._source_us
            self._dirty, self._gone, self._source_us = set(), set(), 0
        alerts_dirty, self._alerts_dirty = self._alerts_dirty, False
        live = self._live_topics()
        if not live:
            self._last.clear()
            return
        dirty |= self._swept()
        if WARD not in live:
            dirty = {patient for patient in dirty if f"patient:{patient}" in live}
        seq = self._seq()  # before the rows are built: what is sent is at least as new
        self._send_changes(live, self._changes(dirty), gone, source_us, seq)
        if alerts_dirty:
            alarms = list(self._alerts())
            for name, topic in live.items():
                mine = alarms if name == WARD else [a for a in alarms if f"patient:{a.patient}" == name]
                self._send(topic, "alerts", {"alerts": mine}, seq)
        now = time.monotonic()
        for topic in live.values():
            if now - topic.sent_at >= HEARTBEAT_S:
                self._send(topic, "heartbeat", {}, seq, keep=False)

    def _live_topics(self) -> dict[str, _Topic]:
        """Topics that are looked at, or were until a moment ago; the others are forgotten."""
        now = time.monotonic()
        for name, topic in list(self._topics.items()):
            if topic.viewers:
                topic.seen_at = now
            elif now - topic.seen_at > LINGER_S:
                del self._topics[name]
        return dict(self._topics)

    def _swept(self) -> set[str]:
        """The next few rows to look at again, going round."""
        if not self._sweep:
            self._sweep.extend(self._last)
        return {self._sweep.popleft() for _ in range(min(SWEEP_ROWS, len(self._sweep)))}

    def _changes(self, dirty: set[str]) -> list[dict[str, Any]]:
        if not dirty:
            return []
        started = time.perf_counter()
        changes = []
        for row in self._rows(self._now_us(), sorted(dirty)):
            before = self._last.get(row.id)
            self._last[row.id] = row
            change = difference(before, row)
            if change is not None:
                changes.append(change)
        self.counts["build_ms"] += (time.perf_counter() - started) * 1000
        return changes

    def _send_changes(
        self, live: dict[str, _Topic], changes: list[dict[str, Any]], gone: set[str], source_us: int, seq: int
    ) -> None:
        if WARD in live and (changes or gone):
            self._send(live[WARD], "delta", {"rows": changes, "gone": sorted(gone)}, seq, source_us=source_us)
        for change in changes:
            topic = live.get(f"patient:{change['id']}")
            if topic:
                self._send(topic, "delta", {"rows": [change]}, seq, source_us=source_us)
        for patient in gone:
            self._last.pop(patient, None)

    def _frame(self, topic: _Topic, event: str, body: dict[str, Any], seq: int, source_us: int = 0) -> bytes:
        head = {
            "schema": SCHEMA,
            "seq": seq,
            "source_ts": source_us / 1000,
            "server_ts": time.time_ns() / 1_000_000,
            "now_us": self._now_us(),
            "speed": self._speed,
        }
        data = _encode(head | body)
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (self._epoch.encode(), topic.number, event.encode(), data)

    def _send(
        self, topic: _Topic, event: str, body: dict[str, Any], seq: int, *, source_us: int = 0, keep: bool = True
    ) -> None:
        if keep:
            self._number += 1
            topic.number = self._number
        frame = self._frame(topic, event, body, seq, source_us)
        if keep:
            topic.kept.append((topic.number, frame))
            topic.snapshot = b""
        topic.sent_at = time.monotonic()
        for viewer in topic.viewers:
            if not viewer.put(frame):
                self.counts["dropped"] += 1
        self.counts["frames"] += len(topic.viewers)
        self.counts["bytes"] += len(frame) * len(topic.viewers)

    def _snapshot(self, name: str, topic: _Topic) -> bytes:
        """All rows of a topic and the open alarms; viewers that join together share one."""
        now = time.monotonic()
        if topic.snapshot and now - topic.snapshot_at < SNAPSHOT_AGE_MAX_S:
            return topic.snapshot
        wanted = None if name == WARD else [name.removeprefix("patient:")]
        seq = self._seq()
        rows = list(self._rows(self._now_us(), wanted))
        # A row that is newer here than what the others were sent is sent whole to all when it next moves: were it to
        # move back, there would be no difference to send, and this viewer would keep what is no longer so.
        for row in rows:
            if self._last.get(row.id) != row:
                self._last.pop(row.id, None)
        ids = {row.id for row in rows}
        alarms = [alarm for alarm in self._alerts() if wanted is None or alarm.patient in ids]
        topic.snapshot = self._frame(topic, "snapshot", {"rows": rows, "alerts": alarms}, seq)
        topic.snapshot_at = now
        self.counts["snapshots"] += 1
        return topic.snapshot

    def _missed(self, topic: _Topic, last_event_id: str) -> list[bytes] | None:
        """The frames since `last_event_id`, or None where they are no longer known."""
        epoch, _, number = last_event_id.partition("-")
        if epoch != self._epoch or not number.isdecimal() or len(number) > 18:
            return None
        seen = int(number)
        if seen == topic.number:
            return []
        if not any(at == seen for at, _ in topic.kept):
            return None
        return [frame for at, frame in topic.kept if at > seen]

    async def subscribe(self, patient: str = "", last_event_id: str = "") -> AsyncIterator[bytes]:
        """The frames of the ward, or of one patient: a snapshot (or what was missed), then changes and heartbeats.

        Raises Overloaded where too many streams are open.
        """
        if self.viewers >= VIEWERS_MAX:
            raise Overloaded(f"found {VIEWERS_MAX} open streams, expected fewer; close some pages and try again")
        name = f"patient:{patient}" if patient else WARD
        topic = self._topics.get(name)
        if topic is None:
            self._number += 1
            topic = self._topics[name] = _Topic(self._number)
        viewer = _Viewer()
        topic.viewers.add(viewer)
        try:
            missed = self._missed(topic, last_event_id) if last_event_id else None
            if missed is None:
                yield b"retry: 1000\n\n" + self._snapshot(name, topic)
            else:
                self.counts["resumed"] += 1
                yield b"retry: 1000\n\n" + b"".join(missed)
            while True:
                if viewer.behind:
                    viewer.behind = False
                    yield self._snapshot(name, topic)
                    continue
                if not viewer.frames:
                    viewer.ready.clear()
                    await viewer.ready.wait()
                    continue
                # Several waiting frames go out in one write.
                waiting = b"".join(viewer.frames)
                viewer.frames.clear()
                yield waiting
        finally:
            topic.viewers.discard(viewer)


def difference(before: BedRow | None, now: BedRow) -> dict[str, Any] | None:
    """The fields of a row that changed, with its id; of the vitals only the cells that did, and of the risk its
    sparkline only where it did. None where nothing did.

    A row never sent before is sent `whole`: what a viewer may know of it from a snapshot is to be replaced, not merged.
    """
    if before is None:
        return {field: getattr(now, field) for field in BedRow.__struct_fields__} | {"whole": True}
    change: dict[str, Any] = {}
    for field in BedRow.__struct_fields__:
        old, new = getattr(before, field), getattr(now, field)
        if old == new:
            continue
        if field == "vitals":
            new = {concept: cell for concept, cell in new.items() if old.get(concept) != cell}
            new |= dict.fromkeys(old.keys() - now.vitals.keys())
        elif field == "risk" and old.spark == new.spark:
            # The sparkline moves once in ten minutes and is most of a risk's bytes; the probability moves all the time.
            new = {name: getattr(new, name) for name in RiskBrief.__struct_fields__ if name != "spark"}
        change[field] = new
    return {"id": now.id, **change} if change else None

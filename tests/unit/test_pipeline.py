"""The intake: receipts after the commit only, a queue that slows its sources, and faults that stay where they are."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.journal_support import mrn, observation
from tests.mqtt_support import eventually
from vitruvian.core.errors import JournalError, JournalUnavailable
from vitruvian.core.events import Entry, Receipt, Refusal
from vitruvian.core.limits import COMMIT_ENTRIES_MAX, QUEUE_ENTRIES_MAX
from vitruvian.core.time import SystemClock
from vitruvian.journal import Commit, Journal
from vitruvian.service.pipeline import FOLLOWER_COMMITS_MAX, Batch, Intake
from vitruvian.service.room import Room


class Gated:
    """A real journal behind a door: `hold` keeps commits waiting, `fault` decides which of them fail."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.open = threading.Event()
        self.open.set()
        self.fault: Callable[[Sequence[Entry]], Exception | None] = lambda _: None
        self.batches: list[list[str]] = []

    def append(self, entries: Sequence[Entry], *, recorded_us: int) -> Commit:
        self.open.wait(30)
        error = self.fault(entries)
        if error is not None:
            raise error
        self.batches.append([entry.source_id for entry in entries])
        return self.journal.append(entries, recorded_us=recorded_us)

    def refuse(self, refusals: Sequence[Refusal], *, recorded_us: int) -> list[Receipt]:
        self.open.wait(30)
        return self.journal.refuse(refusals, recorded_us=recorded_us)


class Followed:
    """What the follower was given; `open` lets it go on."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.open = threading.Event()
        self.open.set()
        self.error: Exception | None = None

    def __call__(self, batches: list[Batch]) -> None:
        self.open.wait(30)
        self.batches += batches
        if self.error is not None:
            raise self.error

    @property
    def seqs(self) -> list[tuple[int, int]]:
        return [(batch.commit.first_seq, batch.commit.last_seq) for batch in self.batches]


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[tuple[Intake, Gated, Followed]]:
    with Journal.open(path) as journal:
        gated, followed = Gated(journal), Followed()
        intake = Intake(gated, SystemClock(), followed)
        intake.start()
        try:
            yield intake, gated, followed
        finally:
            gated.open.set()
            followed.open.set()
            await intake.close()


def entries(first: int, count: int) -> list[Entry]:
    return [observation(str(n), n % 600, 80.0, subject=mrn(n % 7)) for n in range(first, first + count)]


def stored(path: Path) -> list[str]:
    with Journal.open(path, read_only=True) as journal:
        return [journal.entry(seq).entry.source_id for seq in range(1, journal.last_seq() + 1)]


async def test_a_receipt_comes_after_the_commit_and_not_before(journal_path: Path) -> None:
    async with running(journal_path) as (intake, gated, _):
        gated.open.clear()
        waiting = asyncio.create_task(intake.submit(entries(0, 3)))
        refusing = asyncio.create_task(intake.refuse([Refusal("why", "", "test", "r", b"x")]))
        await asyncio.sleep(0.1)
        assert not waiting.done() and not refusing.done()
        assert stored(journal_path) == []
        assert intake.waiting == 4
        gated.open.set()
        receipts = await waiting
        assert stored(journal_path) == ["0", "1", "2"]  # read from outside, at the moment of the receipt
        assert [(one.outcome, one.seq) for one in receipts] == [("committed", n) for n in (1, 2, 3)]
        assert [one.outcome for one in await refusing] == ["quarantined"]
        assert intake.waiting == 0


async def test_a_full_queue_makes_sources_wait_and_keeps_their_order(journal_path: Path) -> None:
    """Far more than fits, from one source in turn: every one is kept, once, in order; the queue stays bounded."""
    async with running(journal_path) as (intake, gated, followed):
        gated.open.clear()
        size, calls = 1_000, 40
        assert size * calls > 2 * QUEUE_ENTRIES_MAX
        tasks = [asyncio.create_task(intake.submit(entries(call * size, size))) for call in range(calls)]
        await asyncio.sleep(0.1)
        assert QUEUE_ENTRIES_MAX - size < intake.waiting <= QUEUE_ENTRIES_MAX
        gated.open.set()
        peaks = []
        while not all(task.done() for task in tasks):
            peaks.append(intake.waiting)
            await asyncio.sleep(0.005)
        receipts = [receipt for task in tasks for receipt in task.result()]
        assert max(peaks) <= QUEUE_ENTRIES_MAX
        assert [receipt.seq for receipt in receipts] == list(range(1, size * calls + 1))
        assert all(len(batch) < COMMIT_ENTRIES_MAX + size for batch in gated.batches)
        await eventually(lambda: bool(followed.seqs) and followed.seqs[-1][1] == size * calls)
        assert stored(journal_path) == [str(n) for n in range(size * calls)]


async def test_one_call_larger_than_the_queue_is_split(journal_path: Path) -> None:
    async with running(journal_path) as (intake, _, _):
        count = QUEUE_ENTRIES_MAX + 3_000
        receipts = await intake.submit(entries(0, count))
        assert [receipt.seq for receipt in receipts] == list(range(1, count + 1))
        assert await intake.submit([]) == []


async def test_a_slow_follower_holds_the_committer_and_then_the_sources(journal_path: Path) -> None:
    async with running(journal_path) as (intake, gated, followed):
        followed.open.clear()
        for number in range(FOLLOWER_COMMITS_MAX + 2):  # one is in the follower's hand, the last waits to be handed on
            await intake.submit(entries(number, 1))
        stuck = asyncio.create_task(intake.submit(entries(100, 1)))
        await asyncio.sleep(0.2)
        assert not stuck.done()
        assert len(gated.batches) == FOLLOWER_COMMITS_MAX + 2
        followed.open.set()
        await stuck
        await eventually(lambda: len(followed.seqs) == FOLLOWER_COMMITS_MAX + 3)
        assert followed.seqs == [(n, n) for n in range(1, FOLLOWER_COMMITS_MAX + 4)]


async def test_a_poisoned_submission_fails_alone(journal_path: Path) -> None:
    async with running(journal_path) as (intake, gated, followed):
        gated.fault = lambda some: RuntimeError("boom") if any(one.source_id == "13" for one in some) else None
        gated.open.clear()
        tasks = [asyncio.create_task(intake.submit(entries(number, 1))) for number in range(10, 20)]
        await asyncio.sleep(0.05)
        gated.open.set()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        failed = [number for number, one in enumerate(done, 10) if isinstance(one, BaseException)]
        assert failed == [13]
        assert isinstance(done[3], JournalError) and not isinstance(done[3], JournalUnavailable)
        assert sorted(stored(journal_path)) == sorted(str(n) for n in range(10, 20) if n != 13)
        await eventually(lambda: len(followed.batches) == len(gated.batches))
        assert intake.waiting == 0
        gated.fault = lambda _: None
        assert (await intake.submit(entries(13, 1)))[0].outcome == "committed"


async def test_an_entry_without_events_costs_its_neighbours_nothing(journal_path: Path) -> None:
    """It is quarantined by the journal; those committed with it still reach the twins."""
    async with running(journal_path) as (intake, _, followed):
        broken = Entry("test", "empty", (), subject=mrn(1))
        receipts = await intake.submit([*entries(0, 1), broken, *entries(1, 1)], applied=True)
        assert [one.outcome for one in receipts] == ["committed", "quarantined", "committed"]
        assert len(followed.batches) == 1
        assert followed.batches[0].commit.samples.value.size == 2


async def test_an_unavailable_journal_reaches_callers_and_a_later_call_works(journal_path: Path) -> None:
    async with running(journal_path) as (intake, gated, followed):
        gated.fault = lambda _: JournalUnavailable("no space left on device")
        for applied in (False, True):
            with pytest.raises(JournalUnavailable, match="no space"):
                await intake.submit(entries(0, 5), applied=applied)
        assert intake.unavailable == "no space left on device"
        assert (intake.counts["failed"], intake.waiting) == (10, 0)
        assert (stored(journal_path), followed.batches) == ([], [])
        gated.fault = lambda _: None
        assert len(await intake.submit(entries(0, 5), applied=True)) == 5
        assert intake.unavailable == ""
        assert followed.seqs == [(1, 5)]


async def test_applied_waits_for_the_follower(journal_path: Path) -> None:
    async with running(journal_path) as (intake, _, followed):
        followed.open.clear()
        plain = await intake.submit(entries(0, 1))
        asked = asyncio.create_task(intake.submit(entries(1, 1), applied=True))
        await asyncio.sleep(0.1)
        assert plain[0].seq == 1
        assert stored(journal_path) == ["0", "1"]  # durable, and not yet told
        assert not asked.done()
        followed.open.set()
        assert (await asked)[0].seq == 2
        assert followed.seqs == [(1, 1), (2, 2)]


async def test_a_follower_that_fails_is_counted_and_goes_on(journal_path: Path) -> None:
    async with running(journal_path) as (intake, _, followed):
        followed.error = RuntimeError("a fault of ours")
        assert (await intake.submit(entries(0, 1), applied=True))[0].outcome == "committed"
        followed.error = None
        assert (await intake.submit(entries(1, 1), applied=True))[0].outcome == "committed"
        assert intake.counts["follow_errors"] == 1
        assert followed.seqs == [(1, 1), (2, 2)]


async def test_close_drains_what_was_accepted_and_refuses_the_rest(journal_path: Path) -> None:
    async with running(journal_path) as (intake, gated, followed):
        gated.open.clear()
        accepted = [asyncio.create_task(intake.submit(entries(call * 1_000, 1_000))) for call in range(20)]
        await asyncio.sleep(0.05)
        closing = asyncio.create_task(intake.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        with pytest.raises(JournalUnavailable, match="stopping"):
            await intake.submit(entries(99_000, 1))
        gated.open.set()
        async with asyncio.timeout(20):
            await closing
            done = await asyncio.gather(*accepted, return_exceptions=True)
        # Sixteen thousand had a place; those who still waited for one are told, and none hangs.
        receipted = [receipt.seq for one in done if isinstance(one, list) for receipt in one]
        assert receipted == list(range(1, 16_001))
        assert [type(one) for one in done if not isinstance(one, list)] == [JournalUnavailable] * 4
        assert followed.seqs[-1][1] == 16_000
        assert len(stored(journal_path)) == 16_000
        await intake.close()  # again is nothing


async def test_a_cancelled_caller_leaves_everything_in_order(journal_path: Path) -> None:
    async with running(journal_path) as (intake, gated, followed):
        gated.open.clear()
        inside = [asyncio.create_task(intake.submit(entries(call * 2_000, 2_000))) for call in range(8)]
        await asyncio.sleep(0.05)
        large = asyncio.create_task(intake.submit(entries(16_000, 2_000)))
        small = asyncio.create_task(intake.submit(entries(18_000, 100)))
        await asyncio.sleep(0.05)
        # The large one is first in turn and does not fit; the small one does not overtake it until it gives up.
        assert intake.waiting == 16_000
        large.cancel()
        inside[3].cancel()
        await asyncio.sleep(0.05)
        assert intake.waiting == 16_100
        gated.open.set()
        async with asyncio.timeout(20):
            assert len(await small) == 100
            await asyncio.gather(*inside, large, return_exceptions=True)
        assert [one.cancelled() for one in (inside[3], inside[4], large)] == [True, False, True]
        await eventually(lambda: intake.waiting == 0)
        # What had been handed over before its caller left was committed all the same; what had not, was not.
        assert stored(journal_path) == [str(n) for n in (*range(16_000), *range(18_000, 18_100))]
        await eventually(lambda: followed.seqs[-1][1] == 16_100)


def test_sources_on_other_loops_share_the_queue(journal_path: Path) -> None:
    """Two event loops on two threads, one intake, little room: both get all their receipts."""
    with Journal.open(journal_path) as journal:
        intake = Intake(journal, SystemClock(), Followed())
        intake.start()
        kept: dict[int, int] = {}

        async def source(first: int) -> int:
            calls = [intake.submit(entries(first + call * 2_000, 2_000)) for call in range(10)]
            return sum(len(receipts) for receipts in await asyncio.gather(*calls))

        def on_a_thread(number: int) -> None:
            kept[number] = asyncio.run(source(number * 100_000))

        threads = [threading.Thread(target=on_a_thread, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert kept == {0: 20_000, 1: 20_000}
        assert (intake.waiting, journal.last_seq()) == (0, 40_000)
        asyncio.run(intake.close())


# -- the room by itself ----------------------------------------------------------------------------------------------


async def test_a_large_request_is_not_starved_by_small_ones() -> None:
    room = Room(10)
    order: list[int] = []

    async def want(size: int) -> None:
        await room.take(size)
        order.append(size)

    await room.take(9)
    large = asyncio.create_task(want(8))
    await asyncio.sleep(0)
    small = [asyncio.create_task(want(1)) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert order == []
    room.give(9)
    await asyncio.sleep(0.01)
    assert order == [8, 1, 1]
    room.give(8)
    await asyncio.gather(large, *small)
    assert room.used == 5


async def test_places_granted_to_one_who_just_gave_up_go_to_the_next() -> None:
    room = Room(4)
    await room.take(4)
    first = asyncio.create_task(room.take(4))
    second = asyncio.create_task(room.take(4))
    await asyncio.sleep(0)
    room.give(4)
    first.cancel()  # granted, and cancelled before it could look
    async with asyncio.timeout(2):
        await second
    assert first.cancelled()
    assert room.used == 4


async def test_who_waits_is_told_when_the_room_closes() -> None:
    room = Room(1)
    await room.take(1)
    waiting = asyncio.create_task(room.take(1))
    await asyncio.sleep(0)
    room.close()
    with pytest.raises(JournalUnavailable):
        await waiting
    with pytest.raises(JournalUnavailable):
        await room.take(1)


async def test_the_latency_that_is_reported_counts_from_arrival(journal_path: Path) -> None:
    async with running(journal_path) as (intake, gated, followed):
        gated.open.clear()
        before_ns = time.monotonic_ns()
        waiting = asyncio.create_task(intake.submit(entries(0, 1)))
        await asyncio.sleep(0.05)
        gated.open.set()
        await waiting
        await eventually(lambda: bool(followed.batches))
        assert before_ns <= followed.batches[0].arrived_ns < before_ns + 40_000_000

"""From a source's hand to the durable log, and on to the twins.

Two threads and a bounded queue. The *committer* gathers whatever waits into one transaction (so that a faster
source makes a larger batch, not a longer queue), commits, and only then settles the receipts. The *follower*
takes committed batches in order and moves the twins. A full queue makes `submit` wait, which makes the source
wait; nothing is dropped.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from vitruvian.core.errors import JournalError, JournalUnavailable
from vitruvian.core.events import Entry, Receipt, Refusal
from vitruvian.core.limits import COMMIT_ENTRIES_MAX, QUEUE_ENTRIES_MAX
from vitruvian.core.time import Clock
from vitruvian.journal import Commit
from vitruvian.service.room import Room
from vitruvian.service.sources import Sources

log = logging.getLogger(__name__)

FOLLOWER_COMMITS_MAX = 8  # committed batches that may wait for the twins before the committer waits too


class CommitLog(Protocol):
    """The two writing calls of a journal."""

    def append(self, entries: Sequence[Entry], *, recorded_us: int) -> Commit:
        """Commit entries in one durable transaction."""
        ...

    def refuse(self, refusals: Sequence[Refusal], *, recorded_us: int) -> list[Receipt]:
        """Keep refused inputs, durably."""
        ...


@dataclass(slots=True)
class _Job:
    entries: list[Entry]
    refusals: list[Refusal]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[list[Receipt]]
    applied: bool  # settle only when the twins have moved: read-your-writes for a caller that asks next
    arrived_ns: int
    receipts: list[Receipt] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.entries) + len(self.refusals)


@dataclass(slots=True)
class Batch:
    """One commit and when its oldest entry arrived (monotonic nanoseconds), for the latency that is reported."""

    commit: Commit
    arrived_ns: int
    _jobs: list[_Job]


class Intake:
    """The Sink of the running ward: one writer to one journal.

    `follow(batches)` is called on the follower's thread with the commits in order, several at once when it
    fell behind.
    """

    def __init__(self, journal: CommitLog, clock: Clock, follow: Callable[[list[Batch]], None]) -> None:
        self._journal = journal
        self._clock = clock
        self._follow = follow
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._batches: queue.Queue[Batch | None] = queue.Queue(FOLLOWER_COMMITS_MAX)
        self._room = Room(QUEUE_ENTRIES_MAX)
        self._threads = [
            threading.Thread(target=self._commit_loop, name="committer", daemon=True),
            threading.Thread(target=self._follow_loop, name="follower", daemon=True),
        ]
        self._closed = False
        self.unavailable = ""  # why nothing can be made durable; empty while it can
        self.sources = Sources()
        self.counts: dict[str, int] = {
            "entries": 0,
            "commits": 0,
            "refused": 0,
            "failed": 0,
            "follow_errors": 0,
        }

    def start(self) -> None:
        """Start both threads."""
        for thread in self._threads:
            thread.start()

    async def close(self) -> None:
        """Finish what was accepted, then stop; later submissions are refused."""
        if self._closed:
            return
        self._closed = True
        self._room.close()
        self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    @property
    def waiting(self) -> int:
        """Entries accepted and not yet committed."""
        return self._room.used

    async def submit(self, entries: Sequence[Entry], *, applied: bool = False) -> list[Receipt]:
        """Commit the entries; one receipt each, in order. See `core.ports.Sink`.

        With `applied`, returns only when the twins have moved too. A call larger than the queue is split.
        """
        receipts: list[Receipt] = []
        for start in range(0, len(entries), COMMIT_ENTRIES_MAX):
            receipts += await self._put(list(entries[start : start + COMMIT_ENTRIES_MAX]), [], applied)
        return receipts

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        """Keep inputs that could not be read, with their reason; durable on return."""
        receipts: list[Receipt] = []
        for start in range(0, len(refusals), COMMIT_ENTRIES_MAX):
            receipts += await self._put([], list(refusals[start : start + COMMIT_ENTRIES_MAX]), False)
        return receipts

    async def settled(self) -> None:
        """Wait until all that was accepted so far is committed, and the twins have moved."""
        await self._put([], [], applied=True)

    async def _put(self, entries: list[Entry], refusals: list[Refusal], applied: bool) -> list[Receipt]:
        arrived_ns = time.monotonic_ns()
        size = len(entries) + len(refusals)
        await self._room.take(size)
        if self._closed:  # while it waited for its turn: nobody would look at the job any more
            self._room.give(size)
            raise JournalUnavailable("the ward is stopping: nothing was committed; send again when it is back")
        loop = asyncio.get_running_loop()
        job = _Job(entries, refusals, loop, loop.create_future(), applied, arrived_ns)
        self._jobs.put(job)
        # A cancelled caller must not leave the committer settling a dead future: the shield keeps it alive.
        return await asyncio.shield(job.done)

    def _commit_loop(self) -> None:
        stopping = False
        while not stopping:
            first = self._jobs.get()
            if first is None:
                break
            jobs, size = [first], first.size
            while size < COMMIT_ENTRIES_MAX:
                try:
                    job = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if job is None:
                    stopping = True
                    break
                jobs.append(job)
                size += job.size
            self._commit(jobs)
        self._batches.put(None)

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            commit = self._write(jobs)
        except JournalUnavailable as error:
            self.unavailable = str(error)
            self._settle(jobs, error)
        except Exception as error:
            log.exception("a commit of %d submissions failed", len(jobs))
            if len(jobs) == 1:
                known = isinstance(error, JournalError)
                self._settle(jobs, error if known else JournalError("the entries could not be kept"))
                return
            for job in jobs:  # one bad submission must not fail its neighbours
                self._commit([job])
        else:
            self._hand_on(jobs, commit)

    def _write(self, jobs: list[_Job]) -> Commit | None:
        recorded_us = self._clock.now_us()
        refusals = [refusal for job in jobs for refusal in job.refusals]
        refused = iter(self._journal.refuse(refusals, recorded_us=recorded_us)) if refusals else iter(())
        entries = [entry for job in jobs for entry in job.entries]
        wanted = bool(entries) or any(job.applied for job in jobs)
        commit = self._journal.append(entries, recorded_us=recorded_us) if wanted else None
        kept = iter(commit.receipts if commit else ())
        for job in jobs:
            job.receipts = [next(kept) for _ in job.entries] + [next(refused) for _ in job.refusals]
        return commit

    def _hand_on(self, jobs: list[_Job], commit: Commit | None) -> None:
        """What is durable is told to its callers and to the follower, whatever happens to what is only counted."""
        self.unavailable = ""
        later = [job for job in jobs if job.applied]
        self._settle([job for job in jobs if not job.applied])
        if commit is not None:
            self.counts["commits"] += 1
            self._batches.put(Batch(commit, min(job.arrived_ns for job in jobs), later))
        self.counts["refused"] += sum(len(job.refusals) for job in jobs)
        self.counts["entries"] += sum(len(job.entries) for job in jobs)
        try:
            self.sources.note([entry for job in jobs for entry in job.entries])
        except Exception:
            log.exception("a committed batch could not be counted by its sources")

    def _follow_loop(self) -> None:
        while True:
            batch = self._batches.get()
            if batch is None:
                return
            batches, last = [batch], False
            while not last:
                try:
                    following = self._batches.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    last = True
                else:
                    batches.append(following)
            try:
                self._follow(batches)
            except Exception:
                # The log is the truth and is safe; a fault here must be seen, and must not stop what comes next.
                self.counts["follow_errors"] += 1
                log.exception("the twins could not follow a committed batch")
            for done in batches:
                self._settle(done._jobs)
            if last:
                return

    def _settle(self, jobs: list[_Job], error: Exception | None = None) -> None:
        """Hand receipts (or the error) back on each job's own loop, one wake-up a loop."""
        self._room.give(sum(job.size for job in jobs))
        if error is not None:
            self.counts["failed"] += sum(job.size for job in jobs)
        for loop in {job.loop for job in jobs}:
            mine = [job for job in jobs if job.loop is loop]
            try:
                loop.call_soon_threadsafe(_finish, mine, error)
            except RuntimeError:
                log.warning("a source's loop closed before its receipts came; it will send again")


def _finish(jobs: list[_Job], error: Exception | None) -> None:
    for job in jobs:
        if job.done.done():
            continue
        if error is None:
            job.done.set_result(job.receipts)
        else:
            job.done.set_exception(error)

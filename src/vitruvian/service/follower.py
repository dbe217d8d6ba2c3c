"""What follows a commit: the twins move, are scored, raise alerts, and what is issued goes back into the journal.

All of it is state of one thread (the intake's follower); the clock's tick takes the same lock. Readers of whole twins
take the lock too; rows of the ward are read without it, since one compiled step moves a row at a time.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from vitruvian.alerts import Alerts, Step, entry_of, load_rules, steps_kept
from vitruvian.core.errors import JournalError
from vitruvian.core.events import Entry
from vitruvian.core.time import SECOND_US, Clock
from vitruvian.journal import Commit, Journal
from vitruvian.service.assess import HISTORY_US, Assessor
from vitruvian.service.board import Board
from vitruvian.service.models import MAIN, Models
from vitruvian.service.pipeline import Batch
from vitruvian.signals.concepts import TABLES
from vitruvian.twin import open_twins, snapshot
from vitruvian.twin.snapshots import NAME

log = logging.getLogger(__name__)

LATENCIES_MAX: Final = 1_500  # half a minute or so under load: the metrics speak of now
LAGS_A_BATCH_MAX: Final = 16
_MONITORED: Final = np.asarray(TABLES.slot_of) >= 0
SLOW_START_S: Final = 0.3  # the snapshot was old, or missing: a new one is due, or the next start is slower still
LOOK_PATIENTS_MAX: Final = 1_000  # whose scores are looked at again in one tick; more go round


class Moved(NamedTuple):
    """What a step changed, for whoever shows it: patients, those who left, and the newest measurement among them."""

    pids: list[int]
    gone: list[int]
    source_us: int
    steps: list[Step]


class Follower:
    """The live state. `issue(entries, steps)` is called with what must be made durable; `moved` with what to show."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        models: Models,
        issue: Callable[[list[Entry], list[Step]], None],
        moved: Callable[[Moved], None],
        noted: Callable[[Commit], None] | None = None,
    ) -> None:
        self._journal, self._clock, self._issue, self._moved = journal, clock, issue, moved
        self.noted = noted
        self.lock = threading.RLock()
        self.alerts = Alerts(load_rules())
        self.board = Board(journal)
        started = time.perf_counter()
        self.twins = open_twins(journal)
        self.slow_start = time.perf_counter() - started > SLOW_START_S
        self.assessor = Assessor(self.twins, models)
        self.seq = self.twins.seq
        self.latencies_s: deque[float] = deque(maxlen=LATENCIES_MAX)
        self.lags_s: deque[float] = deque(maxlen=LATENCIES_MAX * LAGS_A_BATCH_MAX)
        self.counts = {"batches": 0, "samples": 0, "assessed": 0, "issued": 0, "scored_s": 0.0, "applied_s": 0.0}
        self._next_look = 0
        self._snapshot_seq = -1 if self.slow_start else self.seq
        self._unsaid: list[Step] = []
        self._unread: set[int] = set()  # patients whose place or demographics could not be read yet
        self._recall()

    # --- restart -------------------------------------------------------------

    def _recall(self) -> None:
        """Take up what was issued: risks for the trend, alerts with their acknowledgements; then look at everyone."""
        now_us = self._clock.now_us()
        for pid in self.board.patients:
            self._recall_risk(MAIN, pid, now_us)
        others = [task for task in self.assessor.models.running.champions if task != MAIN]
        for pid in self.board.on_ward(self.twins, now_us) if others else ():
            for task in others:
                self._recall_risk(task, pid, now_us)
        self.alerts.restore(steps_kept(self._journal, self.board.patients))
        pids = self.twins.pids
        self.assessor.assess(pids, now_us)
        shown = np.array(self.board.on_ward(self.twins, now_us), np.int64)
        present = shown[np.isin(shown, pids)]
        if present.size:
            self._unsaid = self.alerts.review(present, self.twins, now_us)

    def _recall_risk(self, task: str, pid: int, now_us: int) -> None:
        past = self._journal.findings(pid, f"{task}_risk", start_us=now_us - HISTORY_US)
        known = np.isfinite(past.number)
        self.assessor.recall(task, pid, past.occurred_us[known].tolist(), past.number[known].tolist())

    def began(self) -> None:
        """The intake runs: keep what was found at the restart."""
        with self.lock:
            steps, self._unsaid = self._unsaid, []
            self._give_out([], steps, self._clock.now_us())

    # --- what came in --------------------------------------------------------

    def follow(self, batches: list[Batch]) -> None:
        """Move the twins by these commits, in order; called on the intake's follower thread.

        Every stage is done for every commit, whatever went wrong with another; raises what did, at the end.
        """
        failed: list[Exception] = []
        with self.lock:
            started = time.perf_counter()
            now_us = self._clock.now_us()
            touched: set[int] = set()
            steps: list[Step] = []
            # All twins first: what they could not take they make good with the next commit, but a commit that was
            # never given to them would be missing for good.
            for batch in batches:
                with _noted(failed):
                    touched.update(self.twins.apply(batch.commit).tolist())
                if self.noted is not None:
                    self.noted(batch.commit)
            for batch in batches:
                with _noted(failed):
                    steps += self.alerts.follow(batch.commit, self.twins, now_us)
            renewed = {pid for batch in batches for pid in (*batch.commit.visits, *batch.commit.rebuild)}
            gone = self._renewed(renewed | {pid for pid in touched if pid not in self.board.patients}, failed)
            applied = time.perf_counter()
            pids = np.array(sorted(pid for pid in touched if pid in self.twins), np.int64)
            with _noted(failed):
                self.assessor.assess(pids, now_us)
            with _noted(failed):
                steps += self.alerts.assess(pids, self.twins, now_us) + self.alerts.close(gone, now_us)
            self.seq = max(self.seq, batches[-1].commit.last_seq)
            with _noted(failed):
                heard = {int(pid) for batch in batches for pid in np.unique(batch.commit.samples.patient)}
                self._give_out(sorted(heard), steps, now_us)
            self._count(batches, len(pids), applied - started, time.perf_counter() - applied)
        shown = sorted(pid for pid in touched | renewed if pid not in gone)
        source_us = max((int(batch.commit.samples.occurred_us.max(initial=0)) for batch in batches), default=0)
        self._moved(Moved(shown, sorted(gone), source_us, steps))
        if failed:
            raise failed[0]

    def _renewed(self, pids: set[int], failed: list[Exception]) -> set[int]:
        """Read these patients again, and those who could not be read before; who of them has left."""
        wanted = pids | self._unread
        try:
            gone = self._renew(wanted)
        except JournalError as error:
            self._unread = wanted
            failed.append(error)
            return set()
        self._unread = set()
        return gone

    def _count(self, batches: Sequence[Batch], assessed: int, applied_s: float, scored_s: float) -> None:
        self.counts["batches"] += len(batches)
        self.counts["samples"] += sum(len(batch.commit.samples.value) for batch in batches)
        self.counts["assessed"] += assessed
        self.counts["applied_s"] += applied_s
        self.counts["scored_s"] += scored_s
        self._note_lags(batches)
        done_ns = time.monotonic_ns()
        self.latencies_s.extend((done_ns - batch.arrived_ns) / 1e9 for batch in batches)

    def _note_lags(self, batches: Sequence[Batch]) -> None:
        """How old monitored values are when their patient has been scored: a sample of each commit's."""
        now_us = self._clock.now_us()
        for batch in batches:
            samples = batch.commit.samples
            at_us = samples.occurred_us[_MONITORED[samples.concept]]
            self.lags_s.extend(((now_us - at_us[:: max(1, len(at_us) // LAGS_A_BATCH_MAX)]) / SECOND_US).tolist())

    def _renew(self, pids: set[int]) -> set[int]:
        """Read these patients again; those who are no longer on the ward."""
        before = {pid for pid in pids if pid in self.board.patients and self.board.patients[pid].location is not None}
        self.board.refresh(pids)
        merged = {pid for pid in pids if self.board.patients[pid].merged_into is not None}
        self.assessor.forget(merged)
        left = {pid for pid in before if self.board.patients[pid].location is None}
        return merged | left

    def _give_out(self, pids: Sequence[int], steps: list[Step], now_us: int) -> None:
        """Issue assessments on the grid and the steps of alerts."""
        entries: list[Entry] = []
        for pid in pids:
            who = self.board.patient(pid)
            entry = self.assessor.issue(pid, who.id, who.identifiers, now_us, self.seq) if who.identifiers else None
            if entry is not None:
                entries.append(entry)
        entries += self.entries_of(steps)
        if entries:
            self.counts["issued"] += len(entries)
            self._issue(entries, steps)

    def entries_of(self, steps: Iterable[Step]) -> list[Entry]:
        """The entries that keep these steps."""
        version = self.alerts.rules.version
        return [entry_of(step, self.board.patient(step.alert.pid).identifiers[:1], version, self.seq) for step in steps]

    # --- what time brings ----------------------------------------------------

    def look(self) -> None:
        """Look at the ward again though nothing came: values expire, monitors fall silent, alerts escalate."""
        with self.lock:
            now_us = self._clock.now_us()
            shown = [pid for pid in self.board.on_ward(self.twins, now_us) if pid in self.twins]
            pids = np.array(self._next_few(shown), np.int64)
            self.assessor.assess(pids, now_us)
            steps = self.alerts.tick(now_us)
            steps += self.alerts.listen(np.array(shown, np.int64), self.twins, now_us)
            steps += self.alerts.assess(pids, self.twins, now_us)
            self._give_out([], steps, now_us)
        self._moved(Moved(sorted({step.alert.pid for step in steps}), [], 0, steps))

    def _next_few(self, shown: list[int]) -> list[int]:
        if len(shown) <= LOOK_PATIENTS_MAX:
            return shown
        start = self._next_look % len(shown)
        self._next_look = start + LOOK_PATIENTS_MAX
        return (shown + shown)[start : start + LOOK_PATIENTS_MAX]

    def save(self) -> float:
        """Keep a snapshot of the twins where they moved since the last; the seconds it took."""
        started = time.perf_counter()
        with self.lock:
            seq = self.twins.seq
            if seq == self._snapshot_seq:
                return 0.0
            blob = snapshot(self.twins)
        self._journal.save_snapshot(NAME, seq, blob)
        self._snapshot_seq = seq
        return time.perf_counter() - started


@contextlib.contextmanager
def _noted(failed: list[Exception]) -> Iterator[None]:
    """Go on after a fault, which is noted."""
    try:
        yield
    except Exception as error:
        failed.append(error)

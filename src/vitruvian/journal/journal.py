"""The journal: an append-only log of entries, and the tables that are folded from it.

One thread writes; any number read, each over a connection of its own, and neither waits for the other.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from vitruvian.core.errors import IdentityError, JournalCorrupt, JournalUnavailable, NotFoundError
from vitruvian.core.events import Blob, Entry, Kind, Receipt, Refusal
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.journal import chain, copies, reading, schema
from vitruvian.journal.beside import Blobs, Snapshots, take_lock
from vitruvian.journal.chain import GENESIS
from vitruvian.journal.checkpoints import Checkpointer
from vitruvian.journal.folds import END_US, START_US
from vitruvian.journal.people import People
from vitruvian.journal.records import BedStay, Findings, Patient, QuarantinedRow, Stored, Verification
from vitruvian.journal.samples import Commit, Samples, empty_samples
from vitruvian.journal.writer import Batch, quarantine

READERS_MAX: Final = 16  # idle connections kept for the next question
_CORRUPT: Final = ("malformed", "not a database", "corrupt")


class Journal:
    """An open journal. Make one with `Journal.open`; close it, or use it as a context manager."""

    def __init__(self, path: Path, writer: sqlite3.Connection | None, lock: IO[bytes] | None) -> None:
        self.path = path
        self._writer = writer
        self._lock = lock
        self._readers: deque[sqlite3.Connection] = deque()
        self._closed = False
        self._snapshots = Snapshots(path)
        self.blobs = Blobs(path)
        if writer is not None:
            self._head = chain.take_up_head(writer, path)
            self._people = People(writer)
            self._stale = False  # what is remembered of people may differ from the tables
            self._checkpointer = Checkpointer(path, writer, self._head)
            self._checkpointer.at_start()

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Journal:
        """Open a journal, made or brought to this version where needed.

        Raises JournalUnavailable (no such file to read, not writable, another writer, disk full) and JournalCorrupt
        (not a journal, damaged, or written by a newer version).
        """
        path = Path(path)
        if read_only:
            if not path.is_file():
                raise JournalUnavailable(f"found no journal at {path}; name an existing file")
            with _translated(path):
                connection = schema.connect_reader(path)
                try:
                    found = schema.check_format(connection, path)
                finally:
                    connection.close()
            if found < len(schema.MIGRATIONS):
                raise JournalUnavailable(
                    f"found {path} with an older schema ({found}); open it once for writing to migrate it"
                )
            return cls(path, None, None)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalUnavailable(f"found no way to make {path.parent} ({error.strerror})") from error
        lock = take_lock(path)
        writer: sqlite3.Connection | None = None
        try:
            with _translated(path):
                writer = schema.connect_writer(path)
                schema.migrate(writer, path)
                return cls(path, writer, lock)
        except BaseException:
            if writer is not None:
                writer.close()
            lock.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self) -> None:
        """Fold the write-ahead log into the file, keep the chain's head apart, let go of everything. Idempotent."""
        if self._closed:
            return
        self._closed = True
        while self._readers:
            self._readers.pop().close()
        if self._writer is not None:
            self._checkpointer.close(self._head)
            self._writer.close()
        if self._lock is not None:
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- writing: from one thread ------------------------------------------------------------------------------

    def append(self, entries: Sequence[Entry], *, recorded_us: int) -> Commit:
        """Commit entries in one durable transaction; one receipt each, in order.

        An entry that cannot be kept (limits, absurd times, values that are not finite) goes to quarantine, with a
        receipt. Raises JournalUnavailable where nothing was committed (disk full, I/O error); a later call may succeed.
        """
        if not entries:
            return Commit([], self._head.seq + 1, self._head.seq, recorded_us, empty_samples(), set(), set())
        with self._transaction() as writer:
            batch = Batch(writer, self._people, self._head, recorded_us)
            commit = batch.run(entries)
        self._head = batch.head
        self._checkpointer.after_commit(self._head)
        return commit

    def refuse(self, refusals: Sequence[Refusal], *, recorded_us: int) -> list[Receipt]:
        """Keep inputs that could not be read, with their reason, durably. The same one twice is kept once."""
        if not refusals:
            return []
        with self._transaction() as writer:
            return [quarantine(writer, refusal, recorded_us) for refusal in refusals]

    def resolve_quarantined(self, number: int, *, resolved: bool = True) -> None:
        """Mark an input in quarantine as dealt with. Raises NotFoundError."""
        with self._transaction() as writer:
            done = writer.execute("UPDATE quarantine SET resolved = ? WHERE id = ?", (resolved, number)).rowcount
        if not done:
            raise NotFoundError(f"found no quarantined input {number}; see the list")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        writer = self._writer
        if writer is None or self._closed:
            raise JournalUnavailable(
                f"{self.path} is {'closed' if self._closed else 'open read-only'}: nothing was committed"
            )
        try:
            with _translated(self.path):
                writer.execute("BEGIN IMMEDIATE")
                if self._stale:
                    self._people.forget()
                    self._stale = False
                yield writer
                writer.execute("COMMIT")
        except BaseException:
            self._roll_back(writer)
            raise

    def _roll_back(self, writer: sqlite3.Connection) -> None:
        """Leave no trace of a failed transaction, in the file or in memory."""
        if writer.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                writer.execute("ROLLBACK")
        self._stale = True
        self._checkpointer.after_failure()

    # -- reading: from any thread ------------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection of this call's own, and one snapshot of the journal for all that it asks."""
        if self._closed:
            raise JournalUnavailable(f"{self.path} is closed")
        with _translated(self.path):
            try:
                connection = self._readers.pop()
            except IndexError:
                connection = schema.connect_reader(self.path)
            try:
                connection.execute("BEGIN")
                yield connection
            finally:
                connection.execute("ROLLBACK")
                if self.closed or len(self._readers) >= READERS_MAX:
                    connection.close()
                else:
                    self._readers.append(connection)

    def series(
        self,
        pid: int,
        *,
        concepts: Sequence[int] | None = None,
        start_us: int = START_US,
        end_us: int = END_US,
        known_by_us: int | None = None,
        through_seq: int | None = None,
    ) -> Samples:
        """A patient's values over [start_us, end_us) in canonical order; records merged into them are united.

        `known_by_us` None: everything now known, superseded values left out. Else what was known by then: issued
        (else recorded) by then, with values that were corrected only later as they were. `through_seq` leaves out
        entries after that place in the log, for a reader that follows the commits.
        """
        with self._reading() as db:
            return reading.series(
                db, pid, concepts=concepts, start_us=start_us, end_us=end_us,
                known_by_us=known_by_us, through_seq=through_seq,
            )  # fmt: skip

    def timeline(
        self,
        pid: int,
        *,
        start_us: int = START_US,
        end_us: int = END_US,
        kinds: Sequence[Kind] | None = None,
        known_by_us: int | None = None,
        limit: int = 1000,
    ) -> list[Stored]:
        """A patient's entries over [start_us, end_us), newest first, at most `limit`; `kinds` None is every kind."""
        with self._reading() as db:
            return reading.timeline(
                db, pid, start_us=start_us, end_us=end_us, kinds=kinds, known_by_us=known_by_us, limit=limit
            )

    def entry(self, seq: int) -> Stored:
        """One entry by its place in the log. Raises NotFoundError."""
        with self._reading() as db:
            found = reading.stored(db, [seq])
        if not found:
            raise NotFoundError(f"found no entry {seq} in the log")
        return found[0]

    def findings(self, pid: int, name: str, *, start_us: int = START_US, end_us: int = END_US) -> Findings:
        """What was derived for a patient under one name over [start_us, end_us), in order of time."""
        with self._reading() as db:
            return reading.findings(db, pid, name, start_us, end_us)

    def finding_names(self, pid: int) -> list[str]:
        """The names under which anything was derived for a patient."""
        with self._reading() as db:
            return reading.finding_names(db, pid)

    def patients(self, *, merged: bool = False) -> list[Patient]:
        """Everybody, by pid; with `merged`, also records that were merged away."""
        with self._reading() as db:
            return reading.patients(db, merged=merged)

    def patient(self, public_id: str) -> Patient:
        """The patient of a public id. Raises NotFoundError."""
        with self._reading() as db:
            return reading.patient_of(db, reading.pid_named(db, public_id))

    def patient_of(self, pid: int) -> Patient:
        """The patient of a pid. Raises NotFoundError."""
        with self._reading() as db:
            return reading.patient_of(db, pid)

    def resolve(self, identifiers: Sequence[Identifier]) -> int | None:
        """The patient that these identifiers name, if any. Raises IdentityError where they name several."""
        with self._reading() as db:
            found = reading.resolve(db, identifiers)
        if len(found) > 1:
            raise IdentityError(f"found identifiers of {len(found)} different patients, expected one; merge them first")
        return found.pop() if found else None

    def survivor(self, pid: int) -> int:
        """The patient into whom this one was merged, or itself."""
        with self._reading() as db:
            return reading.survivor(db, pid)

    def device_patient(self, device: str, at_us: int) -> int | None:
        """Whose values a device's are at an instant; None where they wait."""
        with self._reading() as db:
            return reading.device_patient(db, device, at_us)

    def bed_history(self, pid: int) -> list[BedStay]:
        """A patient's stays, in order of time."""
        with self._reading() as db:
            return reading.bed_history(db, pid)

    def census(self, at_us: int) -> list[tuple[Location, int]]:
        """Who lies where at an instant."""
        with self._reading() as db:
            return reading.census(db, at_us)

    def samples_since(self, seq: int, batch: int = 50_000) -> Iterator[Commit]:
        """What a follower that stopped after `seq` has missed: first whom to rebuild, then values in batches.

        All of one snapshot of the journal; exhaust it or close it. From 0 it yields every live value, by patient.
        """
        connection = schema.connect_reader(self.path)
        try:
            yield from reading.samples_since(connection, seq, batch)
        finally:
            connection.close()

    def quarantined(self, limit: int = 100, after: int = 0, *, newest: bool = False) -> list[QuarantinedRow]:
        """Inputs kept apart, by number, those numbered above `after`; with `newest`, backwards from below it."""
        with self._reading() as db:
            return reading.quarantined(db, limit, after, newest=newest)

    def last_seq(self) -> int:
        """The place of the last entry in the log; 0 where there is none."""
        with self._reading() as db:
            return reading.last_seq(db)

    def counts(self) -> dict[str, int]:
        """How much there is: entries, patients, merged, devices, waiting, superseded, quarantined, unresolved."""
        with self._reading() as db:
            return reading.counts(db)

    # -- keeping -----------------------------------------------------------------------------------------------

    def save_snapshot(self, name: str, seq: int, blob: bytes) -> None:
        """Keep a derived state that holds everything up to `seq`, beside the journal, in place of the former one."""
        self._snapshots.save(name, seq, self._chain_at(seq), blob)

    def load_snapshot(self, name: str) -> tuple[int, bytes] | None:
        """(seq, state); None where there is none, it is damaged, or it belongs to another past than this journal's."""
        found = self._snapshots.load(name)
        if found is None:
            return None
        seq, digest, blob = found
        try:
            return (seq, blob) if self._chain_at(seq) == digest else None
        except NotFoundError:
            return None

    def _chain_at(self, seq: int) -> bytes:
        if seq == 0:
            return GENESIS
        with self._reading() as db:
            row = db.execute("SELECT chain FROM log WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            raise NotFoundError(f"found no entry {seq} in the log")
        return bytes(row[0])

    def put_blob(self, data: bytes, media_type: str) -> Blob:
        """Keep bytes beside the log by their SHA-256, durably."""
        return Blob(self.blobs.put(data), len(data), media_type)

    def get_blob(self, sha256: str) -> bytes:
        """Bytes kept beside the log. Raises NotFoundError, or JournalCorrupt where they changed."""
        return self.blobs.get(sha256)

    def verify(self) -> Verification:
        """Walk the chain from the first entry to the last, and compare it with the head kept apart.

        Who writes knows the head; another process reads the one beside the journal.
        """
        heads = chain.heads_apart(self.path)
        if self._writer is not None:
            heads.append(self._head)
        with _translated(self.path):
            connection = schema.connect_reader(self.path)
            try:
                return chain.verify(connection, heads)
            finally:
                connection.close()

    def backup(self, target: Path) -> Verification:
        """Copy the journal and its blobs to a new file while it is written to, and verify the copy."""
        return copies.backup(self.path, Path(target))

    @staticmethod
    def restore(backup: Path, target: Path) -> Verification:
        """Make a journal from a backup; refuses to overwrite, and verifies first."""
        return copies.restore(Path(backup), Path(target))


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        if any(word in text for word in _CORRUPT):
            raise JournalCorrupt(f"{path} is damaged ({text}); restore a backup") from error
        raise JournalUnavailable(
            f"{path} did not take it ({text}): nothing was committed; free space or mend the disk"
        ) from error

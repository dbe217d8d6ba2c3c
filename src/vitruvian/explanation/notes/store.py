"""Suggestions that wait for a person: in a small file of their own beside the journal, with who decided and when.

A suggestion is nobody's observation. Only `accept` hands entries to the journal, and it does so before it notes the
decision: whoever is killed between the two accepts once more, and the journal knows the entry for a duplicate.
"""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import msgspec

from vitruvian.core.errors import JournalUnavailable, LimitError, ModelError, NotFoundError
from vitruvian.core.events import Entry
from vitruvian.explanation.notes.base import Suggestion
from vitruvian.explanation.notes.entries import Note, entries_of

__all__ = ["Kept", "Status", "SuggestionStore"]

Status = Literal["waiting", "accepted", "rejected"]
PER_NOTE_MAX: Final = 5_000
KEPT_MAX: Final = 500_000
BUSY_S: Final = 10.0  # two processes may decide at once; each waits so long for the other
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS suggestion (
    id TEXT PRIMARY KEY, patient TEXT NOT NULL, note TEXT NOT NULL, place INTEGER NOT NULL, content BLOB NOT NULL,
    kept_us INTEGER NOT NULL, status TEXT NOT NULL, by_whom TEXT NOT NULL, decided_us INTEGER
) STRICT
"""
_INDEX: Final = "CREATE INDEX IF NOT EXISTS suggestion_of ON suggestion (patient, status)"
_COLUMNS: Final = "id, patient, content, kept_us, status, by_whom, decided_us"


class _Content(msgspec.Struct, frozen=True):
    note: Note
    suggestion: Suggestion


class Kept(msgspec.Struct, frozen=True):
    """A suggestion in the store. `patient` is the twin's identifier; `by` and `decided_us` are empty while it waits."""

    id: str
    patient: str
    note: Note
    suggestion: Suggestion
    kept_us: int
    status: Status = "waiting"
    by: str = ""
    decided_us: int | None = None


class SuggestionStore:
    """Suggestions in SQLite; without a path in memory. Any thread, and several processes, may use it."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, timeout=BUSY_S, check_same_thread=False, isolation_level=None
            )
            if path is not None:
                self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(_SCHEMA)
            self._connection.execute(_INDEX)
        except sqlite3.Error as error:
            raise JournalUnavailable(f"suggestions cannot be kept in {path} ({error}); make it writable") from error

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise JournalUnavailable(f"suggestions cannot be kept now ({error}); free some space") from error

    def put(self, patient: str, note: Note, suggestions: Sequence[Suggestion], kept_us: int) -> list[Kept]:
        """Keep what a note suggests, all or nothing. What was kept before stays as it was decided.

        Raises LimitError, JournalUnavailable.
        """
        if len(suggestions) > PER_NOTE_MAX:
            raise LimitError(
                f"found {len(suggestions)} suggestions of one note, expected at most {PER_NOTE_MAX}; split it"
            )
        rows = [
            (_id(patient, note, one), patient, note.id, one.start, _encode(note, one), kept_us) for one in suggestions
        ]
        with self._held() as held:
            held.execute("BEGIN IMMEDIATE")
            try:
                (count,) = held.execute("SELECT count(*) FROM suggestion").fetchone()
                if count + len(rows) > KEPT_MAX:
                    raise LimitError(
                        f"found {count} suggestions kept, expected at most {KEPT_MAX}; move JOURNAL.notes away"
                    )
                held.executemany(
                    "INSERT OR IGNORE INTO suggestion VALUES (?, ?, ?, ?, ?, ?, 'waiting', '', NULL)", rows
                )
                held.execute("COMMIT")
            except BaseException:
                held.execute("ROLLBACK")
                raise
            return [_kept(self._row(held, row[0])) for row in rows]

    def list(self, patient: str | None = None, status: Status | None = None) -> list[Kept]:
        """Those of a patient (None: all) with a status (None: any), in the order of notes and of their text."""
        with self._held() as held:
            rows = held.execute(
                f"SELECT {_COLUMNS} FROM suggestion WHERE (?1 IS NULL OR patient = ?1) AND (?2 IS NULL OR status = ?2) "  # noqa: S608
                "ORDER BY kept_us, note, place, id",
                (patient, status),
            ).fetchall()
        return [_kept(row) for row in rows]

    def patients(self) -> tuple[str, ...]:
        """Of whom something is kept."""
        with self._held() as held:
            return tuple(row[0] for row in held.execute("SELECT DISTINCT patient FROM suggestion ORDER BY patient"))

    def get(self, which: str) -> Kept:
        """One by its id. Raises NotFoundError."""
        with self._held() as held:
            return _kept(self._row(held, which))

    def accept(self, which: str, by: str, at_us: int, append: Callable[[Sequence[Entry]], object]) -> Kept:
        """Hand the entries to the journal by `append`, which returns once they are durable, then note who and when.

        Accepted again, it is appended again (a duplicate) and keeps who was first. What asserts nothing of the patient
        is agreed to and gives no entry. Raises NotFoundError, ModelError where it was rejected.
        """
        known = self.get(which)
        if known.status == "rejected":
            raise ModelError(
                f"found a suggestion that {known.by} rejected, expected one that waits; extract the note anew"
            )
        entries = entries_of(known.suggestion, known.note)
        if entries:
            append(entries)
        return self._decide(which, "accepted", by, at_us)

    def reject(self, which: str, by: str, at_us: int) -> Kept:
        """Note that it is not so; nothing reaches the journal. Raises NotFoundError, ModelError if it was accepted."""
        return self._decide(which, "rejected", by, at_us)

    def _decide(self, which: str, status: Status, by: str, at_us: int) -> Kept:
        if not by.strip():
            raise ModelError("found a decision by nobody, expected who decides; sign in")
        with self._held() as held:
            held.execute(
                "UPDATE suggestion SET status = ?, by_whom = ?, decided_us = ? WHERE id = ? AND status = 'waiting'",
                (status, by, at_us, which),
            )
            decided = _kept(self._row(held, which))
        if decided.status != status:
            raise ModelError(
                f"found a suggestion that {decided.by} {decided.status} already, expected one that waits; "
                "correct the record in place of the suggestion"
            )
        return decided

    def _row(self, held: sqlite3.Connection, which: str) -> tuple[str, str, bytes, int, Status, str, int | None]:
        row = held.execute(f"SELECT {_COLUMNS} FROM suggestion WHERE id = ?", (which,)).fetchone()  # noqa: S608
        if row is None:
            raise NotFoundError("found no such suggestion; extract the note again")
        return row  # type: ignore[no-any-return]


def _encode(note: Note, suggestion: Suggestion) -> bytes:
    return msgspec.json.encode(_Content(note, suggestion))


def _kept(row: tuple[str, str, bytes, int, Status, str, int | None]) -> Kept:
    which, patient, content, kept_us, status, by, decided_us = row
    held = msgspec.json.decode(content, type=_Content)
    return Kept(which, patient, held.note, held.suggestion, kept_us, status, by, decided_us)


def _id(patient: str, note: Note, one: Suggestion) -> str:
    """The same mention of the same text has the same identifier, whenever and wherever it is read."""
    codes = [f"{code.system}|{code.code}" for code in one.codes]
    parts = (patient, note.id, note.sha256, str(one.start), str(one.end), one.type, one.concept, one.origin, *codes)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]

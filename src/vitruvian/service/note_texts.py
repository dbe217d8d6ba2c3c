"""The texts of notes whose suggestions wait: kept beside them, to be shown with what was found, and then forgotten."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from vitruvian.core.errors import JournalUnavailable, LimitError

__all__ = ["KeptText", "NoteTexts"]

PER_PATIENT_MAX: Final = 200
KEPT_MAX: Final = 20_000
BUSY_S: Final = 10.0
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS note_text (
    patient TEXT NOT NULL, id TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (patient, id)
) STRICT
"""


class KeptText(msgspec.Struct, frozen=True):
    """A note as it was posted: `patient` is the twin's identifier, `by` who posted it."""

    id: str
    patient: str
    title: str
    text: str
    at_us: int
    by: str
    posted_us: int


class NoteTexts:
    """Texts in SQLite; without a path in memory. Any thread may use it. What is forgotten is overwritten on disk."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, timeout=BUSY_S, check_same_thread=False, isolation_level=None
            )
            if path is not None:
                self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA secure_delete = ON")
            self._connection.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise JournalUnavailable(f"notes cannot be kept in {path} ({error}); make it writable") from error

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
                raise JournalUnavailable(f"notes cannot be kept now ({error}); free some space") from error

    def put(self, kept: KeptText) -> None:
        """Keep a note; one that is kept stays as it is. Raises LimitError, JournalUnavailable."""
        with self._held() as held:
            every, own, known = held.execute(
                "SELECT count(*), coalesce(sum(patient = ?1), 0), coalesce(sum(patient = ?1 AND id = ?2), 0) "
                "FROM note_text",
                (kept.patient, kept.id),
            ).fetchone()
            if not known and (every >= KEPT_MAX or own >= PER_PATIENT_MAX):
                raise LimitError(
                    f"found {own} notes that wait here and {every} in all, expected at most {PER_PATIENT_MAX} and "
                    f"{KEPT_MAX}; decide what waits"
                )
            held.execute(
                "INSERT OR IGNORE INTO note_text VALUES (?, ?, ?)",
                (kept.patient, kept.id, msgspec.json.encode(kept)),
            )

    def of(self, patient: str) -> list[KeptText]:
        """A patient's notes, as they were posted."""
        with self._held() as held:
            rows = held.execute("SELECT content FROM note_text WHERE patient = ?", (patient,)).fetchall()
        return sorted(
            (msgspec.json.decode(content, type=KeptText) for (content,) in rows), key=lambda one: one.posted_us
        )

    def every(self) -> list[tuple[str, str]]:
        """(patient, note) of every note that is kept."""
        with self._held() as held:
            return [(patient, id_) for patient, id_ in held.execute("SELECT patient, id FROM note_text")]

    def forget(self, patient: str, note: str) -> None:
        """Delete a text, from the log of the file too."""
        with self._held() as held:
            held.execute("DELETE FROM note_text WHERE patient = ? AND id = ?", (patient, note))
            held.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

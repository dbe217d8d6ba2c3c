"""Saved scenarios: named, of one patient or for everyone, in a small file of their own beside the journal.

They are nobody's observations and change no twin, so they are not in the log; what is saved can be deleted.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from vitruvian.core.errors import JournalUnavailable, LimitError, ModelError, NotFoundError
from vitruvian.scenarios.scenario import Scenario

__all__ = ["Saved", "ScenarioStore", "Scenarios"]

SAVED_MAX: Final = 2_000
PER_PATIENT_MAX: Final = 100
BYTES_MAX: Final = 32_768
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS scenario (
    id TEXT PRIMARY KEY, patient TEXT NOT NULL, name TEXT NOT NULL, by_whom TEXT NOT NULL, saved_us INTEGER NOT NULL,
    content TEXT NOT NULL, UNIQUE (patient, name)
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Saved:
    """A saved scenario: `patient` is empty where it is for everyone."""

    id: str
    patient: str
    by: str
    saved_us: int
    scenario: Scenario


class Scenarios(Protocol):
    """Where scenarios are kept."""

    def save(self, patient: str, scenario: Scenario, by: str, saved_us: int) -> Saved:
        """Keep one, durably; the same name of the same patient is replaced. Raises ModelError, LimitError,
        JournalUnavailable.
        """
        ...

    def list(self, patient: str | None = None) -> list[Saved]:
        """Those of a patient and those for everyone, by name; None: all."""
        ...

    def get(self, which: str) -> Saved:
        """One by its id. Raises NotFoundError."""
        ...

    def delete(self, which: str) -> Saved:
        """Forget one. Raises NotFoundError, JournalUnavailable."""
        ...


class ScenarioStore:
    """`Scenarios` in SQLite; without a path in memory. Any thread may use it."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.Lock()
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, check_same_thread=False, isolation_level=None
            )
            if path is not None:
                self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise JournalUnavailable(f"scenarios cannot be kept in {path} ({error}); make it writable") from error

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
                raise JournalUnavailable(f"scenarios cannot be kept now ({error}); free some space") from error

    def save(self, patient: str, scenario: Scenario, by: str, saved_us: int) -> Saved:
        """See `Scenarios`."""
        scenario = replace(scenario, name=scenario.name.strip())
        if not scenario.name:
            raise ModelError("found a scenario without a name, expected one; name it")
        content = json.dumps(scenario.to_mapping(), allow_nan=False)
        if len(content) > BYTES_MAX:
            raise LimitError(f"found a scenario of {len(content)} bytes, expected at most {BYTES_MAX}; leave some out")
        with self._held() as held:
            count = "SELECT count(*), coalesce(sum(patient = ?), 0) FROM scenario WHERE (patient, name) <> (?, ?)"
            every, own = held.execute(count, (patient, patient, scenario.name)).fetchone()
            if every >= SAVED_MAX or own >= PER_PATIENT_MAX:
                raise LimitError(
                    f"found {own} scenarios saved here and {every} in all, expected at most {PER_PATIENT_MAX} and "
                    f"{SAVED_MAX}; delete some"
                )
            held.execute(
                "INSERT INTO scenario VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (patient, name) DO UPDATE SET "
                "by_whom = excluded.by_whom, saved_us = excluded.saved_us, content = excluded.content",
                (secrets.token_hex(8), patient, scenario.name, by, saved_us, content),
            )
            row = held.execute("SELECT * FROM scenario WHERE patient = ? AND name = ?", (patient, scenario.name))
            return _saved(row.fetchone())

    def list(self, patient: str | None = None) -> list[Saved]:
        """See `Scenarios`."""
        with self._held() as held:
            rows = held.execute(
                "SELECT * FROM scenario WHERE ?1 IS NULL OR patient IN ('', ?1) ORDER BY patient = '', name, patient",
                (patient,),
            ).fetchall()
        return [_saved(row) for row in rows]

    def get(self, which: str) -> Saved:
        """See `Scenarios`."""
        with self._held() as held:
            row = held.execute("SELECT * FROM scenario WHERE id = ?", (which,)).fetchone()
        if row is None:
            raise NotFoundError("found no such scenario; it may have been deleted")
        return _saved(row)

    def delete(self, which: str) -> Saved:
        """See `Scenarios`."""
        found = self.get(which)
        with self._held() as held:
            held.execute("DELETE FROM scenario WHERE id = ?", (which,))
        return found


def _saved(row: tuple[str, str, str, str, int, str]) -> Saved:
    which, patient, _, by, saved_us, content = row
    return Saved(which, patient, by, saved_us, Scenario.from_mapping(json.loads(content)))

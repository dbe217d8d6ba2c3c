"""Wordings kept in a small file, so that what a model worded once is there at once after a restart.

It holds templates only (words and slot names): no fact and no patient. It is a cache: a file that is no database is
begun again, a row that makes no sense is passed over, and a disk that fails costs fluency alone. Nothing read from it
is trusted: the narrator verifies each wording again before it fills it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from vitruvian.explanation.wording.base import KEPT_MAX, MemoryCache, Wording

__all__ = ["REFUSED_FOR_S", "FileCache"]

REFUSED_FOR_S: Final = 6 * 3600  # a shape that a model cannot word is tried again after this
KEY_CHARS_MAX: Final = 4_000
TEMPLATE_CHARS_MAX: Final = 2_000
RULE_CHARS_MAX: Final = 60
_COLUMNS: Final = ["key", "template", "refused", "put_s"]
_ALL: Final = "SELECT key, template, refused, put_s FROM wording ORDER BY put_s"
_WAIT_S: Final = 0.05  # for another process's write; longer is not worth a wording
_TRIM_EVERY: Final = 100
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS wording (
    key TEXT PRIMARY KEY, template TEXT NOT NULL, refused TEXT NOT NULL, put_s REAL NOT NULL
) STRICT
"""


class FileCache:
    """`SkeletonCache` in SQLite with a copy in memory; without a path, in memory alone. Any thread may use it.

    `now_s`: the wall clock, by which refusals grow old. `most`: wordings kept, the oldest let go.
    """

    def __init__(self, path: Path | None, *, most: int = KEPT_MAX, now_s: Callable[[], float] = time.time) -> None:
        self._most, self._now_s = most, now_s
        self._memory = MemoryCache(most)
        self._refused_s: dict[str, float] = {}
        self._lock = threading.Lock()
        self._puts = 0
        self._connection = None if path is None else _opened(path)
        for key, wording, put_s in self._rows():
            self._remember(key, wording, put_s)

    def get(self, key: str) -> Wording | None:
        """See `SkeletonCache`; a refusal older than `REFUSED_FOR_S` is nothing."""
        found = self._memory.get(key)
        if found is None or not found.refused:
            return found
        with self._lock:
            age_s = self._now_s() - self._refused_s.get(key, 0.0)
        # A clock set back must not keep a refusal for years.
        return found if 0 <= age_s < REFUSED_FOR_S else None

    def put(self, key: str, wording: Wording) -> None:
        """See `SkeletonCache`; what is too long to be a wording is not kept."""
        if not _sane(key, wording.template, wording.refused):
            return
        put_s = self._now_s()
        self._remember(key, wording, put_s)
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._connection is None:
                return
            self._connection.execute(
                "INSERT OR REPLACE INTO wording VALUES (?, ?, ?, ?)", (key, wording.template, wording.refused, put_s)
            )
            self._puts += 1
            if self._puts % _TRIM_EVERY == 0:
                self._trim(self._connection)

    def close(self) -> None:
        """Let go of the file; idempotent."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._connection is not None:
                self._trim(self._connection)
                self._connection.close()
            self._connection = None

    def _remember(self, key: str, wording: Wording, put_s: float) -> None:
        self._memory.put(key, wording)
        with self._lock:
            self._refused_s.pop(key, None)
            if wording.refused:
                self._refused_s[key] = put_s
                while len(self._refused_s) > self._most:
                    del self._refused_s[next(iter(self._refused_s))]

    def _rows(self) -> Iterator[tuple[str, Wording, float]]:
        """What the file holds, the oldest first; rows that make no sense left out."""
        if self._connection is None:
            return
        try:
            self._trim(self._connection)
            rows = self._connection.execute(_ALL).fetchall()
        except sqlite3.Error:
            return
        for key, template, refused, put_s in rows:
            if isinstance(put_s, float) and _sane(key, template, refused):
                yield key, Wording(template, refused), put_s

    def _trim(self, connection: sqlite3.Connection) -> None:
        connection.execute(
            "DELETE FROM wording WHERE key NOT IN (SELECT key FROM wording ORDER BY put_s DESC LIMIT ?)", (self._most,)
        )


def _sane(key: object, template: object, refused: object) -> bool:
    """Whether this can be a wording or a refusal: exactly one of them, of a size that one has."""
    if not (isinstance(key, str) and isinstance(template, str) and isinstance(refused, str)):
        return False
    sized = len(key) <= KEY_CHARS_MAX and len(template) <= TEMPLATE_CHARS_MAX and len(refused) <= RULE_CHARS_MAX
    return sized and bool(template) != bool(refused)


def _opened(path: Path) -> sqlite3.Connection | None:
    """The file, begun again where it is no such database; None where the disk, or who holds it, allows neither."""
    try:
        connection = _connected(path)
        if connection is None:
            for each in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
                each.unlink(missing_ok=True)
            connection = _connected(path)
    except (sqlite3.OperationalError, OSError):  # locked, read-only, full: nothing is wrong with what it holds
        return None
    return connection


def _connected(path: Path) -> sqlite3.Connection | None:
    """None where the file is damaged or holds something else. Raises OperationalError, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=_WAIT_S)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # the last wordings may be lost with the power: a cache
        connection.execute(_SCHEMA)
        columns = [row[1] for row in connection.execute("PRAGMA table_info(wording)")]
        if connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",) and columns == _COLUMNS:
            return connection
    except sqlite3.OperationalError:
        connection.close()
        raise
    except sqlite3.DatabaseError:
        pass
    connection.close()
    return None

"""What a device has said and the ward has not yet kept: a small bounded file that outlives the device's process.

A message leaves it only on the ward's receipt. The broker's acknowledgement is not enough: a broker may lose what it
acknowledged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from vitruvian.core.errors import JournalUnavailable, Overloaded

__all__ = ["Outbox", "Outgoing", "Queued"]

MESSAGES_MAX: Final = 200_000
BYTES_MAX: Final = 128 << 20

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    id TEXT NOT NULL,
    topic BLOB NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (device, id)
)
"""


class Outgoing(NamedTuple):
    """A message to send. `id` is the one within the payload, unique for the device."""

    device: str
    id: str
    topic: bytes
    payload: bytes


class Queued(NamedTuple):
    """A message in the outbox; `n` rises in the order of sending."""

    n: int
    device: str
    id: str
    topic: bytes
    payload: bytes


class Outbox:
    """An outbox in a file, or in memory without a path (it then does not outlive the process).

    A message put twice (same device and id) is kept once. Other content under an id that waits for its receipt is
    refused: the receipt could not tell the two apart.
    """

    def __init__(
        self, path: Path | None = None, *, messages_max: int = MESSAGES_MAX, bytes_max: int = BYTES_MAX
    ) -> None:
        self._messages_max, self._bytes_max = messages_max, bytes_max
        try:
            self._db = sqlite3.connect(":memory:" if path is None else path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(_SCHEMA)
            self._count, self._bytes = self._measured()
        except sqlite3.Error as error:
            raise JournalUnavailable(f"the outbox at {path} cannot be opened ({error}); check the disk") from error

    def __len__(self) -> int:
        """Messages without a receipt."""
        return self._count

    def room(self, messages: Sequence[Outgoing]) -> bool:
        """Whether these still fit."""
        size = self._bytes + sum(len(one.payload) for one in messages)
        return self._count + len(messages) <= self._messages_max and size <= self._bytes_max

    def put(self, messages: Sequence[Outgoing]) -> None:
        """Keep messages, durably on return, all or none.

        Raises Overloaded where they do not fit, or correct a message that still waits for its receipt (wait, then put
        them again), and JournalUnavailable where the disk fails.
        """
        if not self.room(messages):
            raise Overloaded(f"the outbox is full with {self._count} messages that the ward has not yet kept; wait")
        before = self._db.total_changes
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany(
                "INSERT OR IGNORE INTO message (device, id, topic, payload) VALUES (?, ?, ?, ?)", messages
            )
            new = self._db.total_changes - before
            corrects = new < len(messages) and self._differs(messages)
            self._db.execute("ROLLBACK" if corrects else "COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise JournalUnavailable(f"the outbox cannot be written ({error}); check the disk") from error
        if corrects:
            raise Overloaded("found other content under an id that waits for its receipt; send it after the receipt")
        if new == len(messages):
            self._recount(new, sum(len(one.payload) for one in messages))
        else:
            self._count, self._bytes = self._measured()

    def _differs(self, messages: Sequence[Outgoing]) -> bool:
        query = "SELECT payload FROM message WHERE device = ? AND id = ?"
        return any(self._db.execute(query, (one.device, one.id)).fetchone()[0] != one.payload for one in messages)

    def _measured(self) -> tuple[int, int]:
        row = self._db.execute("SELECT count(*), coalesce(sum(length(payload)), 0) FROM message").fetchone()
        return int(row[0]), int(row[1])

    def _recount(self, count: int, size: int) -> None:
        self._count += count
        self._bytes += size

    def pending(self, after: int, limit: int) -> list[Queued]:
        """Up to `limit` messages with `n` above `after`, in order."""
        rows = self._db.execute(
            "SELECT n, device, id, topic, payload FROM message WHERE n > ? ORDER BY n LIMIT ?", (after, limit)
        )
        return [Queued(*row) for row in rows]

    def get(self, numbers: Sequence[int]) -> list[Queued]:
        """The messages of these numbers that are still there, in order."""
        found: list[Queued] = []
        for start in range(0, len(numbers), 500):
            some = numbers[start : start + 500]
            marks = ",".join("?" * len(some))
            rows = self._db.execute(
                f"SELECT n, device, id, topic, payload FROM message WHERE n IN ({marks}) ORDER BY n",  # noqa: S608
                some,
            )
            found += [Queued(*row) for row in rows]
        return found

    def remove(self, receipted: Iterable[tuple[str, str]]) -> int:
        """Drop messages (device, id) that the ward has kept; how many there were."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            gone, size = 0, 0
            for key in receipted:
                row = self._db.execute(
                    "DELETE FROM message WHERE device = ? AND id = ? RETURNING length(payload)", key
                ).fetchone()
                if row is not None:
                    gone, size = gone + 1, size + int(row[0])
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back()
            raise JournalUnavailable(f"the outbox cannot be written ({error}); check the disk") from error
        self._recount(-gone, -size)
        return gone

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

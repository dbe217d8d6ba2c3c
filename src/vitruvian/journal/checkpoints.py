"""Folding the write-ahead log into the file, beside the writer rather than in its way."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from pathlib import Path
from typing import Final

from vitruvian.journal.chain import Head, write_head

# A checkpoint is due. The same pages are written again and again (each patient's newest, the keys'), and each is
# copied once a round: at 256 MiB a busy ward takes 40 % more entries a second than at 32 MiB.
WAL_BYTES: Final = 256 << 20
HEAD_COMMITS: Final = 512  # commits between two writings of the head kept apart
WAL_BYTES_MAX: Final = 1 << 30  # the writer waits for one, so that the log beside cannot grow without end

log = logging.getLogger(__name__)


class Checkpointer:
    """A thread with a connection of its own copies committed pages; the writer then only closes the round.

    A passive checkpoint never blocks the writer. While the writer keeps adding frames it cannot start the
    write-ahead log afresh, so after each round the writer itself copies the few frames that came meanwhile.
    """

    def __init__(self, path: Path, writer: sqlite3.Connection, head: Head) -> None:
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._writer = writer
        self._due = threading.Event()
        self._copied = threading.Event()
        self._stopping = False
        self._head = head
        self._commits = 0
        self._thread: threading.Thread | None = None

    def at_start(self) -> None:
        """To be called on opening: fold a long log left by a process that was killed, since every start reads it all.

        Killed again and again before a checkpoint was through, it would grow with each start.
        """
        if self._size() > WAL_BYTES:
            self._checkpoint(self._writer, "TRUNCATE")

    def after_commit(self, head: Head) -> None:
        """To be called after each commit, on the writer's thread."""
        self._head = head
        self._commits += 1
        if self._copied.is_set():
            self._copied.clear()
            self._checkpoint(self._writer, "PASSIVE")
        elif self._commits == 1 or self._commits % HEAD_COMMITS == 0:
            self._start()
        elif self._commits % 16 == 0:
            size = self._size()
            if size > WAL_BYTES_MAX:
                self._checkpoint(self._writer, "TRUNCATE")
            elif size > WAL_BYTES and not self._due.is_set():
                self._start()

    def after_failure(self) -> None:
        """To be called after a failed transaction: try to give back the space that the write-ahead log holds."""
        self._checkpoint(self._writer, "PASSIVE")

    def close(self, head: Head) -> None:
        """Stop, copy everything, keep the head."""
        self._stopping = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()
        self._checkpoint(self._writer, "TRUNCATE")
        self._keep(head)

    def _size(self) -> int:
        try:
            return self._wal.stat().st_size
        except OSError:
            return 0

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="checkpointer", daemon=True)
            self._thread.start()
        self._due.set()

    def _loop(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA synchronous = FULL")
            while True:
                self._due.wait()
                if self._stopping:
                    return
                self._due.clear()
                self._keep(self._head)
                if self._size() > WAL_BYTES:
                    self._checkpoint(connection, "PASSIVE")
                    self._copied.set()
        finally:
            connection.close()

    def _keep(self, head: Head) -> None:
        with contextlib.suppress(OSError):
            write_head(self._path, head)

    def _checkpoint(self, connection: sqlite3.Connection, mode: str) -> None:
        try:
            connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
        except sqlite3.Error as error:
            # Nothing is lost: what is committed stays in the write-ahead log until a checkpoint succeeds.
            log.warning("a checkpoint of the journal failed: %s", error)

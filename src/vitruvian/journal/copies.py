"""Backup while writing goes on, and restore; both verify what they made."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

from vitruvian.core.errors import JournalCorrupt, JournalError, JournalUnavailable
from vitruvian.journal import schema
from vitruvian.journal.beside import Blobs
from vitruvian.journal.chain import Head, head_path, heads_apart, verify, write_head
from vitruvian.journal.records import Verification


def backup(source: Path, target: Path) -> Verification:
    """Copy a journal and its blobs to `target`, which must not exist; the copy's own head is written beside it.

    The copy is one snapshot of the journal, however much is written meanwhile.
    """
    return _copy(source, target, source_is_live=True)


def restore(source: Path, target: Path) -> Verification:
    """Make the journal `target`, which must not exist, from the backup `source`, verified before and after."""
    if not source.is_file():
        raise JournalUnavailable(f"found no backup at {source}; name an existing file")
    connection = _reader(source)
    try:
        schema.check_format(connection, source)
        found = verify(connection, heads_apart(source))
    finally:
        connection.close()
    if not found.ok:
        raise JournalCorrupt(f"found a backup that does not verify ({found.faults[0]}); use another one")
    return _copy(source, target, source_is_live=False)


def _reader(path: Path) -> sqlite3.Connection:
    try:
        return schema.connect_reader(path)
    except sqlite3.Error as error:
        raise JournalUnavailable(f"found no way to read {path} ({error})") from error


def _copy(source: Path, target: Path, *, source_is_live: bool) -> Verification:
    for taken in (target, head_path(target)):
        if taken.exists():
            raise JournalError(f"found {taken} already there; name a file that does not exist: nothing is overwritten")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    try:
        found = _copy_file(source, partial)
        if not found.ok:
            raise JournalCorrupt(f"the copy of {source} does not verify: {found.faults[0]}")
        _copy_blobs(source, target)
        write_head(target, Head(found.last_seq, bytes.fromhex(found.head)))
        partial.replace(target)
        return found
    except (sqlite3.Error, OSError) as error:
        raise JournalUnavailable(f"{source} could not be copied to {target} ({error}); free some space") from error
    finally:
        for leftover in (partial, *(partial.with_name(partial.name + end) for end in ("-wal", "-shm", "-journal"))):
            with contextlib.suppress(OSError):
                leftover.unlink(missing_ok=True)


def _copy_file(source: Path, target: Path) -> Verification:
    """One read transaction over the source, so that the copy never restarts while the writer goes on."""
    reading = _reader(source)
    writing = sqlite3.connect(target, isolation_level=None)
    try:
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        reading.backup(writing, pages=-1)
        reading.execute("ROLLBACK")
        writing.execute("PRAGMA journal_mode = DELETE").fetchall()
        return verify(writing, ())
    finally:
        writing.close()
        reading.close()


def _copy_blobs(source: Path, target: Path) -> None:
    blobs = Blobs(source)
    copied = Blobs(target)
    for name in blobs.names():
        place = copied.folder / name[:2] / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copyfile(blobs.folder / name[:2] / name, place)

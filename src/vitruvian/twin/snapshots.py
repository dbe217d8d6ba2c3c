"""Keep all twins as bytes beside the log, and take them back.

A snapshot holds the rows in use, the vocabulary's version, the layout of the columns and the `seq` of the last
commit applied. One that was made by another vocabulary or layout is refused (`SnapshotStale`): fold anew from the
journal instead. Anchors are not kept; the first late sample after a restart refolds its patient.
"""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Iterator
from typing import Any, Final, Protocol

import msgspec
import numpy as np

from vitruvian.core.errors import VitruvianError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals.tracker import Tracker
from vitruvian.twin.ports import Commit, JournalReader
from vitruvian.twin.twins import Twins

log = logging.getLogger(__name__)

FORMAT: Final = 1
NAME: Final = "twins"


class SnapshotJournal(JournalReader, Protocol):
    """What opening the twins needs of a journal, besides its series."""

    def last_seq(self) -> int:
        """The last entry."""
        ...

    def load_snapshot(self, name: str) -> tuple[int, bytes] | None:
        """A kept state and the entry it holds everything up to."""
        ...

    def save_snapshot(self, name: str, seq: int, blob: bytes) -> None:
        """Keep a state."""
        ...

    def samples_since(self, seq: int) -> Iterator[Commit]:
        """What came after an entry."""
        ...


class SnapshotStale(VitruvianError):
    """A snapshot that another version wrote, or that is damaged; the journal is the truth: fold anew."""


class Column(msgspec.Struct, array_like=True):
    """An array as it is kept: dtype, shape, and its bytes, compressed."""

    kind: str
    shape: tuple[int, ...]
    data: bytes


class _Snapshot(msgspec.Struct, array_like=True):
    format: int
    vocabulary: str
    seq: int
    columns: dict[str, Column]


def snapshot(twins: Twins) -> bytes:
    """All twins in bytes; `twins.seq` is the commit they stand at."""
    used = np.flatnonzero(twins.pid_of >= 0)
    columns: dict[str, np.ndarray[Any, Any]] = {
        "pid": twins.pid_of[used],
        "last_order": twins.last_order[used],
        "newest_us": twins.newest_us[used],
    }
    columns.update({f"tracker.{name}": column[used] for name, column in twins.tracker.arrays().items()})
    packed = {name: column_of(column) for name, column in columns.items()}
    body = msgspec.msgpack.encode(_Snapshot(FORMAT, VOCABULARY.version, twins.seq, packed))
    return hashlib.blake2b(body, digest_size=16).digest() + body


def restore(blob: bytes, journal: JournalReader) -> Twins:
    """The twins of a snapshot, at its `seq`. Raises SnapshotStale where it is not of this vocabulary and layout."""
    kept = _checked(blob)
    columns = {name: array_of(column) for name, column in kept.columns.items()}
    arrays = {name.removeprefix("tracker."): column for name, column in columns.items() if name.startswith("tracker.")}
    twins = Twins(journal)
    try:
        tracker = Tracker.from_arrays(arrays)
        twins.adopt(columns["pid"], tracker, columns["last_order"], columns["newest_us"], kept.seq)
    except (VitruvianError, KeyError, ValueError) as error:
        raise SnapshotStale(f"found a snapshot of another layout ({error}); fold anew from the journal") from error
    return twins


def open_twins(journal: SnapshotJournal) -> Twins:
    """The twins of a journal as of its last entry: from its snapshot and what came after, else folded from the
    beginning.
    """
    through_seq = journal.last_seq()
    kept = journal.load_snapshot(NAME)
    twins = Twins(journal)
    if kept is not None:
        try:
            twins = restore(kept[1], journal)
        except SnapshotStale as error:
            log.warning("%s", error)
    twins.catch_up(journal.samples_since(twins.seq), through_seq)
    return twins


def save(twins: Twins, journal: SnapshotJournal) -> None:
    """Keep a snapshot beside the log."""
    journal.save_snapshot(NAME, twins.seq, snapshot(twins))


def _checked(blob: bytes) -> _Snapshot:
    digest, body = blob[:16], blob[16:]
    if hashlib.blake2b(body, digest_size=16).digest() != digest:
        raise SnapshotStale("found a snapshot whose digest does not match its content; fold anew from the journal")
    try:
        kept = msgspec.msgpack.decode(body, type=_Snapshot)
    except msgspec.MsgspecError as error:
        raise SnapshotStale(f"found a snapshot that cannot be read ({error}); fold anew from the journal") from error
    if (kept.format, kept.vocabulary) != (FORMAT, VOCABULARY.version):
        raise SnapshotStale(
            f"found a snapshot of format {kept.format} and vocabulary {kept.vocabulary}, expected {FORMAT} and "
            f"{VOCABULARY.version}; fold anew from the journal"
        )
    return kept


def column_of(column: np.ndarray[Any, Any]) -> Column:
    """An array, to be kept."""
    return Column(column.dtype.str, column.shape, zlib.compress(np.ascontiguousarray(column).tobytes(), 1))


def array_of(column: Column) -> np.ndarray[Any, Any]:
    """A kept array, writable."""
    data = zlib.decompress(column.data)
    return np.frombuffer(data, column.kind).reshape(column.shape).copy()

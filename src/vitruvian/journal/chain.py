"""The hash chain over the log, and its head kept apart.

`chain_n = BLAKE2b-32(chain_(n-1), seq, recorded_us, key, digest_n)`, where `digest_n` is a digest of the payload
keyed with a random salt. An erasure keeps `digest_n` in the payload's place and destroys payload and salt: the
chain still verifies, and nothing can be guessed back from what is left.

A log that lost its last entries is a valid shorter log; only the head beside it tells. It is written at
checkpoints and on close, always behind the durable log.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from vitruvian.journal.records import Verification

GENESIS: Final = bytes(32)
FAULTS_MAX: Final = 20
PIECE_ENTRIES: Final = 10_000

log = logging.getLogger(__name__)


class Head(NamedTuple):
    """The last entry and the digest of everything up to it."""

    seq: int
    digest: bytes


def payload_digest(payload: bytes, salt: bytes) -> bytes:
    """The salted digest that stands for a payload in the chain."""
    return hashlib.blake2b(payload, digest_size=32, key=salt).digest()


def link(previous: bytes, seq: int, recorded_us: int, key: bytes, digest: bytes) -> bytes:
    """The chain's next value."""
    return hashlib.blake2b(
        previous + seq.to_bytes(8, "little") + recorded_us.to_bytes(8, "little", signed=True) + key + digest,
        digest_size=32,
    ).digest()


def head_path(path: Path) -> Path:
    """Where the head of a journal is kept."""
    return path.with_name(path.name + ".head")


def write_head(path: Path, head: Head) -> None:
    """Replace the head beside the journal, whole or not at all."""
    target = head_path(path)
    temporary = target.with_name(target.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump({"seq": head.seq, "digest": head.digest.hex()}, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)


def read_head(path: Path) -> Head | None:
    """The head beside the journal; None where there is none, or where it cannot be read."""
    return _read(head_path(path))


def _read(file: Path) -> Head | None:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        stated = json.loads(file.read_text("utf-8"))
        return Head(int(stated["seq"]), bytes.fromhex(stated["digest"]))
    return None


def heads_apart(path: Path) -> list[Head | None]:
    """The head beside the journal, and those that a log was found not to reach when it was opened."""
    return [read_head(path), *(_read(file) for file in sorted(path.parent.glob(f"{path.name}.head-unmet-*")))]


def take_up_head(connection: sqlite3.Connection, path: Path) -> Head:
    """The log's own head, on opening it to write. One kept apart that it does not meet is set aside as evidence."""
    row = connection.execute("SELECT seq, chain FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    own = Head(0, GENESIS) if row is None else Head(row[0], row[1])
    apart = read_head(path)
    if apart is not None and apart.seq:
        met = connection.execute("SELECT chain FROM log WHERE seq = ?", (apart.seq,)).fetchone()
        if met is None or met[0] != apart.digest:
            log.warning("the journal does not reach the head kept apart, entry %d: verify it", apart.seq)
            with contextlib.suppress(OSError):
                head_path(path).replace(path.with_name(f"{path.name}.head-unmet-{apart.seq}"))
    with contextlib.suppress(OSError):
        write_head(path, own)
    return own


def verify(connection: sqlite3.Connection, heads: Sequence[Head | None]) -> Verification:
    """Walk the whole log, and compare it with the heads kept apart (None: one that is missing)."""
    faults: list[str] = []
    wanted = {head.seq for head in heads if head is not None}
    found: dict[int, bytes] = {0: GENESIS}
    previous, expected, checked = GENESIS, 1, 0
    try:
        for seq, recorded_us, key, salt, payload, chain in _rows(connection):
            if seq != expected:
                _add(faults, f"entries {expected} to {seq - 1} are missing")
                expected = seq
            digest = payload if salt is None else payload_digest(payload, salt)
            if link(previous, seq, recorded_us, key, digest) != chain:
                _add(faults, f"entry {seq} does not fit the chain: it, or one before it, was changed")
            previous = chain
            if seq in wanted:
                found[seq] = chain
            expected += 1
            checked += 1
    except (sqlite3.DatabaseError, TypeError, ValueError, OverflowError) as error:
        _add(faults, f"the log cannot be read past entry {expected - 1}: {error}")
    last = expected - 1
    for head in heads:
        if head is None:
            if last:
                _add(faults, "the head kept apart is missing or unreadable: an end cut off would not be seen")
        elif last < head.seq:
            _add(faults, f"the log ends at entry {last}, its head kept apart is {head.seq}: the end was cut off")
        elif found.get(head.seq) != head.digest:
            _add(faults, f"entry {head.seq} differs from the head kept apart: the log was written anew")
    return Verification(not faults, checked, last, previous.hex(), tuple(dict.fromkeys(faults)))


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[int, int, bytes, bytes | None, bytes, bytes]]:
    """The log in order, a piece at a time: a walk of minutes in one snapshot would hold up every checkpoint."""
    after = -(1 << 63)
    while rows := connection.execute(
        "SELECT seq, recorded_us, key, salt, payload, chain FROM log WHERE seq > ? ORDER BY seq LIMIT ?",
        (after, PIECE_ENTRIES),
    ).fetchall():
        yield from rows
        after = rows[-1][0]


def _add(faults: list[str], fault: str) -> None:
    if len(faults) < FAULTS_MAX:
        faults.append(fault)

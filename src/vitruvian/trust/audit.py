"""The audit of language models: an append-only file of hash-chained lines, its head kept apart like the journal's.

Each line is JSON: `{"seq":1,"at_us":...,"chain":"<hex>","record":{...}}`, where `chain` is the journal's link over the
line before, the number, the time and a digest of the record. A record holds hashes and names, never a text and nothing
of a patient. It is written at once, which outlives the process, and made durable within a second, which outlives the
machine; then the head follows.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from vitruvian.core.errors import ConfigurationError, JournalCorrupt, NotFoundError
from vitruvian.explanation.llm.audit import AuditRecord
from vitruvian.journal.chain import (
    FAULTS_MAX,
    GENESIS,
    Head,
    head_path,
    heads_apart,
    link,
    payload_digest,
    read_head,
    write_head,
)

__all__ = ["AuditLog", "AuditVerification", "verify_audit"]

SYNC_S: Final = 1.0
REASON_CHARS_MAX: Final = 200
LINE_BYTES_MAX: Final = 16_384

log = logging.getLogger(__name__)


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seq: int
    at_us: int
    chain: str
    record: msgspec.Raw


class AuditVerification(msgspec.Struct, frozen=True):
    """What a walk of the file found. `torn`: the last line was never finished and counts as not written."""

    ok: bool
    checked: int
    last_seq: int
    head: str
    torn: bool
    faults: tuple[str, ...]


class AuditLog:
    """The file, open to append; one writer at a time. Thread-safe. Fulfils explanation's `Audit`.

    `lost`: records that could not be written; each is also said in the log.
    """

    def __init__(self, path: Path, now_us: Callable[[], int] = lambda: time.time_ns() // 1_000) -> None:
        """Open or make the file. Raises ConfigurationError where it cannot be opened or another process writes it,
        JournalCorrupt where its last line is none of ours.
        """
        self.lost = 0
        self._path, self._now_us = path, now_us
        self._lock = threading.Lock()
        self._file = _opened(path)
        try:
            self._size, self._head = _end_of(self._file, path)
            self._take_up_head()
        except OSError as error:
            os.close(self._file)
            raise ConfigurationError(f"found {path} that cannot be used ({error.strerror}); check its folder") from None
        except BaseException:
            os.close(self._file)
            raise
        self._unsynced: threading.Timer | None = None
        self._closed = False

    @property
    def last_seq(self) -> int:
        """The number of the last record."""
        return self._head.seq

    @property
    def head(self) -> str:
        """What the chain ends in, in hexadecimal."""
        return self._head.digest.hex()

    def note(self, record: AuditRecord) -> None:
        """Append a record; never raises. One that cannot be written is counted in `lost`."""
        with self._lock:
            try:
                self._append(msgspec.structs.replace(record, reason=record.reason[:REASON_CHARS_MAX]))
            except (OSError, ValueError) as error:
                self.lost += 1
                log.error("a record of the language models' audit could not be written: %s", error)

    def sync(self) -> None:
        """Make every record durable, and the head after them. Raises OSError."""
        with self._lock:
            self._sync()

    def close(self) -> None:
        """Make everything durable and let go of the file; idempotent."""
        with self._lock:
            if self._closed:
                return
            try:
                self._sync()
            except OSError as error:
                log.error("the language models' audit could not be made durable: %s", error)
            self._closed = True
            os.close(self._file)

    def _append(self, record: AuditRecord) -> None:
        if self._closed:
            raise ValueError("it is closed")
        seq, at_us = self._head.seq + 1, self._now_us()
        content = msgspec.json.encode(record)
        chain = _link(self._head.digest, seq, at_us, content)
        line = msgspec.json.encode(_Line(seq, at_us, chain.hex(), msgspec.Raw(content))) + b"\n"
        if len(line) > LINE_BYTES_MAX:
            raise ValueError(f"it has {len(line)} bytes, at most {LINE_BYTES_MAX} are taken")
        try:
            written = os.pwrite(self._file, line, self._size)
            if written != len(line):
                raise OSError(f"only {written} of {len(line)} bytes were taken; the disk may be full")
        except OSError:
            with contextlib.suppress(OSError):  # the next record is written over it all the same
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(line)
        self._head = Head(seq, chain)
        if self._unsynced is None:
            self._unsynced = threading.Timer(SYNC_S, self._sync_late)
            self._unsynced.daemon = True
            self._unsynced.start()

    def _sync_late(self) -> None:
        try:
            self.sync()
        except OSError as error:
            log.error("the language models' audit could not be made durable: %s", error)

    def _sync(self) -> None:
        if self._unsynced is not None:
            self._unsynced.cancel()
            self._unsynced = None
        if self._closed:
            return
        os.fsync(self._file)
        write_head(self._path, self._head)

    def _take_up_head(self) -> None:
        """A head kept apart that the file does not reach is set aside as evidence, for `verify_audit` to find."""
        apart = read_head(self._path)
        if apart is not None and (
            apart.seq > self._head.seq or (apart.seq == self._head.seq and apart.digest != self._head.digest)
        ):
            log.warning("the audit does not reach the head kept apart, record %d: verify it", apart.seq)
            head_path(self._path).replace(self._path.with_name(f"{self._path.name}.head-unmet-{apart.seq}"))
        write_head(self._path, self._head)


def verify_audit(path: Path) -> AuditVerification:
    """Walk the file from its first line to its last, and compare it with the heads kept apart. It may be in use.

    Raises NotFoundError where there is no such file.
    """
    heads = heads_apart(path)  # read first: while it is written to, the file is ahead of its head
    faults: list[str] = []
    chains: dict[int, bytes] = {0: GENESIS}
    wanted = {head.seq for head in heads if head is not None}
    previous, last, checked, torn = GENESIS, 0, 0, False
    try:
        with path.open("rb") as file:
            for raw in _lines(file):
                if not raw.endswith(b"\n") and len(raw) <= LINE_BYTES_MAX:  # the file ends within it
                    torn = True
                    break
                line = _read(raw)
                if line is None:
                    _add(faults, f"the line after record {last} is not one that was written here")
                    continue
                if line.seq != last + 1:
                    _add(faults, f"record {line.seq} follows record {last}: some are missing or out of order")
                chain = _link(previous, line.seq, line.at_us, bytes(line.record))
                if chain.hex() != line.chain:
                    _add(faults, f"record {line.seq} does not fit the chain: it, or one before it, was changed")
                previous, last, checked = bytes.fromhex(line.chain), line.seq, checked + 1
                if last in wanted:
                    chains[last] = previous
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise NotFoundError(f"found no audit at {path}; check the path") from None
        _add(faults, f"the file cannot be read past record {last}: {error}")
    for head in heads:
        if head is None:
            if last:
                _add(faults, "the head kept apart is missing or unreadable: an end cut off would not be seen")
        elif head.seq > last:
            _add(faults, f"the file ends at record {last}, its head kept apart is {head.seq}: the end was cut off")
        elif chains.get(head.seq) != head.digest:
            _add(faults, f"record {head.seq} differs from the head kept apart: the file was written anew")
    return AuditVerification(not faults, checked, last, previous.hex(), torn, tuple(dict.fromkeys(faults)))


def _link(previous: bytes, seq: int, at_us: int, record: bytes) -> bytes:
    return link(previous, seq, at_us, b"", payload_digest(record, b""))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while raw := file.readline(LINE_BYTES_MAX + 1):
        yield raw


def _read(raw: bytes) -> _Line | None:
    """The line, or None where it is not, byte for byte, as it is written."""
    try:
        line = msgspec.json.decode(raw, type=_Line)
        msgspec.json.decode(line.record, type=AuditRecord)
    except (msgspec.DecodeError, ValueError):
        return None
    in_range = 0 < line.seq < 1 << 63 and abs(line.at_us) < 1 << 63 and len(line.chain) == 2 * len(GENESIS)
    return line if in_range and msgspec.json.encode(line) + b"\n" == raw and _is_hex(line.chain) else None


def _is_hex(text: str) -> bool:
    return all(sign in "0123456789abcdef" for sign in text)


def _opened(path: Path) -> int:
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError(f"found {path} that cannot be opened ({error.strerror}); check the path") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise ConfigurationError(f"found {path} written by another process; give each its own file") from None
    return file


def _end_of(file: int, path: Path) -> tuple[int, Head]:
    """Where the next record goes, and the last one. A line that was never finished is dropped, and that is said."""
    size = os.fstat(file).st_size
    tail = os.pread(file, min(size, 2 * LINE_BYTES_MAX), max(0, size - 2 * LINE_BYTES_MAX))
    whole = tail.rfind(b"\n") + 1
    if whole < len(tail):
        torn = len(tail) - whole
        if not whole and size > len(tail):
            raise JournalCorrupt(f"found {path} to end in something else than records; verify it, then move it away")
        log.warning("the last record of %s was torn by a crash: %d bytes of it are dropped", path, torn)
        size -= torn
        os.ftruncate(file, size)
    if not whole:
        return 0, Head(0, GENESIS)
    last = _read(tail[tail.rfind(b"\n", 0, whole - 1) + 1 : whole])
    if last is None:
        raise JournalCorrupt(f"found {path} to end in something else than records; verify it, then move it away")
    return size, Head(last.seq, bytes.fromhex(last.chain))


def _add(faults: list[str], fault: str) -> None:
    if len(faults) < FAULTS_MAX:
        faults.append(fault)

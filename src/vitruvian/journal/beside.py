"""What lies beside the journal's file: the writer's lock, snapshots of derived state, blobs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import IO, Final

from vitruvian.core.errors import JournalCorrupt, JournalError, JournalUnavailable, NotFoundError

_MAGIC: Final = b"VTRVSNAP1"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def take_lock(path: Path) -> IO[bytes]:
    """Hold the writer's lock until the file is closed or the process dies. Raises JournalUnavailable."""
    name = path.with_name(path.name + ".lock")
    try:
        file = name.open("ab")
    except OSError as error:
        raise JournalUnavailable(
            f"found no way to write {name} ({error.strerror}); make its folder writable"
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise JournalUnavailable(
            f"found {path} open for writing elsewhere, expected one writer; stop the other ward, or open read-only"
        ) from error
    return file


def write_whole(target: Path, *parts: bytes) -> None:
    """Replace a file, whole or not at all, and durably. Raises JournalUnavailable."""
    temporary = ""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise JournalUnavailable(f"{target.name} could not be written ({error.strerror}); free some space") from error


class Snapshots:
    """Derived states by name, each bound to a place in one journal's chain, so that no other journal takes it up."""

    def __init__(self, path: Path) -> None:
        self._folder = path.with_name(path.name + ".snapshots")

    def save(self, name: str, seq: int, chain: bytes, blob: bytes) -> None:
        """Replace the snapshot of this name."""
        head = _MAGIC + seq.to_bytes(8, "little") + chain
        digest = hashlib.blake2b(head, digest_size=32)
        digest.update(blob)
        write_whole(self._file(name), head, digest.digest(), blob)

    def load(self, name: str) -> tuple[int, bytes, bytes] | None:
        """(seq, chain, blob); None where there is none or it is damaged: what it held is then derived again."""
        try:
            data = self._file(name).read_bytes()
        except OSError:
            return None
        size = len(_MAGIC) + 8 + 32
        head, digest, blob = data[:size], data[size : size + 32], memoryview(data)[size + 32 :]
        check = hashlib.blake2b(head, digest_size=32)
        check.update(blob)
        if not head.startswith(_MAGIC) or check.digest() != digest:
            return None
        return int.from_bytes(head[len(_MAGIC) : len(_MAGIC) + 8], "little"), head[-32:], bytes(blob)

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise JournalError(f"found snapshot name {name[:80]!r}, expected 1 to 64 of a-z 0-9 . _ -")
        return self._folder / name


class Blobs:
    """Bytes too large for the log, by their SHA-256."""

    def __init__(self, path: Path) -> None:
        self.folder = path.with_name(path.name + ".blobs")

    def put(self, data: bytes) -> str:
        """Keep bytes, durably; returns their SHA-256 in hexadecimal."""
        name = hashlib.sha256(data).hexdigest()
        target = self._file(name)
        if not target.exists():
            write_whole(target, data)
        return name

    def get(self, sha256: str) -> bytes:
        """The bytes. Raises NotFoundError, or JournalCorrupt where they have changed."""
        try:
            data = self._file(sha256).read_bytes()
        except OSError as error:
            raise NotFoundError(f"found no blob {sha256[:64]}") from error
        if hashlib.sha256(data).hexdigest() != sha256:
            raise JournalCorrupt(f"found blob {sha256} with other content; restore it from a backup")
        return data

    def names(self) -> list[str]:
        """Every blob there is."""
        return sorted(file.name for file in self.folder.glob("??/*") if _SHA256.fullmatch(file.name))

    def _file(self, sha256: str) -> Path:
        if not _SHA256.fullmatch(sha256):
            raise NotFoundError(f"found blob name {sha256[:80]!r}, expected 64 hexadecimal digits")
        return self.folder / sha256[:2] / sha256

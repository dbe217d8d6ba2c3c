"""Adding tokens to the file and taking them out; what else is in it, comments too, stays as it is.

The file is written in place: a container has it mounted by its inode, and would not see a file that took its name.
It holds digests of 256 random bits, from which no token can be found, so that others may read it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from vitruvian.core.errors import ConfigurationError, NotFoundError
from vitruvian.trust.policy import Role
from vitruvian.trust.tokens import issue_token, read_tokens

__all__ = ["DAYS_MAX", "add_token", "revoke_token"]

DAYS_MAX: Final = 3_650
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")  # a bare key of TOML
_TABLE: Final = re.compile(r"^(?=[ \t]*\[)", re.MULTILINE)


def add_token(path: Path, name: str, role: Role, days: int | None = None) -> str:
    """Issue a token, add its digest under `name` to the file (made where there is none) and return the token.

    `days`: how long it holds; None is without an end. Raises ConfigurationError where the name is taken or cannot be
    one, the days are out of range, or the file cannot be read or written.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"found token name {name[:80]!r}, expected 1 to 64 letters, digits, - and _; choose another"
        )
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise ConfigurationError(f"found {days} days, expected 1 to {DAYS_MAX}")
    token, digest = issue_token()
    rows = [f"[{name}]", f'role = "{role}"', f'sha256 = "{digest}"']
    if days is not None:
        rows.append(f"expires = {datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}")
    with _owned(path, create=True) as file:
        if name in read_tokens(path):
            raise ConfigurationError(f"found a token named {name} in {path} already; revoke it, or choose another name")
        before = path.read_bytes()
        gap = b"" if not before else b"\n" if before.endswith(b"\n") else b"\n\n"
        _write(file, before, gap + "\n".join(rows).encode() + b"\n")
        if name not in read_tokens(path):
            raise ConfigurationError(f"{path} did not take the token; look at its last lines")
    return token


def revoke_token(path: Path, name: str) -> None:
    """Take a token out of the file; its sessions and open streams end within seconds.

    Raises NotFoundError where there is none of the name, ConfigurationError where the file cannot be read or written,
    or is laid out so that only a person can safely edit it.
    """
    with _owned(path, create=False) as file:
        known = read_tokens(path)
        if name not in known:
            raise NotFoundError(f"found no token named {name[:80]!r} in {path}; `vitruvian token list` names them")
        text = path.read_bytes().decode()
        kept = "".join(part for part in _TABLE.split(text) if not _is_table(part, name))
        try:
            left = set(tomllib.loads(kept))
        except tomllib.TOMLDecodeError:
            left = set()
        if left != set(known) - {name}:
            raise ConfigurationError(
                f"found {path} laid out in another way than a table a token; remove {name} by hand"
            )
        _write(file, b"", kept.encode())


def _is_table(part: str, name: str) -> bool:
    try:
        return set(tomllib.loads(part)) == {name}
    except tomllib.TOMLDecodeError:
        return False


@contextlib.contextmanager
def _owned(path: Path, *, create: bool) -> Iterator[int]:
    """The file, open for reading and writing, and ours alone among those who ask so."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_CREAT if create else 0), 0o644)
    except OSError as error:
        raise ConfigurationError(
            f"found tokens at {path} that cannot be opened ({error.strerror}); check the path"
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)


def _write(file: int, before: bytes, text: bytes) -> None:
    """`text` after `before`, and nothing after it; durable."""
    view, at = memoryview(text), len(before)
    while view:
        written = os.pwrite(file, view, at)
        view, at = view[written:], at + written
    os.ftruncate(file, at)
    os.fsync(file)

"""Bearer tokens: opaque, 256 random bits, kept only as SHA-256.

A slow hash protects what people can guess; a token of 256 random bits cannot be guessed, so one SHA-256 is enough
(NIST SP 800-63B, 5.1.2.2 on look-up secrets of at least 112 bits). The file is TOML, one table a token:

    [nurse-station-3]
    role = "clinician"
    sha256 = "…64 hex digits…"
    expires = 2027-01-31T00:00:00Z      # optional

It is read again when it changes: a line that is taken out ends the token, its sessions and its open streams.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from vitruvian.core.errors import ConfigurationError
from vitruvian.trust.policy import Principal, Role

_PREFIX: Final = "vit_"
_SHAPE: Final = re.compile(r"vit_[A-Za-z0-9_-]{43}")
_CHECK_EVERY_S: Final = 1.0  # how often the file is looked at
_FILE_BYTES_MAX: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Token:
    """One line of the file. `expires_s`: seconds since the epoch, None where it does not end."""

    name: str
    role: Role
    digest: str
    expires_s: float | None

    @property
    def expired(self) -> bool:
        """Whether it is over."""
        return self.expires_s is not None and time.time() >= self.expires_s


def issue_token() -> tuple[str, str]:
    """A new token, and the SHA-256 (hexadecimal) that goes into the file. The token itself is not kept."""
    token = _PREFIX + secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()


class TokenStore:
    """The tokens of a file. Raises ConfigurationError where it cannot be read at the start."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._tokens = read_tokens(path)
        self._stamp = _stamp(path)
        self._looked_s = time.monotonic()

    def __len__(self) -> int:
        """The number of tokens in the file, expired ones included."""
        return len(self._current())

    def principal(self, token: str) -> Principal | None:
        """Whose token this is, or None where it is unknown, malformed or expired."""
        if not _SHAPE.fullmatch(token):
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        found: Token | None = None
        for known in self._current().values():  # every one is compared: the time taken tells nothing
            if hmac.compare_digest(known.digest, digest):
                found = known
        if found is None or found.expired:
            return None
        return Principal(found.name, found.role, _key(found))

    def holds(self, principal: Principal) -> bool:
        """Whether the token that a principal came with is still there, unexpired, unchanged and of the same role."""
        known = self._current().get(principal.name)
        return known is not None and _key(known) == principal.token and not known.expired

    def _current(self) -> dict[str, Token]:
        now = time.monotonic()
        with self._lock:
            if now - self._looked_s < _CHECK_EVERY_S:
                return self._tokens
            self._looked_s = now
            stamp = _stamp(self._path)
            if stamp is None:  # a file that was taken away revokes everything
                self._tokens, self._stamp = {}, None
            elif stamp != self._stamp:
                self._stamp = stamp
                try:
                    self._tokens = read_tokens(self._path)
                except ConfigurationError:
                    # Half-written by an editor, or wrong: nobody's access may rest on a file that cannot be read.
                    self._tokens = {}
            return self._tokens


def _key(token: Token) -> str:
    return f"{token.role}:{token.digest[:32]}"


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def read_tokens(path: Path) -> dict[str, Token]:
    """The tokens of a file by name. Raises ConfigurationError where it cannot be read."""
    try:
        data = path.read_bytes()
        if len(data) > _FILE_BYTES_MAX:
            raise ConfigurationError(f"found {path} of {len(data)} bytes, expected at most {_FILE_BYTES_MAX}; split it")
        rows = tomllib.loads(data.decode())
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"found tokens at {path} that cannot be read ({error}); expected TOML, see docs/http.md"
        ) from None
    tokens = {name: _token(path, name, row) for name, row in rows.items()}
    digests = [token.digest for token in tokens.values()]
    if len(set(digests)) != len(digests):
        raise ConfigurationError(f"found one sha256 under two names in {path}, expected one a token; issue another")
    return tokens


def _token(path: Path, name: str, row: Any) -> Token:
    try:
        role, digest, expires = Role(row["role"]), str(row["sha256"]).lower(), row.get("expires")
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigurationError(
            f"found token {name!r} in {path} without a role ({', '.join(Role)}) and a sha256; correct it"
        ) from None
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise ConfigurationError(
            f"found a sha256 of token {name!r} in {path} that is not 64 hexadecimal digits; correct it"
        )
    if expires is not None and not isinstance(expires, datetime):
        raise ConfigurationError(f"found expires of token {name!r} in {path} that is not a TOML date-time; correct it")
    moment = None if expires is None else (expires if expires.tzinfo else expires.replace(tzinfo=UTC)).timestamp()
    return Token(name, role, digest, moment)

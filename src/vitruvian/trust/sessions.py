"""Browser sessions: a token is shown once, on the login page, and a cookie stands for it from then on."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from vitruvian.trust.policy import Principal

SESSIONS_MAX: Final = 1_000
IDLE_S: Final = 12 * 3600.0  # a shift
LIFE_S: Final = 24 * 3600.0


@dataclass(slots=True)
class _Session:
    principal: Principal
    started_s: float
    used_s: float


class Sessions:
    """Sessions in memory, bounded: with too many, the one used longest ago ends. A restart ends them all.

    Keys are kept as SHA-256, so that a dump of memory holds no cookie that works.
    """

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now = now_s
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, _Session] = OrderedDict()

    def start(self, principal: Principal) -> str:
        """A new session's cookie value (256 random bits)."""
        value = secrets.token_urlsafe(32)
        now = self._now()
        with self._lock:
            self._sessions[_digest(value)] = _Session(principal, now, now)
            while len(self._sessions) > SESSIONS_MAX:
                self._sessions.popitem(last=False)
        return value

    def principal(self, value: str) -> Principal | None:
        """Whose session this is; None where there is none, or it is over."""
        key, now = _digest(value), self._now()
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return None
            if now - session.used_s > IDLE_S or now - session.started_s > LIFE_S:
                del self._sessions[key]
                return None
            session.used_s = now
            self._sessions.move_to_end(key)
            return session.principal

    def end(self, value: str) -> None:
        """Log out."""
        with self._lock:
            self._sessions.pop(_digest(value), None)


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()

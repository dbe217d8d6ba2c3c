"""Bad logins are counted a client; past the limit it has to wait."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

FAILURES_MAX: Final = 10  # a client and window
WINDOW_S: Final = 60.0
CLIENTS_MAX: Final = 10_000


class Throttle:
    """A sliding window of failures a client, bounded in clients (the one heard of longest ago is forgotten)."""

    def __init__(
        self,
        failures_max: int = FAILURES_MAX,
        window_s: float = WINDOW_S,
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._failures_max, self._window_s, self._now = failures_max, window_s, now_s
        self._lock = threading.Lock()
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Seconds until the client may try again; 0 where it may now."""
        now = self._now()
        with self._lock:
            failures = self._failures.get(client)
            if failures is None:
                return 0.0
            while failures and now - failures[0] >= self._window_s:
                failures.popleft()
            if not failures:
                del self._failures[client]
                return 0.0
            return self._window_s - (now - failures[0]) if len(failures) >= self._failures_max else 0.0

    def failed(self, client: str) -> None:
        """The client presented something that was not valid."""
        with self._lock:
            failures = self._failures.setdefault(client, deque(maxlen=self._failures_max))
            failures.append(self._now())
            self._failures.move_to_end(client)
            while len(self._failures) > CLIENTS_MAX:
                self._failures.popitem(last=False)

"""What each source of data sends: how much, how fast, how far behind."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from typing import Final

from vitruvian.core.events import Entry
from vitruvian.core.time import SECOND_US
from vitruvian.service.views import StreamView

WINDOW_S: Final = 30.0  # of the rate
SOURCES_MAX: Final = 256  # further ones are counted together
OTHERS: Final = "(others)"


class Sources:
    """Counts by source; one thread notes, others may look."""

    def __init__(self) -> None:
        self._entries: Counter[str] = Counter()
        self._last_us: dict[str, int] = {}
        self._recent: deque[tuple[float, Counter[str]]] = deque(maxlen=10_000)

    def note(self, entries: Sequence[Entry]) -> None:
        """These entries were committed."""
        batch: Counter[str] = Counter()
        for entry in entries:
            source = entry.source
            if source not in self._entries and len(self._entries) >= SOURCES_MAX:
                source = OTHERS
            batch[source] += 1
            occurred_us = entry.events[0].occurred_us if entry.events else 0  # an empty one is in quarantine
            self._last_us[source] = max(self._last_us.get(source, 0), occurred_us)
        self._entries.update(batch)
        now_s = time.monotonic()
        self._recent.append((now_s, batch))
        while self._recent[0][0] < now_s - WINDOW_S:
            self._recent.popleft()

    def views(self, now_us: int) -> list[StreamView]:
        """One row a source, the busiest first. The lag is that of the newest measurement."""
        now_s = time.monotonic()
        recent: Counter[str] = Counter()
        for at_s, batch in list(self._recent):
            if at_s >= now_s - WINDOW_S:
                recent.update(batch)
        return [
            StreamView(source, count, recent[source] / WINDOW_S, last_us, max(0.0, (now_us - last_us) / SECOND_US))
            for source, count in self._entries.most_common()
            for last_us in (self._last_us[source],)
        ]

"""A Sink that keeps entries in memory, for testing sources without a journal. It follows the port's promises."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from vitruvian.core.errors import JournalUnavailable
from vitruvian.core.events import Entry, Receipt, Refusal
from vitruvian.core.identifiers import digest16


class MemorySink:
    """Keeps what it is given; duplicates by source and source id are told apart as the journal does.

    Set `unavailable` to make every call fail as a full disk does; `commit_s` is how long a commit takes.
    """

    def __init__(self, commit_s: float = 0.0) -> None:
        self.entries: list[Entry] = []
        self.refusals: list[Refusal] = []
        self.unavailable = False
        self.commit_s = commit_s
        self._seen: dict[bytes, Entry] = {}

    async def submit(self, entries: Sequence[Entry]) -> list[Receipt]:
        """One receipt an entry, in order."""
        await self._commit()
        return [self._one(entry) for entry in entries]

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        """Keep refusals with their reasons."""
        await self._commit()
        self.refusals += refusals
        return [Receipt("quarantined", 0, refusal.reason) for refusal in refusals]

    async def _commit(self) -> None:
        await asyncio.sleep(self.commit_s)
        if self.unavailable:
            raise JournalUnavailable("found a full disk, expected room for the log; free some space and send again")

    def _one(self, entry: Entry) -> Receipt:
        key = digest16(entry.source, entry.source_id)
        known = self._seen.get(key)
        if known is not None and (known.source_version == entry.source_version or known.events == entry.events):
            return Receipt("duplicate", self.entries.index(known) + 1)
        self._seen[key] = entry
        self.entries.append(entry)
        return Receipt("committed" if known is None else "corrected", len(self.entries))

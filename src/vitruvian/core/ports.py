"""The ports: what the edges are given, so that no edge imports another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from vitruvian.core.events import Entry, Reading, Receipt, Refusal
from vitruvian.core.time import Clock

__all__ = ["Clock", "Reader", "Sink"]


class Sink(Protocol):
    """Where streams put what they received. Returning means durable: only then may the stream acknowledge."""

    async def submit(self, entries: Sequence[Entry]) -> list[Receipt]:
        """Commit the entries; one receipt each, in order.

        Waits while the bounded queue is full (so that the source slows down). Raises JournalUnavailable where
        nothing could be made durable (disk full, I/O error): the stream must then not acknowledge.
        """
        ...

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        """Keep inputs that could not be read, with their reason, in quarantine; durable on return."""
        ...


class Reader(Protocol):
    """Turns the bytes of one message or file into readings; pure, and never raises for bad content."""

    def __call__(self, data: bytes, source: str) -> Sequence[Reading]:
        """Readings in the order of the input."""
        ...

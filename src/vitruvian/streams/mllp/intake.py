"""What becomes of an HL7 v2 message that arrives: committed, then answered.

AA: everything of it that could be taken is durable (what could not be taken is durable in quarantine, and the answer
says so). AE: nothing of it was taken; MSA-3 says why, and the raw message is in quarantine. AR: nothing can be made
durable now; the sender keeps it and sends it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from vitruvian.core.errors import JournalError
from vitruvian.core.events import Reading, Receipt, Refusal
from vitruvian.core.limits import FUTURE_US_MAX, QUARANTINE_BYTES_MAX
from vitruvian.core.ports import Clock, Sink
from vitruvian.records.base import Context
from vitruvian.records.hl7v2 import acknowledge, read_message
from vitruvian.records.hl7v2.acknowledge import AckCode
from vitruvian.records.live import ahead

INLINE_BYTES_MAX: Final = 65_536


class Hl7Intake:
    """The handler of an `MllpServer`: reader, sink and answer for one listener."""

    def __init__(self, sink: Sink, context: Context, clock: Clock) -> None:
        self._sink, self._context, self._clock = sink, context, clock
        self.counts: dict[str, int] = {"AA": 0, "AE": 0, "AR": 0}

    async def __call__(self, data: bytes) -> bytes:
        """Take one message and return its acknowledgement."""
        code, text = await self._take(data)
        self.counts[code] += 1
        return acknowledge(data, code, text, now_us=self._clock.now_us())

    async def _take(self, data: bytes) -> tuple[AckCode, str]:
        large = len(data) > INLINE_BYTES_MAX  # is read on another thread, so that other sources do not wait for it
        reading = (
            await asyncio.to_thread(read_message, data, self._context) if large else read_message(data, self._context)
        )
        reading = self._dated(reading, data)
        try:
            receipts = await self._keep(reading, data)
        except JournalError as error:
            return "AR", f"not committed, send again: {error}"
        if reading.refusal is not None:
            return "AE", f"{reading.refusal.reason}: {reading.refusal.detail}"
        refused = [receipt.reason for receipt in receipts if receipt.outcome == "quarantined"]
        if refused and len(refused) == len(receipts):
            return "AE", refused[0]
        parts = len(refused) + len(reading.refused_parts)
        return "AA", f"{parts} parts are in quarantine" if parts else ""

    async def _keep(self, reading: Reading, data: bytes) -> Sequence[Receipt]:
        """Make all of it durable, in quarantine where it has no other home; the receipts are those of the entries."""
        refusals = list(reading.refused_parts)
        if reading.refusal is not None:
            refusals.append(reading.refusal)
        if reading.ignored:
            # Answered AA, so it must not be lost: it waits in quarantine for the version that has a home for it.
            source = self._context.source or "hl7v2"
            refusals.append(Refusal("no-home", f"{reading.kind}: {reading.ignored}", source, raw=_bounded(data)))
        if refusals:
            await self._sink.refuse(refusals)
        return await self._sink.submit(reading.entries) if reading.entries else []

    def _dated(self, reading: Reading, data: bytes) -> Reading:
        """A live message about more than a day ahead is a broken clock, not news."""
        latest_us = self._clock.now_us() + FUTURE_US_MAX
        if not any(ahead(entry, latest_us) for entry in reading.entries):
            return reading
        refusal = Refusal("future", "found a time over 24 hours ahead, expected the past; set the sender's clock",
                          reading.entries[0].source, reading.entries[0].source_id, _bounded(data))  # fmt: skip
        return Reading(reading.kind, refusal=refusal, unmapped=reading.unmapped)


def _bounded(data: bytes) -> bytes:
    return data[:QUARANTINE_BYTES_MAX]

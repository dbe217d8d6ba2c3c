"""From the broker to the Sink: acknowledge to the broker, and give the device its receipt, only after the commit.

The connection's callback decodes and queues; a committer takes what has gathered, submits it, then sends the PUBACKs
and one receipt for each device. Two submissions may be on their way at once, and are settled in their order. What
waits is bounded: beyond that nothing is read from the socket, the broker holds the rest (its own limit of messages in
flight), and the devices' outboxes hold what the broker does not take. The broker keeps our session while we are away.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from vitruvian.core.errors import ConfigurationError, JournalError, JournalUnavailable, Overloaded
from vitruvian.core.events import Entry, Reading, Receipt, Refusal
from vitruvian.core.limits import COMMIT_ENTRIES_MAX
from vitruvian.core.ports import Sink
from vitruvian.core.time import Clock
from vitruvian.records.live import timely
from vitruvian.streams.mqtt import topics
from vitruvian.streams.mqtt.codec import Message
from vitruvian.streams.mqtt.connection import Address, BrokerUnavailable, Connection, address
from vitruvian.streams.mqtt.payload import decode, refused
from vitruvian.streams.mqtt.receipts import Settled, receipt_packets

__all__ = ["FhirDecoder", "MqttIntake"]

log = logging.getLogger(__name__)

CLIENT_ID: Final = "vitruvian-ward"
WAITING_MESSAGES_MAX: Final = 2 * COMMIT_ENTRIES_MAX
WAITING_BYTES_MAX: Final = 32 << 20
SUBMISSIONS_MAX: Final = 2
LINGER_S: Final = 0.004  # lets a commit gather: at 5,000 messages/s, twenty share one
RETRY_S_FIRST: Final = 0.1
RETRY_S_MAX: Final = 1.0

FhirDecoder = Callable[[str, bytes, int], Sequence[Reading]]
"""(device, payload, now_us) to readings: the FHIR reader, given from above."""


class _Item(NamedTuple):
    connection: Connection
    packet_id: int
    device: str
    payload: bytes
    readings: Sequence[Reading]


class MqttIntake:
    """Subscribes to every device's topics and puts what they say into `sink`. `run()` until cancelled.

    `clock` is the ward's clinical clock. `decode_fhir` reads the `fhir` topic; without it they go to quarantine.
    `counts` are cumulative; `last_message_us` is the clock's time of the last message, for an alarm on silence.
    """

    def __init__(
        self,
        broker: str | Address,
        sink: Sink,
        clock: Clock,
        *,
        client_id: str = CLIENT_ID,
        decode_fhir: FhirDecoder | None = None,
    ) -> None:
        self._where = address(broker) if isinstance(broker, str) else broker
        self._sink, self._clock, self._client_id = sink, clock, client_id
        self._decode_fhir = decode_fhir
        self._waiting: deque[_Item] = deque()
        self._waiting_bytes = 0
        self._arrived = asyncio.Event()
        self._connection: Connection | None = None
        self._paused = False
        self.ready = asyncio.Event()
        self.last_message_us: int | None = None
        self.counts: dict[str, int] = dict.fromkeys(
            ("messages", "bytes", "entries", "refused", "refused_parts", "foreign", "commits", "connects", "pauses"), 0
        )

    @property
    def connected(self) -> bool:
        """Whether the subscription stands."""
        return self.ready.is_set()

    @property
    def waiting(self) -> int:
        """Messages received and not yet settled to a submission."""
        return len(self._waiting)

    async def run(self) -> None:
        """Keep connected and commit, until cancelled. ConfigurationError where the broker refuses our subscription."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._stay_connected())
            tasks.create_task(self._commit_all())

    # --- the connection ---

    async def _stay_connected(self) -> None:
        pause_s = RETRY_S_FIRST
        try:
            while True:
                try:
                    await self._connect()
                    pause_s = RETRY_S_FIRST
                    assert self._connection is not None
                    await self._connection.lost
                    log.warning("the connection to the broker at %r was lost; connecting again", self._where)
                except BrokerUnavailable as error:
                    if pause_s < RETRY_S_MAX:
                        log.warning("%s; trying again", error)
                self.ready.clear()
                self._discard()
                await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
                pause_s = min(2 * pause_s, RETRY_S_MAX)
        finally:
            self.ready.clear()
            if self._connection is not None:
                self._connection.close()

    async def _connect(self) -> None:
        self._paused = False
        # The broker delivers what waited as soon as it accepts us, before `open` returns: the callback needs the
        # connection these messages came on, so it is made first.
        connection = Connection(self._received, None)
        self._connection = connection
        try:
            await connection.connect(self._where, self._client_id, clean_session=False)
            await connection.subscribe(topics.filters(), 1)
        except (BrokerUnavailable, ConfigurationError):
            connection.abort()
            raise
        self.counts["connects"] += 1
        self.ready.set()

    def _discard(self) -> None:
        """Forget what waits of a lost connection: unacknowledged, the broker sends it again."""
        self._waiting.clear()
        self._waiting_bytes = 0
        self._arrived.clear()

    def _received(self, messages: list[Message]) -> None:
        connection, now_us = self._connection, self._clock.now_us()
        assert connection is not None
        self.last_message_us = now_us
        self.counts["messages"] += len(messages)
        for message in messages:
            self._waiting_bytes += len(message.payload)
            self.counts["bytes"] += len(message.payload)
            topic = topics.parse(message.topic)
            if topic is None:
                self.counts["foreign"] += 1
                self._waiting.append(_Item(connection, message.packet_id, "", b"", ()))
                continue
            readings: Sequence[Reading]
            if topic.channel == "fhir" and self._decode_fhir is not None:
                readings = self._read_fhir(topic, message.payload, now_us)
            else:
                readings = (decode(topic, message.payload, now_us),)
            self._waiting.append(_Item(connection, message.packet_id, topic.device, message.payload, readings))
        self._arrived.set()
        full = len(self._waiting) > WAITING_MESSAGES_MAX or self._waiting_bytes > WAITING_BYTES_MAX
        if full and not self._paused:
            self._paused = True
            self.counts["pauses"] += 1
            connection.pause_reading()

    def _read_fhir(self, topic: topics.Topic, payload: bytes, now_us: int) -> Sequence[Reading]:
        """The FHIR reader is not ours and must not end the stream."""
        assert self._decode_fhir is not None
        try:
            readings = self._decode_fhir(topic.device, payload, now_us)
        except Exception:
            log.exception("the FHIR reader failed on a message; it goes to quarantine")
            readings = ()
        if readings:
            return timely(readings, now_us)
        return (refused(topic, "unreadable", "found nothing that the FHIR reader takes", payload),)

    # --- the commits ---

    async def _commit_all(self) -> None:
        slots = asyncio.Semaphore(SUBMISSIONS_MAX)
        before: asyncio.Task[None] | None = None
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._arrived.wait()
                await slots.acquire()
                if len(self._waiting) < COMMIT_ENTRIES_MAX:
                    await asyncio.sleep(LINGER_S)
                items = self._take()
                if not items:
                    slots.release()
                    continue
                before = tasks.create_task(self._settle(items, before, slots))

    def _take(self) -> list[_Item]:
        count = min(len(self._waiting), COMMIT_ENTRIES_MAX)
        items = [self._waiting.popleft() for _ in range(count)]
        self._waiting_bytes -= sum(len(item.payload) for item in items)
        if not self._waiting:
            self._waiting_bytes = 0
            self._arrived.clear()
        if (
            self._paused
            and len(self._waiting) < WAITING_MESSAGES_MAX // 2
            and self._waiting_bytes < WAITING_BYTES_MAX // 2
        ):
            self._paused = False
            if self._connection is not None:
                self._connection.resume_reading()
        return items

    async def _settle(self, items: list[_Item], before: asyncio.Task[None] | None, slots: asyncio.Semaphore) -> None:
        try:
            settled = await self._submit(items)
            if before is not None:
                await asyncio.wait([before])  # PUBACKs go out in the order of the messages [MQTT-4.6.0-2]
            await self._acknowledge(items, settled)
        finally:
            slots.release()

    async def _submit(self, items: list[_Item]) -> list[Settled]:
        """Make everything durable; returns only then, however long the journal cannot."""
        entries: list[Entry] = []
        refusals: list[Refusal] = []
        for item in items:
            for reading in item.readings:
                entries.extend(reading.entries)
                if reading.refusal is not None:
                    refusals.append(reading.refusal)
                refusals.extend(reading.refused_parts)
                self.counts["refused_parts"] += len(reading.refused_parts)
                self.counts["refused"] += reading.refusal is not None
        receipts = await self._keep(entries) if entries else []
        if refusals:
            await self._refuse(refusals)
        self.counts["entries"] += len(entries)
        self.counts["commits"] += 1
        kept = iter(receipts)
        return [
            Settled(
                item.device, item.payload, item.readings, [next(kept) for one in item.readings for _ in one.entries]
            )
            for item in items
            if item.readings
        ]

    async def _keep(self, entries: list[Entry]) -> list[Receipt]:
        try:
            return await self._persist(lambda: self._sink.submit(entries))
        except JournalError as error:
            if len(entries) == 1:  # this one cannot be kept, whatever is tried: not a reason to hold up the others
                only = entries[0]
                return await self._refuse([Refusal("not-kept", str(error)[:500], only.source, only.source_id)])
        receipts: list[Receipt] = []
        for entry in entries:
            receipts += await self._keep([entry])
        return receipts

    async def _refuse(self, refusals: list[Refusal]) -> list[Receipt]:
        try:
            return await self._persist(lambda: self._sink.refuse(refusals))
        except JournalError as error:
            if len(refusals) == 1:
                log.error("a refused message could not be quarantined either: %s", error)
                return [Receipt("quarantined", 0, refusals[0].reason)]
        return [(await self._refuse([refusal]))[0] for refusal in refusals]

    async def _persist(self, attempt: Callable[[], Awaitable[list[Receipt]]]) -> list[Receipt]:
        pause_s = RETRY_S_FIRST
        while True:
            try:
                return await attempt()
            except (JournalUnavailable, Overloaded) as error:
                log.error("the journal cannot keep what came over MQTT (%s); nothing acknowledged, trying again", error)
            except JournalError:
                raise
            except Exception:  # a fault of ours must not end the stream: it stalls, loudly, and loses nothing
                log.exception("a commit of what came over MQTT failed; nothing acknowledged, trying again")
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RETRY_S_MAX)

    async def _acknowledge(self, items: list[_Item], settled: list[Settled]) -> None:
        """PUBACK on the connection that delivered; receipts on the one that stands."""
        connection = self._connection
        if connection is None or connection.lost.done():
            return  # the broker will deliver again, and the devices send again: duplicates vanish
        connection.acknowledge(item.packet_id for item in items if item.connection is connection)
        connection.write_packets(receipt_packets(settled))
        try:
            await connection.writable()
        except BrokerUnavailable:
            pass

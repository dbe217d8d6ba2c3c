"""The device's end: say it, keep it, send it, send it again, until the ward's receipt.

One client speaks for one device or, as a central station does, for many. `Client` keeps an outbox; `LightClient` keeps
nothing and only waits for the broker, which is for measuring how much a pipeline bears.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Protocol, Self

import msgspec

from vitruvian.bedside.outbox import Outbox, Outgoing, Queued
from vitruvian.core.errors import Overloaded
from vitruvian.streams.mqtt import codec, topics
from vitruvian.streams.mqtt.codec import Message
from vitruvian.streams.mqtt.connection import Address, BrokerUnavailable, Connection, address
from vitruvian.streams.mqtt.messages import DeviceReceipt
from vitruvian.streams.mqtt.receipts import UNNAMED, digest

__all__ = ["Client", "LightClient", "Sender"]

log = logging.getLogger(__name__)

WINDOW: Final = 4_096  # messages sent and without a receipt, at most; as with TCP, a slow ward or broker halves it
WINDOW_FIRST: Final = 256
WINDOW_MIN: Final = 32
QUEUEING_S_MAX: Final = 0.5
UNANSWERED_MAX: Final = 32_768  # packet ids the broker has not acknowledged; there are 65,535
RESEND_S: Final = 5.0
RESEND_S_MAX: Final = 60.0
RETRY_S_FIRST: Final = 0.1
RETRY_S_MAX: Final = 1.0
FILTERS_MAX: Final = 64  # with more devices than this, one wildcard
_RECEIPT: Final = msgspec.json.Decoder(DeviceReceipt)


class Sender(Protocol):
    """What monitors and replays need of a client."""

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Take messages over; waits while there is no room."""
        ...


class _Flight:
    """A message sent and without a receipt. `acknowledged_at` is the broker's; before it, time is not held against
    the ward: the message is still on its way.
    """

    __slots__ = ("acknowledged_at", "again", "n", "sent_at")

    def __init__(self, n: int, sent_at: float, again: bool) -> None:
        self.n, self.sent_at, self.again = n, sent_at, again
        self.acknowledged_at: float | None = None


class Client:
    """Publishes at QoS 1 what its outbox holds, and drops a message only on the ward's receipt.

    Use it as `async with Client(url, Outbox(path), devices=[...]) as client: await client.send(...)`. A message without
    a receipt is sent again on each new connection, and after 5 s or four usual round trips, twice as long each time it
    happens, up to 60 s. `refused` counts by reason what the ward put in quarantine.
    """

    def __init__(
        self,
        broker: str | Address,
        outbox: Outbox,
        *,
        client_id: str,
        devices: Sequence[str] = (),
        window: int = WINDOW,
        resend_s: float = RESEND_S,
    ) -> None:
        self._where = address(broker) if isinstance(broker, str) else broker
        self._outbox, self._client_id, self._window = outbox, client_id, window
        self._resend_s, self._patience = resend_s, 1.0
        self._round_trip_s = 0.0
        self._room = float(min(WINDOW_FIRST, window))
        self._devices = frozenset(devices)
        few = [f"{topics.PREFIX}/{one}/receipts" for one in devices]
        self._filters = few if 0 < len(few) <= FILTERS_MAX else [f"{topics.PREFIX}/+/receipts"]
        self._cursor = 0
        self._in_flight: OrderedDict[tuple[str, str], _Flight] = OrderedDict()
        self._unanswered: dict[int, _Flight] = {}
        self._connection: Connection | None = None
        self._wake = asyncio.Event()
        self._less = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()
        self.refused: dict[str, int] = {}
        self.counts: dict[str, int] = dict.fromkeys(("sent", "resent", "receipted", "connects"), 0)

    async def __aenter__(self) -> Self:
        """Begin to connect and send."""
        self._task = asyncio.create_task(self._run(), name=f"device {self._client_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop sending; what has no receipt stays in the outbox."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection is not None:
            self._connection.close()

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Keep messages in the outbox (durable on return) and send them as soon as may be; waits while it is full."""
        while not self._outbox.room(messages):
            if not len(self._outbox):
                raise Overloaded("found more in one call than the outbox can ever hold; send less at once")
            await self._any_less()
        self._outbox.put(messages)
        self._wake.set()

    async def drained(self) -> None:
        """Wait until the ward has kept everything."""
        while len(self._outbox):
            await self._any_less()

    async def _any_less(self) -> None:
        self._less.clear()
        await self._less.wait()

    async def _run(self) -> None:
        pause_s, kept = RETRY_S_FIRST, 0
        while True:
            try:
                kept = self.counts["receipted"]
                await self._connect()
                await self._serve()
            except BrokerUnavailable as error:
                log.info("%s: %s", self._client_id, error)
            except Exception:
                log.exception("%s: sending failed; connecting again", self._client_id)
            self.connected.clear()
            if self._connection is not None:
                self._connection.abort()
            if (
                self.counts["receipted"] > kept
            ):  # else a broker that is full hangs up on whoever publishes: do not press
                pause_s = RETRY_S_FIRST
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(2 * pause_s, RETRY_S_MAX)

    async def _connect(self) -> None:
        self._connection = connection = Connection(self._received, self._acknowledged)
        await connection.connect(self._where, self._client_id)
        await connection.subscribe(self._filters, 0)
        self._cursor = 0  # what the last connection carried may be lost with it: everything goes out again
        self._in_flight.clear()
        self._unanswered.clear()
        self._room = float(min(WINDOW_FIRST, self._window))
        self.counts["connects"] += 1
        self.connected.set()

    async def _serve(self) -> None:
        connection = self._connection
        assert connection is not None
        while True:
            await connection.writable()
            self._wake.clear()
            self._publish(self._overdue(), again=True)
            room = min(int(self._room) - len(self._in_flight), UNANSWERED_MAX - len(self._unanswered))
            if room > 0:
                fresh = self._outbox.pending(self._cursor, room)
                if fresh:
                    self._cursor = fresh[-1].n
                    self._publish(fresh)
            if not self._wake.is_set():
                try:
                    async with asyncio.timeout(min(0.5, self._resend_s / 4)):
                        await self._wake.wait()
                except TimeoutError:
                    continue

    def _overdue(self) -> list[Queued]:
        """What the broker took and the ward was silent about for too long. The oldest are first: the look is short."""
        now = time.monotonic()
        limit_s = min(self._patience * max(self._resend_s, 4 * self._round_trip_s), RESEND_S_MAX)
        numbers: list[int] = []
        for flight in self._in_flight.values():
            since = flight.acknowledged_at
            if (
                now - (flight.sent_at + RESEND_S_MAX if since is None else since) < limit_s
                or len(numbers) >= WINDOW_MIN
            ):
                break
            numbers.append(flight.n)
        if not numbers:
            return []
        # Sending more to who is behind makes it worse: send less, and wait longer next time.
        self._room = max(float(WINDOW_MIN), self._room / 2)
        self._patience *= 2
        self.counts["resent"] += len(numbers)
        return self._outbox.get(numbers)

    def _publish(self, messages: Sequence[Queued], *, again: bool = False) -> None:
        connection = self._connection
        if not messages or connection is None:
            return
        now = time.monotonic()
        packets = []
        for message in messages:
            packet_id = connection.next_id()
            while packet_id in self._unanswered:
                packet_id = connection.next_id()
            flight = self._unanswered[packet_id] = _Flight(message.n, now, again)
            key = (message.device, message.id)
            self._in_flight[key] = flight
            self._in_flight.move_to_end(key)
            packets.append(codec.publish(message.topic, message.payload, packet_id))
        connection.write_packets(packets)
        self.counts["sent"] += len(packets)

    def _acknowledged(self, packet_ids: list[int]) -> None:
        full = len(self._unanswered) >= UNANSWERED_MAX
        now = time.monotonic()
        for packet_id in packet_ids:
            flight = self._unanswered.pop(packet_id, None)
            if flight is not None:
                flight.acknowledged_at = now
        if full:
            self._wake.set()

    def _received(self, messages: list[Message]) -> None:
        keys: list[tuple[str, str]] = []
        for message in messages:
            device = message.topic.split(b"/")[-2].decode(errors="replace")
            try:
                receipt = _RECEIPT.decode(message.payload)
            except msgspec.DecodeError:
                log.warning("%s: a receipt that cannot be read; ignored", self._client_id)
                continue
            for one in receipt.ids:
                keys += self._named_by(device, one) if one.startswith(UNNAMED) else [(device, one)]
            for part in receipt.refused:
                self.refused[part.reason] = self.refused.get(part.reason, 0) + 1
        mine = [key for key in keys if not self._devices or key[0] in self._devices]
        if not mine:
            return
        now = time.monotonic()
        for key in mine:
            flight = self._in_flight.pop(key, None)
            if flight is not None and not flight.again:
                self._patience = 1.0
                taken_s = now - flight.sent_at
                self._round_trip_s += (taken_s - self._round_trip_s) / 8
                # What is in the outbox is as safe as what is on its way, and new readings should not queue behind it.
                change = 1.0 if taken_s < QUEUEING_S_MAX else -0.5
                self._room = min(max(self._room + change, float(WINDOW_MIN)), float(self._window))
        self.counts["receipted"] += self._outbox.remove(mine)
        self._wake.set()
        self._less.set()

    def _named_by(self, device: str, wanted: str) -> list[tuple[str, str]]:
        """The message of a device whose id the ward could not read."""
        numbers = [flight.n for key, flight in self._in_flight.items() if key[0] == device]
        return [(one.device, one.id) for one in self._outbox.get(numbers) if digest(one.payload) == wanted]


class LightClient:
    """Publishes at QoS 1 within a window of what the broker has not acknowledged; keeps nothing, sends nothing twice.

    `counts["acknowledged"]` follows `counts["sent"]`. A lost connection is an error: BrokerUnavailable.
    """

    def __init__(self, broker: str | Address, *, client_id: str, window: int = 2_000) -> None:
        self._where = address(broker) if isinstance(broker, str) else broker
        self._client_id, self._window = client_id, min(window, UNANSWERED_MAX)
        self._connection: Connection | None = None
        self._answered = asyncio.Event()
        self.counts: dict[str, int] = {"sent": 0, "acknowledged": 0}

    async def __aenter__(self) -> Self:
        """Connect."""
        self._connection = await Connection.open(self._where, self._client_id, lambda _: None, self._acknowledged)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()

    async def send(self, messages: Sequence[Outgoing]) -> None:
        """Publish, as much at once as the window has room for."""
        connection = self._connection
        assert connection is not None
        at = 0
        while at < len(messages):
            await connection.writable()
            room = self._window - (self.counts["sent"] - self.counts["acknowledged"])
            if room <= 0:
                await self._answer(connection)
                continue
            some = messages[at : at + room]
            connection.write_packets([codec.publish(one.topic, one.payload, connection.next_id()) for one in some])
            at += len(some)
            self.counts["sent"] += len(some)

    async def drained(self) -> None:
        """Wait until the broker has acknowledged everything."""
        assert self._connection is not None
        while self.counts["acknowledged"] < self.counts["sent"]:
            await self._answer(self._connection)

    async def _answer(self, connection: Connection) -> None:
        self._answered.clear()
        connection.lost.add_done_callback(self._hung_up)
        await self._answered.wait()
        connection.lost.remove_done_callback(self._hung_up)
        if connection.lost.done():
            raise BrokerUnavailable("the connection to the broker is gone; what it had not acknowledged may be lost")

    def _hung_up(self, _: asyncio.Future[None]) -> None:
        self._answered.set()

    def _acknowledged(self, packet_ids: list[int]) -> None:
        self.counts["acknowledged"] += len(packet_ids)
        self._answered.set()

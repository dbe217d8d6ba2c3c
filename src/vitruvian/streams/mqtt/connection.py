"""One MQTT connection on asyncio: connect, subscribe, publish, acknowledge, notice that it is gone.

Nothing is acknowledged here on its own: the owner says which packet ids to PUBACK, and when. Nothing is retried here
either: a lost connection ends it, and its owner makes another (`intake.py`, `bedside/device.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, cast
from urllib.parse import unquote, urlsplit

from vitruvian.core.errors import ConfigurationError, ReadingError, VitruvianError
from vitruvian.streams.mqtt import codec
from vitruvian.streams.mqtt.codec import Message

__all__ = ["Address", "BrokerUnavailable", "Connection", "address"]

CONNECT_S_MAX: Final = 5.0
KEEPALIVE_S: Final = 10
DEFAULT_PORT: Final = 1883
DEFAULT_TLS_PORT: Final = 8883
PACKET_IDS: Final = 65_535


class BrokerUnavailable(VitruvianError):
    """The broker cannot be reached, refuses us, or went away: try again."""


class Address(NamedTuple):
    """Where a broker is, read from `mqtt://[user:password@]host[:port]` (`mqtts://` for TLS)."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        """Without the password: this text ends up in logs."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"


def address(url: str) -> Address:
    """Read a broker's URL; ConfigurationError where it is none."""
    try:
        parts = urlsplit(url if "://" in url else f"mqtt://{url}")
        port = parts.port
    except ValueError as error:
        raise ConfigurationError("found a broker URL that cannot be read, expected mqtt://host:1883") from error
    if parts.scheme not in ("mqtt", "mqtts", "tcp") or not parts.hostname:
        raise ConfigurationError(f"found broker URL scheme {parts.scheme!r}, expected mqtt://host:1883 or mqtts://")
    tls = parts.scheme == "mqtts"
    return Address(
        parts.hostname,
        port or (DEFAULT_TLS_PORT if tls else DEFAULT_PORT),
        tls,
        unquote(parts.username) if parts.username else None,
        unquote(parts.password) if parts.password else None,
    )


class Connection(asyncio.Protocol):
    """A connected client. Make it with `Connection.open`.

    `on_messages` gets each run of received messages, `on_pubacks` each run of acknowledged packet ids; both are
    called from the event loop and must not block. `lost` is a future that completes when the connection is gone.
    """

    def __init__(
        self,
        on_messages: Callable[[list[Message]], None],
        on_pubacks: Callable[[list[int]], None] | None = None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._on_messages = on_messages
        self._on_pubacks = on_pubacks
        self._parser = codec.Parser()
        self._transport: asyncio.Transport | None = None
        self._connack: asyncio.Future[tuple[bool, int]] = loop.create_future()
        self._subacks: dict[int, asyncio.Future[bytes]] = {}
        self._packet_id = 0
        self._heard_at = self._sent_at = loop.time()
        self._keepalive: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.session_present = False
        self.reason = ""

    @classmethod
    async def open(
        cls,
        where: Address,
        client_id: str,
        on_messages: Callable[[list[Message]], None],
        on_pubacks: Callable[[list[int]], None] | None = None,
        *,
        clean_session: bool = True,
        keepalive_s: int = KEEPALIVE_S,
    ) -> Connection:
        """A connection made and connected. See `connect`."""
        self = cls(on_messages, on_pubacks)
        await self.connect(where, client_id, clean_session=clean_session, keepalive_s=keepalive_s)
        return self

    async def connect(
        self, where: Address, client_id: str, *, clean_session: bool = True, keepalive_s: int = KEEPALIVE_S
    ) -> None:
        """Connect and be accepted within 5 s; BrokerUnavailable where that fails.

        ConfigurationError for a client id with blanks, which nats-server refuses.
        """
        if not client_id.isprintable() or " " in client_id or not client_id:
            raise ConfigurationError(f"found MQTT client id {client_id!r}, expected one without blanks; rename it")
        loop = asyncio.get_running_loop()
        context = ssl.create_default_context() if where.tls else None
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                await loop.create_connection(lambda: self, where.host, where.port, ssl=context)
                self._write(
                    codec.connect(
                        client_id,
                        clean_session=clean_session,
                        keepalive_s=keepalive_s,
                        user=where.user,
                        password=where.password,
                    )
                )
                self.session_present, code = await self._connack
        except (OSError, TimeoutError) as error:
            self.abort()
            raise BrokerUnavailable(f"no answer from the broker at {where!r}; is it running?") from error
        except BaseException:
            self.abort()
            raise
        if code:
            self.abort()
            raise BrokerUnavailable(f"{where!r} refused: {codec.CONNECT_REFUSALS.get(code, f'code {code}')}")
        self._tick(keepalive_s)

    # --- what the owner asks ---

    async def subscribe(self, filters: Sequence[str], qos: int) -> None:
        """Subscribe and wait for the grant; ConfigurationError where the broker refuses a filter."""
        packet_id = self.next_id()
        granted: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._subacks[packet_id] = granted
        self._write(codec.subscribe(packet_id, filters, qos))
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                codes = await granted
        except TimeoutError as error:
            raise BrokerUnavailable("the broker did not answer a subscription within 5 s") from error
        finally:
            self._subacks.pop(packet_id, None)
        if 0x80 in codes:
            raise ConfigurationError("the broker refuses our subscription; grant it read access to the ward's topics")

    def next_id(self) -> int:
        """A packet id, 1 to 65535 in turn; the owner keeps fewer than that in flight."""
        self._packet_id = self._packet_id % PACKET_IDS + 1
        return self._packet_id

    def publish(self, topic: bytes, payload: bytes, packet_id: int = 0, *, duplicate: bool = False) -> None:
        """Send one message, at QoS 1 with a packet id, else at QoS 0."""
        self._write(codec.publish(topic, payload, packet_id, duplicate=duplicate))

    def write_packets(self, packets: Iterable[bytes]) -> None:
        """Send packets made with `codec`, as one write."""
        self._write(b"".join(packets))

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """PUBACK these, as one write; ids of 0 (QoS 0) are passed over."""
        data = codec.pubacks(one for one in packet_ids if one)
        if data:
            self._write(data)

    async def writable(self) -> None:
        """Wait while the socket's buffer is full; BrokerUnavailable where the connection is gone."""
        await self._writable.wait()
        if self.lost.done():
            raise BrokerUnavailable("the connection to the broker is gone")

    def pause_reading(self) -> None:
        """Take nothing more from the socket: the broker, then the devices, slow down."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take from the socket again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._heard_at = asyncio.get_running_loop().time()  # the silence was ours

    def close(self) -> None:
        """Say goodbye, and close once what was written is sent."""
        if self._transport is not None and not self._transport.is_closing():
            with contextlib.suppress(RuntimeError):  # uvloop's transport may be gone with a cancelled connect, untold
                self._transport.write(codec.disconnect())
                self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # --- what asyncio tells ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without being a subclass

    def data_received(self, data: bytes) -> None:
        """Parse what came and hand it on; hang up on a peer that does not speak MQTT."""
        self._heard_at = asyncio.get_running_loop().time()
        try:
            packets = self._parser.feed(data)
        except ReadingError as error:
            self.reason = str(error)
            self.abort()
            return
        if packets.connack is not None and not self._connack.done():
            self._connack.set_result(packets.connack)
        for packet_id, codes in packets.subacks:
            waiting = self._subacks.get(packet_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(codes)
        if packets.pubacks and self._on_pubacks is not None:
            self._on_pubacks(packets.pubacks)
        if packets.messages:
            self._on_messages(packets.messages)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever waits."""
        if self._keepalive is not None:
            self._keepalive.cancel()
        gone = BrokerUnavailable("the connection to the broker is gone")
        waiters: list[asyncio.Future[tuple[bool, int]] | asyncio.Future[bytes]] = [
            self._connack,
            *self._subacks.values(),
        ]
        for waiting in waiters:
            if not waiting.done():
                waiting.set_exception(gone)
                waiting.exception()  # whoever awaited it has it; an unawaited one is no error
        if not self.lost.done():
            self.lost.set_result(None)
        self._writable.set()

    def pause_writing(self) -> None:
        """The socket's buffer is full."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """There is room again."""
        self._writable.set()

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._sent_at = asyncio.get_running_loop().time()

    def _tick(self, keepalive_s: int) -> None:
        """Ping when we were silent; hang up when the broker was, for one and a half times as long [3.1.2.10]."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        reading = self._transport is not None and self._transport.is_reading()
        if reading and now - self._heard_at > 1.5 * keepalive_s:
            self.reason = "the broker was silent"
            self.abort()
            return
        if now - min(self._heard_at, self._sent_at) >= keepalive_s / 2:
            self._write(codec.pingreq())
        self._keepalive = loop.call_later(keepalive_s / 4, self._tick, keepalive_s)

"""MQTT 3.1.1 control packets, to bytes and from them; pure.

Only what a client needs that publishes and subscribes at QoS 0 and 1. The parser hands over whole runs of packets at
once, because at thousands of messages a second the cost is in the calls, not in the bytes.

Source: MQTT Version 3.1.1, OASIS Standard, 29 October 2014 (sections named in brackets).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final, NamedTuple

from vitruvian.core.errors import LimitError, ReadingError

__all__ = [
    "CONNECT_REFUSALS",
    "PACKET_BYTES_MAX",
    "Message",
    "Packets",
    "Parser",
    "connect",
    "disconnect",
    "pingreq",
    "pubacks",
    "publish",
    "subscribe",
]

PACKET_BYTES_MAX: Final = 4 << 20  # a larger packet ends the connection: it is not a device's message
_TEXT_BYTES_MAX: Final = 65_535
_LENGTH_BYTES_MAX: Final = 4

CONNACK, PUBLISH, PUBACK, SUBACK, UNSUBACK, PINGRESP = 2, 3, 4, 9, 11, 13

# [3.2.2.3]
CONNECT_REFUSALS: Final = {
    1: "the broker does not speak MQTT 3.1.1",
    2: "the broker does not accept the client identifier",
    3: "the broker is unavailable",
    4: "the user name or password is malformed",
    5: "the client is not authorised",
}


class Message(NamedTuple):
    """One PUBLISH as received. `packet_id` is 0 at QoS 0, else what a PUBACK must carry."""

    topic: bytes
    payload: bytes
    packet_id: int
    duplicate: bool
    retained: bool


class Packets(NamedTuple):
    """What a run of bytes held, each kind in the order received.

    `connack` is (session present, return code); `subacks` are (packet id, granted QoS of each filter, 128 = refused).
    """

    messages: list[Message]
    pubacks: list[int]
    subacks: list[tuple[int, bytes]]
    connack: tuple[bool, int] | None
    pong: bool


def _length(count: int) -> bytes:
    """The variable-length remaining length [2.2.3]."""
    if count < 128:
        return bytes((count,))
    if count > PACKET_BYTES_MAX:
        raise LimitError(f"found a packet of {count} bytes, expected at most {PACKET_BYTES_MAX}; send less at once")
    out = bytearray()
    while True:
        count, digit = count >> 7, count & 127
        out.append(digit | 128 if count else digit)
        if not count:
            return bytes(out)


def _text(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    if len(data) > _TEXT_BYTES_MAX:
        raise LimitError(f"found a text of {len(data)} bytes, expected at most {_TEXT_BYTES_MAX}; shorten it")
    return len(data).to_bytes(2, "big") + data


def connect(
    client_id: str,
    *,
    clean_session: bool,
    keepalive_s: int,
    user: str | None = None,
    password: str | None = None,
) -> bytes:
    """CONNECT [3.1]: with `clean_session` False the broker keeps subscriptions and unacknowledged messages."""
    flags = 0x02 if clean_session else 0
    body = _text(client_id)
    if user is not None:
        flags |= 0x80
        body += _text(user)
        if password is not None:
            flags |= 0x40
            body += _text(password)
    head = b"\x00\x04MQTT\x04" + bytes((flags,)) + keepalive_s.to_bytes(2, "big")
    return b"\x10" + _length(len(head) + len(body)) + head + body


def publish(
    topic: bytes, payload: bytes, packet_id: int = 0, *, duplicate: bool = False, retain: bool = False
) -> bytes:
    """PUBLISH [3.3]: QoS 1 where `packet_id` is not 0, else QoS 0."""
    first = 0x30 | (0x02 if packet_id else 0) | (0x08 if duplicate else 0) | (0x01 if retain else 0)
    if packet_id:
        size = len(topic) + len(payload) + 4
        return b"%c%b%b%b%b%b" % (
            first, _length(size), len(topic).to_bytes(2, "big"), topic, packet_id.to_bytes(2, "big"), payload,
        )  # fmt: skip
    size = len(topic) + len(payload) + 2
    return b"%c%b%b%b%b" % (first, _length(size), len(topic).to_bytes(2, "big"), topic, payload)


def pubacks(packet_ids: Iterable[int]) -> bytes:
    """One PUBACK [3.4] for each packet id, joined."""
    return b"".join([b"\x40\x02" + packet_id.to_bytes(2, "big") for packet_id in packet_ids])


def subscribe(packet_id: int, filters: Iterable[str], qos: int) -> bytes:
    """SUBSCRIBE [3.8] to topic filters, all at one QoS."""
    body = packet_id.to_bytes(2, "big") + b"".join(_text(one) + bytes((qos,)) for one in filters)
    return b"\x82" + _length(len(body)) + body


def pingreq() -> bytes:
    """PINGREQ [3.12]."""
    return b"\xc0\x00"


def disconnect() -> bytes:
    """DISCONNECT [3.14]."""
    return b"\xe0\x00"


_U16: Final = struct.Struct(">H")


class Parser:
    """Bytes as they come from the socket to whole packets; what is incomplete waits for the next call."""

    def __init__(self, packet_bytes_max: int = PACKET_BYTES_MAX) -> None:
        self._packet_bytes_max = packet_bytes_max
        self._rest = b""

    def feed(self, data: bytes) -> Packets:
        """The packets completed by `data`. ReadingError where the peer does not speak MQTT: hang up then."""
        if self._rest:
            data = self._rest + data
        packets = Packets([], [], [], None, False)
        at, size = 0, len(data)
        try:
            while at + 2 <= size:
                first = data[at]
                length = data[at + 1]
                start = at + 2
                if length > 127:
                    length, start = self._long_length(data, at + 1)
                    if start < 0:
                        break
                end = start + length
                if end > size:
                    break
                if first & 0xF0 == 0x30:
                    packets.messages.append(_message(first, data, start, end))
                elif first == 0x40 and length == 2:
                    packets.pubacks.append(_U16.unpack_from(data, start)[0])
                else:
                    packets = _other(first >> 4, data[start:end], packets)
                at = end
        except (IndexError, struct.error) as error:
            raise ReadingError("found a malformed MQTT packet, expected MQTT 3.1.1; check the broker") from error
        self._rest = data[at:]
        return packets

    def _long_length(self, data: bytes, at: int) -> tuple[int, int]:
        """(length, where the body starts); the start is -1 where the length itself is not complete yet."""
        length = 0
        for index in range(_LENGTH_BYTES_MAX):
            if at + index >= len(data):
                return 0, -1
            digit = data[at + index]
            length |= (digit & 127) << (7 * index)
            if digit < 128:
                if length > self._packet_bytes_max:
                    raise ReadingError(
                        f"found an MQTT packet of {length} bytes, expected at most {self._packet_bytes_max}"
                    )
                return length, at + index + 1
        raise ReadingError("found a malformed MQTT length, expected MQTT 3.1.1; check the broker")


def _message(first: int, data: bytes, start: int, end: int) -> Message:
    topic_end = start + 2 + (data[start] << 8 | data[start + 1])
    quality = first & 0x06
    body = topic_end
    packet_id = 0
    if quality == 0x02:
        packet_id = data[topic_end] << 8 | data[topic_end + 1]
        body += 2
    if body > end or quality > 0x02 or (quality and not packet_id):
        raise ReadingError("found a malformed PUBLISH, expected QoS 0 or 1 within its length; check the broker")
    return Message(data[start + 2 : topic_end], data[body:end], packet_id, first & 0x08 != 0, first & 0x01 != 0)


def _other(kind: int, body: bytes, packets: Packets) -> Packets:
    if kind == CONNACK:
        return packets._replace(connack=(bool(body[0] & 1), body[1]))
    if kind == SUBACK:
        packets.subacks.append((_U16.unpack_from(body)[0], body[2:]))
        return packets
    if kind == PINGRESP:
        return packets._replace(pong=True)
    if kind == UNSUBACK:
        return packets
    raise ReadingError(f"found MQTT packet type {kind}, which a client does not receive; check the broker")

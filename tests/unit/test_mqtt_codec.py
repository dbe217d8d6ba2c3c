"""MQTT packets to bytes and back."""

from __future__ import annotations

import pytest

from vitruvian.core.errors import ConfigurationError, LimitError, ReadingError
from vitruvian.streams.mqtt import codec
from vitruvian.streams.mqtt.connection import Address, address


def test_packets_as_the_standard_writes_them() -> None:
    assert codec.connect("c", clean_session=False, keepalive_s=10) == b"\x10\x0d\x00\x04MQTT\x04\x00\x00\x0a\x00\x01c"
    assert codec.connect("c", clean_session=True, keepalive_s=1, user="u", password="p").endswith(
        b"MQTT\x04\xc2\x00\x01\x00\x01c\x00\x01u\x00\x01p"
    )
    assert codec.publish(b"a/b", b"xy") == b"\x30\x07\x00\x03a/bxy"
    assert codec.publish(b"a/b", b"xy", 258, duplicate=True) == b"\x3a\x09\x00\x03a/b\x01\x02xy"
    assert codec.subscribe(10, ["a/b", "c"], 1) == b"\x82\x0c\x00\x0a\x00\x03a/b\x01\x00\x01c\x01"
    assert codec.pubacks([1, 515]) == b"\x40\x02\x00\x01\x40\x02\x02\x03"
    assert (codec.pingreq(), codec.disconnect()) == (b"\xc0\x00", b"\xe0\x00")


@pytest.mark.parametrize("size", [0, 1, 110, 127, 128, 16_383, 16_384, 300_000])
def test_a_message_of_any_length_comes_back(size: int) -> None:
    payload = bytes(range(256)) * (size // 256) + b"z" * (size % 256)
    packet = codec.publish(b"t", payload, 7)
    (message,) = codec.Parser().feed(packet).messages
    assert message == codec.Message(b"t", payload, 7, False, False)


def test_bytes_may_come_one_at_a_time() -> None:
    stream = (
        b"\x20\x02\x01\x00" + codec.publish(b"t", b"x" * 200, 9) + b"\x40\x02\x00\x05"
        + b"\x90\x04\x00\x03\x01\x80" + b"\xd0\x00" + codec.publish(b"t", b"y")
    )  # fmt: skip
    parser = codec.Parser()
    runs = [parser.feed(stream[index : index + 1]) for index in range(len(stream))]
    assert [one.connack for one in runs if one.connack] == [(True, 0)]
    assert [m.payload for one in runs for m in one.messages] == [b"x" * 200, b"y"]
    assert [i for one in runs for i in one.pubacks] == [5]
    assert [s for one in runs for s in one.subacks] == [(3, b"\x01\x80")]
    assert any(one.pong for one in runs)
    assert codec.Parser().feed(stream).messages == [m for one in runs for m in one.messages]


@pytest.mark.parametrize(
    "data",
    [
        b"\x36\x05\x00\x01t\x00\x01",  # QoS 3
        b"\x32\x03\x00\x01t",  # QoS 1 without a packet id
        b"\x32\x05\x00\x01t\x00\x00",  # packet id 0
        b"\x30\x03\x00\x09t",  # the topic runs past the packet
        b"\x10\x02\x00\x00",  # a CONNECT, which only brokers receive
        b"\x20\x00",  # CONNACK without its codes
        b"\x40\x01\x00",  # PUBACK without its id
        b"\x30\xff\xff\xff\x7f",  # longer than we take
        b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
    ],
)
def test_what_is_not_mqtt_ends_the_connection(data: bytes) -> None:
    with pytest.raises(ReadingError):
        codec.Parser().feed(data + b"\x00" * 8)


def test_what_cannot_be_said_is_refused() -> None:
    with pytest.raises(LimitError):
        codec.publish(b"t", b"x" * (codec.PACKET_BYTES_MAX + 1))
    with pytest.raises(LimitError):
        codec.connect("c" * 70_000, clean_session=True, keepalive_s=1)


def test_addresses() -> None:
    assert address("mqtt://h:1") == Address("h", 1)
    assert address("h") == Address("h", 1883)
    assert address("mqtts://u:p%40@h") == Address("h", 8883, True, "u", "p@")
    assert "p@" not in repr(address("mqtts://u:p%40@h")) and "u" not in repr(address("mqtts://u:p%40@h"))
    for wrong in ("http://h", "mqtt://", "mqtt://h:x"):
        with pytest.raises(ConfigurationError):
            address(wrong)

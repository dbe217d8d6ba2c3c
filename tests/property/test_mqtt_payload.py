"""Whatever a device sends is an entry or a refusal with a reason; nothing raises, and what is taken is finite."""

from __future__ import annotations

import json
import math
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.errors import ReadingError
from vitruvian.core.events import Coded, Quantity, Reading
from vitruvian.core.limits import QUARANTINE_BYTES_MAX
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.streams.mqtt.codec import Message, Parser, publish
from vitruvian.streams.mqtt.payload import decode
from vitruvian.streams.mqtt.receipts import Settled, receipts
from vitruvian.streams.mqtt.topics import CHANNELS, Topic, parse

NOW_US = 1_790_000_000_000_000
topics = st.builds(Topic, st.just("d-1"), st.sampled_from(CHANNELS))
names = st.one_of(st.sampled_from([concept.name for concept in VOCABULARY]), st.text(max_size=12))
units = st.one_of(
    st.sampled_from(["/min", "%", "mm[Hg]", "Cel", "[degF]", "mmol/L", "mg/dL", "", "1", "kg"]), st.text(max_size=8)
)
numbers = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.integers(), st.sampled_from([1e308, -0.0, 1e12]))
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=20))
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
values = st.dictionaries(names, st.one_of(st.tuples(numbers, units).map(list), trees), max_size=6)
times = st.one_of(st.integers(NOW_US - 10**13, NOW_US + 10**12), st.text(max_size=25), scalars)
messages = st.fixed_dictionaries(
    {"id": st.one_of(st.text(max_size=20), st.integers(), scalars), "time": times, "values": values},
    optional={
        "status": st.sampled_from(["final", "corrected", "entered-in-error", "odd"]),
        "issued": times,
        "simulated": scalars,
        "version": scalars,
        "patient": trees,
        "location": trees,
        "visit": trees,
        "person": trees,
    },
)


def check(topic: Topic, payload: bytes) -> Reading:
    reading = decode(topic, payload, NOW_US)
    assert bool(reading.entries) != (reading.refusal is not None)
    for refusal in (*reading.refused_parts, *([reading.refusal] if reading.refusal else [])):
        assert refusal.reason and refusal.detail and len(refusal.raw) <= QUARANTINE_BYTES_MAX
    for entry in reading.entries:
        for event in entry.events:
            if isinstance(event.value, Quantity):
                assert math.isfinite(event.value.value)
                assert event.value.unit == VOCABULARY[event.concept].unit
            elif isinstance(event.value, Coded):
                assert event.value.number in {answer.number for answer in VOCABULARY[event.concept].coded}
    told = receipts([Settled("d-1", payload, (reading,), [])])
    assert set(told) == {"d-1"}
    return reading


@given(topics, st.binary(max_size=300))
def test_any_bytes(topic: Topic, payload: bytes) -> None:
    check(topic, payload)


@given(topics, trees)
def test_any_json(topic: Topic, tree: Any) -> None:
    check(topic, json.dumps(tree).encode())


@given(topics, messages)
def test_almost_messages(topic: Topic, message: dict[str, Any]) -> None:
    check(topic, json.dumps(message).encode())


@given(messages, st.integers(0, 400), st.binary(max_size=4))
def test_damaged_messages(message: dict[str, Any], at: int, junk: bytes) -> None:
    payload = json.dumps(message).encode()
    check(Topic("d-1", "observations"), payload[:at] + junk + payload[at + len(junk) :])


@given(st.integers(1, 200_000), st.sampled_from([b"[", b'{"a":', b'[{"values":']))
def test_nesting_of_any_depth(depth: int, opening: bytes) -> None:
    check(Topic("d-1", "observations"), (b'{"id":"a","time":1,"values":' + opening * depth)[: 1 << 20])


@given(st.binary(max_size=60))
def test_any_topic(topic: bytes) -> None:
    found = parse(topic)
    assert found is None or f"vitruvian/v1/{found.device}/{found.channel}".encode() == topic


@given(
    st.lists(
        st.tuples(st.binary(min_size=1, max_size=40), st.binary(max_size=300), st.integers(0, 65_535)), max_size=8
    ),
    st.integers(1, 64),
)
def test_packets_survive_any_cutting(said: list[tuple[bytes, bytes, int]], size: int) -> None:
    stream = b"".join(publish(*one) for one in said)
    parser = Parser()
    heard = [m for start in range(0, len(stream), size) for m in parser.feed(stream[start : start + size]).messages]
    assert heard == [Message(topic, payload, packet_id, False, False) for topic, payload, packet_id in said]


@given(st.binary(max_size=200))
def test_any_bytes_from_a_broker_are_packets_or_an_error_of_ours(data: bytes) -> None:
    try:
        Parser().feed(data)
    except ReadingError:
        pass

"""Hostile bodies and queries: bounds hold, nothing crashes, and every refusal is the sender's 4xx with a reason."""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.service_support import application, client
from tests.support import limit_s
from vitruvian.core.errors import LimitError
from vitruvian.core.limits import BODY_BYTES_MAX, JSON_DEPTH_MAX
from vitruvian.service.guard import BODY_S_MAX, Guard
from vitruvian.service.intake import check_depth
from vitruvian.testing.ward import MemoryWard

PAYLOADS = int(os.environ.get("VITRUVIAN_HOSTILE_PAYLOADS", "2000"))
MEMORY_GROWTH_KIB_MAX = 64 * 1024
ANSWER_S_MAX = 1.0

GOOD = {
    "id": "a1",
    "time": "2026-01-01T09:00:00Z",
    "device": "sim-002",
    "values": {"heart_rate": [80, "/min"], "consciousness": "alert"},
    "patient": {"system": "s", "value": "v"},
}
FHIR = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {
            "resource": {
                "resourceType": "Observation",
                "id": "o1",
                "status": "final",
                "subject": {"reference": "Patient/p1"},
                "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
                "effectiveDateTime": "2026-01-01T09:00:00Z",
                "valueQuantity": {"value": 80, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
            }
        }
    ],
}
HL7 = (
    b"MSH|^~\\&|LAB|H|V|H|20260101090000||ORU^R01|M1|P|2.5\rPID|1||sim-001^^^H^MR\r"
    b"OBR|1||F1|24323-8^BMP^LN|||20260101083000\rOBX|1|NM|2951-2^Sodium^LN||140|mmol/L|135-145|N|||F\r"
)
ODD = [
    None,
    True,
    0,
    -1,
    2**63,
    1e308,
    -1e308,
    1e-320,
    "",
    "\u0000",
    "\ud7ff",
    "𝕳" * 50,
    "NaN",
    "%s%n",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "' OR 1=1",
    [],
    {},
    [[]],
    {"a": {}},
    "9" * 400,
    "2026-99-99T99:99:99Z",
    "0001-01-01",
    "9999-12-31T23:59:59Z",
]
BYTES = [
    b"NaN",
    b"Infinity",
    b"-0",
    b"1e400",
    b"\xff",
    b"\x00",
    b"\\ud800",
    b'"\\u0000"',
    b"[" * 40,
    b"{" * 40,
    b"\xed\xa0\x80",
    b'{"a":1,"a":2}',
]


@pytest.fixture(scope="module")
def ward() -> MemoryWard:
    return MemoryWard(3, history_h=0.5)


@pytest.fixture
async def api(ward: MemoryWard) -> AsyncIterator[httpx.AsyncClient]:
    async with client(application(ward)) as made:
        yield made


def mutated(value: object, random_: random.Random) -> object:
    """The value with one place changed."""
    if isinstance(value, dict) and value and random_.random() < 0.8:
        key = random_.choice(list(value))
        action = random_.random()
        if action < 0.15:
            return {k: v for k, v in value.items() if k != key}
        if action < 0.3:
            return value | {str(random_.choice(ODD)): random_.choice(ODD)}
        return value | {key: mutated(value[key], random_)}
    if isinstance(value, list) and value and random_.random() < 0.8:
        at = random_.randrange(len(value))
        if random_.random() < 0.2:
            return value * random_.randrange(4)
        return [*value[:at], mutated(value[at], random_), *value[at + 1 :]]
    return random_.choice(ODD)


def hostile(random_: random.Random) -> tuple[str, bytes]:
    """A path and a body that no honest source sends."""
    path = random_.choice(["observations", "observations", "fhir", "hl7v2"])
    if path == "hl7v2":
        body = bytearray(HL7)
        for _ in range(random_.randrange(1, 8)):
            at = random_.randrange(len(body))
            body[at : at + random_.randrange(3)] = random_.choice(
                [b"|", b"^", b"\r", b"~", b"&", b"\x00", b"\xff", random_.randbytes(3)]
            )
        return path, bytes(body)
    value: object = GOOD if path == "observations" else FHIR
    for _ in range(random_.randrange(1, 4)):
        value = mutated(value, random_)
    body = bytearray(json.dumps(value).encode())
    if random_.random() < 0.4 and body:
        at = random_.randrange(len(body))
        body[at : at + random_.randrange(6)] = random_.choice([*BYTES, random_.randbytes(4)])
    return path, bytes(body)


async def test_hostile_payloads_crash_nothing(api: httpx.AsyncClient) -> None:
    random_ = random.Random(2026)
    seen: Counter[int] = Counter()
    slowest_s = 0.0
    for number in range(PAYLOADS):
        path, body = hostile(random_)
        started = time.perf_counter()
        answer = await api.post(f"/api/v1/{path}", content=body)
        slowest_s = max(slowest_s, time.perf_counter() - started)
        seen[answer.status_code] += 1
        assert answer.status_code < 500, f"payload {number} to {path}: {body[:300]!r} -> {answer.text[:300]}"
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"]
        if number == PAYLOADS // 10:
            before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    growth_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib
    assert growth_kib < MEMORY_GROWTH_KIB_MAX
    assert slowest_s < limit_s(ANSWER_S_MAX)
    assert seen[200] > PAYLOADS // 100, seen  # some get through: the mutations are near the border
    assert seen[422] > PAYLOADS // 100, seen


SHARED = application(MemoryWard(2, history_h=0.2))


@given(st.binary(max_size=300))
def test_any_bytes_at_all(body: bytes) -> None:
    async def post() -> list[int]:
        async with client(SHARED) as http:
            paths = ("observations", "fhir", "hl7v2")
            return [(await http.post(f"/api/v1/{path}", content=body)).status_code for path in paths]

    assert all(status < 500 for status in asyncio.run(post()))


NAMES = ["concept", "start", "end", "known_by", "points", "as_of", "as_known", "limit", "kind", "after", "patient", "at", "basis", "hours"]  # fmt: skip  # noqa: E501
EDGES = ["heart_rate", "2026-01-01", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00"]
queries = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(st.text(max_size=30), st.integers().map(str), st.sampled_from(EDGES)),
    max_size=4,
)


@given(st.sampled_from(["", "/observations", "/twin", "/risk", "/timeline"]), queries, st.text(min_size=1, max_size=20))
def test_any_query_at_all(what: str, query: dict[str, str], patient: str) -> None:
    async def get() -> list[int]:
        async with client(SHARED, Accept="text/html") as http:
            paths = [
                f"/api/v1/patients/sim-001{what}",
                f"/api/v1/patients/{quote(patient, safe='')}{what}",
                "/patients/sim-001",
                "/api/v1/quarantine",
                "/api/v1/alerts",
            ]
            return [(await http.get(path, params=query)).status_code for path in paths]

    assert all(status < 500 for status in asyncio.run(get()))


async def test_a_body_at_the_limit_is_read_and_one_past_it_is_not(api: httpx.AsyncClient) -> None:
    padding = b" " * (BODY_BYTES_MAX - len(json.dumps(GOOD)))
    assert (await api.post("/api/v1/observations", content=json.dumps(GOOD).encode() + padding)).status_code == 200
    answer = await api.post("/api/v1/observations", content=json.dumps(GOOD).encode() + padding + b" ")
    assert answer.status_code == 413
    assert str(BODY_BYTES_MAX) in answer.json()["detail"]


async def test_a_body_that_does_not_say_how_long_it_is_stops_at_the_limit(api: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 10 * BODY_BYTES_MAX:
            sent += 65_536
            yield b" " * 65_536

    assert (await api.post("/api/v1/observations", content=endless())).status_code == 413
    assert sent <= BODY_BYTES_MAX + 2 * 65_536


async def test_a_bundle_may_be_as_large_as_is_configured(ward: MemoryWard) -> None:
    async with client(application(ward, bundle_bytes_max=3 << 20)) as http:
        body = HL7 + b"\r" * ((2 << 20) - len(HL7))
        assert (await http.post("/api/v1/hl7v2", content=body)).status_code == 200
        assert (await http.post("/api/v1/hl7v2", content=b"x" * ((3 << 20) + 1))).status_code == 413
        assert (await http.post("/api/v1/observations", content=b" " * (2 << 20))).status_code == 413


@pytest.mark.parametrize("length", ["-1", "x", "99999999999999999999", "1e9"])
async def test_a_length_that_is_none_is_refused(api: httpx.AsyncClient, length: str) -> None:
    answer = await api.post("/api/v1/observations", content=b"{}", headers={"Content-Length": length})
    assert answer.status_code in (400, 413)


def nested(depth: int) -> bytes:
    return b'{"id":"a","x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


@pytest.mark.parametrize("path", ["observations", "fhir"])
async def test_depth_past_the_limit_is_refused_for_being_deep(api: httpx.AsyncClient, path: str) -> None:
    at_limit = await api.post(f"/api/v1/{path}", content=nested(JSON_DEPTH_MAX))
    assert at_limit.status_code == 422  # not for its depth: it is no observation
    past = await api.post(f"/api/v1/{path}", content=nested(JSON_DEPTH_MAX + 1))
    assert past.status_code == 413
    assert str(JSON_DEPTH_MAX) in past.json()["detail"]


def test_depth_is_of_brackets_outside_strings() -> None:
    check_depth(nested(JSON_DEPTH_MAX))
    with pytest.raises(LimitError, match="nested"):
        check_depth(nested(JSON_DEPTH_MAX + 1))
    check_depth(b'{"a":"' + b"[{" * 1000 + b'"}')
    check_depth(b'{"a":"\\"' + b"[" * 1000 + b'"}')
    check_depth(b"[" + b"[]," * 5_000 + b"[]]")
    with pytest.raises(LimitError):
        check_depth(b"[" * 1_000_000)


@given(
    st.recursive(
        st.none() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=20,
    ),
    st.integers(1, 8),
)
def test_depth_agrees_with_the_decoded_value(value: object, limit: int) -> None:
    def depth(one: object) -> int:
        if isinstance(one, dict):
            return 1 + max((depth(v) for v in one.values()), default=0)
        return 1 + max((depth(v) for v in one), default=0) if isinstance(one, list) else 0

    too_deep = False
    try:
        check_depth(json.dumps(value).encode(), limit)
    except LimitError:
        too_deep = True
    assert too_deep == (depth(value) > limit)


async def test_a_body_that_never_ends_is_given_up(ward: MemoryWard, monkeypatch: pytest.MonkeyPatch) -> None:
    assert BODY_S_MAX <= 60
    monkeypatch.setattr("vitruvian.service.guard.BODY_S_MAX", 0.05)
    app = application(ward)
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/observations",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "http_version": "1.1",
    }
    guard = Guard(app, settings=app.state.settings, access=app.state.access)
    await asyncio.wait_for(guard(scope, receive, send), 2)  # type: ignore[arg-type]
    assert sent[0]["status"] == 408

"""What no honest source sends, as Hypothesis strategies: one `Payload` an example, for each way into the ward.

Each starts from a good message (so that the bounds between right and wrong are met, not only noise), has up to three
places replaced by something hostile, and may have its bytes damaged on top. Names, ids and texts carry a canary: it
must never be seen in a log, and never unescaped in a page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

CANARY: Final = "canary7f3a"  # in names, ids and texts: not to be found in logs
MARKUP: Final = (f"<script>{CANARY}</script>", f"<img src=x onerror={CANARY}>", f'"><svg/onload={CANARY}>')
ENTRANCES: Final = ("observations", "fhir", "hl7v2", "request", "mqtt", "mllp")
DEVICES: Final = tuple(f"hostile-{n}" for n in range(8))
LOINC: Final = "http://loinc.org"


@dataclass(frozen=True, slots=True)
class Payload:
    """One message. `where` is a path, an MQTT topic or empty; `head` is raw request line and headers, where given."""

    entrance: str
    where: bytes
    data: bytes
    head: bytes = b""
    complete: bool = True  # the sender finishes what it began, so that an answer is due


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON written as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Twice:
    """An object that has a key twice."""

    first: object
    second: object


def texts() -> list[object]:
    """Hostile texts, each with a reason to be."""
    return [
        "", " ", "\u0000", "a\u0000b", "\r\nInjected: 1", "\n2026-01-01 ERROR root: " + CANARY, "\x1b[2J\x1b[31m",
        "\u202eevil\u202c", "\ufeff", "𝕳" * 60, "é" * 255, "\ud800", "\udfff\ud800", Raw('"\\ud83d"'),
        *MARKUP, f"{{{{7*7}}}}{CANARY}", f"${{jndi:ldap://{CANARY}}}", "%s%n%x", "' OR '1'='1",
        f"'; DROP TABLE log; --{CANARY}",
        "../../../etc/passwd", "..\\..\\", "/dev/null", "file:///etc/passwd", "%2e%2e%2f", "con", ".", "..",
        "=cmd|' /C calc'!A0", "javascript:alert(1)", "null", "NaN", "true", "-1", "9" * 400, "x" * 255, "x" * 256,
        "x" * 257,
        CANARY * 30, "x" * 20_000, "0001-01-01", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "1890-01-01T00:00:00Z",
        "2299-12-31T23:59:59Z", "2026-06-30T23:59:60Z", "2026-01-01T00:00:00+99:99", "2026-01-01T00:00:00", "1e308",
        "kg", "[degF]",
        "10*3/uL", "/min/min/min", "mg" * 100,
    ]  # fmt: skip


def numbers() -> list[object]:
    """Hostile numbers; some are no JSON."""
    tokens = ["NaN", "Infinity", "-Infinity", "1e308", "-1e308", "1e309", "1e-400", "-0", "-0.0", "1" + "0" * 400,
              "0." + "3" * 5_000, "1" * 20_000, "1e999999999", "01", "+1", "0x10",
              "1_000", str(2**63), str(-(2**63) - 1),
              str(2**64), "253402300799000000", "4.9e-324", "1.7976931348623157e308"]  # fmt: skip
    return [Raw(token) for token in tokens] + [0, -1, 10**12, 1e15, 300, 0.5]


def shapes() -> list[object]:
    """Wrong types, and nesting at the limit, past it and absurdly past it."""
    deep = [Raw("[" * n + "]" * n) for n in (28, 31, 33, 200, 20_000)] + [Raw('{"a":' * 500 + "1" + "}" * 500)]
    wide = [Raw("[" + "0," * 5_000 + "0]"), Raw("{" + ",".join(f'"k{n}":1' for n in range(5_000)) + "}")]
    return [None, True, False, [], {}, [[]], {"a": {}}, {"": ""}, [None], {"__proto__": 1}, *deep, *wide]


LEAVES: Final[Sequence[object]] = (*texts(), *numbers(), *shapes(), *texts()[14:20] * 2)


def render(value: object, *, ascii_only: bool = True) -> bytes:
    """JSON, and what is none. Lone surrogates are escapes, or invalid UTF-8 where not `ascii_only`."""
    return _render(value, ascii_only).encode("utf-8", "surrogatepass")


def _render(value: object, ascii_only: bool) -> str:
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, Twice):
        return _render(value.first, ascii_only)
    if isinstance(value, dict):
        parts = []
        for key, inner in value.items():
            name = json.dumps(key, ensure_ascii=ascii_only)
            doubled = (inner.first, inner.second) if isinstance(inner, Twice) else (inner,)
            parts += [f"{name}:{_render(one, ascii_only)}" for one in doubled]
        return "{" + ",".join(parts) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_render(one, ascii_only) for one in value) + "]"
    return json.dumps(value, ensure_ascii=ascii_only)


Path = tuple[Any, ...]


def places(value: object, path: Path = ()) -> list[Path]:
    """Every place within a JSON value but its root."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(inner, (*path, key))
    return found


def replaced(value: Any, path: Path, leaf: object, how: str) -> Any:
    """A copy of the value with the place at `path` replaced, removed, doubled, or its key renamed."""
    if not path:
        return leaf
    key, rest = path[0], path[1:]
    if isinstance(value, list):
        inner = replaced(value[key], rest, leaf, how)
        return [*value[:key], *([] if not rest and how == "remove" else [inner]), *value[key + 1 :]]
    copy = dict(value)
    if rest:
        copy[key] = replaced(copy[key], rest, leaf, how)
    elif how == "remove":
        del copy[key]
    elif how == "double":
        copy[key] = Twice(copy[key], leaf)
    elif how == "rename" and isinstance(leaf, str):
        copy[leaf] = copy.pop(key)
    else:
        copy[key] = leaf
    return copy


_HOW: Final = st.sampled_from(("replace", "replace", "replace", "remove", "double", "rename"))
_LEAF: Final = st.sampled_from(LEAVES)
_SPLICES: Final = st.sampled_from(
    (
        b"\xff",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\x00",
        b"\r",
        b"\n",
        b'"',
        b"\\",
        b"{",
        b"]",
        b",",
        b"NaN",
        b"\xf0\x9f",
        b"<",
    )
)


@st.composite
def bent(draw: st.DrawFn, templates: Sequence[Any]) -> Any:
    """A template, with up to three of its places replaced."""
    value = draw(st.sampled_from(templates))
    for _ in range(draw(st.sampled_from((0, 0, 1, 1, 1, 1, 2, 3)))):
        known = places(value)
        if known:
            value = replaced(value, draw(st.sampled_from(known)), draw(_LEAF), draw(_HOW))
    return value


@st.composite
def damaged(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes: mostly whole, else cut short, spliced, doubled, or behind a byte order mark."""
    kind = draw(st.sampled_from(("whole",) * 14 + ("cut", "splice", "splice", "double", "mark", "utf16")))
    at = draw(st.integers(0, max(len(data) - 1, 0))) if kind in ("cut", "splice") else 0
    if kind == "cut":
        return data[:at]
    if kind == "splice":
        return data[:at] + draw(_SPLICES) + data[at + draw(st.integers(0, 4)) :]
    if kind == "utf16":
        return data.decode("utf-8", "replace").encode("utf-16")
    return {"double": data + data, "mark": b"\xef\xbb\xbf" + data}.get(kind, data)


def good_observation(n: int) -> dict[str, Any]:
    """What a device sends over HTTP or MQTT."""
    return {
        "id": f"h{n}", "time": f"2026-01-01T09:{n // 60 % 60:02}:{n % 60:02}Z",
        "values": {"heart_rate": [80.5, "/min"], "body_temperature": [98.6, "[degF]"], "consciousness": "alert"},
    }  # fmt: skip


def observation_bodies(n: int) -> list[Any]:
    """Observations as pushed over HTTP."""
    one = good_observation(n)
    who = {"patient": {"system": "urn:hostile", "value": f"p{n % 5}", "type": "MR"}}
    named = one | who | {"source": CANARY, "version": "2", "available": one["time"], "status": "final"}
    return [one | {"device": DEVICES[n % 8]}, one | who, named, [one | who, named]]


def fhir_bodies(n: int) -> list[Any]:
    """FHIR resources and a bundle."""
    patient = {
        "resourceType": "Patient", "id": f"fp{n % 5}", "gender": "female", "birthDate": "1950-02-03",
        "identifier": [{"system": "urn:hostile", "value": f"p{n % 5}"}], "name": [{"family": MARKUP[n % 3],
        "given": [CANARY]}],
    }  # fmt: skip
    observation = {
        "resourceType": "Observation", "id": f"fo{n}", "status": "final",
        "subject": {"reference": f"Patient/fp{n % 5}"},
        "code": {"coding": [{"system": LOINC, "code": "8867-4", "display": CANARY}]},
        "effectiveDateTime": "2026-01-01T09:00:00Z",
        "valueQuantity": {"value": 80, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    }  # fmt: skip
    condition = {
        "resourceType": "Condition", "id": f"fc{n}", "subject": {"reference": f"Patient/fp{n % 5}"},
        "code": {"text": MARKUP[(n + 1) % 3]}, "recordedDate": "2026-01-01T09:00:00Z",
    }  # fmt: skip
    encounter = {
        "resourceType": "Encounter", "id": f"fe{n % 7}", "status": "in-progress", "class": {"code": "IMP"},
        "subject": {"reference": f"Patient/fp{n % 5}"}, "period": {"start": "2026-01-01T08:00:00Z"},
        "location": [{"location": {"display": MARKUP[(n + 2) % 3]}}],
    }  # fmt: skip
    bundle = {
        "resourceType": "Bundle", "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{n}",
        "resource": one} for one in (patient, observation, condition, encounter)],
    }  # fmt: skip
    return [patient, observation, condition, bundle, bundle]


def hl7_messages(n: int) -> list[bytes]:
    """HL7 v2: a result, an admission, a merge."""
    head = f"MSH|^~\\&|LAB|H|V|H|20260101090000||%s|M{n}|P|2.5\r"
    pid = f"PID|1||p{n % 5}^^^urn:hostile^MR||{MARKUP[n % 3]}^{CANARY}||19500203|F\r"
    result = "OBR|1||F1|24323-8^BMP^LN|||20260101083000\r"
    values = "OBX|1|NM|2951-2^Sodium^LN||140|mmol/L|135-145|N|||F\rOBX|2|NM|8867-4^HR^LN||1e308|/min||||F\r"
    place = f"EVN|A01|20260101090000\r{pid}PV1|1|I|{MARKUP[1]}^2^A^H|||||||||||||||||v{n % 9}\r"
    return [
        (head % "ORU^R01" + pid + result + values).encode(),
        (head % "ADT^A01" + place).encode(),
        (head % "ADT^A40" + f"EVN|A40|20260101090000\r{pid}MRG|gone{n % 9}^^^urn:hostile^MR\r").encode(),
    ]


_HL7_PIECES: Final = st.sampled_from((
    b"", b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x00", b"\xff", b"\x0b", b"\x1c", b"\\X0D\\", b"\\F\\" * 50,
    b"9" * 400,
    b"1e999", b"NaN", b"<", b"||||||||||", b"\r\r", b"MSH|", b"OBX|1|NM|" * 40, CANARY.encode(), MARKUP[0].encode(),
    b"%n",
    b"99991231235959", b"00000000", b"~" * 5_000, b"ST", b"ED", b"A" * 20_000, b"\xed\xa0\x80", b"' OR 1=1",
))  # fmt: skip


@st.composite
def hl7_bodies(draw: st.DrawFn, n: int) -> bytes:
    """A message with up to eight of its places replaced."""
    body = bytearray(draw(st.sampled_from(hl7_messages(n))))
    for _ in range(draw(st.sampled_from((0, 0, 1, 1, 1, 2, 4, 8)))):
        at = draw(st.integers(0, len(body) - 1))
        body[at : at + draw(st.integers(0, 5))] = draw(_HL7_PIECES)
        body = body or bytearray(b"|")
    return bytes(body)


_PATHS: Final = (
    b"/", b"/data", b"/docs", b"/login", b"/patients/%s", b"/api/v1/patients", b"/api/v1/patients/%s",
    b"/api/v1/patients/%s/twin",
    b"/api/v1/patients/%s/observations", b"/api/v1/patients/%s/timeline", b"/api/v1/patients/%s/risk",
    b"/api/v1/alerts",
    b"/api/v1/alerts/%s/acknowledge", b"/api/v1/alerts/%s/snooze", b"/api/v1/quarantine", b"/api/v1/streams",
    b"/api/v1/stream",
    b"/api/v1/health", b"/metrics", b"/openapi.json", b"/static/%s/js/ward.js", b"/static/x/%s", b"/%s", b"//%s",
    b"/api/v1/%s",
)  # fmt: skip
_RAW_IDS: Final = (
    b"p1", b"%00", b"%ff%fe", b"..%2f..%2fetc%2fpasswd", b"../../../../etc/passwd", b"%2e%2e/%2e%2e/x",
    b"a%0d%0aX-Canary:%201",
    b"%3Cscript%3Ecanary7f3a%3C/script%3E", b"%22%3E%3Csvg/onload=canary7f3a%3E", b"\xff\xfe", b"\xed\xa0\x80",
    b"a" * 300,
    b"a" * 9_000, b"%", b"%zz", b"'%20OR%201=1--", b"{{7*7}}", b"*", b"~", b".", b"..;/", b"p1%00.js", b"C:%5Cwindows",
    b"%F0%9F",
    b"canary7f3a",
)  # fmt: skip
_NAMES: Final = (
    b"concept", b"start", b"end", b"known_by", b"points", b"as_of", b"as_known", b"limit", b"kind", b"after",
    b"patient", b"at",
    b"basis", b"hours", b"resolved", b"to", b"density", b"kiosk", b"token", b"%00", b"a[b]", b"__proto__",
)  # fmt: skip
_QUERY_VALUES: Final = (
    *_RAW_IDS, b"", b"heart_rate", b"2026-01-01", b"0001-01-01T00:00:00Z", b"9999-12-31T23:59:59.999999Z",
    b"0001-01-01T00:00:00%2B14:00",
    b"-1", b"0", b"1e9", b"9" * 30, b"NaN", b"true", b"as_known", b"2026-01-01T00:00:60Z", b"-271821-04-20",
    b"2026-W01-1", b"1" * 5_000,
)  # fmt: skip
_HEADERS: Final = (
    b"Host: evil.example", b"Host: 127.0.0.1@evil.example", b"Host:", b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-For: 8.8.8.8",
    b"X-Forwarded-Proto: https", b"X-HTTP-Method-Override: DELETE", b"X-Original-URL: /data", b"Accept: text/html",
    b"Accept: text/html", b"Accept: ../../x", b"Accept-Encoding: gzip;q=NaN, *;q=-1", b"Accept-Encoding: gzip",
    b"Accept-Language: " + b"a," * 400,
    b"Cookie: vitruvian_session=canary7f3a", b'Cookie: vitruvian_session="\\000\\377"', b"Cookie: a=b; ; =; \xff",
    b"Cookie: " + b"a=b; " * 2_000,
    b"Authorization: Bearer canary7f3a", b"Authorization: Basic Og==", b"Authorization: \xff\xfe", b"Authorization:",
    b"Last-Event-ID: -1", b"Last-Event-ID: " + b"9" * 60, b"Last-Event-ID: \xff", b"Range: bytes=0-",
    b"If-None-Match: *",
    b"If-Modified-Since: never", b"Content-Type: multipart/form-data; boundary=",
    b"Content-Type: application/json; charset=utf-7",
    b"Content-Type: \xff", b"Content-Encoding: gzip", b"Expect: 100-continue", b"Upgrade: websocket", b"Upgrade: h2c",
    b"TE: trailers",
    b"Origin: http://evil.example", b"Origin: null", b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Site: same-origin",
    b"Origin: http://[::1",
    b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked, identity", b"Content-Length: -1",
    b"Content-Length: 1e3",
    b"Content-Length: 99999999999999999999", b"Content-Length: 0, 5", b"X: " + b"a" * 40_000, b"X\x00Y: 1",
    b" folded: 1", b"NoColon",
    b"X-Canary: canary7f3a", b": empty", b"Connection: close", b"Connection: upgrade, \xff",
    b"Keep-Alive: timeout=99999",
)  # fmt: skip
_METHODS: Final = (b"GET",) * 10 + (
    b"POST", b"POST", b"POST", b"PUT", b"DELETE", b"PATCH", b"HEAD", b"OPTIONS", b"TRACE", b"CONNECT", b"PROPFIND",
    b"get", b"G\x00T", b"",
)  # fmt: skip
_VERSIONS: Final = (b"HTTP/1.1",) * 12 + (b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"HTTX/1.1", b"")


@st.composite
def requests(draw: st.DrawFn) -> Payload:
    """A request whose line, query or headers are hostile."""
    path = draw(st.sampled_from(_PATHS))
    if b"%s" in path:
        path = path.replace(b"%s", draw(st.sampled_from(_RAW_IDS)))
    pairs = draw(st.lists(st.tuples(st.sampled_from(_NAMES), st.sampled_from(_QUERY_VALUES)), max_size=3))
    if pairs:
        path += b"?" + b"&".join(name + b"=" + value for name, value in pairs)
    method, version = draw(st.sampled_from(_METHODS)), draw(st.sampled_from(_VERSIONS))
    headers = draw(st.lists(st.sampled_from(_HEADERS), max_size=3))
    body = b""
    if method in (b"POST", b"PUT", b"PATCH"):
        body = draw(
            st.sampled_from(
                (
                    b"",
                    b"{}",
                    b'{"reason":"x","minutes":5}',
                    b"token=canary7f3a&to=//evil",
                    b"\xff",
                    b"5\r\nhello\r\n0\r\n\r\n",
                )
            )
        )
    lengths = [b"Content-Length: %d" % len(body)] if body and not any(b"Length" in one for one in headers) else []
    host = [] if draw(st.integers(0, 9)) == 0 else [b"Host: 127.0.0.1"]
    head = b"\r\n".join([method + b" " + path + b" " + version, *host, *headers, *lengths]) + b"\r\n\r\n"
    return Payload("request", path, body, head, complete=False)


_CHANNELS: Final = (b"observations",) * 6 + (b"association", b"association", b"fhir", b"waveform")
_TOPICS: Final = (
    b"vitruvian/v1//observations", b"vitruvian/v1/a b/observations", b"vitruvian/v1/\xc3\xa9/observations",
    b"vitruvian/v2/d/observations",
    b"vitruvian/v1/" + b"d" * 129 + b"/observations", b"vitruvian/v1/" + b"d" * 6_000 + b"/observations",
    b"vitruvian/v1/../observations",
    b"vitruvian/v1/<script>/observations", b"vitruvian/v1/d/observations/extra", b"vitruvian/v1/d/OBSERVATIONS",
    b"vitruvian/v1/+/observations",
    b"vitruvian/v1/#", b"$SYS/x", b"$JS/API/STREAM/DELETE/$MQTT_msgs", b"$MQTT/msgs/x",
    b"vitruvian/v1/d.e.f/observations", b"vitruvian/v1/d/\x00",
    b"vitruvian/v1/\xff/observations", b"", b"/", b"vitruvian/v1/d\r\n/observations", b"vitruvian/v1/*/observations",
    b"vitruvian/v1/>/observations",
)  # fmt: skip


def associations(n: int) -> list[Any]:
    """Whose device it is, with the person and the stay."""
    return [
        {
            "id": f"a{n}", "time": "2026-01-01T08:00:00Z", "action": "start",
            "patient": [{"system": "urn:hostile", "value": f"p{n % 5}"}],
            "person": {"family": MARKUP[n % 3], "given": CANARY, "birth": "1950-02-03", "sex": "female"},
            "visit": {"action": "admit", "visit": {"system": "urn:v", "value": f"v{n % 9}"},
            "location": {"ward": MARKUP[1], "bed": "1"}, "reason": CANARY},
            "location": {"facility": "H", "ward": "W", "room": "R", "bed": MARKUP[2]},
        }
    ]  # fmt: skip


@st.composite
def mqtt_messages(draw: st.DrawFn, n: int) -> Payload:
    """A message on one of our topics, or on one that is not."""
    if draw(st.integers(0, 11)) == 0:
        return Payload("mqtt", draw(st.sampled_from(_TOPICS)), render(good_observation(n)), complete=False)
    channel = draw(st.sampled_from(_CHANNELS))
    templates = {b"observations": [good_observation(n)], b"association": associations(n), b"fhir": fhir_bodies(n)}
    body = render(draw(bent(templates.get(channel, [good_observation(n)]))), ascii_only=draw(st.booleans()))
    device = DEVICES[draw(st.integers(0, 7))].encode()
    return Payload("mqtt", b"vitruvian/v1/" + device + b"/" + channel, draw(damaged(body)))


@st.composite
def frames(draw: st.DrawFn, n: int) -> Payload:
    """HL7 v2 in a frame, or in what is hardly one."""
    body = draw(hl7_bodies(n))
    kind = draw(st.sampled_from(("frame",) * 10 + ("noise", "open", "no end", "nested", "empty", "twice")))
    if kind == "frame" and b"\x0b" not in body and b"\x1c" not in body:
        return Payload("mllp", b"", b"\x0b" + body + b"\x1c\r")
    whole = {
        "noise": b"\x00\xffGET / HTTP/1.1\r\n\r\n\x0b" + body + b"\x1c\r", "open": b"\x0b" + body,
        "no end": b"\x0b" + body + b"\x1c",
        "nested": b"\x0b\x0b" + body + b"\x1c\r\x1c\r", "empty": b"\x0b\x1c\r",
        "twice": (b"\x0b" + body + b"\x1c\r") * 2,
    }  # fmt: skip
    return Payload("mllp", b"", whole.get(kind, b"\x0b" + body + b"\x1c\r"), complete=False)


@st.composite
def payloads(draw: st.DrawFn) -> Payload:
    """One of any entrance."""
    entrance = draw(st.sampled_from(ENTRANCES))
    n = draw(st.integers(0, 3_599))
    if entrance == "request":
        return draw(requests())
    if entrance == "mqtt":
        return draw(mqtt_messages(n))
    if entrance == "mllp":
        return draw(frames(n))
    if entrance == "hl7v2":
        return Payload(entrance, b"/api/v1/hl7v2", draw(damaged(draw(hl7_bodies(n)))))
    templates = observation_bodies(n) if entrance == "observations" else fhir_bodies(n)
    body = render(draw(bent(templates)), ascii_only=draw(st.booleans()))
    return Payload(entrance, b"/api/v1/" + entrance.encode(), draw(damaged(body)))

"""A ward as a person runs it (`vitruvian serve`: its own broker, pages, MLLP, a journal on disk), and who attacks it.

Everything goes over real sockets to another process, so that what is measured is the process: whether it lives, its
own memory (anonymous pages; SQLite's mapped file is the kernel's to drop), its CPU time, its log.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks._hostile_payloads import DEVICES, MARKUP, Payload
from vitruvian.streams.mqtt.codec import Parser, connect, publish, subscribe

START_S_MAX: Final = 60.0
ANSWER_S_MAX: Final = 1.0
GIVE_UP_S: Final = 30.0
UNDUE_S: Final = 0.05  # how long an answer is waited for that the sender has not finished asking for
TICKS: Final = os.sysconf("SC_CLK_TCK")
_NOT_DUE: Final = re.compile(
    rb"(?im)^(content-length|transfer-encoding|upgrade|expect|connection|x\x00|:| folded|nocolon)"
)


class Ward:
    """A running `vitruvian serve` over `folder`, without tokens: everyone on this machine may do everything."""

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self.process, self.folder = process, folder
        self.journal = folder / "ward.db"
        self.log = folder / "ward.log"
        self.port = self.mllp_port = self.mqtt_port = 0

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process.poll() is None

    def memory_kib(self) -> int:
        """Anonymous memory of the ward's process."""
        found = re.search(r"^RssAnon:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text(), re.MULTILINE)
        return int(found[1]) if found else 0

    def cpu_s(self) -> float:
        """CPU seconds that the ward's process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def logs(self) -> str:
        """All that the ward and its broker wrote as they ran."""
        files = [self.log, *sorted(self.folder.glob("*-broker/*.log"))]
        return "\n".join(path.read_text("utf-8", "replace") for path in files)


@contextlib.contextmanager
def running_ward(folder: Path) -> Iterator[Ward]:
    """A ward for the time of the block."""
    program = Path(sys.executable).with_name("vitruvian")
    command = [str(program), "serve", "--journal", str(folder / "ward.db"), "--port", "0", "--mllp-port", "0"]
    with (folder / "ward.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        ward = Ward(process, folder)
        try:
            _await_start(ward)
            yield ward
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_start(ward: Ward) -> None:
    patterns = (r"http://127\.0\.0\.1:(\d+)/ ", r"MLLP\):\s+127\.0\.0\.1:(\d+)", r"mqtt://127\.0\.0\.1:(\d+)")
    until = time.monotonic() + START_S_MAX
    while time.monotonic() < until and ward.alive:
        said = ward.log.read_text("utf-8", "replace")
        found = [re.search(pattern, said) for pattern in patterns]
        if "Started in" in said and all(found):
            ward.port, ward.mllp_port, ward.mqtt_port = (int(one[1]) for one in found if one)
            return
        time.sleep(0.05)
    raise SystemExit(f"the ward did not start: {ward.log.read_text('utf-8', 'replace')}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; status 0 where the connection was closed without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """The media type."""
        return self.headers.get("content-type", "").partition(";")[0]


class NoAnswer(Exception):
    """Nothing came in time."""


class Http:
    """A client that sends bytes as they are. One connection, opened again when it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def post(self, path: bytes, body: bytes) -> Answer:
        """A body to a path."""
        head = b"POST %b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % (path, len(body))
        return self.send(head + body)

    def get(self, path: str, accept: str = "text/html") -> Answer:
        """What is at a path."""
        return self.send(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: {accept}\r\n\r\n".encode())

    def send(self, data: bytes, wait_s: float = GIVE_UP_S) -> Answer:
        """Raw bytes, and their answer. Raises NoAnswer."""
        for attempt in (0, 1):
            fresh = self._socket is None
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", self._port), GIVE_UP_S)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self._socket.sendall(data)  # it may be refused while it is being sent: then the answer says so
                answer = self._read(wait_s, bodiless=data.startswith(b"HEAD "))
            except (ConnectionError, OSError):
                answer = Answer(0, {}, b"")
            if answer.status == 0 or answer.headers.get("connection", "").lower() == "close":
                self.close()
            if answer.status or fresh or attempt:
                return answer
        raise AssertionError("unreachable")

    def _read(self, wait_s: float, *, bodiless: bool) -> Answer:
        until, data = time.monotonic() + wait_s, b""
        while b"\r\n\r\n" not in data:
            more = self._more(until)
            if not more:
                return Answer(0, {}, data)
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        status = int(first.split(" ")[1])
        if headers.get("content-type", "").startswith("text/event-stream"):
            self.close()  # it has no end
            return Answer(status, headers, body)
        chunked = headers.get("transfer-encoding", "") == "chunked"
        if bodiless:
            return Answer(status, headers, b"")
        length = 0 if status in (204, 304) or status < 200 else int(headers.get("content-length", "0"))
        while not body.endswith(b"0\r\n\r\n") if chunked else len(body) < length:
            more = self._more(until)
            if not more:
                break
            body += more
        return Answer(status, headers, body)

    def _more(self, until: float) -> bytes:
        assert self._socket is not None
        self._socket.settimeout(max(until - time.monotonic(), 0.001))
        try:
            return self._socket.recv(1 << 20)
        except TimeoutError:
            self.close()
            raise NoAnswer from None


class Mqtt:
    """A device that publishes bytes as they are, at QoS 1, and hears the ward's receipts."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._parser = Parser()
        self._number = 0
        self.refused = 0

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, topic: bytes, payload: bytes, wait_s: float = GIVE_UP_S) -> dict[str, Any] | None:
        """The receipt of a message; None where the broker hung up. Raises NoAnswer."""
        link = self._open()
        self._number = self._number % 60_000 + 1
        wanted = topic.rpartition(b"/")[0] + b"/receipts"
        until = time.monotonic() + wait_s
        try:
            link.sendall(publish(topic, payload, self._number))
            while True:
                link.settimeout(max(until - time.monotonic(), 0.001))
                data = link.recv(1 << 20)
                if not data:
                    raise ConnectionResetError
                for message in self._parser.feed(data).messages:
                    if message.topic == wanted:
                        receipt: dict[str, Any] = json.loads(message.payload)
                        return receipt
        except TimeoutError:
            raise NoAnswer from None
        except OSError:
            self.close()
            self.refused += 1
            return None

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._parser = Parser()
            link = socket.create_connection(("127.0.0.1", self._port), GIVE_UP_S)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.sendall(
                connect("hostile-client", clean_session=True, keepalive_s=0)
                + subscribe(1, ["vitruvian/v1/+/receipts"], 0)
            )
            seen = b""
            while len(seen) < 9:  # CONNACK and SUBACK
                seen += link.recv(9 - len(seen))
            self._socket = link
        return self._socket


class Mllp:
    """An interface engine that frames as it pleases."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(self, data: bytes, wait_s: float = GIVE_UP_S) -> bytes:
        """The acknowledgement; empty where the listener hung up. Raises NoAnswer."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), GIVE_UP_S)
        until, answer = time.monotonic() + wait_s, b""
        try:
            self._socket.sendall(data)
            while not answer.endswith(b"\x1c\r"):
                self._socket.settimeout(max(until - time.monotonic(), 0.001))
                more = self._socket.recv(1 << 20)
                if not more:
                    self.close()
                    return b""
                answer += more
        except TimeoutError:
            self.close()
            raise NoAnswer from None
        except OSError:
            self.close()
            return b""
        return answer


@dataclass(slots=True)
class Seen:
    """What came of the payloads. `faults` are sentences: what must not be."""

    payloads: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    committed: dict[int, str] = field(default_factory=dict)  # sequence numbers that HTTP answers gave
    told: set[tuple[str, str]] = field(default_factory=set)  # (source id, outcome) that receipts gave
    slowest_s: float = 0.0
    hangs: int = 0
    starved: int = 0  # over a second while the ward used little CPU: the machine was busy elsewhere
    server_errors: int = 0
    stall_s: float = 0.0
    faults: list[str] = field(default_factory=list)


class Attack:
    """Sends payloads to a ward and judges each answer."""

    def __init__(self, ward: Ward) -> None:
        self.ward, self.seen = ward, Seen()
        self.http, self.mqtt, self.mllp = Http(ward.port), Mqtt(ward.mqtt_port), Mllp(ward.mllp_port)

    def send(self, payload: Payload) -> None:
        """One payload; what is wrong with its answer goes to `seen.faults`."""
        seen = self.seen
        seen.payloads[payload.entrance] += 1
        cpu_s, started = self.ward.cpu_s(), time.perf_counter()
        due = payload.complete
        try:
            due = self._send(payload)
        except NoAnswer:
            if payload.complete:
                seen.hangs += 1
                self._fault(payload, f"no answer in {GIVE_UP_S:g} s")
        took_s = time.perf_counter() - started
        if took_s > ANSWER_S_MAX and due:
            # A busy machine is not a hang: what the ward did with the time says which it was.
            if self.ward.alive and self.ward.cpu_s() - cpu_s < 0.5 * took_s and took_s < GIVE_UP_S:
                seen.starved += 1
            else:
                seen.hangs += 1
                self._fault(payload, f"answered after {took_s:.2f} s")
        if due:
            seen.slowest_s = max(seen.slowest_s, took_s)
        if not self.ward.alive:
            self._fault(payload, "the ward has died")

    def close(self) -> None:
        """Hang up everywhere."""
        for each in (self.http, self.mqtt, self.mllp):
            each.close()

    def _send(self, payload: Payload) -> bool:
        """Whether an answer was due, once it is here."""
        if payload.entrance == "mqtt":
            return self._by_mqtt(payload)
        if payload.entrance == "mllp":
            return self._by_mllp(payload)
        if payload.entrance == "request":
            return self._by_request(payload)
        answer = self.http.post(payload.where, payload.data)
        self._judge(payload, answer)
        if answer.status >= 400 and answer.kind != "application/problem+json":
            self._fault(payload, f"{answer.status} as {answer.kind}")
        if answer.kind.endswith("json"):
            self._note(payload, answer)
        return True

    def _by_request(self, payload: Payload) -> bool:
        due = not _NOT_DUE.search(payload.head)
        client = Http(self.ward.port)
        try:
            answer = client.send(payload.head + payload.data, GIVE_UP_S if due else UNDUE_S)
        except NoAnswer:
            if due:
                self.seen.hangs += 1
                self._fault(payload, "no answer")
            return due
        finally:
            client.close()
        self._judge(payload, answer)
        return due

    def _by_mqtt(self, payload: Payload) -> bool:
        receipt = self.mqtt.send(payload.where, payload.data, GIVE_UP_S if payload.complete else UNDUE_S)
        if receipt is None:
            self.seen.outcomes["mqtt refused by the broker"] += 1
            if payload.complete:
                self._fault(payload, "the broker hung up on a message of ours")
            return payload.complete
        self.seen.outcomes[f"mqtt {receipt['outcome']}"] += 1
        for part in receipt.get("refused", ()):
            self.seen.reasons[part["reason"]] += 1
            if not part["reason"]:
                self._fault(payload, "refused without a reason")
        device = payload.where.split(b"/")[2].decode()
        if receipt["outcome"] in ("committed", "duplicate") and payload.where.endswith(
            (b"observations", b"association")
        ):
            self.seen.told |= {(f"{device}/{name}", receipt["outcome"]) for name in receipt["ids"]}
        return payload.complete

    def _by_mllp(self, payload: Payload) -> bool:
        if not payload.complete:
            self.mllp.close()
        answer = self.mllp.send(payload.data, GIVE_UP_S if payload.complete else UNDUE_S)
        if not payload.complete:
            self.mllp.close()
        found = re.search(rb"MSA\|(A[AER])\|[^|\r]*\|?([^|\r]*)", answer)
        if found is None:
            if payload.complete:
                self._fault(payload, f"no acknowledgement in {answer[:80]!r}")
            self.seen.outcomes["mllp no answer"] += 1
            return payload.complete
        code, text = found[1].decode(), found[2].decode("utf-8", "replace")
        self.seen.outcomes[f"mllp {code}"] += 1
        if code == "AR":
            self._fault(payload, f"AR: {text}")
        if code == "AE":
            self.seen.reasons[text.partition(":")[0]] += 1
            if not text:
                self._fault(payload, "AE without a reason")
        return payload.complete

    def _judge(self, payload: Payload, answer: Answer) -> None:
        self.seen.outcomes[f"http {answer.status}"] += 1
        if answer.status >= 500:
            self.seen.server_errors += 1
            self._fault(payload, f"{answer.status}: {answer.body[:200]!r}")
        if any("canary" in name for name in answer.headers):
            self._fault(payload, "a header was injected")
        if answer.kind == "text/html" and "content-encoding" not in answer.headers:
            self._reflects(payload, answer.body.decode("utf-8", "replace"))

    def _reflects(self, payload: Payload, page: str) -> None:
        if any(markup in page for markup in MARKUP):
            self._fault(payload, "the page holds what was sent, unescaped")

    def _note(self, payload: Payload, answer: Answer) -> None:
        """What an intake says became of a body: it must not be silent about any of it."""
        said = json.loads(answer.body)
        if answer.status >= 400:
            if not said.get("detail"):
                self._fault(payload, f"{answer.status} without a reason")
            self.seen.reasons.update(said.get("reasons", {}))
            return
        for receipt in said.get("receipts", ()):
            self.seen.outcomes[f"http {receipt['outcome']}"] += 1
            if receipt["outcome"] == "quarantined":
                self.seen.reasons[receipt["reason"]] += 1
                if not receipt["reason"]:
                    self._fault(payload, "quarantined without a reason")
            elif receipt["seq"] > 0:
                self.seen.committed[receipt["seq"]] = receipt["id"]
            else:
                self._fault(payload, f"{receipt['outcome']} without a place in the log")
        if "read" in said:
            self.seen.reasons.update(said["reasons"])
            if (
                said["read"] + sum(said["ignored"].values()) + said["quarantined"] == 0
                and b"Bundle" not in payload.data
            ):
                self._fault(payload, "200, and nothing said of what was sent")

    def _fault(self, payload: Payload, what: str) -> None:
        if len(self.seen.faults) < 50:
            self.seen.faults.append(
                f"{payload.entrance} {payload.where[:80]!r} {(payload.head + payload.data)[:400]!r}: {what}"
            )


class Pulse(threading.Thread):
    """Asks the ward whether it lives, twenty times a second; the longest wait is how long its loop stood still."""

    def __init__(self, ward: Ward) -> None:
        super().__init__(daemon=True)
        self._ward = ward
        self._ended = threading.Event()
        self.waits_s: list[float] = []
        self.stalls: list[float] = []  # over a second, while the ward was at work
        self.unanswered = 0

    def run(self) -> None:
        """Until `end`."""
        client = Http(self._ward.port)
        while not self._ended.wait(0.05):
            cpu_s, started = self._ward.cpu_s() if self._ward.alive else 0.0, time.perf_counter()
            try:
                answered = client.get("/api/v1/health/live").status == 200
            except (NoAnswer, OSError):
                answered = False
            waited_s = time.perf_counter() - started
            self.unanswered += not answered
            self.waits_s.append(waited_s)
            if waited_s > ANSWER_S_MAX and (not self._ward.alive or self._ward.cpu_s() - cpu_s >= 0.5 * waited_s):
                self.stalls.append(waited_s)
        client.close()

    def end(self) -> None:
        """Stop asking."""
        self._ended.set()
        self.join(GIVE_UP_S)


def associate(attack: Attack) -> None:
    """Give every device a patient, so that what it sends has a twin to move."""
    for n, device in enumerate(DEVICES):
        message = {
            "id": "first", "time": "2026-01-01T00:00:00Z", "patient": [{"system": "urn:hostile", "value": f"p{n % 5}"}],
            "person": {"family": MARKUP[n % 3], "given": "x", "birth": "1950-02-03"}, "location": {"ward": "W",
            "bed": f"{n % 5}"},
            "visit": {"visit": {"system": "urn:v", "value": f"w{n % 5}"}, "location": {"ward": "W",
            "bed": MARKUP[n % 3]}},
        }  # fmt: skip
        receipt = attack.mqtt.send(f"vitruvian/v1/{device}/association".encode(), json.dumps(message).encode())
        if receipt is None or receipt["outcome"] not in ("committed", "duplicate"):
            raise SystemExit(f"the association of {device} was not taken: {receipt}")

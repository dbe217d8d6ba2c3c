"""A whole ward as a process, to be killed, stopped, starved and started again; and devices that outlive it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from vitruvian.bedside.device import Client
from vitruvian.bedside.monitors import Monitors
from vitruvian.bedside.outbox import Outbox, Outgoing
from vitruvian.journal import Journal
from vitruvian.twin import Twins

START_S_MAX: Final = 60.0
STOP_S_MAX: Final = 20.0
POLL_S: Final = 0.02


class WardProcess:
    """`vitruvian serve` (or `ward`) on a journal. Each `start` is a new process; leaving ends it and its broker."""

    def __init__(self, journal: Path, *options: str, command: str = "serve", log: Path | None = None) -> None:
        self.journal = journal
        self.log = log or journal.with_name("ward.log")
        self._command = command
        self._options = ["--port", "0", *options] + (["--mllp-port", "0"] if command == "serve" else [])
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self.mqtt = ""
        self.mllp_port = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.end_broker()

    @property
    def pid(self) -> int:
        """Of the running ward."""
        assert self._process is not None
        return self._process.pid

    @property
    def broker_pid(self) -> int:
        """Of the broker that the ward started."""
        return int(self._broker_pid_path.read_text("utf-8"))

    @property
    def _broker_pid_path(self) -> Path:
        return self.journal.with_name(f"{self.journal.stem}-broker") / "broker.pid"

    def spawn(self) -> None:
        """Start, without waiting."""
        program = Path(sys.executable).with_name("vitruvian")
        command = [str(program), self._command, "--journal", str(self.journal), *self._options]
        with self.log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603

    def start(self) -> float:
        """Start, and wait until it takes data in; the seconds from nothing to there. RuntimeError where it does not."""
        began = time.monotonic()
        self.spawn()
        self.wait_ready()
        return time.monotonic() - began

    def wait_ready(self) -> None:
        """Wait until what was started takes data in."""
        process, until = self._process, time.monotonic() + START_S_MAX
        assert process is not None
        while "Started in" not in (said := self.said()):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the ward did not start (exit status {process.returncode}): {said}")
            time.sleep(POLL_S)
        self.url = _found(r"http://127\.0\.0\.1:\d+(?=/)", said)
        self.mqtt = _found(r"mqtt://127\.0\.0\.1:\d+", said)
        self.mllp_port = int(_found(r"(?<=MLLP\):   127\.0\.0\.1:)\d+", said) or 0)
        while not self.is_ready():
            if time.monotonic() > until:
                raise RuntimeError("the ward started and cannot keep data")
            time.sleep(POLL_S)

    def said(self) -> str:
        """What the process has written."""
        return self.log.read_text("utf-8", "replace")

    def is_ready(self) -> bool:
        """Whether it says that it can take data in and keep it."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/health/ready", timeout=5):  # noqa: S310
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """SIGKILL: what a power cut leaves of the process. Nothing where none runs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def stop(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Ask it to stop: (exit status, seconds it took)."""
        process, began = self._process, time.monotonic()
        assert process is not None
        process.send_signal(by)
        status = process.wait(STOP_S_MAX)
        self._process = None
        return status, time.monotonic() - began

    def end_broker(self) -> None:
        """End the broker that a killed ward left to its successor."""
        with contextlib.suppress(OSError, ValueError):
            pid = self.broker_pid
            if str(self._broker_pid_path.parent) in Path(f"/proc/{pid}/cmdline").read_text("utf-8"):
                os.kill(pid, signal.SIGKILL)

    # --- asking --------------------------------------------------------------

    def get(self, path: str) -> Any:
        """The JSON at a path of the API."""
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())

    def post(self, path: str, body: object) -> tuple[int, Any]:
        """Post JSON to a path of the API: (status, its JSON), whatever the status."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}/api/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def hashes(self, patients: Iterable[str] | None = None) -> dict[str, str]:
        """The hashes of these patients' twins, or of all that are shown."""
        ids = [row["id"] for row in self.get("patients")["patients"]] if patients is None else list(patients)
        return {one: self.get(f"patients/{one}/twin")["twin"]["hash"] for one in ids}


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[0] if match else ""


def fresh_hashes(path: Path) -> dict[str, str]:
    """Every patient's twin, folded from the first entry of a journal, by its hash."""
    with Journal.open(path, read_only=True) as journal:
        twins = Twins(journal)
        twins.catch_up(journal.samples_since(0), journal.last_seq())
        return {patient.id: twins.hash(patient.pid) for patient in journal.patients() if patient.pid in twins}


class Kept:
    """How often each device's message stands in a journal; `read` goes on from where it was."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seq = 0
        self.times: Counter[str] = Counter()

    def read(self) -> None:
        """Count what came since."""
        with Journal.open(self._path, read_only=True) as journal:
            last = journal.last_seq()
            for seq in range(self._seq + 1, last + 1):
                entry = journal.entry(seq).entry
                if entry.source.startswith("mqtt"):
                    self.times[entry.source_id] += 1
            self._seq = last

    def lost(self, receipted: set[str]) -> set[str]:
        """Messages that a device holds a receipt for, and the journal does not."""
        return {name for name in receipted if not self.times[name]}

    @property
    def duplicated(self) -> int:
        """Messages that stand in the log more than once."""
        return sum(1 for count in self.times.values() if count > 1)


class Station:
    """Monitors that speak at a rate into an outbox of their own, whatever becomes of broker and ward."""

    def __init__(self, outbox: Path | None, beds: int, *, rate_hz: float = 1.0, seed: int = 1) -> None:
        self.outbox = Outbox(outbox)
        self.monitors = Monitors(beds, seed, time.time_ns() // 1_000)
        self._rate_hz = rate_hz
        self._phases = max(1, min(20, beds // 10))
        self.said: set[str] = set()
        self.admitted = False

    def close(self) -> None:
        """Let go of the outbox."""
        self.outbox.close()

    @contextlib.asynccontextmanager
    async def connected(self, broker: str) -> AsyncIterator[Client]:
        """A client that sends what the outbox holds."""
        devices = self.monitors.devices
        async with Client(broker, self.outbox, client_id="station", devices=devices, resend_s=1.0) as client:
            yield client

    async def talk(self, client: Client, seconds: float | None = None) -> None:
        """Speak for so long, or until cancelled: each bed once a `1 / rate_hz` seconds, spread over it."""
        if not self.admitted:
            await self._say(client, self.monitors.admissions())
            self.admitted = True
        beds, phases = len(self.monitors.devices), self._phases
        began = due = time.monotonic()
        phase = 0
        while seconds is None or time.monotonic() - began < seconds:
            rows = slice(beds * phase // phases, beds * (phase + 1) // phases)
            await self._say(client, self.monitors.readings(time.time_ns() // 1_000, rows))
            phase = (phase + 1) % phases
            due = max(due + 1 / self._rate_hz / phases, time.monotonic() - 1.0)
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _say(self, client: Client, messages: Sequence[Outgoing]) -> None:
        await client.send(messages)
        self.said.update(f"{one.device}/{one.id}" for one in messages)

    def receipted(self) -> set[str]:
        """What was said and has its receipt."""
        return self.said - {f"{one.device}/{one.id}" for one in self.outbox.pending(0, 1_000_000)}

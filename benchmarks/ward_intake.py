"""The whole ward under load: bedside devices over a real broker at QoS 1, through commit, twin and score.

    scripts/bench ward_intake                      # 5,000 patients at 1 Hz, and 100, 1,000 and 10,000 patients
    scripts/bench ward_intake --beds 5000 --seconds 60

Three processes, as in life: the monitors (which push as fast as asked and wait only for the broker), the broker, the
ward. Each message carries the eight vitals of one patient. After the monitors stop, what the ward's journal holds is
compared with what they sent: loss is the difference. CPU is read from the processes' own counters.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks._results import Bar, record

BROKERS = ("nats", "nats-sync", "mosquitto")
TICKS = os.sysconf("SC_CLK_TCK")
SETTLE_S_MAX = 60.0


def cpu_s(pid: int) -> float:
    """CPU seconds a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def free_port() -> int:
    """A free port on the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process for the time of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=dict(os.environ, **environment))
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def broker(kind: str, folder: Path) -> Iterator[tuple[str, int]]:
    """A real broker: its URL and process id."""
    port = free_port()
    if kind == "mosquitto":
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n"
        )
        command = ["/usr/sbin/mosquitto", "-c", str(config)]
    else:
        from vitruvian.streams.broker import BrokerSettings
        from vitruvian.streams.broker.config import find_server, render

        config = folder / "nats.conf"
        config.write_text(render(BrokerSettings(sync_always=kind == "nats-sync"), folder, port))
        command = [str(find_server()), "-c", str(config)]
    with running(command, folder / "broker.log") as process:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
                break
            time.sleep(0.05)
        yield f"mqtt://127.0.0.1:{port}", process.pid


def get(url: str) -> bytes:
    """The body at a URL of the ward."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body


def metrics(base: str) -> dict[str, float]:
    """The ward's metrics by name (with labels)."""
    found = re.findall(r"^(vitruvian_\S+) (\S+)$", get(base + "metrics").decode(), re.MULTILINE)
    return {name: float(value) for name, value in found}


def devices_entries(base: str) -> int:
    """Entries that devices sent, as the ward has committed them."""
    streams = json.loads(get(base + "api/v1/streams"))["streams"]
    return sum(stream["entries"] for stream in streams if stream["source"].startswith("mqtt"))


def measure(kind: str, beds: int, rate_hz: float, seconds: float, folder: Path) -> dict[str, Any]:
    """One run; its figures."""
    folder.mkdir(parents=True)
    scripts = Path(sys.executable).parent
    with broker(kind, folder) as (url, broker_pid):
        ward = [
            str(scripts / "vitruvian"), "serve", "--mqtt", url, "--journal", str(folder / "ward.db"), "--port", "0",
            "--mllp-port", "0",
        ]  # fmt: skip
        with running(ward, folder / "ward.log") as process:
            base = _address(folder / "ward.log")
            time.sleep(2)
            load = [str(scripts / "vitruvian"), "monitors", "--light", "--patients", str(beds)]
            load += ["--rate", str(rate_hz), "--duration", str(seconds)]
            with running(load, folder / "load.log", VITRUVIAN_MQTT=url) as monitors:
                pids = {"ward": process.pid, "broker": broker_pid, "monitors": monitors.pid}
                return {"broker": kind, **_watch(base, pids, monitors, folder / "load.log", beds, seconds)}


def _address(log: Path) -> str:
    for _ in range(600):
        found = re.search(r"http://127\.0\.0\.1:\d+/", log.read_text())
        if found and "Started in" in log.read_text():
            return found[0]
        time.sleep(0.1)
    raise SystemExit(f"the ward did not start: {log.read_text()}")


def _watch(
    base: str, pids: dict[str, int], monitors: subprocess.Popen[bytes], log: Path, beds: int, seconds: float
) -> dict[str, Any]:
    # The first seconds are admissions and the ward's own warming up; what is sustained is measured after them.
    warm_s = min(20.0, max(5.0, beds / 400))
    time.sleep(warm_s)
    before = {name: cpu_s(pid) for name, pid in pids.items()}
    first, started = devices_entries(base), time.monotonic()
    while monitors.poll() is None and time.monotonic() - started < seconds - warm_s - 2:
        time.sleep(0.5)
    elapsed_s = time.monotonic() - started
    committed = devices_entries(base) - first
    used = {name: (cpu_s(pid) - before[name]) / elapsed_s for name, pid in pids.items()}
    found = metrics(base)
    sent = _sent(log)
    kept = _settled(base)
    rate = committed / elapsed_s
    return {
        "beds": beds,
        "messages_per_s": round(rate),
        "patients_per_s": round(rate),
        "observations_per_s": round(rate * 8),
        "sent": sent,
        "kept": kept,
        "loss": sent - kept,
        "elapsed_s": round(elapsed_s, 1),
        "cores": {name: round(value, 2) for name, value in used.items()},
        "cpu_us_per_message": {name: round(value / rate * 1e6, 1) for name, value in used.items()} if rate else {},
        **{
            f"{key}_{percent}_ms": round(1000 * found[f'vitruvian_{name}_seconds{{quantile="{quantile}"}}'], 1)
            for key, name in (("in_ward", "arrival_to_scored"), ("end_to_end", "measured_to_scored"))
            for percent, quantile in (("p50", "0.5"), ("p99", "0.99"))
        },
    }


def _sent(log: Path) -> int:
    """What the monitors say they sent, at their end."""
    for _ in range(600):
        found = re.findall(r"(\d+) messages", log.read_text())
        if found:
            return int(found[-1])
        time.sleep(0.1)
    raise SystemExit(f"the monitors did not say what they sent: {log.read_text()}")


def _settled(base: str) -> int:
    """What is kept once nothing more comes."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < SETTLE_S_MAX:
        kept = devices_entries(base)
        if kept == last:
            return kept
        last = kept
        time.sleep(1.5)
    return last


LIMITS = {
    "nats-sync": "one flush to disk for each message in the broker (sync always)",
    "nats": "the two cores: broker, monitors and ward together",
    "mosquitto": "the two cores: broker, monitors and ward together",
}


def main() -> None:
    """Measure, print, record."""
    asked = _arguments()
    runs = []
    with tempfile.TemporaryDirectory(prefix="vitruvian-bench-", dir=asked.folder) as scratch:
        plans = [(kind, asked.beds, asked.seconds) for kind in asked.brokers]
        plans += [(asked.brokers[0], beds, asked.scale_seconds) for beds in asked.scale]
        for number, (kind, beds, seconds) in enumerate(plans):
            rate_hz = 1.0 if beds <= asked.beds else asked.beds / beds
            run = measure(kind, beds, rate_hz, seconds, Path(scratch) / str(number))
            run |= {"limit": LIMITS[kind] if run["messages_per_s"] < 0.97 * beds * rate_hz else "what was sent"}
            print(json.dumps(run), file=sys.stderr, flush=True)
            runs.append(run)
    if asked.json:
        print(json.dumps(runs))
    if not asked.dry_run:
        _record(runs)


def _record(runs: list[dict[str, Any]]) -> None:
    best = max(runs, key=lambda run: run["messages_per_s"])
    lost = sum(run["loss"] for run in runs)
    rate = best["messages_per_s"]
    bars = [
        Bar(
            "messages/s sustained, 8 signals each, QoS 1 in to scored", ">= 5,000", rate, rate >= 5_000, best["broker"]
        ),
        Bar("messages lost, all runs", "0", lost, lost == 0),
    ]
    for run in runs:
        what = f"{run['beds']:,} patients over {run['broker']}"
        figures = (
            f"{run['messages_per_s']:,} patients/s; in the ward p50 {run['in_ward_p50_ms']} ms, p99"
            f" {run['in_ward_p99_ms']} ms; from the device p50 {run['end_to_end_p50_ms']} ms, p99"
            f" {run['end_to_end_p99_ms']} ms"
        )
        bars.append(Bar(what, "reported", figures, None, f"limit: {run['limit']}"))
    notes = [
        "Monitors, broker and ward share the machine's cores; `cores` and `cpu_us_per_message` are of each process.",
        "`in_ward`: from arrival at the ward to the patient's new score. `end_to_end`: from the device's own time of"
        " the measurement, so through the monitors' queue and the broker too.",
        "nats-sync is the embedded broker's setting (every message flushed before the next): durable, and bounded by"
        " the disk. The others rely on the device's outbox and the ward's receipt, which need no broker's disk.",
    ]
    record("ward_intake", title="The whole ward under load", provenance="simulated", bars=bars,
           figures={"runs": runs}, notes=notes)  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beds", type=int, default=6_000, help="of the sustained run, each at 1 Hz")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--brokers", nargs="+", choices=BROKERS, default=["nats", "mosquitto", "nats-sync"])
    parser.add_argument("--scale", nargs="*", type=int, default=[100, 1_000, 10_000])
    parser.add_argument("--scale-seconds", type=float, default=45.0)
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dry-run", action="store_true", help="record nothing")
    return parser.parse_args()


if __name__ == "__main__":
    main()

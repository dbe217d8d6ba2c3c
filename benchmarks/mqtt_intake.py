"""MQTT at QoS 1, from the device to the acknowledgement after a commit: brokers, clients, and our intake.

    scripts/bench mqtt_intake
    scripts/bench mqtt_intake --seconds 5 --only nats

Three processes, as in life: monitors that publish messages of eight signals and wait only for the broker, a broker,
and a subscriber that acknowledges after a simulated commit of 5 ms. The subscriber is in turn a bare client of each
library (what receiving and acknowledging costs), then the ward's intake with decoding and receipts into a sink that
keeps nothing. CPU is read from the processes' own counters; loss is what was acknowledged to the monitors and never
came.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks._results import Bar, quantiles_ms, record
from vitruvian.bedside.device import LightClient
from vitruvian.bedside.monitors import Monitors
from vitruvian.core.events import Entry, Receipt, Refusal
from vitruvian.core.time import SystemClock
from vitruvian.streams.broker import BrokerSettings, find_server
from vitruvian.streams.broker.config import render
from vitruvian.streams.mqtt import Connection, MqttIntake, address
from vitruvian.streams.mqtt.codec import Message

BROKERS = ("mosquitto", "nats", "nats-sync")
SUBSCRIBERS = ("bare", "gmqtt", "paho", "intake")
FILTER = "vitruvian/v1/+/observations"
COMMIT_S = 0.005
BEDS = 2_000
CHUNK = 250
QUIET_S = 2.0
TICKS = os.sysconf("SC_CLK_TCK")
MOSQUITTO = Path("/usr/sbin/mosquitto")


# --- the publishing process ---


async def publish(url: str, seconds: float, rate: float) -> dict[str, Any]:
    """Publish readings for a while, at a rate or (0) as fast as the broker acknowledges."""
    monitors = Monitors(BEDS, 1, time.time_ns() // 1_000)
    began_cpu_s = time.process_time()
    async with LightClient(url, client_id="bench-monitors", window=2_000) as client:
        began, chunk = time.monotonic(), 0
        while (elapsed_s := time.monotonic() - began) < seconds:
            if rate and client.counts["sent"] >= rate * elapsed_s:
                await asyncio.sleep(0.005)
                continue
            start = chunk % (BEDS // CHUNK) * CHUNK
            await client.send(monitors.readings(time.time_ns() // 1_000, slice(start, start + CHUNK)))
            chunk += 1
        await client.drained()
        elapsed_s = time.monotonic() - began
    return {"sent": client.counts["sent"], "seconds": elapsed_s, "cpu_s": time.process_time() - began_cpu_s}


# --- the subscribing processes ---


class Count:
    """What came, counted once each by topic and id, and how old it was once kept."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()
        self.ages_s: list[float] = []
        self.first_cpu_s: float | None = None
        self.first_at = self.last_at = 0.0

    def note(self, device: str, number: str) -> None:
        if self.first_cpu_s is None:
            self.first_cpu_s = time.process_time()
            self.first_at = time.monotonic()
        self.last_at = time.monotonic()
        self.seen.add((device, number))
        if len(self.seen) % 7 == 0:
            self.ages_s.append(time.time() - int(number[1:]) / 1e6)

    def told(self) -> dict[str, Any]:
        return {
            "received": len(self.seen),
            "seconds": max(self.last_at - self.first_at, 1e-3),
            "cpu_s": time.process_time() - (self.first_cpu_s or time.process_time()),
            **quantiles_ms(self.ages_s[len(self.ages_s) // 5 :] or [0.0]),
        }


def named(topic: bytes | str, payload: bytes) -> tuple[str, str]:
    """Device and id of a message, without decoding it: a bare client's cost is its own."""
    text = topic if isinstance(topic, str) else topic.decode()
    return text[13:-13], payload[7 : payload.index(b'"', 7)].decode()


async def subscribe_bare(url: str, count: Count) -> None:
    """Our own client: PUBACKs of a run of messages in one write."""
    waiting: list[Message] = []
    arrived = asyncio.Event()

    def take(messages: list[Message]) -> None:
        waiting.extend(messages)
        arrived.set()

    connection = await Connection.open(address(url), "bench-ward", take, clean_session=False)
    await connection.subscribe([FILTER], 1)
    print("ready", flush=True)
    while True:
        await arrived.wait()
        arrived.clear()
        batch, waiting[:] = list(waiting), []
        await asyncio.sleep(COMMIT_S)
        connection.acknowledge(message.packet_id for message in batch)
        for message in batch:
            count.note(*named(message.topic, message.payload))


async def subscribe_gmqtt(url: str, count: Count) -> None:
    """gmqtt: its handler is a coroutine, and the PUBACK goes out when it returns."""
    from gmqtt import Client

    where = address(url)
    client = Client("bench-ward", clean_session=False)
    batch: list[asyncio.Future[None]] = []

    async def commit() -> None:
        while True:
            await asyncio.sleep(COMMIT_S)
            taken, batch[:] = list(batch), []
            for done in taken:
                done.set_result(None)

    async def on_message(_: object, topic: str, payload: bytes, qos: int, properties: object) -> int:
        done = asyncio.get_running_loop().create_future()
        batch.append(done)
        await done
        count.note(*named(topic, payload))
        return 0

    client.on_message = on_message
    await client.connect(where.host, where.port, version=4)
    client.subscribe(FILTER, qos=1)
    await asyncio.sleep(0.3)
    print("ready", flush=True)
    await commit()


async def subscribe_paho(url: str, count: Count) -> None:
    """paho: a thread of its own, acknowledged by hand."""
    import paho.mqtt.client as paho

    where = address(url)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "bench-ward", clean_session=False, manual_ack=True)
    client.max_inflight_messages_set(0)
    waiting: list[Any] = []
    client.on_message = lambda _c, _u, message: waiting.append(message)
    client.connect(where.host, where.port)
    client.subscribe(FILTER, 1)
    client.loop_start()
    await asyncio.sleep(0.3)
    print("ready", flush=True)
    while True:
        await asyncio.sleep(COMMIT_S)
        size = len(waiting)
        batch, waiting[:size] = waiting[:size], []
        for message in batch:
            client.ack(message.mid, message.qos)
            count.note(*named(message.topic, message.payload))


class NullSink:
    """A sink whose commit takes a time and keeps nothing but the count."""

    def __init__(self, count: Count) -> None:
        self._count = count

    async def submit(self, entries: Sequence[Entry]) -> list[Receipt]:
        await asyncio.sleep(COMMIT_S)
        for entry in entries:
            self._count.note(*entry.source_id.split("/", 1))
        return [Receipt("committed", 1)] * len(entries)

    async def refuse(self, refusals: Sequence[Refusal]) -> list[Receipt]:
        raise AssertionError(refusals[0].reason)


async def subscribe_intake(url: str, count: Count) -> None:
    """The ward's intake: decoded, submitted, acknowledged, receipted."""
    intake = MqttIntake(url, NullSink(count), SystemClock(), client_id="bench-ward")
    running = asyncio.ensure_future(intake.run())
    await intake.ready.wait()
    print("ready", flush=True)
    await running


async def subscriber(kind: str, url: str) -> None:
    """Run one until SIGTERM, then tell what came."""
    kinds: dict[str, Callable[[str, Count], Awaitable[None]]] = {
        "bare": subscribe_bare, "gmqtt": subscribe_gmqtt, "paho": subscribe_paho, "intake": subscribe_intake,
    }  # fmt: skip
    count = Count()
    task = asyncio.ensure_future(kinds[kind](url, count))

    async def finish() -> None:
        """What the broker still holds counts: stop when nothing more comes."""
        while time.monotonic() - count.last_at < QUIET_S:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(finish()))
    with contextlib.suppress(asyncio.CancelledError):
        await task
    print(json.dumps(count.told()), flush=True)
    os._exit(0)  # paho's thread and gmqtt's tasks have nothing more to say


# --- the measuring process ---


@contextlib.contextmanager
def broker(kind: str, folder: Path) -> Iterator[tuple[str, int]]:
    """A real broker on a free port: its URL and process."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    config = folder / f"{kind}.conf"
    if kind == "mosquitto":
        config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 8192\n"
                          "max_queued_messages 0\n")  # fmt: skip
        command = [str(MOSQUITTO), "-c", str(config)]
    else:
        config.write_text(render(BrokerSettings(sync_always=kind == "nats-sync"), folder, port))
        command = [str(find_server()), "-c", str(config)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert time.monotonic() < until, "the broker does not answer"
            time.sleep(0.05)
        time.sleep(0.3)
        yield f"mqtt://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(10)


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def measure(kind: str, who: str, seconds: float, rate: float) -> dict[str, Any]:
    """One run: a broker, a subscriber, a publisher."""
    me = [sys.executable, "-m", "benchmarks.mqtt_intake"]
    scratch = tempfile.TemporaryDirectory(dir="/var/tmp")  # on a real disk
    with scratch as folder, broker(kind, Path(folder)) as (url, pid):
        listening = subprocess.Popen([*me, "--subscriber", who, "--url", url], stdout=subprocess.PIPE, text=True)
        assert listening.stdout is not None and listening.stdout.readline().strip() == "ready"
        before_s = cpu_s(pid)
        command = [*me, "--publisher", "--url", url, "--seconds", str(seconds), "--rate", str(rate)]
        sent = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)
        listening.terminate()
        got = json.loads(listening.communicate(timeout=120)[0].splitlines()[-1])
        used_s = cpu_s(pid) - before_s
    per = 1e6 / max(got["received"], 1)
    return {
        "broker": kind,
        "client": who,
        "offered_per_s": rate or "all it takes",
        "messages_per_s": got["received"] / got["seconds"],
        "loss": sent["sent"] - got["received"],
        "publisher_us": sent["cpu_s"] * per,
        "broker_us": used_s * per,
        "subscriber_us": got["cpu_s"] * per,
        "p50_ms": got["p50_ms"],
        "p99_ms": got["p99_ms"],
    }


def main() -> None:
    """Measure every pair, print, record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--only", choices=BROKERS)
    parser.add_argument("--dry-run", action="store_true", help="record nothing")
    for hidden in ("--url", "--subscriber", "--rate"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    parser.add_argument("--publisher", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.subscriber or asked.publisher:
        if importlib.util.find_spec("uvloop"):
            import uvloop

            uvloop.install()
        if asked.subscriber:
            asyncio.run(subscriber(asked.subscriber, asked.url))
        print(json.dumps(asyncio.run(publish(asked.url, asked.seconds, float(asked.rate or 0)))))
        return
    kinds = [one for one in BROKERS if (asked.only in (None, one)) and (one != "mosquitto" or MOSQUITTO.exists())]
    runs = []
    for kind in kinds:
        for who, rate in [*((who, 0.0) for who in SUBSCRIBERS), ("intake", 5_000.0)]:
            runs.append(measure(kind, who, asked.seconds, rate))
            print(json.dumps(runs[-1]), file=sys.stderr, flush=True)
    if not asked.dry_run:
        tell(runs)


def tell(runs: list[dict[str, Any]]) -> None:
    """Record the result."""
    ours = [run for run in runs if run["client"] == "intake"]
    best = max(ours, key=lambda run: run["messages_per_s"])
    lost = sum(run["loss"] for run in ours)
    record(
        "mqtt_intake",
        title="MQTT QoS 1 to the acknowledgement after a commit",
        provenance="simulated",
        bars=[
            Bar("messages/s of 8 signals, decoded and receipted", ">= 5,000", best["messages_per_s"],
                best["messages_per_s"] >= 5_000, f"{best['broker']}, all it takes"),
            Bar("loss through our intake, all brokers", "0", lost, lost == 0),
            *(Bar(f"intake over {run['broker']}, all it takes", "reported", run["messages_per_s"], None)
              for run in ours if isinstance(run["offered_per_s"], str)),
        ],
        figures={"runs": runs},
        notes=[
            "CPU: microseconds of one core a message; p50 and p99 are from the monitor's reading to after the commit.",
            "`bare` is our client without decoding, beside gmqtt and paho doing the same.",
            "nats-sync flushes each message to disk before the broker acknowledges it; it is bounded by the disk.",
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""The pages of a running ward: how quick and small the first one is, how soon a value is in it, what viewers cost.

    scripts/bench dashboard
    scripts/bench dashboard --beds 200 --viewers 50 --seconds 30

A real ward in a process of its own (broker, journal, twins, scores, risk, pages) with virtual monitors at one reading
a second, and a real Chromium. *Arrival to DOM*: a device publishes a heart rate no one else has; the page notes when
the text changes (both on this machine's clock), so broker, commit, twin, score, stream and drawing are all in it.
*Viewers*: the processor time of the ward's process with so many open streams, less that with none, by its own counters;
the viewers read everything they are sent, from a process of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from playwright.async_api import Browser, Page, async_playwright

from benchmarks._results import Bar, quantiles_ms, record
from tests.support import CHROMIUM_FLAGS, find_program
from vitruvian.bedside.device import LightClient
from vitruvian.bedside.outbox import Outgoing

TICKS = os.sysconf("SC_CLK_TCK")
START_S_MAX = 60.0
DEVICE = "bench-probe"
LATENCY_MS_MAX = 250.0
SHARE_MAX = 0.10
FIRST_S_MAX = 1.0
FIRST_BYTES_MAX = 150_000

WATCH = """() => {
    window.seen = {};
    const cell = document.querySelector('[data-probe] [data-c="heart_rate"] b');
    new MutationObserver(() => { window.seen[cell.textContent] ??= performance.timeOrigin + performance.now(); })
        .observe(cell, { childList: true, characterData: true, subtree: true });
}"""
RENDERED = """() => {
    const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter((entry) => !entry.name.includes('/stream'));
    return { bytes: entries.reduce((sum, entry) => sum + entry.transferSize, 0),
        paint_ms: performance.getEntriesByName('first-contentful-paint')[0].startTime,
        rows: document.querySelectorAll('#beds .bed').length };
}"""


@contextlib.contextmanager
def ward(beds: int, folder: Path, *options: str) -> Iterator[tuple[str, str, int]]:
    """A ward of virtual patients: (address of its pages, address of its broker, process id)."""
    log = folder / "ward.log"
    command = [sys.executable, "-c", "from vitruvian.cli import main; main()", "ward", "--port", "0"]
    command += ["--patients", str(beds), "--journal", str(folder / "ward.db"), *options]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield *_addresses(process, log), process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _addresses(process: subprocess.Popen[bytes], log: Path) -> tuple[str, str]:
    give_up = time.monotonic() + START_S_MAX
    while time.monotonic() < give_up and process.poll() is None:
        text = log.read_text("utf-8", "replace")
        page, broker = re.search(r"(http://[^ /]+)/", text), re.search(r"MQTT:\s+(mqtt://\S+)", text)
        if page and broker:
            return page[1], broker[1]
        time.sleep(0.1)
    raise RuntimeError(f"the ward did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def cpu_s(pid: int) -> float:
    """Processor seconds that a process has used, its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def settled(url: str, beds: int) -> None:
    """Wait until every bed has a heart rate."""
    give_up = time.monotonic() + START_S_MAX
    async with httpx.AsyncClient(timeout=30) as http:
        while time.monotonic() < give_up:
            rows = (await http.get(f"{url}/api/v1/patients")).json()["patients"]
            if sum("heart_rate" in row["vitals"] for row in rows) >= beds:
                return
            await asyncio.sleep(1)
    raise RuntimeError("not every bed was heard of")


def message(kind: str, number: int, body: dict[str, Any]) -> Outgoing:
    now = datetime.now(UTC).isoformat()
    payload = json.dumps({"id": f"{kind}-{number}-{time.time_ns()}", "time": now, "simulated": True} | body).encode()
    return Outgoing(DEVICE, f"{kind}-{number}", f"vitruvian/v1/{DEVICE}/{kind}".encode(), payload)


async def admit(broker: LightClient) -> None:
    """A patient of the benchmark's own, whose values nobody else sends."""
    patient = [{"system": "urn:bench", "value": "probe", "type": "MR"}]
    visit = {
        "action": "admit",
        "visit": {"system": "urn:bench", "value": "v1"},
        "location": {"ward": "Virtual A", "bed": "P"},
    }
    person = {"family": "Probe-Simulated", "given": "Bench", "birth": "1960-05-01", "sex": "female"}
    body = {"action": "start", "patient": patient, "person": person, "visit": visit}
    await broker.send(
        [message("association", 0, body), message("observations", 0, {"values": {"heart_rate": [60, "/min"]}})]
    )


async def first_renders(browser: Browser, url: str, times: int) -> list[dict[str, float]]:
    """The ward's page in a fresh, empty browser profile, so many times."""
    found = []
    for _ in range(times):
        context = await browser.new_context(viewport={"width": 1600, "height": 1000})
        page = await context.new_page()
        await page.goto(url, wait_until="load")
        await page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
        found.append(await page.evaluate(RENDERED))
        await context.close()
    return found


async def latencies(page: Page, broker: LightClient, samples: int) -> list[float]:
    """Seconds from publishing a value to its text being in the page."""
    sent: dict[str, float] = {}
    for number in range(samples):
        value = 61 + number % 120  # far enough apart that a text never repeats among those waited for
        sent[str(value)] = time.time()
        await broker.send([message("observations", number + 1, {"values": {"heart_rate": [value, "/min"]}})])
        await asyncio.sleep(0.37)  # out of step with the frames
        if number % 120 == 119 or number == samples - 1:
            await asyncio.sleep(2)
    seen: dict[str, float] = await page.evaluate("window.seen")
    missed = sent.keys() - seen.keys()
    if missed:
        raise RuntimeError(f"never shown: {sorted(missed)}")
    return [seen[value] / 1000 - at for value, at in sent.items()]


async def measure_page(url: str, broker_url: str, samples: int) -> dict[str, Any]:
    program = find_program("chromium", "chromium-browser", "google-chrome")
    if program is None:
        raise RuntimeError("no Chromium: scripts/setup --dev installs it")
    async with async_playwright() as playwright, LightClient(broker_url, client_id="bench") as broker:
        browser = await playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_FLAGS))
        renders = await first_renders(browser, url, 5)
        await admit(broker)
        await asyncio.sleep(2)
        async with httpx.AsyncClient() as http:
            rows = (await http.get(f"{url}/api/v1/patients")).json()["patients"]
        probe = next(row["id"] for row in rows if row["name"].startswith("PROBE"))
        page = await browser.new_page(viewport={"width": 1600, "height": 1000})
        await page.goto(url)
        await page.wait_for_selector('#connection[data-state="live"]')
        await page.evaluate("(id) => document.querySelector(`[data-id='${id}']`).setAttribute('data-probe', '')", probe)
        await page.evaluate(WATCH)
        durations = await latencies(page, broker, samples)
        detail = f"{url}/patients/{quote(probe, safe='')}"
        await page.goto(detail, wait_until="load")
        await page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length > 0")
        patient = await page.evaluate(RENDERED)
        await browser.close()
    return {"renders": renders, "patient": patient, "latency": quantiles_ms(durations), "samples": len(durations)}


async def view(url: str, viewers: int, seconds: float) -> None:
    """So many open streams, read for a while; prints frames and bytes."""
    host, _, port = url.removeprefix("http://").partition(":")
    counted = {"frames": 0, "bytes": 0}

    async def one() -> None:
        reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 24)
        writer.write(
            f"GET /api/v1/stream HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n\r\n".encode()
        )
        while True:
            data = await reader.read(1 << 20)
            if not data:
                raise RuntimeError("the stream ended")
            counted["frames"] += data.count(b"\nevent: ")
            counted["bytes"] += len(data)

    tasks = [asyncio.create_task(one()) for _ in range(viewers)]
    await asyncio.sleep(seconds)
    failed = [task for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
    print(json.dumps(counted | {"failed": len(failed)}))


def share(url: str, pid: int, viewers: int, seconds: float) -> tuple[float, dict[str, float]]:
    """Of one core, what the ward's process uses with so many viewers; and what they got."""
    watching: subprocess.Popen[str] | None = None
    if viewers:
        arguments = ["--view", url, "--viewers", str(viewers), "--seconds", str(seconds + 6)]
        command = [sys.executable, "-m", "benchmarks.dashboard", *arguments]
        watching = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        time.sleep(4)  # joined, and past their snapshots
    began_s, began_cpu_s = time.monotonic(), cpu_s(pid)
    time.sleep(seconds)
    used = (cpu_s(pid) - began_cpu_s) / (time.monotonic() - began_s)
    got: dict[str, float] = {}
    if watching is not None:
        got = json.loads(watching.communicate(timeout=60)[0])
    return used, got


def main() -> None:
    """Measure, and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beds", type=int, default=200)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--samples", type=int, default=120)
    parser.add_argument("--view", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.view:
        asyncio.run(view(options.view, options.viewers, options.seconds))
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        ward(options.beds, Path(folder), "--history", "0") as (url, broker, pid),
    ):
        asyncio.run(settled(url, options.beds))
        time.sleep(5)
        shares: dict[int, list[float]] = {0: [], 10: [], options.viewers: []}
        got: dict[str, float] = {}
        for _ in range(2):
            for viewers, measured in shares.items():
                used, received = share(url, pid, viewers, options.seconds / 2)
                measured.append(used)
                got = received or got
        print({viewers: [f"{used:.1%}" for used in each] for viewers, each in shares.items()}, got)
        pages = asyncio.run(measure_page(url, broker, options.samples))
    report(options, {viewers: sum(each) / len(each) for viewers, each in shares.items()}, got, pages)


def report(options: argparse.Namespace, shares: dict[int, float], got: dict[str, float], pages: dict[str, Any]) -> None:
    """Write the result down."""
    latency, renders = pages["latency"], pages["renders"]
    paint_ms, size = max(one["paint_ms"] for one in renders), max(one["bytes"] for one in renders)
    ours = {viewers: used - shares[0] for viewers, used in shares.items()}
    dashboards = ours[options.viewers]
    frames_per_s = got["frames"] / options.viewers / (options.seconds / 2 + 6)
    page_s, milliseconds = round(paint_ms / 1000, 2), latency["p95_ms"]
    viewers = f"{options.viewers} viewers, share of a core"
    bars = [
        Bar("arrival to DOM, p95, ms", f"< {LATENCY_MS_MAX:g}", milliseconds, milliseconds < LATENCY_MS_MAX),
        Bar(viewers, f"< {SHARE_MAX:.0%}", f"{dashboards:.1%}", dashboards < SHARE_MAX),
        Bar("first page, contentful paint, s (worst of 5)", f"< {FIRST_S_MAX:g}", page_s, page_s < FIRST_S_MAX),
        Bar("first page, bytes transferred", f"< {FIRST_BYTES_MAX:,}", size, size < FIRST_BYTES_MAX),
    ]
    figures = {
        "load_average": round(os.getloadavg()[0], 1),
        "beds": options.beds,
        "viewers": options.viewers,
        "latency": latency,
        "latency_samples": pages["samples"],
        "core_share_by_viewers": {str(viewers): round(used, 4) for viewers, used in shares.items()},
        "dashboard_share_by_viewers": {str(viewers): round(used, 4) for viewers, used in ours.items()},
        "frames_per_s_a_viewer": round(frames_per_s, 2),
        "kib_per_s_a_viewer": round(got["bytes"] / options.viewers / (options.seconds / 2 + 6) / 1024, 1),
        "first_page": renders,
        "patient_page": pages["patient"],
    }
    notes = [
        "Publishing, broker, commit with fsync, twins, scores, risk, stream and drawing are all in the latency.",
        "The share is the ward process's processor time with viewers less without (which takes in everything else).",
    ]
    record(
        "dashboard", title=f"The pages of a ward of {options.beds} beds", provenance="simulated", bars=bars,
        figures=figures, notes=notes,
    )  # fmt: skip


if __name__ == "__main__":
    main()

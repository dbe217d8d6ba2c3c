"""kill -9 of the whole ward, again and again, while devices speak at 2,000 observations a second.

    scripts/bench ward_kills                # 200 kills, about a quarter of an hour
    scripts/bench ward_kills --kills 20 --dry-run

250 monitors of 8 signals at 1 Hz write to a durable outbox and send from it over a real broker (which stays up), also
while the ward is down. After each kill, and before the next start, the journal is read from outside: every message
whose receipt a device holds must stand in it, and none twice. Now and then, and at the end, the devices fall silent and
each twin's hash, as the ward tells it, is compared with a fold of the whole journal from its first entry.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from benchmarks._results import Bar, quantiles_ms, record
from vitruvian.bedside.device import Client
from vitruvian.journal import Journal
from vitruvian.streams.broker import EmbeddedBroker
from vitruvian.testing.ward_process import Kept, Station, WardProcess, fresh_hashes

BEDS, SIGNALS = 250, 8
RESTART_S_MAX = 5.0


class Tally:
    """What the kills cost."""

    def __init__(self) -> None:
        self.kills = self.lost = self.checks = self.unequal = self.patients = 0
        self.ready_s: list[float] = []
        self.receipt_s: list[float] = []


@contextlib.asynccontextmanager
async def talking(station: Station, client: Client) -> AsyncIterator[None]:
    """Devices speak for the time of the block."""
    task = asyncio.create_task(station.talk(client))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def kill_once(
    ward: WardProcess, station: Station, client: Client, kept: Kept, tally: Tally, run_s: float
) -> None:
    """Let it run, kill it, read what it left, start it, and wait until a device gets a receipt again."""
    await asyncio.sleep(run_s)
    ward.kill()
    await asyncio.sleep(0.05)  # receipts that were on their way arrive
    receipted = station.receipted()
    await asyncio.to_thread(kept.read)
    tally.lost += len(kept.lost(receipted))
    tally.kills += 1
    before, began = client.counts["receipted"], time.monotonic()
    tally.ready_s.append(await asyncio.to_thread(ward.start))
    while client.counts["receipted"] == before:  # noqa: ASYNC110  (a count, which nothing announces)
        await asyncio.sleep(0.01)
    tally.receipt_s.append(time.monotonic() - began)


async def compare(ward: WardProcess, client: Client, tally: Tally) -> None:
    """Nobody speaks: what the ward tells of its twins is what a fresh fold gives."""
    await client.drained()
    live = await asyncio.to_thread(ward.hashes)
    anew = await asyncio.to_thread(fresh_hashes, ward.journal)
    tally.checks += 1
    tally.patients = len(anew)
    tally.unequal += sum(1 for patient in live.keys() | anew.keys() if live.get(patient) != anew.get(patient))


async def measure(folder: Path, kills: int, seed: int, compare_every: int) -> tuple[Tally, dict[str, Any]]:
    """All of it."""
    rng, tally, began = random.Random(seed), Tally(), time.monotonic()
    station, kept = Station(folder / "outbox.db", BEDS, seed=seed), Kept(folder / "ward.db")
    async with EmbeddedBroker(folder / "broker") as broker:
        with WardProcess(folder / "ward.db", "--mqtt", broker.url) as ward:
            await asyncio.to_thread(ward.start)
            async with station.connected(broker.url) as client:
                async with talking(station, client):  # the first kill only warms the caches
                    await kill_once(ward, station, client, kept, Tally(), 2.0)
                while tally.kills < kills:
                    async with talking(station, client):
                        for _ in range(min(compare_every, kills - tally.kills)):
                            await kill_once(ward, station, client, kept, tally, rng.uniform(0.8, 2.4))
                            print(f"\r{tally.kills}/{kills} kills, {tally.lost} lost", end="", file=sys.stderr)
                    await compare(ward, client, tally)
            kept.read()
            tally.lost += len(kept.lost(station.said))
            ward.stop()
    station.close()
    with Journal.open(folder / "ward.db", read_only=True) as journal:
        figures: dict[str, Any] = {"entries": journal.last_seq(), "chain_verifies": journal.verify().ok}
    figures |= {
        "kills": tally.kills,
        "messages_said": len(station.said),
        "duplicated": kept.duplicated,
        "observations_per_s": BEDS * SIGNALS,
        "restart_to_ready": quantiles_ms(tally.ready_s),
        "restart_to_first_receipt": quantiles_ms(tally.receipt_s),
        "elapsed_s": round(time.monotonic() - began, 1),
    }
    return tally, figures


def main() -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--compare-every", type=int, default=50, help="kills between comparisons of all twins")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    parser.add_argument("--dry-run", action="store_true", help="record nothing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vitruvian-kills-", dir=asked.folder) as scratch:
        tally, figures = asyncio.run(measure(Path(scratch), asked.kills, asked.seed, asked.compare_every))
    slowest_s = max(tally.ready_s)
    ready = figures["restart_to_ready"]
    bars = [
        Bar("acknowledged and lost", "0", tally.lost, tally.lost == 0, f"{tally.kills} kills"),
        Bar("kept twice", "0", figures["duplicated"], figures["duplicated"] == 0),
        Bar("restart, s (longest)", "< 5", round(slowest_s, 2), slowest_s < RESTART_S_MAX,
            f"median {ready['p50_ms'] / 1e3:.2f} s"),
        Bar("twins unlike a fresh fold of the journal", "0", tally.unequal, tally.unequal == 0,
            f"{tally.patients} twins, compared {tally.checks} times"),
        Bar("chain verifies", "yes", "yes" if figures["chain_verifies"] else "no", figures["chain_verifies"]),
    ]  # fmt: skip
    print(figures)
    if not asked.dry_run:
        record(
            "ward_kills", title="kill -9 of the whole ward during ingest", provenance="simulated", bars=bars,
            figures=figures,
            notes=[
                "Restart: from the new process to its answer that it takes data in; programs and compiled code are in"
                " the system's caches, as they are when a process is killed and not the machine.",
                "Devices, broker and ward share the machine. Devices go on speaking while the ward is down.",
            ],
        )  # fmt: skip


if __name__ == "__main__":
    main()

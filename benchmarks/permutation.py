"""A patient's day in any order: the twin must come out the same, to the last bit of its hash.

    scripts/bench permutation                  # 500 orders
    scripts/bench permutation --orders 50 --dry-run

One simulated day: admission, a bed move, monitor readings every ten minutes, rounds, laboratory results, some corrected
and one withdrawn. Every order is a new journal: the entries shuffled, half of them sent twice, cut into commits at
random, the twin moved after each commit. At the end the live twin, one folded anew from the journal, and one restored
from a snapshot taken half-way must all have one hash.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

from benchmarks._results import Bar, record
from vitruvian.bedside.monitors import Monitors
from vitruvian.core.events import Entry, Event, Quantity, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import DAY_US, HOUR_US, MINUTE_US, parse_iso
from vitruvian.journal import Journal
from vitruvian.streams.mqtt import decode
from vitruvian.streams.mqtt.topics import parse
from vitruvian.twin import Twins, open_twins, save

START_US = parse_iso("2026-01-31T00:00:00Z").us


def a_day(seed: int) -> list[Entry]:
    """What is said of one simulated patient in a day, in order."""
    monitors = Monitors(1, seed, START_US)
    said = list(monitors.admissions())
    for at_us in range(START_US, START_US + DAY_US, 10 * MINUTE_US):
        said += monitors.readings(at_us) + monitors.due(at_us)
    entries: list[Entry] = []
    for one in said:
        topic = parse(one.topic)
        assert topic is not None
        entries += decode(topic, one.payload, START_US + DAY_US).entries
    return entries + _bed_move(entries) + _corrections(entries, random.Random(seed))


def _bed_move(entries: Sequence[Entry]) -> list[Entry]:
    subject = next(entry.subject for entry in entries if entry.subject)
    visit = Visit("transfer", Identifier("bench", "V1"), Location("Simulated", "Virtual B", "3", "A"))
    return [Entry("adt", "move", (Event("encounter", "", visit, START_US + 9 * HOUR_US),), subject=subject)]


def _corrections(entries: Sequence[Entry], chance: random.Random) -> list[Entry]:
    """Later versions of some readings, the last of them withdrawn."""
    measured = [entry for entry in entries if isinstance(entry.events[0].value, Quantity)]
    made = []
    for version, entry in enumerate(chance.sample(measured, 12), start=1):
        first = entry.events[0]
        assert isinstance(first.value, Quantity)
        value = msgspec.structs.replace(first.value, value=first.value.value + 1)
        events = (msgspec.structs.replace(first, value=value), *entry.events[1:])
        made.append(msgspec.structs.replace(entry, events=events, source_version=f"{version}", status="corrected"))
    made.append(msgspec.structs.replace(made[-1], source_version="99", status="entered-in-error"))
    return made


def one_order(entries: Sequence[Entry], chance: random.Random, folder: Path) -> list[str]:
    """The hashes of the live, the refolded and the restored twin after one order."""
    said = [*entries, *chance.sample(list(entries), len(entries) // 2)]
    chance.shuffle(said)
    path = folder / "j.db"
    with Journal.open(path) as journal:
        twins = Twins(journal)
        at = 0
        while at < len(said):
            size = chance.randint(1, 60)
            twins.apply(journal.append(said[at : at + size], recorded_us=START_US + 2 * DAY_US))
            if at < len(said) // 2 <= at + size:
                save(twins, journal)
            at += size
        pid = journal.patients()[0].pid
        restored = open_twins(journal)
        anew = Twins(journal)
        anew.fold_anew([pid], journal.last_seq())
        return [one.hash(pid) for one in (twins, anew, restored)]


def main() -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dry-run", action="store_true", help="record nothing")
    asked = parser.parse_args()
    entries = a_day(asked.seed)
    hashes: Counter[str] = Counter()
    started = time.monotonic()
    for number in range(asked.orders):
        with tempfile.TemporaryDirectory() as folder:
            hashes.update(one_order(entries, random.Random(asked.seed * 1_000_003 + number), Path(folder)))
        if number % 50 == 49:
            print(f"{number + 1} orders, {len(hashes)} hash(es)", file=sys.stderr, flush=True)
    figures = {
        "orders": asked.orders,
        "entries": len(entries),
        "twins": hashes.total(),
        "hashes": len(hashes),
        "seconds": round(time.monotonic() - started, 1),
    }
    if asked.json:
        print(json.dumps(figures))
    if not asked.dry_run:
        what = (
            f"different hashes over {asked.orders} orders of a day of {len(entries)} entries, half of them sent twice"
        )
        notes = ["Live, folded anew and restored from a half-way snapshot: three twins an order."]
        record("permutation", title="A patient's day in any order", provenance="simulated",
               bars=[Bar(what, "1", len(hashes), len(hashes) == 1)], figures=figures, notes=notes)  # fmt: skip
    if len(hashes) != 1:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

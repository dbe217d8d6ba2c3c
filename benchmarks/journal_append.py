"""What it costs to keep a message of eight signals: de-duplicated, chained, resolved to its patient, in the series.

python -m benchmarks.journal_append [--prefill 1_000_000] [--entries 100_000] [--patients 10_000] [--batch 256]
The peer is SQLite alone: the same bytes by `executemany` into one table, in the same batches, synced alike.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks._journal import SIGNALS, associate, batches, cpu_s
from benchmarks._results import Bar, quantiles_ms, record
from vitruvian.journal import Journal
from vitruvian.journal.schema import connect_writer

CPU_US_MAX = 60.0
RATE_MIN = 5_000


class Spent:
    """Wall and CPU time of the calls measured; what prepares them is left out."""

    def __init__(self) -> None:
        self.entries = 0
        self.wall_s: list[float] = []
        self.cpu_s = 0.0

    def call(self, entries: int, work: object) -> None:
        cpu, wall = cpu_s(), time.perf_counter()
        work()  # type: ignore[operator]
        self.wall_s.append(time.perf_counter() - wall)
        self.cpu_s += cpu_s() - cpu
        self.entries += entries

    def figures(self, at_entries: int) -> dict[str, float | int]:
        return {
            "log_entries": at_entries,
            "entries_per_s": round(self.entries / sum(self.wall_s)),
            "values_per_s": round(len(SIGNALS) * self.entries / sum(self.wall_s)),
            "cpu_us_per_entry": round(self.cpu_s / self.entries * 1e6, 1),
            **{f"batch_{name}": value for name, value in quantiles_ms(self.wall_s).items()},
        }


def appended(journal: Journal, first: int, count: int, options: argparse.Namespace) -> Spent:
    spent = Spent()
    for batch in batches(first, count, options.batch, options.patients):
        spent.call(len(batch), lambda batch=batch: journal.append(batch, recorded_us=batch[-1].events[0].occurred_us))
    return spent


def peer(folder: Path, options: argparse.Namespace) -> Spent:
    """One table, one column, the encoded entries as they are."""
    database = connect_writer(folder / "peer.db")
    database.execute("PRAGMA wal_autocheckpoint = 8192")
    database.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
    encode, seq, spent = msgspec.msgpack.Encoder().encode, itertools.count(1), Spent()
    for batch in batches(0, options.entries, options.batch, options.patients):
        rows = [(next(seq), encode(entry)) for entry in batch]

        def write(rows: list[tuple[int, bytes]] = rows) -> None:
            database.execute("BEGIN IMMEDIATE")
            database.executemany("INSERT INTO log VALUES (?, ?)", rows)
            database.execute("COMMIT")

        spent.call(len(rows), write)
    database.close()
    return spent


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value in (("prefill", 1_000_000), ("entries", 100_000), ("patients", 10_000), ("batch", 256)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk to be measured")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(dir=options.folder) as folder,
        Journal.open(Path(folder) / "journal.db") as journal,
    ):
        associate(journal, options.patients)
        series = []
        for start in range(0, options.prefill + 1, max(options.prefill // 2, 1)):
            spent = appended(journal, start, options.entries, options)
            series.append(spent.figures(start))
            print(series[-1], flush=True)
            rest = max(options.prefill // 2, 1) - options.entries
            if start < options.prefill and rest > 0:
                appended(journal, start + options.entries, rest, options)
        bare = peer(Path(folder), options).figures(0)
        size = (Path(folder) / "journal.db").stat().st_size / journal.last_seq()
    last = series[-1]
    rate, cpu_us = last["entries_per_s"], last["cpu_us_per_entry"]
    record(
        "journal_append",
        title="Keeping messages of eight signals",
        provenance="simulated",
        bars=[
            Bar("entries/s, one writer, fullest log", f">= {RATE_MIN:,}", rate, rate >= RATE_MIN),
            Bar("CPU an entry, us, fullest log", f"<= {CPU_US_MAX:.0f}", cpu_us, cpu_us <= CPU_US_MAX),
        ],
        figures={
            "patients": options.patients,
            "batch_entries": options.batch,
            "file_bytes_per_entry": round(size),
            "journal": series,
            "sqlite_alone": [bare],
        },
        notes=[
            "Each entry is de-duplicated, encoded, chained, resolved to its patient by its device, put in the series.",
            "CPU is of the whole process, checkpoints in their thread included; decoding the message is not.",
            "SQLite alone keeps the same bytes in one table: no keys, no chain, no series.",
        ],
    )


if __name__ == "__main__":
    main()

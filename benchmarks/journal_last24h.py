"""The last 24 hours of one patient, out of a log of many millions of entries.

python -m benchmarks.journal_last24h [--rows 1_000_000] [--patients 5_000] [--queries 1_000] [--folder DIR]
The bar is at --rows 10_000_000. Rows are written straight into the tables in the order of arrival, monitors speaking in
turn every five minutes, so that the file is laid out as a ward would have left it.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import struct
import tempfile
import time
from pathlib import Path

import msgspec

from benchmarks._journal import ORIGIN_US, SIGNALS, associate, message
from benchmarks._results import Bar, quantiles_ms, record
from vitruvian.core.time import DAY_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import Journal

STEP_US = 5 * MINUTE_US
P95_MS_MAX = 20.0
BULK = 200_000


def blobs(count: int) -> list[bytes]:
    rng = random.Random(1)
    rows = []
    for _ in range(count):
        flat = [part for name, value in SIGNALS for part in (VOCABULARY[name].index, 0, value + rng.random())]
        rows.append(struct.pack("<" + "HBxd" * len(SIGNALS), *flat))
    return rows


def fill(path: Path, rows: int, patients: int) -> None:
    """Entries of every monitor in turn, as rows of the log, the keys and the series."""
    with Journal.open(path) as journal:
        associate(journal, patients)
        first = journal.last_seq() + 1
    database = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous = OFF", "cache_size = -1048576", "journal_mode = OFF"):
        database.execute(f"PRAGMA {pragma}").fetchall()
    payload = msgspec.msgpack.encode(message(123_456, patients, STEP_US))
    packed, rng = blobs(997), random.Random(2)
    chain, key, salt = bytes(32), bytes(16), bytes(16)
    for start in range(0, rows, BULK):
        numbers = range(start, min(start + BULK, rows))
        orders = [rng.getrandbits(64) - (1 << 63) for _ in numbers]
        times = [ORIGIN_US + n // patients * STEP_US for n in numbers]
        seqs = range(first + start, first + start + len(numbers))
        database.execute("BEGIN")
        database.executemany(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)",
            ((seq, at_us, key, salt, payload, chain) for seq, at_us in zip(seqs, times, strict=True)),
        )
        database.executemany("INSERT INTO source_key VALUES (?, ?)", sorted(zip(orders, seqs, strict=True)))
        database.executemany(
            "INSERT INTO series VALUES (?, ?, ?, ?, ?, 1, 1, NULL, NULL, NULL, ?)",
            (
                (n % patients + 1, at_us, order, seq, at_us, packed[n % 997])
                for n, at_us, order, seq in zip(numbers, times, orders, seqs, strict=True)
            ),
        )
        database.execute("COMMIT")
        print(f"{numbers[-1] + 1:,} rows", end="\r", flush=True)
    database.execute("PRAGMA journal_mode = WAL").fetchall()
    database.close()


def asked(path: Path, patients: list[int], end_us: int) -> tuple[list[float], int]:
    """Seconds of each question, and values answered."""
    taken, values = [], 0
    with Journal.open(path, read_only=True) as journal:
        for pid in patients:
            started = time.perf_counter()
            samples = journal.series(pid, start_us=end_us - DAY_US, end_us=end_us)
            taken.append(time.perf_counter() - started)
            values += len(samples)
    return taken, values


def forget(path: Path) -> None:
    """Ask the system to drop what it holds of a file in memory."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value in (("rows", 1_000_000), ("patients", 5_000), ("queries", 1_000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--folder", type=Path, default=None, help="a folder on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = Path(folder) / "journal.db"
        started = time.perf_counter()
        fill(path, options.rows, options.patients)
        filled_s = time.perf_counter() - started
        rng = random.Random(3)
        end_us = ORIGIN_US + -(-options.rows // options.patients) * STEP_US
        whom = [rng.randrange(1, options.patients + 1) for _ in range(options.queries)]
        forget(path)
        cold, _ = asked(path, whom[: max(options.queries // 5, 1)], end_us)
        warm, values = asked(path, whom, end_us)
        size = path.stat().st_size
    figures = quantiles_ms(warm)
    record(
        "journal_last24h",
        title=f"Last 24 h of one patient, {options.rows:,} entries of {len(SIGNALS)} values in the log",
        provenance="simulated",
        bars=[Bar("p95, ms", f"< {P95_MS_MAX:.0f}", figures["p95_ms"], figures["p95_ms"] < P95_MS_MAX)],
        figures={
            "entries": options.rows,
            "values": options.rows * len(SIGNALS),
            "patients": options.patients,
            "values_an_answer": round(values / len(warm)),
            "file_gib": round(size / 2**30, 2),
            "filled_in_s": round(filled_s),
            "warm": figures,
            "cold": quantiles_ms(cold),
        },
        notes=[
            "Cold: the system was asked to drop the file from memory, and each patient is asked for the first time."
        ],
    )


if __name__ == "__main__":
    main()

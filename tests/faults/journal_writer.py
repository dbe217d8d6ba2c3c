"""A writer to be killed: commits numbered entries and prints the last number only once its commit is durable.

python -m tests.faults.journal_writer PATH FIRST BATCH RATE
RATE is entries a second, 0 for as fast as it goes. `open SECONDS` is printed first.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.journal_support import at, mrn, observation
from vitruvian.journal import Journal

PATIENTS = 50


def main() -> None:
    path, first, batch, rate = Path(sys.argv[1]), *map(int, sys.argv[2:5])
    started = time.monotonic()
    journal = Journal.open(path)
    print(f"open {time.monotonic() - started:.3f}", flush=True)
    started = time.monotonic()
    number = first
    while True:
        numbers = range(number, number + batch)
        entries = [observation(str(n), n, 40.0 + n % 100, subject=mrn(n % PATIENTS)) for n in numbers]
        commit = journal.append(entries, recorded_us=at(number))
        assert all(receipt.outcome in ("committed", "duplicate") for receipt in commit.receipts)
        number += batch
        print(number - 1, flush=True)
        if rate:
            time.sleep(max(0.0, started + (number - first) / rate - time.monotonic()))


if __name__ == "__main__":
    main()

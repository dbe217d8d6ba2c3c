"""What is taken of the reference data that is not FHIR: every row and message, by type, and against a plain count."""

from __future__ import annotations

import csv
import gzip
import re
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks._results import Bar, record
from tests.reference.test_hl7v2_check import loinc, plain, taken
from tests.support import require_data
from vitruvian.cli.taking import Taken, Taker, find
from vitruvian.core.time import SystemClock
from vitruvian.journal import Journal
from vitruvian.records.base import Context

SETS = {
    "HL7 v2 samples": "hl7v2",
    "Challenge 2019, set A": "physionet2019/training_setA.parquet",
    "MIMIC-III demo": "mimic_iii_demo",
    "MIMIC-IV demo": "mimic_iv_demo",
    "eICU demo, sepsis": "icu_demo/sepsis",
    "eICU demo, kidney injury": "icu_demo/aki",
    "eICU demo, mortality": "icu_demo/mortality24",
    "eICU demo, kidney function": "icu_demo/kidney_function",
    "eICU demo, length of stay": "icu_demo/los",
    "WFDB records": "waveforms",
}


def plain_count(path: Path) -> int | None:
    """Rows and messages there are, counted without the readers; None where there is no simpler way to count."""
    if path.is_file():
        return pl.scan_parquet(path).select(pl.len()).collect().item()  # type: ignore[no-any-return]
    if path.name == "waveforms":
        return None
    total = 0
    for file in sorted(item for item in path.rglob("*") if item.is_file()):
        if file.suffix == ".hl7":
            total += len(re.findall(rb"(?:^|[\r\n]|\xbf)MSH\|", file.read_bytes()))
        elif file.suffix == ".parquet":
            total += plain_count(file) or 0
        elif file.name.endswith((".csv.gz", ".csv")):
            data = file.read_bytes()
            text = (gzip.decompress(data) if file.suffix == ".gz" else data).decode("utf-8")
            total += sum(1 for row in csv.reader(text.splitlines(keepends=True)) if row) - 1
    return total


def take(path: Path, journal: Journal | None = None) -> tuple[Taken, float]:
    """Everything at a path, and the seconds that it took."""
    started_s = time.perf_counter()
    taker = Taker(journal, Context(), SystemClock())
    for item in find([path], None):
        for _ in taker.take(item):
            pass
    taker.flush()
    return taker.taken, time.perf_counter() - started_s


def into_journal(path: Path) -> dict[str, Any]:
    """The same files twice into a fresh journal: rates, and what the second time changed."""
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "journal.db") as journal:
        first, first_s = take(path, journal)
        second, second_s = take(path, journal)
    return {
        "entries": first.outcomes["committed"],
        "first_s": round(first_s, 2),
        "rows_per_s": round(first.tally.total / first_s),
        "second_s": round(second_s, 2),
        "second_duplicates": second.outcomes["duplicate"],
        "second_committed": second.outcomes["committed"] + second.outcomes["corrected"],
    }


def hl7v2_agreement(folder: Path) -> tuple[int, int]:
    """(numeric results whose value and unit agree with a plain split, numeric results whose code is known)."""
    known = loinc()
    wanted: Counter[tuple[str, str, float, str]] = Counter()
    found: Counter[tuple[str, str, float, str]] = Counter()
    for path in sorted(folder.glob("*.hl7")):
        wanted.update((path.name, *each) for each in plain(path.read_text("utf-8"), known))
        found.update((path.name, *each) for each in taken(path))
    return (wanted & found).total(), wanted.total()


def main() -> None:
    """Read everything, count, record."""
    rows: list[dict[str, Any]] = []
    types: list[dict[str, Any]] = []
    unmapped: list[dict[str, Any]] = []
    reasons: Counter[str] = Counter()
    exact = True
    for name, where in SETS.items():
        path = require_data(where)
        found, seconds = take(path)
        tally, counted = found.tally, plain_count(path)
        exact = exact and counted in (None, tally.total)
        rows.append(
            {"data": name, "files": tally.files, "plain count": "-" if counted is None else counted,
             "read": tally.read, "ignored": tally.ignored, "quarantined": tally.quarantined,
             "events": tally.events, "rows_per_s": round(tally.total / seconds)}
        )  # fmt: skip
        for kind, _ in (tally.read_by_type + tally.ignored_by_type + tally.quarantined_by_type).most_common():
            why = [text.split(": ", 1)[1] for text in tally.ignored_reasons if text.startswith(f"{kind}: ")]
            types.append(
                {"data": name, "type": kind, "read": tally.read_by_type[kind], "ignored": tally.ignored_by_type[kind],
                 "quarantined": tally.quarantined_by_type[kind], "ignored because": "; ".join(why)}
            )  # fmt: skip
        reasons.update({f"{name}: {reason}": count for reason, count in tally.reasons.items()})
        unmapped += [{"data": name, "code": code, "count": n} for code, n in tally.unmapped.most_common(10)]
    agreed, known = hl7v2_agreement(require_data("hl7v2"))
    journal = into_journal(require_data("mimic_iii_demo"))
    record(
        "taken",
        title="What is taken of HL7 v2, Challenge 2019, MIMIC, eICU and WFDB",
        provenance="all of the reference data of these formats, none left out",
        bars=[
            Bar("read + ignored + quarantined, against a plain count of rows and messages", "equal in every set",
                "equal" if exact else "not equal", exact),
            Bar("HL7 v2 numeric results equal to a plain split, share", ">= 0.98", agreed / known,
                agreed >= 0.98 * known, f"{agreed} of {known}"),
            Bar("entries changed by a second ingest of the same files", "0", journal["second_committed"],
                journal["second_committed"] == 0),
        ],
        figures={
            "data sets": rows,
            "MIMIC-III demo into a journal, durable": journal,
            **({"quarantined, by reason": dict(reasons)} if reasons else {}),
            "types": types,
            "codes not in the vocabulary, the ten most frequent of each": unmapped,
        },
        notes=[
            "Rates are of reading alone, one process; writing to a journal is in its own table.",
            "Dictionaries (d_items, ...) are read for names and counted as ignored rows.",
            "The MIMIC-IV demo copy lacks labevents, chartevents, inputevents and emar; MIMIC-III's lacks chartevents."
            " These are tested on tables with the published columns (tests/unit/test_mimic.py).",
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""What is taken of the FHIR reference data, by type and by code, and how it compares with an independent reading."""

from __future__ import annotations

import math
from collections import Counter

from benchmarks._results import Bar, record
from tests.reference import fhir_check
from tests.support import require_data
from vitruvian.core.events import Entry, Quantity
from vitruvian.records.base import Context, discover, read_found
from vitruvian.records.tally import Tally


def agreement(expected: fhir_check.Findings, entries: dict[tuple[str, str], Entry]) -> tuple[int, int]:
    """(observations whose values and units all agree, observations whose code is in the vocabulary)."""
    agreed = 0
    for key, rows in expected.rows.items():
        entry = entries.get(key)
        taken = sorted(
            (event.concept, event.value.unit, event.value.value)
            for event in (entry.events if entry else ())
            if isinstance(event.value, Quantity)
        )
        wanted = sorted((row.concept, row.unit, row.value) for row in rows)
        same = bool(wanted) and len(taken) == len(wanted)
        for left, right in zip(wanted, taken, strict=False):
            same = same and left[:2] == right[:2] and math.isclose(left[2], right[2], rel_tol=1e-9)
        agreed += same
    return agreed, expected.coded


def main() -> None:
    """Read everything, compare, record."""
    folder = require_data("fhir")
    expected = fhir_check.findings(folder)
    tally, entries, concepts = Tally(), dict[tuple[str, str], Entry](), Counter[str]()
    by_type: dict[str, Counter[str]] = {}
    for found in discover(folder):
        assert found.reader is not None
        tally.files += 1
        for reading in read_found(found, Context()):
            tally.add(reading)
            outcome = "quarantined" if reading.refusal else "ignored" if reading.ignored else "read"
            row = by_type.setdefault(reading.kind, Counter())
            row[outcome] += 1
            for entry in reading.entries:
                row["events"] += len(entry.events)
                concepts.update(event.concept or f"({event.kind}, no concept)" for event in entry.events)
                if reading.kind == "Observation":
                    entries[(found.path.name, entry.source_id.removeprefix("Observation/"))] = entry
    agreed, coded = agreement(expected, entries)
    total = sum(expected.resources.values())
    share = agreed / coded
    record(
        "fhir_taken",
        title="What is taken of the FHIR reference data",
        provenance="30 Synthea patients (synthetic) and 36 of HL7's R4 examples, all of them",
        bars=[
            Bar("read + ignored + quarantined", f"= {total:,} resources", tally.total, met=tally.total == total),
            Bar(
                "observations in the vocabulary that equal the independent check",
                ">= 0.98",
                round(share, 4),
                met=share >= 0.98,
            ),
        ],
        figures={
            "files": tally.files,
            "read": tally.read,
            "ignored": tally.ignored,
            "quarantined": tally.quarantined,
            "events": tally.events,
            "observations_in_vocabulary": coded,
            "observations_equal": agreed,
            "check_could_not_tell": len(expected.beyond),
            "by_type": [
                {"type": kind, **{name: row[name] for name in ("read", "ignored", "quarantined", "events")}}
                for kind, row in sorted(by_type.items(), key=lambda item: -sum(item[1].values()))
            ],
            "quarantine_reasons": dict(tally.reasons),
            "ignored_reasons": [{"why": why, "count": count} for why, count in tally.ignored_reasons.most_common()],
            "codes_not_in_the_vocabulary": [
                {"code": code, "count": count} for code, count in tally.unmapped.most_common()
            ],
            "events_by_concept": [{"concept": name, "events": count} for name, count in concepts.most_common()],
        },
        notes=[
            "The check (tests/reference/fhir_check.py) shares no code with ours; what it cannot tell counts as missed.",
            "It cannot tell eGFR in mL/min under a code that means mL/min/1.73 m2, which the vocabulary accepts.",
        ],
    )


if __name__ == "__main__":
    main()

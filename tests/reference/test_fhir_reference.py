"""All of the FHIR reference data, resource by resource, against a second reading that shares no code with ours."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from tests.reference import fhir_check
from tests.support import require_data
from vitruvian.core.events import Entry, Quantity
from vitruvian.journal import Journal
from vitruvian.records.base import Context, discover, read_events, read_found
from vitruvian.records.tally import Tally

pytestmark = pytest.mark.data
SHARE_MIN = 0.98  # of the observations whose code is in the vocabulary


@pytest.fixture(scope="module")
def folder() -> Path:
    return require_data("fhir")


@pytest.fixture(scope="module")
def expected(folder: Path) -> fhir_check.Findings:
    return fhir_check.findings(folder)


@pytest.fixture(scope="module")
def read(folder: Path) -> tuple[Tally, dict[tuple[str, str], Entry], Counter[str]]:
    """The tally, the observations' entries by (file, id), and how many readings of each type there were."""
    tally, entries, types = Tally(), {}, Counter[str]()
    for found in discover(folder):
        assert found.reader is not None, found.path
        tally.files += 1
        for reading in read_found(found, Context()):
            types[tally.add(reading).kind] += 1
            if reading.kind == "Observation":
                entries.update(
                    {
                        (found.path.name, entry.source_id.removeprefix("Observation/")): entry
                        for entry in reading.entries
                    }
                )
    return tally, entries, types


def test_every_resource_is_counted_once(expected, read) -> None:
    tally, _, types = read
    assert types == expected.resources
    assert tally.read + tally.ignored + tally.quarantined == sum(expected.resources.values())


def test_nothing_is_refused_but_what_the_data_lacks(read) -> None:
    tally, _, _ = read
    assert dict(tally.reasons) == {"no-time": 1}, "HL7's DeviceUseStatement example states no time"
    assert not tally.refused_parts


def test_values_and_units_are_those_of_the_check(expected, read) -> None:
    _, entries, _ = read
    assert expected.coded > 2_000
    agreed, differences = 0, []
    for key, rows in expected.rows.items():
        wanted = sorted((row.concept, row.occurred_us, row.value, row.unit) for row in rows)
        entry = entries.get(key)
        events = entry.events if entry else ()
        taken = sorted(
            (event.concept, event.occurred_us, event.value.value, event.value.unit)
            for event in events
            if isinstance(event.value, Quantity)
        )
        same = len(wanted) == len(taken) and all(
            left[:2] == right[:2] and left[3] == right[3] and math.isclose(left[2], right[2], rel_tol=1e-9)
            for left, right in zip(wanted, taken, strict=True)
        )
        named = entry is not None and all(
            row.patient in {(item.system, item.value) for item in entry.subject} for row in rows
        )
        if same and named and wanted:
            agreed += 1
        else:
            differences.append((key, wanted, taken))
    assert agreed / expected.coded >= SHARE_MIN, differences[:5]


def test_nothing_is_made_up(expected, read) -> None:
    """No entry without an observation that the check also found to be in the vocabulary."""
    _, entries, _ = read
    assert set(entries) <= set(expected.rows)


def test_the_journal_takes_it_all_once(folder: Path, tmp_path: Path) -> None:
    """32 people: Synthea's 30, and the two that HL7's examples speak of; a second reading is all duplicates."""
    journal = Journal.open(tmp_path / "journal.db")
    for outcome in ("committed", "duplicate"):
        entries = list(read_events(folder))
        receipts = [
            receipt
            for start in range(0, len(entries), 1_000)
            for receipt in journal.append(entries[start : start + 1_000], recorded_us=1_800_000_000_000_000).receipts
        ]
        assert {receipt.outcome for receipt in receipts} == {outcome}
        assert len(journal.patients()) == 32
    journal.close()

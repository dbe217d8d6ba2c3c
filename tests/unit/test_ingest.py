"""`vitruvian ingest`: the sums are exact, a second run changes nothing, and nothing is taken in silence."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.mimic_support import IV, write_iii, write_iv
from tests.support import REPOSITORY, require_data
from vitruvian.cli import taking
from vitruvian.cli.ingest import register
from vitruvian.cli.taking import Taker, find, judged
from vitruvian.core.errors import ConfigurationError, JournalUnavailable, ReadingError
from vitruvian.core.events import Entry, Event, Quantity, Reading, Receipt
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import ManualClock
from vitruvian.journal import Journal
from vitruvian.records.base import Context
from vitruvian.records.mimic.site import PATIENT


def run(*arguments: object) -> Any:
    import typer

    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["ingest", *map(str, arguments)])


def summary(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output + repr(result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    assert found["read"] + found["ignored"] + found["quarantined"] == found["total"]
    assert sum(found["ignored_by_type"].values()) == found["ignored"]
    assert sum(found["reasons"].values()) == found["quarantined"]
    return found


def test_every_row_is_counted_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    journal = tmp_path / "journal.db"
    data = write_iv(tmp_path / "mimiciv")
    (data / "LICENSE.txt").write_text("as published")
    first = summary(data, "--journal", journal)
    assert first["total"] == sum(text.count("\n") - 1 for text in IV.values())
    assert (first["files"], first["files_unknown"]) == (len(IV), 1)
    assert first["unknown_files"] == [str(data / "LICENSE.txt")]
    assert first["committed"] == first["entries"] and first["duplicates"] == 0
    again = summary(data, "--journal", journal)
    assert (again["committed"], again["corrected"], again["duplicates"]) == (0, 0, first["committed"])
    for key in ("total", "read", "ignored", "quarantined", "events", "reasons"):
        assert again[key] == first[key], key
    with Journal.open(journal, read_only=True) as kept:
        assert kept.counts()["entries"] == first["committed"]
        assert kept.counts()["quarantined"] == first["quarantined"]
        pid = kept.resolve([Identifier(PATIENT["mimic-iv"], "10000001")])
        assert pid is not None
        assert len(kept.series(pid).value) > 15
        wards = [stay.location.ward for stay in kept.bed_history(pid)]
        assert "Medical Intensive Care Unit (MICU)" in wards or "MICU" in wards


def test_two_kinds_of_files_in_one_run(tmp_path: Path) -> None:
    write_iii(tmp_path / "data" / "mimic")
    (tmp_path / "data" / "hours").mkdir()
    (tmp_path / "data" / "hours" / "p1.psv").write_text("HR|ICULOS\n80|1\n81|2\n")
    (tmp_path / "data" / "notes.txt").write_text("nothing of ours")
    found = summary(tmp_path / "data", "--journal", tmp_path / "j.db")
    assert found["read_by_type"]["hour"] == 2 and found["read_by_type"]["labevents"] == 2
    assert found["files_unknown"] == 1


def test_a_dry_run_keeps_nothing_and_counts_the_same(tmp_path: Path) -> None:
    data = write_iv(tmp_path / "data")
    dry = summary(data, "--dry-run", "--journal", tmp_path / "j.db")
    assert not (tmp_path / "j.db").exists() and dry["dry_run"] and dry["committed"] == 0
    wet = summary(data, "--journal", tmp_path / "j.db")
    assert {key: dry[key] for key in ("total", "read", "events")} == {
        key: wet[key] for key in ("total", "read", "events")
    }


def test_the_tables_a_person_reads_name_reasons_and_codes(tmp_path: Path) -> None:
    data = write_iv(tmp_path / "data")
    result = run(data, "--journal", tmp_path / "j.db", "--out", tmp_path / "out")
    assert result.exit_code == 0
    for words in ("chartevents", "Quarantined, by reason", "224080", "committed", "this table has no home yet"):
        assert words in result.stdout, words
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["read"] > 0
    assert "mimic-chartevents-d-items,224080,,1" in (tmp_path / "out" / "unmapped.csv").read_text()


def test_described_columns_go_before_what_a_table_looks_like(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("who,when,puls\nA,2024-01-01 10:00,80\nB,2024-01-01 10:00,81\n")
    columns = tmp_path / "columns.toml"
    columns.write_text('[table]\npatient = "who"\ntime = "when"\n[values]\npuls = "heart_rate"\n')
    found = summary(tmp_path / "t.csv", "--columns", columns, "--zone", "Europe/Berlin", "--journal", tmp_path / "j.db")
    assert found["read"] == 2 and found["files"] == 1
    columns.write_text(columns.read_text().replace("who", "whom"))
    result = run(tmp_path / "t.csv", "--columns", columns, "--journal", tmp_path / "j.db")
    assert isinstance(result.exception, ConfigurationError) and "when, whom" in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [["absent"], [".", "--mapping", "absent.toml"], [".", "--columns", "absent.toml"], [".", "--zone", "Nowhere/Land"]],
)
def test_what_cannot_be_used_is_one_line_and_status_2(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from vitruvian.cli import main; main()", "ingest", *arguments, "--journal", "j.db"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("vitruvian: found") and done.stderr.count("\n") == 1


def test_a_missing_package_is_told_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "r.hea").write_text("r 1 1 3\nr.dat 16 1/bpm 16 0 0 0 0 HR\n")
    (tmp_path / "data" / "p1.psv.txt").write_text("x")
    (tmp_path / "data" / "t.csv").write_text("patient,time,heart_rate [/min]\nA,2024-01-01,80\n")
    monkeypatch.setitem(sys.modules, "wfdb", None)
    result = run(tmp_path / "data", "--json", "--journal", tmp_path / "j.db")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["read"] == 1 and "pip install 'vitruvian[wfdb]'" in found["errors"][0]


@pytest.mark.data
def test_waveform_bytes_are_kept_beside_the_journal(tmp_path: Path) -> None:
    record = require_data("waveforms") / "03700181.hea"
    summary(record, "--journal", tmp_path / "j.db")
    with Journal.open(tmp_path / "j.db", read_only=True) as kept:
        (name,) = kept.blobs.names()
        assert kept.get_blob(name) == record.with_suffix(".dat").read_bytes()


def entry(name: str, *people: str) -> Entry:
    event = Event("observation", "heart_rate", Quantity(80.0, "/min"), 1_700_000_000_000_000)
    return Entry("test", name, (event,), subject=tuple(Identifier("h", person, "MR") for person in people))


def test_what_the_journal_keeps_apart_was_not_read() -> None:
    apart, kept = Receipt("quarantined", 0, "identity-conflict"), Receipt("committed", 1)
    both = Reading("row", (entry("1", "A"), entry("2", "B")))
    assert judged(both, [kept, kept]) == both
    half = judged(both, [apart, kept])
    assert [item.source_id for item in half.entries] == ["2"] and half.refused_parts[0].reason == "identity-conflict"
    none = judged(both, [apart, apart])
    assert none.entries == () and none.refusal is not None and none.refusal.reason == "identity-conflict"


class Rows:
    """A reader of a file whose lines name patients."""

    NAME = "rows"

    def sniff(self, path: Path, head: bytes) -> bool:
        return path.suffix == ".rows"

    def read(self, path: Path, context: Context) -> Any:
        for number, line in enumerate(path.read_text().splitlines()):
            yield Reading("row", (entry(f"{path.name}|{number}", *line.split()),))


def test_an_identity_conflict_counts_as_quarantined(tmp_path: Path) -> None:
    from vitruvian.records.base import Found

    (tmp_path / "a.rows").write_text("A\nB\nA B\n")
    with Journal.open(tmp_path / "j.db") as journal:
        taker = Taker(journal, Context(), ManualClock(1_700_000_001_000_000))
        list(taker.take(Found(tmp_path / "a.rows", Rows())))
        taker.flush()
        found = taker.taken.as_dict()
    assert (found["read"], found["quarantined"], found["reasons"]) == (2, 1, {"identity-conflict": 1})


def test_batches_are_bounded_and_a_broken_run_keeps_what_was_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vitruvian.records.base import Found

    monkeypatch.setattr(taking, "COMMIT_ENTRIES_MAX", 10)
    (tmp_path / "a.rows").write_text("".join(f"P{number}\n" for number in range(35)))
    path = tmp_path / "j.db"
    with Journal.open(path) as journal:
        taker = Taker(journal, Context(), ManualClock(1_700_000_001_000_000))
        list(taker.take(Found(tmp_path / "a.rows", Rows())))
        assert journal.counts()["entries"] == 30  # broken off before the last batch
    with Journal.open(path) as journal:
        taker = Taker(journal, Context(), ManualClock(1_700_000_002_000_000))
        list(taker.take(Found(tmp_path / "a.rows", Rows())))
        taker.flush()
        found = taker.taken.as_dict()
    assert (found["committed"], found["duplicates"], found["total"]) == (5, 30, 35)


def test_a_journal_that_cannot_be_written_stops_the_run(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    data = write_iv(tmp_path / "data")
    result = run(data, "--journal", blocked / "j.db")
    assert isinstance(result.exception, JournalUnavailable)
    with pytest.raises(ReadingError, match="found nothing"):
        find([tmp_path / "absent"], None)


def test_importing_the_package_imports_no_reader() -> None:
    code = (
        "import sys, vitruvian; assert callable(vitruvian.read); print(sorted(m for m in sys.modules if 'polars' in m))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

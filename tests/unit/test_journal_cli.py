"""The commands that look after the log."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.journal_support import at, mrn, observation
from vitruvian.cli import app
from vitruvian.core.errors import JournalUnavailable
from vitruvian.core.events import Refusal
from vitruvian.journal import Journal


@pytest.fixture
def filled(journal_path: Path) -> Path:
    with Journal.open(journal_path) as journal:
        journal.append([observation(f"o{n}", n, 80.0, subject=mrn(1)) for n in range(5)], recorded_us=at(1))
        journal.refuse(
            [Refusal("unreadable", "found X, expected Y", "mqtt", f"m{n}", b"<x>") for n in range(3)], recorded_us=at(2)
        )
    return journal_path


def run(*arguments: object, status: int = 0) -> Any:
    done = CliRunner().invoke(app, ["journal", *map(str, arguments), "--json"])
    assert done.exit_code == status, done.output
    return json.loads(done.stdout)


def test_verify_info_and_quarantine(filled: Path) -> None:
    assert (run("verify", filled)["ok"], run("verify", filled)["checked"]) == (True, 5)
    found = run("info", filled)
    assert (found["entries"], found["patients"], found["unresolved"]) == (5, 1, 3)
    assert found["bytes"] == filled.stat().st_size
    rows = run("quarantine", filled, "--limit", 2)["quarantined"]
    assert [row["source_id"] for row in rows] == ["m0", "m1"]
    assert "raw" not in rows[0]
    rest = run("quarantine", filled, "--after", rows[-1]["id"], "--raw")["quarantined"]
    assert [(row["source_id"], row["raw"]) for row in rest] == [("m2", "<x>")]
    assert CliRunner().invoke(app, ["journal", "info", str(filled)]).output.startswith("entries")
    assert "the chain is whole" in CliRunner().invoke(app, ["journal", "verify", str(filled)]).output
    assert "unreadable" in CliRunner().invoke(app, ["journal", "quarantine", str(filled)]).output


def test_backup_and_restore_while_another_writes(filled: Path, tmp_path: Path) -> None:
    with Journal.open(filled) as journal:
        made = run("backup", filled, tmp_path / "copy.db")
        journal.append([observation("later", 9, 80.0, subject=mrn(1))], recorded_us=at(9))
    assert (made["ok"], made["last_seq"]) == (True, 5)
    assert run("restore", tmp_path / "copy.db", tmp_path / "back.db")["head"] == made["head"]
    assert run("info", tmp_path / "back.db")["entries"] == 5


def test_a_changed_log_is_told_by_the_exit_status(filled: Path) -> None:
    connection = sqlite3.connect(filled)
    connection.execute("UPDATE log SET recorded_us = 1 WHERE seq = 3")
    connection.commit()
    connection.close()
    found = run("verify", filled, status=1)
    assert (found["ok"], found["faults"]) == (
        False,
        ["entry 3 does not fit the chain: it, or one before it, was changed"],
    )


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["journal", "verify", str(tmp_path / "none.db")])
    assert isinstance(done.exception, JournalUnavailable)
    assert not (tmp_path / "none.db").exists()

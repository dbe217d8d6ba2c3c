"""`vitruvian notes` at a running ward: posted with a token, listed, accepted and rejected."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.service_support import token_file, token_for
from vitruvian.cli.notes import notes
from vitruvian.core.errors import ConfigurationError
from vitruvian.service.settings import ServiceSettings
from vitruvian.testing.server import Serving, serving
from vitruvian.testing.ward import MemoryWard

TEXT = "Denies chest pain. Pneumonia\x1b[31m on CXR. HR 118.\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    tokens = token_file(tmp_path_factory.mktemp("tokens"), "viewer", "clinician")
    with serving(MemoryWard(2, history_h=1), ServiceSettings(port=0, tokens=tokens)) as server:
        yield server


def run(served: Serving, folder: Path, *words: str, role: str = "clinician") -> Result:
    token = folder / "token"
    token.write_text(token_for(role))
    return CliRunner().invoke(notes, [*words, "--url", served.url, "--token-file", str(token)])


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_note_is_posted_listed_and_decided(served: Serving, tmp_path: Path) -> None:
    (tmp_path / "clerking.txt").write_text(TEXT, "utf-8")
    posting = ["extract", str(tmp_path / "clerking.txt"), "--patient", "sim-001", "--at", "2026-01-01T08:30:00Z"]
    note = told(run(served, tmp_path, *posting, "--json"))
    assert (note["title"], note["text"], note["by"]) == ("clerking", TEXT, "clinician")
    (listed,) = told(run(served, tmp_path, "waiting", "sim-001", "--json", role="viewer"))
    assert listed["id"] == note["id"]
    of = {one["text"]: one["id"] for one in note["suggestions"]}
    (done,) = told(run(served, tmp_path, "accept", "sim-001", note["id"], of["HR 118"], "--json"))
    assert (done["status"], done["outcome"], done["by"]) == ("accepted", "committed", "clinician")
    assert any(
        event.source == f"note:{note['id']}" for event in served.ward.timeline("sim-001", start_us=0, end_us=1 << 60)
    )
    said = run(served, tmp_path, "accept", "sim-001", note["id"], of["chest pain"])
    assert "accepted, nothing to enter" in said.stdout
    shown = run(served, tmp_path, "waiting", "sim-001").stdout
    assert "accepted" in shown and note["id"] in shown and "\x1b" not in shown
    left = [one["id"] for one in note["suggestions"] if one["id"] not in (of["HR 118"], of["chest pain"])]
    assert "rejected" in run(served, tmp_path, "reject", "sim-001", note["id"], *left).stdout
    assert "No note waits" in run(served, tmp_path, "waiting", "sim-001").stdout


def test_what_a_ward_refuses_is_said(served: Serving, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("Sepsis.", "utf-8")
    extract = ["extract", str(tmp_path / "note.txt"), "--patient", "sim-001"]
    refused = run(served, tmp_path, *extract, role="viewer")
    assert refused.exit_code != 0 and "may not act" in str(refused.exception)
    unknown = run(served, tmp_path, "waiting", "nobody")
    assert unknown.exit_code != 0 and "nobody" in str(unknown.exception)
    both = run(served, tmp_path, *extract, "--out", str(tmp_path / "out"))
    assert isinstance(both.exception, ConfigurationError)

"""The audit of language models: what was written is there, and any change to it is found."""

from __future__ import annotations

import json
import threading
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from vitruvian.cli import app
from vitruvian.core.errors import ConfigurationError, JournalCorrupt, NotFoundError
from vitruvian.explanation.llm.audit import Audit, AuditRecord
from vitruvian.journal.chain import head_path
from vitruvian.trust import audit
from vitruvian.trust.audit import AuditLog, verify_audit


def record(number: int = 0, **changes: Any) -> AuditRecord:
    fields: dict[str, Any] = {
        "what": "wording",
        "model": "smollm2",
        "model_digest": "d" * 64,
        "prompt_version": "1",
        "prompt_sha256": f"{number:064x}",
        "output_sha256": "e" * 64,
        "verdict": "accepted",
    }
    return AuditRecord(**{**fields, **changes})


def written(path: Path, records: int = 6) -> Path:
    log = AuditLog(path, count(1_000).__next__)
    for number in range(records):
        log.note(record(number))
    log.close()
    return path


def test_what_is_noted_is_there_and_verifies(tmp_path: Path) -> None:
    path = written(tmp_path / "audit.log")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["seq"], line["at_us"]) for line in lines] == [(n + 1, 1_000 + n) for n in range(6)]
    assert lines[3]["record"]["prompt_sha256"] == f"{3:064x}"
    assert set(lines[0]["record"]) == set(AuditRecord.__struct_fields__)
    found = verify_audit(path)
    assert (found.ok, found.checked, found.last_seq, found.torn, found.faults) == (True, 6, 6, False, ())
    assert found.head == lines[-1]["chain"]
    assert path.stat().st_mode & 0o077 == 0
    again: Audit = AuditLog(path)
    again.note(record(6))
    assert verify_audit(path).last_seq == 7


def changed(lines: list[bytes], what: str) -> list[bytes]:
    """The file's lines after someone has been at them."""
    if what == "verdict":
        return [*lines[:2], lines[2].replace(b"accepted", b"refused"), *lines[3:]]
    if what == "time":
        return [*lines[:2], lines[2].replace(b'"at_us":1002', b'"at_us":1003'), *lines[3:]]
    if what == "cut from the middle":
        return lines[:2] + lines[3:]
    if what == "cut from the start":
        return lines[1:]
    if what == "cut off":
        return lines[:-1]
    if what == "cut within":
        return [*lines[:-1], lines[-1][:-5]]
    if what == "swapped":
        return [*lines[:2], lines[3], lines[2], *lines[4:]]
    if what == "twice":
        return [*lines[:3], lines[2], *lines[3:]]
    if what == "spaced":
        return [*lines[:2], lines[2].replace(b'"seq":3', b'"seq": 3'), *lines[3:]]
    if what == "shadowed":  # readers of JSON take the last of two; people may see the first
        return [*lines[:2], b'{"seq":9,' + lines[2][1:], *lines[3:]]
    if what == "added":
        return [*lines, lines[-1].replace(b'"seq":6', b'"seq":7')]
    if what == "long":
        return [*lines[:2], b"x" * 40_000 + b"\n", *lines[2:]]
    return [*lines[:2], b"not a record\n", *lines[3:]]


@pytest.mark.parametrize(
    "what",
    [
        "verdict",
        "time",
        "cut from the middle",
        "cut from the start",
        "cut off",
        "cut within",
        "swapped",
        "twice",
        "spaced",
        "shadowed",
        "added",
        "long",
        "not a record",
    ],
)
def test_every_kind_of_change_is_found(tmp_path: Path, what: str) -> None:
    path = written(tmp_path / "audit.log")
    before = path.read_bytes()
    path.write_bytes(b"".join(changed(before.splitlines(keepends=True), what)))
    assert path.read_bytes() != before
    assert not verify_audit(path).ok


@given(at=st.integers(0), to=st.integers(0, 255))
def test_any_changed_byte_is_found(tmp_path_factory: pytest.TempPathFactory, at: int, to: int) -> None:
    path = written(tmp_path_factory.mktemp("audit") / "audit.log", 3)
    content = bytearray(path.read_bytes())
    at %= len(content)
    same = content[at] == to
    content[at] = to
    path.write_bytes(content)
    assert verify_audit(path).ok is same


def test_a_file_written_anew_differs_from_its_head(tmp_path: Path) -> None:
    path = written(tmp_path / "audit.log")
    head = head_path(path).read_bytes()
    path.unlink()
    head_path(path).unlink()
    log = AuditLog(path)
    for number in range(6):
        log.note(record(number, verdict="refused"))
    log.close()
    head_path(path).write_bytes(head)
    assert "written anew" in " ".join(verify_audit(path).faults)
    head_path(path).unlink()
    assert "head kept apart is missing" in " ".join(verify_audit(path).faults)


def test_a_torn_line_is_dropped_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "audit.log")
    with path.open("ab") as file:
        file.write(b'{"seq":7,"at_us":1')
    found = verify_audit(path)
    assert (found.ok, found.torn, found.last_seq) == (True, True, 6)
    log = AuditLog(path)
    assert "torn by a crash: 18 bytes" in caplog.text
    log.note(record(6))
    log.close()
    found = verify_audit(path)
    assert (found.ok, found.torn, found.last_seq) == (True, False, 7)


def test_an_end_cut_off_is_found_though_writing_went_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = written(tmp_path / "audit.log")
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    log = AuditLog(path)
    assert "does not reach the head kept apart, record 6" in caplog.text
    for number in range(5):
        log.note(record(number))
    log.close()
    assert "record 6 differs" in " ".join(verify_audit(path).faults)


def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    for content in (b"something\n", b"x" * 100_000, written(tmp_path / "good.log").read_bytes() + b"{}\n"):
        path.write_bytes(content)
        with pytest.raises(JournalCorrupt, match="move it away"):
            AuditLog(path)
        assert path.read_bytes() == content
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        AuditLog(tmp_path / "nowhere" / "audit.log")
    with pytest.raises(NotFoundError, match="no audit"):
        verify_audit(tmp_path / "nowhere.log")


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    log = AuditLog(path)
    with pytest.raises(ConfigurationError, match="another process"):
        AuditLog(path)
    log.close()
    log.close()
    AuditLog(path).close()


def test_many_threads_make_one_chain(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    threads = [threading.Thread(target=lambda: [log.note(record(n)) for n in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert verify_audit(tmp_path / "audit.log").faults in ((), MISSING_HEAD)
    for thread in threads:
        thread.join()
    log.close()
    found = verify_audit(tmp_path / "audit.log")
    assert (found.ok, found.checked) == (True, 400)


MISSING_HEAD = ("the head kept apart is missing or unreadable: an end cut off would not be seen",)


def test_a_disk_that_fills_loses_records_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    log = AuditLog(tmp_path / "audit.log")
    log.note(record(0))
    real = audit.os.pwrite
    monkeypatch.setattr(audit.os, "pwrite", lambda file, line, at: real(file, line[:20], at))
    log.note(record(1))
    monkeypatch.setattr(audit.os, "pwrite", real)
    assert log.lost == 1
    assert "could not be written" in caplog.text
    log.note(record(2))
    log.note(record(3, model="m" * 20_000))
    log.close()
    log.note(record(4))
    assert log.lost == 3
    found = verify_audit(tmp_path / "audit.log")
    assert (found.ok, found.torn, found.checked) == (True, False, 2)


def test_a_reason_is_cut_short(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    log.note(record(reason="r" * 5_000))
    log.close()
    line = json.loads((tmp_path / "audit.log").read_bytes())
    assert line["record"]["reason"] == "r" * audit.REASON_CHARS_MAX


def test_it_becomes_durable_within_a_second_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SYNC_S", 0.05)
    done = threading.Event()
    real = audit.write_head
    log = AuditLog(tmp_path / "audit.log")
    monkeypatch.setattr(audit, "write_head", lambda *head: (real(*head), done.set()))
    log.note(record(0))
    assert done.wait(20)
    assert json.loads(head_path(tmp_path / "audit.log").read_bytes())["seq"] == 1
    log.close()


def test_the_command(tmp_path: Path) -> None:
    path = written(tmp_path / "audit.log")
    run = CliRunner().invoke
    assert "6 records, the chain is whole" in run(app, ["audit", "verify", str(path)]).stdout
    path.write_bytes(path.read_bytes().replace(b"accepted", b"refused", 1))
    done = run(app, ["audit", "verify", str(path), "--json"])
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["ok"], answer["checked"]) == (1, False, 6)
    assert "record 1 does not fit the chain" in run(app, ["audit", "verify", str(path)]).stdout

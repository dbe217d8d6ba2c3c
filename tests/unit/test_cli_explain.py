"""`vitruvian explain`, `ask` and `handover`: of a packet, a journal (a ward may be running on it), a ward over HTTP."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.journal_support import at
from tests.service_support import token_file, token_for
from tests.unit.test_runtime import admitted, id_of, lab, opened, reading, round_of, say
from vitruvian.cli import main
from vitruvian.core.errors import JournalUnavailable
from vitruvian.core.time import ManualClock
from vitruvian.explanation import Issued, draft, risk_evidence
from vitruvian.service.aside import Aside
from vitruvian.service.explaining import Explaining
from vitruvian.service.settings import ServiceSettings
from vitruvian.testing.server import Serving, serving
from vitruvian.testing.ward import MemoryWard

NONE = ["--model", "none"]


class Done(NamedTuple):
    """What a command printed, and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def run(*arguments: str | Path, stdin: str = "") -> Done:
    """The command line in this process: `main` as the installed script calls it."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patched.setattr(sys, "argv", ["vitruvian", *map(str, arguments)])
        patched.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def packet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import msgspec

    issued = Issued("sepsis", 6.0, at(0), 0.24, 0.19, 0.31, earlier=0.11, earlier_us=at(-360), about="sepsis")
    evidence = risk_evidence(issued, {"heart_rate": 118.0, "lactate": 4.6}, {"heart_rate": 0.7, "lactate": 0.9})
    path = tmp_path_factory.mktemp("packet") / "packet.json"
    path.write_bytes(msgspec.json.encode(evidence))
    return path


def test_a_packet_is_explained_without_a_ward(packet: Path, tmp_path: Path) -> None:
    done = run("explain", "--evidence", packet, *NONE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "24 %" in done.stdout and "up from 11 %" in done.stdout
    assert "worded by fixed rules" in done.stdout
    told = json.loads(run("explain", "--evidence", "-", "--json", *NONE, stdin=packet.read_text()).stdout)
    assert told["explanation"]["text"].split(" ")[0] in done.stdout
    again = tmp_path / "again.json"
    again.write_text(json.dumps(told["evidence"]))
    assert json.loads(run("explain", "--evidence", again, "--json", *NONE).stdout) == told


def test_it_is_kept_as_a_page_with_footnotes(packet: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "here"
    done = run("explain", "--evidence", packet, "--for", "patient", "--out", out, *NONE)
    assert done.stdout.strip() == str(out / "explanation.html")
    page = (out / "explanation.html").read_text("utf-8")
    told = json.loads((out / "explanation.json").read_text("utf-8"))
    notes = told["explanation"]["footnotes"]
    assert page.count('<li id="note-') == len(notes) > 3
    assert all(note["what"] in page for note in notes.values())
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "found no patient"),
        (("p1", "--evidence", "x.json"), "leave the other out"),
        (("--evidence", "nowhere.json"), "found no packet in nowhere.json"),
        (("p1", "--journal", "nowhere.db"), "found no journal at nowhere.db"),
        (("p1", "--url", "ftp://x"), "expected http://HOST:PORT"),
        (("p1", "--url", "http://127.0.0.1:9"), "found no ward at http://127.0.0.1:9"),
        (("p1", "--token-file", "nowhere"), "found no token in nowhere"),
    ],
)
def test_mistakes_are_one_clear_line(arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = run("explain", *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"kind":"risk"}', '{"kind":"risk","at_us":0,"facts":[{"id":"<b>"}]}', "\x00" * 10]
)
def test_a_packet_of_another_form_is_refused(content: str) -> None:
    done = run("explain", "--evidence", "-", *NONE, stdin=content)
    assert done.returncode == 2
    assert done.stderr.startswith("vitruvian: found") and "Traceback" not in done.stderr


async def test_a_journal_is_read_while_the_ward_runs_on_it_and_nothing_is_written(journal_path: Path) -> None:
    clock = ManualClock(at(0))
    async with opened(journal_path, clock) as ward:
        await say(ward, clock, 0, *admitted(1), round_of(0, 1), lab("l1", -20, "lactate", 4.4, "mmol/L", 1))
        for minute in range(1, 62):
            await say(ward, clock, minute, reading(minute, "monitor-1", heart_rate=112.0))
        patient = id_of(ward, 1)
        expected = ward.risk_evidence(patient)
        before = {
            one.name: one.stat().st_mtime_ns
            for one in journal_path.parent.iterdir()
            if not one.name.endswith(("-shm", "-wal"))
        }
        with Aside.open(journal_path) as aside:
            assert aside.seq() == ward.seq()
            found = Explaining(aside).evidence(patient, "risk:sepsis")
            assert found.by_id["risk"].value == pytest.approx(expected.by_id["risk"].value, abs=1e-6)
            assert draft(Explaining(aside).evidence(patient, "timeline:6")).text
            assert "1 bed" in draft(Explaining(aside).handover()).text
            with pytest.raises(JournalUnavailable, match="send it to the running ward"):
                _ = aside.notes
        after = {
            one.name: one.stat().st_mtime_ns
            for one in journal_path.parent.iterdir()
            if not one.name.endswith(("-shm", "-wal"))
        }
        assert before == after
        await say(ward, clock, 63, reading(63, "monitor-1"))  # and the ward goes on
    digest = hashlib.sha256(journal_path.read_bytes()).hexdigest()
    told = json.loads(
        run("ask", patient, "When was the last lactate?", "--journal", journal_path, "--json", *NONE).stdout
    )
    assert told["intent"] == "latest"
    assert "4.4 mmol/L" in told["explanation"]["text"]
    assert "1 bed" in run("handover", "--journal", journal_path, *NONE).stdout
    unknown = run("explain", "nobody", "--journal", journal_path, *NONE)
    assert unknown.returncode == 2 and "nobody" in unknown.stderr
    assert hashlib.sha256(journal_path.read_bytes()).hexdigest() == digest


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    tokens = token_file(tmp_path_factory.mktemp("tokens"), "viewer", "integrator")
    with serving(MemoryWard(3, history_h=8), ServiceSettings(port=0, tokens=tokens)) as server:
        yield server


def test_a_running_ward_is_asked_with_a_token(served: Serving, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(token_for("viewer") + "\n")
    at_ward = ["--url", served.url, "--token-file", str(token)]
    told = json.loads(run("explain", "sim-001", "--about", "risk:aki", "--json", *at_ward).stdout)
    assert told["evidence"]["facts"][0]["name"] == "aki_risk"
    assert "lactate" in run("ask", "sim-001", "When was the last lactate?", *at_ward).stdout
    assert "3 beds" in run("handover", *at_ward).stdout
    assert "estimates the risk of sepsis" in run("explain", "--about", "model:sepsis", *at_ward).stdout
    nobody = run("explain", "sim-001", "--url", served.url)
    assert nobody.returncode == 2 and "--token-file" in nobody.stderr
    token.write_text(token_for("integrator"))
    refused = run("explain", "sim-001", *at_ward)
    assert refused.returncode == 2 and "may not read" in refused.stderr
    token.write_text("two words")
    assert "without a token alone in it" in run("explain", "sim-001", *at_ward).stderr
    token.write_text(token_for("viewer"))
    unknown = run("explain", "sim-999", *at_ward)
    assert unknown.returncode == 2 and "sim-999" in unknown.stderr

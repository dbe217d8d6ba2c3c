"""SmolLM2 itself, in its process: it writes within a grammar, keeps deadlines, and opens nothing."""

from __future__ import annotations

import importlib.util
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.llm_support import require_smollm2
from tests.support import limit_s, missing
from vitruvian.cli import app
from vitruvian.explanation.llm.base import ModelSilent, Prompt
from vitruvian.explanation.llm.embedded import EmbeddedModel

GRAMMAR = r'root ::= "The risk " [a-z ]{1,40} "<value>" [a-z ]{0,20} "."'
PROMPT = Prompt("You write one short sentence.", "Say that the risk rose to <value>.", GRAMMAR)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedModel]:
    if importlib.util.find_spec("xllamacpp") is None:
        missing("no xllamacpp: scripts/setup --dev installs it")
    weights = require_smollm2(tmp_path_factory.mktemp("models"))
    made = EmbeddedModel("smollm2", weights.path, weights.digest, threads=1)
    yield made
    made.close()


def test_it_writes_within_the_grammar(model: EmbeddedModel) -> None:
    answer = model.answer(PROMPT, 120.0)
    assert re.fullmatch(r"The risk [a-z ]{1,40}<value>[a-z ]{0,20}\.", answer.text)
    assert answer.written_tokens > 3
    assert answer.read_tokens > 10
    assert model.complete(PROMPT, 120.0) == answer.text  # greedy


def test_it_is_within_reach_of_nobody(model: EmbeddedModel) -> None:
    """No port is listened on, and the Unix socket that llama.cpp insists on has no name to reach it by."""
    model.complete(PROMPT, 120.0)
    links = [str(path.readlink()) for path in Path(f"/proc/{model.pid}/fd").iterdir()]
    sockets = {match.group(1) for link in links if (match := re.fullmatch(r"socket:\[(\d+)\]", link))}
    for table in ("tcp", "tcp6", "udp", "udp6"):
        rows = Path(f"/proc/{model.pid}/net/{table}").read_text().splitlines()[1:]
        assert not sockets & {row.split()[9] for row in rows}, table
    unix = [row.split() for row in Path(f"/proc/{model.pid}/net/unix").read_text().splitlines()[1:]]
    ours = [row for row in unix if row[6] in sockets]
    assert len(ours) == len(sockets)
    assert not [row for row in ours if len(row) > 7 and Path(row[7]).exists()]


def test_a_grammar_it_cannot_read_is_refused_and_costs_nothing_else(model: EmbeddedModel) -> None:
    model.complete(PROMPT, 120.0)
    pid = model.pid
    with pytest.raises(ModelSilent, match=r"refused.*grammar"):
        model.complete(Prompt("", "Say yes.", "root ::= ("), 120.0)
    with pytest.raises(ModelSilent, match="refused"):
        model.complete(Prompt("", "word " * 3_000), 120.0)  # more than its context holds
    assert model.complete(PROMPT, 120.0)
    assert model.pid == pid


def test_an_answer_that_takes_too_long_is_given_up_and_the_process_lives(model: EmbeddedModel) -> None:
    model.complete(PROMPT, 120.0)
    began_s = time.monotonic()
    with pytest.raises(ModelSilent):
        model.complete(Prompt("", "Count: one two three", 'root ::= ("one " | "two "){2000}', 2_000, ()), 1.5)
    assert time.monotonic() - began_s < 1.5 + limit_s(0.5)
    time.sleep(1.1)  # where the machine is so busy that it had to be killed, it is started again
    assert model.complete(PROMPT, 120.0)


def test_the_stop_ends_the_answer(model: EmbeddedModel) -> None:
    answer = model.complete(Prompt("", "Say yes.", 'root ::= "yes" "\\n" "no"', 20), 120.0)
    assert answer == "yes"


def test_the_command_has_it_write_a_sentence(
    model: EmbeddedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = require_smollm2(tmp_path)
    monkeypatch.setenv("VITRUVIAN_MODELS", str(Path(weights.folder).parent))
    done = CliRunner().invoke(app, ["model", "check", "smollm2", "--json"])
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["digest"]) == (0, model.digest)
    assert len(answer["text"].split()) > 2

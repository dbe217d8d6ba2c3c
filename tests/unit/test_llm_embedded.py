"""The embedded home's child process, real, with engines that die, hang and babble: nothing but silence comes of it."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import REPOSITORY, limit_s
from vitruvian.explanation.llm import embedded
from vitruvian.explanation.llm.base import LanguageModel, ModelBusy, ModelSilent, Prompt
from vitruvian.explanation.llm.embedded import EmbeddedModel, threads_to_spare
from vitruvian.explanation.llm.process import ChildLost

WEIGHTS = b"GGUF and then some"
Make = Callable[..., EmbeddedModel]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Models over a tiny file and an engine of tests/llm_engines.py; closed at the end."""
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    weights = tmp_path / "model.gguf"
    weights.write_bytes(WEIGHTS)
    made: list[EmbeddedModel] = []

    def one(engine: str = "OnRequest", **settings: Any) -> EmbeddedModel:
        given: dict[str, Any] = {"threads": 1, "pause_s": 0.0, **settings}
        digest = hashlib.sha256(WEIGHTS).hexdigest()
        made.append(EmbeddedModel("tiny", weights, digest, engine=f"tests.llm_engines:{engine}", **given))
        return made[-1]

    yield one
    for model in made:
        model.close()


def ask(model: EmbeddedModel, user: str, deadline_s: float = 120.0) -> str:
    return model.complete(Prompt("Answer.", user), deadline_s)


def gone(pid: int, within_s: float) -> bool:
    until_s = time.monotonic() + within_s
    while time.monotonic() < until_s:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def states(pid: int) -> set[str]:
    """What the kernel says of the process's threads: R runs, S sleeps, T was stopped."""
    return {path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")}


def test_it_answers_in_one_process_of_its_own(make: Make) -> None:
    model = make()
    assert isinstance(model, LanguageModel)
    assert (model.pid, model.remote, model.digest) == (None, False, hashlib.sha256(WEIGHTS).hexdigest())
    assert ask(model, "say one") == "one"
    pid = model.pid
    assert pid not in (None, os.getpid())
    assert [ask(model, f"say {n}") for n in range(5)] == list("01234")
    assert model.pid == pid
    assert int(ask(model, "mind")) >= os.nice(0) + 5 or os.nice(0) > 14
    model.close()
    assert gone(pid, limit_s(1.0))
    model.close()
    with pytest.raises(ModelSilent, match="closed"):
        ask(model, "say two")


@pytest.mark.parametrize(
    ("prompt", "reason"),
    [
        ("die", "status 3"),
        ("segfault", f"status -{signal.SIGSEGV.value}"),
        ("babble", "no answer"),
        ("garble", "no answer"),
        ("huge", "no answer"),
        ("other", "not asked"),
    ],
)
def test_a_child_that_fails_is_silence_and_the_next_one_answers(make: Make, prompt: str, reason: str) -> None:
    model = make()
    ask(model, "say one")
    pid = model.pid
    assert pid is not None
    with pytest.raises(ChildLost, match=reason):
        ask(model, prompt)
    assert gone(pid, limit_s(1.0))
    assert ask(model, "say two") == "two"
    assert model.pid != pid


@pytest.mark.parametrize("prompt", ["hang", "stop"])
def test_a_child_that_hangs_is_killed_at_the_deadline(make: Make, prompt: str) -> None:
    model = make()
    ask(model, "say one")
    pid = model.pid
    assert pid is not None
    began_s = time.monotonic()
    with pytest.raises(ChildLost, match="did not answer within"):
        ask(model, prompt, deadline_s=0.5)
    assert 0.5 <= time.monotonic() - began_s < 0.5 + limit_s(0.5)
    assert gone(pid, limit_s(1.0))
    assert ask(model, "say two") == "two"


def test_a_prompt_that_nobody_takes_in_ends_at_the_deadline(make: Make) -> None:
    model = make()
    ask(model, "say one")
    assert model.pid is not None
    os.kill(model.pid, signal.SIGSTOP)
    until_s = time.monotonic() + limit_s(1.0)
    while states(model.pid) != {"T"} and time.monotonic() < until_s:  # each of its threads stops in its own time
        time.sleep(0.01)
    with pytest.raises(ChildLost, match="does not listen"):  # more than a pipe holds
        ask(model, "say " + "x" * 200_000, deadline_s=0.5)
    with pytest.raises(ModelSilent, match="too long"):
        ask(model, "say " + "x" * 300_000)
    assert ask(model, "say two") == "two"


def test_a_refusal_costs_nothing_but_the_answer(make: Make) -> None:
    model = make()
    ask(model, "say one")
    pid = model.pid
    with pytest.raises(ModelSilent, match="out of words"):
        ask(model, "raise")
    assert ask(model, "say two") == "two"
    assert model.pid == pid


def test_what_a_library_prints_is_no_message(make: Make) -> None:
    model = make()
    assert ask(model, "print three") == "three"
    assert ask(model, "print four") == "four"


def test_one_that_died_with_nothing_to_do_is_replaced_unnoticed(make: Make) -> None:
    model = make(pause_s=60.0)
    ask(model, "say one")
    pid = model.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert gone(pid, limit_s(1.0))
    assert ask(model, "say two") == "two"


def test_pauses_grow_and_then_it_rests(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    ahead_s = [1000.0]
    model = make("DiesOnLoad", pause_s=1.0)
    real = time.monotonic
    monkeypatch.setattr(embedded.time, "monotonic", lambda: real() + ahead_s[0])
    for number in range(embedded.STARTS_MAX + 2):
        with pytest.raises(ChildLost, match="status 4"):
            ask(model, "say one")
        pause_s = min(embedded.PAUSE_MAX_S, 2.0**number)
        if number + 1 >= embedded.STARTS_MAX:
            pause_s = embedded.REST_S
        ahead_s[0] += pause_s - 0.9
        with pytest.raises(ModelSilent, match=r"waits before it is started again.*status 4"):
            ask(model, "say one")
        ahead_s[0] += 0.9


def test_weights_that_were_changed_are_refused_for_good(make: Make, tmp_path: Path) -> None:
    model = make()
    (tmp_path / "model.gguf").write_bytes(WEIGHTS + b"!")
    with pytest.raises(ChildLost, match="changed or cut short"):
        ask(model, "say one")
    with pytest.raises(ModelSilent, match=r"given up.*changed or cut short"):
        ask(model, "say one")


def test_weights_that_cannot_be_loaded_are_said(make: Make) -> None:
    with pytest.raises(ChildLost, match="not a model that I know"):
        ask(make("RefusesToLoad"), "say one")


def test_loading_goes_on_when_the_questioner_has_gone(make: Make) -> None:
    model = make("SlowToLoad")
    with pytest.raises(ModelSilent, match="still being loaded"):
        ask(model, "say one", deadline_s=0.3)
    pid = model.pid
    assert pid is not None
    assert ask(model, "say two") == "two"
    assert model.pid == pid


def test_loading_has_an_end(make: Make) -> None:
    model = make("HangsOnLoad", load_deadline_s=1.0)
    with pytest.raises(ChildLost, match="did not load in time"):
        ask(model, "say one")
    assert model.pid is None


def test_one_answer_at_a_time(make: Make) -> None:
    model = make()
    ask(model, "say one")
    slow, heard = hanging(model, 2.0)
    with pytest.raises(ModelBusy):
        ask(model, "say two", deadline_s=0.2)
    slow.join()
    assert len(heard) == 1
    assert ask(model, "say three") == "three"


def hanging(model: EmbeddedModel, deadline_s: float) -> tuple[threading.Thread, list[ModelSilent]]:
    """A questioner that waits on its own thread for an answer that does not come, and what it hears."""
    heard: list[ModelSilent] = []

    def hang() -> None:
        try:
            ask(model, "hang", deadline_s)
        except ModelSilent as error:
            heard.append(error)

    questioner = threading.Thread(target=hang)
    questioner.start()
    time.sleep(0.3)
    return questioner, heard


def test_closing_does_not_wait_for_an_answer(make: Make) -> None:
    model = make()
    ask(model, "say one")
    slow, heard = hanging(model, 60.0)
    began_s = time.monotonic()
    model.close()
    slow.join()
    assert time.monotonic() - began_s < limit_s(1.0)
    assert len(heard) == 1


def test_an_idle_child_is_ended_and_comes_back(make: Make) -> None:
    model = make(idle_s=0.4)
    ask(model, "say one")
    pid = model.pid
    assert pid is not None
    assert gone(pid, limit_s(2.0))
    assert ask(model, "say two") == "two"


def test_children_that_die_leave_no_threads_behind(make: Make) -> None:
    model = make()
    before = set(threading.enumerate())
    for _ in range(4):
        ask(model, "say one")
        with pytest.raises(ChildLost):
            ask(model, "die")
    ask(model, "say one")
    until_s = time.monotonic() + limit_s(1.0)
    while len(set(threading.enumerate()) - before) > 1 and time.monotonic() < until_s:  # a cancelled one ends soon
        time.sleep(0.01)
    assert len(set(threading.enumerate()) - before) == 1


def test_it_dies_with_its_parent(make: Make, tmp_path: Path) -> None:
    make()
    script = (
        "import hashlib, sys, time; from pathlib import Path\n"
        "from vitruvian.explanation.llm.base import Prompt\n"
        "from vitruvian.explanation.llm.embedded import EmbeddedModel\n"
        f"p = Path({str(tmp_path / 'model.gguf')!r})\n"
        "m = EmbeddedModel('t', p, hashlib.sha256(p.read_bytes()).hexdigest(), threads=1,"
        " engine='tests.llm_engines:OnRequest')\n"
        "m.complete(Prompt('', 'say one'), 120.0); print(m.pid, flush=True)\n"
        "m.complete(Prompt('', 'hang'), 60.0)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
        time.sleep(0.2)
        parent.kill()
        parent.wait()
    assert gone(pid, limit_s(3.0))


@pytest.mark.parametrize(
    ("cores", "load", "threads"),
    [(2, 0.0, 1), (2, 5.9, 1), (2, 6.1, 0), (4, 0.0, 3), (4, 1.5, 2), (16, 0.4, 8), (16, 12.0, 4), (1, 0.9, 1)],
)
def test_threads_are_those_to_spare(cores: int, load: float, threads: int) -> None:
    assert threads_to_spare(cores, load) == threads


def test_threads_are_chosen_when_it_starts(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "cores", lambda: 4)
    monkeypatch.setattr(embedded.os, "getloadavg", lambda: (1.0, 0.0, 0.0))
    assert ask(make(threads=None), "threads") == "3"
    monkeypatch.setattr(embedded.os, "getloadavg", lambda: (40.0, 0.0, 0.0))
    with pytest.raises(ModelBusy, match="too loaded"):
        ask(make(threads=None), "threads")

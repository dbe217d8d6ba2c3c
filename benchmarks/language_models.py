"""What installed language models take: seconds to load, tokens read and written a second, memory; and whether what was
asked before changes the words.

python -m benchmarks.language_models [NAME ...]     # all installed weights that write sentences
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks._results import Bar, record
from vitruvian.explanation.llm.base import DEADLINE_S, ModelSilent, Prompt
from vitruvian.explanation.llm.child import Answer
from vitruvian.explanation.llm.embedded import EmbeddedModel, cores, threads_to_spare
from vitruvian.explanation.llm.weights import Installed, installed

PATIENCE_S = 600.0  # of the measurement; what a ward waits for is compared with it
SYSTEM = (
    "You rewrite one sentence of a medical report so that it reads well. Keep every tag such as <RISK> once and in the"
    " same order. Add no facts, no numbers, no advice and no causes. Answer with the one sentence only."
)
DRAFTS = (
    "The risk of <OUTCOME> rose from <EARLIER> to <RISK> over <WINDOW>.",
    "The latest <SUBJECT> is <VALUE>, measured <WHEN>.",
    "Not measured recently: <MISSING1> and <MISSING2>.",
    "The model expects <SUBJECT> to be <LATER> <HORIZON>.",
)
GRAMMAR = 'root ::= word (" " word){5,30} "."\nword ::= [A-Za-z,]+ | "<" [A-Z0-9]+ ">"'


def prompts() -> list[Prompt]:
    """Four sentences to word, as an explanation has."""
    return [Prompt(SYSTEM, f"Draft: {draft}\nSentence:", GRAMMAR) for draft in DRAFTS]


def memory_mb(pid: int) -> float:
    """The most that the process held in memory, MB; weights that are mapped count where they were read."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def core_s(pid: int) -> float:
    """Seconds that the process has spent on a core so far."""
    spent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")


def measured(weights: Installed, threads: int) -> tuple[dict[str, Any], list[str]]:
    """The figures of one model with so many threads, and its words."""
    model = EmbeddedModel(weights.name, weights.path, weights.digest, threads=threads, load_deadline_s=PATIENCE_S)
    load_before = os.getloadavg()[0]
    try:
        try:
            model.answer(Prompt("", "Say yes.", 'root ::= "y"', 1), 0.001)
        except ModelSilent:  # it was started, and loads
            pass
        assert model._child is not None
        load_s = model._child.wait_ready(time.monotonic() + PATIENCE_S).load_s
        pid = model._child.pid
        loading_core_s = core_s(pid)
        taken: list[tuple[float, Answer]] = []
        for prompt in prompts():
            began_s = time.monotonic()
            answer = model.answer(prompt, PATIENCE_S)
            taken.append((time.monotonic() - began_s, answer))
        figures = {
            "model": weights.name,
            "threads": threads,
            "load_s": round(load_s, 2),
            "first_sentence_s": round(taken[0][0], 2),
            "later_sentence_s": round(sum(spent for spent, _ in taken[1:]) / (len(taken) - 1), 2),
            "read_tokens_per_s": round(sum(a.read_tokens for _, a in taken) / sum(a.read_s for _, a in taken)),
            "written_tokens_per_s": round(
                sum(a.written_tokens for _, a in taken) / sum(a.written_s for _, a in taken), 1
            ),
            "load_core_s": round(loading_core_s, 2),
            "sentences_core_s": round(core_s(pid) - loading_core_s, 2),
            "memory_mb": round(memory_mb(pid)),
            "machine_load": round((load_before + os.getloadavg()[0]) / 2, 1),
        }
        return figures, [answer.text for _, answer in taken]
    finally:
        model.close()


def again(weights: Installed, words: list[str]) -> int:
    """How many sentences come out the same when they are asked for in the opposite order."""
    model = EmbeddedModel(weights.name, weights.path, weights.digest, threads=1, load_deadline_s=PATIENCE_S)
    try:
        reverse = [model.complete(prompt, PATIENCE_S) for prompt in reversed(prompts())]
    finally:
        model.close()
    return sum(one == other for one, other in zip(words, reversed(reverse), strict=True))


def main() -> None:
    """Measure, and record."""
    wanted = sys.argv[1:]
    chosen = [one for one in installed() if one.kind == "gguf" and (not wanted or one.name in wanted)]
    chosen.sort(key=lambda one: one.size_bytes)
    rows: list[dict[str, Any]] = []
    bars: list[Bar] = []
    for weights in chosen:
        row, words = measured(weights, threads_to_spare(cores(), 0.0))
        rows.append(row)
        print(row, file=sys.stderr)
        same = again(weights, words)
        four_s = row["load_s"] + row["first_sentence_s"] + (len(DRAFTS) - 1) * row["later_sentence_s"]
        bars.append(
            Bar(
                f"{weights.name}: four sentences, cold, s", f"< {DEADLINE_S:.0f}", round(four_s, 1), four_s < DEADLINE_S
            )
        )
        alone_s = row["load_core_s"] + row["sentences_core_s"]
        what = f"{weights.name}: four sentences, cold, seconds on a core (waiting left out)"
        bars.append(Bar(what, "reported", round(alone_s, 1), None))
        what = f"{weights.name}: sentences that do not depend on what was asked before"
        bars.append(Bar(what, "reported", f"{same} of {len(words)}", None))
    record(
        "language_models",
        title="Language models on this machine: time and memory",
        provenance="four drafts of sentences about nobody, worded within a grammar",
        bars=bars,
        figures={"models": rows},
        notes=[
            "The child process runs at niceness 5; machine_load is the mean of runnable processes over the run, its own"
            " threads included: what exceeds them was other work on the same cores.",
            "load_s includes reading the whole file to compare its digest. Four sentences: the load, the first"
            " sentence, and three later ones, with as many threads as the home takes on this machine when idle.",
            "A prompt's beginning that the process remembers is not read again, which makes later sentences faster; the"
            " rounding of a remembered beginning may differ from one that is read anew, and a word with it.",
        ],
    )


if __name__ == "__main__":
    main()

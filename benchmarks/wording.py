"""A language model's wording of claims: how much is accepted, what is refused that is false, and what checking costs.

python -m benchmarks.wording [--models A,B] [--shapes N] [--lies N] [--free] [--minutes M]

`--models`: installed ones by name; none: what needs no model alone. `--shapes`: different claims that each is asked to
word. `--free`: without the grammar as well, as homes that cannot force one are asked. `--minutes`: the most that one
model may take. The page is written as figures come, so a run that is stopped leaves what it has; models that are not
asked keep the rows of the last run, if its prompts were these.

Claims are those of simulated packets (`vitruvian.testing.packets`) from the seed that prompts and phrase books were
made with; benchmarks/explanation.py measures on others.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec

from benchmarks._results import RESULTS, Bar, commit, record
from benchmarks._wording_lies import SEED, Said, claims, falsified, kept, malicious
from vitruvian.explanation.claims import PROMPT_VERSION, Audience
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.llm.base import ModelSilent, Prompt
from vitruvian.explanation.llm.child import Answer
from vitruvian.explanation.llm.embedded import EmbeddedModel
from vitruvian.explanation.llm.weights import installed
from vitruvian.explanation.wording.base import Refused
from vitruvian.explanation.wording.prompt import prompt_of, skeleton_of_answer, wordable
from vitruvian.explanation.wording.read_back import read_back
from vitruvian.explanation.wording.tags import tagged
from vitruvian.explanation.wording.verifier import verify
from vitruvian.testing.packets import packets

PACKETS: Final = 480
PATIENCE_S: Final = 300.0
TRIES: Final = 3
PAUSE_S: Final = 10.0
EXAMPLES: Final = 6
EVERY: Final = 5  # answers between two writings of the page


def common(whole: list[Evidence], most: int) -> list[Said]:
    """One claim of each shape that a model is asked for: each kind's commonest first, so that few cover all kinds."""
    count: Counter[tuple[str, Audience]] = Counter()
    first: dict[tuple[str, Audience], Said] = {}
    for one in claims(whole):
        if wordable(one.claim, one.draft, one.audience, "en"):
            count[one.claim.shape, one.audience] += 1
            first.setdefault((one.claim.shape, one.audience), one)
    turn: Counter[tuple[str, Audience]] = Counter()
    ranked = []
    for key, _ in count.most_common():
        one = first[key]
        turn[one.claim.kind, one.audience] += 1
        ranked.append((turn[one.claim.kind, one.audience], -count[key], one))
    ranked.sort(key=lambda each: each[:2])
    return [one for _, _, one in ranked[:most]]


def answered(model: EmbeddedModel, prompt: Prompt) -> Answer | str:
    """The model's answer; where it gives none, several times, why."""
    why = ""
    for _ in range(TRIES):
        try:
            return model.answer(prompt, PATIENCE_S)
        except ModelSilent as silent:
            why = str(silent)
            time.sleep(PAUSE_S)
    return why


class Tally:
    """What one model did with the claims, with or without the grammar; its figures at any time."""

    def __init__(self, model: EmbeddedModel, *, forced: bool) -> None:
        self.model, self.forced = model, forced
        self.taken_s: list[float] = []
        self.answers: list[Answer] = []
        self.refused: Counter[str] = Counter()
        self.silent: Counter[str] = Counter()
        self.asked = self.accepted = self.copied = 0
        self.examples: list[str] = []

    def ask(self, one: Said) -> None:
        """Ask for one claim, and judge the answer as the narrator does."""
        prompt = prompt_of(one.claim, one.draft, one.audience, "en")
        begun = time.perf_counter()
        answer = answered(self.model, prompt if self.forced else msgspec.structs.replace(prompt, grammar=""))
        self.asked += 1
        if isinstance(answer, str):
            self.silent[answer] += 1
            return
        self.taken_s.append(time.perf_counter() - begun)
        self.answers.append(answer)
        try:
            skeleton = skeleton_of_answer(answer.text, one.claim, one.draft)
            verify(skeleton, one.claim, one.draft, one.audience, "en")
            text = one.filled(skeleton).text
            read_back(text, one.claim, one.packet, one.audience, "en")
        except Refused as refusal:
            self.refused[refusal.rule] += 1
            return
        self.accepted += 1
        self.copied += skeleton == one.draft
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{self.model.name}: {tagged(skeleton)} ({text})")

    @property
    def figures(self) -> dict[str, Any]:
        """A row of the table."""
        done = sorted(self.taken_s)
        written_s = sum(one.written_s for one in self.answers)
        return {
            "model": self.model.name, "grammar": "forced" if self.forced else "none", "shapes": self.asked,
            "answered": len(done), "accepted": self.accepted,
            "share": round(self.accepted / len(done), 4) if done else None, "same_as_draft": self.copied,
            "refused": ", ".join(f"{rule} {n}" for rule, n in self.refused.most_common()) or "none",
            "silent": ", ".join(f"{why} {n}" for why, n in self.silent.most_common()) or "none",
            "sentence_p50_s": round(done[len(done) // 2], 2) if done else None,
            "sentence_max_s": round(done[-1], 2) if done else None,
            "written_tokens_per_s":
                round(sum(one.written_tokens for one in self.answers) / written_s, 1) if written_s else None,
            "seconds": round(sum(done)), "machine_load": round(os.getloadavg()[0], 1),
            "prompt_version": PROMPT_VERSION, "commit": commit(),
        }  # fmt: skip


def earlier() -> tuple[list[dict[str, Any]], list[str]]:
    """Rows of models, and sentences, of the last run; none where its prompts were others."""
    path = RESULTS / "wording.json"
    figures = json.loads(path.read_text("utf-8"))["figures"] if path.exists() else {}
    rows = [one for one in figures.get("models", []) if one.get("prompt_version") == PROMPT_VERSION]
    names = {one["model"] for one in rows}
    return rows, [one for one in figures.get("sentences", []) if one.partition(":")[0] in names]


class Page:
    """The results so far, written again and again."""

    def __init__(self, whole: list[Evidence], lies: int) -> None:
        self.false, self.by_kind = falsified(whole, lies)
        self.liars, self.latency = malicious(whole), kept(whole)
        self.rows, self.sentences = earlier()

    def renewed(self, tally: Tally) -> None:
        """The page with this model's figures in the place of those it had."""
        new = tally.figures
        at = [(one["model"], one["grammar"]) for one in self.rows]
        if (new["model"], new["grammar"]) in at:
            self.rows[at.index((new["model"], new["grammar"]))] = new
        else:
            self.rows.append(new)
        if tally.forced:
            others = [one for one in self.sentences if one.partition(":")[0] != new["model"]]
            self.sentences = [*others, *tally.examples]
        self.write()

    def bars(self) -> list[Bar]:
        """What was to be reached."""
        false, liars, latency = self.false, self.liars, self.latency
        return [
            Bar("false texts and skeletons refused, both readers, every kind of packet", ">= 5,000 told, 100 %",
                f"{false['lies'] - false['lies_passed']:,} of {false['lies']:,}",
                false["lies"] >= 5_000 and not false["lies_passed"]),
            Bar("true drafts and wordings refused", "0", false["true_refused"], not false["true_refused"]),
            Bar(f"sentences of {liars['models']} malicious models displayed", "0",
                f"{liars['displayed']} of {liars['answers']:,}", not liars["displayed"] and liars["answers"] > 0),
            Bar("explanation from kept wordings, p95, ms", "< 20", latency["p95_ms"], latency["p95_ms"] < 20,
                f"{latency['cpu_p95_ms']:.1f} ms on a core"),
            *(_bar(one) for one in self.rows),
        ]  # fmt: skip

    def write(self) -> None:
        """The page and its raw figures; not printed each time."""
        tables = {"models": self.rows, "lies_by_kind": self.by_kind, "sentences": self.sentences}
        with contextlib.redirect_stdout(io.StringIO()):
            self._record({name: rows for name, rows in tables.items() if rows})

    def _record(self, tables: dict[str, Any]) -> None:
        record(
            "wording",
            title="Wording by language models",
            provenance=f"simulated: {PACKETS} packets of every kind, seed {SEED}, on which phrase books were made",
            bars=self.bars(),
            figures={**self.false, "liars": self.liars, "kept": self.latency, **tables},
            notes=[
                "A forced grammar leaves a model the choice among the phrase book's wordings and nothing else: every"
                " answer that it completes lies within the phrase book and is accepted, whatever the model is worth."
                " The share accepted then counts answers that were complete in time, not understanding.",
                "Grammar none: the model writes what it likes and the verifier decides. These shares are what models"
                " reach by themselves, in homes that cannot force a grammar.",
                "The grammar leaves out the pattern of the draft, which small models would only copy.",
                "Not asked: notes and reasons (the twin's own words), lines of a handover, long lists.",
                "Lies are made by rules from true sentences (vitruvian.testing.lies, .liars), not by people or models.",
                "Kept wordings: verdicts of a claim's shape are remembered, so the second round of the same packets"
                " counts; every sentence is read back against its evidence each time.",
            ],
        )  # fmt: skip


def _bar(row: dict[str, Any]) -> Bar:
    held = "1.5b" in row["model"] and row["grammar"] == "forced"
    met = row["share"] >= 0.9 if held and row["share"] is not None else None
    what = f"sentences of {row['model']} accepted, grammar {row['grammar']}, of {row['shapes']} shapes"
    return Bar(what, ">= 90 %" if held else "reported", row["share"] if row["share"] is not None else "-", met)


def measure(
    model: EmbeddedModel, some: list[Said], until_s: float, tell: Callable[[Tally], None], *, free: bool
) -> None:
    """Ask a model for each claim, with the grammar and, with `free`, without it; no longer than until then."""
    tallies = [Tally(model, forced=True), *([Tally(model, forced=False)] if free else [])]
    for number, one in enumerate(some, 1):
        if time.monotonic() > until_s:
            break
        for tally in tallies:
            tally.ask(one)
        if number % EVERY == 0:
            for tally in tallies:
                tell(tally)
            print(f"{model.name}: {number} of {len(some)}", flush=True)
    for tally in tallies:
        tell(tally)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="")
    parser.add_argument("--shapes", type=int, default=80)
    parser.add_argument("--lies", type=int, default=8_000)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--free", action="store_true")
    asked = parser.parse_args()
    have = {one.name: one for one in installed() if one.kind == "gguf"}
    wanted = [name for name in asked.models.split(",") if name]
    if missing := [name for name in wanted if name not in have]:
        parser.error(f"found no installed model {', '.join(missing)}; there are {', '.join(have) or 'none'}")
    whole = list(packets(SEED, PACKETS))
    page = Page(whole, asked.lies)
    page.write()
    some = common(whole, asked.shapes)
    for name in wanted:
        model = EmbeddedModel(name, have[name].path, have[name].digest, load_deadline_s=PATIENCE_S)
        try:
            measure(model, some, time.monotonic() + 60 * asked.minutes, page.renewed, free=asked.free)
        finally:
            model.close()
    print((RESULTS / "wording.md").read_text("utf-8"))


if __name__ == "__main__":
    main()

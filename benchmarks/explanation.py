"""Explanations against their bars: drafts, what models word, latency, and the bars of wording, questions and notes.

python -m benchmarks.explanation [--packets N] [NAME ...]     # models by name; by default all weights that write

Packets are simulated (`vitruvian.testing.packets`), made by the builders that the service uses, from seeds that no
prompt, pattern or rule was tuned on. The checks of what is displayed are written here anew: they share nothing with the
verifier but the way in which a fact reads.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np

from benchmarks._results import RESULTS, Bar, quantiles_ms, record
from vitruvian.explanation.claims import Audience, Explanation, Sentence
from vitruvian.explanation.drafting import AUDIENCES, draft, plan_of
from vitruvian.explanation.drafts import LANGUAGES, manner_of
from vitruvian.explanation.evidence.base import RED_FLAGS, Evidence
from vitruvian.explanation.llm.base import DEADLINE_S
from vitruvian.explanation.llm.embedded import EmbeddedModel
from vitruvian.explanation.llm.weights import Installed, installed
from vitruvian.explanation.narrate import Narrator
from vitruvian.explanation.readability import grade
from vitruvian.explanation.showing import show
from vitruvian.testing.packets import packets

SEED: Final = 52_021
PACKETS: Final = 504
COLD: Final = 40  # packets, each explained with nothing kept
PATIENCE_S: Final = 600.0
GRADE_MAX: Final = 7.0
SHORT: Final = ("risk", "forecast", "what_if", "alert")  # kinds with at most four sentences for a clinician
PAGES: Final = ("wording", "ask", "notes")  # measured by benchmarks of their own, their bars repeated here
_NUMBER: Final = re.compile(r"\d")


def untrue(sentence: Sentence, evidence: Evidence, audience: Audience, language: str) -> str:
    """What is wrong with a displayed sentence, empty where nothing is: a place that does not read as its fact, a digit
    that belongs to no fact.
    """
    manner = manner_of(language)
    for cite in sentence.cites:
        found = sentence.text[cite.start : cite.end]
        stated = show(evidence.by_id[cite.fact], cite.facet, evidence, audience, manner)
        if found.lower() != stated.lower():
            return f"{found!r} for {stated!r}"
    outside = "".join(text for text, fact in sentence.pieces() if not fact)
    return f"a digit outside facts: {sentence.text!r}" if _NUMBER.search(outside) else ""


def unsaid(explanation: Explanation, evidence: Evidence) -> list[str]:
    """Red flags of a packet that its explanation does not name."""
    cited = {name for sentence in explanation.sentences for name in sentence.facts}
    return [fact.id for fact in evidence.facts if RED_FLAGS & set(fact.flags) and fact.id not in cited]


def drafts(whole: Sequence[Evidence]) -> dict[str, Any]:
    """Every packet drafted for both readers in every language."""
    spent_s, grades, flags, missed, wrong, longest = [], [], 0, 0, 0, 0
    for evidence in whole:
        for audience in AUDIENCES:
            for language in LANGUAGES:
                begun = time.perf_counter()
                made = draft(evidence, audience, language)
                spent_s.append(time.perf_counter() - begun)
                flags += len(evidence.red_flags)
                missed += len(unsaid(made, evidence))
                wrong += sum(1 for one in made.sentences if untrue(one, evidence, audience, language))
                if audience == "patient" and language == "en":
                    grades.append(grade(made.text))
                if audience == "clinician" and evidence.kind in SHORT:
                    longest = max(longest, len(made.sentences))
    return {
        "explanations": len(spent_s), "red_flags": flags, "red_flags_unsaid": missed, "untrue": wrong,
        "clinician_sentences_max": longest, **quantiles_ms(spent_s),
        "grade_median": float(np.median(grades)), "grade_p95": float(np.quantile(grades, 0.95)),
        "grade_max": float(max(grades)),
        "grade_above_7": float(np.mean(np.array(grades) > GRADE_MAX)),
    }  # fmt: skip


def worded(model: EmbeddedModel, whole: Sequence[Evidence]) -> dict[str, Any]:
    """Every packet explained with a model that has all the time it wants; then again, from what is kept."""
    narrator = Narrator(model, deadline_s=PATIENCE_S)
    asked, by_model, wrong, refused = 0, 0, 0, Counter[str]()
    shapes: dict[str, bool] = {}
    begun = time.perf_counter()
    for number, evidence in enumerate(whole):
        for audience in AUDIENCES:
            made = narrator.explain(evidence, audience, wait=True)
            wrong += sum(1 for one in made.sentences if untrue(one, evidence, audience, "en"))
            wrong += len(unsaid(made, evidence))
            for claim, one in zip(plan_of(evidence, audience), made.sentences, strict=True):
                if one.origin == "draft" and not one.refused:
                    continue  # the twin's own words: no model is asked for them
                asked += 1
                by_model += one.origin == "model"
                refused[one.refused] += bool(one.refused)
                shapes[f"{claim.shape}|{audience}"] = one.origin == "model"
        print(f"\r{model.name}: {number + 1} of {len(whole)} packets", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    spent_s = time.perf_counter() - begun
    return {
        "model": model.name, "sentences": asked, "by_model": by_model, "accepted": by_model / max(asked, 1),
        "shapes": len(shapes), "shapes_accepted": sum(shapes.values()) / max(len(shapes), 1), "untrue": wrong,
        "refused": dict(refused - Counter({"": 0})), "spent_s": spent_s, "cached": cached(narrator, whole),
        "cold": cold(model, whole[:COLD]),
    }  # fmt: skip


def cached(narrator: Narrator, whole: Sequence[Evidence]) -> dict[str, float]:
    """Latency where everything was worded before."""
    spent_s = []
    for evidence in whole:
        for audience in AUDIENCES:
            begun = time.perf_counter()
            narrator.explain(evidence, audience)
            spent_s.append(time.perf_counter() - begun)
    return quantiles_ms(spent_s)


def cold(model: EmbeddedModel, some: Sequence[Evidence]) -> dict[str, float]:
    """Latency with nothing kept, within the deadline; the draft is shown meanwhile."""
    spent_s = []
    for evidence in some:
        begun = time.perf_counter()
        Narrator(model).explain(evidence, wait=True)
        spent_s.append(time.perf_counter() - begun)
    return quantiles_ms(spent_s)


def writers(names: Sequence[str]) -> Iterator[Installed]:
    """Installed weights that write sentences."""
    for one in installed():
        if one.kind == "gguf" and (not names or one.name in names):
            yield one


def repeated() -> tuple[list[Bar], list[str]]:
    """The bars that other benchmarks measured, as their pages stand, and where that is."""
    bars, notes = [], []
    for name in PAGES:
        path = RESULTS / f"{name}.json"
        if not path.exists():
            notes.append(f"Not measured yet: scripts/bench {name}.")
            continue
        page = json.loads(path.read_text("utf-8"))
        bars += [Bar(**bar) for bar in page["bars"]]
        notes.append(f"{page['title']}: [{name}.md]({name}.md), commit {page['commit']}; {page['provenance']}.")
    return bars, notes


def main(names: Sequence[str], asked: int = PACKETS) -> None:
    """Measure, and write the page; models are asked of the first `asked` packets."""
    whole = list(islice(packets(SEED, PACKETS), PACKETS))
    plain = drafts(whole)
    rows = []
    for weights in writers(names):
        model = EmbeddedModel(weights.name, weights.path, weights.digest)
        try:
            rows.append(worded(model, whole[:asked]))
        finally:
            model.close()
    said = f"{PACKETS} simulated packets of {len({one.kind for one in whole})} kinds"
    grades = (
        f"median {plain['grade_median']:.1f}, highest {plain['grade_max']:.1f}, {plain['grade_above_7']:.1%} above 7"
    )
    bars = [
        Bar(f"red flags named, {said}, drafts in {len(LANGUAGES)} languages for both readers", "100 %",
            share(plain["red_flags"] - plain["red_flags_unsaid"], plain["red_flags"]), plain["red_flags_unsaid"] == 0),
        Bar("displayed facts that are not the evidence's, drafts", "0", plain["untrue"], plain["untrue"] == 0),
        *(Bar(f"displayed facts that are not the evidence's or red flags unsaid, {one['model']}", "0", one["untrue"],
              one["untrue"] == 0) for one in rows),
        *(Bar(f"sentences of {one['model']} accepted", ">= 90 %" if "1.5b" in one["model"] else "reported",
              round(one["accepted"], 4), one["accepted"] >= 0.9 if "1.5b" in one["model"] else None) for one in rows),
        Bar("draft, p95, ms", "< 50", plain["p95_ms"], plain["p95_ms"] < 50),
        *(Bar(f"cached, p95, ms, {one['model']}", "< 20", one["cached"]["p95_ms"], one["cached"]["p95_ms"] < 20)
          for one in rows),
        *(Bar(f"cold, p95, ms, {one['model']}", f"<= {DEADLINE_S:.0f} s or the draft", one["cold"]["p95_ms"],
              one["cold"]["max_ms"] <= 1e3 * DEADLINE_S + 500) for one in rows),
        Bar("sentences for a clinician, most", "<= 4", plain["clinician_sentences_max"],
            plain["clinician_sentences_max"] <= 4),
        Bar("plain words, Flesch-Kincaid grade, 95th percentile", "<= 7", round(plain["grade_p95"], 2),
            plain["grade_p95"] <= 7, grades),
    ]  # fmt: skip
    others, notes = repeated()
    record(
        "explanation",
        title="Explanations",
        provenance=f"simulated: {said}, seed {SEED}",
        bars=[*bars, *others],
        figures={"drafts": plain, "models": [flat(one) for one in rows]},
        notes=[
            f"Models were asked of {asked} packets, both readers, with all the time they wanted; latencies are"
            f" with the deadline of {DEADLINE_S:.0f} s. Two cores; other work on the machine lengthens them.",
            "Connections opened by default: none, by tests/security/test_explanation_network.py, which blocks sockets.",
            *notes,
        ],
    )


def share(part: int, whole: int) -> str:
    """`100 % (1,234 of 1,234)`."""
    return f"{100 * part / max(whole, 1):.4g} % ({part:,} of {whole:,})"


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the table of models."""
    kept = {key: value for key, value in row.items() if key not in ("cached", "cold", "refused")}
    kept |= {f"{name}_p95_ms": row[name]["p95_ms"] for name in ("cached", "cold")}
    return kept | {"refused": ", ".join(f"{rule} {count}" for rule, count in row["refused"].items()) or "none"}


if __name__ == "__main__":
    told = argparse.ArgumentParser(description=__doc__)
    told.add_argument("--packets", type=int, default=PACKETS, help="of which models are asked")
    told.add_argument("names", nargs="*")
    given = told.parse_args()
    main(given.names, given.packets)

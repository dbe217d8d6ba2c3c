"""A language model's wording of claims: how much is accepted, what is refused that is false, and what checking costs.

python -m benchmarks.wording [--shapes N] [--free] [NAME ...]    # models by name; by default all installed that write

Claims are those of simulated packets (`vitruvian.testing.packets`) from the seeds that prompts and phrase books were
made with; benchmarks/explanation.py measures on others. `--free` asks without the grammar as well, as homes that cannot
force one are asked.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any, Final

import msgspec

from benchmarks._results import Bar, quantiles_ms, record
from vitruvian.explanation.claims import Audience, Claim, Sentence, Skeleton
from vitruvian.explanation.drafting import AUDIENCES, plan_of
from vitruvian.explanation.drafts import draft_of, manner_of
from vitruvian.explanation.drafts.base import template_of
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.filling import fill
from vitruvian.explanation.llm.base import ModelSilent, Prompt
from vitruvian.explanation.llm.embedded import EmbeddedModel
from vitruvian.explanation.llm.weights import installed
from vitruvian.explanation.narrate import Narrator
from vitruvian.explanation.wording.base import MemoryCache, Refused, Wording
from vitruvian.explanation.wording.patterns import sampled, spaced
from vitruvian.explanation.wording.phrases import phrases_of
from vitruvian.explanation.wording.prompt import prompt_of, skeleton_of_answer, wordable
from vitruvian.explanation.wording.read_back import read_back
from vitruvian.explanation.wording.tags import tagged, untagged
from vitruvian.explanation.wording.verifier import verify
from vitruvian.testing.lies import false_skeletons, lies
from vitruvian.testing.packets import packets

SEED: Final = 7
PACKETS: Final = 480
PATIENCE_S: Final = 300.0
TRIES: Final = 3
PAUSE_S: Final = 10.0
LIES_EACH: Final = 3  # claims of one shape that lies are told of


class Said(msgspec.Struct, frozen=True):
    """A claim of a packet for a reader."""

    packet: Evidence
    audience: Audience
    claim: Claim
    draft: Skeleton

    def filled(self, skeleton: Skeleton) -> Sentence:
        """The sentence of a skeleton."""
        return fill(skeleton, self.claim, self.packet, self.audience, manner_of("en"))


def claims(whole: list[Evidence]) -> Iterator[Said]:
    """Every claim of the packets, for both readers."""
    for packet in whole:
        for audience in AUDIENCES:
            for claim in plan_of(packet, audience):
                yield Said(packet, audience, claim, draft_of(claim, audience, "en"))


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


def answered(model: EmbeddedModel, prompt: Prompt) -> str | None:
    """The model's answer; None where it gives none, several times."""
    for _ in range(TRIES):
        try:
            return model.complete(prompt, PATIENCE_S)
        except ModelSilent:
            time.sleep(PAUSE_S)
    return None


def accepted(model: EmbeddedModel, some: list[Said], *, forced: bool) -> tuple[dict[str, Any], list[str]]:
    """How many of the claims a model words so that they may be shown, and its first few words."""
    taken_s, refused, shown, silent = [], Counter[str](), [], 0
    for one in some:
        prompt = prompt_of(one.claim, one.draft, one.audience, "en")
        begun = time.perf_counter()
        answer = answered(model, prompt if forced else msgspec.structs.replace(prompt, grammar=""))
        if answer is None:
            silent += 1
            continue
        taken_s.append(time.perf_counter() - begun)
        try:
            skeleton = skeleton_of_answer(answer, one.claim, one.draft)
            verify(skeleton, one.claim, one.draft, one.audience, "en")
            text = one.filled(skeleton).text
            read_back(text, one.claim, one.packet, one.audience, "en")
        except Refused as refusal:
            refused[refusal.rule] += 1
            continue
        shown.append((one, skeleton, text))
    copied = sum(1 for one, skeleton, _ in shown if skeleton == one.draft)
    figures = {
        "model": model.name, "grammar": "forced" if forced else "none", "shapes": len(some), "silent": silent,
        "answered": len(taken_s), "accepted": len(shown), "share": round(len(shown) / max(len(taken_s), 1), 4),
        "same_as_draft": copied, "refused": ", ".join(f"{rule} {n}" for rule, n in refused.most_common()) or "none",
        "sentence_p50_s": round(sorted(taken_s)[len(taken_s) // 2], 2) if taken_s else None,
    }  # fmt: skip
    return figures, [f"{model.name}: {tagged(skeleton)} ({text})" for _, skeleton, text in shown[:6]]


def another(one: Said, random: Random) -> Skeleton | None:
    """A wording of the phrase book."""
    phrases = phrases_of(one.claim, one.draft, one.audience, "en")
    if not phrases.others:
        return None
    tokens = sampled(random.choice(phrases.others), random)
    text = spaced([phrases.tags[token[1:-1]] if token[0] == "{" else token for token in tokens])
    return untagged(text if text[0] == "<" else text[0].upper() + text[1:], one.claim)


def falsified(whole: list[Evidence]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Lies told of drafts and of other wordings, and how many passed; and what is true and was refused."""
    random, told, passed = Random(SEED), Counter[str](), Counter[str]()
    seen: Counter[tuple[str, Audience]] = Counter()
    kinds, true, true_refused = set(), 0, 0
    for one in claims(whole):
        seen[one.claim.shape, one.audience] += 1
        if seen[one.claim.shape, one.audience] > LIES_EACH:
            continue
        kinds.add(one.claim.kind)
        for skeleton in filter(None, (one.draft, another(one, random))):
            sentence = one.filled(skeleton)
            true += 1
            true_refused += passes_not(one, skeleton, sentence)
            for kind, text in lies(sentence, one.packet, one.audience, random):
                told[f"text: {kind}"] += 1
                passed[f"text: {kind}"] += reads_back(one, text)
            for kind, false in false_skeletons(skeleton, random):
                told[f"skeleton: {kind}"] += 1
                passed[f"skeleton: {kind}"] += verified(one, false)
    rows = [{"lie": kind, "told": count, "passed": passed[kind]} for kind, count in sorted(told.items())]
    return {
        "lies": told.total(), "lies_passed": passed.total(), "claim_kinds": len(kinds),
        "true_sentences": true, "true_refused": true_refused,
    }, rows  # fmt: skip


def passes_not(one: Said, skeleton: Skeleton, sentence: Sentence) -> bool:
    """Whether something true is refused."""
    return not (verified(one, skeleton) and reads_back(one, sentence.text))


def verified(one: Said, skeleton: Skeleton) -> bool:
    """Whether the verifier lets a skeleton through."""
    try:
        verify(skeleton, one.claim, one.draft, one.audience, "en")
    except Refused:
        return False
    return True


def reads_back(one: Said, text: str) -> bool:
    """Whether a displayed text reads back as the claim."""
    try:
        read_back(text, one.claim, one.packet, one.audience, "en")
    except Refused:
        return False
    return True


class Silent:
    """A language model that must not be asked: everything is kept."""

    name, digest, remote = "kept", "0" * 64, False

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        """Never: what is timed is what is kept."""
        raise ModelSilent(f"found a prompt of {len(prompt.user)} characters and {deadline_s} s, expected none")

    def close(self) -> None:
        """Nothing to let go of."""


def kept(whole: list[Evidence]) -> dict[str, float]:
    """Latency of whole explanations from kept wordings, each verified and read back anew."""
    random, cache = Random(SEED), MemoryCache()
    narrator = Narrator(Silent(), cache)
    for one in claims(whole):
        skeleton = another(one, random)
        if skeleton is not None:
            cache.put(narrator._key(one.claim, one.audience, "en"), Wording(template_of(skeleton)))
    taken_s = []
    for packet in whole:
        for audience in AUDIENCES:
            begun = time.perf_counter()
            narrator.explain(packet, audience)
            taken_s.append(time.perf_counter() - begun)
    return {**quantiles_ms(taken_s), "explanations": len(taken_s), "by_model": narrator.counts["model"]}


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--shapes", type=int, default=120)
    parser.add_argument("--free", action="store_true")
    asked = parser.parse_args()
    whole = list(packets(SEED, PACKETS))
    false, rows = falsified(whole)
    latency = kept(whole)
    some, models, words = common(whole, asked.shapes), [], []
    for weights in installed() if some else ():
        if weights.kind != "gguf" or (asked.models and weights.name not in asked.models):
            continue
        model = EmbeddedModel(weights.name, weights.path, weights.digest, load_deadline_s=PATIENCE_S)
        try:
            for forced in (True, False) if asked.free else (True,):
                figures, said = accepted(model, some, forced=forced)
                models.append(figures)
                words += said if forced else []
                print(figures, flush=True)
        finally:
            model.close()
    bars = [
        Bar("false texts and skeletons refused, both readers, every kind of packet", ">= 5,000 told, 100 %",
            f"{false['lies'] - false['lies_passed']:,} of {false['lies']:,}",
            false["lies"] >= 5_000 and not false["lies_passed"]),
        Bar("true drafts and wordings refused", "0", false["true_refused"], not false["true_refused"]),
        Bar("explanation from kept wordings, p95, ms", "< 20", latency["p95_ms"], latency["p95_ms"] < 20),
        *(Bar(f"sentences of {one['model']} accepted, grammar {one['grammar']}",
              ">= 90 %" if "1.5b" in one["model"] and one["grammar"] == "forced" else "reported", one["share"],
              one["share"] >= 0.9 if "1.5b" in one["model"] and one["grammar"] == "forced" else None)
          for one in models),
    ]  # fmt: skip
    record(
        "wording",
        title="Wording by language models",
        provenance=f"simulated: {PACKETS} packets of every kind, seed {SEED}, on which phrase books were made",
        bars=bars,
        figures={**false, "kept": latency, "models": models, "lies_by_kind": rows, "sentences": words},
        notes=[
            "A forced grammar leaves a model the choice among the phrase book's wordings and nothing else, so what it"
            " answers whole is accepted; without it, the model writes what it likes and the verifier decides.",
            "The grammar leaves out the pattern of the draft, which small models would only copy.",
            "Not asked: notes and reasons (the twin's own words), lines of a handover, long lists.",
        ],
    )


if __name__ == "__main__":
    main()

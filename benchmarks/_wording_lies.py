"""Claims of simulated packets, and what needs no language model to be measured: lies told of them, liars, latency."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any, Final

import msgspec

from benchmarks._results import quantiles_ms
from vitruvian.explanation.claims import Audience, Claim, Sentence, Skeleton
from vitruvian.explanation.drafting import AUDIENCES, plan_of
from vitruvian.explanation.drafting import draft as drafted
from vitruvian.explanation.drafts import draft_of, manner_of
from vitruvian.explanation.drafts.base import template_of
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.filling import fill
from vitruvian.explanation.llm.base import ModelSilent, Prompt
from vitruvian.explanation.narrate import Narrator
from vitruvian.explanation.wording.base import MemoryCache, Refused, Wording
from vitruvian.explanation.wording.patterns import sampled, spaced
from vitruvian.explanation.wording.phrases import phrases_of
from vitruvian.explanation.wording.read_back import read_back
from vitruvian.explanation.wording.tags import untagged
from vitruvian.explanation.wording.verifier import verify
from vitruvian.testing.liars import LIARS, Liar
from vitruvian.testing.lies import false_skeletons, lies

SEED: Final = 7
LIES_EACH: Final = 3  # claims of one shape that lies are told of
LIARS_PACKETS: Final = 40


class Said(msgspec.Struct, frozen=True):
    """A claim of a packet for a reader."""

    packet: Evidence
    audience: Audience
    claim: Claim
    draft: Skeleton

    def filled(self, skeleton: Skeleton) -> Sentence:
        """The sentence of a skeleton."""
        return fill(skeleton, self.claim, self.packet, self.audience, manner_of("en"))

    def verified(self, skeleton: Skeleton) -> bool:
        """Whether the verifier lets a skeleton through."""
        try:
            verify(skeleton, self.claim, self.draft, self.audience, "en")
        except Refused:
            return False
        return True

    def reads_back(self, text: str) -> bool:
        """Whether a displayed text reads back as the claim."""
        try:
            read_back(text, self.claim, self.packet, self.audience, "en")
        except Refused:
            return False
        return True


def claims(whole: list[Evidence]) -> Iterator[Said]:
    """Every claim of the packets, for both readers."""
    for packet in whole:
        for audience in AUDIENCES:
            for claim in plan_of(packet, audience):
                yield Said(packet, audience, claim, draft_of(claim, audience, "en"))


def another(one: Said, random: Random) -> Skeleton | None:
    """A wording of the phrase book that is built otherwise than the draft."""
    phrases = phrases_of(one.claim, one.draft, one.audience, "en")
    if not phrases.others:
        return None
    tokens = sampled(random.choice(phrases.others), random)
    text = spaced([phrases.tags[token[1:-1]] if token[0] == "{" else token for token in tokens])
    return untagged(text if text[0] == "<" else text[0].upper() + text[1:], one.claim)


def falsified(whole: list[Evidence], most: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """At most so many lies told of drafts and of other wordings, and how many passed; what is true and was refused."""
    random, told, passed = Random(SEED), Counter[str](), Counter[str]()
    seen: Counter[tuple[str, Audience]] = Counter()
    kinds, true, true_refused = set(), 0, 0
    for one in claims(whole):
        seen[one.claim.shape, one.audience] += 1
        if seen[one.claim.shape, one.audience] > LIES_EACH or told.total() >= most:
            continue
        kinds.add(one.claim.kind)
        for skeleton in filter(None, (one.draft, another(one, random))):
            sentence = one.filled(skeleton)
            true += 1
            true_refused += not (one.verified(skeleton) and one.reads_back(sentence.text))
            for kind, text in lies(sentence, one.packet, one.audience, random):
                told[f"text: {kind}"] += 1
                passed[f"text: {kind}"] += one.reads_back(text)
            for kind, false in false_skeletons(skeleton, random):
                told[f"skeleton: {kind}"] += 1
                passed[f"skeleton: {kind}"] += one.verified(false)
    rows = [{"lie": kind, "told": count, "passed": passed[kind]} for kind, count in sorted(told.items())]
    return {
        "lies": told.total(), "lies_passed": passed.total(), "claim_kinds": len(kinds),
        "true_sentences": true, "true_refused": true_refused,
    }, rows  # fmt: skip


def malicious(whole: list[Evidence]) -> dict[str, int]:
    """Models that lie, each in one way: sentences they answered, and those displayed otherwise than the draft."""
    answered = displayed = explanations = 0
    for lie in LIARS.values():
        model = Liar(lie)
        for packet in whole[:LIARS_PACKETS]:
            for audience in AUDIENCES:
                shown = Narrator(model, MemoryCache()).explain(packet, audience, wait=True).sentences
                own = drafted(packet, audience).sentences
                displayed += sum(a.text != b.text for a, b in zip(shown, own, strict=True))
                explanations += 1
        answered += model.asked
    return {"models": len(LIARS), "explanations": explanations, "answers": answered, "displayed": displayed}


class _Silent:
    """A language model that must not be asked: everything is kept."""

    name, digest, remote = "kept", "0" * 64, False

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        """Never: what is timed is what is kept."""
        raise ModelSilent(f"found a prompt of {len(prompt.user)} characters and {deadline_s} s, expected none")

    def close(self) -> None:
        """Nothing to let go of."""


def kept(whole: list[Evidence]) -> dict[str, float]:
    """Latency of whole explanations from kept wordings, as seen and as spent on a core; none was shown before.

    Verdicts of shapes are remembered, as in a service that has run for a while: a first round is not counted.
    """
    random, cache = Random(SEED), MemoryCache()
    narrator = Narrator(_Silent(), cache)
    for one in claims(whole):
        skeleton = another(one, random)
        if skeleton is not None:
            cache.put(narrator._key(one.claim, one.audience, "en"), Wording(template_of(skeleton)))
    rounds = [_round(narrator, whole) for _ in range(2)]
    first, (taken_s, spent_s) = rounds[0], rounds[1]
    return {
        **quantiles_ms(taken_s),
        **{f"cpu_{name}": value for name, value in quantiles_ms(spent_s).items()},
        "first_round_p95_ms": quantiles_ms(first[0])["p95_ms"],
        "first_round_cpu_p95_ms": quantiles_ms(first[1])["p95_ms"],
        "explanations": len(taken_s),
        "sentences_by_model": narrator.counts["model"] // 2,
        "machine_load": round(os.getloadavg()[0], 1),
    }


def _round(narrator: Narrator, whole: list[Evidence]) -> tuple[list[float], list[float]]:
    taken_s, spent_s = [], []
    for packet in whole:
        for audience in AUDIENCES:
            begun, begun_core = time.perf_counter(), time.process_time()
            narrator.explain(packet, audience)
            taken_s.append(time.perf_counter() - begun)
            spent_s.append(time.process_time() - begun_core)
    return taken_s, spent_s

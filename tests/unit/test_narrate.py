"""The narrator: what a model is sent, when it is asked, and what is noted of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from vitruvian.explanation.drafting import draft
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.llm.audit import AuditRecord
from vitruvian.explanation.llm.base import ModelSilent, Prompt
from vitruvian.explanation.narrate import Narrator
from vitruvian.explanation.wording.base import MemoryCache
from vitruvian.testing.packets import KINDS, packets


class Recording:
    """A model that remembers its prompts and answers by a rule."""

    name, digest, remote = "recording", "0" * 64, True

    def __init__(self, answer: Callable[[Prompt], str]) -> None:
        self.prompts: list[Prompt] = []
        self._answer = answer

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        self.prompts.append(prompt)
        return self._answer(prompt)

    def close(self) -> None:
        pass


class Notes:
    def __init__(self) -> None:
        self.kept: list[AuditRecord] = []

    def note(self, record: AuditRecord) -> None:
        self.kept.append(record)


def draft_again(prompt: Prompt) -> str:
    """The draft, tags and all: a wording that every rule takes."""
    return prompt.user.rsplit("Draft: ", 1)[1].removesuffix("\nSentence:")


def shown(evidence: Evidence) -> set[str]:
    """What of a packet stands in its sentences, as people read it; words short enough to be anywhere left out."""
    made = [draft(evidence, audience) for audience in ("clinician", "patient")]
    found = {
        one.text[cite.start : cite.end] for each in made for one in each.sentences for cite in one.cites
        if len(one.text[cite.start : cite.end]) > 6
    }  # fmt: skip
    return found - {"not measured recently"}  # a fact's words, and the draft's own


def some() -> list[Evidence]:
    return [packet for kind in KINDS for packet in packets(61, 3, kind)]


def test_skeletons_hold_nothing_of_a_packet() -> None:
    for packet in some():
        model, audit = Recording(draft_again), Notes()
        Narrator(model, audit=audit).explain(packet, wait=True)
        sent = " ".join(
            prompt.system + prompt.user.rsplit("Draft: ", 1)[1] + prompt.grammar for prompt in model.prompts
        )
        assert not [text for text in shown(packet) if text in sent]
        assert packet.patient == "" or packet.patient not in sent
        assert all(record.sent == "skeletons" and record.left for record in audit.kept)


def test_facts_are_sent_where_an_operator_says_so_and_never_kept() -> None:
    model, audit, cache = Recording(draft_again), Notes(), MemoryCache()
    packet = next(iter(packets(61, 1, "risk")))
    made = Narrator(model, cache, audit, send="facts").explain(packet, wait=True)
    assert any("<RISK> stands for: " in prompt.user for prompt in model.prompts)
    assert audit.kept and all(record.sent == "facts" for record in audit.kept)
    kept = " ".join(wording.template for wording in cache._kept.values())
    assert kept and not [text for text in shown(packet) if text in kept]
    assert made.text == Narrator(Recording(draft_again)).explain(packet, wait=True).text


def test_a_model_that_is_silent_changes_nothing_and_is_asked_within_the_deadline() -> None:
    def late(prompt: Prompt) -> str:
        time.sleep(0.9)
        raise ModelSilent("found no answer")

    packet = next(iter(packets(61, 1, "forecast")))
    narrator = Narrator(Recording(late), deadline_s=2.0)
    begun = time.monotonic()
    made = narrator.explain(packet, wait=True)
    assert time.monotonic() - begun < 10
    assert [one.text for one in made.sentences] == [one.text for one in draft(packet).sentences]
    assert made.status == "draft" and narrator.counts["refused:silent"] >= 1


def test_without_waiting_no_model_is_asked() -> None:
    model = Recording(draft_again)
    narrator = Narrator(model)
    packet = next(iter(packets(61, 1, "risk")))
    assert narrator.explain(packet).status == "draft" and not model.prompts
    assert narrator.lacks(packet)
    narrator.explain(packet, wait=True)
    asked = len(model.prompts)
    assert asked and not narrator.lacks(packet)
    assert narrator.explain(packet).status == "fluent" and len(model.prompts) == asked

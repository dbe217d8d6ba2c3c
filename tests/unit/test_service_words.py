"""The queue before the language model: drafts at once, the newest first, nothing waits for a slow or dying model."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from vitruvian.explanation import Evidence, Issued, draft, risk_evidence
from vitruvian.explanation.claims import Audience, Explanation
from vitruvian.explanation.llm.base import LanguageModel, Prompt
from vitruvian.explanation.narrate import Narrator
from vitruvian.service import words as words_module
from vitruvian.service.words import Home, Words

NOW_US = 1_767_258_000_000_000


class SlowModel:
    """A home of a model whose answers do not matter here."""

    name, digest, remote = "slow", "0" * 64, True
    closed = False

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        return ""

    def close(self) -> None:
        self.closed = True


class SlowNarrator:
    """Words each packet once `go` is set, and remembers in which order; `faults` of them fail."""

    def __init__(self) -> None:
        self.model: LanguageModel | None = SlowModel()
        self.counts: Counter[str] = Counter()
        self.go = threading.Event()
        self.begun = threading.Event()
        self.order: list[str] = []
        self.worded: set[str] = set()
        self.faults = 0

    def explain(
        self, evidence: Evidence, audience: Audience = "clinician", language: str = "en", *, wait: bool = False
    ) -> Explanation:
        if wait:
            self.begun.set()
            self.go.wait(10)
            self.order.append(evidence.patient)
            if self.faults:
                self.faults -= 1
                raise ValueError("a fault of the wording")
            self.worded.add(evidence.patient)
        return draft(evidence, audience, language)

    def lacks(self, evidence: Evidence, audience: Audience = "clinician", language: str = "en") -> bool:
        return evidence.patient not in self.worded


def packet(patient: str, probability: float = 0.2) -> Evidence:
    return risk_evidence(Issued("sepsis", 6.0, NOW_US, probability), {"heart_rate": 88.0}, {}, patient=patient)


@pytest.fixture
def narrator() -> Iterator[SlowNarrator]:
    made = SlowNarrator()
    yield made
    made.go.set()


def test_without_a_model_there_is_nothing_to_wait_for() -> None:
    words = Words(Narrator())
    shown = words.shown(packet("a"), "clinician", "en")
    assert shown.explanation == draft(packet("a"))
    assert not shown.pending
    assert words.wanted(packet("a"), "clinician", "en") is None
    assert words.status().home == "none"
    assert words.status().sent == "nothing"


def test_the_draft_is_there_while_the_model_works(narrator: SlowNarrator) -> None:
    words = Words(narrator)
    began_s = time.perf_counter()
    for number in range(20):
        assert words.shown(packet(f"p{number}"), "clinician", "en").pending
    assert time.perf_counter() - began_s < 1.0
    narrator.go.set()
    coming = words.wanted(packet("p3"), "clinician", "en")
    assert coming is None or coming.result(10) is not None
    words.close()


def test_the_newest_is_served_first_and_the_same_thing_waits_once(narrator: SlowNarrator) -> None:
    words = Words(narrator)
    words.shown(packet("first"), "clinician", "en")
    assert narrator.begun.wait(5)
    for name in ("a", "b", "a", "c"):
        words.shown(packet(name), "clinician", "en")
    older = words.wanted(packet("b", 0.21), "clinician", "en")
    newer = words.wanted(packet("b", 0.22), "clinician", "en")
    assert older is newer
    assert words.status().waiting == 3
    narrator.go.set()
    for name in ("first", "a", "b", "c"):
        coming = words.wanted(packet(name), "clinician", "en")
        if coming is not None:
            coming.result(10)
    deadline_s = time.monotonic() + 10
    while len(narrator.order) < 4 and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert narrator.order == ["first", "b", "c", "a"]


def test_the_queue_is_bounded_and_the_oldest_keeps_its_draft(narrator: SlowNarrator) -> None:
    words = Words(narrator)
    words.shown(packet("first"), "clinician", "en")
    assert narrator.begun.wait(5)
    oldest = words.wanted(packet("oldest"), "clinician", "en")
    for number in range(3 * words_module.WAITING_MAX):
        words.shown(packet(f"p{number}"), "clinician", "en")
    assert words.status().waiting == words_module.WAITING_MAX
    assert oldest is not None
    assert oldest.result(0) is None
    assert words.status().dropped == 2 * words_module.WAITING_MAX + 1


def test_what_waited_too_long_is_dropped_and_not_asked(narrator: SlowNarrator) -> None:
    now = [0.0]
    words = Words(narrator, monotonic=lambda: now[0])
    words.shown(packet("first"), "clinician", "en")
    assert narrator.begun.wait(5)
    stale = words.wanted(packet("stale"), "clinician", "en")
    now[0] = words_module.STALE_S + 1
    narrator.go.set()
    assert stale is not None
    assert stale.result(10) is None
    assert narrator.order == ["first"]


def test_a_fault_of_the_wording_costs_fluency_only(narrator: SlowNarrator) -> None:
    narrator.faults = 1
    narrator.go.set()
    words = Words(narrator)
    coming = words.wanted(packet("a"), "clinician", "en")
    assert coming is not None
    assert coming.result(10) is None
    shown = words.shown(packet("a"), "clinician", "en")
    assert shown.explanation == draft(packet("a"))
    assert not shown.pending, "what just failed is not asked again at once"
    other = words.wanted(packet("b"), "clinician", "en")
    assert other is not None
    assert other.result(10) is not None, "the thread lives on"


def test_a_fault_after_the_wording_does_not_end_the_thread(
    narrator: SlowNarrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = narrator.lacks

    def fails_once(evidence: Evidence, audience: Audience = "clinician", language: str = "en") -> bool:
        if evidence.patient in narrator.worded and evidence.patient == "a":
            raise ValueError("a fault of the plan")
        return real(evidence, audience, language)

    monkeypatch.setattr(narrator, "lacks", fails_once)
    narrator.go.set()
    words = Words(narrator)
    first = words.wanted(packet("a"), "clinician", "en")
    assert first is not None and first.result(10) is not None
    then = words.wanted(packet("b"), "clinician", "en")
    assert then is not None and then.result(10) is not None
    words.close()


def test_whoever_leaves_takes_nothing_from_the_others(narrator: SlowNarrator) -> None:
    words = Words(narrator)
    coming = words.wanted(packet("a"), "clinician", "en")
    assert coming is not None
    assert not coming.cancel()
    narrator.go.set()
    assert coming.result(10) is not None


def test_closing_answers_whoever_waits_and_closes_the_model(narrator: SlowNarrator) -> None:
    words = Words(narrator, Home("openai", "facts", 5.0, lambda: "abc"))
    told = words.status()
    assert (told.home, told.sent, told.remote, told.audit_head, told.deadline_s) == (
        "openai",
        "facts",
        True,
        "abc",
        5.0,
    )
    words.shown(packet("first"), "clinician", "en")
    assert narrator.begun.wait(5)
    waiting = words.wanted(packet("a"), "clinician", "en")
    words.close()
    words.close()
    assert waiting is not None
    assert waiting.result(0) is None
    assert isinstance(narrator.model, SlowModel)
    assert narrator.model.closed
    assert not words.shown(packet("b"), "clinician", "en").pending

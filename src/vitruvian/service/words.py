"""Explanations as the service gives them: the draft at once, and a thread of its own that asks the language model.

What the model words is kept by the narrator by shape, so that the next one who asks for anything alike gets it at once.
The queue is short. The newest request is served first, since somebody looks at it now; a request of the same thing
replaces the older one; what has waited too long is dropped, and its draft stands. Nothing else waits for the model.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Protocol

import msgspec

from vitruvian.explanation.claims import Audience, Explanation
from vitruvian.explanation.evidence.base import Evidence
from vitruvian.explanation.llm.base import DEADLINE_S, LanguageModel
from vitruvian.service.explain_views import StatusView

__all__ = ["Home", "Narrates", "Shown", "Words"]

log = logging.getLogger(__name__)
WAITING_MAX: Final = 32
STALE_S: Final = 45.0  # who asked that long ago looks elsewhere by now
AGAIN_S: Final = 60.0  # before a model that did not answer is asked for the same thing
TRIED_MAX: Final = 512
CLOSE_S_MAX: Final = 5.0


class Narrates(Protocol):
    """Whatever words a packet; `explanation.narrate.Narrator` is the real one."""

    counts: Counter[str]
    model: LanguageModel | None

    def explain(
        self, evidence: Evidence, audience: Audience = "clinician", language: str = "en", *, wait: bool = False
    ) -> Explanation:
        """As it can be had now; with `wait`, the model is asked for what it lacks."""
        ...

    def lacks(self, evidence: Evidence, audience: Audience = "clinician", language: str = "en") -> bool:
        """Whether a model is there and has something of it still to word."""
        ...


@dataclass(frozen=True, slots=True)
class Home:
    """Where the language model lives, as an operator knows it: `none`, `embedded`, `openai`, `transformers`; what of a
    prompt it is sent; what the audit's hash chain ends in, empty where none is kept; and what is let go of at the end.
    """

    name: str = "own"
    sent: str = "skeletons"
    deadline_s: float = DEADLINE_S
    audit_head: Callable[[], str] = lambda: ""
    closing: tuple[Callable[[], None], ...] = ()


class Shown(msgspec.Struct, frozen=True):
    """An explanation, what it rests on, and whether better words are on their way."""

    explanation: Explanation
    evidence: Evidence
    pending: bool


@dataclass(slots=True)
class _Job:
    evidence: Evidence
    audience: Audience
    language: str
    asked_s: float
    done: Future[Explanation | None] = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.done.set_running_or_notify_cancel()  # whoever waits may leave; that must not take it from the others


class Words:
    """See the module. Thread-safe; the thread is started by the first request that needs it."""

    def __init__(
        self, narrator: Narrates, home: Home | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._narrator, self._home, self._monotonic = narrator, home or Home(), monotonic
        self._jobs: OrderedDict[str, _Job] = OrderedDict()
        self._tried: OrderedDict[str, float] = OrderedDict()
        self._running: tuple[str, _Job] | None = None
        self._state = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False
        self.counts: Counter[str] = Counter()

    @property
    def deadline_s(self) -> float:
        """How long the model may take over one explanation."""
        return self._home.deadline_s

    def shown(self, evidence: Evidence, audience: Audience, language: str) -> Shown:
        """The explanation as it can be had now; where a model may do better, it is asked to, and this says so."""
        said = self._narrator.explain(evidence, audience, language)
        return Shown(said, evidence, self.wanted(evidence, audience, language) is not None)

    def status(self) -> StatusView:
        """Where the language model lives, what became of its sentences, and what waits. No patient's data."""
        model = self._narrator.model
        counts = dict(self._narrator.counts)
        with self._state:
            waiting, running = len(self._jobs), self._running is not None
        return StatusView(
            home=self._home.name if model is not None else "none",
            model=model.name if model is not None else "",
            remote=model is not None and model.remote,
            sent=self._home.sent if model is not None else "nothing",
            deadline_s=self._home.deadline_s,
            accepted=counts.get("model", 0),
            drafts=counts.get("draft", 0),
            refused={name.removeprefix("refused:"): n for name, n in counts.items() if name.startswith("refused:")},
            waiting=waiting,
            running=running,
            worked=self.counts["worked"],
            dropped=self.counts["dropped"],
            audit_head=self._home.audit_head(),
        )

    def close(self) -> None:
        """Ask nobody any more; who waits gets the draft. Idempotent."""
        with self._state:
            if self._closed:
                return
            self._closed = True
            waiting, self._jobs = list(self._jobs.values()), OrderedDict()
            self._state.notify_all()
        for job in waiting:
            job.done.set_result(None)
        if self._narrator.model is not None:
            self._narrator.model.close()
        if self._thread is not None:
            self._thread.join(CLOSE_S_MAX)
        for close in self._home.closing:
            close()

    # --- the queue -----------------------------------------------------------

    def wanted(self, evidence: Evidence, audience: Audience, language: str) -> Future[Explanation | None] | None:
        """What the model makes of it, once it has; None where there is nothing to wait for. The future's None: dropped,
        the draft stands.
        """
        if not self._narrator.lacks(evidence, audience, language):
            return None
        # One patient's packet of one kind is renewed by the next one; what is of nobody is told apart by its contents.
        about = evidence.facts[0].name if evidence.facts else ""
        key = "|".join((evidence.patient or evidence.digest, evidence.kind, about, audience, language))
        now_s = self._monotonic()
        with self._state:
            if self._closed:
                return None
            if self._running is not None and self._running[0] == key:
                return self._running[1].done
            tried_s = self._tried.get(key)
            if tried_s is not None and now_s - tried_s < AGAIN_S:
                return None
            return self._enqueue(key, _Job(evidence, audience, language, now_s))

    def _enqueue(self, key: str, job: _Job) -> Future[Explanation | None]:
        before = self._jobs.pop(key, None)
        if before is not None:
            job.done = before.done  # whoever waited for the older packet is served by the newer one
        self._jobs[key] = job
        if len(self._jobs) > WAITING_MAX:
            _, oldest = self._jobs.popitem(last=False)
            self._drop(oldest)
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="words", daemon=True)
            self._thread.start()
        self._state.notify_all()
        return job.done

    def _drop(self, job: _Job) -> None:
        self.counts["dropped"] += 1
        job.done.set_result(None)

    def _next(self) -> tuple[str, _Job] | None:
        """The newest request, once there is one; None at the end."""
        with self._state:
            while True:
                while self._jobs:
                    key, job = self._jobs.popitem(last=True)
                    if self._monotonic() - job.asked_s <= STALE_S:
                        self._running = key, job
                        return key, job
                    self._drop(job)
                if self._closed:
                    return None
                self._state.wait()

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            key, job = taken
            made: Explanation | None = None
            lacking = True
            try:
                made = self._narrator.explain(job.evidence, job.audience, job.language, wait=True)
                lacking = self._narrator.lacks(job.evidence, job.audience, job.language)
            except Exception:  # a fault of the wording costs fluency; the draft is shown
                log.exception("a wording failed")
            with self._state:
                self._running = None
                self.counts["worked"] += 1
                if lacking:  # silent, busy or failing: not again at once
                    self._tried[key] = self._monotonic()
                while len(self._tried) > TRIED_MAX:
                    self._tried.popitem(last=False)
            job.done.set_result(made)

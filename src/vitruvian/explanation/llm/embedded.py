"""The embedded home: weights on this machine, held by a child process that may die, hang or talk nonsense.

It is started when it is first asked, with as many threads as the machine has to spare, and ended when nobody has
asked for some minutes. One that fails is started again after a pause that doubles, a limited number of times in a row;
then it rests for an hour. What no new start can mend is given up at once.
"""

from __future__ import annotations

import math
import os
import threading
import time
from pathlib import Path
from typing import Final

from vitruvian.explanation.llm.base import ModelBusy, ModelSilent, Prompt
from vitruvian.explanation.llm.child import Answer
from vitruvian.explanation.llm.process import ChildLost, ModelProcess

__all__ = ["CONTEXT_TOKENS", "EmbeddedModel", "cores", "threads_to_spare"]

CONTEXT_TOKENS: Final = 2048
LOAD_DEADLINE_S: Final = 60.0
IDLE_S: Final = 300.0
STARTS_MAX: Final = 8  # in a row without one answer, before it is let rest
PAUSE_S: Final = 1.0  # after the first failure; it doubles with each
PAUSE_MAX_S: Final = 120.0
REST_S: Final = 3_600.0
_THREADS_MAX: Final = 8  # more do not help models of a few billion parameters
_LOAD_MAX: Final = 3.0  # runnable processes a core, above which nothing is started


def threads_to_spare(cores: int, load: float) -> int:
    """Threads for the model on a machine of so many cores with this load (runnable processes, mean of a minute).

    One core stays the ward's, and what others fill is left to them: llama.cpp's threads wait for one another at every
    step, so that one too many on busy cores costs far more than it brings (measured: docs/language_models.md). 0 where
    the machine is too loaded to start at all.
    """
    if load > _LOAD_MAX * cores:
        return 0
    return max(1, min(_THREADS_MAX, cores - 1, math.floor(cores - load)))


def cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


DIED_BEFORE_S: Final = 0.5  # a child lost so soon after it was asked had died before


class EmbeddedModel:
    """A GGUF model in a child process (see LanguageModel). Nothing is started until it is asked."""

    remote: Final = False

    def __init__(
        self,
        name: str,
        weights: Path,
        sha256: str,
        *,
        threads: int | None = None,
        load_deadline_s: float = LOAD_DEADLINE_S,
        idle_s: float = IDLE_S,
        pause_s: float = PAUSE_S,
        engine: str = "",
    ) -> None:
        """`weights`: the GGUF file, `sha256` what it must have. `threads`: None chooses by the machine's load.

        `engine`: a `module:factory` of child.Engine in place of llama.cpp.
        """
        self._name, self._weights, self._sha256, self._engine = name, weights, sha256, engine
        self._threads, self._load_deadline_s, self._idle_s, self._pause_s = threads, load_deadline_s, idle_s, pause_s
        self._lock = threading.Lock()
        self._child: ModelProcess | None = None
        self._failures = 0
        self._lost: ChildLost | None = None
        self._not_before_s = 0.0
        self._used_s = 0.0
        self._closed = False
        self._watch: threading.Timer | None = None

    @property
    def name(self) -> str:
        """What the weights are called."""
        return self._name

    @property
    def digest(self) -> str:
        """SHA-256 of the weights."""
        return self._sha256

    @property
    def pid(self) -> int | None:
        """The child's number, None while there is none."""
        child = self._child
        return None if child is None else child.pid

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        """The answer, unverified. Raises ModelBusy where another is being written, ModelSilent for all else."""
        return self.answer(prompt, deadline_s).text

    def answer(self, prompt: Prompt, deadline_s: float) -> Answer:
        """As `complete`, with the tokens and seconds it took."""
        until_s = time.monotonic() + deadline_s
        if not self._lock.acquire(timeout=max(0.0, deadline_s)):
            raise ModelBusy("the language model is writing another answer")
        try:
            answer = self._asked_again(prompt, until_s) if self._idle_child() else None
            if answer is None:
                answer = self._asked(prompt, until_s)
            self._failures = 0
            return answer
        finally:
            self._used_s = time.monotonic()
            self._lock.release()

    def _idle_child(self) -> bool:
        """Whether there is a child that has answered before."""
        return self._child is not None and self._child.ready is not None

    def _asked_again(self, prompt: Prompt, until_s: float) -> Answer | None:
        """The answer of a child that worked before; None where it turns out to have died since, which is no fault of
        this question: a killed process is not known to be dead at once, and the next takes its place.
        """
        begun_s = time.monotonic()
        try:
            return self._running().ask(prompt, until_s)
        except ChildLost as lost:
            if time.monotonic() - begun_s > DIED_BEFORE_S:
                self._bury(lost)
                raise
            if self._child is not None:
                self._child.kill()
                self._child = None
            return None

    def _asked(self, prompt: Prompt, until_s: float) -> Answer:
        try:
            child = self._running()
            child.wait_ready(until_s)
            return child.ask(prompt, until_s)
        except ChildLost as lost:
            self._bury(lost)
            raise

    def close(self) -> None:
        """End the child and take no more questions; idempotent. Whoever waits for an answer gets ModelSilent."""
        self._closed = True
        child = self._child
        if child is not None:
            child.stop()
        with self._lock:
            if self._watch is not None:
                self._watch.cancel()
            if self._child is not None:
                self._child.kill()
                self._child = None

    def _running(self) -> ModelProcess:
        """The child, started where there is none. Raises ModelSilent where it may not be."""
        if self._closed:
            raise ModelSilent("the language model was closed")
        if self._child is not None and (self._child.alive or self._child.ready is None):
            return self._child
        if self._child is not None:  # it worked, and died with nothing to do: the next takes its place at once
            self._child.kill()
            self._child = None
        if self._lost is not None and self._lost.lasting:
            raise ModelSilent(f"the language model is given up: {self._lost}")
        if time.monotonic() < self._not_before_s:
            raise ModelSilent(f"the language model failed and waits before it is started again: {self._lost}")
        threads = self._threads or threads_to_spare(cores(), os.getloadavg()[0])
        if threads == 0:
            raise ModelBusy("the machine is too loaded to start a language model")
        self._child = ModelProcess(
            self._weights,
            self._sha256,
            threads=threads,
            context_tokens=CONTEXT_TOKENS,
            load_deadline_s=self._load_deadline_s,
            engine=self._engine,
        )
        self._look_later(self._idle_s)
        return self._child

    def _bury(self, lost: ChildLost) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._lost = lost
        self._failures += 1
        pause_s = min(PAUSE_MAX_S, self._pause_s * 2 ** (self._failures - 1))
        self._not_before_s = time.monotonic() + (pause_s if self._failures < STARTS_MAX else REST_S)

    def _look_later(self, in_s: float) -> None:
        """Look, after so long, whether the child has been idle long enough to be ended. One looks at a time: a child
        that is started anew brings its own.
        """
        if self._watch is not None:
            self._watch.cancel()
        self._watch = threading.Timer(in_s, self._look)
        self._watch.daemon = True
        self._watch.start()

    def _look(self) -> None:
        with self._lock:
            if self._child is None or self._closed or threading.current_thread() is not self._watch:
                return
            left_s = self._used_s + self._idle_s - time.monotonic()
            if left_s > 0:
                self._look_later(left_s)
                return
            self._child.kill()
            self._child = None

"""A shadow model: scored on the batches that the champion scores, never shown as the risk, compared all the time.

It works on a thread of its own, behind a short queue, for a bounded share of the time. Where it is slow, batches are
dropped and counted; where it fails again and again it is stopped. The champion waits for none of that.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.serve.states import States

__all__ = ["Disagreement", "ShadowBatch", "Shadows"]

log = logging.getLogger(__name__)
Floats = NDArray[np.float64]
WAITING_MAX: Final = 4  # batches; more are dropped
SHARE_MAX: Final = 0.25  # of a core's time
FAILED_MAX: Final = 5  # in a row; then the shadow is stopped
LAST: Final = 20


@dataclass(frozen=True, slots=True)
class ShadowBatch:
    """What a champion scored, with what its shadow needs to score it too: features (n, F) by `names`, hours, `keys`
    (n,), hours observed; and the champion's probabilities (n,), NaN where nothing was said.
    """

    task: str
    shadow: Predictor
    champion: Predictor
    values: NDArray[np.float32]
    names: tuple[str, ...]
    window: NDArray[np.float32] | None
    keys: NDArray[np.int64]
    observed_h: Floats
    probability: Floats
    now_us: int


@dataclass(slots=True)
class Disagreement:
    """How two models differed since both run. Counts are of scores: `compared` by both; said by one of them only;
    over their own thresholds both, one, or neither. `last`: (instant, champion's, shadow's) of the newest.
    """

    champion: str
    shadow: str
    thresholds: tuple[float, float]
    compared: int = 0
    said_by_one: int = 0
    both: int = 0
    champion_only: int = 0
    shadow_only: int = 0
    sum_difference: float = 0.0
    sum_distance: float = 0.0
    distance_max: float = 0.0
    dropped: int = 0
    failed: int = 0
    stopped: str = ""
    seconds: float = 0.0
    last: deque[tuple[int, float, float]] = field(default_factory=lambda: deque(maxlen=LAST))

    def take(self, champion: Floats, shadow: Floats, now_us: int) -> None:
        """Compare probabilities (n,) of the same rows; NaN where nothing was said."""
        told = np.isfinite(champion), np.isfinite(shadow)
        self.said_by_one += int((told[0] != told[1]).sum())
        mine, theirs = champion[told[0] & told[1]], shadow[told[0] & told[1]]
        if not mine.size:
            return
        over = mine >= self.thresholds[0], theirs >= self.thresholds[1]
        self.compared += mine.size
        self.both += int((over[0] & over[1]).sum())
        self.champion_only += int((over[0] & ~over[1]).sum())
        self.shadow_only += int((~over[0] & over[1]).sum())
        distance = np.abs(theirs - mine)
        self.sum_difference += float((theirs - mine).sum())
        self.sum_distance += float(distance.sum())
        self.distance_max = max(self.distance_max, float(distance.max()))
        worst = int(distance.argmax())
        self.last.append((now_us, float(mine[worst]), float(theirs[worst])))

    def told(self) -> dict[str, object]:
        """As operators and the log see it; no patient is named."""
        most = max(self.compared, 1)
        return {
            "champion": self.champion,
            "shadow": self.shadow,
            "compared": self.compared,
            "said_by_one": self.said_by_one,
            "over_both": self.both,
            "over_champion_only": self.champion_only,
            "over_shadow_only": self.shadow_only,
            "over_neither": self.compared - self.both - self.champion_only - self.shadow_only,
            "mean_difference": round(self.sum_difference / most, 6),
            "mean_distance": round(self.sum_distance / most, 6),
            "max_distance": round(self.distance_max, 6),
            "dropped": self.dropped,
            "failed": self.failed,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 3),
        }


class Shadows:
    """Scores what it is offered. `offer` never waits; `told` may be called by any thread.

    `share_max`: of a core's time that scoring may take. `ended(task, told)` hears of a comparison that is over, since
    one of the two models was exchanged.
    """

    def __init__(
        self, share_max: float = SHARE_MAX, ended: Callable[[str, dict[str, object]], None] | None = None
    ) -> None:
        self._share, self._ended = share_max, ended
        self._waiting: queue.Queue[ShadowBatch | None] = queue.Queue(WAITING_MAX)
        self._lock = threading.Lock()
        self._found: dict[str, tuple[tuple[Predictor, Predictor], Disagreement]] = {}
        self._states: dict[str, tuple[Predictor, States]] = {}
        self._failed_in_a_row: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def offer(self, batch: ShadowBatch) -> bool:
        """Score this when there is time; whether it was taken."""
        found = self._of(batch)
        if found.stopped or self._stop.is_set():
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait(batch)
        except queue.Full:
            self.drop(batch.task, len(batch.keys))
            return False
        return True

    def drop(self, task: str, rows: int) -> None:
        """So many rows were not scored, for want of time."""
        with self._lock:
            if task in self._found:
                self._found[task][1].dropped += rows

    def told(self, task: str) -> dict[str, object] | None:
        """How a task's shadow differs from its champion; None where none was offered anything."""
        with self._lock:
            found = self._found.get(task)
            return None if found is None else found[1].told()

    def last(self, task: str) -> list[tuple[int, float, float]]:
        """The newest comparisons, the one that differed most of each batch: (instant, champion's, shadow's)."""
        with self._lock:
            found = self._found.get(task)
            return [] if found is None else list(found[1].last)

    def settle(self, wait_s: float = 5.0) -> bool:
        """Wait until all that was offered is scored; whether it is. For tests and for stopping."""
        until = time.monotonic() + wait_s
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.005)
        return not self._waiting.unfinished_tasks

    def close(self) -> None:
        """Stop the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5.0)

    def _of(self, batch: ShadowBatch) -> Disagreement:
        """The comparison of these two models; a new one where one of them is new."""
        pair = (batch.champion, batch.shadow)
        with self._lock:
            before = self._found.get(batch.task)
            if before is not None and before[0] == pair:
                return before[1]
            names = (batch.champion.version, batch.shadow.version)
            made = Disagreement(*names, (batch.champion.threshold, batch.shadow.threshold))
            self._found[batch.task] = (pair, made)
            self._failed_in_a_row[batch.task] = 0
        if before is not None and self._ended is not None:
            self._ended(batch.task, before[1].told())
        return made

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                batch = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            assert batch is not None
            began = time.perf_counter()
            self._score(batch)
            took_s = time.perf_counter() - began
            self._waiting.task_done()
            self._stop.wait(min(took_s * (1.0 / self._share - 1.0), 5.0))

    def _score(self, batch: ShadowBatch) -> None:
        with self._lock:
            pair, found = self._found[batch.task]
        if found.stopped or pair != (batch.champion, batch.shadow):  # exchanged while it waited
            return
        began = time.perf_counter()
        try:
            told = batch.shadow.predict(
                batch.values, batch.names, batch.window, keys=batch.keys, states=self._states_of(batch),
                observed_h=batch.observed_h,
            )  # fmt: skip
        except Exception as error:
            self._failed(batch.task, found, error)
            return
        with self._lock:
            self._failed_in_a_row[batch.task] = 0
            found.seconds += time.perf_counter() - began
            found.take(batch.probability, told.probability, batch.now_us)

    def _failed(self, task: str, found: Disagreement, error: Exception) -> None:
        with self._lock:
            found.failed += 1
            self._failed_in_a_row[task] += 1
            if self._failed_in_a_row[task] >= FAILED_MAX:
                found.stopped = f"failed {FAILED_MAX} times in a row: {error}"
        log.error("the shadow of %s failed: %s", task, error)

    def _states_of(self, batch: ShadowBatch) -> States:
        kept = self._states.get(batch.task)
        if kept is None or kept[0] is not batch.shadow:
            kept = self._states[batch.task] = (batch.shadow, batch.shadow.new_states())
        return kept[1]

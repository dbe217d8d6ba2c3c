"""The bodies of the ward's patients, kept up in a thread of their own: what it takes from the ward, and when it works.

Bodies lag behind the signals by up to a tick and a look; nothing else waits for them. The first compilation, and the
folding of what came before the start, happen here too, behind the running ward.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, Literal

import numpy as np

from vitruvian.core.time import Clock
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.estimation import Filter
from vitruvian.journal import Commit, Journal
from vitruvian.journal import Patient as Known
from vitruvian.physiology.person import Person
from vitruvian.physiology.trajectories import Trajectories
from vitruvian.service.board import Board
from vitruvian.twin import Twins
from vitruvian.twin.bodies import Bodies, Estimate, Posterior, Who
from vitruvian.twin.body_snapshots import NAME, open_bodies, snapshot

log = logging.getLogger(__name__)

TICKS_A_LOOK: Final = 512  # patient-ticks folded between two glances at whether to stop
YEAR_US: Final = 365.2425 * 86_400e6
# Where height or weight were never measured: means of adults in the United States (NHANES 2015-2018, Fryar 2021).
USUAL: Final[Mapping[str, tuple[float, float]]] = {"male": (175.3, 90.6), "female": (161.3, 77.5)}
SAVE_WAIT_S: Final = 2.0
# As long as height and weight change by no more than this, a body stays: it was folded for hours.
WEIGHT_CHANGE_MAX: Final = 0.1
HEIGHT_CHANGE_CM_MAX: Final = 3.0
_HEIGHT, _WEIGHT = VOCABULARY["body_height"].index, VOCABULARY["body_weight"].index


class BodyKeeper:
    """Folds everyone on the ward in turn. `note` may be called by any thread; `look` and `save` take turns."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        twins: Twins,
        board: Board,
        one: Callable[[], Filter],
        most: int,
        lock: threading.RLock | None = None,
    ) -> None:
        self._journal, self._clock, self._twins, self._board, self._filter = journal, clock, twins, board, one
        self._most, self._lock = most, lock or threading.RLock()
        self._known: dict[int, Who] = {}
        self._noted: deque[Commit] = deque()
        self._seq = journal.last_seq()
        self._stop = threading.Event()
        self._working = threading.Lock()
        self._warm = False
        self.bodies: Bodies | None = None
        self.left_out: dict[int, str] = {}
        self.counts = {"ticks": 0, "seconds": 0.0}

    def note(self, commit: Commit) -> None:
        """A commit was applied to the twins."""
        self._noted.append(commit)

    def stop(self) -> None:
        """Let a look in progress end soon."""
        self._stop.set()

    def look(self) -> None:
        """Fold whoever is behind, until nobody is."""
        with self._working:
            self._look()

    def _look(self) -> None:
        bodies = self._open()
        seq = self._seq
        while self._noted:
            commit = self._noted.popleft()
            bodies.note(commit)
            seq = max(seq, commit.last_seq)
        now_us = self._clock.now_us()
        with self._lock:  # the follower's: who lies here and what was measured of them, at one moment
            patients = self._patients(now_us)
        bodies.keep_only(patients)
        while not self._stop.is_set():
            began = time.perf_counter()
            done = bodies.advance(patients, now_us, TICKS_A_LOOK)
            self.counts["ticks"] += done
            self.counts["seconds"] += time.perf_counter() - began
            if done < TICKS_A_LOOK:
                break
        self._seq = seq
        if not self._warm and bodies.pids:
            self._warm = True  # the first forecast compiles the implicit stepper: here, and not under somebody's click
            bodies.forecast(bodies.pids[0], 600.0)

    def _open(self) -> Bodies:
        if self.bodies is None:
            made = Bodies(self._journal, self._filter())
            open_bodies(made, self._journal)
            self.bodies = made
        return self.bodies

    def _patients(self, now_us: int) -> dict[int, Who]:
        found: dict[int, Who] = {}
        before, self._known = self._known, found
        self.left_out = {}
        for pid in self._board.on_ward(self._twins, now_us):
            if pid not in self._twins:
                continue
            who = self._who(self._board.patient(pid), now_us)
            if isinstance(who, str):
                self.left_out[pid] = who
            elif len(found) >= self._most:
                self.left_out[pid] = f"bodies are kept for {self._most} patients"
            else:
                known = before.get(pid)
                found[pid] = known if known is not None and _same(known, who) else who
        return found

    def _who(self, patient: Known, now_us: int) -> Who | str:
        """Whose body it is; or why there can be none."""
        person = patient.person
        if person is None or person.birth_us is None:
            return "the birth date is not known"
        if person.sex not in ("male", "female"):
            return "the sex is not known to be male or female, and the equations know no other"
        age_years = float(int((now_us - person.birth_us) / YEAR_US))
        sex: Literal["male", "female"] = "male" if person.sex == "male" else "female"
        row = int(self._twins.rows([patient.pid])[0])
        seen = self._twins.tracker.last_value[row]
        height_cm, weight_kg = USUAL[sex]
        height_cm = float(seen[_HEIGHT]) if 20 <= seen[_HEIGHT] <= 260 else height_cm
        weight_kg = float(seen[_WEIGHT]) if 0.3 <= seen[_WEIGHT] <= 400 else weight_kg
        if age_years < 16 and not np.isfinite(seen[_WEIGHT]):
            return "a child's weight is not known"
        return Who(patient.id, Person(min(max(age_years, 0.0), 120.0), sex, height_cm, weight_kg))

    def save(self) -> float:
        """Keep the bodies beside the log; the seconds it took."""
        if not self._working.acquire(timeout=SAVE_WAIT_S):
            return 0.0  # bodies are being folded from far back: the next save will find them
        began = time.perf_counter()
        try:
            if self.bodies is None:
                return 0.0
            seq, blob = self._seq, snapshot(self.bodies)
        finally:
            self._working.release()
        self._journal.save_snapshot(NAME, seq, blob)
        return time.perf_counter() - began

    # --- what is asked -------------------------------------------------------

    def posterior(self, pid: int) -> Posterior | None:
        """See `Bodies.posterior`."""
        return None if self.bodies is None else self.bodies.posterior(pid)

    def estimates(self, pid: int) -> list[Estimate]:
        """See `Bodies.estimates`."""
        return [] if self.bodies is None else self.bodies.estimates(pid)

    def forecast(self, pid: int, horizon_s: float, every_s: float = 300.0) -> Trajectories | None:
        """See `Bodies.forecast`."""
        return None if self.bodies is None else self.bodies.forecast(pid, horizon_s, every_s)


def _same(known: Who, now: Who) -> bool:
    """Whether the body of `known` may stay that of `now`."""
    before, after = known.person, now.person
    return (
        (known.id, before.sex, before.age_years) == (now.id, after.sex, after.age_years)
        and abs(after.weight_kg / before.weight_kg - 1) <= WEIGHT_CHANGE_MAX
        and abs(after.height_cm - before.height_cm) <= HEIGHT_CHANGE_CM_MAX
    )

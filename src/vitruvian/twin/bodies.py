"""A personalised body for each patient: an ensemble that follows the measurements, tick by tick.

A body is a fold over the patient's series on the model's grid: what was measured within a tick is averaged and
assimilated at its end, what is being given acts from the tick after it was recorded. Noise is counter-based, so that a
body folded live, from a snapshot or anew is the same to the last bit. A value that arrives late, within a tick already
folded, takes the body back to an hourly anchor before it, or to its beginning.

A body begins with the first measurement after a gap of `GAP_US`; one that is folded anew begins at most `BACK_US` back:
by then its filter has long forgotten. Cost: members x time for each patient; all patients at the same tick are stepped
in one compiled call.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.time import DAY_US, HOUR_US, SECOND_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.estimation import Belief, Filter, begin, forecast, key_of, step_many
from vitruvian.estimation.enkf import Report
from vitruvian.estimation.health import health
from vitruvian.estimation.square_root import USED
from vitruvian.physiology.base import Model
from vitruvian.physiology.person import Person
from vitruvian.physiology.run import observe
from vitruvian.physiology.trajectories import Trajectories
from vitruvian.twin.body_data import Given, Taps, taps
from vitruvian.twin.ports import Commit, JournalReader

__all__ = ["Bodies", "Estimate", "Posterior", "Who"]

Floats = NDArray[np.float64]

GAP_US: Final = 6 * HOUR_US
BACK_US: Final = 2 * DAY_US
ANCHOR_TICKS: Final = 60
ANCHORS_MAX: Final = 4
LEARNING_TICKS: Final = 15  # fewer minutes with data than this say little of a person
LATE_US: Final = 10 * SECOND_US  # a tick is closed this long after its end
FAR_US: Final = 12 * HOUR_US  # with nothing measured for so long, a body stands still


class Who(NamedTuple):
    """Whose body it is: the public identifier (it keys the noise) and what the model must know of the person."""

    id: str
    person: Person


@dataclass(frozen=True)
class Posterior:
    """One patient's body now: what is believed, and what was believed before any measurement, on the same draws.

    states (M, S), parameters (M, P), prior (M, P), prior_states (M, S), u (U,) what is being done now and goes on (not
    what is left of a volume). status: "tracking", "strained", "blind" or "lost" as `estimation.health` has it,
    "learning" (too few data yet) or "outside" (of the model's domain), with its `reason`.
    """

    model: Model
    person: Person
    at_us: int
    states: Floats
    parameters: Floats
    prior: Floats
    prior_states: Floats
    u: Floats
    status: str
    reason: str
    updates: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated quantity: median, 50 and 90 % interval, the prior's 90 % interval, and `from_data`, the share of
    the prior's variance that the patient's own data have taken away (0 to 1).
    """

    name: str
    unit: str
    median: float
    low: float
    high: float
    low50: float
    high50: float
    prior_low: float
    prior_high: float
    from_data: float


@dataclass(frozen=True)
class Fold:
    """A body at the start of a tick. Never changed, so that it may be shared with anchors and readers."""

    belief: Belief
    given: Given
    updates: int = 0
    heard_tick: int = 0

    @property
    def tick(self) -> int:
        return self.belief.tick


@dataclass
class _Held:
    """What is kept of one patient; `back` is the earliest tick that late data or corrections ask to go back to."""

    who: Who
    now: Fold
    anchors: deque[Fold] = field(default_factory=lambda: deque(maxlen=ANCHORS_MAX))
    back: int | None = None
    values: Floats = field(default_factory=lambda: np.empty((0, 0)))
    givens: list[Given] = field(default_factory=list)


class Bodies:
    """The bodies of a ward's patients. One thread calls `note` and `advance`; the rest may be called by any other."""

    def __init__(self, journal: JournalReader, one: Filter) -> None:
        self._journal, self.filter = journal, one
        self.taps: Taps = taps(one.model, [each.output for each in one.observations])
        # Hours ahead are stepped implicitly: see `physiology.implicit`.
        quiet = replace(one.settings, method="rosenbrock", first_step_s=None, rtol=None)
        self._ahead = replace(one, settings=quiet)
        self.grid_us = int(one.model.grid_s * SECOND_US)
        self._held: dict[int, _Held] = {}
        self._outside: dict[int, tuple[Who, str]] = {}
        self._priors: dict[int, tuple[Who, Belief]] = {}
        self.rewinds = 0

    # --- what came in --------------------------------------------------------

    def note(self, commit: Commit) -> None:
        """Take notice of a commit: only what lies in the past of a body matters here; the rest is read in its turn.

        Who somebody is comes with `advance`: a person of another weight or age has another body, folded anew.
        """
        for pid in commit.rebuild:
            self._again(pid)
        samples = commit.samples
        which = np.asarray(samples.concept)
        moves = np.isin(which, list(self.taps.concepts))
        ticks = np.asarray(samples.occurred_us)[moves] // self.grid_us
        for pid in np.unique(np.asarray(samples.patient)[moves]).tolist():
            held = self._held.get(pid)
            if held is not None:
                self._late(held, int(ticks[np.asarray(samples.patient)[moves] == pid].min()))

    def _late(self, held: _Held, tick: int) -> None:
        if tick < held.now.tick:
            held.back = tick if held.back is None else min(held.back, tick)
        elif tick < held.now.tick + len(held.values):
            held.values = held.values[:0]  # it was read already: read again

    def _again(self, pid: int) -> None:
        """Fold this patient anew with the next advance: who they are may have changed."""
        self._held.pop(pid, None)
        self._outside.pop(pid, None)

    def keep_only(self, pids: Iterable[int]) -> None:
        """Forget everybody else: they left the ward."""
        kept = set(pids)
        self.forget([pid for pid in {*self._held, *self._outside, *self._priors} if pid not in kept])

    def forget(self, pids: Iterable[int]) -> None:
        """These patients left the ward."""
        for pid in pids:
            self._again(pid)
            self._priors.pop(pid, None)

    # --- the fold ------------------------------------------------------------

    def advance(self, patients: Mapping[int, Who], now_us: int, ticks_max: int = 10_000) -> int:
        """Fold every patient up to the last tick that is over; how many patient-ticks were folded.

        `ticks_max` bounds the work of one call: whoever is least behind comes first, so that nobody who is up to date
        waits for one who is folded anew. Call again while it returns as much.
        """
        target = (now_us - LATE_US) // self.grid_us
        for pid, who in patients.items():
            self._ready(pid, who, target)
        done = 0
        while done < ticks_max:
            behind = {pid: held for pid, held in self._held.items() if pid in patients and self._due(held, target)}
            if not behind:
                break
            tick = max(held.now.tick for held in behind.values())
            group = [held for held in behind.values() if held.now.tick == tick]
            for pid, held in behind.items():
                if held.now.tick == tick:
                    self._load(pid, held, target)
            self._step(group)
            done += len(group)
        return done

    def _due(self, held: _Held, target: int) -> bool:
        return held.now.tick < target and (held.now.tick - held.now.heard_tick) * self.grid_us < FAR_US

    def _ready(self, pid: int, who: Who, target: int) -> None:
        """Begin where there is no body yet; go back where something late came."""
        held, outside = self._held.get(pid), self._outside.get(pid)
        if (held is not None and held.who != who) or (outside is not None and outside[0] != who):
            self._again(pid)
            held = None
        if held is None and pid not in self._outside:
            self._begin(pid, who, target)
        elif held is not None and held.back is not None:
            self._go_back(pid, held, target)
        elif held is not None and not self._due(held, target) and held.now.tick < target:
            self._wake(pid, held, target)

    def _begin(self, pid: int, who: Who, target: int) -> None:
        domain = self.filter.model.domain
        reason = domain(who.person) if domain is not None else ""
        if reason:
            self._outside[pid] = (who, reason)
            return
        end_us = target * self.grid_us
        series = self._journal.series(
            pid, concepts=sorted(self.taps.concepts), start_us=end_us - BACK_US, end_us=end_us
        )
        heard_us = np.sort(np.asarray(series.occurred_us)[np.isin(series.concept, list(self.taps.observed))])
        if not len(heard_us):
            return
        gaps = np.flatnonzero(np.diff(heard_us) >= GAP_US)
        first = int(heard_us[gaps[-1] + 1 if len(gaps) else 0]) // self.grid_us
        given = Given.none(self.filter.model).after(self.taps, series, first * self.grid_us)
        fold = Fold(replace(self._prior(pid, who), tick=first), given, 0, first)
        self._held[pid] = _Held(who, fold, deque([fold], maxlen=ANCHORS_MAX))

    def _go_back(self, pid: int, held: _Held, target: int) -> None:
        """To the last anchor before what came late; to the beginning where there is none."""
        self.rewinds += 1
        wanted, held.back = held.back or 0, None
        while held.anchors and held.anchors[-1].tick > wanted:
            held.anchors.pop()
        if not held.anchors:
            self._again(pid)
            self._begin(pid, held.who, target)
            return
        held.now, held.values = held.anchors[-1], held.values[:0]

    def _wake(self, pid: int, held: _Held, target: int) -> None:
        """A body that stood still begins again where the patient is heard again."""
        start_us, end_us = held.now.tick * self.grid_us, target * self.grid_us
        series = self._journal.series(pid, concepts=sorted(self.taps.observed), start_us=start_us, end_us=end_us)
        if len(series.occurred_us):
            self._again(pid)
            self._begin(pid, held.who, target)

    def _load(self, pid: int, held: _Held, target: int) -> None:
        """Read what was measured and given in the ticks to come."""
        if len(held.values):
            return
        tick, ticks = held.now.tick, min(target - held.now.tick, ANCHOR_TICKS)
        start_us, end_us = tick * self.grid_us, (tick + ticks) * self.grid_us
        series = self._journal.series(pid, concepts=sorted(self.taps.concepts), start_us=start_us, end_us=end_us)
        held.values = self.taps.values(series, tick, ticks, self.grid_us)
        ends_us = [(tick + i + 1) * self.grid_us for i in range(ticks)]
        held.givens = held.now.given.walk(self.taps, series, ends_us)

    def _step(self, group: Sequence[_Held]) -> None:
        belief = _joined([held.now.belief for held in group])
        values = np.stack([held.values[0] for held in group])
        rest = self.filter.model.rest()
        inputs = np.stack([held.now.given.at(held.now.tick * self.grid_us, rest) for held in group])
        moved, report = step_many(self.filter, belief, values, inputs)
        for i, held in enumerate(group):
            self._moved(held, moved.rows(slice(i, i + 1)), report, i)

    def _moved(self, held: _Held, belief: Belief, report: Report, i: int) -> None:
        heard = bool(np.isfinite(held.values[0]).any())
        used = bool((report.fate[i] == USED).any())
        heard_tick = belief.tick if heard else held.now.heard_tick
        held.now = Fold(belief, held.givens[0], held.now.updates + used, heard_tick)
        held.values, held.givens = held.values[1:], held.givens[1:]
        if belief.tick % ANCHOR_TICKS == 0:
            held.anchors.append(held.now)

    def _prior(self, pid: int, who: Who) -> Belief:
        known = self._priors.get(pid)
        if known is None or known[0] != who:
            known = self._priors[pid] = (who, begin(self.filter, [key_of(who.id)], who.person))
        return known[1]

    # --- keeping -------------------------------------------------------------

    def folds(self) -> list[tuple[int, Who, Fold]]:
        """Every body, by patient: what a snapshot keeps."""
        return [(pid, held.who, held.now) for pid, held in sorted(self._held.items()) if held.back is None]

    def adopt(self, pid: int, who: Who, fold: Fold) -> None:
        """Take over a body of a snapshot."""
        self._held[pid] = _Held(who, fold, deque([fold], maxlen=ANCHORS_MAX))

    # --- what it is ----------------------------------------------------------

    @property
    def pids(self) -> list[int]:
        """Everyone with a body."""
        return list(self._held)

    def __contains__(self, pid: object) -> bool:
        return pid in self._held

    def tick_us(self, pid: int) -> int:
        """Up to when a patient's body is folded."""
        return self._held[pid].now.tick * self.grid_us

    def hash(self, pid: int) -> str:
        """32 hexadecimal digits of all that the body holds; equal bodies agree."""
        fold = self._held[pid].now
        known = hashlib.blake2b(f"{self.filter.model.name}|{fold.tick}|{fold.updates}".encode(), digest_size=16)
        for part in (fold.belief.states, fold.belief.theta, fold.belief.bias, fold.belief.track):
            known.update(np.ascontiguousarray(part).tobytes())
        return known.hexdigest()

    def posterior(self, pid: int) -> Posterior | None:
        """A patient's body now; None where nothing was measured yet."""
        held, outside = self._held.get(pid), self._outside.get(pid)
        if held is None and outside is None:
            return None
        if held is not None:
            return self._posterior(pid, held.who, held.now, outside)
        assert outside is not None
        return self._posterior(pid, outside[0], None, outside)

    def _posterior(self, pid: int, who: Who, now: Fold | None, outside: tuple[Who, str] | None) -> Posterior:
        prior = self._prior(pid, who)
        fold = now if now is not None else Fold(prior, Given.none(self.filter.model))
        status, reason = self._status(fold) if outside is None else ("outside", outside[1])
        one, now_us = self.filter, fold.tick * self.grid_us
        held_now = fold.given.lasting(self.taps, now_us)
        return Posterior(
            one.model, who.person, now_us,
            fold.belief.states[0], one.full(fold.belief.constants, fold.belief.theta)[0],
            one.full(prior.constants, prior.theta)[0], prior.states[0],
            held_now, status, reason, fold.updates,
        )  # fmt: skip

    def _status(self, fold: Fold) -> tuple[str, str]:
        found = health(self.filter, fold.belief)[0]
        if found.word != "lost" and fold.updates < LEARNING_TICKS:
            return "learning", f"{fold.updates} minutes with measurements, expected {LEARNING_TICKS} or more"
        return found.word, found.reason

    def estimates(self, pid: int) -> list[Estimate]:
        """Every output of the model that the vocabulary knows, as estimated now."""
        found = self.posterior(pid)
        if found is None or found.status == "outside":
            return []
        now = observe(found.model, 0.0, found.states, found.parameters, found.u)
        before = observe(found.model, 0.0, found.prior_states, found.prior, found.model.rest())
        made = []
        for i, output in enumerate(found.model.outputs):
            if output.name in VOCABULARY:
                low, low50, middle, high50, high = np.quantile(now[:, i], (0.05, 0.25, 0.5, 0.75, 0.95)).tolist()
                prior_low, prior_high = np.quantile(before[:, i], (0.05, 0.95)).tolist()
                variance = float(before[:, i].var())
                share = 1.0 - float(now[:, i].var()) / variance if variance > 0 else 0.0
                made.append(
                    Estimate(
                        output.name, output.unit, middle, low, high, low50, high50, prior_low, prior_high,
                        min(max(share, 0.0), 1.0),
                    )
                )  # fmt: skip
        return made

    def forecast(self, pid: int, horizon_s: float, every_s: float = 300.0) -> Trajectories | None:
        """What is expected of a patient's body if nothing changes; None where there is none or it is not to be used."""
        held = self._held.get(pid)
        if held is None:
            return None
        times_s = np.arange(0.0, horizon_s + 1e-9, every_s)
        fold = held.now
        found = self._posterior(pid, held.who, fold, None)
        made = forecast(self._ahead, fold.belief, times_s, found.u)
        about = {"model": found.model.name, "title": found.model.title, "at_us": found.at_us, "status": found.status}
        return Trajectories(found.model.outputs, times_s, made.outputs[0], about)


def _joined(beliefs: Sequence[Belief]) -> Belief:
    parts = ("keys", "constants", "states", "theta", "bias", "track", "weights")
    together: dict[str, Any] = {name: np.concatenate([getattr(one, name) for one in beliefs]) for name in parts}
    return replace(beliefs[0], **together)

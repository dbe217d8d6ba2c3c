"""The life of an alert, pure: `step` and `tick` take a state and give a new one with the transitions between them.

    idle -> pending -> open -> acknowledged -> idle
                        |  \\-> snoozed -> open (re-raised)
                        |-> escalated (stays open)
    idle -> open within the cooldown: re-raised, the same alert

All times are the clinical clock's, and those that silence anything are *ours*: when a value was heard and when an
alert ended. What a source says of its own time only orders its values and lengthens or shortens a persistence, cut
off at now, so that no wrong clock suppresses an alert. What has gone quiet stays as it was: an alert ends when a
value past the clear limit is heard, never because nothing is; or when the value it rests on is withdrawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.alerts import kernels
from vitruvian.alerts.rules import RuleTable

ACTIONS: Final[tuple[str, ...]] = (
    "raised", "re-raised", "escalated", "cleared", "acknowledged", "snoozed", "closed",
)  # fmt: skip
RAISED, RE_RAISED, ESCALATED, CLEARED, ACKNOWLEDGED, SNOOZED, CLOSED = range(len(ACTIONS))
NEVER_US: Final = kernels.NEVER_US

_COLUMNS: Final = {
    "phase": (np.int8, kernels.IDLE),
    "since_us": (np.int64, NEVER_US),
    "heard_us": (np.int64, NEVER_US),
    "at_us": (np.int64, NEVER_US),
    "value": (np.float64, np.nan),
    "raised_us": (np.int64, NEVER_US),
    "changed_us": (np.int64, NEVER_US),
    "ended_us": (np.int64, NEVER_US),
    "until_us": (np.int64, NEVER_US),
    "escalated": (np.bool_, False),
    "steps": (np.int32, 0),
}


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The alerts of n patients under R rules; every column is (n, R).

    `phase` (kernels.IDLE ...), `since_us` when the condition began, `heard_us` when its input was last heard (our
    clock), `at_us` the instant that input counts at, `value` the newest input, `raised_us` when the alert began
    (its identity), `changed_us` when it was last raised again (what escalation counts from), `ended_us` when it
    last ended, `until_us` the end of a snooze, `escalated`, `steps` how many transitions the alert has had.
    """

    phase: NDArray[np.int8]
    since_us: NDArray[np.int64]
    heard_us: NDArray[np.int64]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    raised_us: NDArray[np.int64]
    changed_us: NDArray[np.int64]
    ended_us: NDArray[np.int64]
    until_us: NDArray[np.int64]
    escalated: NDArray[np.bool_]
    steps: NDArray[np.int32]

    @classmethod
    def idle(cls, patients: int, rules: int) -> Lifecycle:
        """Nothing was ever raised."""
        return cls(**{name: np.full((patients, rules), empty, kind) for name, (kind, empty) in _COLUMNS.items()})

    @property
    def columns(self) -> tuple[NDArray[np.generic], ...]:
        """The columns in their order."""
        return tuple(getattr(self, name) for name in _COLUMNS)

    def take(self, rows: NDArray[np.int64]) -> Lifecycle:
        """A copy of these patients' rows."""
        return Lifecycle(*(column[rows] for column in self.columns))  # type: ignore[arg-type]

    def put(self, rows: NDArray[np.int64], other: Lifecycle) -> None:
        """Set these rows, in place: for the owner of the state alone."""
        for mine, theirs in zip(self.columns, other.columns, strict=True):
            mine[rows] = theirs

    def grown(self, patients: int) -> Lifecycle:
        """The same with room for more patients."""
        wider = Lifecycle.idle(patients, self.phase.shape[1])
        wider.put(np.arange(len(self.phase)), self)
        return wider


@dataclass(frozen=True, slots=True)
class Readings:
    """What was heard, N long, in the order of each patient's time.

    `row` of the state, `input` (rules.input_index), `at_us` the instant it counts at, `value` what may raise,
    `held` what may clear: for a score of which parts have expired, the score with those parts as they last were.
    """

    row: NDArray[np.int64]
    input: NDArray[np.int64]
    at_us: NDArray[np.int64]
    value: NDArray[np.float64]
    held: NDArray[np.float64]

    @property
    def columns(self) -> tuple[Any, ...]:
        """The columns in their order."""
        return self.row, self.input, self.at_us, self.value, self.held


@dataclass(frozen=True, slots=True)
class Transitions:
    """What changed, M long, in order: `row`, `rule`, `action` (index into `ACTIONS`) and the `value` that made it."""

    row: NDArray[np.int64]
    rule: NDArray[np.int64]
    action: NDArray[np.int64]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        """How many."""
        return int(self.row.size)


def step(
    state: Lifecycle,
    rules: RuleTable,
    readings: Readings,
    now_us: int,
    birth_us: NDArray[np.int64],
    barred: NDArray[np.bool_] | None = None,
) -> tuple[Lifecycle, Transitions]:
    """Hear these readings at `now_us`; pure. `birth_us` (n,) of the state's rows, the smallest integer where
    unknown; `barred` (n, R) where a declared state keeps a rule from this patient (its `unless`).
    """
    if barred is None:
        barred = np.zeros(state.phase.shape, np.bool_)
    after = state.take(np.arange(len(state.phase)))
    found = kernels.hear(
        readings.row, readings.input, readings.at_us, readings.value, readings.held,
        now_us, birth_us, barred, rules.of_input, rules.columns, after.columns,
    )  # fmt: skip
    return after, Transitions(*found)


def tick(state: Lifecycle, rules: RuleTable, now_us: int) -> tuple[Lifecycle, Transitions]:
    """Let time pass until `now_us`; pure: persistence reached, escalation due, snoozes over."""
    after = state.take(np.arange(len(state.phase)))
    return after, Transitions(*kernels.pass_time(now_us, rules.columns, after.columns))


def acknowledge(state: Lifecycle, row: int, rule: int) -> tuple[Lifecycle, Transitions]:
    """Someone has seen it. Nothing changes where there is no open alert."""
    return _by_hand(state, row, rule, ACKNOWLEDGED, NEVER_US)


def snooze(state: Lifecycle, row: int, rule: int, until_us: int) -> tuple[Lifecycle, Transitions]:
    """Silent until then; raised again if the condition still holds. Nothing changes where there is no open alert."""
    return _by_hand(state, row, rule, SNOOZED, until_us)


def close(state: Lifecycle, row: int) -> tuple[Lifecycle, Transitions]:
    """The patient has left: every alert of the row ends, and what was pending is forgotten."""
    after = state.take(np.arange(len(state.phase)))
    ended = np.flatnonzero(after.phase[row] >= kernels.OPEN)
    values = after.value[row, ended]
    after.phase[row] = kernels.IDLE
    after.steps[row, ended] += 1
    count = len(ended)
    return after, Transitions(np.full(count, row), ended, np.full(count, CLOSED), values)


def withdraw(state: Lifecycle, gone: NDArray[np.bool_], now_us: int) -> tuple[Lifecycle, Transitions]:
    """Nothing is left of what these alerts rest on, `gone` (n, R): what is open clears, what was pending is
    forgotten.
    """
    after = state.take(np.arange(len(state.phase)))
    row, rule = np.nonzero(gone & (after.phase >= kernels.OPEN))
    values = after.value[row, rule]
    after.phase[gone] = kernels.IDLE
    after.at_us[gone] = NEVER_US
    after.ended_us[row, rule] = now_us
    after.steps[row, rule] += 1
    return after, Transitions(row, rule, np.full(len(row), CLEARED), values)


def _by_hand(state: Lifecycle, row: int, rule: int, action: int, until_us: int) -> tuple[Lifecycle, Transitions]:
    after = state.take(np.arange(len(state.phase)))
    if after.phase[row, rule] < kernels.OPEN:
        nothing = np.zeros(0, np.int64)
        return after, Transitions(nothing, nothing, nothing, np.zeros(0))
    after.phase[row, rule] = kernels.ACKNOWLEDGED if action == ACKNOWLEDGED else kernels.SNOOZED
    after.until_us[row, rule] = until_us
    after.steps[row, rule] += 1
    return after, Transitions(np.array([row]), np.array([rule]), np.array([action]), np.array([after.value[row, rule]]))

"""The compiled loops of the alerts' lives: in place on columns that `lifecycle` has copied."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

NEVER_US: Final = -(2**63)
IDLE: Final = 0
PENDING: Final = 1
OPEN: Final = 2
ACKNOWLEDGED: Final = 3
SNOOZED: Final = 4

# Indices into lifecycle.ACTIONS; kept here as numbers for the compiled code, and compared in a test.
RAISED: Final = 0
RE_RAISED: Final = 1
ESCALATED: Final = 2
CLEARED: Final = 3
YEAR_US: Final = 31_556_952 * 1_000_000
ADULT_YEARS: Final = 30.0


@njit(cache=True)
def past(value: float, limit: float, upward: bool, inclusive: bool) -> bool:
    """Whether a value is beyond a limit."""
    if upward:
        return value > limit or (inclusive and value == limit)
    return value < limit or (inclusive and value == limit)


@njit(cache=True)
def begin(r: int, j: int, now_us: int, cooldown_us: int, state: Any) -> int:
    """Open an alert: a new one, or the last one again where it ended within the cooldown. The action."""
    phase, _, _, _, _, raised_us, changed_us, ended_us, _, escalated, steps = state
    again = ended_us[r, j] != NEVER_US and now_us - ended_us[r, j] < cooldown_us
    phase[r, j] = OPEN
    changed_us[r, j] = now_us
    escalated[r, j] = False
    if again:
        steps[r, j] += 1
        return RE_RAISED
    raised_us[r, j] = now_us
    steps[r, j] = 1
    return RAISED


@njit(cache=True)
def hear(
    row: NDArray[np.int64],
    source: NDArray[np.int64],
    at_us: NDArray[np.int64],
    reading: NDArray[np.float64],
    held: NDArray[np.float64],
    now_us: int,
    birth_us: NDArray[np.int64],
    barred: NDArray[np.bool_],
    of_input: NDArray[np.int64],
    rules: Any,
    state: Any,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Feed readings one after another; see `lifecycle.step`."""
    upward, inclusive, limit, clear, persistence_us, cooldown_us, _, _, older_us, age_from, age_to, cover = rules
    phase, since_us, heard_us, counted_us, value, _, _, ended_us, _, _, steps = state
    room = 2 * row.size * of_input.shape[1]
    out_row, out_rule = np.empty(room, np.int64), np.empty(room, np.int64)
    out_action, out_value = np.empty(room, np.int64), np.empty(room, np.float64)
    count = 0
    for i in range(row.size):
        r, x = row[i], reading[i]
        if np.isnan(x):
            continue
        years = ADULT_YEARS if birth_us[r] == NEVER_US else (now_us - birth_us[r]) / YEAR_US
        at = min(at_us[i], now_us)
        for k in range(of_input.shape[1]):
            j = of_input[source[i], k]
            if j < 0:
                break
            # A value older than the newest says nothing of now; unless a monitor sends nothing else any more: then
            # its clock was set back, and what it says is of now.
            if at < counted_us[r, j] and now_us - heard_us[r, j] < older_us[j]:
                continue
            counted_us[r, j], heard_us[r, j], value[r, j] = at, now_us, x
            covered = cover[j] >= 0 and phase[r, cover[j]] >= OPEN
            wanted = age_from[j] <= years < age_to[j] and not covered and not barred[r, j]
            breach = wanted and past(x, limit[j], upward[j], inclusive[j])
            if phase[r, j] == IDLE and breach:
                phase[r, j], since_us[r, j] = PENDING, at
            if phase[r, j] == PENDING:
                if not breach:
                    phase[r, j] = IDLE
                elif at - since_us[r, j] >= persistence_us[j]:
                    out_row[count], out_rule[count], out_value[count] = r, j, x
                    out_action[count] = begin(r, j, now_us, cooldown_us[j], state)
                    count += 1
            elif phase[r, j] >= OPEN:
                # Back past the clear limit; where limit and clear are one, no longer beyond it.
                strict = inclusive[j] if clear[j] == limit[j] else True
                back = not np.isnan(held[i]) and not past(held[i], clear[j], upward[j], strict)
                if back or not wanted:
                    phase[r, j] = IDLE
                    ended_us[r, j] = now_us
                    steps[r, j] += 1
                    out_row[count], out_rule[count], out_value[count], out_action[count] = r, j, x, CLEARED
                    count += 1
    return out_row[:count], out_rule[:count], out_action[:count], out_value[:count]


@njit(cache=True)
def pass_time(
    now_us: int, rules: Any, state: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """What the passing of time alone brings; see `lifecycle.tick`."""
    _, _, _, _, persistence_us, cooldown_us, escalate_us, valid_us, _, _, _, cover = rules
    phase, since_us, heard_us, _, value, _, changed_us, _, until_us, escalated, steps = state
    room = phase.size
    out_row, out_rule = np.empty(room, np.int64), np.empty(room, np.int64)
    out_action, out_value = np.empty(room, np.int64), np.empty(room, np.float64)
    count = 0
    for r in range(phase.shape[0]):
        for j in range(phase.shape[1]):
            action = -1
            if phase[r, j] == PENDING:
                covered = cover[j] >= 0 and phase[r, cover[j]] >= OPEN
                if covered or now_us - heard_us[r, j] > valid_us[j]:
                    phase[r, j] = IDLE
                elif now_us - since_us[r, j] >= persistence_us[j]:
                    action = begin(r, j, now_us, cooldown_us[j], state)
            elif phase[r, j] == OPEN:
                due = escalate_us[j] > 0 and now_us - changed_us[r, j] >= escalate_us[j]
                if due and not escalated[r, j]:
                    escalated[r, j] = True
                    steps[r, j] += 1
                    action = ESCALATED
            elif phase[r, j] == SNOOZED and now_us >= until_us[r, j]:
                phase[r, j], changed_us[r, j], escalated[r, j] = OPEN, now_us, False
                steps[r, j] += 1
                action = RE_RAISED
            if action >= 0:
                out_row[count], out_rule[count], out_value[count], out_action[count] = r, j, value[r, j], action
                count += 1
    return out_row[:count], out_rule[:count], out_action[:count], out_value[:count]

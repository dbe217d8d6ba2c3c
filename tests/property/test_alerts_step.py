"""The compiled step is pure, patients do not touch each other, and a batch is its readings one after another."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.twin_support import T0_US, index
from vitruvian.alerts import kernels, parse_rules
from vitruvian.alerts.lifecycle import Lifecycle, Readings, step, tick
from vitruvian.core.time import SECOND_US

RULES = parse_rules("""
[high]
input = "heart_rate"
priority = "high"
when = ">"
limit = 140
clear = 130
persistence_s = 4
cooldown_s = 30
escalate_after_s = 20
[raised]
input = "heart_rate"
priority = "medium"
when = ">="
limit = 120
clear = 115
covered_by = "high"
[low]
input = "heart_rate"
priority = "high"
when = "<"
limit = 40
clear = 50
""")
_HEARD = st.lists(
    st.tuples(
        st.integers(0, 3), st.integers(-20, 20), st.sampled_from([20.0, 39.0, 45.0, 80.0, 117.0, 120.0, 135.0, 150.0])
    ),
    max_size=40,
)
_ROUNDS = st.lists(st.tuples(st.integers(0, 30), _HEARD), max_size=8)
UNKNOWN = np.full(4, kernels.NEVER_US)


def readings(heard: list[tuple[int, int, float]], now_us: int) -> Readings:
    row = np.array([item[0] for item in heard], np.int64)
    at_us = np.array([now_us + item[1] * SECOND_US for item in heard], np.int64)
    value = np.array([item[2] for item in heard], np.float64)
    return Readings(row, np.full(len(heard), index("heart_rate")), at_us, value, value)


def same(first: Lifecycle, second: Lifecycle) -> bool:
    return all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(first.columns, second.columns, strict=True)
    )


@given(_ROUNDS)
def test_a_batch_is_its_readings_one_by_one_and_patients_are_apart(
    rounds: list[tuple[int, list[tuple[int, int, float]]]],
) -> None:
    together, single, alone = (Lifecycle.idle(4, len(RULES)) for _ in range(3))
    now_us = T0_US
    for wait_s, heard in rounds:
        now_us += wait_s * SECOND_US
        before = together.take(np.arange(4))
        after, moved = step(together, RULES, readings(heard, now_us), now_us, UNKNOWN)
        assert same(together, before), "a step changed the state it was given"
        assert len(moved) <= 2 * len(RULES) * len(heard)
        together = after
        for item in heard:
            single, _ = step(single, RULES, readings([item], now_us), now_us, UNKNOWN)
        for patient in range(4):
            mine = [item for item in heard if item[0] == patient]
            alone, _ = step(alone, RULES, readings(mine, now_us), now_us, UNKNOWN)
        assert same(together, single) and same(together, alone)
        together, _ = tick(together, RULES, now_us)
        single, alone = together.take(np.arange(4)), together.take(np.arange(4))


@given(_ROUNDS)
def test_what_is_open_is_beyond_its_clear_limit_and_what_is_far_beyond_is_not_idle(
    rounds: list[tuple[int, list[tuple[int, int, float]]]],
) -> None:
    state = Lifecycle.idle(4, len(RULES))
    now_us = T0_US
    for wait_s, heard in rounds:
        now_us += wait_s * SECOND_US
        state, _ = step(state, RULES, readings(heard, now_us), now_us, UNKNOWN)
        state, _ = tick(state, RULES, now_us)
        for patient in range(4):
            for rule in range(len(RULES)):
                value, phase = state.value[patient, rule], state.phase[patient, rule]
                clear, limit = RULES.clear[rule], RULES.limit[rule]
                if phase >= kernels.OPEN:
                    assert value >= clear if RULES.upward[rule] else value <= clear
                elif phase == kernels.IDLE and RULES.cover[rule] < 0 and not np.isnan(value):
                    assert not (value > limit if RULES.upward[rule] else value < limit)

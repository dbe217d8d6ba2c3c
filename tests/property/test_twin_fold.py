"""However samples arrive, the twin is the same: in batches or one by one, in order or not, live or replayed."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.twin_support import MINUTE_US, T0_US, MemoryJournal, Row, index
from vitruvian.core.limits import FUTURE_US_MAX
from vitruvian.twin import NO_BIRTH, Twins, reference, restore, snapshot
from vitruvian.twin.order import canonical
from vitruvian.twin.twins import state_hash

CONCEPTS = [
    index(name)
    for name in ("heart_rate", "body_temperature", "systolic_pressure", "lactate", "potassium", "urine_output")
]
# Few instants and values, so that ties, repeats, outliers and new hours are common.
_rows = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.sampled_from(CONCEPTS),
        st.one_of(st.integers(0, 12), st.integers(0, 300)).map(lambda minute: T0_US + minute * MINUTE_US),
        st.integers(0, 2**64 - 1),
        st.just(T0_US + 400 * MINUTE_US),
        st.sampled_from([0.0, -0.0, 1.5, 4.0, 36.5, 37.0, 72.0, 75.0, 78.0, 120.0, 220.0, 1000.0, float("nan")]),
        st.sampled_from([0, 0, 0, 0, 2, 4]),
    ),
    max_size=60,
    unique_by=lambda row: (row[0], row[1], row[2], row[3]),
)


def by_reference(rows: list[Row], pid: int) -> str:
    """The hash of the plain fold over one patient's rows."""
    journal = MemoryJournal()
    journal.commit(rows)
    ordered = canonical(journal.series(pid, start_us=-(2**62), end_us=2**62))
    state = reference.apply(reference.State(), reference.samples_of(ordered))
    return state_hash(reference.tracked(state), 0, NO_BIRTH, 0)


def batches(rows: list[Row], sizes: list[int]) -> list[list[Row]]:
    made, place = [], 0
    while place < len(rows):
        size = sizes[len(made) % len(sizes)]
        made.append(rows[place : place + size])
        place += size
    return made


@given(_rows, st.lists(st.integers(1, 20), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_any_order_and_any_batches_equal_the_plain_fold(rows: list[Row], sizes: list[int], rng: random.Random) -> None:
    shuffled = list(rows)
    rng.shuffle(shuffled)
    journal = MemoryJournal()
    twins = Twins(journal)
    for batch in batches(shuffled, sizes):
        twins.apply(journal.commit(batch))
    for pid in {row[0] for row in rows}:
        assert twins.hash(pid) == by_reference(rows, pid)


@given(_rows, st.lists(st.integers(1, 20), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_journal_ahead_of_the_twins_changes_nothing(rows: list[Row], sizes: list[int], rng: random.Random) -> None:
    """The log may already hold later commits when an earlier one makes a twin walk its past again."""
    shuffled = list(rows)
    rng.shuffle(shuffled)
    journal = MemoryJournal()
    commits = [journal.commit(batch) for batch in batches(shuffled, sizes)]
    twins = Twins(journal)
    for commit in commits:
        twins.apply(commit)
    for pid in {row[0] for row in rows}:
        assert twins.hash(pid) == by_reference(rows, pid)


@given(_rows, st.integers(0, 60), st.randoms(use_true_random=False))
def test_restored_from_a_snapshot_and_the_tail(rows: list[Row], cut: int, rng: random.Random) -> None:
    shuffled = list(rows)
    rng.shuffle(shuffled)
    journal = MemoryJournal()
    live = Twins(journal)
    live.apply(journal.commit(shuffled[:cut]))
    kept = snapshot(live)
    tail = [journal.commit(batch) for batch in batches(shuffled[cut:], [7])]
    for commit in tail:
        live.apply(commit)
    again = restore(kept, journal)
    for commit in tail:
        again.apply(commit)
    anew = Twins(journal)
    anew.fold_anew({row[0] for row in rows}, len(rows))
    for pid in {row[0] for row in rows}:
        assert live.hash(pid) == again.hash(pid) == anew.hash(pid) == by_reference(rows, pid)


@given(
    st.lists(
        st.tuples(st.integers(0, 240), st.sampled_from([0, 0, 0, 90, 600]), st.sampled_from([60.0, 72.0, 140.0])),
        max_size=40,
    ),
    st.integers(1, 9),
)
def test_a_clock_ahead_is_folded_when_it_became_known(steps: list[tuple[int, int, float]], size: int) -> None:
    rows: list[Row] = []
    for order, (minute, ahead_min, value) in enumerate(sorted(steps, key=lambda step: step[0])):
        known_us = T0_US + minute * MINUTE_US
        occurred_us = known_us + ahead_min * MINUTE_US
        rows.append((0, CONCEPTS[0], occurred_us, order * 977 % 1009, known_us, value, 1 if ahead_min else 0))
    journal = MemoryJournal()
    twins = Twins(journal)
    for batch in batches(rows, [size]):
        twins.apply(journal.commit(batch))
    if not rows:
        return
    assert twins.hash(0) == by_reference(rows, 0)
    row = int(twins.rows([0])[0])
    newest_known_us = max(known for *_, known, _, _ in rows)
    assert twins.tracker.last_us[row, CONCEPTS[0]] == newest_known_us


def test_a_value_a_day_ahead_does_not_hide_what_comes_after() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    heart_rate = index("heart_rate")
    twins.apply(journal.commit([(0, heart_rate, T0_US + FUTURE_US_MAX, 1, T0_US, 60.0, 1)]))
    twins.apply(journal.commit([(0, heart_rate, T0_US + MINUTE_US, 2, T0_US + MINUTE_US, 150.0, 0)]))
    row = int(twins.rows([0])[0])
    assert twins.tracker.last_value[row, heart_rate] == 150.0


def test_late_data_after_the_anchor_rewinds_and_before_it_refolds() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    heart_rate = index("heart_rate")
    rows: list[Row] = [
        (0, heart_rate, T0_US + minute * MINUTE_US, minute, T0_US, 70.0 + minute % 5, 0) for minute in range(0, 150, 2)
    ]
    for batch in batches(rows, [4]):
        twins.apply(journal.commit(batch))
    assert (twins.rewinds, twins.refolds) == (0, 0)
    late: Row = (0, heart_rate, T0_US + 141 * MINUTE_US, 999, T0_US, 71.0, 0)
    twins.apply(journal.commit([late]))
    assert (twins.rewinds, twins.refolds) == (1, 0)
    old: Row = (0, heart_rate, T0_US + 5 * MINUTE_US, 998, T0_US, 71.0, 0)
    twins.apply(journal.commit([old]))
    assert (twins.rewinds, twins.refolds) == (1, 1)
    assert twins.hash(0) == by_reference([*rows, late, old], 0)
    another: Row = (0, heart_rate, T0_US + 95 * MINUTE_US, 997, T0_US, 300.0, 0)
    twins.apply(journal.commit([another]))
    assert (twins.rewinds, twins.refolds) == (2, 1), "a refold leaves an anchor behind"
    assert twins.hash(0) == by_reference([*rows, late, old, another], 0)


def test_a_result_older_than_the_anchor_is_still_there_after_a_rewind() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    heart_rate, lactate = index("heart_rate"), index("lactate")
    rows: list[Row] = [(0, heart_rate, T0_US + m * MINUTE_US, m, T0_US, 70.0 + m % 5, 0) for m in range(0, 180, 2)]
    for batch in batches(rows, [2]):
        twins.apply(journal.commit(batch))
    drawn: Row = (0, lactate, T0_US + 30 * MINUTE_US, 5, T0_US, 3.1, 0)
    late: Row = (0, heart_rate, T0_US + 177 * MINUTE_US, 7, T0_US, 71.0, 0)
    twins.apply(journal.commit([drawn]))
    twins.apply(journal.commit([late]))
    assert (twins.rewinds, twins.refolds) == (1, 0)
    assert twins.hash(0) == by_reference([*rows, drawn, late], 0)


def test_patients_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(3)
    rows: list[Row] = [
        (int(pid), CONCEPTS[0], T0_US + int(minute) * MINUTE_US, i, T0_US, float(60 + i % 40), 0)
        for i, (pid, minute) in enumerate(zip(rng.integers(0, 200, 1500), rng.integers(0, 500, 1500), strict=True))
    ]
    journal = MemoryJournal()
    twins = Twins(journal)
    for batch in batches(rows, [300]):
        twins.apply(journal.commit(batch))
    for pid in range(0, 200, 17):
        assert twins.hash(pid) == by_reference([row for row in rows if row[0] == pid], pid)

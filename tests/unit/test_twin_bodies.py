"""A live body is a fold: live, anew, in parts, among others and corrected by late values it is the same."""

from __future__ import annotations

import numpy as np
import pytest

from tests.estimation_support import KESSEL
from tests.twin_support import HOUR_US, MINUTE_US, T0_US, MemoryJournal, Row, index
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.estimation import Filter, Observation, Settings
from vitruvian.physiology.base import Input
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.twin import SnapshotStale, body_snapshots
from vitruvian.twin.bodies import Bodies, Who
from vitruvian.twin.body_data import BOLUS_S, Given, taps

SECOND_US = 1_000_000
FILTER = Filter(
    KESSEL, (Observation("heart_rate", 2.0), Observation("mean_pressure", 3.0)), Settings(members=24, walk_per_h=0.1)
)
WHO = {1: Who("one", REFERENCE), 2: Who("two", Person(70, "female", 160, 60))}


def row(pid: int, name: str, at_us: int, value: float, quality: int = 0) -> Row:
    return (pid, index(name), at_us, at_us % 997, at_us, value, quality)


def vitals(pid: int, minutes: range, rate: float = 88.0, pressure: float = 78.0) -> list[Row]:
    """Four of each a minute, with a wobble."""
    rows = []
    for minute in minutes:
        for k in range(4):
            at_us = T0_US + minute * MINUTE_US + k * 15 * SECOND_US
            wobble = np.sin(minute * 1.7 + k)
            rows.append(row(pid, "heart_rate", at_us, rate + wobble))
            rows.append(row(pid, "mean_pressure", at_us, pressure - 2 * wobble))
    return rows


def at(minute: float) -> int:
    return T0_US + int(minute * MINUTE_US) + 12 * SECOND_US


def folded(rows: list[Row], minute: float, pids: tuple[int, ...] = (1, 2)) -> Bodies:
    journal = MemoryJournal()
    journal.commit(rows)
    bodies = Bodies(journal, FILTER)
    bodies.advance({pid: WHO[pid] for pid in pids}, at(minute))
    return bodies


def test_live_anew_and_among_others_are_the_same() -> None:
    rows = vitals(1, range(90)) + vitals(2, range(5, 90), 120, 60)
    journal = MemoryJournal()
    live = Bodies(journal, FILTER)
    for minute in range(90):
        now = [one for one in rows if minute <= (one[2] - T0_US) / MINUTE_US < minute + 1]
        live.note(journal.commit(now))
        live.advance(WHO, at(minute + 1))
    anew, alone = folded(rows, 90), folded(rows, 90, (2,))
    assert live.tick_us(1) == T0_US + 90 * MINUTE_US
    assert [live.hash(1), live.hash(2)] == [anew.hash(1), anew.hash(2)]
    assert live.hash(2) == alone.hash(2)
    assert live.hash(1) != live.hash(2)


@pytest.mark.parametrize("late_minute", [3, 40, 70])
def test_a_late_value_takes_the_body_back_and_forward_again(late_minute: int) -> None:
    rows = vitals(1, range(90))
    late = [row(1, "mean_pressure", T0_US + late_minute * MINUTE_US + 7 * SECOND_US, 60.0)]
    journal = MemoryJournal()
    bodies = Bodies(journal, FILTER)
    bodies.note(journal.commit(rows))
    bodies.advance(WHO, at(90))
    before = bodies.hash(1)
    bodies.note(journal.commit(late))
    bodies.advance(WHO, at(90))
    assert bodies.hash(1) != before
    assert bodies.hash(1) == folded(rows + late, 90, (1,)).hash(1)
    assert bodies.rewinds == 1


def test_a_rebuilt_patient_is_folded_anew() -> None:
    rows = vitals(1, range(30))
    journal = MemoryJournal()
    bodies = Bodies(journal, FILTER)
    bodies.note(journal.commit(rows))
    bodies.advance(WHO, at(30))
    journal.rows = [one for one in journal.rows if one[1] != index("heart_rate")]
    journal.seqs = journal.seqs[: len(journal.rows)]
    bodies.note(journal.commit([], rebuild=[1]))
    bodies.advance(WHO, at(30))
    assert bodies.hash(1) == folded([one for one in rows if one[1] != index("heart_rate")], 30, (1,)).hash(1)


def test_work_is_bounded_and_goes_on_where_it_stopped() -> None:
    rows = vitals(1, range(60)) + vitals(2, range(60), 70, 95)
    journal = MemoryJournal()
    journal.commit(rows)
    bodies = Bodies(journal, FILTER)
    calls = 0
    while bodies.advance(WHO, at(60), ticks_max=16):
        calls += 1
    assert calls >= 7
    assert bodies.hash(2) == folded(rows, 60).hash(2)


def test_it_learns_the_person_and_says_how_much_the_data_told() -> None:
    bodies = folded(vitals(1, range(60), 95.0, 70.0), 60, (1,))
    found = {one.name: one for one in bodies.estimates(1)}
    assert found["mean_pressure"].low < 70 < found["mean_pressure"].high
    assert found["mean_pressure"].from_data > 0.9
    assert found["cardiac_output"].from_data < found["mean_pressure"].from_data
    posterior = bodies.posterior(1)
    assert posterior is not None and posterior.status == "tracking" and posterior.updates == 60
    assert posterior.prior.shape == posterior.parameters.shape


def test_few_data_no_data_and_garbage_are_told_apart() -> None:
    assert folded([], 10).posterior(1) is None
    few = folded(vitals(1, range(4)), 4, (1,)).posterior(1)
    assert few is not None and few.status == "learning"
    unfit = [(*one[:6], 2) for one in vitals(1, range(20), 300, 10)]
    clean = vitals(2, range(20))
    journal = MemoryJournal()
    journal.commit([*unfit, *clean])
    bodies = Bodies(journal, FILTER)
    bodies.advance(WHO, at(20))
    implausible = bodies.posterior(1)
    assert implausible is not None and implausible.updates == 0


def test_a_body_stands_still_when_nothing_is_heard_and_begins_again_after_a_gap() -> None:
    rows = vitals(1, range(30))
    journal = MemoryJournal()
    bodies = Bodies(journal, FILTER)
    bodies.note(journal.commit(rows))
    bodies.advance(WHO, at(30 * 60))
    stood = bodies.tick_us(1)
    assert stood < T0_US + 13 * HOUR_US
    later = vitals(1, range(40 * 60, 40 * 60 + 20), 70, 100)
    bodies.note(journal.commit(later))
    bodies.advance(WHO, at(40 * 60 + 20))
    assert bodies.tick_us(1) == T0_US + (40 * 60 + 20) * MINUTE_US
    assert bodies.hash(1) == folded(later, 40 * 60 + 20, (1,)).hash(1)


def test_an_arterial_line_counts_before_a_cuff_and_ticks_are_means() -> None:
    joint = taps(KESSEL, ["heart_rate", "mean_pressure"])
    journal = MemoryJournal()
    journal.commit(
        [
            row(1, "mean_pressure", T0_US, 90.0),
            row(1, "mean_pressure_arterial", T0_US + 1, 70.0),
            row(1, "mean_pressure_arterial", T0_US + 2, 74.0),
            row(1, "mean_pressure", T0_US + MINUTE_US, 88.0),
            row(1, "heart_rate", T0_US + MINUTE_US, 999.0, quality=2),
        ]
    )
    series = journal.series(1, start_us=T0_US, end_us=T0_US + HOUR_US)
    found = joint.values(series, T0_US // MINUTE_US, 3, MINUTE_US)
    np.testing.assert_array_equal(found, [[np.nan, 72.0], [np.nan, 88.0], [np.nan, np.nan]])


def test_volumes_one_after_the_other_run_in_whole() -> None:
    model = KESSEL.with_(inputs=(Input("infusion", "mL/s", 0.0, -20.0, 20.0, concept="crystalloid"),))
    joint = taps(model, ["heart_rate"])
    journal = MemoryJournal()
    journal.commit([row(1, "crystalloid", T0_US + k * 5 * MINUTE_US, 500.0) for k in range(2)])
    series = journal.series(1, start_us=T0_US, end_us=T0_US + HOUR_US)
    given, total = Given.none(model), 0.0
    for minute in range(60):
        now_us = T0_US + minute * MINUTE_US
        total += 60.0 * float(given.at(now_us, model.rest())[0])
        rows = series.take((series.occurred_us >= now_us) & (series.occurred_us < now_us + MINUTE_US))
        given = given.after(joint, rows, now_us + MINUTE_US)
    assert total == pytest.approx(1_000.0)
    assert given.lasting(joint, T0_US + 6 * MINUTE_US)[0] == 0.0


def test_a_corrected_weight_ends_being_outside() -> None:
    journal = MemoryJournal()
    journal.commit(vitals(1, range(20)))
    adults = KESSEL.with_(domain=lambda person: "too light" if person.weight_kg < 30 else "")
    bodies = Bodies(journal, Filter(adults, FILTER.observations, FILTER.settings))
    bodies.advance({1: Who("one", Person(weight_kg=5.0))}, at(20))
    light = bodies.posterior(1)
    assert light is not None and light.status == "outside"
    bodies.advance({1: Who("one", Person(weight_kg=70.0))}, at(20))
    mended = bodies.posterior(1)
    assert mended is not None and mended.status == "tracking"
    bodies.keep_only([])
    assert bodies.posterior(1) is None


def test_a_value_from_the_future_wakes_nobody() -> None:
    journal = MemoryJournal()
    journal.commit([*vitals(1, range(10)), row(1, "heart_rate", T0_US + 40 * HOUR_US, 80.0)])
    bodies = Bodies(journal, FILTER)
    calls = [bodies.advance(WHO, at(30 * 60), ticks_max=200) for _ in range(8)]
    assert calls[-2:] == [0, 0]


def test_what_is_given_holds_as_long_as_it_may_and_a_volume_runs_in() -> None:
    model = KESSEL.with_(
        inputs=(
            Input("infusion", "mL/s", 0.0, -20.0, 20.0, concept="crystalloid"),
            Input("inspired_oxygen_fraction", "1", 0.21, 0.1, 1.0),
        )
    )
    joint = taps(model, ["heart_rate"])
    journal = MemoryJournal()
    journal.commit([row(1, "crystalloid", T0_US, 900.0), row(1, "inspired_oxygen_fraction", T0_US + MINUTE_US, 0.5)])
    series = journal.series(1, start_us=T0_US, end_us=T0_US + HOUR_US)
    hold_s = VOCABULARY["inspired_oxygen_fraction"].valid_for_s
    given = Given.none(model).after(joint, series, T0_US + 2 * MINUTE_US)
    inside = given.at(T0_US + 2 * MINUTE_US, model.rest())
    np.testing.assert_allclose(inside, [900.0 / BOLUS_S, 0.5])
    after = given.at(T0_US + MINUTE_US + (hold_s + 1) * SECOND_US, model.rest())
    np.testing.assert_allclose(after, [0.0, 0.21])


def test_bodies_come_back_from_a_snapshot_as_they_were() -> None:
    rows = vitals(1, range(50)) + vitals(2, range(50), 110, 65)
    journal = MemoryJournal()
    journal.commit(rows)
    bodies = Bodies(journal, FILTER)
    bodies.advance(WHO, at(30))
    blob = body_snapshots.snapshot(bodies)
    again = Bodies(journal, FILTER)
    body_snapshots.restore(again, blob)
    assert again.tick_us(1) == T0_US + 30 * MINUTE_US
    again.advance(WHO, at(50))
    assert again.hash(1) == folded(rows, 50).hash(1)
    late = [row(1, "heart_rate", T0_US + 10 * MINUTE_US + SECOND_US, 140.0)]
    again.note(journal.commit(late))
    again.advance(WHO, at(50))
    assert again.hash(1) == folded(rows + late, 50).hash(1)
    with pytest.raises(SnapshotStale, match="digest"):
        body_snapshots.restore(Bodies(journal, FILTER), blob[:-1] + b"x")
    other = Filter(KESSEL, FILTER.observations, Settings(members=16))
    with pytest.raises(SnapshotStale, match="another"):
        body_snapshots.restore(Bodies(journal, other), blob)

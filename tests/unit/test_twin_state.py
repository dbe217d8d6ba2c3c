"""What a twin shows: freshness, trend, absence, the past, merges, snapshots and scores of its state."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from tests.support import limit_s
from tests.twin_support import HOUR_US, MINUTE_US, T0_US, MemoryJournal, Row, index
from vitruvian.core.errors import NotFoundError
from vitruvian.prediction.scores import score_views, scores_of
from vitruvian.twin import SnapshotStale, Twins, as_known, as_of, restore, snapshot, snapshots, state

SECOND_US = 1_000_000


def vital(name: str, at_us: int, value: float, *, pid: int = 0, known_us: int | None = None, quality: int = 0) -> Row:
    return (pid, index(name), at_us, at_us % 1009, at_us if known_us is None else known_us, value, quality)


def twins_of(*rows: Row) -> tuple[Twins, MemoryJournal]:
    journal = MemoryJournal()
    twins = Twins(journal)
    twins.apply(journal.commit(rows))
    return twins, journal


def test_a_value_ages_from_live_to_stale_to_expired_and_comes_back() -> None:
    rows = [vital("heart_rate", T0_US + i * 10 * SECOND_US, 70.0) for i in range(7)]
    twins, journal = twins_of(*rows)
    last_us = T0_US + 60 * SECOND_US

    def shown(age_s: float) -> tuple[str, float | None]:
        item = state(twins, 0, last_us + int(age_s * SECOND_US)).signal("heart_rate")
        assert item is not None
        return item.state, item.age_s

    assert shown(20.0) == ("live", 20.0)
    assert shown(21.0) == ("stale", 21.0)
    assert shown(3600.0)[0] == "stale"
    assert shown(3601.0)[0] == "expired"
    twins.apply(journal.commit([vital("heart_rate", last_us + 4000 * SECOND_US, 71.0)]))
    item = state(twins, 0, last_us + 4001 * SECOND_US).signal("heart_rate")
    assert item is not None
    assert (item.state, item.value, item.shown, item.unit) == ("live", 71.0, "71", "/min")


def test_the_cadence_is_the_sources_own() -> None:
    twins, _ = twins_of(*(vital("heart_rate", T0_US + i * HOUR_US, 70.0) for i in range(5)))
    item = state(twins, 0, T0_US + 5 * HOUR_US).signal("heart_rate")
    assert item is not None
    assert (item.cadence_s, item.state) == (3600.0, "live")


def test_what_was_never_measured_is_absent_never_zero() -> None:
    twins, _ = twins_of(vital("heart_rate", T0_US, 70.0))
    view = state(twins, 0, T0_US)
    item = view.signal("oxygen_saturation")
    assert item is not None
    assert (item.state, item.value, item.shown, item.age_s) == ("absent", None, "--", None)
    assert view.signal("lactate") is None


def test_the_view_is_json() -> None:
    twins, _ = twins_of(vital("heart_rate", T0_US, 70.0), vital("lactate", T0_US, 2.0))
    decoded = msgspec.json.decode(msgspec.json.encode(state(twins, 0, T0_US + MINUTE_US)))
    assert decoded["hash"] == twins.hash(0)
    assert {item["concept"] for item in decoded["signals"]} >= {"heart_rate", "lactate"}


def test_trends_are_per_hour_with_a_direction() -> None:
    rows = [vital("heart_rate", T0_US + i * 30 * MINUTE_US, 70.0 + 5.0 * i) for i in range(8)]
    rows += [vital("body_temperature", T0_US + i * 30 * MINUTE_US, 37.0) for i in range(8)]
    rows += [vital("lactate", T0_US, 4.0), vital("lactate", T0_US + 2 * HOUR_US, 1.0)]
    twins, _ = twins_of(*rows)
    view = state(twins, 0, T0_US + 4 * HOUR_US)
    found = {item.concept: (item.trend_per_hour, item.direction) for item in view.signals}
    assert found["heart_rate"] == (pytest.approx(10.0), "rising")
    assert found["body_temperature"] == (pytest.approx(0.0, abs=1e-6), "steady")
    assert found["lactate"] == (pytest.approx(-1.5), "falling")
    assert found["oxygen_saturation"] == (None, "")


def test_an_implausible_value_is_counted_and_not_taken() -> None:
    twins, _ = twins_of(vital("heart_rate", T0_US, 70.0), vital("heart_rate", T0_US + MINUTE_US, 900.0))
    view = state(twins, 0, T0_US + MINUTE_US)
    item = view.signal("heart_rate")
    assert item is not None
    assert (item.value, view.rejected) == (70.0, 1)


def test_as_of_and_as_known_differ_by_what_came_late() -> None:
    late = vital("potassium", T0_US, 6.9, known_us=T0_US + 2 * HOUR_US)
    _, journal = twins_of(
        vital("potassium", T0_US - 3 * HOUR_US, 4.0), late, vital("potassium", T0_US + 3 * HOUR_US, 5.0)
    )
    was = as_of(journal, 0, T0_US + HOUR_US)
    known = as_known(journal, 0, T0_US + HOUR_US)
    assert (was.basis, was.signal("potassium").value) == ("as-of", 6.9)  # type: ignore[union-attr]
    assert (known.basis, known.signal("potassium").value) == ("as-known", 4.0)  # type: ignore[union-attr]
    assert as_known(journal, 0, T0_US + 2 * HOUR_US).hash == as_of(journal, 0, T0_US + 2 * HOUR_US).hash


def test_now_as_of_now_is_the_live_state() -> None:
    twins, journal = twins_of(*(vital("heart_rate", T0_US + i * MINUTE_US, 60.0 + i) for i in range(9)))
    now_us = T0_US + HOUR_US
    assert as_of(journal, 0, now_us).hash == state(twins, 0, now_us).hash
    assert msgspec.structs.replace(as_of(journal, 0, now_us), basis="live") == state(twins, 0, now_us)


def test_a_merge_frees_the_row_and_can_be_undone() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    first = [vital("heart_rate", T0_US + i * MINUTE_US, 60.0, pid=1) for i in range(0, 6, 2)]
    second = [vital("heart_rate", T0_US + i * MINUTE_US, 90.0, pid=2) for i in range(1, 6, 2)]
    twins.apply(journal.commit(first))
    twins.apply(journal.commit(second))
    apart = twins.hash(1), twins.hash(2)
    journal.merged[2] = 1
    touched = twins.apply(journal.commit([], rebuild=[1, 2]))
    assert touched.tolist() == [1]
    assert 2 not in twins and len(twins) == 1
    with pytest.raises(NotFoundError):
        twins.hash(2)
    both = MemoryJournal()
    merged = Twins(both)
    merged.apply(both.commit([(1, *row[1:]) for row in (*first, *second)]))
    assert twins.hash(1) == merged.hash(1)
    del journal.merged[2]
    twins.apply(journal.commit([], rebuild=[1, 2]))
    assert (twins.hash(1), twins.hash(2)) == apart


def test_demographics_are_part_of_the_state() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    twins.apply(journal.commit([vital("heart_rate", T0_US, 70.0)]))
    before = twins.hash(0)
    journal.people[0] = SimpleNamespace(birth_us=T0_US - 40 * 365 * 24 * HOUR_US, sex="female")
    twins.apply(journal.commit([], visits=[0]))
    assert twins.hash(0) != before
    assert state(twins, 0, T0_US).sex == "female"


def test_an_admitted_patient_has_a_twin_before_the_first_value() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    assert twins.apply(journal.commit([], visits=[5])).tolist() == [5]
    assert {item.state for item in state(twins, 5, T0_US).signals} == {"absent"}


def test_rows_are_reused() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    for pid in range(1, 300):
        twins.apply(journal.commit([vital("heart_rate", T0_US, 70.0, pid=pid)]))
        twins.drop([pid])
    assert len(twins) == 0 and twins.tracker.rows <= 64


def test_a_snapshot_of_another_vocabulary_or_a_damaged_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twins, journal = twins_of(vital("heart_rate", T0_US, 70.0))
    kept = snapshot(twins)
    assert restore(kept, journal).hash(0) == twins.hash(0)
    with pytest.raises(SnapshotStale, match="digest"):
        restore(kept[:-1] + bytes([kept[-1] ^ 1]), journal)
    monkeypatch.setattr(snapshots, "VOCABULARY", SimpleNamespace(version="0.9.9+other"))
    with pytest.raises(SnapshotStale, match=r"0\.9\.9"):
        restore(kept, journal)


def test_scores_of_twins_see_only_what_is_valid() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    values = {
        "respiratory_rate": 26.0, "oxygen_saturation": 90.0, "oxygen_supplementation": 1.0, "systolic_pressure": 85.0,
        "heart_rate": 135.0, "consciousness": 2.0, "body_temperature": 39.5,
    }  # fmt: skip
    twins.apply(journal.commit([vital(name, T0_US, value, pid=3) for name, value in values.items()]))
    twins.apply(journal.commit([vital("heart_rate", T0_US, 70.0, pid=4)]))
    scored = scores_of(twins, [3, 4], T0_US + MINUTE_US)
    assert scored.news2.value[0] == 19
    assert np.isnan(scored.news2.value[1])
    later = score_views(twins, 3, T0_US + 2 * HOUR_US, journal)[0]
    assert (later.name, later.at_least) == ("news2", 7.0)
    assert set(later.missing) == {"respiration", "oxygen_saturation", "systolic_pressure", "pulse"}


def test_urine_counts_only_when_a_whole_day_was_charted() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    now_us = T0_US + 24 * HOUR_US
    hourly = [vital("urine_output", T0_US + i * HOUR_US + MINUTE_US, 10.0) for i in range(24)]
    twins.apply(journal.commit(hourly[12:]))
    renal = score_views(twins, 0, now_us, journal)[2].parts[5]
    assert (renal.name, renal.points) == ("renal", None)
    twins.apply(journal.commit(hourly[:12]))
    assert score_views(twins, 0, now_us, journal)[2].parts[5].points == 3


def test_ten_thousand_twins_are_scored_in_time() -> None:
    import time

    journal = MemoryJournal()
    twins = Twins(journal)
    twins._rows_for(np.arange(10_000))
    rng = np.random.default_rng(1)
    twins.tracker.last_value[:10_000] = rng.uniform(20, 140, (10_000, twins.tracker.last_value.shape[1]))
    twins.tracker.last_us[:10_000] = T0_US
    pids = np.arange(10_000)
    times_ms = []
    for _ in range(5):
        started = time.perf_counter()
        scores_of(twins, pids, T0_US + MINUTE_US)
        times_ms.append((time.perf_counter() - started) * 1000)
    print(f"{min(times_ms):.1f} ms")
    assert min(times_ms) < limit_s(0.100) * 1e3  # the bar is 20 ms on a quiet machine; the benchmark states it


def test_a_concept_of_a_newer_vocabulary_is_passed_over() -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    twins.apply(journal.commit([(0, 32_000, T0_US, 1, T0_US, 1.0, 0), vital("heart_rate", T0_US, 70.0)]))
    alone, _ = twins_of(vital("heart_rate", T0_US, 70.0))
    assert twins.hash(0) == alone.hash(0)


@pytest.mark.parametrize("failing", ["series", "patient_of", "survivor"])
def test_a_commit_that_could_not_be_taken_is_made_good_by_the_next(
    failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = MemoryJournal()
    twins = Twins(journal)
    rows = [vital("heart_rate", T0_US + i * MINUTE_US, 60.0 + i) for i in (0, 2)]
    late = vital("heart_rate", T0_US + MINUTE_US, 66.0)
    other = vital("heart_rate", T0_US, 70.0, pid=1)
    last = vital("heart_rate", T0_US, 90.0, pid=2)
    twins.apply(journal.commit(rows))

    def broken(*_: object, **__: object) -> None:
        raise OSError("the disk cannot be read")

    with monkeypatch.context() as patch:
        patch.setattr(journal, failing, broken)
        with pytest.raises(OSError, match="disk"):
            twins.apply(journal.commit([late, other], rebuild=[1]))
    assert twins.apply(journal.commit([last])).tolist() == [0, 1, 2]
    good = MemoryJournal()
    expected = Twins(good)
    expected.apply(good.commit([*rows, late, other, last]))
    assert [twins.hash(pid) for pid in range(3)] == [expected.hash(pid) for pid in range(3)]

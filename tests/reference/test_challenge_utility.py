"""The Challenge's utility against its own definition, worked out by hand and by a plain loop over hours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support import require_data
from vitruvian.prediction.measure.utility import HourValues, best_threshold, hour_values, normalized_utility


def stay(hours: int, label_from: int | None) -> tuple[np.ndarray, np.ndarray]:
    label = np.zeros(hours, np.int8)
    if label_from is not None:
        label[label_from:] = 1
    return np.zeros(hours, np.int64), label


def test_a_septic_stay_hour_by_hour() -> None:
    """Label from hour 14, so sepsis at hour 20; values at -20, -12, -9, -6, -3, 0, +3 h and later."""
    values = hour_values(*stay(30, 14))
    hours = [0, 8, 11, 14, 17, 20, 23, 24, 29]
    assert values.alarm[hours] == pytest.approx([-0.05, 0, 0.5, 1, 2 / 3, 1 / 3, 0, 0, 0])
    assert values.silence[hours] == pytest.approx([0, 0, 0, 0, -2 / 3, -4 / 3, -2, 0, 0])
    # Best: alarm from -12 h to +3 h. Rising 0, 1/6 ... 5/6, then 1 falling to 0 in ninths.
    assert values.best.sum() == pytest.approx(2.5 + 5.0)
    assert values.silence.sum() == pytest.approx(-2 * sum(range(10)) / 9)


def test_a_stay_without_sepsis() -> None:
    values = hour_values(*stay(10, None))
    assert values.alarm.tolist() == [-0.05] * 10
    assert not values.silence.any()
    assert not values.best.any()


def test_no_alarm_is_0_the_best_is_1_and_always_alarming_is_as_worked_out() -> None:
    patient = np.repeat([0, 1], [30, 10])
    label = np.concatenate([stay(30, 14)[1], stay(10, None)[1]])
    values = hour_values(patient, label)
    assert normalized_utility(values, np.zeros(40, bool)) == 0
    best = np.zeros(40, bool)
    best[8:24] = True
    assert normalized_utility(values, best) == 1
    # Always: 8 hours too early and 10 in the other patient at -0.05 each, everything else as the best.
    possible = 7.5 + 10
    assert normalized_utility(values, np.ones(40, bool)) == pytest.approx((possible - 18 * 0.05) / possible)


def test_a_cohort_without_sepsis_has_nothing_to_win() -> None:
    assert np.isnan(normalized_utility(hour_values(*stay(5, None)), np.ones(5, bool)))


def plain(label: list[int], alarms: list[bool]) -> float:
    """The definition as a loop over one stay's hours (Reyna 2020, table of rewards)."""
    septic = 1 in label
    t_sepsis = label.index(1) + 6 if septic else None
    total = 0.0
    for t, alarm in enumerate(alarms):
        if t_sepsis is None:
            total += -0.05 if alarm else 0.0
            continue
        since = t - t_sepsis
        if since > 3:
            continue
        if alarm:
            total += max((since + 12) / 6, -0.05) if since <= -6 else (3 - since) / 9
        elif since > -6:
            total += -2 * (since + 6) / 9
    return total


@st.composite
def cohorts(draw: st.DrawFn) -> list[tuple[list[int], list[bool]]]:
    stays = []
    for _ in range(draw(st.integers(1, 5))):
        hours = draw(st.integers(1, 40))
        first = draw(st.one_of(st.none(), st.integers(0, hours - 1)))
        label = [int(first is not None and t >= first) for t in range(hours)]
        stays.append((label, draw(st.lists(st.booleans(), min_size=hours, max_size=hours))))
    return stays


def columns(stays: list[tuple[list[int], list[bool]]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    patient = np.repeat(np.arange(len(stays)), [len(label) for label, _ in stays])
    label = np.concatenate([label for label, _ in stays]).astype(np.int8)
    return patient, label, np.concatenate([alarms for _, alarms in stays])


@given(cohorts())
def test_the_vectorised_scorer_agrees_with_the_loop(stays: list[tuple[list[int], list[bool]]]) -> None:
    patient, label, alarms = columns(stays)
    values = hour_values(patient, label)
    mine = float(np.where(alarms, values.alarm, values.silence).sum())
    assert mine == pytest.approx(sum(plain(*each) for each in stays), abs=1e-9)


@given(cohorts(), st.integers(0, 2**31))
def test_the_best_threshold_is_the_best_of_all_thresholds(stays: list[tuple[list[int], list[bool]]], seed: int) -> None:
    patient, label, _ = columns(stays)
    values = hour_values(patient, label)
    if not label.any():
        return
    score = np.random.default_rng(seed).integers(0, 6, label.size) / 5  # ties on purpose
    threshold, utility = best_threshold(values, score)
    assert normalized_utility(values, score >= threshold) == pytest.approx(utility)
    assert utility == pytest.approx(max(normalized_utility(values, score >= cut) for cut in np.unique(score)))


@pytest.mark.data
def test_facts_of_set_a() -> None:
    """No alarm is 0 and the best is 1 on all 790,215 hours, of whose patients 1,790 have sepsis."""
    import polars as pl

    table = pl.read_parquet(require_data("physionet2019/training_setA.parquet"), columns=["patient", "SepsisLabel"])
    patient = table["patient"].cast(pl.String).rle_id().to_numpy().astype(np.int64)
    label = table["SepsisLabel"].to_numpy().astype(np.int8)
    values: HourValues = hour_values(patient, label)
    assert np.unique(patient[label > 0]).size == 1790
    assert normalized_utility(values, np.zeros(label.size, bool)) == 0
    assert normalized_utility(values, values.best == values.alarm) == pytest.approx(1)
    assert normalized_utility(values, label > 0) > 0.5

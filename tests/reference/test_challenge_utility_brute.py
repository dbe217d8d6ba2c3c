"""The Challenge's utility against a brute-force scorer: one patient, one hour, one decision at a time.

Written from the definition alone (Reyna 2020, Crit Care Med 48:210-217): four corners joined by straight lines, and the
best possible decisions found by trying both at every hour rather than by knowing where they lie.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from vitruvian.prediction.measure.utility import hour_values, normalized_utility

CASES = 2_000
# Hours from t_sepsis and what a decision is worth there; straight lines between.
ALARM = ((Fraction(-12), Fraction(0)), (Fraction(-6), Fraction(1)), (Fraction(3), Fraction(0)))
SILENCE = ((Fraction(-6), Fraction(0)), (Fraction(3), Fraction(-2)))
TOO_EARLY = FALSE_ALARM = Fraction(-1, 20)


def along(corners: tuple[tuple[Fraction, Fraction], ...], at: Fraction) -> Fraction:
    for (x0, y0), (x1, y1) in pairwise(corners):
        if x0 <= at <= x1:
            return y0 + (y1 - y0) * (at - x0) / (x1 - x0)
    raise AssertionError("outside the corners")


def worth(label: list[int], t: int, alarm: bool) -> Fraction:
    """What one decision at hour `t` of one patient is worth, exactly."""
    if 1 not in label:
        return FALSE_ALARM if alarm else Fraction(0)
    since = Fraction(t - (label.index(1) + 6))
    if since > 3:
        return Fraction(0)
    if alarm:
        return TOO_EARLY if since < -12 else max(along(ALARM, since), TOO_EARLY)
    return Fraction(0) if since < -6 else along(SILENCE, since)


def brute(stays: list[tuple[list[int], list[bool]]]) -> float:
    """0 for silence, 1 for the best decisions. The Challenge's best alarms in each hour from -12 to +3 h."""
    got = silent = best = Fraction(0)
    for label, alarms in stays:
        for t, alarm in enumerate(alarms):
            got += worth(label, t, alarm)
            silent += worth(label, t, False)
            best += max(worth(label, t, False), worth(label, t, True))
    return float((got - silent) / (best - silent))


def random_stays(random: np.random.Generator, case: int) -> list[tuple[list[int], list[bool]]]:
    """Some stays with every odd one among them: of one hour, septic from the first or only in the last, all alarms."""
    stays = []
    for place in range(int(random.integers(1, 7))):
        hours = int(random.choice([1, 2, 5, 9, 16, 30, 70]))
        kind = random.integers(0, 4) if place or case % 2 else random.integers(1, 4)
        first = {0: None, 1: 0, 2: hours - 1, 3: int(random.integers(0, hours))}[int(kind)]
        label = [int(first is not None and t >= first) for t in range(hours)]
        share = random.choice([0.0, 0.1, 0.5, 1.0])
        stays.append((label, (random.random(hours) < share).tolist()))
    return stays


def test_the_scorer_agrees_with_brute_force_in_every_case() -> None:
    random = np.random.default_rng(20_200_210)
    worst, scored, first_hour, of_one_hour, all_alarms = 0.0, 0, 0, 0, 0
    for case in range(CASES):
        stays = random_stays(random, case)
        if not any(1 in label for label, _ in stays):
            continue
        patient = np.repeat(np.arange(len(stays)), [len(label) for label, _ in stays])
        label = np.concatenate([each for each, _ in stays]).astype(np.int8)
        alarms = np.concatenate([each for _, each in stays]).astype(np.bool_)
        found = normalized_utility(hour_values(patient, label), alarms)
        worst = max(worst, abs(found - brute(stays)))
        scored += 1
        first_hour += any(each[0] == 1 for each, _ in stays)
        of_one_hour += any(len(each) == 1 for each, _ in stays)
        all_alarms += bool(alarms.all())
    assert scored >= 1_000
    assert min(first_hour, of_one_hour, all_alarms) > 50, "the odd cases must be among them"
    assert worst <= 1e-9


@pytest.mark.parametrize(("hours", "first"), [(1, 0), (3, 0), (40, 0), (40, 39), (13, 6)])
def test_best_is_one_and_silence_is_nought(hours: int, first: int) -> None:
    label = (np.arange(hours) >= first).astype(np.int8)
    values = hour_values(np.zeros(hours, np.int64), label)
    assert normalized_utility(values, np.zeros(hours, np.bool_)) == 0
    assert normalized_utility(values, values.alarm >= values.silence) == pytest.approx(1, abs=1e-12)

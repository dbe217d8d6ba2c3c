"""Fitting with whole concepts hidden by patient."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError
from vitruvian.prediction.families.base import Fitted, Goal, Say
from vitruvian.prediction.inputs.table import Table
from vitruvian.prediction.recipes.sepsis.features import HABITS, PATIENT
from vitruvian.prediction.recipes.sepsis.masked import MaskedFamily, Masking, concept_of, masked
from vitruvian.signals.derived import DERIVED
from vitruvian.signals.features import VITALS

NAMES = (
    *("lactate", "lactate_age_h", "lactate_stay_max", "heart_rate", "heart_rate_min_24h"),
    *("sirs", "age_years", "tests"),
)
PATIENTS, HOURS = 4_000, 3


def values() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(PATIENTS * HOURS, len(NAMES))).astype(np.float32)


def stays() -> NDArray[np.int64]:
    return np.repeat(np.arange(PATIENTS), HOURS)


@pytest.mark.parametrize(
    ("feature", "concept"),
    [
        ("oxygen_saturation_arterial_age_h", "oxygen_saturation_arterial"),
        ("oxygen_saturation_min_24h", "oxygen_saturation"),
        ("bilirubin_direct", "bilirubin_direct"),
        ("creatinine_stay_last", "creatinine"),
        ("bun_creatinine", None),
        ("pulse_pressure", None),
        ("age_years", None),
        ("tests_per_day", None),
        ("hospital_before_icu_h", None),
    ],
)
def test_a_feature_belongs_to_what_it_is_made_of(feature: str, concept: str | None) -> None:
    assert concept_of(feature) == concept


def test_every_column_of_the_patient_is_of_a_concept_or_of_several_or_of_the_person() -> None:
    alone = {name for name in PATIENT if concept_of(name) is None}
    assert alone <= {*DERIVED, "age_years", "male"}
    assert not [name for name in HABITS if concept_of(name)]


def test_a_concept_is_hidden_whole_and_for_a_whole_stay() -> None:
    hidden = np.isnan(masked(values(), NAMES, stays(), Masking()))
    by_stay = hidden.reshape(PATIENTS, HOURS, len(NAMES))
    assert (by_stay == by_stay[:, :1]).all()
    for columns in ((0, 1, 2), (3, 4)):
        assert (hidden[:, columns] == hidden[:, columns[:1]]).all()
    assert not hidden[:, 6:].any()  # neither the person nor the care


def test_concepts_are_hidden_as_often_as_asked_and_apart_from_each_other() -> None:
    hidden = np.isnan(masked(values(), NAMES, stays(), Masking(0.3, 0.15)))[::HOURS]
    share = hidden.mean(axis=0)
    assert share[0] == pytest.approx(0.3, abs=0.03)
    assert share[3] == pytest.approx(0.15, abs=0.03)
    assert share[5] == pytest.approx(0.3, abs=0.03)
    assert (hidden[:, 0] & hidden[:, 3]).mean() == pytest.approx(0.045, abs=0.015)


def test_what_is_left_is_untouched_and_the_same_seed_hides_the_same() -> None:
    given = values()
    kept = given.copy()
    once, again = (masked(given, NAMES, stays(), Masking()) for _ in range(2))
    np.testing.assert_array_equal(given, kept)
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(once[~np.isnan(once)], given[~np.isnan(once)])
    assert (np.isnan(masked(given, NAMES, stays(), Masking(seed=6))) != np.isnan(once)).any()


@dataclass
class Seen:
    """Stands for a family; keeps what it is given."""

    name: str = "seen"
    told: list[tuple[Table, Goal]] = field(default_factory=list)

    def fit(
        self, table: Table, features: tuple[str, ...], goal: Goal, *, seed: int, say: Say, kept: Path | None = None
    ) -> Fitted:
        self.told.append((table, goal))
        return None  # type: ignore[return-value]


def test_only_training_rows_are_masked_and_rows_keep_their_goal() -> None:
    patient = stays()
    count = patient.size
    empty = np.zeros((count, len(VITALS)), np.float32)
    table = Table(
        NAMES, values(), empty, empty, patient, np.tile(np.arange(HOURS), PATIENTS),
        (patient % 2).astype(np.int8), np.ones(count, np.bool_), 0, 0,
    )  # fmt: skip
    goal = Goal(
        np.arange(count) / count, np.ones(count), np.flatnonzero(patient % 5 < 3), np.flatnonzero(patient % 5 == 3)
    )
    seen, features = Seen(), ("heart_rate", "lactate", "age_years")
    MaskedFamily(seen).fit(table, features, goal, seed=0, say=lambda _: None)
    part, mine = seen.told[0]
    assert part.names == features
    valid = table.values[np.ix_(goal.valid, table.columns(features))]
    np.testing.assert_array_equal(part.values[mine.valid], valid)
    assert np.isnan(part.values[mine.train][:, 1]).mean() == pytest.approx(0.3, abs=0.03)
    np.testing.assert_array_equal(mine.target[mine.train], goal.target[goal.train])
    np.testing.assert_array_equal(part.patient[mine.train], patient[goal.train])
    assert not np.isnan(table.values).any()  # the table that others read is as it was


@pytest.mark.parametrize("shares", [(1.0, 0.1), (-0.1, 0.1), (0.1, 1.5)])
def test_shares_that_leave_nothing_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(ConfigurationError, match="expected 0 or more"):
        Masking(*shares)

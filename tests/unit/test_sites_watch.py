"""Drift and quality of data: what is put in is found, and what is not there is not."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.risk_support import simulated
from vitruvian.core.errors import LimitError, ModelError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import ORIGIN_US, Cohort, Samples
from vitruvian.prediction.inputs.table import Table, table_of
from vitruvian.prediction.sites.adaptive import Window, step
from vitruvian.prediction.sites.drift import column_drift, drift, reference_of
from vitruvian.prediction.sites.pages import drift_sections, quality_sections, tidy
from vitruvian.prediction.sites.quality import UNITS, quality_of, suspected_unit

NAMES = ("heart_rate", "lactate", "age_years", "creatinine", "sirs")


def changed(cohort: Cohort, concept: str, value: NDArray[np.float64] | None = None, **columns: object) -> Cohort:
    """The cohort with other values of a concept, or with other columns of all samples."""
    took = cohort.samples
    if value is not None:
        mine = took.concept == VOCABULARY[concept].index
        full = took.value.copy()
        full[mine] = value
        took = replace(took, value=full)
    return replace(cohort, samples=replace(took, **columns))  # type: ignore[arg-type]


def of(cohort: Cohort, concept: str) -> NDArray[np.float64]:
    """Values of a concept."""
    found: NDArray[np.float64] = cohort.samples.value[cohort.samples.concept == VOCABULARY[concept].index]
    return found


# --- drift -------------------------------------------------------------------


@pytest.fixture(scope="module")
def home() -> Table:
    return table_of(simulated(400, 0), NAMES)


def test_the_same_patients_do_not_drift_and_others_hardly(home: Table) -> None:
    reference = json.loads(json.dumps(reference_of(home), allow_nan=False))
    same = drift(reference, home)
    assert max(one["psi"] for one in same["features"]) < 1e-3
    assert max(one["ks"] for one in same["features"]) < 0.02
    other = drift(reference, table_of(simulated(400, 1), NAMES))
    assert other["counts"]["large"] == 0


def test_a_shift_and_a_gap_are_found(home: Table) -> None:
    reference = reference_of(home)
    away = simulated(400, 1)
    shifted = changed(away, "heart_rate", of(away, "heart_rate") + 40)
    found = {one["feature"]: one for one in drift(reference, table_of(shifted, NAMES))["features"]}
    assert found["heart_rate"]["level"] == "large" and found["heart_rate"]["ks"] > 0.5
    assert found["heart_rate"]["out_of_range"] > 0.1
    assert found["lactate"]["level"] == "stable"
    took = away.samples
    kept = took.concept != VOCABULARY["lactate"].index
    without = replace(away, samples=Samples(*(getattr(took, name)[kept] for name in Samples.__slots__)))
    gone = {one["feature"]: one for one in drift(reference, table_of(without, NAMES))["features"]}
    assert gone["lactate"]["missing"] == 1.0 and gone["lactate"]["level"] == "large"
    assert gone["lactate"]["missing_change"] > 0.4


def test_the_stability_index_against_its_definition() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(size=50_000), random.normal(0.5, 1.2, 50_000)
    kept = reference_of(_table(a))["features"]["x"]
    edges = np.quantile(a, np.linspace(0.1, 0.9, 9))
    shares = [np.bincount(np.searchsorted(edges, one, side="right"), minlength=10) / one.size for one in (a, b)]
    expected = ((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum()
    found = column_drift(kept, b)
    assert found["psi"] == pytest.approx(expected, rel=1e-3)
    grid = np.sort(np.concatenate([a, b]))
    true = np.abs(
        np.searchsorted(np.sort(a), grid, side="right") - np.searchsorted(np.sort(b), grid, side="right")
    ).max()
    assert true / 50_000 - 0.05 <= found["ks"] <= true / 50_000 + 1e-3


def test_a_column_of_few_values_does_not_drift_against_itself() -> None:
    """Quantiles of a count fall together, as of points of a score."""
    random = np.random.default_rng(0)
    count = random.choice([0.0, 1.0, 2.0, 3.0], 20_000, p=[0.7, 0.2, 0.07, 0.03])
    found = column_drift(reference_of(_table(count))["features"]["x"], random.permutation(count))
    assert found["psi"] < 1e-6 and found["ks"] < 0.05
    other = column_drift(reference_of(_table(count))["features"]["x"], np.where(count == 0, 1.0, count))
    assert other["level"] == "large"


def test_what_was_never_measured_at_home_and_is_here() -> None:
    found = column_drift(reference_of(_table(np.full(1000, np.nan)))["features"]["x"], np.ones(1000))
    assert found["level"] == "large" and found["missing"] == 0.0


def test_too_few_rows_and_no_reference_are_refused(home: Table) -> None:
    with pytest.raises(ModelError, match="without a reference"):
        drift({}, home)
    with pytest.raises(ModelError, match="found 5 rows"):
        drift(reference_of(home), home, np.arange(5))


def _table(column: NDArray[np.float64]) -> Table:
    count = column.size
    zeros = np.zeros((count, 7), np.float32)
    whole = np.arange(count)
    scored = np.ones(count, np.bool_)
    return Table(("x",), column[:, None].astype(np.float32), zeros, zeros, whole, whole * 0, whole > 0, scored, 0, 0)  # type: ignore[arg-type]


def test_a_window_grows_while_nothing_changes_and_forgets_what_changed() -> None:
    random = np.random.default_rng(0)
    window, cuts = Window(), []
    for number, value in enumerate(np.append(random.random(2_000) < 0.1, random.random(2_000) < 0.3)):
        window, moved = step(window, float(value))
        if moved:
            cuts.append(number)
    assert cuts and 2_000 <= cuts[0] < 2_250, "noticed within 250 numbers, and not before it changed"
    assert window.mean == pytest.approx(0.3, abs=0.05)
    assert len(window.buckets) < 80, "memory grows with the logarithm"


def test_chance_alone_seldom_cuts_a_window() -> None:
    cut = 0
    for seed in range(20):
        random, window = np.random.default_rng(seed), Window()
        for value in random.random(1_000):
            window, _ = step(window, float(value))
        cut += window.cuts
        assert window.cuts or window.count == 1_000
    assert cut <= 2
    with pytest.raises(LimitError, match=r"found 1\.5"):
        step(Window(), 1.5)


# --- quality -----------------------------------------------------------------


def report(cohort: Cohort) -> dict[str, object]:
    return quality_of(cohort.samples, cohort.patients, cohort.patient.size, data=cohort.data)


def test_clean_data_raise_no_suspicion_of_units_or_values() -> None:
    found = report(simulated(200, 0))
    assert [one for one in found["suspicions"] if "never measured" not in one] == []  # type: ignore[attr-defined]
    assert found["duplicates"] == 0 and found["in_order"] is None
    rows = {one["concept"]: one for one in found["concepts"]}  # type: ignore[attr-defined]
    assert rows["heart_rate"]["coverage"] == 1.0 and 0.9 < rows["heart_rate"]["hours"] <= 1.0
    assert json.dumps(tidy(found), allow_nan=False) and quality_sections(found)[1][2]


@pytest.mark.parametrize("concept", sorted(UNITS))
def test_a_wrong_unit_is_suspected_and_the_right_one_is_not(concept: str) -> None:
    usual, units = UNITS[concept]
    random = np.random.default_rng(0)
    spread = 0.015 if concept in ("body_temperature", "oxygen_saturation") else 0.25
    values = usual * np.exp(random.normal(0, spread, 2_000))
    assert suspected_unit(concept, values) == (None, 0.0)
    for unit in units:
        said, share = suspected_unit(concept, values * unit.factor + unit.offset)
        assert said == unit.unit and share > 0.5


def test_units_that_are_mixed_are_suspected() -> None:
    cohort = simulated(200, 0)
    value = of(cohort, "body_temperature")
    value[::4] = value[::4] * 1.8 + 32
    said = report(changed(cohort, "body_temperature", value))["suspicions"]
    assert any(one.startswith("body_temperature: 25% of values look like [degF]") for one in said)  # type: ignore[attr-defined]
    assert any("values are implausible" in one for one in said)  # type: ignore[attr-defined]


def test_duplicates_gaps_flat_lines_and_the_silent() -> None:
    index = VOCABULARY["heart_rate"].index
    hours = np.array([0, 1, 2, 3, 4, 5, 6, 7, 30, 31, 31, 32, 32])
    value = np.array([80.0] * 8 + [90, 91, 91, 92, 99])
    samples = Samples(np.zeros(13, np.int64), np.full(13, index), ORIGIN_US + hours * HOUR_US, value)
    found = quality_of(samples, 2, 66, in_order=False)
    assert (found["duplicates"], found["contradictions"]) == (2, 1)
    assert found["gaps"] == {"longer_than_h": 12, "count": 1, "patients": 1}
    assert found["concepts"][0]["flat"] == 1, "eight hours at 80"
    assert found["patients_without_samples"] == 1
    said = " ".join(found["suspicions"])
    for words in ("contradict another", "1 patients have no sample", "not in time's order", "without any change"):
        assert words in said


def test_drift_has_a_page() -> None:
    cohort = simulated(200, 0)
    told = {"data": "here", **drift(reference_of(table_of(cohort, NAMES)), table_of(cohort, NAMES))}
    assert "5 stable" in drift_sections(told)[0][3]

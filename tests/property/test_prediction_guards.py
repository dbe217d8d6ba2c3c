"""Guards against leakage that fail the build: the future, shuffled labels, patients on two sides, batch and stream.

Quick ones run on simulated patients; the same on the reference data and at full counts are marked `long`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from tests import mimic_cohort
from tests.risk_support import recipe_of, simulated, train_small
from tests.support import require_data
from vitruvian.core.errors import ModelError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import ORIGIN_US, Cohort, Samples
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.inputs.blocks import Asked, columns, known_names
from vitruvian.prediction.inputs.hours import CONTEXT_H, window
from vitruvian.prediction.inputs.table import table_of, windows
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.serve.bundle import FILE, Bundle, shipped
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import TASKS
from vitruvian.prediction.training.crossfit import FOLDS, folds
from vitruvian.prediction.training.fitting import fit, one_thread
from vitruvian.prediction.training.parts import split_parts
from vitruvian.prediction.training.pipeline import refuse_leak
from vitruvian.signals.tracker import Tracker

CUT_H: Final = 9
FORMS: Final = ("simulated", "mimic-iv")
SHIPPED: Final = sorted(name for name in TASKS if (shipped(name) / FILE).is_file())
REAL: Final = ("physionet2019", "physionet2012", "icu_demo")


def first_alone(names: Sequence[str]) -> list[Any]:
    """The first in the bounded run, the others in the long one: the same code on other data."""
    return [pytest.param(name, marks=[pytest.mark.long] if place else []) for place, name in enumerate(names)]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Members that read a row, hours with a carried state, and a window of hours."""
    return train_small(tmp_path_factory.mktemp("bundle"), simulated(), sequence=True)[0]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mimic_cohort.write(tmp_path_factory.mktemp("mimic"))


def cohort_of(form: str, hospital: Path) -> Cohort:
    return simulated(60, 9) if form == "simulated" else open_cohort("aki", hospital)


@cache
def real_cohort(folder: str) -> Cohort:
    """Some patients of a public set, in the form it is published in."""
    name = {"physionet2019": "sepsis", "physionet2012": "mortality", "icu_demo": "aki"}[folder]
    return open_cohort(name, require_data(folder)).of(np.arange(300))


def with_other_future(cohort: Cohort, cut_h: int, seed: int = 0) -> Cohort:
    """The same patients until hour `cut_h`, and after it other values, more of them, of all concepts, other labels."""
    random = np.random.default_rng(seed)
    took = cohort.samples
    past = took.at_us <= ORIGIN_US + cut_h * HOUR_US
    many = 20 * cohort.patients
    every = np.array([concept.index for concept in VOCABULARY], np.int64)
    added = Samples(
        random.integers(0, cohort.patients, many),
        random.choice(every, many),
        ORIGIN_US + cut_h * HOUR_US + random.integers(1, 60 * HOUR_US, many),
        random.uniform(0, 300, many),
    )
    columns_ = [np.concatenate([getattr(took, name)[past], getattr(added, name)]) for name in Samples.__slots__]
    order = np.lexsort((columns_[2], columns_[0]))
    samples = Samples(*(column[order] for column in columns_))
    label = np.where(cohort.hour > cut_h, 1 - cohort.label, cohort.label).astype(np.int8)
    return replace(cohort, samples=samples, label=label)


def bits(values: NDArray[np.generic]) -> bytes:
    """A copy's bytes: NaN equals NaN whatever its sign (which depends on the processor's lanes), 0.0 is not -0.0."""
    kept = np.ascontiguousarray(values)
    if np.issubdtype(kept.dtype, np.floating):
        kept = np.where(np.isnan(kept), np.array(np.nan, kept.dtype), kept)
    return kept.tobytes()


def same_until(first: Cohort, second: Cohort, cut_h: int, bundle: Bundle) -> None:
    """Every known column, the hours that sequences read, and every variant's risk: equal to the bit up to the hour."""
    names = known_names()
    early = np.flatnonzero(first.hour <= cut_h)
    late = np.flatnonzero(first.hour > cut_h)
    assert early.size and late.size
    tables = [table_of(cohort, names) for cohort in (first, second)]
    assert bits(tables[0].values[early]) == bits(tables[1].values[early])
    assert bits(windows(tables[0], early)) == bits(windows(tables[1], early))
    assert bits(tables[0].values[late]) != bits(tables[1].values[late]), "the future did change"
    for variant in bundle.told["variants"]:
        predictor = Predictor(bundle, variant)
        risks = [predictor.over(table, early) for table in tables]
        for name in ("probability", "low", "high", "member_probability", "contributions", "reason"):
            assert bits(getattr(risks[0], name)) == bits(getattr(risks[1], name)), (variant, name)


@pytest.mark.parametrize("form", FORMS)
def test_what_comes_after_an_hour_leaves_its_risk_bit_equal(form: str, bundle: Bundle, hospital: Path) -> None:
    cohort = cohort_of(form, hospital)
    assert {row["kind"] for row in bundle.told["members"]} == {"row", "recurrent", "window"}
    for cut_h in (3, CUT_H):
        same_until(cohort, with_other_future(cohort, cut_h), cut_h, bundle)


@pytest.mark.data
@pytest.mark.parametrize("folder", first_alone(REAL))
def test_the_same_on_published_sets(folder: str, bundle: Bundle) -> None:
    cohort = real_cohort(folder).of(np.arange(60))
    cut_h = int(cohort.hour.min()) + CUT_H
    same_until(cohort, with_other_future(cohort, cut_h), cut_h, bundle)


@pytest.mark.parametrize("name", first_alone(sorted(SHIPPED, reverse=True)))
def test_the_same_with_the_shipped_models(name: str) -> None:
    cohort = simulated(40, 9)
    same_until(cohort, with_other_future(cohort, CUT_H), CUT_H, Bundle.read(shipped(name)))


# --- batch and stream --------------------------------------------------------


def streamed(cohort: Cohort, names: tuple[str, ...], patients: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Each row of some patients as the ward makes it: one sample at a time into a tracker, one question at a time.

    All patients' samples come interleaved by time; each hour of each patient is asked about by itself.
    """
    tracker = Tracker(cohort.patients)
    took = cohort.samples
    order = np.lexsort((took.patient, took.at_us))
    order = order[took.patient[order] < patients]
    rows = np.flatnonzero(cohort.patient < patients)
    rows = rows[np.argsort(cohort.hour[rows], kind="stable")]
    values = np.empty((rows.size, len(names)), np.float32)
    hours, place = [], 0
    for number, row in enumerate(rows):
        now_us = ORIGIN_US + int(cohort.hour[row]) * HOUR_US
        while place < order.size and took.at_us[order[place]] <= now_us:
            one = order[place : place + 1]
            tracker.update(took.patient[one], took.concept[one], took.at_us[one], took.value[one])
            place += 1
        who = cohort.patient[row : row + 1]
        facts = {name: column[who] for name, column in cohort.admission.items()}
        asked = Asked(tracker, who, np.array([now_us]), cohort.age_years[who], cohort.male[who], facts)
        values[number] = columns(names, asked)[0]
        hours.append(window(tracker, who, now_us)[0])
    back = np.argsort(rows, kind="stable")
    return values[back], np.stack(hours)[back]


@pytest.mark.parametrize("form", first_alone(FORMS))
def test_batch_and_stream_agree_row_by_row(form: str, hospital: Path) -> None:
    agree(cohort_of(form, hospital), 6)


@pytest.mark.data
@pytest.mark.parametrize("folder", first_alone(REAL))
def test_batch_and_stream_agree_on_published_sets(folder: str) -> None:
    agree(real_cohort(folder).of(np.arange(60)), 5)


@pytest.mark.long
@pytest.mark.data
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("folder", REAL)
def test_batch_and_stream_agree_on_hundreds_of_patients(folder: str) -> None:
    agree(real_cohort(folder), 300)


def agree(cohort: Cohort, patients: int) -> None:
    names = known_names()
    table = table_of(cohort, names)
    mine = np.flatnonzero(table.patient < patients)
    values, hours = streamed(cohort, names, patients)
    wrong = [
        name
        for place, name in enumerate(names)
        if bits(values[:, place]) != bits(np.ascontiguousarray(table.values[mine, place]))
    ]
    assert not wrong
    # A set may leave out hours that no scored row looks back to; what their rows would see is not asked.
    whole = (table.hour[mine] - first_hours(cohort)[table.patient[mine]] >= CONTEXT_H - 1) | table.scored[mine]
    assert whole.any()
    assert bits(hours[whole]) == bits(windows(table, mine)[whole])


def first_hours(cohort: Cohort) -> NDArray[np.int64]:
    """The hour of each patient's first row (P,)."""
    return cohort.hour[np.searchsorted(cohort.patient, np.arange(cohort.patients))]


# --- labels, splits, transforms ----------------------------------------------


def shuffled(cohort: Cohort, seed: int) -> Cohort:
    """Each patient gets another's labels, so that hours and labels have nothing to do with each other."""
    random = np.random.default_rng(seed)
    other = random.permutation(cohort.patients)
    label = np.zeros_like(cohort.label)
    starts = np.searchsorted(cohort.patient, np.arange(cohort.patients))
    ends = np.append(starts[1:], cohort.patient.size)
    for mine, theirs in enumerate(other):
        sick = bool(cohort.label[starts[theirs] : ends[theirs]].any())
        begin = random.integers(0, ends[mine] - starts[mine])  # nor may the hour of the stay tell
        label[starts[mine] + begin : starts[mine] + begin + 7] = sick
        label[ends[mine] :] = 0
    return replace(cohort, label=label)


def auroc_of_shuffled(cohort: Cohort, seed: int, folder: Path) -> float:
    """AUROC of the joined, calibrated model on test patients; training, calibration and test all carry false labels."""
    false = shuffled(cohort, seed)
    recipe = recipe_of("cardiac_event")
    with one_thread():
        table = table_of(false, recipe.names)
        parts = split_parts(false, f"shuffled {seed}")
        trained = fit(false, table, recipe, parts, folder, lambda _: None)
    rows = false.measured_rows(parts.test)
    return Ranking(trained.variants["standard"].probability(trained.logits(rows)), false.label[rows]).auroc()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_shuffled_labels_leave_nothing_to_learn(tmp_path: Path) -> None:
    """0.5 +- 0.03 through the whole pipeline, as a mean: one draw of test patients alone varies by more."""
    found = [auroc_of_shuffled(simulated(1500, seed), seed, tmp_path / str(seed)) for seed in range(8)]
    assert abs(np.mean(found) - 0.5) < 0.03, found


def test_shuffled_labels_in_a_small_run(tmp_path: Path) -> None:
    """The same with fewer patients: bounded by four standard errors of the mean, and far from what true labels give."""
    found = np.array([auroc_of_shuffled(simulated(400, seed), seed, tmp_path / str(seed)) for seed in range(3)])
    assert abs(found.mean() - 0.5) < 0.12, found


def test_no_patient_is_on_two_sides() -> None:
    cohort = simulated(400, 0)
    parts = split_parts(cohort, "a")
    together = np.concatenate([parts.train, parts.valid, parts.calibrate, parts.test])
    assert np.unique(together).size == together.size == cohort.patients
    rows = [set(cohort.patient[cohort.measured_rows(part)].tolist()) for part in (parts.train, parts.test)]
    assert rows[0] and rows[1] and not rows[0] & rows[1]
    fold = folds(cohort, 0)[cohort.patient]
    for one in range(FOLDS):
        tested, fitted = (set(cohort.patient[mine].tolist()) for mine in (fold == one, fold != one))
        assert tested and fitted and not tested & fitted, "a patient's hours lie in one fold"


def test_transforms_are_fitted_on_training_patients_only(tmp_path: Path) -> None:
    """Test patients with absurd values change no graph, no weight and no threshold: nothing was fitted on them."""
    cohort = simulated(300, 0)
    parts = split_parts(cohort, "test")
    mine = np.isin(cohort.samples.patient, parts.test)
    low = np.array([concept.plausible[0] for concept in sorted(VOCABULARY, key=lambda one: one.index)])
    value = np.where(mine, low[cohort.samples.concept], cohort.samples.value)
    odd = replace(cohort, samples=replace(cohort.samples, value=value))
    odd = replace(odd, label=np.where(np.isin(odd.patient, parts.test), 1 - odd.label, odd.label).astype(np.int8))
    bundles = [train_small(tmp_path / name, one)[0] for name, one in (("first", cohort), ("second", odd))]
    first, second = (one.told for one in bundles)
    for told in (first, second):
        for member in told["members"]:
            member["parity_max"] = None  # measured on rows of everybody, and used for nothing
    assert first == second
    for path in sorted(bundles[0].folder.glob("*.onnx")):
        assert path.read_bytes() == (bundles[1].folder / path.name).read_bytes(), path.name


def test_an_hourly_sepsis_risk_that_is_too_good_is_a_leak() -> None:
    with pytest.raises(ModelError, match="leaked into the features"):
        refuse_leak(TASKS["sepsis"], {"auroc": 0.95, "simulated": False})
    refuse_leak(TASKS["sepsis"], {"auroc": 0.949, "simulated": False})

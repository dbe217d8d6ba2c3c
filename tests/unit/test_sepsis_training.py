"""Training end to end on a made-up cohort, and the guards: who may be seen by what, and when."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests import synthetic_cohort
from tests.support import require_data
from vitruvian.cli import app
from vitruvian.core.errors import ModelError, ReadingError
from vitruvian.prediction.sepsis import SepsisModel, metrics
from vitruvian.prediction.sepsis.challenge import (
    ADMISSION_FEATURES,
    CONCEPTS,
    Cohort,
    FeatureTable,
    feature_table,
    read_cohort,
)
from vitruvian.prediction.sepsis.evaluate import evaluate
from vitruvian.prediction.sepsis.split import ROLES, patients_of, role_of
from vitruvian.prediction.sepsis.train import fit, keep_features, train
from vitruvian.signals import FEATURES, PRACTICE_FEATURES


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthetic_cohort.write_parquet(tmp_path_factory.mktemp("cohort") / "hours.parquet")


@pytest.fixture(scope="module")
def cohort(data: Path) -> Cohort:
    return read_cohort(data)


@pytest.fixture(scope="module")
def table(cohort: Cohort) -> FeatureTable:
    return feature_table(cohort)


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "sepsis"
    train(data, out, ablations=False)
    return out


def with_values(cohort: Cohort, values: np.ndarray) -> Cohort:
    return Cohort(
        cohort.ids, cohort.patient, cohort.hour, cohort.label, cohort.age_years, cohort.male, values, cohort.admission
    )


# --- reading -------------------------------------------------------------------


def test_parquet_and_psv_read_alike(tmp_path: Path) -> None:
    small = {"patients": 6, "hours": 8}
    one = read_cohort(synthetic_cohort.write_parquet(tmp_path / "hours.parquet", **small))
    other = read_cohort(synthetic_cohort.write_psv(tmp_path / "psv", **small))
    assert one.ids == other.ids
    for name in ("patient", "hour", "label", "age_years", "values", "admission"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name in ("values", "admission")), name
    assert one.values.shape[1] == len(CONCEPTS) == 34


def test_what_is_no_cohort_is_an_error_that_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 but not really")
    (tmp_path / "other.csv").write_text("patient,HR\na,80\n")
    for name in ("empty", "broken.parquet", "other.csv", "absent.parquet"):
        with pytest.raises(ReadingError, match=r"expected|give"):
            read_cohort(tmp_path / name)


# --- guards --------------------------------------------------------------------


def test_no_patient_is_on_two_sides(cohort: Cohort) -> None:
    parts = [set(patients_of(cohort.ids, role)) for role in ROLES]
    assert sum(len(part) for part in parts) == len(set().union(*parts)) == len(cohort.ids)
    shares = np.bincount([ROLES.index(role_of(f"p{number:06d}")) for number in range(20_000)]) / 20_000
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.01)
    test = cohort.of(patients_of(cohort.ids, "test"))
    assert {role_of(name) for name in test.ids} == {"test"}


def test_features_at_an_hour_know_nothing_later(cohort: Cohort, table: FeatureTable) -> None:
    """p(t) is bit-equal when everything after t is changed, for every patient and the shipped model."""
    until_h = 9
    later = cohort.hour > until_h
    values = cohort.values.copy()
    values[later] = np.random.default_rng(9).permutation(values[later])[::-1] * 1.1
    changed = feature_table(with_values(cohort, values))
    before = table.values[~later]
    assert changed.values[~later].tobytes() == before.tobytes()
    assert changed.values[later].tobytes() != table.values[later].tobytes()
    model = SepsisModel.load()
    one, other = model.run(before, FEATURES)[0], model.run(changed.values[~later], FEATURES)[0]
    assert one.tobytes() == other.tobytes()


def test_what_is_fitted_sees_training_patients_only(cohort: Cohort, table: FeatureTable) -> None:
    """Rubbish in every feature of the test patients changes no number of the model; in a training patient's it does."""

    def fitted(role: str) -> list[np.ndarray]:
        values = table.values.copy()
        if role:
            rows = np.isin(cohort.patient, patients_of(cohort.ids, role)[:5])  # type: ignore[arg-type]
            values[rows] = np.random.default_rng(5).normal(50, 30, values[rows].shape)
        made = fit(
            cohort,
            FeatureTable(table.names, values, 0, 0),
            keep_features(table.names),
            lambda _: None,
        )
        basis, model = made.fitted.basis, made.fitted.logistic
        calibration = np.array([made.fitted.slope, made.fitted.intercept])
        return [basis.center, basis.scale, basis.knots, model.coefficients, made.fitted.replicas, calibration]

    plain, test, calibrate, training = (fitted(role) for role in ("", "test", "calibrate", "train"))
    assert all(np.array_equal(one, other) for one, other in zip(plain, test, strict=True))
    assert all(np.array_equal(one, other) for one, other in zip(plain[:-1], calibrate[:-1], strict=True))
    assert not np.array_equal(plain[-1], calibrate[-1])
    assert not any(np.array_equal(one, other) for one, other in zip(plain[1:5], training[1:5], strict=True))


def test_how_a_patient_is_cared_for_is_left_out_unless_asked_for() -> None:
    names = (*FEATURES, *PRACTICE_FEATURES, *ADMISSION_FEATURES)
    shipped = {names[place] for place in keep_features(names)}
    assert not shipped & {*PRACTICE_FEATURES, *ADMISSION_FEATURES}
    assert {names[place] for place in keep_features(names, practice=True)} > {*PRACTICE_FEATURES, *ADMISSION_FEATURES}
    assert not any(names[place].endswith("_age_h") for place in keep_features(names, timing=False))
    assert not set(SepsisModel.load().names) & {*PRACTICE_FEATURES, *ADMISSION_FEATURES}


@pytest.mark.data
def test_shuffled_labels_rank_at_random() -> None:
    """Real hours, labels dealt out at random: what is learned from them must be worth nothing (0.5 +- 0.03)."""
    whole = read_cohort(require_data("physionet2019/training_setA.parquet"))
    some = whole.of(np.arange(2500))
    label = np.random.default_rng(11).permutation(some.label)
    shuffled = Cohort(some.ids, some.patient, some.hour, label, some.age_years, some.male, some.values, some.admission)
    table = feature_table(shuffled)
    trained = fit(shuffled, table, keep_features(table.names), lambda _: None)
    rows = np.isin(shuffled.patient, patients_of(shuffled.ids, "test"))
    places = np.array([table.names.index(name) for name in trained.fitted.basis.names])
    probability = trained.fitted.probability(table.values[np.ix_(rows, places)])
    assert metrics.Ranking(probability, label[rows]).auroc() == pytest.approx(0.5, abs=0.03)


# --- the folder that training leaves -------------------------------------------


def test_training_leaves_a_model_that_ranks_and_a_card(folder: Path) -> None:
    card = json.loads((folder / "card.json").read_text("utf-8"))
    assert card["evaluation"]["auroc"] > 0.8
    assert card["parity_max"] <= 1e-6
    assert "CC BY 4.0" in card["data"]
    assert 0 < card["threshold"] < 1
    page = (folder / "card.md").read_text("utf-8")
    for part in ("Intended use", "NEWS2 (partial)", "time only", "doi 10.13026/v64v-d857", "## Limits"):
        assert part in page
    assert (folder / "model.onnx").stat().st_size < 1_000_000


def test_evaluating_says_what_training_said(folder: Path, data: Path) -> None:
    again = evaluate(data, folder)
    kept = json.loads((folder / "evaluation.json").read_text("utf-8"))
    assert again["patients"] == kept["patients"]
    for one, other in zip(again["rows"], kept["rows"], strict=True):
        assert one["score"] == other["score"]
        assert one["auroc"] == pytest.approx(other["auroc"], rel=1e-5)
        assert one["utility"] == pytest.approx(other["utility"], rel=1e-5)
    everyone = evaluate(data, folder, who="all")
    assert everyone["patients"] == 240


def test_training_twice_gives_one_model(folder: Path, data: Path, tmp_path: Path) -> None:
    train(data, tmp_path, ablations=False)
    assert (tmp_path / "model.onnx").read_bytes() == (folder / "model.onnx").read_bytes()
    assert (tmp_path / "card.json").read_bytes() == (folder / "card.json").read_bytes()


def test_a_cohort_without_sepsis_cannot_be_evaluated(cohort: Cohort, folder: Path, tmp_path: Path) -> None:
    synthetic_cohort.table(4, 12).filter(synthetic_cohort.pl.col("SepsisLabel") == 0).write_parquet(
        tmp_path / "x.parquet"
    )
    with pytest.raises(ModelError, match="no hour with sepsis"):
        evaluate(tmp_path / "x.parquet", folder, who="all")


def test_the_command_line_trains_and_evaluates(data: Path, tmp_path: Path) -> None:
    runner = CliRunner()
    trained = runner.invoke(
        app, ["train", "sepsis", "--data", str(data), "--out", str(tmp_path / "m"), "--no-ablations"]
    )
    assert trained.exit_code == 0, trained.output
    assert "AUROC" in trained.stdout
    options = ["evaluate", "sepsis", "--data", str(data), "--model", str(tmp_path / "m")]
    shown = runner.invoke(app, [*options, "--out", str(tmp_path / "e")])
    assert "| sepsis model |" in shown.stdout
    assert (tmp_path / "e" / "evaluation.md").read_text("utf-8") == shown.stdout.rstrip("\n") + "\n"
    told = runner.invoke(app, [*options, "--json"])
    assert json.loads(told.stdout)["rows"][0]["score"] == "sepsis model"

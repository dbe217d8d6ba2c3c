"""The served model: what it says, when it says nothing, that its graph is what was trained, and that it is quick."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.support import limit_s, require_data
from vitruvian.core.errors import ModelError
from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.sepsis import NOT_ADULT, SUFFICIENT, TOO_FEW_VITALS, SepsisModel
from vitruvian.prediction.sepsis.basis import fit_basis
from vitruvian.prediction.sepsis.evaluate import evaluate
from vitruvian.prediction.sepsis.graph import INTERVAL_Z, Fitted, to_onnx
from vitruvian.prediction.sepsis.logistic import Logistic
from vitruvian.prediction.sepsis.model import SHIPPED
from vitruvian.signals import FEATURES, Tracker
from vitruvian.signals.features import features

AT = {name: place for place, name in enumerate(FEATURES)}
WELL = {
    "heart_rate": 78, "respiratory_rate": 15, "oxygen_saturation": 98, "systolic_pressure": 122, "mean_pressure": 85,
    "body_temperature": 36.8, "age_years": 60,
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> SepsisModel:
    return SepsisModel.load()


def patient(**values: float) -> np.ndarray:
    row = np.full((1, len(FEATURES)), np.nan, np.float32)
    for name, value in (WELL | values).items():
        row[0, AT[name]] = value
    return row


def test_the_graph_says_what_the_trainer_says() -> None:
    """Probability, interval and contributions of a random model against double precision, with extreme values."""
    random = np.random.default_rng(0)
    names = [*list(FEATURES)[:40], "heart_rate_mean_24h"]
    values = (random.normal(50, 30, (3000, len(names))) * random.uniform(0.01, 30, len(names))).astype(np.float32)
    values[random.random(values.shape) < 0.4] = np.nan
    basis, used = fit_basis(values, names)
    assert used.size == len(names)
    coefficients = random.normal(0, 0.05, basis.width)
    spread = np.append(coefficients, -3.5) + random.normal(0, 0.01, (24, basis.width + 1))
    fitted = Fitted(basis, Logistic(coefficients, -3.5, 1), spread, 1.2, -0.3)
    values[:5] = [[np.nan], [1e30], [-1e30], [np.inf], [0.0]]
    session = onnxruntime.InferenceSession(to_onnx(fitted), providers=["CPUExecutionProvider"])
    probability, low, high, contributions = session.run(None, {"features": values})
    assert np.abs(probability - fitted.probability(values)).max() <= 1e-6
    design = basis.expand(values).astype(np.float64)
    logit = 1.2 * (design @ coefficients - 3.5) - 0.3
    deviation = 1.2 * np.sqrt(np.mean((design @ (spread[:, :-1] - coefficients).T + spread[:, -1] + 3.5) ** 2, axis=1))
    for side, served in ((-1, low), (1, high)):
        assert np.abs(1 / (1 + np.exp(-(logit + side * INTERVAL_Z * deviation))) - served).max() <= 2e-6
    assert contributions.sum(axis=1) == pytest.approx(logit - (1.2 * -3.5 - 0.3), abs=2e-4)


def test_an_instant_of_sickness_has_a_higher_risk_and_the_contributions_say_where_from(model: SepsisModel) -> None:
    well, sick = patient(), patient(heart_rate=128, respiratory_rate=32, body_temperature=39.2, systolic_pressure=84)
    risk = model.predict(np.concatenate([well, sick]))
    assert (risk.reason == SUFFICIENT).all()
    assert risk.probability[1] > 1.25 * risk.probability[0]
    assert (risk.low < risk.probability).all()
    assert (risk.probability < risk.high).all()
    added = dict(zip(risk.names, (risk.contributions[1] - risk.contributions[0]).tolist(), strict=True))
    # Only what differs may contribute differently.
    assert {name for name, move in added.items() if move} <= {
        "heart_rate", "respiratory_rate", "body_temperature", "systolic_pressure",
    }  # fmt: skip
    logit = np.log(risk.probability / (1 - risk.probability))
    assert sum(added.values()) == pytest.approx(logit[1] - logit[0], abs=1e-4)


def test_hours_of_deterioration_raise_the_risk_manifold_and_hours_of_calm_do_not(model: SepsisModel) -> None:
    tracker = Tracker(2)
    risks = []
    for minute in range(0, 16 * 60, 5):
        now_us = 480_000 * HOUR_US + minute * MINUTE_US
        course = np.clip((minute / 60 - 8) / 8, 0, 1) * np.array([0.0, 1.0])
        signs = {
            "heart_rate": 80 + 40 * course, "respiratory_rate": 15 + 13 * course, "oxygen_saturation": 97 - 5 * course,
            "body_temperature": 36.9 + 2.1 * course, "systolic_pressure": 122 - 35 * course,
            "diastolic_pressure": 70 - 20 * course, "mean_pressure": 87 - 25 * course,
        }  # fmt: skip
        for name, value in signs.items():
            concept = np.full(2, VOCABULARY[name].index)
            tracker.update(np.arange(2), concept, np.full(2, now_us), value + 0.01 * (minute % 3))
        made = features(tracker, np.arange(2), now_us, age_years=np.full(2, 65.0), male=np.ones(2))
        risks.append(model.predict(made).probability)
    calm, worse = np.array(risks).T
    assert worse[-1] > 4 * worse[8 * 12]
    assert worse[-1] > model.threshold
    assert calm.max() < model.threshold


@pytest.mark.parametrize("known", range(6))
def test_too_few_fresh_vital_signs_and_nothing_is_said(model: SepsisModel, known: int) -> None:
    signs = ["heart_rate", "respiratory_rate", "oxygen_saturation", "body_temperature", "mean_pressure"]
    row = patient(**dict.fromkeys([*signs[known:], "systolic_pressure"], np.nan))
    risk = model.predict(row)
    assert risk.reason[0] == (SUFFICIENT if known >= 3 else TOO_FEW_VITALS)
    assert np.isnan(risk.probability[0]) == risk.insufficient[0] == (known < 3)
    assert np.isnan(risk.contributions[0]).all() == (known < 3)
    assert ("insufficient data" in risk.why(0)) == (known < 3)


def test_a_child_is_outside_its_intended_use_and_an_unknown_age_is_taken_as_an_adult(model: SepsisModel) -> None:
    risk = model.predict(np.concatenate([patient(age_years=17.9), patient(age_years=18), patient(age_years=np.nan)]))
    assert risk.reason.tolist() == [NOT_ADULT, SUFFICIENT, SUFFICIENT]
    assert "intended use" in risk.why(0)


def test_a_row_does_not_depend_on_its_batch(model: SepsisModel) -> None:
    random = np.random.default_rng(1)
    rows = np.repeat(patient(), 700, axis=0)
    rows[:, AT["heart_rate"]] = random.normal(90, 20, 700)
    together = model.predict(rows)
    alone = np.array([model.predict(rows[number : number + 1]).probability[0] for number in (0, 127, 128, 699)])
    assert np.abs(together.probability[[0, 127, 128, 699]] - alone).max() <= 1e-7


def test_no_patients_is_no_risk(model: SepsisModel) -> None:
    assert model.predict(np.empty((0, len(FEATURES)), np.float32)).probability.size == 0


def test_features_of_another_shape_or_name_are_an_error(model: SepsisModel) -> None:
    with pytest.raises(ModelError, match="one column a name"):
        model.predict(np.zeros((2, 3), np.float32))
    names = tuple(f"{name}_" if name == model.names[0] else name for name in FEATURES)
    with pytest.raises(ModelError, match=model.names[0]):
        model.run(patient(), names)


def test_a_folder_that_holds_no_such_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train one"):
        SepsisModel.load(tmp_path)
    for name in ("model.onnx", "card.json"):
        shutil.copy(SHIPPED / name, tmp_path)
    card = json.loads((tmp_path / "card.json").read_text("utf-8"))
    (tmp_path / "card.json").write_text(json.dumps(card | {"features": ["unheard_of"]}), "utf-8")
    with pytest.raises(ModelError, match="unheard_of"):
        SepsisModel.load(tmp_path)
    (tmp_path / "card.json").write_text(json.dumps(card), "utf-8")
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(ModelError, match="refuses"):
        SepsisModel.load(tmp_path)


def test_what_ships_is_small_and_complete() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 1_000_000
    assert {path.name for path in SHIPPED.iterdir()} >= {"model.onnx", "card.json", "card.md", "evaluation.json"}
    card = json.loads((SHIPPED / "card.json").read_text("utf-8"))
    assert card["cohort"]["train"]["patients"] == 14_151
    assert card["parity_max"] <= 1e-6


def test_ten_thousand_patients_are_quick(model: SepsisModel) -> None:
    rows = np.repeat(patient(), 10_000, axis=0)
    model.predict(rows)
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        model.predict(rows)
        taken.append(time.perf_counter() - started)
    assert min(taken) < limit_s(0.25), "50 ms on an idle core (benchmarks/features.py)"


@pytest.mark.data
def test_the_shipped_model_does_on_test_patients_what_its_card_says() -> None:
    result = evaluate(require_data("physionet2019/training_setA.parquet"))
    kept = json.loads((SHIPPED / "evaluation.json").read_text("utf-8"))
    rows = {row["score"]: row for row in result["rows"]}
    for row in kept["rows"]:
        for figure in ("auroc", "auprc", "utility"):
            assert rows[row["score"]][figure] == pytest.approx(row[figure], abs=2e-3), (row["score"], figure)
    ours = rows["sepsis model"]
    assert 0.78 < ours["auroc"] < 0.95, "hourly sepsis above 0.95 is a leak until shown otherwise"
    assert ours["utility"] > 0.35
    assert abs(ours["calibration_intercept"]) < 0.15
    for name, row in rows.items():
        if not name.startswith("sepsis model"):
            assert ours["auroc"] > row["auroc_95"][1], name
            assert ours["utility"] > row["utility"], name

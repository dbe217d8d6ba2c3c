"""The risks that ship: whole, small, sensible of a patient, and as good as they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support import require_data
from vitruvian.core.errors import ModelError
from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.inputs.blocks import Asked, columns, is_practice
from vitruvian.prediction.inputs.hours import window
from vitruvian.prediction.serve.bundle import MODELS, VARIANTS, Bundle, shipped
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import TASKS
from vitruvian.prediction.training.evaluate import evaluate, unseen
from vitruvian.signals import Tracker

SHIPPED = sorted(path.name for path in MODELS.iterdir() if path.is_dir() and not path.name.startswith("_"))
REPORTED = Path(__file__).parents[2] / "docs" / "results" / "prediction.json"
BYTES_MAX = 16_000_000  # all of them together: a plain install stays light


def test_what_ships_is_small_and_whole() -> None:
    assert "sepsis" in SHIPPED and set(SHIPPED) <= set(TASKS)
    assert sum(path.stat().st_size for path in MODELS.rglob("*") if path.is_file()) < BYTES_MAX
    for name in SHIPPED:
        told = Bundle.read(shipped(name)).told
        assert told["task"] == name and set(VARIANTS) <= set(told["variants"]), name
        assert told["data"] and not told["simulated"], name
        assert (shipped(name) / "evaluation.json").is_file(), name
        assert all(row["parity_max"] <= 1e-5 for row in told["members"]), name


@pytest.mark.parametrize("name", SHIPPED)
def test_without_practice_patterns_none_are_read(name: str) -> None:
    plain = Predictor.load(task=name, serves="no_practice")
    assert not any(map(is_practice, plain.features))


def test_the_models_of_the_source_paper_ship_and_can_be_served_alone() -> None:
    for name in ("logistic", "forest", "lstm"):
        assert Predictor.load(task="sepsis", serves=name).members[0].name == name
    # What the ward shows is an ensemble with an LSTM in it, and without practice patterns.
    served = Predictor.load(task="sepsis")
    assert served.served == "no_practice"
    assert any(member.name.startswith("lstm") for member in served.members)


def test_hours_of_deterioration_raise_the_risk_manifold_and_hours_of_calm_do_not() -> None:
    model = Predictor.load(task="sepsis")
    states = model.new_states()
    tracker, rows = Tracker(2), np.arange(2)
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
            tracker.update(rows, concept, np.full(2, now_us), value + 0.01 * (minute % 3))
        asked = Asked(tracker, rows, np.full(2, now_us), np.full(2, 65.0), np.ones(2))
        read = columns(model.needed, asked)
        found = model.predict(read, model.needed, window(tracker, rows, now_us), keys=rows, states=states)
        assert (found.low < found.probability).all() and (found.probability < found.high).all()
        risks.append(found.probability)
    calm, worse = np.array(risks).T
    assert worse[-1] > 3 * worse[8 * 12]
    assert worse[-1] > model.threshold > calm.max()


def test_a_model_of_another_task_is_refused() -> None:
    with pytest.raises(ModelError, match="give the folder of"):
        Predictor.load(shipped("sepsis"), "aki")


def test_what_the_shipped_sepsis_risk_says_of_itself_is_worth_shipping() -> None:
    """Everyone trained it, so only the folds' figures, which training left, are of patients it had not seen."""
    told = json.loads((shipped("sepsis") / "evaluation.json").read_text("utf-8"))
    assert "folds" in told["split"] and told["model"].startswith(
        f"sepsis {Bundle.read(shipped('sepsis')).told['version']}"
    )
    assert 0.80 < told["auroc"] < 0.95, "hourly sepsis above 0.95 is a leak until shown otherwise"
    assert told["utility"] > 0.40
    assert 0.85 <= told["calibration_slope"] <= 1.15
    for row in told["rows"]:
        if row["score"].endswith("(partial)") or row["score"] == "time only":
            assert told["auroc_95"][0] > row["auroc_95"][1], row["score"]


@pytest.mark.data
def test_figures_on_patients_who_trained_the_risk_are_called_so() -> None:
    cohort = open_cohort("sepsis", require_data("physionet2019/training_setA.parquet"))
    bundle = Bundle.read(shipped("sepsis"))
    assert unseen(cohort, bundle).split.startswith("ALL PATIENTS WERE FITTED")


@pytest.mark.long
@pytest.mark.data
def test_the_shipped_sepsis_risk_does_on_the_eicu_demo_what_is_reported() -> None:
    found = evaluate("sepsis", require_data("icu_demo/sepsis/eicu_demo"))
    told = json.loads(REPORTED.read_text("utf-8"))["figures"]["eicu_demo_zero_shot"]
    assert "none of them trained" in found["split"]
    assert {row["score"] for row in found["rows"]} == {row["score"] for row in told}
    for row, reported in zip(found["rows"], told, strict=True):
        for figure in ("auroc", "auprc", "utility"):
            value = float(str(reported[figure]).split()[0])
            assert row[figure] == pytest.approx(value, abs=2e-3), (row["score"], figure)

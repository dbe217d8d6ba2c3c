"""`vitruvian train` and `vitruvian evaluate` from end to end on simulated patients."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from vitruvian.cli import app
from vitruvian.core.errors import ConfigurationError, ModelError, ReadingError
from vitruvian.prediction.cohorts.open import open_cohort
from vitruvian.prediction.cohorts.prints import FILE, prints
from vitruvian.prediction.measure.baselines import TIME_ONLY
from vitruvian.prediction.serve.bundle import Bundle
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import task
from vitruvian.prediction.training.evaluate import Unseen, evaluate, judge_bundle, unseen
from vitruvian.prediction.training.parts import split_parts
from vitruvian.prediction.training.pipeline import refuse_leak, train
from vitruvian.prediction.training.stages import WORK

DATA = Path("simulated:240:3")
TASK = "sepsis"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / TASK
    train(TASK, DATA, out, quick=True)
    return out


def test_a_bundle_is_whole_and_says_that_its_data_were_simulated(folder: Path) -> None:
    bundle = Bundle.read(folder)
    assert bundle.told["simulated"] is True and bundle.told["validated"] is False
    assert {row["name"] for row in bundle.told["members"]} == {"logistic", "forest", "lightgbm", "lstm"}
    assert all(row["parity_max"] <= 5e-5 for row in bundle.told["members"])
    assert {"standard", "no_practice", "logistic", "lstm"} <= set(bundle.told["variants"])
    for name in ("evaluation.json", "report.html", "card.md", "card.json", FILE):
        assert (folder / name).stat().st_size > 0, name
    assert not (folder / WORK).exists()
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert evaluation["simulated"] is True
    for key in ("auroc", "auprc", "brier", "calibration_slope", "utility"):
        low, high = evaluation[f"{key}_95"]
        assert low <= evaluation[key] <= high, key
    names = [row["score"] for row in evaluation["rows"]]
    assert TIME_ONLY in names and "forest" in names and len(names) == len(set(names))


def test_a_run_that_was_stopped_goes_on_and_ends_alike(folder: Path, tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    said: list[str] = []

    def stop(line: str) -> None:
        said.append(line)
        if line.startswith("lstm: member"):
            raise Stopped

    out = tmp_path / "again"
    with pytest.raises(Stopped):
        train(TASK, DATA, out, quick=True, say=stop)
    said.clear()
    train(TASK, DATA, out, quick=True, say=said.append)
    taken = [line for line in said if "taken up" in line]
    assert [line.split(":")[0] for line in taken] == ["logistic", "forest", "lightgbm"]
    assert Bundle.read(out).told == Bundle.read(folder).told


def test_patients_whom_the_model_has_seen_are_left_out_whatever_they_are_called(folder: Path) -> None:
    cohort = open_cohort(TASK, DATA)
    bundle = Bundle.read(folder)
    renamed = replace(cohort, ids=tuple(f"other-{name}" for name in cohort.ids))
    assert np.array_equal(prints(renamed), prints(cohort)) and np.unique(prints(cohort)).size == cohort.patients
    left = unseen(renamed, bundle).cohort
    assert left.patients == bundle.told["split"]["test"] < cohort.patients
    others = open_cohort(TASK, Path("simulated:60:9"))
    assert unseen(others, bundle).cohort is others
    fitted = unseen(cohort.of(split_parts(cohort, "challenge-2019-a").train), bundle)
    assert fitted.flattered and fitted.split.startswith("ALL PATIENTS WERE FITTED")


def test_the_shuffled_outcome_ranks_at_random(folder: Path) -> None:
    others = open_cohort(TASK, Path("simulated:220:11"))
    scored = np.flatnonzero(others.scored)
    label = others.label.copy()
    label[scored] = np.random.default_rng(0).permutation(label[scored])
    result = judge_bundle(task(TASK), Unseen(replace(others, label=label), "shuffled"), Bundle.read(folder), "standard")
    assert abs(result["auroc"] - 0.5) <= 0.03


def test_an_hourly_risk_of_real_patients_that_is_too_good_is_a_leak() -> None:
    with pytest.raises(ModelError, match="leaked"):
        refuse_leak(task("sepsis"), {"auroc": 0.97, "simulated": False})
    refuse_leak(task("sepsis"), {"auroc": 0.97, "simulated": True})
    refuse_leak(task("mortality"), {"auroc": 0.97, "simulated": False})


def test_the_command_evaluates_other_patients(folder: Path, tmp_path: Path) -> None:
    arguments = ["evaluate", TASK, "--data", "simulated:80:5", "--model", str(folder)]
    told = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out"), "--no-practice-patterns", "--json"])
    assert told.exit_code == 0, told.output
    printed: dict[str, Any] = json.loads(told.stdout)
    kept = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert printed["auroc"] == kept["auroc"] and printed["model"].endswith("(no_practice)")
    assert (tmp_path / "out" / "report.html").is_file()
    alone = evaluate(TASK, Path("simulated:80:5"), folder, member="lstm")
    assert alone["main"].endswith("standard/lstm")


def test_what_cannot_be_done_says_so(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="expected one of"):
        evaluate("gout", DATA)
    with pytest.raises(ReadingError, match="no known form"):
        evaluate("sepsis", tmp_path)
    with pytest.raises(ModelError, match="no model"):
        evaluate(TASK, DATA, tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "lstm.onnx").unlink()
    with pytest.raises(ModelError, match="lstm"):
        Predictor.load(broken, TASK)

"""A model at another site, end to end on simulated patients: recalibrated, updated behind its gate, and by the CLI."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.risk_support import simulated, train_small
from vitruvian.cli import main
from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.labelled import write_labelled
from vitruvian.prediction.cohorts.prints import prints, read_prints
from vitruvian.prediction.measure.figures import Judge
from vitruvian.prediction.measure.platt import logit_of, sigmoid
from vitruvian.prediction.serve import selftest
from vitruvian.prediction.serve.bundle import Bundle
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.sites.pages import site_sections, update_sections, write_pages
from vitruvian.prediction.sites.recalibrate import RECALIBRATED, WITHOUT_LABELS, ZERO_SHOT, recalibrate
from vitruvian.prediction.sites.scoring import score_site, split_site
from vitruvian.prediction.sites.update import TOLERANCE, decide, update
from vitruvian.prediction.tasks import TASKS

DRAWS = 40


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return train_small(tmp_path_factory.mktemp("model"), simulated())[0]


def miscalibrated(bundle: Bundle, folder: Path, slope: float, shift: float) -> Bundle:
    """The bundle as it would stand at a site where its scores mean something else."""
    folder.mkdir()
    for path in bundle.folder.glob("*.onnx"):
        (folder / path.name).write_bytes(path.read_bytes())
    told = json.loads(json.dumps(bundle.told))
    for variant in told["variants"].values():
        variant["slope"] *= slope
        variant["intercept"] = slope * variant["intercept"] + shift
        threshold = logit_of(np.array([variant["policy"]["threshold"]]))
        variant["policy"]["threshold"] = float(sigmoid(slope * threshold + shift)[0])
    Bundle(folder, told).write()
    return Bundle.read(folder)


def row(told: dict[str, Any], name: str, variant: str = "standard") -> dict[str, Any]:
    return next(one for one in told["variants"][variant]["rows"] if one["score"] == name)


# --- recalibration -----------------------------------------------------------


def test_recalibration_mends_what_is_off_and_is_served(bundle: Bundle, tmp_path: Path) -> None:
    off = miscalibrated(bundle, tmp_path / "off", 1.8, 1.5)
    site = simulated(700, 5)
    said: list[str] = []
    told = recalibrate(off, site, tmp_path / "new", share=0.3, draws=DRAWS, say=said.append)
    before, after = row(told, ZERO_SHOT), row(told, RECALIBRATED)
    assert after["brier"] < 0.8 * before["brier"]
    assert abs(after["calibration_slope"] - 1) < 0.3 < abs(before["calibration_slope"] - 1)
    assert abs(after["calibration_intercept"]) < 0.4 < abs(before["calibration_intercept"])
    assert after["auroc"] == pytest.approx(before["auroc"], abs=0.02), "a line changes no order, but for the members'"
    assert row(told, WITHOUT_LABELS)["threshold"] != before["threshold"]
    difference = told["variants"]["standard"]["differences"][0]
    assert difference["brier_95"][1] < 0, "surely better, paired by patient"
    assert told["method"] == "platt" and told["simulated"] is True
    assert any("to recalibrate on" in line for line in said)
    # What was measured is what is served: the new bundle, read back, says so of the measured patients.
    made = Bundle.read(tmp_path / "new")
    assert made.told["version"] == told["recalibrated_model"] != off.told["version"]
    learn, rest = split_site(site, 0.3, "another-site")
    again = site.of(rest)
    table, scored = score_site(made, again)
    probability = Predictor(made, "standard").over(table).probability
    figures = Judge(TASKS["cardiac_event"], again, DRAWS).figures(
        RECALIBRATED, probability, made.told["variants"]["standard"]["policy"]["threshold"], probability=True
    )
    for name in ("auroc", "brier", "event1", "calibration_slope"):
        assert figures[name] == pytest.approx(after[name], abs=1e-6), name
    assert set(scored) == set(off.told["variants"])
    assert selftest.check(Predictor(made, str(made.told["serves"]))), "it may be exchanged on the ward"
    assert made.told["sites"][-1]["kind"] == "recalibration" and made.told["sites"][-1]["patients"] == learn.size
    assert np.isin(prints(site.of(learn)), read_prints(made.folder)).all(), "whom it has seen now"


def test_a_member_alone_is_recalibrated_too(bundle: Bundle, tmp_path: Path) -> None:
    site = simulated(500, 6)
    recalibrate(bundle, site, tmp_path / "new", share=0.3, draws=DRAWS)
    made = Bundle.read(tmp_path / "new")
    first, second = ({one["name"]: one for one in each.told["members"]} for each in (bundle, made))
    assert any(first[name]["intercept"] != second[name]["intercept"] for name in first)
    assert all((made.folder / f"{name}.onnx").is_file() for name in second)
    assert not (made.folder / "evaluation.json").exists(), "figures of the model before are not the new one's"


def test_a_curve_is_served_as_it_was_fitted(bundle: Bundle, tmp_path: Path) -> None:
    site = simulated(500, 6)
    told = recalibrate(bundle, site, tmp_path / "new", share=0.5, method="isotonic", draws=DRAWS)
    made = Bundle.read(tmp_path / "new")
    assert len(made.told["variants"]["standard"]["curve"]) > 5
    again = site.of(split_site(site, 0.5, "another-site")[1])
    table, _ = score_site(made, again)
    risks = Predictor(made, "standard").over(table)
    known = again.scored
    assert ((risks.probability[known] - again.label[known]) ** 2).mean() == pytest.approx(
        row(told, RECALIBRATED)["brier"], abs=1e-6
    )
    assert (risks.low <= risks.probability).all() and (risks.probability <= risks.high).all()


def test_patients_the_model_was_fitted_on_are_left_out(bundle: Bundle, tmp_path: Path) -> None:
    mine = simulated()
    said: list[str] = []
    told = recalibrate(bundle, mine, tmp_path / "new", share=0.5, draws=DRAWS, say=said.append)
    tested = bundle.told["split"]["test"]
    assert told["patients"] + told["measured_on"] == tested < mine.patients
    assert f"{mine.patients - tested} of {mine.patients} patients fitted this model" in said[0]
    seen = np.flatnonzero(np.isin(prints(mine), read_prints(bundle.folder)))
    with pytest.raises(ModelError, match="all of whom the model was fitted on"):
        recalibrate(bundle, mine.of(seen), tmp_path / "other", share=0.5)


def test_what_cannot_be_recalibrated_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    site = simulated(200, 8)
    with pytest.raises(ConfigurationError, match="found a share of 1"):
        recalibrate(bundle, site, tmp_path / "a", share=1.0)
    with pytest.raises(ModelError, match="one kind"):
        recalibrate(bundle, replace(site, label=np.zeros_like(site.label)), tmp_path / "b", share=0.3)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note").write_text("keep", "utf-8")
    with pytest.raises(ConfigurationError, match="not empty"):
        recalibrate(bundle, site, tmp_path / "full", share=0.3)


# --- updates -----------------------------------------------------------------


def test_an_update_that_helps_is_let_through(bundle: Bundle, tmp_path: Path) -> None:
    off = miscalibrated(bundle, tmp_path / "off", 1.6, 1.0)
    record = update(off, simulated(800, 11), tmp_path / "new", draws=DRAWS, tolerance=TOLERANCE | {"event1": 0.1})
    assert record["accepted"], record["reasons"]
    assert record["gains"]["brier"]["low_95"] > 0
    made = Bundle.read(tmp_path / "new")
    assert made.told["version"] == record["version"]
    assert made.told["sites"][-1]["kind"] == "update"
    weights = made.told["variants"]["standard"]["members"]
    assert sum(weights.values()) == pytest.approx(1.0) and min(weights.values()) >= 0
    again = json.loads(write_pages(tmp_path / "out", "decision", "t", record, update_sections(record))[0].read_text())
    assert again["accepted"] is True and again["gains"]["auroc"]["tolerance"] == TOLERANCE["auroc"]


def test_an_update_from_false_labels_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    """Of the patients to learn from half are said to have an event all along: the gate, on true labels, sees it."""
    cohort = simulated(600, 12)
    learn, _ = split_site(cohort, 0.5, "update")
    mine = np.isin(cohort.patient, learn[::2])
    false = replace(cohort, label=np.where(mine, np.int8(1), cohort.label))
    record = update(bundle, false, tmp_path / "new", draws=DRAWS)
    assert not record["accepted"]
    assert any(reason.startswith("brier may be worse") for reason in record["reasons"])
    assert not (tmp_path / "new").exists(), "a refused update leaves no model"


def test_a_site_where_risk_means_something_else_earns_a_member_of_its_own(bundle: Bundle, tmp_path: Path) -> None:
    """Where the outcome comes with slow hearts and high pressures no weighing of old members helps; refitting does."""
    cohort = simulated(900, 14)
    value = cohort.samples.value.copy()
    for concept, mirror in (("heart_rate", 190.0), ("systolic_pressure", 230.0), ("mean_pressure", 160.0)):
        mine = cohort.samples.concept == VOCABULARY[concept].index
        value[mine] = mirror - value[mine]
    site = replace(cohort, samples=replace(cohort.samples, value=value))
    loose = TOLERANCE | {"event1": 0.1}
    plain = update(bundle, site, tmp_path / "plain", draws=DRAWS, tolerance=loose)
    record = update(bundle, site, tmp_path / "new", draws=DRAWS, tolerance=loose, refit=True)
    assert record["accepted"], record["reasons"]
    assert record["refit"] == "site1" and record["weights"]["standard"]["members"]["site1"] > 0.2
    assert record["gains"]["auroc"]["low_95"] > max(plain["gains"]["auroc"]["gain"], 0.0)
    made = Bundle.read(tmp_path / "new")
    _, kept = split_site(site, 0.5, "update")
    again = site.of(kept)
    table, _ = score_site(made, again)
    risks = Predictor(made, "standard").over(table)
    assert ((risks.probability - again.label) ** 2).mean() == pytest.approx(record["rows"][1]["brier"], abs=1e-5)


@pytest.mark.parametrize(
    ("change", "accepted", "reason"),
    [
        (lambda p: p, False, "no figure is better"),
        (lambda p: sigmoid(logit_of(p) + 1.5), False, "brier may be worse"),
        (lambda p: np.random.default_rng(0).permutation(p), False, "auroc may be worse"),
        (lambda p: np.full_like(p, np.nan), False, None),
    ],
)
def test_the_gate(bundle: Bundle, change: Any, accepted: bool, reason: str | None) -> None:
    cohort = simulated(300, 13)
    _, scored = score_site(bundle, cohort)
    before = sigmoid(scored["standard"].logit)
    judge = Judge(TASKS["cardiac_event"], cohort, DRAWS)
    if reason is None:
        with pytest.raises(ModelError, match="not numbers"):
            decide(judge, (before, 0.3), (change(before), 0.3))
        return
    decision, rows = decide(judge, (before, 0.3), (change(before), 0.3))
    assert decision.accepted is accepted
    assert any(reason in one for one in decision.reasons), decision.reasons
    assert [one["score"] for one in rows] == ["before", "after"]


def test_the_gate_lets_a_better_model_pass(bundle: Bundle) -> None:
    cohort = simulated(300, 13)
    _, scored = score_site(bundle, cohort)
    good = scored["standard"].logit + 2.0 * (cohort.label - 0.5)
    judge = Judge(TASKS["cardiac_event"], cohort, DRAWS)
    decision, _ = decide(judge, (sigmoid(scored["standard"].logit), 0.3), (sigmoid(good), 0.3))
    assert decision.accepted and all(one["low_95"] > 0 for one in decision.gains.values())


# --- the command line --------------------------------------------------------


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def vitruvian(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command as from a shell: exit status, standard output and error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["vitruvian", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Cohort]:
    cohort = simulated(300, 21)
    return write_labelled(cohort, tmp_path_factory.mktemp("site") / "site.parquet"), cohort


def test_recalibrate_and_drift_by_command(
    vitruvian: Run, bundle: Bundle, site: tuple[Path, Cohort], tmp_path: Path
) -> None:
    data, _ = site
    status, printed, said = vitruvian(
        "recalibrate", "arrest", "--data", data, "--model", bundle.folder, "--out", tmp_path / "new", "--share", "0.4",
        "--json",
    )  # fmt: skip
    assert status == 0, said
    told = json.loads(printed)
    assert told == json.loads((tmp_path / "new" / "recalibration.json").read_text("utf-8"))
    assert "<table>" in (tmp_path / "new" / "recalibration.html").read_text("utf-8")
    assert Predictor.load(tmp_path / "new" / "model", "cardiac_event").version == told["recalibrated_model"]
    assert len(site_sections(told)) == 4
    out = tmp_path / "drift"
    status, printed, said = vitruvian("drift", "arrest", "--data", data, "--model", bundle.folder, "--out", out)
    assert status == 0 and "PSI" in printed, said
    assert json.loads((tmp_path / "drift" / "drift.json").read_text("utf-8"))["counts"]["large"] == 0
    assert json.loads((out / "drift.json").read_text("utf-8"))["score"]["level"] != "large"


def test_update_and_quality_by_command(
    vitruvian: Run, bundle: Bundle, site: tuple[Path, Cohort], tmp_path: Path
) -> None:
    data, cohort = site
    status, _, said = vitruvian("update", "arrest", "--data", data, "--model", bundle.folder, "--out", tmp_path / "up")
    record = json.loads((tmp_path / "up" / "decision.json").read_text("utf-8"))
    assert status == (0 if record["accepted"] else 3), said
    assert (tmp_path / "up" / "model").exists() is record["accepted"]
    status, printed, said = vitruvian("quality", data, "--json")
    assert status == 0, said
    assert json.loads(printed)["samples"] == cohort.samples.value.size


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("quality", "/nowhere"), "found nothing at /nowhere"),
        (("drift", "luck", "--data", "simulated"), "found task 'luck'"),
        (("recalibrate", "sepsis", "--data", "simulated", "--out", "x", "--method", "luck"), "found method 'luck'"),
        (("drift", "aki", "--data", "simulated", "--model", "/nowhere"), "found no model in /nowhere"),
    ],
)
def test_mistakes_are_one_line(vitruvian: Run, arguments: tuple[str, ...], said: str) -> None:
    status, _, error = vitruvian(*arguments)
    assert status == 2 and said in error and error.count("\n") == 1

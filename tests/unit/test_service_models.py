"""Models that are exchanged while they score: which run, what is refused, what a restart finds, and shadows."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from tests.bundle_support import make_bundle
from tests.mqtt_support import eventually
from vitruvian.cli import app as cli
from vitruvian.core.errors import ConfigurationError, ModelError, NotFoundError
from vitruvian.core.time import HOUR_US, ManualClock
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.serve.bundle import FILE
from vitruvian.prediction.serve.columns import RiskColumns
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.service.model_settings import Chosen, Kept, ModelSettings, Role
from vitruvian.service.models import Group, Models
from vitruvian.service.scoring import Scoring
from vitruvian.service.shadow import FAILED_MAX, WAITING_MAX, Disagreement, ShadowBatch, Shadows
from vitruvian.signals.features import VITALS
from vitruvian.signals.tracker import Tracker

NOW_US = 480_030 * HOUR_US
ROWS = 50


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models `a` and `b` of sepsis with risks far apart, `aki`, and bad ones."""
    folder = tmp_path_factory.mktemp("models")
    make_bundle(folder / "a", version="a", base=-4.0)
    make_bundle(folder / "b", version="b", base=1.0)
    make_bundle(folder / "plain", version="plain", base=-4.0, members=["logistic"])
    make_bundle(folder / "aki", "aki", version="k", members=["logistic"])
    make_bundle(folder / "no_number", version="n", base=float("nan"))
    torn = make_bundle(folder / "torn", version="t")
    (torn / "gru.onnx").write_bytes((torn / "gru.onnx").read_bytes()[:200])
    return folder


def models(tmp_path: Path, directory: Path, **champions: str) -> Models:
    told = {name: Chosen(directory / folder) for name, folder in champions.items()}
    return Models(ModelSettings(told, {}, directory), tmp_path / "ward.db", ManualClock(NOW_US))


@pytest.fixture(scope="module")
def tracker() -> Tracker:
    made, rng = Tracker(ROWS), np.random.default_rng(0)
    usual = dict(zip(VITALS, (85, 18, 97, 37, 120, 65, 82), strict=True))
    for hour in range(30, 0, -1):
        for name, middle in usual.items():
            at_us = np.full(ROWS, NOW_US - hour * HOUR_US)
            concept = np.full(ROWS, VOCABULARY[name].index)
            made.update(np.arange(ROWS), concept, at_us, rng.normal(middle, 0.03 * middle, ROWS))
    return made


def scored(scoring: Scoring, tracker: Tracker, now_us: int = NOW_US) -> Any:
    rows = np.arange(tracker.rows)
    group = Group.of(scoring.models.running.champions)
    return scoring.score(tracker, rows, rows, now_us, np.full(rows.size, 60.0), np.ones(rows.size), group)


def version(models_: Models, task: str = "sepsis", role: Role = "champion") -> str:
    running = models_.running.champions if role == "champion" else models_.running.shadows
    return running[task].predictor.version


def log_of(tmp_path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (tmp_path / "ward.db.models.log").read_text().splitlines()]


def test_what_the_command_line_says(directory: Path) -> None:
    read = ModelSettings.read(
        [f"aki={directory / 'aki'}", str(directory / "a")], [f"SEPSIS={directory / 'b'}#no_practice/gru"], directory
    )
    assert read.champions == {"aki": Chosen(directory / "aki"), "sepsis": Chosen(directory / "a")}
    assert read.shadows == {"sepsis": Chosen(directory / "b", "no_practice/gru")}
    assert Chosen.read("shipped").folder is None
    odd = Chosen(directory / "a#b")
    assert Chosen.read(odd.text) == odd, "a choice is found again after a restart, whatever its folder is called"
    for chosen in (*read.champions.values(), *read.shadows.values(), Chosen()):
        assert Chosen.read(chosen.text) == chosen
    with pytest.raises(ConfigurationError, match="two models of sepsis"):
        ModelSettings.read([f"sepsis={directory / 'a'}", str(directory / "b")])
    with pytest.raises(ConfigurationError, match="found task 'cancer'"):
        ModelSettings.read(["cancer=x"])
    with pytest.raises(ModelError, match="found no model"):
        ModelSettings.read([str(directory / "nowhere")])
    with pytest.raises(ConfigurationError, match="no folder"):
        ModelSettings.read(directory=directory / "nowhere")


@pytest.mark.parametrize("command", ["ward", "replay", "serve"])
def test_the_command_line_tells_of_models(command: str) -> None:
    said = CliRunner().invoke(cli, [command, "--help"], env={"COLUMNS": "200", "TERM": "dumb"})
    assert said.exit_code == 0, said.output
    for option in ("--model", "--shadow", "--models"):
        assert f"{option} " in said.output


def test_by_default_every_shipped_model_runs(tmp_path: Path) -> None:
    found = Models(ModelSettings(), tmp_path / "ward.db", ManualClock(NOW_US)).running
    assert "sepsis" in found.champions and not found.shadows
    assert set(found.main.names) == set(found.champions["sepsis"].predictor.needed)
    assert found.champions["sepsis"].figures["auroc"]


def test_a_model_of_the_command_line_that_is_bad_keeps_the_ward_from_starting(tmp_path: Path, directory: Path) -> None:
    with pytest.raises(ModelError):
        models(tmp_path, directory, sepsis="torn")
    with pytest.raises(ModelError, match="model of sepsis"):
        models(tmp_path, directory, aki="a")


def test_a_model_is_exchanged_and_the_log_says_by_whom(tmp_path: Path, directory: Path) -> None:
    running = models(tmp_path, directory, sepsis="a")
    done = running.load("sepsis", "b", "champion", "ada")
    assert (version(running), done.by, done.folder) == ("b", "ada", "b")
    assert done.checked
    running.load("aki", "aki", "champion", "ada")
    assert list(running.running.champions)[:2] == ["sepsis", "aki"]
    running.load("sepsis", "shipped", "champion", "ada")
    assert running.running.champions["sepsis"].folder == "shipped"
    assert running.running.champions["sepsis"].figures["auroc"]
    one = running.running.champions["sepsis"].predictor
    alone = f"{one.served.partition('/')[0]}/{one.members[0].name}"
    running.load("sepsis", "shipped", "champion", "ada", alone)
    assert not running.running.champions["sepsis"].figures  # measured was the whole, not this member
    running.load("sepsis", "b", "champion", "ada", "standard/gru")
    assert running.running.champions["sepsis"].predictor.served == "standard/gru"
    rows = log_of(tmp_path)
    assert [(row["action"], row["by"], row["task"]) for row in rows] == [
        ("loaded", "ada", "sepsis"), ("loaded", "ada", "aki"), *[("loaded", "ada", "sepsis")] * 3,
    ]  # fmt: skip
    assert (rows[0]["instead_of"], rows[0]["version"]) == ("a", "b")


@pytest.mark.parametrize(
    ("task", "folder", "error"),
    [
        ("sepsis", "torn", ModelError),
        ("sepsis", "no_number", ModelError),
        ("sepsis", "aki", ModelError),
        ("sepsis", "nowhere", NotFoundError),
        ("sepsis", "../models/b", NotFoundError),
        ("sepsis", "..", NotFoundError),
        ("sepsis", "/etc", NotFoundError),
        ("sepsis", "b\0", NotFoundError),
        ("sepsis", "", NotFoundError),
        ("sepsis", "elsewhere", NotFoundError),
        ("cancer", "b", NotFoundError),
    ],
)
def test_a_bad_model_is_refused_and_the_old_one_goes_on(
    tmp_path: Path, directory: Path, tracker: Tracker, task: str, folder: str, error: type[Exception]
) -> None:
    outside = make_bundle(tmp_path / "outside")
    link = directory / "elsewhere"
    if not link.is_symlink():
        link.symlink_to(outside, target_is_directory=True)
    running = models(tmp_path, directory, sepsis="a")
    scoring, before = Scoring(running), running.running
    told = scored(scoring, tracker).risks["sepsis"].probability
    with pytest.raises(error):
        running.load(task, folder, "champion", "ada")
    assert running.running is before
    np.testing.assert_array_equal(scored(scoring, tracker).risks["sepsis"].probability, told)
    if task == "sepsis":
        assert log_of(tmp_path)[-1]["action"] == "refused" and log_of(tmp_path)[-1]["error"]
    assert version(models(tmp_path, directory, sepsis="a")) == "a"  # and a restart finds nothing of it


def test_without_a_directory_only_the_shipped_one_may_be_loaded(tmp_path: Path) -> None:
    running = Models(ModelSettings(), tmp_path / "ward.db", ManualClock(NOW_US))
    with pytest.raises(ConfigurationError, match="--models"):
        running.load("sepsis", "b", "champion", "ada")
    running.load("sepsis", "shipped", "champion", "ada")


def test_a_choice_outlives_restarts_until_the_command_line_changes(tmp_path: Path, directory: Path) -> None:
    first = models(tmp_path, directory, sepsis="a")
    first.load("sepsis", "b", "champion", "ada", "standard/gru")
    first.load("sepsis", "plain", "shadow", "ada")
    again = models(tmp_path, directory, sepsis="a")
    assert (version(again), version(again, role="shadow")) == ("b", "plain")
    assert again.running.champions["sepsis"].predictor.served == "standard/gru"
    again.drop_shadow("sepsis", "ada")
    assert not models(tmp_path, directory, sepsis="a").running.shadows
    assert version(models(tmp_path, directory, sepsis="plain")) == "plain"  # a new command line is a newer decision
    with pytest.raises(NotFoundError, match="no shadow"):
        again.drop_shadow("sepsis", "ada")


def test_a_choice_that_has_gone_bad_is_passed_over_and_told(tmp_path: Path, directory: Path) -> None:
    own = tmp_path / "own"
    make_bundle(own / "b", version="b")
    told = ModelSettings({"sepsis": Chosen(directory / "a")}, {}, own)
    Models(told, tmp_path / "ward.db", ManualClock(NOW_US)).load("sepsis", "b", "champion", "ada")
    (own / "b" / FILE).unlink()
    again = Models(told, tmp_path / "ward.db", ManualClock(NOW_US))
    assert version(again) == "a"
    assert len(again.notes) == 1 and "champion of sepsis" in again.notes[0]
    (tmp_path / "ward.db.models.json").write_text("[]")
    with pytest.raises(ConfigurationError, match="another format"):
        Kept(tmp_path / "ward.db")


def test_a_batch_is_scored_by_one_model_though_it_is_exchanged_meanwhile(
    tmp_path: Path, directory: Path, tracker: Tracker
) -> None:
    """A thread scores without a pause while another exchanges the models: every batch is wholly of one of them."""
    running = models(tmp_path, directory, sepsis="a")
    expected = {}
    for name in ("a", "b"):
        running.load("sepsis", name, "champion", "test")
        expected[name] = scored(Scoring(running), tracker).risks["sepsis"].probability
    assert np.abs(expected["a"] - expected["b"]).min() > 0.01
    scoring, stop = Scoring(running), threading.Event()
    found: list[tuple[str, NDArray[np.float64]]] = []

    def work() -> None:
        while not stop.is_set():
            told = scored(scoring, tracker)
            found.append((told.by["sepsis"].version, told.risks["sepsis"].probability))

    worker = threading.Thread(target=work)
    worker.start()
    for turn in range(12):
        running.load("sepsis", "ab"[turn % 2], "champion", "test")
        before = len(found)
        while len(found) < before + 2 and worker.is_alive():
            time.sleep(0.001)
    stop.set()
    worker.join()
    assert {name for name, _ in found} == {"a", "b"}
    for name, told in found:
        np.testing.assert_allclose(told, expected[name], atol=1e-7)


def test_one_model_that_fails_costs_the_others_nothing(
    tmp_path: Path, directory: Path, tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = models(tmp_path, directory, sepsis="a", aki="aki")
    scoring = Scoring(running)

    def broken(*_: object, **__: object) -> RiskColumns:
        raise RuntimeError("boom")

    monkeypatch.setattr(running.running.champions["sepsis"].predictor, "predict", broken)
    told = scored(scoring, tracker)
    assert "sepsis" not in told.risks and np.isfinite(told.risks["aki"].probability).all()
    assert (scoring.counts["risks_failed"], scoring.failed["sepsis"]) == (1, "boom")
    running.load("sepsis", "b", "champion", "ada")
    assert "sepsis" in scored(scoring, tracker).risks
    assert not scoring.failed, "the model that took its place has no fault"


def test_a_shadow_is_scored_compared_and_never_shown(tmp_path: Path, directory: Path, tracker: Tracker) -> None:
    running = models(tmp_path, directory, sepsis="a")
    scoring = Scoring(running)
    alone = scored(scoring, tracker).risks["sepsis"].probability
    running.load("sepsis", "b", "shadow", "ada")
    told = scored(scoring, tracker)
    np.testing.assert_array_equal(told.risks["sepsis"].probability, alone)
    assert told.by["sepsis"].version == "a"
    assert scoring.shadows.settle()
    other = scored(Scoring(models(tmp_path / "other", directory, sepsis="b")), tracker).risks["sepsis"].probability
    said = scoring.shadows.told("sepsis")
    assert said is not None
    apart = np.abs(other - alone)
    assert said["compared"] == ROWS and said["dropped"] == 0
    assert said["mean_distance"] == pytest.approx(apart.mean(), abs=2e-6)
    assert said["max_distance"] == pytest.approx(apart.max(), abs=2e-6)
    over = alone >= 0.05, other >= 0.05
    assert said["over_both"] == int((over[0] & over[1]).sum())
    assert said["over_shadow_only"] == int((~over[0] & over[1]).sum()) > 0
    ((_, mine, theirs),) = scoring.shadows.last("sepsis")
    assert theirs - mine == pytest.approx(apart.max(), abs=2e-6)
    running.load("sepsis", "plain", "shadow", "ada")  # a new comparison; the old one is put into the log
    scored(scoring, tracker)
    scoring.close()
    logged = [row for row in log_of(tmp_path) if row["action"] == "disagreement"]
    assert [(row["champion"], row["shadow"]) for row in logged] == [("a", "b"), ("a", "plain")]
    assert logged[0]["compared"] == ROWS


def test_the_comparison_by_hand() -> None:
    found = Disagreement("a", "b", (0.5, 0.4))
    nan = np.nan
    found.take(np.array([0.6, 0.6, 0.1, 0.1, nan, nan]), np.array([0.45, 0.3, 0.5, 0.1, 0.2, nan]), 7)
    told = found.told()
    assert [told[f"over_{which}"] for which in ("both", "champion_only", "shadow_only", "neither")] == [1, 1, 1, 1]
    assert (told["compared"], told["said_by_one"]) == (4, 1)
    assert told["mean_distance"] == pytest.approx((0.15 + 0.3 + 0.4) / 4)
    assert told["mean_difference"] == pytest.approx((-0.15 - 0.3 + 0.4) / 4)
    assert list(found.last) == [(7, 0.1, 0.5)]
    found.take(np.full(3, nan), np.full(3, 0.1), 8)
    assert (found.compared, found.said_by_one) == (4, 4)


class Slow:
    """A shadow that takes its time, or fails."""

    version, threshold = "slow", 0.5

    def __init__(self, seconds: float = 0.0, *, fails: bool = False) -> None:
        self.seconds, self.fails, self.calls = seconds, fails, 0

    def new_states(self) -> None:
        return None

    def predict(self, values: NDArray[np.float32], *_: object, **__: object) -> Any:
        self.calls += 1
        time.sleep(self.seconds)
        if self.fails:
            raise RuntimeError("boom")
        return type("Told", (), {"probability": np.full(len(values), 0.3)})()


def batch(champion: Predictor, shadow: Slow) -> ShadowBatch:
    some = np.zeros((10, 1), np.float32)
    keys = np.arange(10)
    return ShadowBatch("sepsis", shadow, champion, some, ("x",), None, keys, keys * 1.0, np.full(10, 0.2), NOW_US)  # type: ignore[arg-type]


def test_a_slow_shadow_is_spared_and_holds_nobody_up(tmp_path: Path, directory: Path) -> None:
    champion = Predictor.load(directory / "a")
    shadows, slow = Shadows(share_max=0.5), Slow(0.2)
    began = time.perf_counter()
    taken = [shadows.offer(batch(champion, slow)) for _ in range(200)]
    assert time.perf_counter() - began < 0.15 * 200  # nobody waited for the forty seconds that it would take
    assert sum(taken) <= WAITING_MAX + 1 + int((time.perf_counter() - began) / 0.2)
    told = shadows.told("sepsis")
    assert told is not None and told["dropped"] == 10 * taken.count(False) > 0
    shadows.close()
    assert slow.calls <= WAITING_MAX + 2


async def test_a_shadow_that_fails_again_and_again_is_stopped(directory: Path) -> None:
    champion = Predictor.load(directory / "a")
    shadows, broken = Shadows(), Slow(fails=True)

    def stopped() -> bool:
        shadows.offer(batch(champion, broken))
        told = shadows.told("sepsis")
        return told is not None and bool(told["stopped"])

    await eventually(stopped)
    assert broken.calls == FAILED_MAX
    assert not shadows.offer(batch(champion, broken))
    healthy = Slow()
    assert shadows.offer(batch(champion, healthy)) and shadows.settle()  # another shadow begins anew
    told = shadows.told("sepsis")
    assert told is not None and (told["compared"], told["failed"]) == (10, 0)
    shadows.close()


def test_what_only_a_shadow_reads_costs_a_bounded_share(tmp_path: Path, directory: Path, tracker: Tracker) -> None:
    """The champion reads no hours; the shadow does. They are made for it within a share of the time."""
    running = models(tmp_path, directory, sepsis="plain")
    scoring = Scoring(running)
    running.load("sepsis", "b", "shadow", "ada")
    for _ in range(60):
        scored(scoring, tracker)
    lived_s = time.perf_counter() - scoring._began_s
    assert scoring._extra_s <= 0.1 * scoring._scored_s + 0.02 * lived_s + 0.1  # one batch may overshoot
    scoring.shadows.settle()
    told = scoring.shadows.told("sepsis")
    assert told is not None and told["compared"]
    scoring.close()

"""Sequence models: they learn what only the course tells, leak nothing, resume, and are served as they were fitted."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from tests.sequence_support import NAMES, goal_of, made_up
from tests.support import REPOSITORY
from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.prediction.families.sequence import SequenceFamily, Settings
from vitruvian.prediction.families.sequence.augment import concept_of, concepts_of, draw
from vitruvian.prediction.families.sequence.batches import stretches
from vitruvian.prediction.families.sequence.export import served
from vitruvian.prediction.families.sequence.family import FittedSequence
from vitruvian.prediction.families.sequence.prepare import columns_of
from vitruvian.prediction.families.sequence.settings import NETWORKS
from vitruvian.prediction.families.sequence.trainer import _seen, rows_a_step
from vitruvian.prediction.inputs.hours import CHANNELS
from vitruvian.prediction.inputs.table import Table, windows
from vitruvian.prediction.measure.ranking import Ranking

QUICK = Settings(hidden=16, layers=1, head=16, dropout=0.0, epochs=2, batch_rows=512, masked=0.1, offset=0.1)


def quiet(_: str) -> None:
    """Says nothing."""


def fitted(table: Table, settings: Settings = QUICK, seed: int = 0, kept: Path | None = None) -> FittedSequence:
    return SequenceFamily(settings).fit(table, NAMES, goal_of(table), seed=seed, say=quiet, kept=kept)


def weights(model: FittedSequence) -> dict[str, Any]:
    return {name: value.numpy() for name, value in model.model.state_dict().items()}


def assert_same(one: FittedSequence, other: FittedSequence) -> None:
    for name, value in weights(one).items():
        assert np.array_equal(value, weights(other)[name]), name


@pytest.mark.parametrize(
    "network", [pytest.param(name, marks=[] if name == "lstm" else [pytest.mark.long]) for name in NETWORKS]
)
def test_learns_what_only_the_course_tells(network: Any) -> None:
    table = made_up()
    plain = replace(QUICK, masked=0.0, offset=0.0, ahead=0.0, decay=0.0, epochs=10, patience=10, batch_rows=64)
    settings = replace(plain, network=network, rate=5e-3)
    rows = goal_of(table).valid
    rows = rows[table.hour[rows] > 3]
    score = Ranking(fitted(table, settings).logit(table, rows), table.label[rows]).auroc()
    assert score > 0.85
    # The columns alone, by the same code with the hours taken away, know nothing.
    blind = replace(table, closed=np.full_like(table.closed, np.nan), running=np.full_like(table.running, np.nan))
    assert Ranking(fitted(blind, settings).logit(blind, rows), table.label[rows]).auroc() < 0.6


@pytest.mark.parametrize("network", NETWORKS)
def test_neither_others_nor_the_future_change_a_row(network: Any) -> None:
    table = made_up(patients=12)
    model = fitted(table, replace(QUICK, network=network, epochs=1))
    row = np.array([5 * 30 + 10])
    other = made_up(patients=12, seed=9)
    mine = (table.patient == 5) & (table.hour <= 11)
    changed = replace(
        table,
        values=np.where(mine[:, None], table.values, other.values),
        closed=np.where(mine[:, None], table.closed, other.closed),
        running=np.where(mine[:, None], table.running, other.running),
    )
    assert np.array_equal(model.logit(table, row), model.logit(changed, row))
    # and the window does reach back: the first hour of the stay still counts
    earlier = replace(table, closed=table.closed + 30 * (table.hour[:, None] == 2) * (table.patient[:, None] == 5))
    assert not np.array_equal(model.logit(table, row), model.logit(earlier, row))


@pytest.mark.parametrize("network", NETWORKS)
def test_the_graphs_are_the_model(network: Any, tmp_path: Path) -> None:
    table = made_up(patients=40)
    model = fitted(table, replace(QUICK, network=network, layers=2))
    rows = np.arange(0, 1200, 3)
    file = model.save(tmp_path, "one", table, rows)
    assert file.parity_max <= 1e-5
    assert file.parity_rows == rows.size
    assert file.kind == ("recurrent" if network in ("lstm", "gru") else "window")
    assert (file.state > 0) == (tmp_path / "one.carry.onnx").is_file() == (file.kind == "recurrent")
    told = served(tmp_path, "one", table.values[rows], windows(table, rows))
    alone = np.concatenate(
        [served(tmp_path, "one", table.values[[r]], windows(table, np.array([r]))) for r in rows[:5]]
    )
    assert np.abs(told - model.logit(table, rows)).max() <= 1e-5
    assert np.abs(told[:5] - alone).max() <= 1e-5


@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_a_stretch_of_the_fit_says_what_serving_says(network: Any) -> None:
    table = made_up(patients=8, hours=40)
    model = fitted(table, replace(QUICK, network=network, epochs=1)).model.eval()
    few = np.arange(0, 320, 7)  # each has a stretch of its own
    dense = np.flatnonzero(table.hour <= 10)  # begin with the stay
    for rows in (few, dense):
        for batch in stretches(table, rows, 100, np.random.default_rng(0)):
            with torch.inference_mode():
                learnt, _ = _seen(model, batch, torch.from_numpy(batch.hours), torch.from_numpy(batch.running))
                asked = model.seen_of(torch.from_numpy(windows(table, batch.rows)))
            assert np.abs(learnt.numpy() - asked.numpy()).max() < 1e-5


def test_every_row_is_learnt_once_an_epoch_from_its_own_patient() -> None:
    table = made_up(patients=9, hours=35)
    rows = np.flatnonzero(table.hour % 5 != 0)
    batches = stretches(table, rows, 64, np.random.default_rng(3))
    assert np.array_equal(np.sort(np.concatenate([batch.rows for batch in batches])), rows)
    for batch in batches:
        assert (batch.step >= 1).all() and (batch.step <= batch.hours.shape[1]).all()
        same = batch.hours[batch.of, batch.step - 1]
        assert np.array_equal(same, table.closed[batch.rows], equal_nan=True)
        assert batch.hours.shape[1] <= 23


@pytest.mark.parametrize("network", NETWORKS)
def test_says_a_number_where_nothing_was_measured(network: Any) -> None:
    table = made_up(patients=12)
    model = fitted(table, replace(QUICK, network=network, epochs=1))
    nothing = replace(
        table,
        values=np.full_like(table.values, np.nan),
        closed=np.full_like(table.closed, np.nan),
        running=np.full_like(table.running, np.nan),
    )
    told = model.logit(nothing, np.arange(30))
    assert np.isfinite(told).all()
    # Empty hours before the first measurement say nothing, however many they are.
    assert np.ptp(told) < 1e-6
    with torch.inference_mode():
        assert np.abs(model.model.seen_of(torch.from_numpy(windows(nothing, np.arange(3)))).numpy()).max() == 0


def test_same_seed_same_model_and_another_seed_another() -> None:
    table = made_up(patients=24)
    assert_same(fitted(table), fitted(table))
    assert not np.array_equal(
        weights(fitted(table))["of_columns.weight"], weights(fitted(table, seed=1))["of_columns.weight"]
    )


def test_foretelling_first_is_one_more_kind_of_epoch() -> None:
    said: list[str] = []
    table = made_up(patients=24)
    SequenceFamily(replace(QUICK, pretrain_epochs=1)).fit(table, NAMES, goal_of(table), seed=0, say=said.append)
    assert [line.startswith("foretelling") for line in said] == [True, False, False]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.sequence_support import NAMES, goal_of, made_up
from tests.unit.test_sequence_models import QUICK
from vitruvian.prediction.families.sequence import SequenceFamily

def say(line):
    if line.startswith("epoch 2/"):
        os.kill(os.getpid(), signal.SIGKILL)

table = made_up(patients=24)
SequenceFamily(QUICK).fit(table, NAMES, goal_of(table), seed=0, say=say, kept=Path(sys.argv[1]))
"""


def test_a_fit_that_was_killed_resumes_to_the_same_model(tmp_path: Path) -> None:
    kept, table = tmp_path / "fit.kept", made_up(patients=24)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(kept)], cwd=REPOSITORY, check=False)
    assert killed.returncode == -signal.SIGKILL
    said: list[str] = []
    resumed = SequenceFamily(QUICK).fit(table, NAMES, goal_of(table), seed=0, say=said.append, kept=kept)
    assert said[0] == "resumed after epoch 1" and len(said) == 2
    assert_same(resumed, fitted(table))


def test_what_is_kept_of_another_fit_is_not_taken_up(tmp_path: Path) -> None:
    kept, table = tmp_path / "fit.kept", made_up(patients=24)
    fitted(table, kept=kept)
    assert_same(fitted(table, seed=1, kept=kept), fitted(table, seed=1))
    kept.write_bytes(b"torn")
    assert_same(fitted(table, kept=kept), fitted(table))


def test_preparation_is_of_the_rows_it_was_fitted_on() -> None:
    table = made_up(patients=24)
    table.values[0, 0], table.values[1, 1] = 1e6, -1e6
    columns = columns_of(table, np.arange(4), np.arange(400))
    with torch.inference_mode():
        ready = columns(torch.from_numpy(table.values)).numpy()
    assert ready.shape == (720, 8)  # four columns, each with an indicator: a fifth is missing
    assert np.isfinite(ready).all() and np.abs(ready[:, :4]).max() < 5
    assert np.array_equal(ready[:, 4:] == 1, np.isnan(table.values))
    later = table.values.copy()
    later[400:] *= 3
    other = columns_of(replace(table, values=later), np.arange(4), np.arange(400))
    assert np.array_equal(columns.mean.numpy(), other.mean.numpy())


def test_concepts_are_hidden_and_moved_whole() -> None:
    table = made_up(patients=24)
    names = ("heart_rate", "heart_rate_mean_6h", "heart_rate_trend_6h", "oxygen_saturation_arterial_age_h")
    assert [concept_of(name) for name in names] == [*["heart_rate"] * 3, "oxygen_saturation_arterial"]
    assert concept_of("shock_index") == "shock_index"
    concepts = concepts_of(names, columns_of(table, np.arange(4), np.arange(400)), torch.ones(len(CHANNELS)))
    drawn = draw(concepts, 50, 0.5, 1.0, np.random.default_rng(0))
    of = torch.arange(50)
    columns = drawn.columns(torch.zeros(50, 4), of).numpy()
    hours = drawn.hours(torch.zeros(50, 6, len(CHANNELS)), of).numpy()
    hidden = np.isnan(columns[:, 0])
    assert 10 < hidden.sum() < 40
    assert np.array_equal(hidden, np.isnan(columns[:, 2])) and np.array_equal(hidden, np.isnan(hours[:, 3, 0]))
    kept = ~hidden
    assert np.allclose(columns[kept, 0], columns[kept, 1]) and np.ptp(columns[kept, 0]) > 1  # levels move together
    assert (columns[kept, 2] == 0).all()  # a trend does not
    assert np.allclose(hours[kept][:, :, 0], columns[kept, :1])


def test_few_data_are_learnt_in_many_small_steps() -> None:
    settings = Settings(batch_rows=4096)
    assert [rows_a_step(settings, rows) for rows in (200, 2_800, 40_000, 500_000)] == [32, 32, 400, 4_096]
    table = made_up(patients=24)
    one_a_stay = np.flatnonzero(table.hour == 24)
    batches = stretches(table, one_a_stay, 8, np.random.default_rng(0))
    assert [batch.rows.size for batch in batches] == [8, 8, 8]
    assert all((batch.step == 23).all() for batch in batches)  # each has its whole day before it


def test_bad_settings_and_empty_goals_are_told() -> None:
    with pytest.raises(ConfigurationError, match="network"):
        Settings(network="perceptron")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="hidden"):
        Settings(hidden=0)
    with pytest.raises(ConfigurationError, match="heads"):
        Settings(network="transformer", hidden=30)
    with pytest.raises(ConfigurationError, match="masked"):
        Settings(masked=1.0)
    table = made_up(patients=4)
    empty = replace(goal_of(table), train=np.zeros(0, np.int64))
    with pytest.raises(ModelError, match="to learn"):
        SequenceFamily(QUICK).fit(table, NAMES, empty, seed=0, say=quiet)

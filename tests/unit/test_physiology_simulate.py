"""Rooms compose by declared couplings; actions in clinicians' units become inputs and doses; results are files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.physiology_support import LOWER, OTHER, UPPER
from vitruvian.core.errors import ModelError, NotFoundError, UnitError
from vitruvian.physiology.actions import Action, schedule
from vitruvian.physiology.base import Parameter
from vitruvian.physiology.bodies.compose import compose
from vitruvian.physiology.person import REFERENCE
from vitruvian.physiology.run import held, run, start
from vitruvian.physiology.simulate import population, simulate

BODY = compose("two_tanks", "Two tanks", [UPPER, LOWER, OTHER])


def test_a_coupling_is_converted_multiplied_and_kept_in_each_rooms_own_time() -> None:
    p = BODY.parameter_values()[None, :]
    done = run(BODY, start(BODY, p), p, 0.0, 600.0, [0.0, 30.0, 600.0], rtol=1e-9).check(BODY)
    drain_s, rate_s = 0.01 * 2.0 * 3.0, 0.3 / 60
    t = np.array([0.0, 30.0, 600.0])
    upper = 100.0 * np.exp(-drain_s * t)
    # What the lower takes is what the upper exports, which is the drain without the factors.
    taken = 0.01 * 100.0 / 1_000 * (np.exp(-rate_s * t) - np.exp(-drain_s * t)) / (drain_s - rate_s)
    np.testing.assert_allclose(done.outputs[0, :, BODY.output_index["blood_volume"]], upper, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(done.outputs[0, :, BODY.output_index["lower_level"]], taken, rtol=1e-6, atol=1e-12)


def test_a_body_names_states_and_parameters_by_room() -> None:
    assert [one.name for one in BODY.states] == ["upper.level", "lower.level", "other.nothing"]
    assert [one.name for one in BODY.parameters] == ["upper.rate", "lower.rate"]
    assert [one.name for one in BODY.imports] == []
    assert BODY.doses[0].into == "upper.level"


def test_an_import_that_nobody_feeds_keeps_its_default() -> None:
    alone = compose("alone", "One tank", [UPPER])
    assert [one.name for one in alone.imports] == ["drain_factor"]
    p = alone.parameter_values()[None, :]
    end = run(alone, start(alone, p), p, 0.0, 100.0, rtol=1e-9).end[0, 0]
    assert end == pytest.approx(100.0 * np.exp(-1.0), rel=1e-7)


def test_a_room_twice_is_refused() -> None:
    with pytest.raises(ModelError, match="twice"):
        compose("wrong", "Wrong", [UPPER, UPPER])


def test_an_amount_over_time_a_rate_and_a_bolus() -> None:
    plan = schedule(
        BODY,
        [
            Action("crystalloid", 500, "mL", 60, 600),
            Action("crystalloid", 60, "mL/min", 120, 60),
            Action("vancomycin", 10, "mL", 30),
        ],
    )
    assert plan.edges.tolist() == [0.0, 60.0, 120.0, 180.0, 660.0]
    np.testing.assert_allclose(plan.levels[:, 0], [0.0, 500 / 600, 500 / 600 + 1.0, 500 / 600, 0.0])
    assert (plan.dose_times.tolist(), plan.dose_amounts.tolist()) == ([30.0], [20.0])


@pytest.mark.parametrize(
    ("action", "message", "kind"),
    [
        (Action("moonlight", 1), "no intervention", ModelError),
        (Action("crystalloid", 5, "kg"), "a unit like", UnitError),
        (Action("crystalloid", 1e6, "mL/s"), "expected 0 to 100", ModelError),
        (Action("crystalloid", 5, "mL/s", 0, -1), "duration above 0", ModelError),
        (Action("crystalloid", float("nan"), "mL/s"), "finite", ModelError),
        (Action("vancomycin", 1e4, "mL"), "expected 0 to 500", ModelError),
    ],
)
def test_what_the_model_cannot_do_is_refused_by_name(action: Action, message: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=message):
        schedule(BODY, [action])


def test_a_simulation_is_written_as_files_that_say_their_units(tmp_path: Path) -> None:
    found = simulate(BODY, [Action("crystalloid", 1, "mL/s")], for_s=100, every_s=10, members=5, seed=3)
    paths = found.write(tmp_path / "new")
    summary = json.loads(paths[1].read_text("utf-8"))
    table = pl.read_parquet(paths[0])
    assert summary["simulated"] is True
    assert summary["outputs"]["blood_volume"]["unit"] == "mL"
    assert table.height == 5 * 11 * len(BODY.outputs)
    picked = table.filter((pl.col("output") == "lower_level") & (pl.col("member") == 4))["value"].to_numpy()
    np.testing.assert_array_equal(picked, found.of("lower_level")[4])
    assert "<svg" in paths[2].read_text("utf-8")
    with pytest.raises(NotFoundError, match="lower_level"):
        found.of("blood")


def test_the_same_seed_gives_the_same_people_and_the_first_is_typical() -> None:
    first, again, other = (population(BODY, REFERENCE, 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first[1:, 0] != other[1:, 0]).any()
    np.testing.assert_array_equal(first[0], BODY.parameter_values())
    assert first[:, 0].std() == pytest.approx(0.002, rel=0.5)


def test_a_failing_member_says_so_and_leaves_the_others_alone() -> None:
    p = np.repeat(BODY.parameter_values()[None, :], 3, axis=0)
    y = start(BODY, p)
    y[1, 0] = np.nan
    done = run(BODY, y, p, 0.0, 10.0, [10.0])
    assert done.status.tolist()[::2] == [0, 0]
    assert done.status[1] != 0 and np.isnan(done.end[1]).all()
    with pytest.raises(ModelError, match="1 of 3 members"):
        done.check(BODY)


def test_a_parameter_needs_a_source_and_a_value_in_its_range() -> None:
    with pytest.raises(ModelError, match="source"):
        UPPER.with_(parameters=(Parameter("rate", 0.01, "1/s", 1e-4, 1.0, ""),))
    with pytest.raises(ModelError, match="within its range"):
        UPPER.with_(parameters=(Parameter("rate", 2.0, "1/s", 1e-4, 1.0, "x"),))
    with pytest.raises(ModelError, match=r"expected 0\.0001 to 1"):
        UPPER.parameter_values(changes={"rate": 5.0})


def test_arms_of_one_call_follow_their_own_schedules() -> None:
    p = np.repeat(UPPER.parameter_values()[None, :], 4, axis=0)
    rest, fed = held(UPPER.rest()), schedule(UPPER, [Action("crystalloid", 1.0, "mL/s")])
    done = run(UPPER, start(UPPER, p), p, 0, 50, [50.0], [rest, fed], np.array([0, 1, 0, 1]))
    assert done.end[0, 0] == done.end[2, 0] < done.end[1, 0] == done.end[3, 0]

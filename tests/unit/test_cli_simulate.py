"""`vitruvian simulate`: what is asked in people's units is run, told, written and refused by name."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from vitruvian.cli import app
from vitruvian.core.errors import ConfigurationError, ModelError, NotFoundError, UnitError
from vitruvian.physiology.bodies import NAMES, body
from vitruvian.physiology.presets import PRESETS

RUN = CliRunner()
INFUSION = ["simulate", "infusion", "--drug", "vancomycin", "--amount", "1000mg", "--for", "1h", "--until", "12h"]


def asked(*arguments: str) -> str:
    result = RUN.invoke(app, ["simulate", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_haemorrhage_is_written_as_files_with_units(tmp_path: Path) -> None:
    folder = tmp_path / "bleed"
    told = asked("haemorrhage", "--rate", "140mL/min", "--for", "560s", "--out", str(folder))
    assert "Mean blood pressure" in told and "(simulated)" in told
    assert sorted(one.name for one in folder.iterdir()) == ["summary.json", "trajectory.parquet", "trajectory.svg"]
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    outputs = summary["outputs"]
    assert summary["simulated"] is True
    assert outputs["mean_pressure"]["unit"] == "mm[Hg]"
    assert outputs["mean_pressure"]["end"]["median"] < 0.95 * outputs["mean_pressure"]["start"]["median"]
    lost_ml = outputs["blood_volume"]["start"]["median"] - outputs["blood_volume"]["end"]["median"]
    assert 900 < lost_ml < 1_320
    table = pl.read_parquet(folder / "trajectory.parquet")
    assert set(table.columns) == {"member", "time_s", "output", "unit", "value"}
    assert table["time_s"].max() == 560


def test_an_infusion_of_a_drug_as_json() -> None:
    result = RUN.invoke(app, [*INFUSION, "--json"], catch_exceptions=False)
    summary = json.loads(result.stdout)
    level = summary["outputs"]["vancomycin_level"]
    assert level["highest"]["median"] > 10 > level["end"]["median"] > 0
    assert summary["actions"][0]["duration_s"] == 3_600


def test_people_are_drawn_and_plotted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(app, [*INFUSION, "--members", "20", "--plot"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "<svg" in (tmp_path / "infusion.svg").read_text("utf-8")


def test_more_can_be_done_and_replaced() -> None:
    summary = json.loads(
        asked("haemorrhage", "--until", "15min", "--do", "crystalloid=500mL@10min+5min", "--json", "--every", "60s")
    )
    names = [one["name"] for one in summary["actions"]]
    assert names == ["blood_loss", "crystalloid"]
    assert summary["actions"][1]["start_s"] == 600
    volume = summary["outputs"]["blood_volume"]
    assert volume["end"]["median"] > volume["lowest"]["median"] + 100


def test_drugs_go_by_any_name_and_by_weight() -> None:
    dosed = json.loads(asked("infusion", "--drug", "Vancomycin", "--amount", "15mg/kg", "--for", "1h", "--json"))
    plain = json.loads(asked("infusion", "--drug", "vancomycin", "--amount", f"{15 * 77.1}mg", "--for", "1h", "--json"))
    level = [one["outputs"]["vancomycin_level"]["highest"]["median"] for one in (dosed, plain)]
    assert level[0] == pytest.approx(level[1])


def test_what_nobody_survives_is_told() -> None:
    summary = json.loads(asked("haemorrhage", "--rate", "600mL/min", "--for", "9min", "--json"))
    assert any("mean pressure" in one for one in summary["warnings"])
    assert json.loads(asked("haemorrhage", "--json"))["warnings"] == []


def test_what_is_asked_replaces_what_is_preset() -> None:
    summary = json.loads(asked("haemorrhage", "--do", "blood_loss=10mL/min@1min+20min", "--json"))
    assert [one["value"] for one in summary["actions"]] == [10.0]
    assert summary["outputs"]["blood_volume"]["end"]["median"] > 5_000


def test_the_list_names_every_simulation_and_model() -> None:
    listed = json.loads(asked("--list", "--json"))
    assert set(listed["simulations"]) == set(PRESETS)
    assert set(listed["models"]) == set(NAMES)
    assert all(name in asked("--list") for name in PRESETS)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_simulation_is_one_its_body_can_do(name: str) -> None:
    from vitruvian.physiology.actions import schedule

    one = PRESETS[name]
    model = body(one.body)
    plan = schedule(model, one.actions(), weight_kg=77.1)
    assert len(plan.edges) > 1 or len(plan.dose_times)
    assert any(output in model.output_index for output in one.outputs)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["moonlight"], NotFoundError),
        (["haemorrhage", "--rate", "a lot"], UnitError),
        (["haemorrhage", "--rate", "5kg"], UnitError),
        (["haemorrhage", "--for", "560"], UnitError),
        (["haemorrhage", "--do", "crystalloid"], ConfigurationError),
        (["haemorrhage", "--set", "size"], ConfigurationError),
        (["haemorrhage", "--set", "size=1"], ModelError),
        (["haemorrhage", "--sex", "x"], ModelError),
        (["haemorrhage", "--age", "4"], ModelError),
        (["haemorrhage", "--do", "crystalloid=500mL@-5min+5min"], ModelError),
        (["haemorrhage", "--members", "100000"], ModelError),
        (["infusion", "--drug", "moonlight", "--amount", "5mg"], NotFoundError),
        (["infusion"], ConfigurationError),
        ([], ConfigurationError),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(arguments: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        RUN.invoke(app, ["simulate", *arguments], catch_exceptions=False)

"""The eICU demo's hourly tables."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from tests.support import require_data
from vitruvian.core.events import Person, Quantity
from vitruvian.core.time import HOUR_US
from vitruvian.records import eicu
from vitruvian.records.base import Context, discover, iter_readings
from vitruvian.records.challenge import ORIGIN_US
from vitruvian.records.hourly import EICU_COLUMNS
from vitruvian.records.tally import summarise


@pytest.fixture
def task(tmp_path: Path) -> Path:
    pl.DataFrame(
        {"stay_id": [7, 7, None], "time": [timedelta(0), timedelta(hours=2), timedelta(0)], "hr": [81.0, None, 1.0],
         "fio2": [40.0, None, None], "urine": [120.0, None, None]}
    ).write_parquet(tmp_path / "dyn.parquet")  # fmt: skip
    pl.DataFrame(
        {"stay_id": [7], "age": [87.0], "sex": ["Female"], "height": [157.5], "weight": [None]},
        schema_overrides={"weight": pl.Float64},
    ).write_parquet(tmp_path / "sta.parquet")
    pl.DataFrame({"stay_id": [7], "label": [1]}).write_parquet(tmp_path / "outc.parquet")
    (tmp_path / "attrition.csv").write_text("incl_n,excl_n\n5,1\n")
    return tmp_path


def test_a_task_folder_is_read_as_one_and_labels_are_ignored(task: Path) -> None:
    assert [found.reader.NAME if found.reader else "" for found in discover(task)] == ["eicu-demo"]
    readings = list(iter_readings(task))
    tally = summarise(readings)
    assert (tally.total, tally.read, tally.quarantined) == (6, 2, 1)
    assert dict(tally.ignored_by_type) == {"dyn": 1, "outc": 1, "attrition": 1}
    stay, hour = readings[0].entries[0], readings[1].entries[0]
    who = stay.events[0].value
    assert isinstance(who, Person) and who.sex == "female"
    assert stay.events[2].value == Quantity(157.5, "cm")
    assert {event.concept: event.value for event in hour.events} == {
        "heart_rate": Quantity(81.0, "/min"),
        "inspired_oxygen_fraction": Quantity(0.4, "1", "", 40.0, "%"),
        "urine_output": Quantity(120.0, "mL"),
    }
    assert hour.subject == stay.subject and hour.encounter == stay.encounter
    assert hour.events[0].occurred_us == ORIGIN_US


@pytest.mark.data
def test_every_value_of_the_demo_becomes_an_event() -> None:
    folder = require_data("icu_demo/kidney_function/eicu_demo")
    table = pl.read_parquet(folder / "dyn.parquet")
    values = sum(int(table[column].is_not_null().sum()) for column in EICU_COLUMNS)
    readings = list(eicu.read(folder / "dyn.parquet", Context()))
    events = [event for reading in readings for entry in reading.entries for event in entry.events]
    assert len(readings) == table.height and len(events) == values
    assert max(event.occurred_us for event in events) <= ORIGIN_US + int(table["time"].dt.total_hours().max()) * HOUR_US

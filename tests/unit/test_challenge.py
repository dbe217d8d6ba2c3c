"""Challenge 2019: hours to entries, the same from .psv and Parquet; labels stay out."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.support import require_data
from vitruvian.core.events import Person, Quantity, Visit
from vitruvian.core.time import HOUR_US, parse_iso
from vitruvian.records import challenge
from vitruvian.records.base import Context, discover, iter_readings
from vitruvian.records.tally import summarise

HEADER = "HR|O2Sat|Temp|FiO2|EtCO2|Age|Gender|Unit1|Unit2|HospAdmTime|ICULOS|SepsisLabel\n"
HOURS = (
    "80.0|97.0|NaN|NaN|NaN|83.14|0|NaN|NaN|-0.03|1|0\n"
    "NaN|NaN|NaN|NaN|NaN|83.14|0|NaN|NaN|-0.03|2|0\n"
    "81.5|NaN|36.11|0.4|NaN|83.14|0|NaN|NaN|-0.03|3|1\n"
)


def folder(tmp_path: Path) -> Path:
    here = tmp_path / "set"
    here.mkdir()
    (here / "p000001.psv").write_text(HEADER + HOURS)
    (here / "p000002.psv").write_text(
        HEADER + "900.0|NaN|NaN|50|NaN|15|1|1|0|-5|1|0\nabc|NaN|NaN|1|NaN|15|1|1|0|-5|2|0\n"
    )
    return here


def test_each_hour_is_one_reading_and_the_label_is_no_value(tmp_path: Path) -> None:
    readings = list(iter_readings(folder(tmp_path)))
    tally = summarise(readings)
    assert (tally.total, tally.read, tally.ignored, tally.quarantined) == (5, 3, 1, 1)
    first = readings[0]
    assert [entry.source_id for entry in first.entries] == ["p000001|admission", "p000001|1"]
    who, came = first.entries[0].events
    assert isinstance(who.value, Person) and who.value.sex == "female"
    assert isinstance(came.value, Visit) and came.value.action == "admit"
    third = readings[2].entries[0]
    assert {event.concept: event.value for event in third.events} == {
        "heart_rate": Quantity(81.5, "/min"),
        "body_temperature": Quantity(36.11, "Cel"),
        "inspired_oxygen_fraction": Quantity(0.4, "1"),
    }
    assert {event.occurred_us for event in third.events} == {parse_iso("2000-01-01T03:00:00Z").us}
    words = {event.code for reading in readings for entry in reading.entries for event in entry.events}
    assert "SepsisLabel" not in words and "Age" not in words


def test_implausible_values_are_kept_and_marked_and_text_is_quarantined(tmp_path: Path) -> None:
    readings = list(iter_readings(folder(tmp_path)))
    second = {event.concept: event for event in readings[3].entries[1].events}
    assert second["heart_rate"].value == Quantity(900.0, "/min")
    assert second["heart_rate"].quality == ("implausible",)
    assert second["inspired_oxygen_fraction"].quality == ()
    assert second["inspired_oxygen_fraction"].value == Quantity(0.5, "1", "", 50.0, "1")
    refusal = readings[4].refusal
    assert refusal is not None and refusal.reason == "value" and "HR" in refusal.detail


def test_age_at_admission_gives_a_birth_day(tmp_path: Path) -> None:
    born_us = challenge.birth_us(challenge.ORIGIN_US, 83.14)
    assert born_us is not None
    assert (challenge.ORIGIN_US - born_us) / challenge.YEAR_US == pytest.approx(83.14, abs=0.003)
    assert challenge.birth_us(0, None) is None and challenge.birth_us(0, -1) is None


def test_parquet_and_csv_say_the_same_as_psv(tmp_path: Path) -> None:
    here = folder(tmp_path)
    frames = [
        pl.read_csv(file, separator="|", null_values="NaN", infer_schema_length=None)
        .cast(pl.Float32)
        .with_columns(pl.lit(file.stem).alias("patient"))
        for file in sorted(here.glob("*1.psv"))
    ]
    table = pl.concat(frames)
    table.write_parquet(tmp_path / "hours.parquet")
    table.write_csv(tmp_path / "hours.csv")
    wanted = [entry for reading in iter_readings(here / "p000001.psv") for entry in reading.entries]
    for name in ("hours.parquet", "hours.csv"):
        found = [entry for reading in iter_readings(tmp_path / name) for entry in reading.entries]
        assert found == wanted, name


def test_a_folder_of_psv_is_one_find_and_a_truncated_row_is_told(tmp_path: Path) -> None:
    here = folder(tmp_path)
    assert [found.reader.NAME if found.reader else "" for found in discover(here)] == ["challenge2019"]
    (here / "p000003.psv").write_text(HEADER + "80|97\n" + HOURS)
    tally = summarise(iter_readings(here))
    assert tally.total == 9 and tally.reasons["columns"] == 1


def test_rows_that_even_out_do_not_change_whose_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.psv").write_text("HR|ICULOS\n80\n81|2|9\n82|3\n")  # one short, one long
    (tmp_path / "b.psv").write_text("HR|ICULOS\n90|1\n91|2\n")
    (tmp_path / "c.psv").write_text("ICULOS|HR\r\n1|70\r\n")
    readings = list(iter_readings(tmp_path))
    assert summarise(readings).reasons == {"columns": 2}
    heart = [
        (entry.subject[0].value, event.value.value)
        for reading in readings
        for entry in reading.entries
        for event in entry.events
        if isinstance(event.value, Quantity)
    ]
    assert heart == [("a", 82.0), ("b", 90.0), ("b", 91.0), ("c", 70.0)]


@pytest.mark.data
def test_every_row_of_the_published_hours_is_counted() -> None:
    path = require_data("physionet2019/training_setA.parquet")
    table = pl.read_parquet(path).head(20_000)
    values = sum(
        int((table[column].is_not_null() & table[column].is_not_nan()).sum()) for column in challenge.CHALLENGE_COLUMNS
    )
    events = rows = 0
    moments = set()
    for reading in challenge.Hours("test", Context()).readings(table, table["patient"].cast(pl.String).to_list()):
        rows += 1
        for entry in reading.entries:
            events += sum(event.kind == "observation" for event in entry.events)
            moments.add(entry.events[0].occurred_us)
    assert rows == table.height and events == values
    hours = {(moment - challenge.ORIGIN_US) / HOUR_US for moment in moments}
    assert hours - {0} <= set(table["ICULOS"].to_list())

"""Plain tables: wide and long, described by a file or by their own headers."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from vitruvian import read
from vitruvian.core.errors import ConfigurationError, ReadingError
from vitruvian.core.events import Coded, Entry, Quantity
from vitruvian.core.time import parse_iso
from vitruvian.records.base import Context, discover, iter_readings
from vitruvian.records.tabular import Described, load_columns, parse_columns
from vitruvian.records.tally import summarise

WIDE = """
[table]
patient = "mrn"
authority = "urn:hospital:mrn"
encounter = "visit"
time = "charted"
format = "%d/%m/%Y %H:%M"
zone = "Europe/Paris"
available = "reported"
id = "row"
[values]
"HR" = "heart_rate"
"Temp" = { concept = "body_temperature", unit = "[degF]" }
"AVPU" = "consciousness"
"Lac" = { concept = "lactate", unit = "mg/dL" }
"""
LONG = """
[table]
patient = "record"
time = "minute"
format = "min"
origin = "2020-01-01T00:00:00Z"
[long]
code = "parameter"
value = "value"
unit = "unit"
[codes]
"K" = { concept = "potassium", unit = "mmol/L" }
"GLU" = "glucose"
"""
TABLE = (
    "row,mrn,visit,charted,reported,HR,Temp,AVPU,Lac\n"
    "1,A,V1,05/06/2024 14:30,05/06/2024 15:00,80,98.6,Alert,<18\n"
    "2,A,V1,05/06/2024 15:30,,,,,\n"
    "3,A,V1,31/31/2024 15:30,,80,,,\n"
    "4,,V1,05/06/2024 15:30,,80,,,\n"
    "5,B,,05/06/2024 15:30,,fast,99,,\n"
)


def taken(path: Path, description: str) -> list[Entry]:
    columns = parse_columns(description)
    return [entry for reading in Described(columns).read(path, Context()) for entry in reading.entries]


def test_a_wide_table_in_its_own_zone_units_and_words(tmp_path: Path) -> None:
    path = tmp_path / "chart.csv"
    path.write_text(TABLE)
    first, last = taken(path, WIDE)
    assert {event.concept: event.value for event in first.events} == {
        "heart_rate": Quantity(80.0, "/min"),
        "body_temperature": Quantity(pytest.approx(37.0), "Cel", "", 98.6, "[degF]"),
        "consciousness": Coded("", "Alert", "Alert", 0.0),
        "lactate": Quantity(pytest.approx(1.998, abs=0.001), "mmol/L", "<", 18.0, "mg/dL"),
    }
    assert first.events[0].occurred_us == parse_iso("2024-06-05T14:30:00+02:00").us
    assert first.available_us == parse_iso("2024-06-05T15:00:00+02:00").us
    assert first.source_id == "A|1" and first.subject[0].system == "urn:hospital:mrn"
    assert first.encounter is not None and first.encounter.value == "V1"
    assert [event.concept for event in last.events] == ["body_temperature"] and last.encounter is None
    tally = summarise(Described(parse_columns(WIDE)).read(path, Context()))
    assert (tally.total, tally.read, tally.ignored) == (5, 2, 1)
    assert tally.reasons == {"time": 1, "patient": 1} and tally.refused_parts == {"value": 1}


def test_a_long_table_with_times_since_an_origin(tmp_path: Path) -> None:
    table = pl.DataFrame(
        {
            "record": [7, 7, 7, 7, 8],
            "parameter": ["K", "GLU", "GLU", "MCV", "K"],
            "value": [4.1, 5.5, 90.0, 1.0, None],
            "unit": [None, "mmol/L", None, "fL", None],
            "minute": [0, 90, 91, 92, 5],
        }
    )
    table.write_parquet(tmp_path / "long.parquet")
    table.write_csv(tmp_path / "long.csv")
    for name in ("long.parquet", "long.csv"):
        first, second = taken(tmp_path / name, LONG)
        assert first.events[0].value == Quantity(4.1, "mmol/L")
        assert second.events[0].value == Quantity(pytest.approx(99.088), "mg/dL", "", 5.5, "mmol/L")
        assert second.events[0].occurred_us == parse_iso("2020-01-01T01:30:00Z").us
        tally = summarise(Described(parse_columns(LONG)).read(tmp_path / name, Context()))
        assert tally.reasons == {"unit": 1} and tally.ignored == 2  # no unit: refused, not guessed
        assert list(tally.unmapped) == ["table:long|MCV|"]


def test_headers_that_name_concept_and_unit_need_no_description(tmp_path: Path) -> None:
    path = tmp_path / "plain.csv"
    path.write_text(
        "patient,time,heart_rate [/min],Temperature [degF],SpO2,remark\n"
        "A,2024-01-01T10:00:00+02:00,80,98.6,97,x\nA,2024-01-01 10:00,81,,,\nA,2024-01-01T08:00:00Z,80,98.6,97,x\n"
    )
    entries = list(read(path))
    assert [[event.concept for event in entry.events] for entry in entries] == [
        ["heart_rate", "body_temperature"],
        ["heart_rate"],
        ["heart_rate", "body_temperature"],
    ]
    assert entries[0].events[0].occurred_us == entries[2].events[0].occurred_us == parse_iso("2024-01-01T08:00:00Z").us
    assert list(read(path, zone="+02:00"))[1].events[0].occurred_us == parse_iso("2024-01-01T08:00:00Z").us


@pytest.mark.parametrize(
    "header",
    ["patient,time,heart_rate", "time,heart_rate [/min]", "patient,heart_rate [/min]", "patient,time,heart_rate [kg]"],
)
def test_headers_that_say_too_little_are_not_guessed(tmp_path: Path, header: str) -> None:
    path = tmp_path / "plain.csv"
    path.write_text(header + "\n" + "1," * header.count(",") + "1\n")
    assert [found.reader for found in discover(tmp_path)] == [None]
    with pytest.raises(ReadingError, match="no known format"):
        list(iter_readings(path))


@pytest.mark.parametrize("unit", ["", "1"])
def test_rows_are_told_apart_by_content_where_they_have_no_name(tmp_path: Path, unit: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"patient,time,FiO2 [{unit}]\nA,2024-01-01,0.4\nA,2024-01-01,40\nA,2024-01-01,0.4\n")
    entries = list(read(path))
    assert len({entry.source_id for entry in entries}) == 2
    assert [round(entry.events[0].value.value, 2) for entry in entries] == [0.4, 0.4, 0.4]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[table\n", "TOML"),
        ('[table]\ntime = "t"\n[values]\nHR = "heart_rate"\n', "table.patient"),
        ('[table]\npatient = "p"\ntime = "t"\n', "neither"),
        ('[table]\npatient = "p"\ntime = "t"\n[values]\nHR = "pulsation"\n', "pulsation"),
        ('[table]\npatient = "p"\ntime = "t"\n[values]\nHR = { concept = "heart_rate", unit = "kg" }\n', "heart_rate"),
        ('[table]\npatient = "p"\ntime = "t"\nzone = "Mars"\n[values]\nHR = "heart_rate"\n', "Mars"),
        ('[table]\npatient = "p"\ntime = "t"\nformat = "h"\n[values]\nHR = "heart_rate"\n', "origin"),
        ('[table]\npatient = "p"\ntime = "t"\n[long]\ncode = "c"\n', "code and value"),
        ('[table]\npatient = "p"\ntime = "t"\ncolour = "red"\n[values]\nHR = "heart_rate"\n', "colour"),
        ('[table]\npatient = "p"\ntime = "t"\n[values]\nNE = "norepinephrine"\n', "intervention"),
        ('table = 1\n[values]\nHR = "heart_rate"\n', "table"),
        ('[table]\npatient = 1\ntime = "t"\n[values]\nHR = "heart_rate"\n', "quotes"),
    ],
)
def test_a_wrong_description_names_its_fault(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_columns(text)


def test_a_table_without_the_described_columns_is_told(tmp_path: Path) -> None:
    path, description = tmp_path / "t.csv", tmp_path / "columns.toml"
    path.write_text("a,b\n1,2\n")
    description.write_text(WIDE)
    assert load_columns(description).patient == "mrn"
    with pytest.raises(ReadingError, match=r"charted, mrn.*it has a, b"):
        list(read(path, columns=description))
    (tmp_path / "u.csv").write_text(TABLE)
    assert len(list(read(tmp_path, columns=description))) == 2
    with pytest.raises(ConfigurationError, match=r"columns\.toml"):
        load_columns(tmp_path / "absent.toml")

"""Whatever stands in a file that calls itself a table or a record: readings come out, never an exception."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.mimic_support import III, IV
from vitruvian.core.events import Reading
from vitruvian.records.base import Context, Found, discover, read_found
from vitruvian.records.tabular import Described, parse_columns

WIDE = parse_columns(
    '[table]\npatient = "patient"\ntime = "time"\n[values]\nHR = "heart_rate"\nAVPU = "consciousness"\n'
)
LONG = parse_columns(
    '[table]\npatient = "patient"\ntime = "time"\nformat = "epoch-s"\n[long]\ncode = "HR"\nvalue = "AVPU"\n'
)
CELLS = st.one_of(
    st.sampled_from(
        ["", "NaN", "1", "80", "-1", "1e309", "<0.1", "2150-05-01 10:00:00", "5/1/2150 9:30", '"', '"a\nb"']
    ),
    st.sampled_from(["0000-00-00", "9999-12-31 23:59:59", "2150-02-30 10:00:00", "\x00", "\ufeff", "١٢", "1" * 400]),
    st.text(max_size=12),
)
HEADERS = [
    "HR|O2Sat|Temp|Age|Gender|Unit1|ICULOS|SepsisLabel",
    "patient,HR,AVPU,ICULOS,time",
    "patient,time,heart_rate [/min],FiO2 [1]",
    *(text.split("\n", 1)[0] for text in (*IV.values(), *III.values())),
]
NAMES = ["p1.psv", "hours.csv", "plain.csv", *(name.split("/")[-1] + ".csv" for name in (*IV, *III))]


def everything(path: Path) -> list[Reading]:
    found = [*discover(path), Found(path, Described(WIDE)), Found(path, Described(LONG))]
    return [reading for item in found if item.reader for reading in read_found(item, Context())]


def check(readings: list[Reading]) -> None:
    for reading in readings:
        assert bool(reading.entries) + bool(reading.ignored) + (reading.refusal is not None) == 1
        for entry in reading.entries:
            assert entry.source and entry.source_id and entry.subject and entry.events


@pytest.mark.parametrize("place", range(len(HEADERS)))
@settings(max_examples=20)  # of each header
@given(
    rows=st.lists(st.lists(CELLS, max_size=40), max_size=6),
    junk=st.binary(max_size=60),
    packed=st.booleans(),
    cut=st.integers(0, 40),
)
def test_any_cells_under_a_known_header(
    tmp_path_factory: pytest.TempPathFactory, place: int, rows: list[list[str]], junk: bytes, packed: bool, cut: int
) -> None:
    header, name = HEADERS[place], NAMES[place]
    separator = "|" if name.endswith(".psv") else ","
    width = header.count(separator) + 1
    lines = [header, *(separator.join((row + [""] * width)[:width]) for row in rows)]
    data = "\n".join(lines).encode("utf-8", "surrogatepass") + b"\n" + junk
    if packed:
        data = gzip.compress(data)
        data = data[: max(20, len(data) - cut)]
    path = tmp_path_factory.mktemp("hostile") / (name + ".gz" if packed and not name.endswith(".psv") else name)
    path.write_bytes(data)
    check(everything(path))


@given(header=st.binary(max_size=120), lines=st.lists(st.text(max_size=30), max_size=3))
def test_any_record_header(tmp_path_factory: pytest.TempPathFactory, header: bytes, lines: list[str]) -> None:
    folder = tmp_path_factory.mktemp("record")
    (folder / "r.dat").write_bytes(b"\x00\x01" * 30)
    for number, data in enumerate(
        (b"r 1 1 5 10:00:00 01/02/2100\nr.dat 16 1/bpm 16 0 0 0 0 HR\n", b"r 1 1 5\n", b"r/2 1 1 5\n")
    ):
        (folder / f"r{number}.hea").write_bytes(data + header + "\n".join(lines).encode("utf-8", "replace"))
    readings = [r for item in discover(folder) if item.reader for r in read_found(item, Context())]
    check(readings)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("x", [[1, 2], None]),
        pl.Series("x", [{"a": 1}, None]),
        pl.Series("x", [b"\xff", None]),
        pl.Series("x", [True, None]),
        pl.Series("x", ["a", None], dtype=pl.Categorical),
        pl.Series("x", [1, None]).cast(pl.Duration("ms")),
        pl.Series("x", [None, None]),
    ],
)
@pytest.mark.parametrize("name", ["patient", "time", "ICULOS", "HR", "AVPU", "heart_rate [/min]", "stay_id"])
@pytest.mark.parametrize("file", ["hours.parquet", "dyn.parquet", "sta.parquet"])
def test_parquet_columns_of_any_type(tmp_path: Path, column: pl.Series, name: str, file: str) -> None:
    table = pl.DataFrame(
        {"patient": ["A", "B"], "time": [0, 1], "ICULOS": [1, 2], "HR": [80.0, None], "AVPU": ["Alert", "?"],
         "heart_rate [/min]": [80.0, 81.0], "stay_id": [1, 2]}
    ).with_columns(column.alias(name))  # fmt: skip
    table.write_parquet(tmp_path / file)
    check(everything(tmp_path / file))

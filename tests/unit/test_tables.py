"""Tables in pieces: whole records, damaged rows, times in zones, numbers as written."""

from __future__ import annotations

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from vitruvian.core.errors import LimitError, ReadingError
from vitruvian.core.time import parse_iso
from vitruvian.records import tables


def rows(path: Path, separator: str = ",") -> list[tuple[object, ...]]:
    return [row for piece in tables.pieces(path, separator) for row in piece.frame.rows()]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_quoted_line_break_does_not_end_a_record_wherever_a_block_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, packed: bool
) -> None:
    wanted = [(str(number), 'a "word",\nand another', "x") for number in range(50)]
    text = "id,text,last\n" + "".join(f'{a},"a ""word"",\nand another",{c}\n' for a, _, c in wanted)
    data = text.replace("\n", ending).encode()
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    path.write_bytes(gzip.compress(data) if packed else data)
    for size in (7, 64, 333, 1 << 20):
        monkeypatch.setattr(tables, "BLOCK_BYTES", size)
        assert [(a, str(b).replace("\r\n", "\n"), c) for a, b, c in rows(path)] == wanted


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_plain_rows_go_the_quick_way_and_hold_no_line_ends(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "t.psv"
    path.write_bytes(f"a|b{ending}1|2{ending}|{ending}3|x y".encode())
    assert rows(path, "|") == [("1", "2"), (None, None), ("3", "x y")]


def test_a_damaged_row_costs_itself_only(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n1,2\n3\n4,5,6\n\xff,7\n8,9\n")
    (piece,) = tables.pieces(path)
    assert piece.frame.rows() == [("1", "2"), ("\ufffd", "7"), ("8", "9")]
    assert piece.damaged == [("3", "found 1 fields, expected 2"), ("4,5,6", "found 3 fields, expected 2")]


def test_a_file_without_a_header_and_a_record_without_an_end_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "e.csv"
    empty.write_bytes(b"")
    with pytest.raises(ReadingError, match="header"):
        list(tables.pieces(empty))
    monkeypatch.setattr(tables, "RECORD_BYTES_MAX", 100)
    monkeypatch.setattr(tables, "BLOCK_BYTES", 64)
    endless = tmp_path / "q.csv"
    endless.write_bytes(b'a,b\n1,"' + b"x" * 1000)
    with pytest.raises(LimitError, match="record"):
        list(tables.pieces(endless))


def test_no_parquet_is_a_reading_error(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(ReadingError, match="Parquet"):
        list(tables.pieces(path))


def test_times_are_read_in_every_published_form_and_in_their_zone() -> None:
    stated = ["2164-10-23 21:09:00", "2146-12-01", "5/15/2156 18:00", "12/7/2132 5:00", "7/14/2155", "soon", None, " "]
    meant = ["2164-10-23T21:09:00", "2146-12-01", "2156-05-15T18:00:00", "2132-12-07T05:00:00", "2155-07-14"]
    assert tables.instants(pl.Series(stated)) == [*(parse_iso(text).us for text in meant), None, None, None]
    paris = ZoneInfo("Europe/Paris")
    summer = pl.Series(["2024-07-01 12:00:00", "2024-10-27 02:30:00", "2024-03-31 02:30:00"])
    assert tables.instants(summer, paris) == [
        parse_iso("2024-07-01T12:00:00+02:00").us,
        parse_iso("2024-10-27T02:30:00+02:00").us,  # twice: the earlier
        None,  # never
    ]


def test_numbers_are_what_was_written() -> None:
    assert tables.numbers(pl.Series([36.1, None, float("nan"), float("inf")], dtype=pl.Float32)) == [
        36.1, None, None, None,
    ]  # fmt: skip
    assert tables.numbers(pl.Series([" 7.25 ", "x", "", None, "1e3"])) == [7.25, None, None, None, 1000.0]


@pytest.mark.parametrize(
    ("stated", "meant"), [(0.4, 0.4), (1.0, 1.0), (21.0, 0.21), (40.0, 0.4), (100.0, 1.0), (10.0, 10.0), (0.0, 0.0)]
)
def test_inspired_oxygen_is_a_fraction_however_it_was_charted(stated: float, meant: float) -> None:
    assert tables.fraction_of_oxygen(stated) == pytest.approx(meant)

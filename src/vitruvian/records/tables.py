"""Tables read piece by piece: CSV and PSV (plain or gzip) and Parquet, in memory that does not grow with the file.

A CSV piece is all text, as published; a row that has too many or too few fields is handed over apart, so that one
damaged line costs itself and not its neighbours.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import IO, Final
from zoneinfo import ZoneInfo

import polars as pl

from vitruvian.core.errors import LimitError, ReadingError
from vitruvian.core.events import Event, Quantity
from vitruvian.core.vocabulary import Concept

__all__ = [
    "Measure",
    "Piece",
    "columns_of",
    "fraction_of_oxygen",
    "instants",
    "is_parquet",
    "is_plain",
    "numbers",
    "observations",
    "pieces",
    "pieces_of",
    "stem",
    "take",
    "texts",
]

BLOCK_BYTES: Final = 8 << 20
RECORD_BYTES_MAX: Final = 32 << 20  # a quoted field that never ends
PARQUET_ROWS: Final = 65_536
_SUFFIXES: Final = (".csv.gz", ".csv", ".psv", ".psv.gz", ".tsv", ".tsv.gz", ".parquet")
# What published tables write: ISO, and month first where a spreadsheet rewrote them.
TIME_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
)
_NO_VALUES: Final = (pl.Binary, pl.Object, pl.Duration, pl.Time)  # not without saying from when and in what unit
DATE_FORMATS: Final = ("%Y-%m-%d", "%m/%d/%Y")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a table, in its order. `first` numbers the first of them from 0; `damaged` are lines that are no
    rows of it, with why.
    """

    frame: pl.DataFrame
    first: int = 0
    damaged: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measure:
    """A column of values of one concept; `unit` is how the column states them, `factor` and `offset` convert.

    With `fraction`, per cent and fractions stand side by side (see `fraction_of_oxygen`).
    """

    column: str
    concept: Concept
    unit: str
    factor: float = 1.0
    offset: float = 0.0
    fraction: bool = False

    @classmethod
    def of(cls, column: str, concept: Concept, unit: str = "") -> Measure:
        """The measure of a column stated in `unit` (empty: the concept's own). Raises UnitError."""
        stated = unit or concept.unit
        factor, offset = concept.conversion(stated)
        fraction = concept.name == "inspired_oxygen_fraction"
        return cls(column, concept, stated, factor, offset, fraction)


def observations(
    measures: Sequence[Measure], values: Sequence[float | None], occurred_us: int, zone: str = ""
) -> tuple[Event, ...]:
    """One event for each value that is there; `values` stand in the order of `measures`."""
    events = []
    for measure, number in zip(measures, values, strict=True):
        if number is None or number != number:
            continue
        concept = measure.concept
        if measure.fraction:
            value = fraction_of_oxygen(number)
        else:
            value = number * measure.factor + measure.offset
        same = value == number and measure.unit == concept.unit
        quantity = Quantity(value, concept.unit) if same else Quantity(value, concept.unit, "", number, measure.unit)
        low, high = concept.plausible
        quality = () if low <= value <= high else ("implausible",)
        events.append(
            Event("observation", concept.name, quantity, occurred_us, zone=zone, code=measure.column, quality=quality)
        )
    return tuple(events)


def fraction_of_oxygen(number: float) -> float:
    """FiO2 as a fraction where charts mix 0.4 and 40: what lies from 20 to 100 is per cent, all else stays as it is."""
    return number / 100.0 if 20.0 <= number <= 100.0 else number


# --- files -------------------------------------------------------------------


def stem(path: Path) -> str:
    """The name of a table's file without the endings of its format, in lower case; empty where it is no table."""
    name = path.name.lower()
    return next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), "")


def is_parquet(path: Path) -> bool:
    """Whether a file calls itself Parquet."""
    return path.name.lower().endswith(".parquet")


def columns_of(path: Path, separator: str = ",") -> tuple[str, ...]:
    """A table's columns as they are written there; empty where it cannot be read as one."""
    try:
        if is_parquet(path):
            return tuple(pl.read_parquet_schema(path))
        with _open(path) as file:
            line = file.readline(1 << 16)
    except (OSError, EOFError, pl.exceptions.PolarsError):
        return ()
    return tuple(_header(line, separator))


def pieces(path: Path, separator: str = ",") -> Iterator[Piece]:
    """The rows of a table. Raises ReadingError where it has no header, LimitError where a record never ends, and what
    a damaged file raises (OSError, EOFError, zlib.error).
    """
    if is_parquet(path):
        yield from _parquet(path)
        return
    with _open(path) as file:
        yield from pieces_of(file, separator, path.name)


def pieces_of(file: IO[bytes], separator: str = ",", name: str = "table") -> Iterator[Piece]:
    """The rows of an open CSV table. Raises as `pieces` does."""
    columns = _header(file.readline(1 << 20), separator)
    if not columns:
        raise ReadingError(f"found {name} without a header line, expected the names of its columns")
    first = 0
    for block in _blocks(file, name):
        piece = _parse(columns, block, separator, first)
        first += piece.frame.height + len(piece.damaged)
        yield piece


def is_plain(header: bytes, body: bytes, separator: bytes) -> bool:
    """Whether rows hold no quotes and no empty lines, and separators in the number that the header asks for."""
    wanted = body.count(b"\n") * header.count(separator)
    return b'"' not in body and b"\n\n" not in body and body.count(separator) == wanted and body[:1] != b"\n"


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _header(line: bytes, separator: str) -> list[str]:
    text = line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").strip("\r\n")
    if not text.strip():
        return []
    try:
        names = [name.strip() for name in next(csv.reader([text], delimiter=separator))]
    except csv.Error:
        return []
    seen: dict[str, int] = {}
    unique = []
    for name in names:  # a name that comes twice is told apart, as an empty one is
        seen[name] = seen.get(name, 0) + 1
        unique.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return unique


def _parquet(path: Path) -> Iterator[Piece]:
    try:
        table = pl.scan_parquet(path)
        rows = int(table.select(pl.len()).collect().item())
        for first in range(0, rows, PARQUET_ROWS):
            piece = table.slice(first, PARQUET_ROWS).collect()
            yield Piece(piece.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String)), first)
    except pl.exceptions.PolarsError as error:
        raise ReadingError(f"found {path.name}, which is no readable Parquet ({error}); check the file") from error


def _blocks(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Blocks of whole records: a line's end within quotes does not end a record."""
    carry = b""
    while data := file.read(BLOCK_BYTES):
        data = carry + data
        cut = _last_record(data)
        if cut < 0 and len(data) > RECORD_BYTES_MAX:
            raise LimitError(f"found a record of more than {RECORD_BYTES_MAX} bytes in {name}; check its quotes")
        if cut >= 0:
            yield data[: cut + 1]
        carry = data[cut + 1 :]
    if carry.strip():
        yield carry if carry.endswith(b"\n") else carry + b"\n"


def _last_record(data: bytes) -> int:
    cut = data.rfind(b"\n")
    if b'"' not in data:
        return cut
    quotes = data.count(b'"', 0, cut + 1)
    while cut >= 0 and quotes % 2:
        before = data.rfind(b"\n", 0, cut)
        quotes -= data.count(b'"', before + 1, cut + 1)
        cut = before
    return cut


def _parse(columns: list[str], block: bytes, separator: str, first: int) -> Piece:
    """A block as a frame of text; read line by line where the quick way does not fit it."""
    mark = separator.encode()
    if is_plain(mark * (len(columns) - 1), block, mark):
        frame = _quick(columns, block, separator)
        if frame is not None and frame.height == block.count(b"\n"):
            return Piece(frame, first)
    return _slow(columns, block, separator, first)


def _quick(columns: list[str], block: bytes, separator: str) -> pl.DataFrame | None:
    try:
        return pl.read_csv(
            block, has_header=False, new_columns=columns, separator=separator, infer_schema=False, quote_char=None,
            encoding="utf8-lossy",
        )  # fmt: skip
    except pl.exceptions.PolarsError:
        return None


def _slow(columns: list[str], block: bytes, separator: str, first: int) -> Piece:
    rows: list[list[str | None]] = []
    damaged: list[tuple[str, str]] = []
    text = io.StringIO(block.decode("utf-8", "replace").replace("\0", ""), newline="")
    reader = csv.reader(text, delimiter=separator)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            damaged.append(("", str(error)))
            continue
        if not row:
            continue
        if len(row) != len(columns):
            damaged.append((separator.join(row), f"found {len(row)} fields, expected {len(columns)}"))
        else:
            rows.append([cell or None for cell in row])
    frame = pl.DataFrame(rows, schema=dict.fromkeys(columns, pl.String), orient="row")
    return Piece(frame, first, damaged)


# --- columns -----------------------------------------------------------------


def take(frame: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Those columns, as text, in that order; one that the table does not have is all null.

    Raises ReadingError where the cells are no plain values.
    """
    have = set(frame.columns)
    for name in names:
        if name in have:
            _plain(frame[name], _NO_VALUES)
    return frame.select(
        pl.col(name).cast(pl.String) if name in have else pl.lit(None, pl.String).alias(name) for name in names
    )


def texts(column: pl.Series) -> list[str]:
    """Text without blanks around it; what is null is empty. Raises ReadingError where the cells are no plain values."""
    found: list[str] = _plain(column, _NO_VALUES).cast(pl.String).fill_null("").str.strip_chars().to_list()
    return found


def numbers(column: pl.Series) -> list[float | None]:
    """Numbers as they are written; None where there is none, or text, or no finite number.

    A single-precision number is the shortest decimal that it stands for: 36.1, not 36.099998474. Raises ReadingError
    where the cells are no plain values.
    """
    column = _plain(column, _NO_VALUES)
    if column.dtype == pl.Float32:
        column = column.cast(pl.String)
    if column.dtype == pl.String:
        column = column.str.strip_chars()
    values = column.cast(pl.Float64, strict=False)
    found: list[float | None] = values.set(~values.is_finite().fill_null(False), None).to_list()
    return found


def instants(column: pl.Series, zone: tzinfo = UTC, formats: Sequence[str] = ()) -> list[int | None]:
    """Microseconds since the epoch of times without an offset in `zone`; None where one cannot be read.

    A time that a change of clocks makes twice is the earlier; one that it leaves out is None. `formats` (strftime)
    replace the usual ones. Raises ReadingError where the cells are no plain values.
    """
    times = column = _plain(column)
    if not (column.dtype == pl.String or column.dtype.is_temporal()) or column.dtype in (pl.Duration, pl.Time):
        return [None] * len(column)  # a number is no time until a description says of what
    if column.dtype == pl.String:
        stripped = column.str.strip_chars()
        times = pl.Series("t", [None] * len(column), pl.Datetime("us"))
        for form in formats or (*TIME_FORMATS, *DATE_FORMATS):
            if not times.null_count():
                break
            dated = not any(mark in form for mark in ("%H", "%I", "%T", "%R"))
            read = (
                stripped.str.to_date(form, strict=False).cast(pl.Datetime("us"))
                if dated
                else stripped.str.to_datetime(form, strict=False, time_unit="us")
            )
            times = times.zip_with(times.is_not_null(), read)
    times = times.cast(pl.Datetime("us")) if times.dtype == pl.Date else times
    if isinstance(times.dtype, pl.Datetime) and times.dtype.time_zone is None:
        times = _placed(times.cast(pl.Datetime("us")), zone)
    found: list[int | None] = times.dt.epoch("us").to_list()
    return found


def _plain(column: pl.Series, refused: Sequence[type[pl.DataType]] = (pl.Binary, pl.Object)) -> pl.Series:
    """Lists, structs and bytes in a Parquet column are no values of a table."""
    if column.dtype.is_nested() or column.dtype in refused:
        raise ReadingError(f"found column {column.name!r} of type {column.dtype}, expected numbers, text or times")
    return column


def _placed(times: pl.Series, zone: tzinfo) -> pl.Series:
    if isinstance(zone, ZoneInfo):
        return times.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")
    offset = zone.utcoffset(None)
    return times.dt.replace_time_zone("UTC") if not offset else (times - offset).dt.replace_time_zone("UTC")

"""Rows of plain tables to readings. A row that holds no value is ignored, one that cannot be placed is quarantined."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import polars as pl

from vitruvian.core.errors import ReadingError, UnitError
from vitruvian.core.events import Coded, Comparator, Entry, Event, Quantity, Reading, Refusal, Value
from vitruvian.core.identifiers import Identifier, digest16
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX
from vitruvian.core.vocabulary import VOCABULARY, Concept
from vitruvian.records.base import Context, Found, discover, quarantined, read_found
from vitruvian.records.mapping import LocalCode
from vitruvian.records.tables import columns_of, fraction_of_oxygen, instants, numbers, pieces, stem, take, texts
from vitruvian.records.tabular.spec import EPOCHS_US, UNITS_US, Columns, described_by_header

NAME: Final = "table"
_NUMBER: Final = re.compile(r"^(<=|>=|<|>)?\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?)$")
_ABSENT: Final = frozenset(("", "na", "n/a", "nan", "null", "none", "-", "."))
_ROW: Final = "row"


def sniff(path: Path, head: bytes) -> bool:
    """A table whose headers name a patient, a time, and a concept with its unit."""
    if path.is_dir() or not stem(path):
        return False
    return described_by_header(columns_of(path, _separator(path))) is not None


def files(path: Path) -> list[Path]:
    """The file itself."""
    return [path]


def read(path: Path, context: Context) -> Iterator[Reading]:
    """One reading a row of a table that its headers describe."""
    described = described_by_header(columns_of(path, _separator(path)))
    if described is None:
        raise ReadingError(
            f"found {path.name} with headers that do not say what they are, expected a patient, a time and values such"
            " as 'heart_rate [/min]'; describe the columns in a columns.toml"
        )
    yield from Described(described).read(path, context)


@dataclass(frozen=True, slots=True)
class Described:
    """A reader of the tables that one description fits; in every respect a reader like the modules are."""

    columns: Columns
    NAME: str = NAME

    def sniff(self, path: Path, head: bytes) -> bool:
        """A table that has the described columns."""
        return not path.is_dir() and stem(path) != "" and self.columns.fits(columns_of(path, _separator(path)))

    def files(self, path: Path) -> list[Path]:
        """The file itself."""
        return [path]

    def read(self, path: Path, context: Context) -> Iterator[Reading]:
        """One reading a row. Raises ReadingError where the described columns are not there."""
        names = columns_of(path, _separator(path))
        if not self.columns.fits(names):
            lacking = sorted(self.columns.needed - set(names)) or sorted(self.columns.values)
            raise ReadingError(
                f"found {path.name} without {', '.join(lacking[:5])}, expected the described columns;"
                f" it has {', '.join(names[:20])}"
            )
        rows = _Rows(self.columns, context, context.source or f"{NAME}:{stem(path)}", names)
        for piece in pieces(path, _separator(path)):
            for text, why in piece.damaged:
                yield quarantined(_ROW, "columns", why, rows.source, raw=text.encode())
            yield from rows.readings(piece.frame)


def described_readings(path: Path | str, columns: Columns, context: Context) -> Iterator[Reading]:
    """Readings of a table, or of the tables in a folder that have these columns; other files are passed over.

    Raises ReadingError where the path does not exist, or is a file that lacks the columns.
    """
    described, path = Described(columns), Path(path)
    if path.is_file():
        yield from described.read(path, context)
        return
    for found in discover(path):
        if found.path.is_file() and described.sniff(found.path, b""):
            yield from read_found(Found(found.path, described), context)


def _separator(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    return "\t" if name.endswith(".tsv") else "|" if name.endswith(".psv") else ","


class _Rows:
    def __init__(self, columns: Columns, context: Context, source: str, names: tuple[str, ...]) -> None:
        self.source = source
        self._columns, self._context = columns, context
        self._zone = columns.zone or context.zone
        self._authority = context.mapping.authority(columns.authority or source)
        self._visits = f"{self._authority}:visit"
        self._wide = [(name, local) for name, local in columns.values.items() if name in names]

    def readings(self, frame: pl.DataFrame) -> Iterator[Reading]:
        """One reading a row."""
        spec = self._columns
        optional = (spec.encounter, spec.id, spec.unit)
        patients, codes = texts(frame[spec.patient]), texts(frame[spec.code]) if spec.code else None
        encounters, ids, units = (
            texts(frame[name]) if name and name in frame.columns else [""] * frame.height for name in optional
        )
        occurred = self._instants(frame[spec.time])
        available = self._instants(frame[spec.available]) if spec.available in frame.columns else [None] * frame.height
        wide = take(_shortest(frame), *(name for name, _ in self._wide)).rows() if self._wide else None
        values = texts(_shortest(frame)[spec.value]) if spec.value else None
        for row in range(frame.height):
            at_us, patient = occurred[row], patients[row]
            if not patient or len(patient) > IDENTIFIER_CHARS_MAX:
                yield self._refused("patient", f"found no usable patient in {spec.patient!r}", frame, row)
            elif at_us is None:
                yield self._refused(
                    "time", f"found no readable time in {spec.time!r}, expected {_form(spec)}", frame, row
                )
            else:
                cells: list[tuple[str, LocalCode | None, str, str]]
                if wide is not None:
                    cells = [
                        (name, local, text or "", "") for (name, local), text in zip(self._wide, wide[row], strict=True)
                    ]
                else:
                    assert codes is not None and values is not None
                    cells = [(codes[row], self._meaning(codes[row]), values[row], units[row])]
                where = (patient, encounters[row], at_us, available[row], ids[row])
                yield self._reading(cells, where, frame, row)

    def _instants(self, column: pl.Series) -> list[int | None]:
        form = self._columns.format
        if form in EPOCHS_US:
            return [None if number is None else round(number * EPOCHS_US[form]) for number in numbers(column)]
        if form in UNITS_US:
            if isinstance(column.dtype, pl.Duration):
                column = column.dt.total_microseconds() / UNITS_US[form]
            since = numbers(column)
            return [None if n is None else self._columns.origin_us + round(n * UNITS_US[form]) for n in since]
        if column.dtype == pl.String and not form:
            return _iso(column, self._zone)
        return instants(column, self._zone, (form,) if form else ())

    def _meaning(self, code: str) -> LocalCode | None:
        found = self._columns.codes.get(code) or self._context.mapping.code(self._authority, code)
        if found is not None or self._columns.codes:
            return found
        concept = VOCABULARY.get(code) or VOCABULARY.by_alias(code)
        return None if concept is None or concept.administration is not None else LocalCode(concept.name)

    def _reading(
        self,
        cells: list[tuple[str, LocalCode | None, str, str]],
        where: tuple[str, str, int, int | None, str],
        frame: pl.DataFrame,
        row: int,
    ) -> Reading:
        patient, encounter, at_us, available_us, row_id = where
        events: list[Event] = []
        refused: list[Refusal] = []
        unmapped: list[str] = []
        for code, local, text, unit in cells:
            if text.strip().casefold() in _ABSENT:
                continue
            if local is None:
                unmapped.append(f"{self.source}|{code}|")
                continue
            value = _value(text.strip(), unit, local, wide=not self._columns.code)
            if isinstance(value, Refusal):
                refused.append(Refusal(value.reason, value.detail, self.source, code, text.encode()[:1_000]))
                continue
            concept = VOCABULARY[local.concept]
            plausible = not isinstance(value, Quantity) or concept.is_plausible(value.value)
            events.append(
                Event(
                    "observation", concept.name, value, at_us, code=code, quality=() if plausible else ("implausible",)
                )
            )
        if not events:
            if refused:
                return Reading(_ROW, refusal=refused[0], refused_parts=tuple(refused[1:]), unmapped=tuple(unmapped))
            why = "its code is not in the vocabulary" if unmapped else "it holds no value"
            return Reading(_ROW, ignored=why, unmapped=tuple(unmapped))
        entry = Entry(
            self.source,
            f"{patient}|{row_id}" if row_id else _row_key(frame, row),
            tuple(events),
            subject=(Identifier(self._authority, patient, "MR"),),
            encounter=Identifier(self._visits, encounter, "VN") if encounter else None,
            available_us=available_us if available_us is not None and available_us >= at_us else None,
        )
        return Reading(_ROW, (entry,), refused_parts=tuple(refused), unmapped=tuple(unmapped))

    def _refused(self, reason: str, detail: str, frame: pl.DataFrame, row: int) -> Reading:
        raw = ",".join("" if cell is None else str(cell) for cell in frame.row(row)).encode()
        return quarantined(_ROW, reason, detail, self.source, raw=raw)


def _row_key(frame: pl.DataFrame, row: int) -> str:
    return digest16(*("" if cell is None else str(cell) for cell in frame.row(row))).hex()


def _form(spec: Columns) -> str:
    return spec.format or "ISO 8601"


def _shortest(frame: pl.DataFrame) -> pl.DataFrame:
    """Single-precision columns as the decimals they stand for."""
    return frame.with_columns(pl.col(pl.Float32).cast(pl.String))


def _iso(column: pl.Series, zone: object) -> list[int | None]:
    """ISO 8601 with an offset where one is stated, else in the zone."""
    stripped = column.str.strip_chars()
    offset = stripped.str.contains(r"(?:Z|[+-]\d{2}:?\d{2})$") & stripped.str.contains(r"\d:\d{2}")
    stated = pl.Series("t", [None] * len(column), pl.Datetime("us", "UTC"))
    for form in ("%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M%#z"):
        read_ = stripped.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
        stated = stated.zip_with(stated.is_not_null(), read_)
    plain = instants(column.set(offset.fill_null(False), None), zone)  # type: ignore[arg-type]
    return [b if a is None else a for a, b in zip(stated.dt.epoch("us").to_list(), plain, strict=True)]


def _value(text: str, unit: str, local: LocalCode, *, wide: bool) -> Value | Refusal:
    """A cell as a value; the unit of its row, else of its code, else (wide) the concept's own."""
    concept = VOCABULARY[local.concept]
    if concept.coded:
        answer = concept.answer(text)
        if answer is None:
            return Refusal("value", f"found an answer that {concept.name} does not know", "")
        return Coded("", text, answer.display, answer.number)
    match = _NUMBER.match(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    if not match or not math.isfinite(float(match[2])):
        return Refusal(
            "value", f"found a value of {concept.name} that is no number, expected one such as 7.2 or <0.1", ""
        )
    stated = unit.strip() or local.unit or (concept.unit if wide else "")
    return _quantity(float(match[2]), cast(Comparator, match[1] or ""), stated, concept)


def _quantity(number: float, comparator: Comparator, unit: str, concept: Concept) -> Quantity | Refusal:
    try:
        value = concept.normalize(number, unit)
    except UnitError as error:
        return Refusal("unit", str(error), "")
    if concept.name == "inspired_oxygen_fraction" and unit in ("", "1"):
        value = fraction_of_oxygen(number)
    if value == number and unit == concept.unit:
        return Quantity(value, concept.unit, comparator)
    return Quantity(value, concept.unit, comparator, number, unit)

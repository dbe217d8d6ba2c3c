"""PhysioNet/CinC Challenge 2019: hours of ICU patients, as folders of `.psv` files (one a patient) or one table.

Data: doi 10.13026/v64v-d857, CC BY 4.0. It states no dates: hours count from ICU admission, which is put at `ORIGIN_US`
(2000-01-01T00:00:00Z) for everyone, so that hour 5 (ICULOS) is 05:00. A birth date is therefore only as right as the
age: admission minus the age in years. `SepsisLabel` is an answer, not an observation, and is never read as a value.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from vitruvian.core.events import Entry, Event, Person, Reading, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX
from vitruvian.core.time import DAY_US, HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records.base import Context, quarantined
from vitruvian.records.hourly import CHALLENGE_COLUMNS, PATIENT_SYSTEM
from vitruvian.records.tables import (
    BLOCK_BYTES,
    Measure,
    Piece,
    columns_of,
    is_parquet,
    is_plain,
    numbers,
    observations,
    pieces,
    pieces_of,
    stem,
    texts,
)

NAME: Final = "challenge2019"
ORIGIN_US: Final = 262_968 * HOUR_US  # 2000-01-01T00:00:00Z
YEAR_US: Final = 365.25 * DAY_US
JOINED_ROWS: Final = 16_384

_HOUR_KIND: Final = "hour"
_SEX: Final = {0.0: "female", 1.0: "male"}


def sniff(path: Path, head: bytes) -> bool:
    """A folder that holds `.psv` files, a `.psv` file, or a table with `patient` and `ICULOS`."""
    if path.is_dir():
        return next(path.glob("*.psv"), None) is not None
    if path.suffix.lower() == ".psv":
        return True
    if not stem(path) or not (is_parquet(path) or b"ICULOS" in head):
        return False
    return {"patient", "ICULOS"} <= set(columns_of(path))


def files(path: Path) -> list[Path]:
    """The files that `read` opens."""
    return sorted(path.glob("*.psv")) if path.is_dir() else [path]


def read(path: Path, context: Context) -> Iterator[Reading]:
    """One reading an hour. A patient's first hour also tells who they are and that they were admitted."""
    hours = Hours(context.source or NAME, context)
    for file in files(path):
        if file.suffix.lower() == ".psv":
            continue
        for piece in pieces(file):
            yield from _damaged(piece.damaged, hours.source)
            yield from hours.readings(piece.frame, texts(piece.frame["patient"]))
    for piece, patients in _joined([file for file in files(path) if file.suffix.lower() == ".psv"]):
        yield from _damaged(piece.damaged, hours.source)
        yield from hours.readings(piece.frame, patients)


def _joined(paths: Sequence[Path]) -> Iterator[tuple[Piece, list[str]]]:
    """Many small files as few pieces, in their order, with the patient of each row: a thousand files an eighth of the
    time. A file with another header or a damaged row is read by itself.
    """
    header, bodies, gathered, rows = b"", list[bytes](), list[Path](), 0
    for path in paths:
        data = path.read_bytes() if path.stat().st_size <= BLOCK_BYTES else b""
        first, _, body = data.partition(b"\n")
        body = body if body.endswith(b"\n") or not body else body + b"\n"
        plain = bool(body) and is_plain(first, body, b"|")
        if gathered and (not plain or first != header or rows >= JOINED_ROWS):
            yield from _parsed(header, bodies, gathered)
            bodies, gathered, rows = [], [], 0
        if plain:
            header = first
            bodies.append(body)
            gathered.append(path)
            rows += body.count(b"\n")
        else:
            yield from _single(path)
    if gathered:
        yield from _parsed(header, bodies, gathered)


def _parsed(header: bytes, bodies: Sequence[bytes], paths: Sequence[Path]) -> Iterator[tuple[Piece, list[str]]]:
    patients = [path.stem for path, body in zip(paths, bodies, strict=True) for _ in range(body.count(b"\n"))]
    found = list(pieces_of(io.BytesIO(b"".join([header, b"\n", *bodies])), "|"))
    if any(piece.damaged for piece in found) or sum(piece.frame.height for piece in found) != len(patients):
        for path in paths:  # a row too short and another too long evened out: whose is whose, only the files tell
            yield from _single(path)
        return
    for piece in found:
        yield piece, patients[piece.first : piece.first + piece.frame.height]


def _single(path: Path) -> Iterator[tuple[Piece, list[str]]]:
    for piece in pieces(path, "|"):
        yield piece, [path.stem] * piece.frame.height


def _damaged(lines: Sequence[tuple[str, str]], source: str) -> Iterator[Reading]:
    for text, why in lines:
        yield quarantined(_HOUR_KIND, "columns", why, source, raw=text.encode())


class Hours:
    """Rows to readings; remembers whom it has introduced already."""

    def __init__(self, source: str, context: Context) -> None:
        self.source = source
        self._authority = context.mapping.authority(PATIENT_SYSTEM + NAME)
        self._known: set[str] = set()
        self._measures = [
            Measure.of(column, VOCABULARY[name], unit) for column, (name, unit) in CHALLENGE_COLUMNS.items()
        ]

    def readings(self, frame: pl.DataFrame, patients: Sequence[str]) -> Iterator[Reading]:
        """One reading a row; `patients` names whose each is."""
        have = set(frame.columns)
        measures = [measure for measure in self._measures if measure.column in have]
        faults = _faults(frame, [measure.column for measure in measures])
        columns = [numbers(frame[measure.column]) for measure in measures]
        others = [_or_nothing(frame, name) for name in ("ICULOS", "Age", "Gender", "Unit1", "Unit2")]
        values = zip(*columns, strict=True) if columns else iter([()] * frame.height)
        for row, (patient, hour, age, gender, medical, surgical, numbers_) in enumerate(
            zip(patients, *others, values, strict=True)
        ):
            if not patient or len(patient) > IDENTIFIER_CHARS_MAX or hour is None:
                what = "an hour (ICULOS)" if hour is None else "a patient"
                yield quarantined(_HOUR_KIND, "row", f"found a row without {what}, expected one", self.source)
            elif row in faults:
                yield quarantined(_HOUR_KIND, "value", faults[row], self.source, f"{patient}|{hour:g}")
            else:
                yield self._hour(patient, hour, age, gender, (medical, surgical), measures, numbers_)

    def _hour(
        self,
        patient: str,
        hour: float,
        age_years: float | None,
        gender: float | None,
        unit: tuple[float | None, float | None],
        measures: Sequence[Measure],
        values: Sequence[float | None],
    ) -> Reading:
        entries: list[Entry] = []
        subject = (Identifier(self._authority, patient, "MR"),)
        stay = Identifier(f"{self._authority}:stay", patient, "VN")
        if patient not in self._known:
            self._known.add(patient)
            ward = "MICU" if unit[0] == 1 else "SICU" if unit[1] == 1 else "ICU"
            person = Person(
                birth_us=birth_us(ORIGIN_US, age_years), sex=_SEX.get(-1.0 if gender is None else gender, "")
            )
            facts = (
                Event("identity", "", person, ORIGIN_US),
                Event("encounter", "", Visit("admit", stay, Location(NAME, ward)), ORIGIN_US),
            )
            entries.append(Entry(self.source, f"{patient}|admission", facts, subject=subject, encounter=stay))
        found = observations(measures, values, ORIGIN_US + int(hour * HOUR_US))
        if found:
            entries.append(Entry(self.source, f"{patient}|{hour:g}", found, subject=subject, encounter=stay))
        return Reading(_HOUR_KIND, tuple(entries)) if entries else _NOTHING


_NOTHING: Final = Reading(_HOUR_KIND, ignored="nothing was measured in this hour")


def birth_us(admission_us: int, age_years: float | None) -> int | None:
    """The day of birth that an age at admission implies, to within the age's own precision; None where it has none."""
    if age_years is None or not 0 <= age_years <= 130:
        return None
    return int(admission_us - age_years * YEAR_US) // DAY_US * DAY_US


def _or_nothing(frame: pl.DataFrame, name: str) -> list[float | None]:
    return numbers(frame[name]) if name in frame.columns else [None] * frame.height


def _faults(frame: pl.DataFrame, columns: Sequence[str]) -> dict[int, str]:
    """Rows with text where a number belongs, with what was found."""
    found: dict[int, str] = {}
    for name in columns:
        column = frame[name]
        if column.dtype != pl.String:
            continue
        text = column.str.strip_chars()
        wrong = text.is_not_null() & (text != "") & text.cast(pl.Float64, strict=False).is_null()
        for row in wrong.arg_true().to_list():
            found.setdefault(row, f"found {text[row][:64]!r} in {name}, expected a number or nothing")
    return found

"""Hourly ICU tables of the eICU demo: `dyn` (values by hour), `sta` (who), `outc` (labels), keyed by `stay_id`.

Data: eICU Collaborative Research Database Demo, ODbL 1.0, doi 10.13026/4mxk-na84, as harmonised for the YAIB benchmark.
There are no dates: `time` counts from ICU admission, which is put at `ORIGIN_US` for everyone. An hour's values are
kept at its start. Outcomes are labels, never observations.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Final

import polars as pl

from vitruvian.core.errors import ReadingError
from vitruvian.core.events import Entry, Event, Person, Reading, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records.base import Context, quarantined
from vitruvian.records.challenge import ORIGIN_US, birth_us
from vitruvian.records.hourly import EICU_COLUMNS, PATIENT_SYSTEM
from vitruvian.records.tables import Measure, columns_of, numbers, observations, pieces, stem, texts

NAME: Final = "eicu-demo"
STATIC: Final[dict[str, tuple[str, str]]] = {"height": ("body_height", "cm"), "weight": ("body_weight", "kg")}
_SEX: Final = {"female": "female", "male": "male"}
_TABLES: Final = ("sta", "dyn", "outc", "attrition")


def sniff(path: Path, head: bytes) -> bool:
    """A folder with `dyn.parquet` and `sta.parquet`, or one of these files by itself."""
    if path.is_dir():
        return (path / "dyn.parquet").is_file() and (path / "sta.parquet").is_file()
    if stem(path) not in ("dyn", "sta", "outc") or not head.startswith(b"PAR1"):
        return False
    return "stay_id" in columns_of(path)


def files(path: Path) -> list[Path]:
    """The files that `read` opens: who first, then their hours, then what is not taken."""
    if not path.is_dir():
        return [path]
    found = {stem(item): item for item in sorted(path.iterdir()) if stem(item) in _TABLES}
    return [found[name] for name in _TABLES if name in found]


def read(path: Path, context: Context) -> Iterator[Reading]:
    """One reading a row of every table; labels and the cohort's attrition are ignored."""
    tables = _Tables(context.source or NAME, context.mapping.authority(PATIENT_SYSTEM + NAME))
    for file in files(path):
        name = stem(file)
        for piece in pieces(file):
            if name == "dyn":
                yield from tables.hours(piece.frame)
            elif name == "sta":
                yield from tables.stays(piece.frame)
            else:
                rows = piece.frame.height + len(piece.damaged)
                yield from repeat(Reading(name, ignored="outcomes of a study are not observations"), rows)


class _Tables:
    def __init__(self, source: str, authority: str) -> None:
        self._source, self._authority = source, authority
        self._hourly = [Measure.of(column, VOCABULARY[name], unit) for column, (name, unit) in EICU_COLUMNS.items()]
        self._static = [Measure.of(column, VOCABULARY[name], unit) for column, (name, unit) in STATIC.items()]

    def hours(self, frame: pl.DataFrame) -> Iterator[Reading]:
        measures = [measure for measure in self._hourly if measure.column in frame.columns]
        _check(frame, "dyn", "stay_id", "time")
        time = frame["time"]
        if isinstance(time.dtype, pl.Duration):
            time = time.dt.total_microseconds() / HOUR_US
        rows = zip(texts(frame["stay_id"]), numbers(time), _values(frame, measures), strict=True)
        for stay, hour, values in rows:
            if not stay or hour is None:
                yield quarantined("dyn", "row", "found an hour without a stay or a time, expected both", self._source)
                continue
            events = observations(measures, values, ORIGIN_US + round(hour * HOUR_US))
            yield self._reading("dyn", stay, f"{hour:g}", events)

    def stays(self, frame: pl.DataFrame) -> Iterator[Reading]:
        measures = [measure for measure in self._static if measure.column in frame.columns]
        _check(frame, "sta", "stay_id", "age", "sex")
        values_ = _values(frame, measures)
        rows = zip(texts(frame["stay_id"]), numbers(frame["age"]), texts(frame["sex"]), values_, strict=True)
        for stay, age, sex, values in rows:
            if not stay:
                yield quarantined("sta", "row", "found a stay without stay_id, expected one", self._source)
                continue
            visit = Visit("admit", self._stay(stay), Location(NAME, "ICU"))
            facts = (
                Event(
                    "identity", "", Person(birth_us=birth_us(ORIGIN_US, age), sex=_SEX.get(sex.lower(), "")), ORIGIN_US
                ),
                Event("encounter", "", visit, ORIGIN_US),
                *observations(measures, values, ORIGIN_US),
            )
            yield self._reading("sta", stay, "admission", facts)

    def _stay(self, stay: str) -> Identifier:
        return Identifier(f"{self._authority}:stay", stay, "VN")

    def _reading(self, kind: str, stay: str, moment: str, events: tuple[Event, ...]) -> Reading:
        """The data name stays, not people: one stay is taken as one person."""
        if not events:
            return _NOTHING
        subject = (Identifier(self._authority, stay, "MR"),)
        return Reading(
            kind, (Entry(self._source, f"{stay}|{moment}", events, subject=subject, encounter=self._stay(stay)),)
        )


_NOTHING: Final = Reading("dyn", ignored="nothing was measured in this hour")


def _check(frame: pl.DataFrame, table: str, *names: str) -> None:
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        raise ReadingError(f"found {table} without {', '.join(lacking)}, expected the columns of the hourly tables")


def _values(frame: pl.DataFrame, measures: Sequence[Measure]) -> Iterator[tuple[float | None, ...]]:
    """The rows of the measures' columns; empty ones where there are no such columns."""
    columns = [numbers(frame[measure.column]) for measure in measures]
    return zip(*columns, strict=True) if columns else iter([()] * frame.height)

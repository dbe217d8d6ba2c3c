"""MIMIC-IV's tables as columns: stays of intensive care, and what was measured in them.

The itemids, their units and what they mean are the site map's (`records/mappings`), as the ward's reader takes them;
here whole tables are taken at once, because a hundred million rows of chartevents are too many for one at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from vitruvian.core.errors import ReadingError, UnitError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records.mapping import Mapping, default_mapping
from vitruvian.records.mimic.site import SYSTEMS, find
from vitruvian.records.tables import fraction_of_oxygen, instants, numbers, pieces

__all__ = ["ADULT_YEARS", "BEFORE_H", "Measured", "Stays", "frames", "measured", "placed", "read_stays"]

ADULT_YEARS: Final = 18
BEFORE_H: Final = 168  # of what was measured before intensive care: a baseline of creatinine, and no feature
_BOUND: Final = r"^\s*[<>]=?\s*(\d+(?:\.\d+)?)\s*$"
_INTUBATED: Final = r"(?i)ett|et/trach|trach"  # a verbal response that could not be tested
# Table -> system of its items in the site map, column of the number.
TABLES: Final[dict[str, tuple[str, str]]] = {
    "labevents": ("d-labitems", "valuenum"),
    "chartevents": ("chartevents-d-items", "valuenum"),
    "outputevents": ("outputevents-d-items", "value"),
}


@dataclass(frozen=True, slots=True)
class Stays:
    """The first stay in intensive care of each adult (P,). Times in microseconds; `unit` the first care unit; `died`
    in hospital; `male`, `age_years`: NaN = not stated.
    """

    subject: tuple[str, ...]
    admission: tuple[str, ...]
    in_us: NDArray[np.int64]
    out_us: NDArray[np.int64]
    admitted_us: NDArray[np.int64]
    died: NDArray[np.bool_]
    age_years: NDArray[np.float64]
    male: NDArray[np.float64]
    unit: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.subject)


@dataclass(frozen=True, slots=True)
class Measured:
    """Samples (S,) of stays: number of the stay, concept, when taken, when known, value; `unread` rows had a unit that
    does not convert.
    """

    stay: NDArray[np.int64]
    concept: NDArray[np.int64]
    taken_us: NDArray[np.int64]
    known_us: NDArray[np.int64]
    value: NDArray[np.float64]
    unread: int


def frames(root: Path, table: str, *columns: str, needed: bool = True) -> list[pl.DataFrame]:
    """The pieces of a table with these columns as text, null where the table has no such column.

    Raises ReadingError where a needed table is absent or lacks `subject_id`.
    """
    path = find(root, table)
    if path is None:
        if needed:
            raise ReadingError(f"found no {table} in {root}, expected MIMIC-IV's hosp/ and icu/ with it; add the table")
        return []
    found = []
    for piece in pieces(path):
        frame = piece.frame.rename({name: name.lower() for name in piece.frame.columns})
        lacking = [pl.lit(None, pl.String).alias(name) for name in columns if name not in frame.columns]
        found.append(frame.with_columns(lacking).select(pl.col(columns).cast(pl.String).str.strip_chars()))
    return found


def _us(column: pl.Series) -> pl.Series:
    return pl.Series(column.name, instants(column), pl.Int64)


def read_stays(root: Path) -> Stays:
    """The first stay of each adult by its beginning. Raises ReadingError where a table is absent or none is left."""
    stay = pl.concat(frames(root, "icustays", "subject_id", "hadm_id", "intime", "outtime", "first_careunit"))
    stay = stay.with_columns(_us(stay["intime"]), _us(stay["outtime"])).drop_nulls(["subject_id", "intime", "outtime"])
    stay = stay.sort("intime").unique("subject_id", keep="first", maintain_order=True)
    came = pl.concat(frames(root, "admissions", "hadm_id", "admittime", "hospital_expire_flag"))
    came = came.with_columns(_us(came["admittime"])).unique("hadm_id", keep="first")
    people = pl.concat(frames(root, "patients", "subject_id", "gender", "anchor_age", "anchor_year"))
    whole = stay.join(came, on="hadm_id", how="left").join(people, on="subject_id", how="left").sort("subject_id")
    year = whole["intime"].cast(pl.Datetime("us")).dt.year()
    age = whole["anchor_age"].cast(pl.Float64, strict=False) + (
        year - whole["anchor_year"].cast(pl.Float64, strict=False)
    )
    kept = (age.fill_null(ADULT_YEARS) >= ADULT_YEARS) & (whole["outtime"] > whole["intime"])
    whole, age = whole.filter(kept), age.filter(kept)
    if not whole.height:
        raise ReadingError(f"found no stay of an adult in {root}/icu/icustays, expected some; check the folder")
    return Stays(
        tuple(whole["subject_id"].to_list()),
        tuple(whole["hadm_id"].fill_null("").to_list()),
        whole["intime"].to_numpy().astype(np.int64),
        whole["outtime"].to_numpy().astype(np.int64),
        whole["admittime"].fill_null(whole["intime"]).to_numpy().astype(np.int64),
        (whole["hospital_expire_flag"] == "1").fill_null(False).to_numpy(),
        age.cast(pl.Float64).to_numpy().astype(np.float64),
        np.array([{"M": 1.0, "F": 0.0}.get(one or "", np.nan) for one in whole["gender"]]),
        tuple(one or "unknown" for one in whole["first_careunit"]),
    )


def placed(frame: pl.DataFrame, stays: Stays, at: str) -> pl.DataFrame:
    """Rows of `frame` (columns `subject_id` and `at`, microseconds) with the number of the stay that they lie in, up to
    BEFORE_H hours before it; others are left out.
    """
    whole = pl.DataFrame(
        {
            "subject_id": list(stays.subject),
            "stay": np.arange(len(stays)),
            "from": stays.in_us - BEFORE_H * HOUR_US,
            "to": stays.out_us,
        }
    )
    joined = frame.join(whole, on="subject_id", how="inner")
    return joined.filter((pl.col(at) >= pl.col("from")) & (pl.col(at) <= pl.col("to"))).drop("from", "to")


def measured(root: Path, table: str, stays: Stays, *, needed: bool) -> Measured:
    """What a table says was measured in these stays, in the vocabulary's units."""
    system, number = TABLES[table]
    mapping = default_mapping()
    parts: list[pl.DataFrame] = []
    unread = 0
    wanted = ["subject_id", "itemid", "charttime", "storetime", "value", "valueuom"]
    for frame in frames(root, table, *dict.fromkeys((*wanted, number)), needed=needed):
        known = _known(frame, mapping, system)
        joined = frame.join(known, on=["itemid", "valueuom"], how="inner", nulls_equal=True)
        unread += int(joined["factor"].is_null().sum())
        joined = joined.filter(pl.col("factor").is_not_null() & pl.col("subject_id").is_in(list(stays.subject)))
        if not joined.height:
            continue
        taken, stored = _us(joined["charttime"]), _us(joined["storetime"])
        joined = joined.with_columns(
            taken.alias("taken"),
            pl.max_horizontal(taken, stored.fill_null(taken)).alias("known"),
            _values(joined, number).alias("number"),
        ).drop_nulls(["taken", "number"])
        parts.append(placed(joined, stays, "taken").select("stay", "concept", "taken", "known", "number"))
    if not parts:
        empty = np.empty(0, np.int64)
        return Measured(empty, empty, empty, empty, np.empty(0), unread)
    whole = pl.concat(parts)
    columns = [whole[name].to_numpy().astype(np.int64) for name in ("stay", "concept", "taken", "known")]
    return Measured(columns[0], columns[1], columns[2], columns[3], whole["number"].to_numpy().astype(float), unread)


def _known(frame: pl.DataFrame, mapping: Mapping, system: str) -> pl.DataFrame:
    """For each pair of item and unit that the site map knows: concept, and factor and offset (null: no conversion)."""
    rows: list[tuple[str | None, str | None, int, float | None, float | None]] = []
    for item, unit in frame.select("itemid", "valueuom").unique().rows():
        local = mapping.code(SYSTEMS + system, item or "")
        if local is None:
            continue
        concept = VOCABULARY[local.concept]
        if concept.name == "inspired_oxygen_fraction":  # per cent and fractions side by side, whatever the unit says
            rows.append((item, unit, concept.index, 1.0, 0.0))
            continue
        try:
            factor, offset = concept.conversion(_clean(unit or "") or local.unit)
            rows.append((item, unit, concept.index, factor, offset))
        except UnitError:
            rows.append((item, unit, concept.index, None, None))
    schema = {
        "itemid": pl.String,
        "valueuom": pl.String,
        "concept": pl.Int64,
        "factor": pl.Float64,
        "offset": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _clean(unit: str) -> str:
    """A damaged degree sign is a degree."""
    return f"deg{unit[1]}" if len(unit) == 2 and unit[1] in "CF" and not unit[0].isalpha() else unit


def _values(joined: pl.DataFrame, number: str) -> pl.Series:
    """Numbers in the concept's unit; a bound (<0.01) counts as its limit, an untestable verbal response as nothing."""
    stated = pl.Series("n", numbers(joined[number]), pl.Float64)
    bound = joined["value"].str.extract(_BOUND).cast(pl.Float64, strict=False)
    value = stated.fill_null(bound) * joined["factor"] + joined["offset"]
    fraction = joined["concept"] == VOCABULARY["inspired_oxygen_fraction"].index
    shares = pl.Series("f", [None if one is None else fraction_of_oxygen(one) for one in value], pl.Float64)
    value = value.zip_with(~fraction, shares)
    untestable = (joined["concept"] == VOCABULARY["glasgow_verbal"].index) & joined["value"].str.contains(_INTUBATED)
    return value.set(untestable.fill_null(False), None)

"""Challenge 2019 hours that somebody made by hand: what cannot be taken is refused in one line, never guessed."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.synthetic_cohort import table, write_psv
from vitruvian.core.errors import ReadingError
from vitruvian.prediction.cohorts.base import UNKNOWN
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.cohorts.open import open_cohort


def _written(path: Path, column: str, value: object, dtype: type[pl.DataType] = pl.Float64) -> Path:
    """A small table as CSV with one cell, of the fifth row, changed."""
    rows = table(patients=6)
    here = pl.int_range(pl.len()) == 4
    changed = pl.when(here).then(pl.lit(value, dtype)).otherwise(pl.col(column).cast(dtype)).alias(column)
    rows.with_columns(changed).write_csv(path)
    return path


@pytest.mark.parametrize("hour", [5.5, -1.0, 1e9, None])
def test_an_hour_that_is_none_is_refused(tmp_path: Path, hour: float | None) -> None:
    with pytest.raises(ReadingError, match="ICULOS that is no whole number"):
        read_challenge2019(_written(tmp_path / "hours.csv", "ICULOS", hour))


def test_an_hour_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match="an hour twice"):
        read_challenge2019(_written(tmp_path / "hours.csv", "ICULOS", 4.0))


def test_a_label_is_zero_or_one_or_not_known(tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match="SepsisLabel other than 0 and 1"):
        read_challenge2019(_written(tmp_path / "odd.csv", "SepsisLabel", 7.0))
    cohort = read_challenge2019(_written(tmp_path / "absent.csv", "SepsisLabel", None))
    assert cohort.label[4] == UNKNOWN and not cohort.scored[4]
    assert (cohort.label != UNKNOWN).sum() == cohort.label.size - 1


def test_text_and_rows_of_nobody_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match="HR with what is no number"):
        read_challenge2019(_written(tmp_path / "text.csv", "HR", "fast", pl.String))
    with pytest.raises(ReadingError, match="1 rows without a `patient`"):
        read_challenge2019(_written(tmp_path / "nobody.csv", "patient", None, pl.String))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no table of numbers between bars"),
        ("HR|ICULOS\nfast|1\n", "no table of numbers between bars"),
        ("HR|ICULOS\n80|1\n", "other columns than"),
    ],
)
def test_a_bad_file_among_good_ones_is_named_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    folder = write_psv(tmp_path / "psv", patients=4)
    (folder / "zz.psv").write_text(text, "utf-8")
    with pytest.raises(ReadingError, match=said) as caught:
        read_challenge2019(folder)
    assert "zz.psv" in str(caught.value) and "\n" not in str(caught.value)


def test_what_a_reader_did_not_look_at_is_refused_in_one_line_too(tmp_path: Path) -> None:
    values = {"record": [1], "parameter": ["HR"], "value": [80.0], "minute": [0]}
    pl.DataFrame(values).write_parquet(tmp_path / "set-a.parquet")
    (tmp_path / "Outcomes-a.txt").write_text("RecordID,In-hospital_death\nnobody,0\n", "utf-8")
    with pytest.raises(ReadingError, match="in the form challenge2012, with what cannot be taken") as caught:
        open_cohort("mortality", tmp_path)
    assert "\n" not in str(caught.value)

"""The Challenge 2012 as a cohort: what is read, mended and left out, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support import require_data
from vitruvian.core.errors import ReadingError
from vitruvian.core.time import MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import ORIGIN_US, Cohort
from vitruvian.prediction.cohorts.challenge2012 import read_challenge2012
from vitruvian.prediction.inputs.table import table_of

STATED = {"Age": 71.0, "Gender": 1.0, "Height": 180.0, "Weight": 80.0, "ICUType": 2.0}


def rows(record: int, stated: dict[str, float], measured: list[tuple[str, float, int]]) -> list[tuple]:
    return [(record, name, value, 0) for name, value in stated.items()] + [(record, *one) for one in measured]


def write(folder: Path, letter: str, stays: list[tuple], died: dict[int, int]) -> None:
    table = pl.DataFrame(stays, schema=["record", "parameter", "value", "minute"], orient="row")
    table.with_columns(pl.col("parameter").cast(pl.Categorical), pl.col("value").cast(pl.Float32)).write_parquet(
        folder / f"set-{letter}.parquet"
    )
    lines = ["RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death"]
    lines += [f"{record},6,1,5,-1,{dead}" for record, dead in died.items()]
    (folder / f"Outcomes-{letter}.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sets of other letters than the published ones, with the known oddities of the data."""
    odd = {"Age": 44.0, "Gender": -1.0, "Height": -1.0, "Weight": 2.0, "ICUType": 3.0}
    first = rows(7, STATED, [("pH", 735.0, 60), ("pH", 73.1, 120), ("SysABP", 0.0, 5), ("SysABP", 118.0, 6)])
    write(tmp_path, "x", first, {7: 1, 99: 0})
    write(tmp_path, "y", rows(8, odd, [("GCS", 14.0, 2880), ("GCS", 3.0, 2881), ("Urine", 60.0, 90)]), {8: 0})
    return tmp_path


def of(cohort: Cohort, name: str) -> list[tuple[int, int, float]]:
    mine = cohort.samples.concept == VOCABULARY[name].index
    minutes = (cohort.samples.at_us[mine] - ORIGIN_US) // MINUTE_US
    return list(zip(cohort.samples.patient[mine].tolist(), minutes.tolist(), cohort.samples.value[mine], strict=True))


def test_stays_of_all_sets_are_read_once_with_their_outcomes(folder: Path) -> None:
    cohort = read_challenge2012(folder)
    assert cohort.ids == ("7", "8")
    assert cohort.data.endswith("(set-x, set-y)")
    assert not cohort.simulated
    assert (cohort.hour[cohort.scored].tolist(), cohort.label[cohort.scored].tolist()) == ([48, 48], [1, 0])
    assert cohort.groups["unit"] == ("cardiac surgery", "medical")
    assert cohort.admission["cardiac_unit"].tolist() == [1.0, 0.0]
    assert "1 outcomes without values were left out" in cohort.notes


def test_what_stands_for_unknown_is_missing_and_slips_are_mended(folder: Path) -> None:
    cohort = read_challenge2012(folder)
    assert np.isnan(cohort.male[1]) and np.isnan(cohort.admission["height_cm"][1])
    assert np.isnan(cohort.admission["weight_kg"][1]), "2 kg is no adult"
    assert cohort.admission["weight_kg"][0] == 80
    assert [value for *_, value in of(cohort, "ph")] == pytest.approx([7.35, 7.31], abs=1e-4)
    assert of(cohort, "systolic_pressure_arterial") == [(0, 6, 118.0)], "a pressure of 0 is a line that is off"
    assert any(note.startswith("1 pressures") for note in cohort.notes)
    assert any(note.startswith("2 values of pH") for note in cohort.notes)


def test_nothing_after_48_hours_is_read(folder: Path) -> None:
    cohort = read_challenge2012(folder)
    assert of(cohort, "glasgow_coma_score") == [(1, 2880, 14.0)]
    table = table_of(cohort, ("glasgow_coma_score_stay_last", "urine_output_per_h"))
    last = table.values[table.scored]
    assert last[1].tolist() == [14.0, pytest.approx(60 / 46.5)]
    assert np.isnan(last[0]).all()


def spoil_column(folder: Path) -> None:
    pl.read_parquet(folder / "set-x.parquet").drop("minute").write_parquet(folder / "set-x.parquet")


def spoil_parquet(folder: Path) -> None:
    (folder / "set-x.parquet").write_bytes(b"PAR1 cut short")


def spoil_outcome(folder: Path) -> None:
    (folder / "Outcomes-x.txt").write_text("RecordID,In-hospital_death\n7,2\n")


def spoil_twice(folder: Path) -> None:
    (folder / "Outcomes-z.txt").write_text("RecordID,In-hospital_death\n7,1\n")


def spoil_apart(folder: Path) -> None:
    for letter in "xy":
        (folder / f"Outcomes-{letter}.txt").unlink()
    (folder / "Outcomes-x.txt").write_text("RecordID,In-hospital_death\n5,1\n")


def spoil_absent(folder: Path) -> None:
    for letter in "xy":
        (folder / f"Outcomes-{letter}.txt").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_column, "without minute"), (spoil_parquet, "cannot be read as Parquet"),
        (spoil_outcome, "other than 0 and 1"), (spoil_twice, "twice"), (spoil_apart, "belong together"),
        (spoil_absent, r"no Outcomes-\*\.txt"),
    ],
)  # fmt: skip
def test_what_is_of_another_form_is_told(folder: Path, spoil, says: str) -> None:
    spoil(folder)
    with pytest.raises(ReadingError, match=says):
        read_challenge2012(folder)


@pytest.mark.data
def test_the_published_set_is_read_whole() -> None:
    cohort = read_challenge2012(require_data("physionet2012"))
    assert cohort.patients == 4000
    assert int(cohort.label[cohort.scored].sum()) == 554
    assert cohort.samples.value.size > 1_500_000

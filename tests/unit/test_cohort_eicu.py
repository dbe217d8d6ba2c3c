"""The eICU demo's tasks as cohorts: by the hour and by the stay, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.support import require_data
from vitruvian.core.errors import ReadingError
from vitruvian.core.time import HOUR_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.prediction.cohorts.base import ORIGIN_US
from vitruvian.prediction.cohorts.eicu import read_eicu


def write(folder: Path, *, hourly: bool) -> Path:
    """Stay 9 from hour 0 to 3, stay 5 from hour 0 to 26; labels by the hour, or one a stay."""
    folder.mkdir(parents=True)
    stays = [9] * 4 + [5] * 27
    hours = [timedelta(hours=hour) for hour in (*range(4), *range(27))]
    pulse = [80.0, None, 82.0, float("nan"), *([70.0] * 27)]
    fraction = [40.0, *([None] * 30)]
    pl.DataFrame({"stay_id": stays, "time": hours, "hr": pulse, "fio2": fraction}).write_parquet(folder / "dyn.parquet")
    pl.DataFrame(
        {
            "stay_id": [9, 5],
            "age": [50.0, None],
            "sex": ["Female", "Other"],
            "height": [170.0, 2.0],
            "weight": [60.0, 1e4],
        }
    ).write_parquet(folder / "sta.parquet")
    if hourly:
        labels = [False, False, True, True] + [False] * 27
        pl.DataFrame({"stay_id": stays, "time": hours, "label": labels}).write_parquet(folder / "outc.parquet")
    else:
        pl.DataFrame({"stay_id": [5, 9], "label": [1, 0]}).write_parquet(folder / "outc.parquet")
    return folder


def test_hourly_labels_stand_at_their_hours(tmp_path: Path) -> None:
    write(tmp_path / "aki" / "eicu_demo", hourly=True)
    for path in (tmp_path / "aki" / "eicu_demo", tmp_path / "aki", tmp_path):
        cohort = read_eicu(path, "aki")
        assert cohort.ids == ("9", "5")
        assert cohort.hour.tolist() == [*range(4), *range(27)]
        assert cohort.label[:4].tolist() == [0, 0, 1, 1]
        assert cohort.scored.all()


def test_a_label_of_the_stay_is_told_at_its_24th_hour(tmp_path: Path) -> None:
    cohort = read_eicu(write(tmp_path / "mortality24", hourly=False), "mortality24")
    assert cohort.hour.tolist() == [*range(4), *range(25)], "what comes after 24 h is not a row"
    assert (cohort.hour[cohort.scored].tolist(), cohort.label[cohort.scored].tolist()) == ([3, 24], [0, 1])


def test_values_are_in_the_vocabularys_units_at_their_hours(tmp_path: Path) -> None:
    cohort = read_eicu(write(tmp_path / "x", hourly=True), "sepsis")
    pulse = cohort.samples.concept == VOCABULARY["heart_rate"].index
    mine = pulse & (cohort.samples.patient == 0)
    assert ((cohort.samples.at_us[mine] - ORIGIN_US) // HOUR_US).tolist() == [0, 2]
    assert cohort.samples.value[mine].tolist() == [80.0, 82.0]
    assert cohort.samples.value[~pulse].tolist() == [0.4]
    assert cohort.male[0] == 0 and np.isnan(cohort.male[1]) and np.isnan(cohort.age_years[1])
    assert cohort.admission["height_cm"][0] == 170 and np.isnan(cohort.admission["height_cm"][1])


def test_what_is_of_another_form_is_told(tmp_path: Path) -> None:
    hourly = write(tmp_path / "hourly", hourly=True)
    with pytest.raises(ReadingError, match="labels for"):
        read_eicu(hourly, "cardiac_event")
    with pytest.raises(ReadingError, match="one label an hour"):
        read_eicu(hourly, "mortality24")
    with pytest.raises(ReadingError, match="one label a stay"):
        read_eicu(write(tmp_path / "stay", hourly=False), "aki")
    (hourly / "sta.parquet").unlink()
    with pytest.raises(ReadingError, match="found no dyn"):
        read_eicu(hourly, "aki")
    other = write(tmp_path / "other", hourly=True)
    table = pl.read_parquet(other / "dyn.parquet")
    table.drop("time").write_parquet(other / "dyn.parquet")
    with pytest.raises(ReadingError, match="without time"):
        read_eicu(other, "aki")
    table.filter(pl.col("stay_id") == 9).write_parquet(other / "dyn.parquet")
    with pytest.raises(ReadingError, match="different stays"):
        read_eicu(other, "aki")
    table.with_columns(time=pl.lit(timedelta(hours=-2))).write_parquet(other / "dyn.parquet")
    with pytest.raises(ReadingError, match="hours after admission"):
        read_eicu(other, "aki")


@pytest.mark.data
@pytest.mark.parametrize(
    ("task", "stays", "events"), [("mortality24", 1367, 70), ("aki", 1988, 698), ("sepsis", 896, 63)]
)
def test_the_demo_is_read_whole(task: str, stays: int, events: int) -> None:
    cohort = read_eicu(require_data(f"icu_demo/{task}"), task)
    assert cohort.patients == stays
    assert np.unique(cohort.patient[cohort.scored & (cohort.label == 1)]).size == events
    if task != "mortality24":
        assert cohort.scored.all()

"""Real sensor glucose: BIG IDEAs, each person forecast by what was fitted to the others."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._glucose_data import everyone
from benchmarks.glucose_forecast import difference, one_set
from tests.support import require_data
from vitruvian.physiology.glucose.forecast import load
from vitruvian.physiology.glucose.forecast.fit import origins

pytestmark = pytest.mark.data


def test_the_four_sets_are_read_as_they_are() -> None:
    """270 people of 273 can be used; a shipped forecaster errs less than persistence on one of each set (people it was
    fitted to: this says that it works, the benchmark says how well), and Libre courses lie on a 15-minute grid.
    """
    require_data("glucose/AZT1D.parquet")
    people, left_out = everyone()
    assert (len(people), len(left_out)) == (270, 3)
    for data, kind, step_min in (
        ("AZT1D", "type1_dexcom", 5.0),
        ("HUPA-UCM", "type1_libre", 15.0),
        ("BIGIDEAs", "other_dexcom", 5.0),
        ("Colas_2019", "other_ipro", 5.0),
    ):
        series = next(one.series for one in people if one.data == data)
        assert series.step_min == step_min
        at = origins(series)
        mean, _, _ = load(kind).run(series)
        came = np.column_stack([series.ahead(30), series.ahead(60)])[at]
        ours = ((mean[at] - came) ** 2).mean(axis=0)
        still = ((series.glucose[at][:, None] - came) ** 2).mean(axis=0)
        assert (ours < still).all(), data


@pytest.mark.long
def test_unseen_people_are_forecast_better_than_by_their_peers() -> None:
    """BIG IDEAs, 16 people: below persistence and below the tuned autoregression, with their intervals."""
    require_data("glucose/BIGIDEAs.parquet")
    chosen = [one for one in everyone()[0] if one.data == "BIGIDEAs"]
    people = one_set("BIGIDEAs", [one.name for one in chosen], [one.series for one in chosen])
    for against in ("persistence", "AR"):
        assert all(one["high"] < 0 for one in difference(people, "body + residual", against))

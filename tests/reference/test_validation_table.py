"""The validation table: it says what it must, it scores as its README says, and the published anchors' rows hold."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from benchmarks._validation import DOMAINS, Check, Scenario, Verdict, measured, scenarios, scored, sources, verdicts
from vitruvian.core.units import parse
from vitruvian.physiology.base import Output
from vitruvian.physiology.bodies import NAMES
from vitruvian.physiology.trajectories import Trajectories

TABLE = scenarios()
CHECKS = [check for scenario in TABLE for check in scenario.checks]
BLEEDS = ("bleed-1", "bleed-2", "bleed-2-transfused", "bleed-3", "bleed-4")
# Every row of the tables that Pulse and BioGears publish of themselves, of what we put out.
ANCHORS = {
    f"standard-male/{row}"
    for row in (
        "heart-rate", "systolic", "diastolic", "mean-pressure", "cardiac-output", "cardiac-index", "stroke-volume",
        "ejection-fraction", "central-venous", "pulmonary-artery", "wedge", "blood-volume", "respiratory-rate",
        "arterial-oxygen", "arterial-co2", "saturation", "tidal-volume", "minute-ventilation", "glomerular-filtration",
        "renal-blood-flow",
    )
} | {f"{bleed}/{row}" for bleed in BLEEDS for row in ("mean-pressure", "cardiac-output", "blood-volume", "hemoglobin-mass")}  # fmt: skip  # noqa: E501


# --- what it holds --------------------------------------------------------------


def test_the_table_is_wide_enough_and_holds_every_anchor() -> None:
    assert len(CHECKS) >= 120
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    count = Counter(check.domain for check in CHECKS)
    assert set(count) == set(DOMAINS)
    assert all(count[domain] >= 20 for domain in ("circulation", "respiration", "drugs", "fluids"))
    assert {check.id for check in CHECKS if check.anchor} == ANCHORS


@pytest.mark.parametrize("scenario", TABLE, ids=lambda one: one.id)
def test_a_scenario_is_well_formed(scenario: Scenario) -> None:
    assert scenario.body in NAMES
    known = {check.id for check in CHECKS}
    for check in scenario.checks:
        assert check.source in sources()
        parse(check.unit)
        for moment_s in (check.baseline_s, check.from_s, *([] if isinstance(check.at, str) else [check.at])):
            assert 0 <= moment_s <= scenario.for_s, check.id
        compared = check.how != "value"
        if compared and check.baseline_s == 0:
            assert all(action.start_s > 0 for action in scenario.actions), f"{check.id}: no baseline before it begins"
        if isinstance(check.expect, dict):
            assert check.expect["below"] in known
        elif isinstance(check.expect, list):
            assert check.expect[0] < check.expect[1]
        elif isinstance(check.expect, str):
            assert check.expect in ("rises", "falls", "unchanged") and compared
            assert check.expect != "unchanged" or check.how == "ratio"
        else:
            assert check.expect != 0


def test_every_source_is_used_and_is_a_citation() -> None:
    assert set(sources()) == {check.source for check in CHECKS}
    assert all(len(text) > 20 for text in sources().values())


# --- how it measures and scores ---------------------------------------------------


def one(expect: object, **more: object) -> Check:
    """A check of `x`."""
    return Check("a/b", "circulation", "x", "1", expect, "west", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expect", "got", "word"),
    [
        (100, 109.9, "good"), (100, 90.1, "good"), (100, 110.1, "fair"), (100, 129, "fair"), (100, 131, "bad"),
        (-10, -9.5, "good"), (-10, 10, "bad"), (100, math.nan, "bad"),
        ([2, 6], 2, "good"), ([2, 6], 6.5, "fair"), ([2, 6], 1.85, "fair"), ([2, 6], 6.7, "bad"), ([0, 6], -0.1, "bad"),
        ("unchanged", 1.09, "good"), ("unchanged", 0.89, "fair"), ("unchanged", 1.31, "bad"),
        ("rises", 1.02, "good"), ("rises", 1.005, "bad"), ("falls", 0.98, "good"), ("falls", 1.2, "bad"),
        ({"below": "o/k"}, 0.5, "good"), ({"below": "o/k"}, 0.51, "bad"), ({"below": "gone"}, 0.1, "bad"),
    ],
)  # fmt: skip
def test_a_value_is_scored_by_the_rule(expect: object, got: float, word: str) -> None:
    assert scored(one(expect, how="ratio"), got, {"o/k": 0.5})[1] == word


def test_a_small_change_is_no_rise() -> None:
    assert scored(one("rises", how="change"), 0.9, {}, before=100.0)[1] == "bad"
    assert scored(one("rises", how="change"), 1.1, {}, before=100.0)[1] == "good"


def test_what_is_measured() -> None:
    t = np.linspace(0, 10, 101)
    x, y = np.where(t < 5, 2 + t, 12 - t), 2.0 + 0 * t + t / 10
    run = Trajectories((Output("x", "1"), Output("y", "1")), t, np.stack([x, y], axis=-1)[None])
    for check, got in (
        (one(1), 2.0),
        (one(1, at="start"), 2.0),
        (one(1, at=3.0), 5.0),
        (one(1, at="max"), 7.0),
        (one(1, at="min", from_s=1.0, to_s=9.0), 3.0),
        (one(1, at="time_of_max", from_s=1.0), 4.0),
        (one(1, at="time_below", level=6.0, from_s=5.0), 1.1),
        (one(1, at="time_below", level=1.0), math.inf),
        (one(1, at=3.0, how="ratio", baseline_s=1.0), 5 / 3),
        (one(1, at=3.0, how="change", baseline_s=1.0), 2.0),
        (one(1, at=4.0, over="y"), 6 / 2.4),
        (one(1, at=4.0, how="slope", over="y"), 10.0),
    ):
        assert measured(check, run) == pytest.approx(got), check


def test_what_cannot_be_run_is_bad_and_says_why() -> None:
    scenario = Scenario("s", "acute", 60.0, (one([0, 1]),))
    ((_, verdict),) = verdicts([scenario])
    assert (verdict.word, math.isnan(verdict.got)) == ("bad", True)
    assert "x" in verdict.trouble


# --- and the bodies hold it ---------------------------------------------------------


@pytest.fixture(scope="module")
def sample() -> list[Verdict]:
    """The standard male and the bleeds: every row that the anchors publish, run here."""
    chosen = [scenario for scenario in TABLE if scenario.id in ("standard-male", *BLEEDS)]
    return [verdict for _, verdict in verdicts(chosen)]


def test_the_anchors_rows_are_good(sample: list[Verdict]) -> None:
    missed = {v.check.id: (v.got, v.check.expect) for v in sample if v.check.anchor and v.word != "good"}
    assert missed == {}


def test_a_sample_of_the_table_is_good(sample: list[Verdict]) -> None:
    good = [verdict.word == "good" for verdict in sample]
    assert len(good) >= 80
    assert sum(good) >= 0.95 * len(good), [(v.check.id, v.got, v.check.expect) for v in sample if v.word != "good"]

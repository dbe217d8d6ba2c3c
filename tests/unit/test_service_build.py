"""What a row and a patient's page show is computed right, at every boundary."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.events import Association, Coded, Dose, Entry, Event, Person, Quantity, Range, Text, Visit
from vitruvian.core.identifiers import Location
from vitruvian.core.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US, from_us
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.dashboard import present
from vitruvian.prediction.scores import INPUTS, inputs_from, score
from vitruvian.prediction.scores.news2 import PARTS
from vitruvian.service import build, details
from vitruvian.service.build import Latest
from vitruvian.service.views import AlertView, News2Brief, RiskBrief, freshness

NOW = 1_767_258_000_000_000


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(-5, "live"), (0, "live"), (10, "live"), (10.001, "stale"), (60, "stale"), (60.001, "expired")],
)
def test_freshness_at_its_boundaries(age_s: float, expected: str) -> None:
    assert freshness(80.0, NOW - int(age_s * 1e6), 10, 60, NOW) == expected


def test_absent_is_not_zero() -> None:
    assert freshness(None, NOW, 10, 60, NOW) == "absent"
    assert freshness(80.0, 0, 10, 60, NOW) == "absent"
    assert freshness(0.0, NOW, 10, 60, NOW) == "live"


def test_stale_is_twice_the_sources_own_interval() -> None:
    concept = VOCABULARY["heart_rate"]
    assert build.stale_after_s(concept, 60.0) == 120
    assert build.stale_after_s(concept, 1.0) == build.STALE_S_MIN
    assert build.stale_after_s(concept, None) == max(2 * concept.cadence_s, build.STALE_S_MIN)
    assert build.stale_after_s(concept, 1e9) == concept.valid_for_s


@pytest.mark.parametrize(
    ("line_age_s", "cuff_age_s", "method"),
    [
        (0, 0, "systolic_pressure_arterial"),
        (299, 0, "systolic_pressure_arterial"),
        (301, 0, "systolic_pressure"),
        (0, 900, "systolic_pressure_arterial"),
    ],
)
def test_the_line_is_shown_before_a_cuff_as_fresh(line_age_s: int, cuff_age_s: int, method: str) -> None:
    latest = {
        "systolic_pressure_arterial": Latest(101.0, NOW - line_age_s * SECOND_US),
        "systolic_pressure": Latest(120.0, NOW - cuff_age_s * SECOND_US),
    }
    found = build.latest_of(latest, "systolic_pressure")
    assert found is not None
    assert found[0] == method


@pytest.mark.parametrize(
    ("latest", "text"),
    [
        ({}, ""),
        ({"oxygen_supplementation": Latest(0.0, NOW)}, "air"),
        ({"oxygen_supplementation": Latest(1.0, NOW)}, "O₂"),
        ({"oxygen_flow": Latest(4.0, NOW)}, "O₂ 4 L/min"),
        ({"inspired_oxygen_fraction": Latest(0.4, NOW)}, "FiO₂ 40 %"),
        ({"inspired_oxygen_fraction": Latest(0.21, NOW)}, "air"),
        ({"oxygen_flow": Latest(4.0, NOW - 3 * DAY_US)}, ""),
    ],
)
def test_what_is_breathed_is_said_in_words(latest: dict[str, Latest], text: str) -> None:
    assert build.oxygen_text(latest, NOW) == text


def scores_of(values: dict[str, float]):  # type: ignore[no-untyped-def]
    value = np.full((len(INPUTS), 1), np.nan)
    for name, number in values.items():
        value[INPUTS.index(name), 0] = number
    valid = np.array([VOCABULARY[name].valid_for_s for name in INPUTS], float)
    return score(inputs_from(value, np.full((len(INPUTS), 1), NOW), NOW, valid, np.array([NOW - 60 * 365 * DAY_US])))


NORMAL = {
    "respiratory_rate": 16.0, "oxygen_saturation": 98.0, "oxygen_supplementation": 0.0, "systolic_pressure": 120.0,
    "heart_rate": 70.0, "consciousness": 0.0, "body_temperature": 37.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "text", "lane", "red"),
    [
        ({}, "0", "routine", False),
        ({"heart_rate": 91.0}, "1", "low", False),
        ({"heart_rate": 131.0}, "3", "urgent", True),
        ({"oxygen_supplementation": 1.0, "heart_rate": 111.0, "respiratory_rate": 10.0}, "5", "urgent", False),
        ({"heart_rate": 131.0, "respiratory_rate": 25.0, "body_temperature": 38.5}, "7", "emergency", True),
    ],
)
def test_the_lane_is_the_response_that_news2_asks_for(
    changed: dict[str, float], text: str, lane: str, red: bool
) -> None:
    brief = build.news2_brief(scores_of(NORMAL | changed).news2, 0)
    assert (brief.text, build.lane_of(brief), brief.red, brief.exact) == (text, lane, red, True)


def test_a_lacking_input_makes_the_score_a_lower_bound_and_none_makes_none() -> None:
    brief = build.news2_brief(
        scores_of({k: v for k, v in NORMAL.items() if k != "consciousness"} | {"heart_rate": 95.0}).news2, 0
    )
    assert (brief.text, brief.exact, brief.missing) == ("≥1", False, ("consciousness",))
    nothing = build.news2_brief(scores_of({}).news2, 0)
    assert (nothing.text, nothing.value, build.lane_of(nothing)) == ("--", None, "unscored")
    pregnant = build.news2_brief(scores_of(NORMAL | {"pregnancy": 1.0}).news2, 0, "pregnancy")
    assert (pregnant.text, pregnant.reason, build.lane_of(pregnant)) == ("n/a", "pregnancy", "unscored")


def test_a_sparkline_is_six_hours_in_steps_and_holes_stay_holes() -> None:
    at_us = np.array([NOW - 7 * HOUR_US, NOW - 3 * HOUR_US, NOW], np.int64)
    points = build.spark(at_us, np.array([0.9, 0.25, 0.5]), NOW)
    assert len(points) == 36
    assert [point for point in points if point is not None] == [250, 500]
    assert points[-1] == 500
    assert build.spark(at_us, np.array([0.9, np.nan, np.nan]), NOW) == (None,) * 36


@pytest.mark.parametrize(("then", "now", "said"), [(0.1, 0.2, "rising"), (0.2, 0.1, "falling"), (0.1, 0.12, "steady")])
def test_the_trend_is_of_the_last_hour(then: float, now: float, said: str) -> None:
    at_us = np.array([NOW - 2 * HOUR_US, NOW - 50 * MINUTE_US, NOW], np.int64)
    assert build.trend(at_us, np.array([0.9, then, now]), NOW) == said
    assert build.trend(at_us[-1:], np.array([now]), NOW) == ""


def alarm(priority: int, state: str = "open", concept: str = "heart_rate") -> AlertView:
    return AlertView(f"x{priority}", "a", "1A", "A", "r", priority, f"HR {priority}", state, NOW + priority, concept)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("band", "value", "missing", "lane"),
    [
        ("none", 0, 0, "routine"),
        ("none", 0, 3, "routine"),
        ("none", 0, 4, "unscored"),
        ("low", 4, 3, "low"),
        ("low", 4, 4, "unscored"),
        ("low", 1, 6, "unscored"),
        ("low-medium", 3, 6, "urgent"),  # one part that scores 3 asks for help whatever is missing
        ("medium", 5, 5, "urgent"),
        ("high", 7, 4, "emergency"),
    ],
)
def test_too_few_known_parts_never_reassure(band: str, value: int, missing: int, lane: str) -> None:
    assert build.lane_of(News2Brief(value, f"≥{value}", band, exact=not missing, missing=PARTS[:missing])) == lane


@pytest.mark.parametrize(
    ("probability", "low", "high", "text"),
    [
        (0.006, 0.002, 0.004, "0–1"),
        (0.36, 0.28, 0.45, "28–45"),
        (0.355, 0.3549, 0.3551, "35–36"),
        (0.29, 0.29, 0.29, "29–29"),
    ],
)
def test_an_interval_is_rounded_outwards(probability: float, low: float, high: float, text: str) -> None:
    assert present.interval(RiskBrief(probability, low, high)) == text


@pytest.mark.parametrize(
    ("points", "top"),
    [((), ""), ((None,), ""), ((0,), "10 %"), ((20, 45), "10 %"), ((120, None), "24 %"), ((700,), "100 %")],
)
def test_a_sparklines_top_is_twice_its_highest_and_said(points: tuple[int | None, ...], top: str) -> None:
    assert present.spark_label(points) == top


def test_dates_of_another_year_say_it() -> None:
    assert present.clock(NOW, UTC, day=True, now_us=NOW) == from_us(NOW).strftime("%d %b %H:%M")
    assert present.clock(NOW - DAY_US, UTC, day=True, now_us=NOW).split()[2] == str(from_us(NOW).year - 1)


def test_why_there_is_no_risk_is_said_once() -> None:
    for reason in ("fewer than 3 vitals", "insufficient data: fewer than 3 vitals"):
        assert present.insufficient_text(reason) == "insufficient data: fewer than 3 vitals"
    assert present.short_reason("insufficient data: fewer than 3 vitals") == "insufficient data"


def test_the_gravest_open_alarm_leads() -> None:
    brief = build.alarm_brief([alarm(2), alarm(3), alarm(1, "acknowledged")])
    assert brief is not None
    assert (brief.priority, brief.open) == (3, 2)
    assert build.alarm_brief([alarm(3, "snoozed")]) is None
    assert build.priorities_of([alarm(2), alarm(3, "acknowledged")]) == {"heart_rate": 2}


def test_a_row_has_what_it_is_built_from() -> None:
    latest = {"heart_rate": Latest(131.0, NOW - 2 * SECOND_US, 1.0), "consciousness": Latest(1.0, NOW - HOUR_US)}
    made = build.bed_row(
        "p1", Person("Curie", "Marie", NOW - 66 * 365 * DAY_US, "female"), Location("H", "Ward 4", "", "2B"), latest,
        News2Brief(3, "≥3", "low-medium", True), {"heart_rate": 3}, RiskBrief(None, insufficient="2 of 8 inputs"),
        [alarm(3)], NOW,
    )  # fmt: skip
    assert (made.name, made.bed, made.lane, made.age_years) == ("CURIE, Marie", "Ward 4 2B", "urgent", 65)
    cell = made.vitals["heart_rate"]
    assert (cell.value, cell.points, cell.priority, cell.stale_s) == (131.0, 3, 3, 5)
    assert made.vitals["consciousness"].text == "Confusion"
    assert "respiratory_rate" not in made.vitals
    assert made.at_us == NOW - 2 * SECOND_US


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400), st.integers(1, 100))
def test_thinning_keeps_the_extremes_and_the_ends(values: list[float], points: int) -> None:
    at_us = np.arange(len(values), dtype=np.int64) * SECOND_US
    value = np.array(values)
    at, kept, index = build.thin(at_us, value, points)
    assert kept.min() == value.min()
    assert kept.max() == value.max()
    assert (at[0], at[-1]) == (at_us[0], at_us[-1])
    assert (np.diff(index) > 0).all()
    assert np.array_equal(value[index], kept)
    assert len(kept) <= max(points, len(values) if len(values) <= points else 2 * max(points // 2, 1) + 2)


@pytest.mark.parametrize(("value", "flag"), [(1.31, "H"), (1.3, ""), (0.7, ""), (0.69, "L")])
def test_a_result_is_flagged_outside_its_range(value: float, flag: str) -> None:
    made = build.state_row(VOCABULARY["creatinine"], Latest(value, NOW), 60, "male", NOW)
    assert (made.flag, made.low, made.high) == (flag, 0.7, 1.3)


@pytest.mark.parametrize(
    ("concept", "value", "text"),
    [
        ("heart_rate", Quantity(80.4, "/min"), "80 /min"),
        ("lactate", Quantity(2.0, "mmol/L", "<"), "<2.0 mmol/L"),
        ("consciousness", Coded("vitruvian", "alert", "Alert", 0.0), "Alert"),
        ("", Text("seen by surgeon"), "seen by surgeon"),
        ("", Range(1.0, None, "mg/dL"), "1– mg/dL"),
        ("norepinephrine", Dose(rate=0.12, rate_unit="ug/kg/min"), "0.12 µg/kg/min"),
        ("paracetamol", Dose(amount=1000.0, amount_unit="mg"), "1000 mg"),
        ("", Visit("transfer", location=Location("H", "ICU", "", "3"), reason="worse"), "transfer ICU 3 worse"),
        ("", Association("start", "monitor-7"), "device monitor-7: start"),
    ],
)
def test_values_are_written_as_people_do(concept: str, value: object, text: str) -> None:
    assert details.value_text(concept, value) == text  # type: ignore[arg-type]


def stored(*events: Event, superseded: int | None = None, status: str = "final") -> details.Stored:
    return (1, NOW, superseded, Entry("s", "1", events, status=status))  # type: ignore[arg-type]


def given_dose(dose: Dose, started_us: int, ended_us: int | None = None) -> Event:
    return Event("administration", "norepinephrine", dose, started_us, ended_us)


def test_medicines_run_until_they_end_and_the_retracted_are_not_shown() -> None:
    rate = Dose(rate=0.1, rate_unit="ug/kg/min")
    rows = details.medicine_rows(
        [
            stored(given_dose(rate, NOW - HOUR_US)),
            stored(given_dose(rate, NOW - 3 * HOUR_US, NOW - 2 * HOUR_US)),
            stored(given_dose(rate, NOW - 30 * HOUR_US)),
            stored(given_dose(Dose(amount=5.0, amount_unit="mg"), NOW - MINUTE_US)),
            stored(given_dose(rate, NOW - HOUR_US), status="entered-in-error"),
            stored(given_dose(rate, NOW - HOUR_US), superseded=9),
        ],
        NOW,
    )
    assert [row.running for row in rows] == [True, False, False, False]


def test_an_order_is_shown_as_one_and_never_runs() -> None:
    dose = Dose(amount=1000.0, amount_unit="mg", route="oral")
    order = Event("order", "", dose, NOW - MINUTE_US, NOW + HOUR_US, code="x|1|Paracetamol")
    rows = details.medicine_rows([stored(order), stored(given_dose(Dose(rate=0.1, rate_unit="mg/h"), NOW))], NOW)
    assert [(row.ordered, row.running) for row in rows] == [(False, True), (True, False)]
    assert (rows[1].display, rows[1].dose, rows[1].route) == ("Paracetamol", "1000 mg", "oral")


def test_the_timeline_says_what_was_superseded() -> None:
    event = Event("observation", "heart_rate", Quantity(80.0, "/min"), NOW - HOUR_US)
    (view,) = details.event_views([stored(event, superseded=12)])
    assert view.superseded
    assert (view.label, view.text) == ("Heart rate", "80 /min")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (172_799, "47 h"), (172_800, "2 d")],
)
def test_ages_are_short(seconds: float, text: str) -> None:
    assert present.age_text(seconds) == text


@pytest.mark.parametrize(
    ("probability", "text"),
    [(None, "--"), (0.0, "<1 %"), (0.0099, "<1 %"), (0.015, "2 %"), (0.36, "36 %"), (0.995, ">99 %")],
)
def test_a_risk_is_never_nought_or_certain(probability: float | None, text: str) -> None:
    assert present.percent(probability) == text

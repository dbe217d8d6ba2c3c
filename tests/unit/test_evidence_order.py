"""What builders of evidence put first, and what they set a forecast against."""

from __future__ import annotations

import pytest

from vitruvian.core.time import HOUR_US
from vitruvian.explanation.drafting import draft
from vitruvian.explanation.evidence.card import Card, card_evidence
from vitruvian.explanation.evidence.forecast import Outlook, forecast_evidence
from vitruvian.explanation.evidence.parts import Measured, reads_as_none
from vitruvian.explanation.evidence.timeline import Happened, timeline_evidence
from vitruvian.explanation.evidence.what_if import Difference, what_if_evidence
from vitruvian.physiology.actions import Action

NOW_US = 480_000 * HOUR_US
SALINE = Action("crystalloid", 500.0, "mL")
FALLING = Outlook("heart_rate", 71.0, 69.0, 60.0, 80.0, 69.0, 6.0, 71.0, 0.0)


def effect(name: str, unit: str, median: float, level: float) -> Difference:
    return Difference(name, unit, "rises", median, median * 0.9, median * 1.1, 1.0, 0.99, level=level)


def test_a_what_if_tells_first_what_clinicians_look_at_first() -> None:
    found = [
        effect("central_venous_pressure", "mm[Hg]", 6.0, 4.0), effect("pulmonary_wedge_pressure", "mm[Hg]", 8.0, 8.0),
        effect("heart_rate", "/min", 3.0, 80.0), effect("mean_pressure", "mm[Hg]", 9.0, 70.0),
    ]  # fmt: skip
    evidence = what_if_evidence(NOW_US, 6.0, [SALINE], [], found)
    names = [one.name for one in evidence.of_role("difference")]
    assert names == ["mean_pressure", "heart_rate", "central_venous_pressure", "pulmonary_wedge_pressure"]
    assert "mean blood pressure" in draft(evidence).sentences[1].text


def test_an_effect_below_the_shown_decimals_is_none() -> None:
    evidence = what_if_evidence(NOW_US, 6.0, [SALINE], [], [effect("mean_pressure", "mm[Hg]", 0.03, 70.0)])
    assert evidence.by_id["difference-mean_pressure"].direction == "steady"
    assert "higher" not in draft(evidence).text


@pytest.mark.parametrize(
    ("name", "difference", "unit", "none"),
    [
        ("mean_pressure", 0.4, "", True), ("mean_pressure", 0.6, "mm[Hg]", False), ("lactate", 0.04, "mmol/L", True),
        ("lactate", -0.06, "mmol/L", False), ("lactate", 0.4, "mg/dL", True), ("own", 1e-9, "L", False),
        ("own", 0.0, "L", True), ("sepsis_risk", 0.001, "1", False),
    ],
)  # fmt: skip
def test_whether_a_difference_can_be_seen(name: str, difference: float, unit: str, none: bool) -> None:
    assert reads_as_none(name, difference, unit) is none


def test_a_forecast_begins_at_what_was_measured() -> None:
    evidence = forecast_evidence(
        NOW_US, 6.0, [FALLING], measured=[Measured("heart_rate", 85.0, NOW_US - 60, "monitor")]
    )
    now = evidence.by_id["now-heart_rate"]
    assert (now.role, now.value, now.at_us, now.source) == ("measurement", 85.0, NOW_US - 60, "monitor")
    assert evidence.by_id["expected-heart_rate"].direction == "falling"
    assert "from 85/min to 69/min" in draft(evidence).text


@pytest.mark.parametrize("measured", [[], [Measured("heart_rate", 85.0, NOW_US - 2 * HOUR_US)]])
def test_without_a_recent_measurement_it_begins_at_an_estimate_that_says_so(measured: list[Measured]) -> None:
    evidence = forecast_evidence(NOW_US, 6.0, [FALLING], measured=measured)
    assert (evidence.by_id["now-heart_rate"].role, evidence.by_id["now-heart_rate"].value) == ("estimate", 71.0)
    steep = Outlook("heart_rate", 71.0, 95.0, 60.0, 99.0, 71.0, 0.0, 95.0, 6.0)
    assert "estimated" in draft(forecast_evidence(NOW_US, 6.0, [steep], measured=measured)).text


def test_a_critical_measurement_is_named_once() -> None:
    low = Outlook("mean_pressure", 60.0, 80.0, 70.0, 90.0, 60.0, 0.0, 80.0, 6.0)
    evidence = forecast_evidence(NOW_US, 6.0, [low], measured=[Measured("mean_pressure", 50.0, NOW_US)])
    assert [one.id for one in evidence.red_flags] == ["critical-mean_pressure"]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ("PhysioNet/CinC Challenge 2019 (training_setA.parquet)", "PhysioNet/CinC Challenge 2019"),
        ("A (a.csv, b-1.csv.gz) and B (c.parquet)", "A and B"),
        ("MIMIC-IV (version 2.2, adults)", "MIMIC-IV (version 2.2, adults)"),
    ],
)
def test_a_card_names_records_not_files(data: str, shown: str) -> None:
    evidence = card_evidence(Card("sepsis", "sepsis", "2", 6.0, data, figures={"auroc": 0.8}, evaluated=data), NOW_US)
    assert evidence.by_id["data"].text == shown
    assert evidence.by_id["figure-auroc"].source == shown


def test_a_medicine_that_no_table_knows_is_told_as_given() -> None:
    given = [Happened("study drug", "1 mL", NOW_US), Happened("an odd one", "", NOW_US, "heart_rate")]
    evidence = timeline_evidence(NOW_US, 6.0, given=given, events=[Happened("transfer", "Ward 4", NOW_US)])
    assert [one.name for one in evidence.of_role("event")] == ["medicine", "medicine", "event"]
    claims = [one.claim for one in draft(evidence).sentences]
    assert claims == ["medicines", "happened"]


def test_an_empty_timeline_has_the_count_that_shows_no_alarm_is_open() -> None:
    assert draft(timeline_evidence(NOW_US, 6.0)).text == "No alarm is open."

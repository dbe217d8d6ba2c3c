"""The evidence of a risk and what is said of it: no number without a fact, and the same words for the same numbers."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.time import HOUR_US
from vitruvian.explanation import (
    Evidence,
    Explanation,
    Fact,
    Issued,
    attributions_of,
    draft,
    risk_evidence,
    subject_of,
    subjects,
)
from vitruvian.explanation.claims import Claim
from vitruvian.explanation.drafting import plan_of
from vitruvian.explanation.showing import PLAIN, percent, show
from vitruvian.prediction.serve.bundle import MODELS, VARIANTS
from vitruvian.prediction.serve.gate import TOO_FEW_VITALS, reasons_of
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import TASKS
from vitruvian.signals import FEATURES

NOW_US = 480_000 * HOUR_US
DIGIT = re.compile(r"\d")
FRESH = {
    "heart_rate": 118.0, "respiratory_rate": 24.0, "oxygen_saturation": 95.0, "systolic_pressure": 101.0,
    "mean_pressure": 70.0, "body_temperature": 38.44, "lactate": 3.14, "age_years": 71.0, "male": 1.0,
}  # fmt: skip


def issued(probability: float | None = 0.124, **options: object) -> Issued:
    given_ = {"low": 0.081, "high": 0.17, "earlier": 0.062, "earlier_us": NOW_US - 6 * HOUR_US} | options
    return Issued("sepsis", 6.0, NOW_US, probability, **given_)  # type: ignore[arg-type]


def unsupported(explanation: Explanation) -> list[str]:
    """Pieces of the text that hold a number and cite no fact."""
    pieces = (piece for sentence in explanation.sentences for piece in sentence.pieces())
    return [text for text, fact in pieces if DIGIT.search(text) and not fact]


def shown(evidence: Evidence, which: str) -> str:
    """How a fact's number reads."""
    return show(evidence.by_id[which], "value", evidence, "clinician", PLAIN)


def said(evidence: Evidence, kind: str) -> Claim | None:
    """What is said of that kind."""
    return next((one for one in plan_of(evidence, "clinician") if one.kind == kind), None)


def drivers(evidence: Evidence) -> dict[str, Fact]:
    return {fact.name: fact for fact in evidence.of_role("driver")}


def test_the_level_where_it_came_from_and_what_it_is_associated_with() -> None:
    values = FRESH | {"heart_rate_delta_6h": 22.0, "lactate_change": 1.9, "respiratory_rate": math.nan}
    added = {
        "heart_rate": 0.5, "heart_rate_max_6h": 0.3, "lactate": 0.4, "lactate_change": 0.2, "male": 0.9, "ph": -1.0,
    }  # fmt: skip
    evidence = risk_evidence(issued(), values, added, {"lactate": NOW_US - HOUR_US})
    read = {one: shown(evidence, one) for one in ("risk", "low", "high", "horizon", "earlier", "confidence")}
    assert read == {
        "risk": "12 %", "low": "8.1 %", "high": "17 %", "horizon": "over the next 6 h",
        "earlier": "6.2 %", "confidence": "95 %",
    }  # fmt: skip
    found = drivers(evidence)
    assert list(found) == ["heart_rate", "lactate"]  # the strongest first; sex explains nothing, pH lowers it
    assert found["heart_rate"].weight == pytest.approx(0.8)
    lactate = found["lactate"]
    assert (lactate.value, lactate.unit, lactate.at_us) == (3.14, "mmol/L", NOW_US - HOUR_US)
    assert (lactate.direction, lactate.weight) == ("rising", pytest.approx(0.6))
    assert [fact.label for fact in evidence.of_role("missing")] == ["respiratory rate"]
    explanation = draft(evidence)
    for words in (*read.values(), "heart rate", "118/min", "rising", "3.1 mmol/L", "respiratory rate"):
        assert words in explanation.text or words == "95 %"
    assert "6 h ago" in explanation.text
    assert not unsupported(explanation)


def test_every_subject_has_its_part_the_strongest_first() -> None:
    parts = attributions_of(FRESH, {"heart_rate": 0.5, "heart_rate_max_6h": 0.3, "lactate": 0.6, "male": 0.9, "ph": -1})
    assert [one.subject for one in parts] == ["ph", "male", "heart_rate", "lactate"]
    assert [one.read for one in parts] == ["missing", "male", "118/min", "3.1 mmol/L"]
    assert parts[2].contribution == pytest.approx(0.8)


@pytest.mark.parametrize(("earlier", "sign"), [(0.062, 1), (0.3, -1), (0.1241, 0)])
def test_where_it_came_from(earlier: float, sign: int) -> None:
    evidence = risk_evidence(issued(earlier=earlier), FRESH, {})
    moved = said(evidence, "risk_moved")
    assert moved is not None
    assert moved.sign == sign
    text = draft(evidence).text
    assert "6 h ago" in text
    assert (shown(evidence, "earlier") in text.replace(shown(evidence, "risk"), "", 1)) == (sign != 0)


@pytest.mark.parametrize(("earlier", "rising"), [(0.062, True), (0.1, False), (0.3, False), (0.0, True)])
def test_a_notable_rise_is_a_red_flag(earlier: float, rising: bool) -> None:
    evidence = risk_evidence(issued(earlier=earlier), FRESH, {})
    assert ("rising_risk" in evidence.by_id["risk"].flags) == rising


def test_a_risk_without_a_past_or_an_interval_says_less() -> None:
    evidence = risk_evidence(issued(earlier=None, low=None, high=None), FRESH, {})
    level = said(evidence, "risk")
    assert level is not None
    assert {one.name for one in level.slots} == {"outcome", "risk", "horizon"}
    assert not {"low", "high", "earlier", "confidence"} & set(evidence.by_id)


def test_a_risk_of_another_target_says_of_what_and_until_when() -> None:
    risk = Issued("mortality", None, NOW_US, 0.31, 0.2, 0.45, earlier=0.2, earlier_us=NOW_US - HOUR_US, about="death")
    evidence = risk_evidence(risk, FRESH, {"lactate": 0.4})
    text = draft(evidence).text
    assert all(words in text for words in ("31 %", "20 %", "45 %", "death", "to the end of the stay", "1 h ago"))
    assert evidence.by_id["risk"].name == "mortality_risk"
    assert not unsupported(draft(evidence))


def test_where_no_model_can_say_what_moves_it_nothing_is_said_of_that() -> None:
    evidence = risk_evidence(issued(), FRESH | {"respiratory_rate": math.nan}, None)
    assert {one.kind for one in plan_of(evidence, "clinician")} == {"risk_moved", "missing"}
    assert {one.kind for one in plan_of(risk_evidence(issued(), FRESH, None), "clinician")} == {"risk_moved"}


def test_nothing_that_raises_it_is_said_too() -> None:
    evidence = risk_evidence(issued(), FRESH, {"heart_rate": -0.5, "lactate": 0.02})
    assert said(evidence, "no_drivers")
    assert said(evidence, "drivers") is None
    assert all(sentence.facts for sentence in draft(evidence).sentences)


def test_a_driver_that_was_not_measured_has_no_number() -> None:
    evidence = risk_evidence(issued(), FRESH | {"creatinine": math.nan}, {"creatinine_age_h": 0.4})
    assert drivers(evidence)["creatinine"].value is None
    assert "creatinine" in draft(evidence).text
    assert "not measured recently" in draft(evidence).text


def test_too_little_data_is_said_and_no_risk_is() -> None:
    values = dict.fromkeys(FRESH, math.nan) | {"heart_rate": 80.0}
    evidence = risk_evidence(issued(None, insufficient=reasons_of(TASKS["sepsis"])[TOO_FEW_VITALS]), values, {})
    explanation = draft(evidence)
    assert reasons_of(TASKS["sepsis"])[TOO_FEW_VITALS] in explanation.text
    assert [fact.label for fact in evidence.of_role("missing")] == [
        "respiratory rate", "oxygen saturation", "blood pressure", "body temperature",
    ]  # fmt: skip
    assert not evidence.of_role("probability", "driver")
    assert "%" not in explanation.text
    assert not unsupported(explanation)


def test_a_critical_value_is_flagged_whether_or_not_it_moves_the_risk() -> None:
    values = FRESH | {"potassium": 6.6, "respiratory_rate": 31.0}
    evidence = risk_evidence(issued(), values, {"respiratory_rate": 0.5})
    flagged = {fact.name: fact.role for fact in evidence.facts if "critical" in fact.flags}
    assert flagged == {"potassium": "measurement", "respiratory_rate": "driver"}
    text = draft(evidence).text
    assert "6.6 mmol/L" in text
    assert "31/min" in text


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        (0.0004, "less than 0.1 %"),
        (0.0124, "1.2 %"),
        (0.0994, "9.9 %"),
        (0.0996, "10 %"),
        (0.5, "50 %"),
        (0.9999, "more than 99 %"),
    ],
)
def test_probabilities_as_people_read_them(probability: float, text: str) -> None:
    assert percent(probability, PLAIN) == text


@pytest.mark.parametrize("task", sorted(path.name for path in MODELS.iterdir() if path.is_dir()))
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_feature_of_a_shipped_model_has_a_subject_with_a_plain_name(task: str, variant: str) -> None:
    for feature in Predictor.load(task=task, serves=variant).features:
        subject = subjects(subject_of(feature))
        assert "_" not in subject.label, feature
        assert subject_of(subject.name) == subject.name, feature


def test_what_a_feature_is_about() -> None:
    assert subject_of("heart_rate_departure_24h") == "heart_rate"
    assert subject_of("mean_pressure_mean_6h") == "mean_pressure"
    assert subject_of("oxygen_saturation_arterial_age_h") == "oxygen_saturation_arterial"
    assert subject_of("sofa_known") == "sofa_known"
    assert subject_of("heart_rate_slope_8h") == "heart_rate"
    assert subject_of("glasgow_coma_score_stay_min") == "glasgow_coma_score"
    assert subjects(subject_of("sofa_like_kidney_worst")).label == "organ failure points, kidney"


finite = st.floats(-5, 5, allow_nan=False)


@given(
    st.floats(0, 1),
    st.dictionaries(st.sampled_from(FEATURES), finite, max_size=30),
    st.dictionaries(st.sampled_from(FEATURES), st.floats(0, 400), max_size=60),
    st.one_of(st.none(), st.floats(0, 1)),
    st.integers(1, 20 * 60),
)
def test_no_number_stands_without_its_fact(
    probability: float,
    added: dict[str, float],
    values: dict[str, float],
    earlier: float | None,
    minutes_ago: int,
) -> None:
    risk = issued(
        probability, low=probability * 0.8, high=min(1.0, probability * 1.2),
        earlier=earlier, earlier_us=NOW_US - minutes_ago * 60_000_000,
    )  # fmt: skip
    evidence = risk_evidence(risk, values, added)
    explanation = draft(evidence)
    assert not unsupported(explanation)
    assert all(sentence.facts and sentence.text.endswith(".") for sentence in explanation.sentences)
    assert {name for sentence in explanation.sentences for name in sentence.facts} <= set(evidence.by_id)
    again = risk_evidence(risk, dict(reversed(values.items())), dict(reversed(added.items())))
    assert (again, draft(again)) == (evidence, draft(evidence))

"""The deterministic sentences: what they say, and that no number in them is without a fact."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.time import HOUR_US
from vitruvian.explanation import Evidence, Issued, explain_risk, subject_of, subjects
from vitruvian.explanation.risk import percent
from vitruvian.prediction.serve.bundle import MODELS, VARIANTS
from vitruvian.prediction.serve.gate import TOO_FEW_VITALS, reasons_of
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import TASKS
from vitruvian.signals import FEATURES

NOW_US = 480_000 * HOUR_US
NUMBER = re.compile(r"\d+(?:\.\d+)?")
FRESH = {
    "heart_rate": 118.0, "respiratory_rate": 24.0, "oxygen_saturation": 95.0, "systolic_pressure": 101.0,
    "mean_pressure": 70.0, "body_temperature": 38.44, "lactate": 3.14, "age_years": 71.0, "male": 1.0,
}  # fmt: skip
# A digit that is part of a name (FiO2, PaCO2) is not a measurement.
NAMES = {label for label in (subjects(subject_of(feature)).label for feature in FEATURES) if NUMBER.search(label)}


def issued(probability: float | None = 0.124, **options: object) -> Issued:
    given_ = {"low": 0.081, "high": 0.17, "earlier": 0.062, "earlier_us": NOW_US - 6 * HOUR_US} | options
    return Issued("sepsis", 6.0, NOW_US, probability, **given_)  # type: ignore[arg-type]


def unsupported(evidence: Evidence) -> list[str]:
    """Numbers in the sentences that are in no fact which the sentence cites."""
    facts = {fact.id: fact for fact in evidence.facts}
    found = []
    for sentence in evidence.sentences:
        shown = [number for name in sentence.facts for number in NUMBER.findall(facts[name].shown)]
        text = sentence.text
        for name in NAMES:
            text = text.replace(name, "")
        found += [number for number in NUMBER.findall(text) if number not in shown]
    return found


def test_the_level_where_it_came_from_and_what_it_is_associated_with() -> None:
    values = FRESH | {"heart_rate_delta_6h": 22.0, "lactate_change": 1.9, "respiratory_rate": math.nan}
    added = {
        "heart_rate": 0.5,
        "heart_rate_max_6h": 0.3,
        "lactate": 0.4,
        "lactate_change": 0.2,
        "male": 0.9,
        "ph": -1.0,
    }
    evidence = explain_risk(issued(), values, added, {"lactate": NOW_US - HOUR_US})
    assert evidence.sentences[0].text == (
        "Risk 12 % (95 % interval 8.1 % to 17 %) of sepsis over the next 6 h, up from 6.2 % 6 h ago."
    )
    assert evidence.sentences[1].text == (
        "Associated most with (not caused by): heart rate 118/min (rising), lactate 3.1 mmol/L (rising);"
        " respiratory rate missing."
    )
    assert evidence.missing == ("respiratory rate",)
    assert [item.subject for item in evidence.attributions] == ["ph", "male", "heart_rate", "lactate"]
    assert evidence.attributions[2].contribution == pytest.approx(0.8)
    lactate = next(fact for fact in evidence.facts if fact.name == "lactate")
    assert (lactate.value, lactate.unit, lactate.occurred_us, lactate.direction) == (
        3.14,
        "mmol/L",
        NOW_US - HOUR_US,
        "rising",
    )
    assert lactate.weight == pytest.approx(0.6)
    assert not unsupported(evidence)


@pytest.mark.parametrize(
    ("earlier", "words"), [(0.062, "up from 6.2 % 6 h ago"), (0.3, "down from 30 % 6 h ago"), (0.1241, ", as 6 h ago")]
)
def test_where_it_came_from(earlier: float, words: str) -> None:
    assert words in explain_risk(issued(earlier=earlier), FRESH, {}).text


def test_a_risk_without_a_past_or_an_interval_says_less() -> None:
    text = explain_risk(issued(earlier=None, low=None, high=None), FRESH, {}).sentences[0].text
    assert text == "Risk 12 % of sepsis over the next 6 h."


def test_a_risk_of_another_target_says_of_what_and_until_when() -> None:
    risk = Issued("mortality", None, NOW_US, 0.31, 0.2, 0.45, earlier=0.2, earlier_us=NOW_US - HOUR_US, about="death")
    evidence = explain_risk(risk, FRESH, {"lactate": 0.4})
    assert evidence.sentences[0].text == (
        "Risk 31 % (95 % interval 20 % to 45 %) of death to the end of the stay, up from 20 % 1 h ago."
    )
    assert {fact.name for fact in evidence.facts if fact.role in ("risk", "interval", "before")} >= {"mortality_risk"}
    assert not unsupported(evidence)


def test_where_no_model_can_say_what_moves_it_nothing_is_said_of_that() -> None:
    evidence = explain_risk(issued(), FRESH | {"respiratory_rate": math.nan}, None)
    assert evidence.sentences[1].text == "Not measured recently: respiratory rate."
    assert "Associated" not in evidence.text and "No measurement" not in evidence.text
    assert not evidence.attributions
    assert len(explain_risk(issued(), FRESH, None).sentences) == 1


def test_nothing_that_raises_it_is_said_too() -> None:
    evidence = explain_risk(issued(), FRESH, {"heart_rate": -0.5, "lactate": 0.02})
    assert evidence.sentences[1].text == "No measurement raises it notably above that of a typical patient."
    assert all(sentence.facts for sentence in evidence.sentences)


def test_a_driver_that_was_not_measured_has_no_number() -> None:
    evidence = explain_risk(issued(), FRESH | {"creatinine": math.nan}, {"creatinine_age_h": 0.4})
    assert "creatinine not measured recently" in evidence.text
    assert next(fact for fact in evidence.facts if fact.name == "creatinine").value is None


def test_too_little_data_is_said_and_no_risk_is() -> None:
    values = dict.fromkeys(FRESH, math.nan) | {"heart_rate": 80.0}
    evidence = explain_risk(issued(None, insufficient=reasons_of(TASKS["sepsis"])[TOO_FEW_VITALS]), values, {})
    assert evidence.text.startswith("No risk is shown: insufficient data")
    assert evidence.missing == (
        "respiratory rate",
        "oxygen saturation",
        "blood pressure",
        "body temperature",
    )
    assert "Risk " not in evidence.text
    assert not unsupported(evidence)
    assert not evidence.attributions


@pytest.mark.parametrize(
    ("probability", "text"),
    [(0.0004, "<0.1 %"), (0.0124, "1.2 %"), (0.0994, "9.9 %"), (0.0996, "10 %"), (0.5, "50 %"), (0.9999, ">99 %")],
)
def test_probabilities_as_people_read_them(probability: float, text: str) -> None:
    assert percent(probability) == text


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
    evidence = explain_risk(risk, values, added)
    assert not unsupported(evidence)
    assert all(sentence.facts and sentence.text.endswith(".") for sentence in evidence.sentences)
    assert {name for sentence in evidence.sentences for name in sentence.facts} <= {fact.id for fact in evidence.facts}
    assert "cause" not in evidence.text.replace("not caused by", "")
    assert evidence == explain_risk(risk, dict(reversed(values.items())), dict(reversed(added.items())))

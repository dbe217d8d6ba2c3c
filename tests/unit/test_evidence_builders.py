"""Builders of evidence against the twin's own numbers: what a packet holds is what was put in, and nothing else."""

from __future__ import annotations

import json
import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vitruvian.core.time import HOUR_US
from vitruvian.explanation.evidence.alert import Alarm, Course, alert_evidence, course_of
from vitruvian.explanation.evidence.base import FACTS_MAX, Evidence, Fact
from vitruvian.explanation.evidence.card import FIGURES, Card, card_evidence
from vitruvian.explanation.evidence.forecast import Outlook, forecast_evidence, outlooks_of
from vitruvian.explanation.evidence.handover import BedStory, TheRisk, TheScore, handover_evidence
from vitruvian.explanation.evidence.parts import (
    Measured,
    Person,
    clean,
    direction_of,
    fact_id,
    flags_of,
    notable,
    reads_as_none,
)
from vitruvian.explanation.evidence.ranges import is_critical
from vitruvian.explanation.evidence.risk import Issued, is_rising, risk_evidence
from vitruvian.explanation.evidence.timeline import Happened, timeline_evidence
from vitruvian.explanation.evidence.what_if import (
    Difference,
    differences_of,
    how,
    risk_differences_of,
    what_if_evidence,
)
from vitruvian.explanation.showing import PLAIN, percent
from vitruvian.physiology.actions import Action
from vitruvian.physiology.base import Output
from vitruvian.physiology.trajectories import Trajectories
from vitruvian.prediction.serve.bundle import MODELS
from vitruvian.scenarios import RiskModels, Scenario, what_if
from vitruvian.scenarios.effects import effects_of
from vitruvian.scenarios.what_if import WhatIf
from vitruvian.testing.ward import MemoryWard

NOW_US = 480_000 * HOUR_US
OUTPUTS = (Output("heart_rate", "/min"), Output("mean_pressure", "mm[Hg]"), Output("own_quantity", "L"))
VALUES = arrays(np.float64, (7, 5, 3), elements=st.floats(1, 200))


def trajectories(values: np.ndarray) -> Trajectories:
    return Trajectories(OUTPUTS, np.linspace(0, 4 * 3_600.0, values.shape[1]), values)


def role(evidence: Evidence, which: str) -> Fact:
    return evidence.by_id[which]


# --- limits of adults ------------------------------------------------------------------------


@pytest.mark.parametrize(("age_years", "told"), [(3.0, False), (40.0, True), (None, True)])
def test_a_child_is_not_told_critical_by_the_limits_of_adults(age_years: float | None, told: bool) -> None:
    fast = Outlook("heart_rate", 118.0, 122.0, 110.0, 150.0, 118.0, 0.0, 140.0, 2.0)
    soon = Outlook("respiratory_rate", 22.0, 28.0, 24.0, 30.0, 22.0, 0.0, 28.0, 6.0)
    measured = [Measured("systolic_pressure", 84.0, NOW_US)]
    ahead = forecast_evidence(NOW_US, 6.0, [fast, soon], measured=measured, person=Person(age_years))
    values = {"age_years": math.nan if age_years is None else age_years, "systolic_pressure": 84.0, "heart_rate": 135.0}
    silent = risk_evidence(Issued("sepsis", 6.0, NOW_US, None, insufficient="too early"), values, None)
    spoken = risk_evidence(Issued("sepsis", 6.0, NOW_US, 0.1), values, {"heart_rate": 0.5})
    flagged = {one.id for packet in (ahead, silent, spoken) for one in packet.facts if "critical" in one.flags}
    assert flagged == (
        {"ahead-heart_rate", "expected-respiratory_rate", "critical-systolic_pressure", "critical-heart_rate",
         "driver-heart_rate"}
        if told else set()
    )  # fmt: skip


# --- forecast -----------------------------------------------------------------------------


@given(VALUES)
def test_a_forecast_holds_the_quantiles_of_the_members(values: np.ndarray) -> None:
    made = trajectories(values)
    evidence = forecast_evidence(NOW_US, 4.0, outlooks_of(made), model="m")
    bands = made.quantiles((0.05, 0.5, 0.95))
    for i, name in enumerate(("heart_rate", "mean_pressure")):
        expected = role(evidence, f"expected-{name}")
        assert expected.value == bands[1, -1, i]
        assert expected.horizon_h == 4.0
        assert role(evidence, f"now-{name}").value == bands[1, 0, i]
        assert role(evidence, f"low-expected-{name}").value == bands[0, -1, i]
        assert role(evidence, f"high-expected-{name}").value == bands[2, -1, i]
        assert expected.direction == direction_of(name, bands[1, 0, i], bands[1, -1, i])
        critical = {fact.value for fact in evidence.facts if "critical" in fact.flags and fact.name == name}
        assert bool(critical) == any(is_critical(name, one) for one in bands[1, 1:, i])
    assert not any(fact.name == "own_quantity" for fact in evidence.facts)
    assert evidence.simulated and all("simulated" in fact.flags for fact in evidence.of_role("expected", "estimate"))


def test_a_forecast_that_cannot_be_made_says_why_and_names_what_is_critical() -> None:
    measured = [Measured("lactate", 5.2, NOW_US), Measured("heart_rate", 80.0, NOW_US)]
    evidence = forecast_evidence(NOW_US, 6.0, [], measured=measured, reason="the body is lost")
    assert role(evidence, "reason").text == "the body is lost"
    assert [fact.name for fact in evidence.red_flags] == ["lactate"]


def test_a_critical_value_on_the_way_is_told_with_its_hour() -> None:
    evidence = forecast_evidence(NOW_US, 6.0, [Outlook("mean_pressure", 80.0, 75.0, 60.0, 85.0, 52.0, 2.5, 82.0, 0.5)])
    ahead = role(evidence, "ahead-mean_pressure")
    assert (ahead.value, ahead.horizon_h, ahead.of) == (52.0, 2.5, "expected-mean_pressure")
    assert "critical" in ahead.flags


# --- what-if ------------------------------------------------------------------------------


@given(VALUES, VALUES)
def test_a_what_if_holds_the_effects_as_they_were_found(without: np.ndarray, done: np.ndarray) -> None:
    baseline, changed = trajectories(without), trajectories(done)
    effects = effects_of(baseline, changed, baseline, changed)
    found = WhatIf(Scenario(), NOW_US, baseline, changed, changed - baseline, effects)
    differences = differences_of(found)
    evidence = what_if_evidence(NOW_US, 4.0, [Action("crystalloid", 500.0, "mL")], [], differences)
    for one in effects:
        fact = role(evidence, fact_id("difference", one.output))
        assert (fact.value, fact.unit, fact.horizon_h) == (one.most[2], one.unit, one.most_s / 3_600)
        assert role(evidence, fact_id("low", fact.id)).value == one.most[0]
        assert role(evidence, fact_id("high", fact.id)).value == one.most[4]
        agree = evidence.of_role("likelihood", of=fact.id)
        if reads_as_none(one.output, one.most[2]):
            assert fact.direction == "steady"
            assert not agree
        elif "rises" in one.verdict:
            assert (fact.direction, agree[0].value) == ("rising", one.above)
        elif "falls" in one.verdict:
            assert (fact.direction, agree[0].value) == ("falling", 1 - one.above)
        else:
            assert fact.direction in ("", "steady")
            assert not agree
        shares = [share.value for share in evidence.of_role("from_data", of=fact.id)]
        assert shares == ([] if one.from_data is None else [one.from_data])
        assert {"hypothetical", "simulated"} <= set(fact.flags)
    assert evidence.simulated
    members = np.median(changed.of("heart_rate"), axis=0)
    ahead = [fact for fact in evidence.of_role("expected") if fact.name == "heart_rate"]
    reached = not is_critical("heart_rate", members[0]) and any(is_critical("heart_rate", one) for one in members)
    assert bool(ahead) == reached
    if ahead:
        assert ahead[0].value in members.tolist()


@pytest.fixture(scope="module")
def answered() -> WhatIf:
    """A what-if of a body with everything in it: the real models, the real body."""
    ward = MemoryWard(4)
    scenario = Scenario("fluid", (Action("crystalloid", 500.0, "mL", 0.0, 1_800.0),), (("lactate", 4.5),), 3_600.0)
    posterior = ward.bodies.posterior(1)
    assert posterior is not None
    signals = ward._beds["sim-001"].signals(ward.now_us())
    return what_if(posterior, scenario, risk_models=RiskModels(), signals=signals)


def test_scores_of_a_real_answer_are_those_at_its_end(answered: WhatIf) -> None:
    assert answered.standing == "answered"
    told = {one.name: one for one in risk_differences_of(answered)}
    assert told
    for one in answered.risks:
        if one.name in told:
            assert told[one.name].before == one.baseline[2, -1]
            assert told[one.name].after == one.changed[2, -1]
            assert told[one.name].basis == one.basis
    evidence = what_if_evidence(
        answered.at_us, 1.0, answered.scenario.actions, answered.scenario.edits, differences_of(answered),
        risk_differences_of(answered), said=answered.notes,
    )  # fmt: skip
    before, after = role(evidence, "before-news2"), role(evidence, "after-news2")
    assert (before.value, after.value, after.of) == (told["news2"].before, told["news2"].after, before.id)
    assert "sensitivity" in before.flags  # an edited value is no mechanism
    edit = next(iter(evidence.of_role("edit")))
    assert (edit.name, edit.value, edit.unit) == ("lactate", 4.5, "mmol/L")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (Action("crystalloid", 500, "mL"), ""),
        (Action("crystalloid", 500, "mL", 0, 1_800), "for 30 min"),
        (Action("norepinephrine", 0.1, "ug/kg/min", 5_400), "starting in 1.5 h"),
        (Action("norepinephrine", 0.1, "ug/kg/min", 3_600, 7_200), "for 2 h, starting in 1 h"),
    ],
)
def test_how_something_is_done(action: Action, words: str) -> None:
    assert how(action) == words


def test_outside_the_domain_nothing_but_the_scenario_and_why() -> None:
    evidence = what_if_evidence(
        NOW_US, 1.0, [Action("norepi", 0.1, "ug/kg/min")], [], [_steep()], outside=["the body is lost"]
    )
    assert not evidence.of_role("difference", "probability", "score")
    assert role(evidence, "reason-1").text == "the body is lost"


def _steep() -> Difference:
    return Difference("heart_rate", "/min", "rises", 8.0, 2.0, 12.0, 0.5, 0.99)


def test_more_interventions_than_are_told_are_counted() -> None:
    actions = [Action("crystalloid", float(n), "mL") for n in range(1, 10)]
    evidence = what_if_evidence(NOW_US, 1.0, actions, [("heart_rate", 90.0)] * 1, [_steep()])
    told = len(evidence.of_role("action"))
    assert told + (role(evidence, "more").value or 0) == 9


# --- alarms and what happened -------------------------------------------------------------


def test_an_alarm_with_its_limit_and_course_and_nobody_who_saw_it() -> None:
    alarm = Alarm("hr_high", "HR 134 > 120", NOW_US - HOUR_US, 3, "heart_rate", 134.0, 120.0)
    course = course_of("heart_rate", [NOW_US - 5 * HOUR_US, NOW_US - HOUR_US, NOW_US], [88.0, 120.0, 134.0], 0)
    assert course == Course("heart_rate", 88.0, NOW_US - 5 * HOUR_US, 134.0, NOW_US)
    evidence = alert_evidence(NOW_US, [alarm], {"heart_rate": course}, measured=[Measured("lactate", 2.0, NOW_US)])
    told = role(evidence, "alarm-1")
    assert (told.text, told.value, told.at_us) == ("HR 134 above 120", 134.0, NOW_US - HOUR_US)
    assert role(evidence, "limit-alarm-1").value == 120.0
    assert (role(evidence, "last-heart_rate").value, role(evidence, "first-heart_rate").value) == (134.0, 88.0)
    assert role(evidence, "last-heart_rate").direction == "rising"
    assert role(evidence, "window-heart_rate").value == 5.0
    assert [fact.id for fact in evidence.red_flags] == ["last-heart_rate"]


def test_the_gravest_alarms_come_first_and_the_others_are_counted() -> None:
    alarms = [Alarm(f"rule{n}", "x", NOW_US - n, 1 + n % 3) for n in range(30)]
    evidence = alert_evidence(NOW_US, alarms)
    told = evidence.of_role("alarm")
    assert [fact.source for fact in told[:2]] == ["rule rule2", "rule rule5"]
    assert role(evidence, "alarms").value == 30
    assert len(told) + (role(evidence, "more").value or 0) == 30


def test_a_course_needs_two_measurements_some_time_apart() -> None:
    assert course_of("heart_rate", [NOW_US], [80.0], 0) is None
    assert course_of("heart_rate", [NOW_US - 1_000, NOW_US], [80.0, 90.0], 0) is None
    assert course_of("heart_rate", [NOW_US - 9 * HOUR_US, NOW_US], [80.0, 90.0], NOW_US - HOUR_US) is None


def test_a_timeline_holds_the_newest_results_with_their_flags() -> None:
    results = [Measured("lactate", 4.4, NOW_US - HOUR_US), Measured("lactate", 2.0, NOW_US - 3 * HOUR_US)]
    results += [Measured("potassium", 3.0, NOW_US - HOUR_US), Measured("sodium", 140.0, NOW_US)]
    evidence = timeline_evidence(
        NOW_US, 24.0, results=results, given=[Happened("crystalloid fluid", "500 mL", NOW_US, "crystalloid", "pump")],
        missing=["respiratory_rate"], person=Person(60.0, "female"),
    )  # fmt: skip
    assert {fact.name: (fact.value, fact.flags) for fact in evidence.of_role("measurement")} == {
        "lactate": (4.4, ("critical", "high")), "potassium": (3.0, ("low",)), "sodium": (140.0, ()),
    }  # fmt: skip
    given_ = role(evidence, "given-1")
    assert (given_.name, given_.text, given_.source) == ("crystalloid", "500 mL", "pump")
    assert {fact.id for fact in evidence.red_flags} == {"result-lactate", "missing-respiratory_rate"}


def test_what_does_not_fit_into_a_timeline_is_counted() -> None:
    given_ = [Happened("x", "", NOW_US - n, "caffeine") for n in range(50)]
    evidence = timeline_evidence(NOW_US, 24.0, given=given_)
    assert role(evidence, "note-1").text == f"{50 - len(evidence.of_role('event'))} older entries are not told here"


# --- a ward, and a model ------------------------------------------------------------------


def bed(number: int, urgency: int = 2, **options: object) -> BedStory:
    risk = TheRisk("sepsis", "sepsis", 0.3, 0.1, NOW_US - 6 * HOUR_US)
    told = {"score": TheScore("news2", "NEWS2", 7.0), "risk": risk, "urgency": urgency} | options
    return BedStory(f"Bed {number}", **told)  # type: ignore[arg-type]


def test_every_fact_of_a_bed_belongs_to_its_place() -> None:
    lactate = Measured("lactate", 5.0, NOW_US)
    evidence = handover_evidence(NOW_US, [bed(1), bed(2, 0, measured=(lactate,), missing=("heart_rate",))])
    assert [fact.label for fact in evidence.of_role("place")] == ["Bed 2", "Bed 1"]
    of_first = {fact.role: fact for fact in evidence.facts if fact.of == "place-1"}
    assert of_first["measurement"].value == 5.0
    assert of_first["missing"].name == "heart_rate"
    risk = of_first["probability"]
    assert (risk.value, risk.flags) == (0.3, ("rising_risk",))
    assert evidence.of_role("earlier", of=risk.id)[0].value == 0.1
    assert role(evidence, "beds").value == 2


def test_a_large_ward_fits_and_says_what_it_leaves_out() -> None:
    criticals = tuple(Measured(name, value, NOW_US) for name, value in (("lactate", 5.0), ("potassium", 6.9)))
    alarms = tuple(Alarm("r", "x", NOW_US, 3) for _ in range(5))
    beds = [bed(n, n % 4, measured=criticals, alarms=alarms) for n in range(100)]
    evidence = handover_evidence(NOW_US, beds)
    told = len(evidence.of_role("place"))
    assert len(evidence.facts) <= FACTS_MAX
    assert told > 40
    assert role(evidence, "note-1").text == f"{100 - told} further beds are not told here"
    assert role(evidence, "beds").value == 100
    assert role(evidence, "alarms").value == 500
    assert len(evidence.red_flags) == 3 * told  # nothing that must be said of a bed is left out


def test_the_card_of_a_shipped_model_holds_its_own_evaluation() -> None:
    told = json.loads((MODELS / "sepsis" / "evaluation.json").read_text("utf-8"))
    card = Card("sepsis", "sepsis", "2", 6.0, "a database", 0.02, 20_336, told["data"], told, limits=("One hospital.",))
    evidence = card_evidence(card, NOW_US)
    for name in FIGURES:
        fact = role(evidence, f"figure-{name}")
        assert fact.value == told[name]
        assert [role(evidence, f"{end}-{fact.id}").value for end in ("low", "high")] == told[f"{name}_95"]
    assert role(evidence, "patients").value == 20_336
    assert role(evidence, "note-1").text == "One hospital"
    assert not evidence.patient


def test_a_model_that_was_not_validated_says_so() -> None:
    evidence = card_evidence(Card("x", "x", "1", None, "", validated=False, simulated=True), NOW_US)
    texts = [fact.text for fact in evidence.of_role("words")]
    assert "not validated on labelled data of real patients" in texts
    assert "trained on simulated patients" in texts


# --- parts --------------------------------------------------------------------------------


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_notable_rise_can_be_read(now: float, then: float) -> None:
    if is_rising(now, then):
        assert now > then
        assert percent(now, PLAIN) != percent(then, PLAIN)


@given(st.sampled_from(("heart_rate", "lactate", "own")), st.floats(0.1, 300), st.floats(0.1, 300))
def test_a_direction_is_that_of_the_numbers(name: str, then: float, now: float) -> None:
    direction = direction_of(name, then, now)
    assert {"rising": now > then, "falling": now < then, "steady": True}[direction]
    assert (direction == "steady") == (now == then or abs(now - then) < notable(name, then))


@given(st.text(max_size=900))
def test_texts_of_sources_become_texts_that_a_fact_may_hold(text: str) -> None:
    text = text.encode("utf-8", "replace").decode("utf-8")
    fact = Fact("x", "words", "note", clean(text, 120), text=clean(text))
    assert msgspec.json.decode(msgspec.json.encode(fact), type=Fact) == fact


@given(st.lists(st.text(max_size=40), min_size=1, max_size=4))
def test_every_identifier_is_one(parts: list[str]) -> None:
    fact = Fact(fact_id(*parts), "words", "note", text="x")
    assert msgspec.convert(msgspec.to_builtins(fact), Fact).id == fact.id


def test_critical_values_are_those_of_adults() -> None:
    assert "critical" in flags_of("heart_rate", 140.0, Person(None))
    assert "critical" in flags_of("heart_rate", 140.0, Person(40.0))
    assert "critical" not in flags_of("heart_rate", 140.0, Person(0.5))

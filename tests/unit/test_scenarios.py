"""What-ifs on a small body: the difference, where it comes from, what cannot be answered, and the risks run again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from vitruvian.core.errors import ModelError, NotFoundError, UnitError, VocabularyError
from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.actions import schedule
from vitruvian.physiology.person import Person
from vitruvian.physiology.run import observe
from vitruvian.prediction.inputs.blocks import Asked, columns
from vitruvian.prediction.inputs.hours import window
from vitruvian.prediction.scores.inputs import NO_BIRTH
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.scenarios import Action, RiskModels, Scenario, Signals, WhatIf, share_from_data, what_if
from vitruvian.scenarios.edits import Members, apply_edits
from vitruvian.scenarios.risks import SENSITIVITY
from vitruvian.signals.tracker import Tracker
from vitruvian.testing.bodies import STAND_IN, Body, MemoryBodies

NOW_US = 1_767_258_000_000_000
MEASURED = {
    "heart_rate": 105.0, "mean_pressure": 68.0, "systolic_pressure": 95.0, "diastolic_pressure": 55.0,
    "respiratory_rate": 22.0, "oxygen_saturation": 93.0, "body_temperature": 38.2, "consciousness": 0.0,
    "lactate": 2.1,
}  # fmt: skip
FLUID = Action("crystalloid", 1_000.0, "mL", 0.0, 3_600.0)


def heard(values: Mapping[str, float] = MEASURED, age_years: float = 66.0) -> Signals:
    tracker = Tracker(1)
    for name, value in values.items():
        for minute in range(5, 0, -1):
            at_us = np.array([NOW_US - minute * MINUTE_US])
            tracker.update(np.array([0]), np.array([VOCABULARY[name].index]), at_us, np.array([value]))
    return Signals(tracker, NO_BIRTH, age_years, 1.0)


@pytest.fixture(scope="module")
def body() -> Body:
    made = MemoryBodies(lambda pid: MEASURED, lambda: NOW_US).posterior(1)
    assert made is not None
    return made


@pytest.fixture(scope="module")
def models() -> RiskModels:
    return RiskModels.of(Predictor.load())


def effect(found: WhatIf, name: str) -> object:
    return next(one for one in found.effects if one.output == name)


def test_a_bolus_raises_the_pressure_of_every_member_by_as_much_as_the_members_differ(body: Body) -> None:
    found = what_if(body, Scenario(actions=(FLUID,), horizon_s=2 * 3_600.0))
    assert found.standing == "answered"
    assert found.baseline is not None and found.changed is not None and found.difference is not None
    assert found.baseline.values.shape == found.changed.values.shape
    assert np.array_equal(found.difference.values, found.changed.values - found.baseline.values)
    assert np.all(found.difference.values[:, 0] == 0)  # the same members: nothing differs before anything is done
    pressure = effect(found, "mean_pressure")
    assert pressure.verdict == "rises" and pressure.above == 1.0  # type: ignore[attr-defined]
    assert list(pressure.most) == sorted(pressure.most)  # type: ignore[attr-defined]
    volume = found.difference.of("blood_volume")[:, -1]
    assert np.all((volume > 0) & (volume < 1_000))


def test_doing_nothing_changes_nothing(body: Body) -> None:
    found = what_if(body, Scenario(horizon_s=3_600.0))
    assert found.difference is not None and not found.difference.values.any()
    assert {one.verdict for one in found.effects} == {"unchanged"}
    assert {one.from_data for one in found.effects} == {None}


def test_the_same_question_has_the_same_answer(body: Body) -> None:
    scenario = Scenario(actions=(FLUID,), edits=(("heart_rate", 120.0),), horizon_s=3_600.0)
    first, second = what_if(body, scenario), what_if(body, scenario)
    assert first.changed is not None and second.changed is not None
    assert np.array_equal(first.changed.values, second.changed.values)


def test_a_body_that_learnt_nothing_owes_nothing_to_data(body: Body) -> None:
    """Against itself as prior, the share of data is 0; the tracked body's is not."""
    untaught = replace(body, parameters=body.prior[:24], states=body.prior_states[:24], prior=body.prior[:24],
                       prior_states=body.prior_states[:24])  # fmt: skip
    scenario = Scenario(actions=(FLUID,), horizon_s=3_600.0)
    shares = {one.output: one.from_data for one in what_if(untaught, scenario).effects}
    assert shares["mean_pressure"] == 0.0
    taught = {one.output: one.from_data for one in what_if(body, scenario).effects}
    assert taught["mean_pressure"] is not None and taught["mean_pressure"] > 0.5


def test_the_share_of_data_by_hand() -> None:
    prior, half = np.array([[-2.0], [2.0]]), np.array([[-1.0], [1.0]])  # variances 4 and 1, both about 0
    assert share_from_data(half, prior) == pytest.approx((0.75, 0.75, 0.0))
    share, narrowed, shifted = share_from_data(half + 4.0, prior)  # 1 - 1 / (4 + 16)
    assert (share, narrowed, shifted) == pytest.approx((0.95, 0.75, 2.0))
    assert share_from_data(2 * prior, prior)[0] == 0.0  # wider than before: data decided nothing
    assert share_from_data(prior, prior, least=3.0) == (None, None, None)


def test_what_goes_on_stays_until_an_action_speaks_of_it(body: Body) -> None:
    u = body.model.rest()
    u[body.model.input_index["norepinephrine"]] = 0.2
    running = replace(body, u=u)
    plan = schedule(STAND_IN, [Action("norepinephrine", 0.05, "ug/kg/min", 600.0, 600.0)], base=u)
    assert plan.levels[:, 3].tolist() == [0.2, 0.05, 0.2]
    found = what_if(running, Scenario(actions=(Action("norepinephrine", 0.0),), horizon_s=3_600.0))
    assert effect(found, "mean_pressure").verdict == "falls"  # type: ignore[attr-defined]


def test_an_edited_vital_sign_moves_the_body_to_it(body: Body) -> None:
    members = Members(body.person, body.states, body.parameters)
    prior = Members(body.person, body.prior_states, body.prior)
    edits = (("heart_rate", 130.0), ("mean_pressure", 58.0))
    moved = apply_edits(STAND_IN, members, edits, body.u, prior)
    shown = np.median(observe(STAND_IN, 0.0, moved.states, moved.parameters, body.u), axis=0)
    assert shown[0] == pytest.approx(130.0, rel=0.02)
    assert shown[1] == pytest.approx(58.0, rel=0.02)
    assert moved.notes == ()
    assert dict(moved.read) == dict(edits)


def test_an_edit_that_the_body_cannot_reach_says_so(body: Body) -> None:
    found = what_if(body, Scenario(edits=(("respiratory_rate", 30.0),), horizon_s=600.0))
    assert any("Respiratory rate" in note and "only" in note for note in found.notes)


def test_what_ends_where_nobody_lives_is_not_answered(body: Body) -> None:
    found = what_if(body, Scenario(edits=(("respiratory_rate", 60.0),), horizon_s=600.0))
    assert found.standing == "outside" and found.difference is None
    assert "mean pressure" in found.outside[0]


def test_an_edit_of_what_no_body_computes_is_read_by_risk_models_alone(body: Body, models: RiskModels) -> None:
    scenario = Scenario(edits=(("lactate", 9.0),), horizon_s=3_600.0)
    found = what_if(body, scenario, risk_models=models, signals=heard())
    assert any(note.startswith("Lactate") for note in found.notes)
    assert found.difference is not None and not found.difference.values.any()
    risk = next(one for one in found.risks if one.name == "sepsis_risk")
    assert risk.label == SENSITIVITY
    direct = heard()  # the same, by feeding the result to the tracker ourselves
    at_us = np.array([NOW_US + 1])
    direct.tracker.update(np.array([0]), np.array([VOCABULARY["lactate"].index]), at_us, np.array([9.0]))
    rows, now = np.array([0]), np.array([NOW_US + 5])
    sepsis = models.running()["sepsis"]
    values = columns(sepsis.needed, Asked(direct.tracker, rows, now, np.array([66.0]), np.array([1.0])))
    told = sepsis.predict(values, sepsis.needed, window(direct.tracker, rows, now))
    assert risk.changed[2, 0] == pytest.approx(told.probability[0], rel=0.05)
    assert risk.version == sepsis.version
    assert abs(risk.difference[2, 0]) > 1e-3


def test_a_heavier_person_has_more_blood(body: Body) -> None:
    found = what_if(body, Scenario(edits=(("body_weight", 110.0),), horizon_s=600.0))
    difference = found.difference
    assert difference is not None
    wanted = Person(weight_kg=110.0).blood_volume_ml / Person().blood_volume_ml
    assert found.baseline is not None
    assert np.allclose(difference.of("blood_volume")[:, 0] / found.baseline.of("blood_volume")[:, 0], wanted - 1,
                       rtol=0.05)  # fmt: skip


@pytest.mark.parametrize("status", ["lost", "outside"])
def test_a_body_that_lost_the_patient_does_not_answer(body: Body, status: str) -> None:
    found = what_if(replace(body, status=status, reason="innovations too large"), Scenario(actions=(FLUID,)))
    assert found.standing == "outside" and found.outside == ("innovations too large",)
    assert found.baseline is None and found.effects == ()


def test_outside_the_domain_it_says_so(body: Body) -> None:
    child = what_if(replace(body, person=Person(age_years=6.0)), Scenario(actions=(FLUID,)))
    assert "adults" in child.outside[0]
    young = what_if(body, Scenario(edits=(("age_years", 7.0),)))
    assert "adults" in young.outside[0]
    much = what_if(body, Scenario(actions=(Action("norepinephrine", 30.0, "ug/kg/min"),)))
    assert "expected 0 to 2" in much.outside[0]
    parameter = what_if(body, Scenario(edits=(("shunt", 0.9),)))
    assert "shunt" in parameter.outside[0]


def test_a_learning_body_answers_with_a_warning(body: Body) -> None:
    found = what_if(replace(body, status="learning", reason="3 minutes of data"), Scenario(horizon_s=600.0))
    assert found.standing == "answered" and "3 minutes of data" in found.notes[0]


def test_what_makes_no_sense_is_refused(body: Body) -> None:
    with pytest.raises(ModelError, match="no intervention"):
        what_if(body, Scenario(actions=(Action("magic", 1.0),)))
    with pytest.raises(UnitError, match="kg"):
        what_if(body, Scenario(actions=(Action("crystalloid", 1.0, "kg"),)))
    with pytest.raises(VocabularyError, match="to edit"):
        what_if(body, Scenario(edits=(("zork", 1.0),)))
    with pytest.raises(NotFoundError, match="zork"):
        what_if(body, Scenario(), outputs=["zork"])
    for bad in ({"horizon_s": 1.0}, {"actions": (Action("meal", -1.0),)}, {"edits": (("ph", float("nan")),)},
                {"edits": (("ph", 7.0), ("ph", 7.1))}, {"name": "n" * 81}):  # fmt: skip
        with pytest.raises(ModelError):
            Scenario(**bad)  # type: ignore[arg-type]


def test_risks_are_run_again_on_both_arms(body: Body, models: RiskModels) -> None:
    signals = heard()
    before = signals.tracker.digest(0)
    found = what_if(body, Scenario(actions=(FLUID,), horizon_s=3 * 3_600.0), risk_models=models, signals=signals)
    assert signals.tracker.digest(0) == before  # a copy is fed, never the patient's own
    by_name = {one.name: one for one in found.risks}
    assert by_name["news2"].times_s.tolist() == [0.0, 3_600.0, 7_200.0, 10_800.0]
    assert by_name["news2"].difference[2, -1] < 0  # more pressure, slower heart: fewer points
    assert by_name["news2"].basis == "mechanistic"
    assert by_name["shock_index"].difference[4, -1] < 0
    assert by_name["sepsis_risk"].basis == "sensitivity" and by_name["sepsis_risk"].label == SENSITIVITY
    assert by_name["sepsis_risk"].difference[2, -1] < 0
    assert np.all(by_name["sepsis_risk"].difference[:, 0] == 0)


def test_without_a_change_no_risk_changes(body: Body, models: RiskModels) -> None:
    found = what_if(body, Scenario(horizon_s=3_600.0), risk_models=models, signals=heard())
    assert all(np.nanmax(np.abs(one.difference), initial=0.0) == 0 for one in found.risks)


def test_the_level_is_the_patients_and_the_change_the_bodys(body: Body, models: RiskModels) -> None:
    """A body that sits beside the patient does not move the score of now."""
    signals = heard({**MEASURED, "systolic_pressure": 140.0, "mean_pressure": 99.0, "heart_rate": 70.0})
    found = what_if(body, Scenario(actions=(FLUID,), horizon_s=3_600.0), risk_models=models, signals=signals)
    shock = next(one for one in found.risks if one.name == "shock_index")
    assert shock.baseline[2, 0] == pytest.approx(70 / 140, abs=0.03)


def test_what_nobody_measured_stays_missing(body: Body, models: RiskModels) -> None:
    signals = heard({"heart_rate": 105.0, "body_temperature": 38.0})
    found = what_if(body, Scenario(actions=(FLUID,), horizon_s=3_600.0), risk_models=models, signals=signals)
    risk = next(one for one in found.risks if one.name == "sepsis_risk")
    assert "fewer than" in risk.insufficient and np.isnan(risk.baseline).all()


def test_an_expired_value_is_not_revived(body: Body, models: RiskModels) -> None:
    signals = heard()
    later = replace(body, at_us=NOW_US + 200 * HOUR_US)
    found = what_if(later, Scenario(actions=(FLUID,), horizon_s=3_600.0), risk_models=models, signals=signals)
    assert all(one.insufficient for one in found.risks)


def test_oxygen_given_is_read_by_the_scores(body: Body, models: RiskModels) -> None:
    signals = heard({**MEASURED, "oxygen_supplementation": 0.0})
    air = Action("inspired_oxygen_fraction", 0.5)
    found = what_if(body, Scenario(actions=(air,), horizon_s=3_600.0), risk_models=models, signals=signals)
    news2 = next(one for one in found.risks if one.name == "news2")
    assert news2.baseline[2, 0] + 2 == news2.changed[2, 0]  # on oxygen: 2 points


def test_a_scenario_reads_back_as_it_was() -> None:
    scenario = Scenario("bolus", (FLUID, Action("norepinephrine", 0.1)), (("lactate", 4.0),), 7_200.0)
    assert Scenario.from_mapping(scenario.to_mapping()) == scenario
    for bad in ({"actions": [{"nome": "x"}]}, {"edits": {"a": "b"}}, {"actions": 3}):
        with pytest.raises(ModelError):
            Scenario.from_mapping(bad)


@pytest.mark.long
def test_six_hours_take_less_than_a_second(body: Body, models: RiskModels) -> None:
    signals = heard()
    scenario = Scenario(actions=(FLUID,), edits=(("heart_rate", 120.0),))
    what_if(body, scenario, risk_models=models, signals=signals)
    began_s = time.process_time()
    what_if(body, scenario, risk_models=models, signals=signals)
    assert time.process_time() - began_s < 1.0

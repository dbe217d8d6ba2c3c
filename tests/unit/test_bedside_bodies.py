"""Virtual patients with bodies: courses follow from what happens to them, and the truth can be asked for."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vitruvian.bedside.bodies import BEFORE_H, Bodies, happenings
from vitruvian.bedside.courses import SIGNALS
from vitruvian.bedside.monitors import Monitors
from vitruvian.bedside.patients import Patients
from vitruvian.core.errors import NotFoundError
from vitruvian.physiology.run import run

NAMES = list(SIGNALS)
START_US = 1_767_225_600_000_000
HOUR_US = 3_600_000_000


@pytest.fixture(scope="module")
def ward() -> Bodies:
    """Three of each course that changes a body; some are children."""
    courses = ("sepsis", "bleed", "respiratory-failure")
    return Bodies(Patients(9, 1, courses))  # type: ignore[arg-type]


def seen(ward: Bodies, index: int, time_h: float, name: str) -> float:
    usual = np.full((ward.patients.count, len(NAMES)), np.nan, np.float32)
    ward.vitals(time_h, usual)
    return float(usual[index, NAMES.index(name)])


def first_of(ward: Bodies, course: str) -> tuple[int, float]:
    index = next(i for i in ward.rows.tolist() if ward.patients.courses[i] == course)
    return index, float(ward.patients.onset_h[index])


def test_a_bleed_is_seen_compensated_and_made_good(ward: Bodies) -> None:
    index, onset_h = first_of(ward, "bleed")
    before, worst, after = (seen(ward, index, onset_h + at, "heart_rate") for at in (-0.1, 2.0, 7.0))
    assert worst > before + 12
    assert after < worst - 8
    assert seen(ward, index, onset_h + 2.0, "mean_pressure") < seen(ward, index, onset_h - 0.1, "mean_pressure") - 5
    assert ward.labs(index, onset_h + 4.0)["hemoglobin"] < ward.labs(index, onset_h)["hemoglobin"] - 0.8


def test_an_infection_heats_quickens_and_lowers_pressure(ward: Bodies) -> None:
    index, onset_h = first_of(ward, "sepsis")
    for name, change in (("body_temperature", 0.5), ("heart_rate", 8.0), ("respiratory_rate", 1.0)):
        assert seen(ward, index, onset_h + 8, name) > seen(ward, index, -BEFORE_H, name) + change
    assert ward.labs(index, onset_h + 8)["lactate"] > ward.labs(index, -BEFORE_H)["lactate"] + 0.2


def test_a_failing_lung_desaturates_until_oxygen_is_given(ward: Bodies) -> None:
    index, onset_h = first_of(ward, "respiratory-failure")
    assert seen(ward, index, onset_h + 2.4, "oxygen_saturation") < 94.5
    assert ward.given(index, onset_h + 3)["inspired_oxygen_fraction"] == pytest.approx(0.45)
    assert seen(ward, index, onset_h + 2.7, "oxygen_saturation") > seen(ward, index, onset_h + 2.4, "oxygen_saturation")


def test_the_same_seed_the_same_truth_whatever_is_asked_first() -> None:
    patients = Patients(3, 5, ("bleed",))
    forward, jump = Bodies(patients), Bodies(patients)
    for hour in (0.0, 1.0, 2.0):
        seen(forward, 0, hour, "heart_rate")
    assert seen(jump, 0, 3.0, "heart_rate") == seen(forward, 0, 3.0, "heart_rate")


def test_the_truth_goes_on_as_the_ward_does(ward: Bodies) -> None:
    index, onset_h = first_of(ward, "bleed")
    time_h = np.floor((onset_h + BEFORE_H) * 2) / 2 - BEFORE_H
    y, p, plan = ward.truth(index, time_h)
    begin = (time_h + BEFORE_H) * 3_600
    done = run(ward.model, y[None, :], p[None, :], begin, begin + 1_200, [begin + 1_200], plan).check(ward.model)
    rate = float(done.outputs[0, 0, ward.model.output_index["heart_rate"]])
    assert rate == pytest.approx(seen(ward, index, time_h + 1 / 3, "heart_rate"), rel=2e-3)


def test_children_keep_the_script() -> None:
    patients = Patients(80, 2, ("stable",))
    children = np.flatnonzero(patients.age_years < 16)
    assert len(children)
    bodies = Bodies(patients)
    assert not set(children.tolist()) & set(bodies.rows.tolist())
    with pytest.raises(NotFoundError, match="no body"):
        bodies.truth(int(children[0]), 0.0)


def test_monitors_of_bodies_send_what_follows_from_them() -> None:
    monitors = Monitors(3, 1, START_US, courses=("bleed",), bodies=True)
    assert monitors.bodies is not None
    index = int(monitors.bodies.rows[0])
    onset_us = int(monitors.patients.onset_h[index] * HOUR_US)
    sent = [json.loads(monitors.readings(START_US + onset_us + at * HOUR_US)[index].payload) for at in (0, 2)]
    assert sent[1]["values"]["heart_rate"][0] > sent[0]["values"]["heart_rate"][0] + 5
    rounds = [one for one in monitors.due(START_US + HOUR_US) if one.id.startswith("round")]
    values = json.loads(rounds[index].payload)["values"]
    assert values["body_weight"] == [monitors.bodies.people[index].weight_kg, "kg"]


@pytest.mark.parametrize("course", ["stable", "noisy-sensor", "disconnected-lead"])
def test_nothing_happens_in_a_stable_course(course: str) -> None:
    assert happenings(course, 1.0) == []  # type: ignore[arg-type]

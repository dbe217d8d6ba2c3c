"""Virtual monitors: plausible, labelled, the same from the same seed; real patients replayed on time."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests import support
from tests.mqtt_support import MemorySink, eventually, intake
from vitruvian.bedside import noise
from vitruvian.bedside.courses import COURSES, LABS, PATTERN, SIGNALS
from vitruvian.bedside.monitors import Monitors, publish_virtual
from vitruvian.bedside.patients import Patients
from vitruvian.bedside.replay import publish_replay, schedule
from vitruvian.bedside.vitals import Vitals
from vitruvian.core.errors import ConfigurationError
from vitruvian.core.events import Association, Person, Visit
from vitruvian.core.time import HOUR_US, SECOND_US, ScaledClock
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records.hourly import CHALLENGE_COLUMNS, EICU_COLUMNS, Hour, Stay, stays
from vitruvian.streams.broker import EmbeddedBroker
from vitruvian.streams.mqtt.payload import decode
from vitruvian.streams.mqtt.topics import parse

START_US = 1_790_000_000_000_000


def test_noise_is_standard_and_independent_of_who_else_there_is() -> None:
    keys = noise.keys(3, 20_000)
    drawn = noise.normal(keys, 5, 1, 4)
    assert abs(float(drawn.mean())) < 0.01 and abs(float(drawn.std()) - 1) < 0.01
    assert abs(float(np.corrcoef(drawn.T)[0, 1])) < 0.03
    assert np.array_equal(noise.normal(noise.keys(3, 7), 5, 1, 4), drawn[:7])
    assert not np.array_equal(noise.normal(keys, 6, 1, 4), drawn)
    even = noise.uniform(keys, 5, 1, 2)
    assert float(even.min()) >= 0 and float(even.max()) < 1 and abs(float(even.mean()) - 0.5) < 0.01


def test_the_same_seed_gives_the_same_readings_whoever_else_lies_there() -> None:
    few, many = Monitors(24, 7, START_US), Monitors(500, 7, START_US)
    at_us = START_US + 3 * HOUR_US
    assert few.readings(at_us) == many.readings(at_us, slice(0, 24))
    assert few.readings(at_us) == Monitors(24, 7, START_US).readings(at_us)
    assert few.readings(at_us) != Monitors(24, 8, START_US).readings(at_us)
    assert few.admissions() == many.admissions()[:24]


def test_readings_move_as_signals_of_a_body_do() -> None:
    stable = Vitals(Patients(200, 1, ("stable",)), START_US)
    series = np.stack([stable.at(START_US + second * SECOND_US) for second in range(0, 3_600, 5)])
    for column, concept in enumerate(SIGNALS):
        low, high = VOCABULARY[concept].plausible
        assert low <= series[..., column].min() and series[..., column].max() <= high
    adults = stable.patients.age_years >= 18
    day = np.stack([stable.at(START_US + minute * 60 * SECOND_US) for minute in range(0, 1_440, 10)])
    means = day.mean(axis=(0, 1), where=adults[None, :, None])
    assert means == pytest.approx([72, 15.5, 96.9, 36.8, 130, 73, 92, 72], rel=0.06)
    pulse = series[:, adults, 0] - series[:, adults, 0].mean(axis=0)
    assert 0.5 < float((pulse[:-1] * pulse[1:]).mean() / (pulse**2).mean()) < 0.99  # remembers
    assert float((pulse[:-300] * pulse[300:]).mean() / (pulse**2).mean()) < 0.5  # and forgets
    tone = series[:, adults, 4] - series[:, adults, 4].mean(axis=0)
    low_tone = series[:, adults, 5] - series[:, adults, 5].mean(axis=0)
    assert float((tone * low_tone).mean() / (tone.std() * low_tone.std())) > 0.6


@pytest.mark.parametrize(
    ("course", "changes"),
    [
        ("sepsis", {"heart_rate": 30, "respiratory_rate": 9, "body_temperature": 1.3, "systolic_pressure": -25}),
        ("bleed", {"heart_rate": 25, "systolic_pressure": -30}),
        ("respiratory-failure", {"respiratory_rate": 12, "oxygen_saturation": -9}),
    ],
)
def test_courses_do_what_they_say(course: str, changes: dict[str, float]) -> None:
    vitals = Vitals(Patients(60, 2, (course,)), START_US)  # type: ignore[arg-type]
    script = COURSES[course]  # type: ignore[index]
    worst_us = START_US + int((3.2 + script.ramp_h + 0.1) * HOUR_US)
    before, worst = vitals.at(START_US), vitals.at(worst_us)
    assert (vitals.severity(START_US) == 0).all() and (vitals.severity(worst_us) > 0.9).mean() > 0.6
    for name, change in changes.items():
        moved = float((worst - before)[:, list(SIGNALS).index(name)].mean())
        assert moved >= change if change > 0 else moved <= change, (name, moved)
    healthy, ill = vitals.labs_of(0, START_US), vitals.labs_of(0, worst_us)
    for name, factor in script.labs.items():
        assert (ill[name] - healthy[name]) * (factor - 1) > 0, name
    assert set(healthy) == set(LABS)


def test_artefacts_and_gaps() -> None:
    noisy = Vitals(Patients(50, 3, ("noisy-sensor",)), START_US)
    pulses = np.concatenate([noisy.at(START_US + n * SECOND_US)[:, 0] for n in range(100)])
    assert 0.02 < (pulses > 175).mean() < 0.06
    monitors = Monitors(50, 3, START_US, courses=("disconnected-lead",))
    told = [
        json.loads(one.payload)["values"] for n in range(10) for one in monitors.readings(START_US + n * 90 * SECOND_US)
    ]
    share = sum("heart_rate" not in one for one in told) / len(told)
    assert 0.2 < share < 0.5


def test_every_message_is_taken_whole_and_labelled_simulated() -> None:
    monitors = Monitors(48, 5, START_US, pace=12)
    late_us = START_US + 5 * HOUR_US
    said = monitors.admissions() + monitors.readings(START_US) + monitors.due(START_US + 11 * SECOND_US)
    said += monitors.readings(late_us) + monitors.due(late_us)
    kinds = set()
    for one in said:
        topic = parse(one.topic)
        assert topic is not None and topic.device == one.device
        reading = decode(topic, one.payload, late_us)
        assert reading.refusal is None and reading.refused_parts == (), one.payload
        assert reading.entries[0].source == "mqtt:simulated"
        assert reading.entries[0].source_id == f"{one.device}/{one.id}"
        kinds |= {one.id.split("-")[0].rstrip("0123456789")}
    assert kinds == {"admission", "v", "round", "labs"}
    assert len({(one.device, one.id) for one in said}) == len(said)
    person, visit, association = (
        e.value for e in decode(parse(said[0].topic), said[0].payload, late_us).entries[0].events
    )  # type: ignore[arg-type]
    assert isinstance(person, Person) and "Simulated" in person.family
    assert isinstance(visit, Visit) and isinstance(association, Association)


def test_a_small_ward_has_every_course() -> None:
    assert set(PATTERN) == set(COURSES) and len(PATTERN) == 24
    people = Patients(24, 1)
    assert len({people.patient(n).record for n in range(24)}) == 24
    assert len({(p.ward, p.room, p.bed) for p in map(people.patient, range(24))}) == 24


def test_ten_thousand_beds_cost_little() -> None:
    monitors = Monitors(10_000, 1, START_US, pace=12)
    monitors.due(START_US + 60 * SECOND_US)
    spent = []
    for tick in range(5):
        began = time.process_time()
        monitors.readings(START_US + tick * SECOND_US)
        spent.append(time.process_time() - began)
    # Seconds of one core for one second of the ward; about 0.02 where it was written.
    assert min(spent) < support.limit_s(0.2)


def test_settings_that_cannot_work() -> None:
    with pytest.raises(ConfigurationError):
        Patients(0, 1)
    with pytest.raises(ConfigurationError):
        Monitors(1, 1, START_US, pace=0)


async def test_a_virtual_ward_reaches_the_sink_over_the_wire(tmp_path: Path) -> None:
    sink = MemorySink()
    async with EmbeddedBroker(tmp_path / "broker") as broker, intake(broker.url, sink):
        sent = await publish_virtual(broker.url, 24, 4.0, 1, pace=60, outbox=tmp_path / "outbox.db", duration_s=2.0)
        await eventually(lambda: len(sink.kept) >= sent * 0.9)
        task = asyncio.create_task(publish_virtual(broker.url, 2, 50.0, 1, light=True))
        await asyncio.sleep(0.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert sum(entry.source_id.split("/")[1].startswith("v") for entry in sink.kept.values()) > 24 * 6
    assert sink.refused == []


STAY = Stay(
    "demo",
    "p 1/2",
    70.5,
    "male",
    (Hour(1, {"heart_rate": (80, "/min")}), Hour(2, {}), Hour(4, {"lactate": (2.1, "mmol/L")})),
)


def test_a_stay_is_scheduled_as_it_happened() -> None:
    dues = list(schedule(STAY, 3, START_US))
    assert [due.at_us - START_US for due in dues] == [0, 0, 3 * HOUR_US, 4 * HOUR_US]
    entries = [decode(parse(due.message.topic), due.message.payload, due.at_us).entries[0] for due in dues]  # type: ignore[arg-type]
    assert {entry.source for entry in entries} == {"mqtt:replayed"}
    assert {entry.source_id.split("/")[0] for entry in entries} == {"replay-demo-p_1_2"}
    assert entries[0].subject == entries[3].subject and entries[0].subject[0].value == "p 1/2"
    assert [event.value.action for event in entries[0].events[1:]] == ["admit", "start"]  # type: ignore[union-attr]
    assert [event.value.action for event in entries[3].events] == ["discharge", "end"]  # type: ignore[union-attr]
    assert entries[2].events[0].concept == "lactate"


def test_columns_are_of_the_vocabulary_and_their_units_convert() -> None:
    for name, unit in (*CHALLENGE_COLUMNS.values(), *EICU_COLUMNS.values()):
        VOCABULARY[name].normalize(1.0, unit)


@pytest.mark.data
@pytest.mark.parametrize("path", ["physionet2019/training_setA.parquet", "icu_demo/sepsis", "icu_demo/aki/eicu_demo"])
def test_real_hours_are_in_the_units_that_the_columns_say(path: str) -> None:
    """Were a unit wrong, most of a column would fall outside what is plausible, or far from what is usual."""
    seen: dict[str, list[float]] = {}
    for stay in stays(support.require_data(path), 600):
        assert stay.hours and (stay.age_years is None or 0 < stay.age_years < 120)
        for hour in stay.hours:
            for name, (value, unit) in hour.values.items():
                seen.setdefault(name, []).append(VOCABULARY[name].normalize(value, unit))
    assert len(seen) > 25
    for name, found in seen.items():
        concept = VOCABULARY[name]
        usual = concept.normal_range(60)
        if len(found) >= 100:
            assert sum(concept.is_plausible(value) for value in found) / len(found) > 0.98, name
            if usual is not None and name not in ("troponin_i", "troponin_t", "inspired_oxygen_fraction"):
                assert usual[0] / 3 < float(np.median(found)) < max(usual[1], 1e-9) * 6, name


@pytest.mark.data
async def test_real_patients_are_replayed_on_the_virtual_clock(tmp_path: Path) -> None:
    path = support.require_data("icu_demo/sepsis")
    chosen = list(stays(path, 3))
    hours = max(len(stay.hours) for stay in chosen) + 2
    clock = ScaledClock(START_US, hours * 3_600 / 3)  # the longest stay in about three seconds
    sink = MemorySink()
    async with EmbeddedBroker(tmp_path / "broker") as broker, intake(broker.url, sink, clock):
        async with asyncio.timeout(30):
            sent = await publish_replay(path, broker.url, clock, patients=3)
    told = sum(bool(hour.values) for stay in chosen for hour in stay.hours)
    assert sent == told + 6 == len(sink.kept) and sink.refused == []
    assert all("clock-skew" not in event.quality for entry in sink.kept.values() for event in entry.events)
    first = next(hour for hour in chosen[0].hours if hour.values)
    kept = sink.kept["mqtt:replayed", f"replay-eicu-demo-{chosen[0].number}/hour-{first.hour}"]
    for event in kept.events:
        value, unit = first.values[event.concept]
        assert event.value.value == pytest.approx(VOCABULARY[event.concept].normalize(value, unit))  # type: ignore[union-attr]


async def test_the_bedside_runs_as_a_process_and_ends_on_a_signal(tmp_path: Path) -> None:
    sink = MemorySink()
    async with EmbeddedBroker(tmp_path / "broker") as broker, intake(broker.url, sink):
        child = subprocess.Popen(
            [sys.executable, "-m", "vitruvian.bedside", "virtual", "--patients", "3", "--rate", "10"],
            env=os.environ | {"VITRUVIAN_MQTT": broker.url},
        )
        try:
            await eventually(lambda: len(sink.kept) > 30, 30)
            child.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(child.wait, 10) == 0
        finally:
            child.kill()
    alone = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "vitruvian.bedside", "virtual"],
        capture_output=True, text=True, env={k: v for k, v in os.environ.items() if k != "VITRUVIAN_MQTT"},
    )  # fmt: skip
    assert alone.returncode == 2 and "VITRUVIAN_MQTT" in alone.stderr

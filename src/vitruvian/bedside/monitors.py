"""Virtual monitors: admissions, vitals at every tick, nurses' rounds and laboratory results, as devices send them."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from vitruvian.bedside import noise
from vitruvian.bedside.bodies import Bodies
from vitruvian.bedside.courses import LABS, PATTERN, SIGNALS, CourseName
from vitruvian.bedside.device import Client, LightClient, Sender
from vitruvian.bedside.outbox import Outbox, Outgoing
from vitruvian.bedside.patients import SYSTEM, VISIT_SYSTEM, Patients
from vitruvian.bedside.vitals import Vitals
from vitruvian.core.errors import ConfigurationError
from vitruvian.core.time import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Clock, SystemClock, from_us, isoformat
from vitruvian.streams.mqtt import topics
from vitruvian.streams.mqtt.messages import (
    AssociationMessage,
    ObservationsMessage,
    PersonPart,
    PlacePart,
    StatedIdentifier,
    VisitPart,
)

__all__ = ["Monitors", "publish_virtual"]

log = logging.getLogger(__name__)

FACILITY: Final = "Simulated"
ROUND_EVERY_US: Final = 30 * MINUTE_US
LABS_EVERY_US: Final = 4 * HOUR_US
LABS_TAKE_US: Final = 40 * MINUTE_US  # from drawing the blood to the result
FIRST_WITHIN_US: Final = 10 * SECOND_US
_PHASES_MAX: Final = 20  # a large ward's beds send in turns through the second, as real ones do
_PHASE_BEDS: Final = 50
_FORMATS: Final = {0: b"%d", 1: b"%.1f"}
_TEMPLATE: Final = (
    b'{"id":"v%d","time":%d,"values":{'
    + b",".join(
        b'"' + name.encode() + b'":[' + _FORMATS[decimals] + b',"' + unit.replace("%", "%%").encode() + b'"]'
        for name, (unit, decimals) in SIGNALS.items()
    )
    + b'},"simulated":true}'
)
_encode: Final = msgspec.json.Encoder().encode

HISTORY_H_MAX: Final = 48.0
HISTORY_STEP_US: Final = 5 * 60_000_000  # between readings of the hours before the start


class Monitors:
    """The messages of `count` virtual patients' monitors from `start_us` on; pure: what is due at a moment is asked.

    With `bodies`, what happens to adults follows from a model of physiology (`bedside.bodies`), else from a script.
    """

    def __init__(
        self,
        count: int,
        seed: int,
        start_us: int,
        *,
        pace: float = 1.0,
        courses: tuple[CourseName, ...] = PATTERN,
        bodies: bool = False,
    ) -> None:
        if not pace > 0:
            raise ConfigurationError(f"found pace {pace}, expected a number above 0 (12 runs courses 12 times as fast)")
        self.patients = Patients(count, seed, courses)
        self.bodies = Bodies(self.patients) if bodies else None
        self.vitals = Vitals(self.patients, start_us, pace, self.bodies)
        self.start_us = start_us
        today = from_us(start_us)
        self._people = [self.patients.patient(index, today) for index in range(count)]
        self.devices = [person.device for person in self._people]
        self._topics = [topics.topic(device, "observations") for device in self.devices]
        self._round_us, self._labs_us = int(ROUND_EVERY_US / pace), int(LABS_EVERY_US / pace)
        self._lab_delay_us = int(LABS_TAKE_US / pace)
        # The first of each comes soon, so that scores are complete; from then on each patient has times of their own.
        spread = noise.uniform(self.patients.keys, 3, 16, 2)
        soon = start_us + (np.arange(count) * min(FIRST_WITHIN_US / count, 5_000)).astype(np.int64)
        self._round_due, self._labs_due = soon.copy(), soon.copy()
        self._round_next = soon + ((0.3 + 0.7 * spread[:, 0]) * self._round_us).astype(np.int64)
        self._labs_next = soon + ((0.3 + 0.7 * spread[:, 1]) * self._labs_us).astype(np.int64)

    def admissions(self) -> list[Outgoing]:
        """Who lies where, and which monitor stands there, since the start of the day of admission."""
        admitted_us = (self.start_us - 2 * HOUR_US) // DAY_US * DAY_US
        made = []
        for person, device in zip(self._people, self.devices, strict=True):
            place = PlacePart(FACILITY, person.ward, person.room, person.bed)
            number = f"admission-{admitted_us // DAY_US}"
            message = AssociationMessage(
                id=number,
                time=admitted_us,
                patient=[StatedIdentifier(SYSTEM, person.record, "MR")],
                person=PersonPart(
                    person.family, person.given, person.birth, "female" if person.sex == "female" else "male"
                ),
                visit=VisitPart(
                    "admit", StatedIdentifier(VISIT_SYSTEM, f"{person.record}-1", "VN"), place, "inpatient"
                ),
                simulated=True,
            )
            made.append(Outgoing(device, number, topics.topic(device, "association"), _encode(message)))
        return made

    def readings(self, at_us: int, rows: slice = slice(None)) -> list[Outgoing]:
        """One message of 8 signals for each patient of `rows`; a lost signal is left out."""
        values = self.vitals.at(at_us, rows)
        gaps: list[bool] = np.isnan(values.sum(axis=1)).tolist()
        number = f"v{at_us}"
        lines = values.tolist()
        template = _TEMPLATE
        made = [
            Outgoing(device, number, topic, template % (at_us, at_us, *line) if not gap else _partial(at_us, line))
            for device, topic, line, gap in zip(self.devices[rows], self._topics[rows], lines, gaps, strict=True)
        ]
        return [one for one in made if one.payload]

    def due(self, at_us: int, rows: slice = slice(None)) -> list[Outgoing]:
        """Rounds and laboratory results that have come due in `rows` since the last call."""
        made = []
        first = rows.start or 0
        for index in (np.flatnonzero(self._round_due[rows] <= at_us) + first).tolist():
            made.append(self._round(index, at_us))
            self._round_due[index] = _later(int(self._round_next[index]), at_us, self._round_us)
        for index in (np.flatnonzero(self._labs_due[rows] <= at_us) + first).tolist():
            made.append(self._labs(index, at_us))
            self._labs_due[index] = _later(int(self._labs_next[index]), at_us, self._labs_us)
        return made

    def _round(self, index: int, at_us: int) -> Outgoing:
        noted = self.vitals.round_of(index, at_us)
        values: dict[str, Any] = {
            "consciousness": noted.consciousness,
            "oxygen_supplementation": noted.oxygen,
            "inspired_oxygen_fraction": [noted.inspired_oxygen_fraction, "1"],
            "urine_output": [noted.urine_ml, "mL"],
        }
        if self.bodies is not None:
            person = self.bodies.people[index]
            values |= {"body_weight": [person.weight_kg, "kg"], "body_height": [person.height_cm, "cm"]}
        message = ObservationsMessage(id=f"round-{at_us}", time=at_us, values=values, simulated=True)
        return Outgoing(self.devices[index], f"round-{at_us}", self._topics[index], _encode(message))

    def _labs(self, index: int, at_us: int) -> Outgoing:
        drawn_us = at_us - self._lab_delay_us
        message = ObservationsMessage(
            id=f"labs-{drawn_us}",
            time=drawn_us,
            values={name: [value, LABS[name].unit] for name, value in self.vitals.labs_of(index, drawn_us).items()},
            issued=isoformat(at_us),
            simulated=True,
        )
        return Outgoing(self.devices[index], f"labs-{drawn_us}", self._topics[index], _encode(message))


def _later(first_us: int, now_us: int, every_us: int) -> int:
    """The first of `first_us`, `first_us + every_us`, ... after now."""
    return first_us if first_us > now_us else first_us + ((now_us - first_us) // every_us + 1) * every_us


def _partial(at_us: int, line: Sequence[float]) -> bytes:
    values = {
        name: [round(value, decimals), unit]
        for (name, (unit, decimals)), value in zip(SIGNALS.items(), line, strict=True)
        if value == value
    }
    return _encode({"id": f"v{at_us}", "time": at_us, "values": values, "simulated": True}) if values else b""


async def publish_virtual(
    broker_url: str,
    patients: int = 24,
    rate_hz: float = 1.0,
    seed: int = 1,
    *,
    clock: Clock | None = None,
    pace: float = 1.0,
    began_us: int | None = None,
    history_h: float = 0.0,
    outbox: Path | None = None,
    light: bool = False,
    duration_s: float | None = None,
    courses: tuple[CourseName, ...] = PATTERN,
    bodies: bool = False,
    on_tick: Callable[[int], None] | None = None,
) -> int:
    """Publish `patients` virtual patients at `rate_hz` until cancelled or `duration_s` is over; how many messages.

    With `outbox` a file keeps what the ward has no receipt for, over restarts; without it, memory does. `light` keeps
    nothing (for load). `pace` runs the courses faster than time. `on_tick` gets the number sent so far. With `bodies`,
    adults have bodies, else a script. `began_us` is when the courses began, by default `history_h` ago; the hours of
    `history_h` are published first.
    """
    if not 0 < rate_hz <= 1_000 or not 0 <= history_h <= HISTORY_H_MAX:
        raise ConfigurationError(
            f"found {rate_hz} Hz and {history_h} h of history, expected above 0 to 1000 Hz and 0 to {HISTORY_H_MAX:g} h"
        )
    clock = clock or SystemClock()
    now_us = clock.now_us() // 1_000_000 * 1_000_000
    past_us = range(now_us - int(history_h * HOUR_US), now_us, HISTORY_STEP_US)
    start_us = began_us if began_us is not None else past_us.start
    monitors = await asyncio.to_thread(
        Monitors, patients, seed, start_us, pace=pace, courses=courses, bodies=bodies
    )  # bodies are compiled at their first use
    client_id = f"vitruvian-monitors-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
    if light:
        async with LightClient(broker_url, client_id=client_id) as light_client:
            return await _publish(light_client, monitors, clock, rate_hz, duration_s, on_tick, past_us)
    store = Outbox(outbox)
    try:
        async with Client(broker_url, store, client_id=client_id, devices=monitors.devices) as client:
            return await _publish(client, monitors, clock, rate_hz, duration_s, on_tick, past_us)
    finally:
        store.close()


async def _publish(
    client: Sender,
    monitors: Monitors,
    clock: Clock,
    rate_hz: float,
    duration_s: float | None,
    on_tick: Callable[[int], None] | None,
    past_us: Sequence[int],
) -> int:
    admissions = monitors.admissions()
    await client.send(admissions)
    sent = len(admissions)
    for at_us in past_us:
        messages = monitors.readings(at_us) + monitors.due(at_us)
        await client.send(messages)
        sent += len(messages)
    count = monitors.patients.count
    phases = max(1, min(_PHASES_MAX, count // _PHASE_BEDS))
    bounds = [count * phase // phases for phase in range(phases + 1)]
    step_s = 1 / rate_hz / phases
    began = due = time.monotonic()
    phase = 0
    while duration_s is None or time.monotonic() - began < duration_s:
        rows = slice(bounds[phase], bounds[phase + 1])
        at_us = clock.now_us() // 1_000 * 1_000
        messages = monitors.readings(at_us, rows) + monitors.due(at_us, rows)
        await client.send(messages)
        sent += len(messages)
        if on_tick is not None:
            on_tick(sent)
        phase = (phase + 1) % phases
        now = time.monotonic()
        due = max(due + step_s, now - 1.0)  # held up for over a second: what a monitor did not show is not made up for
        await asyncio.sleep(max(0.0, due - now))
    return sent

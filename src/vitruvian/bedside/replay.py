"""Real patients at the bedside again: each charted hour published as a device would, on a virtual clock."""

from __future__ import annotations

import asyncio
import heapq
import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from vitruvian.bedside.device import Client
from vitruvian.bedside.outbox import Outbox, Outgoing
from vitruvian.core.errors import ConfigurationError, ReadingError
from vitruvian.core.time import HOUR_US, SECOND_US, ScaledClock, from_us
from vitruvian.records.hourly import Stay, stays
from vitruvian.streams.mqtt import topics
from vitruvian.streams.mqtt.messages import (
    AssociationMessage,
    ObservationsMessage,
    PersonPart,
    PlacePart,
    StatedIdentifier,
    VisitPart,
)

__all__ = ["Due", "publish_replay", "schedule"]

PATIENTS_MAX: Final = 20_000
STAGGER_US: Final = HOUR_US  # the first patients come within this time, so that their hours do not fall together
BEDS_PER_ROOM: Final = 2
_NOT_IN_TOPICS: Final = re.compile(r"[^A-Za-z0-9._:-]")
_encode: Final = msgspec.json.Encoder().encode


class Due(NamedTuple):
    """A message and the virtual instant at which it is sent; `order` breaks ties."""

    at_us: int
    order: int
    message: Outgoing


def schedule(stay: Stay, place: int, start_us: int) -> Iterator[Due]:
    """A stay's messages in order of time: admitted with the device, each hour's values, discharged."""
    device = f"replay-{stay.dataset}-{_NOT_IN_TOPICS.sub('_', stay.number)}"
    patient = [StatedIdentifier(stay.system, stay.number, "MR")]
    visit = StatedIdentifier(f"{stay.system}:stay", stay.number, "VN")
    bed = PlacePart("Replay", "Replay", f"{place // BEDS_PER_ROOM + 1}", "AB"[place % BEDS_PER_ROOM])
    birth = None
    if stay.age_years is not None:
        day = from_us(start_us) - timedelta(days=(stay.age_years + 0.5) * 365.25)
        birth = f"{day.year:04d}"
    sex = stay.sex if stay.sex in ("male", "female") else "unknown"

    def told(
        number: str, at_us: int, message: AssociationMessage | ObservationsMessage, channel: topics.Channel
    ) -> Due:
        return Due(at_us, place, Outgoing(device, number, topics.topic(device, channel), _encode(message)))

    yield told(
        "admission",
        start_us,
        AssociationMessage(
            id="admission",
            time=start_us,
            patient=patient,
            person=PersonPart("", "", birth, "male" if sex == "male" else "female" if sex == "female" else "unknown"),
            visit=VisitPart("admit", visit, bed, "inpatient"),
            replayed=True,
        ),
        "association",
    )
    first = stay.hours[0].hour if stay.hours else 0
    last_us = start_us
    for hour in stay.hours:
        last_us = start_us + (hour.hour - first) * HOUR_US
        if hour.values:
            number = f"hour-{hour.hour}"
            values: dict[str, list[float | str] | float | str | bool | None] = {
                concept: [value, unit] for concept, (value, unit) in hour.values.items()
            }
            yield told(number, last_us, ObservationsMessage(number, last_us, values, replayed=True), "observations")
    end_us = last_us + HOUR_US
    yield told(
        "discharge",
        end_us,
        AssociationMessage(
            id="discharge",
            time=end_us,
            action="end",
            patient=patient,
            visit=VisitPart("discharge", visit, bed, "inpatient"),
            replayed=True,
        ),
        "association",
    )


async def publish_replay(
    path: Path,
    broker_url: str,
    clock: ScaledClock,
    speed: float | None = None,
    patients: int = 24,
    *,
    outbox: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> int:
    """Publish the first `patients` stays of `path` on `clock` until all are discharged, or until cancelled.

    A message is sent when `clock` reaches its time; `speed` is the clock's own where it is not given. Returns the
    number of messages, once the ward has kept them all. `on_progress` gets messages sent and messages in all.
    Raises ReadingError where `path` holds no such data.
    """
    if not 1 <= patients <= PATIENTS_MAX:
        raise ConfigurationError(f"found {patients} patients, expected 1 to {PATIENTS_MAX}")
    chosen = await asyncio.to_thread(lambda: list(stays(path, patients)))
    if not chosen:
        raise ReadingError(f"found no patient in {path}, expected Challenge 2019 or eICU-demo hours")
    origin_us = clock.origin_us
    plans = [schedule(stay, place, origin_us + place * STAGGER_US // len(chosen)) for place, stay in enumerate(chosen)]
    total = sum(2 + sum(bool(hour.values) for hour in stay.hours) for stay in chosen)
    store = Outbox(outbox)
    client_id = f"vitruvian-replay-{os.getpid()}-{time.monotonic_ns() % 1_000_000}"
    sent = 0
    try:
        async with Client(broker_url, store, client_id=client_id) as client:
            for batch in _batches(heapq.merge(*plans)):
                await _until(batch[0].at_us, clock, speed or clock.speed)
                await client.send([due.message for due in batch])
                sent += len(batch)
                if on_progress is not None:
                    on_progress(sent, total)
            await client.drained()
    finally:
        store.close()
    return sent


def _batches(dues: Iterator[Due]) -> Iterator[list[Due]]:
    """Messages of the same virtual second, together."""
    batch: list[Due] = []
    for due in dues:
        if batch and (due.at_us - batch[0].at_us >= SECOND_US or len(batch) >= 1_000):
            yield batch
            batch = []
        batch.append(due)
    if batch:
        yield batch


async def _until(at_us: int, clock: ScaledClock, speed: float) -> None:
    while (left_us := at_us - clock.now_us()) > 0:  # noqa: ASYNC110  (the clock is not asyncio's)
        await asyncio.sleep(left_us / SECOND_US / speed)

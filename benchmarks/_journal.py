"""What the journal's benchmarks share: a ward's worth of messages, and the CPU that this process spent."""

from __future__ import annotations

import resource
from collections.abc import Iterator

from vitruvian.core.events import Association, Entry, Event, Quantity
from vitruvian.core.identifiers import Identifier
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import Journal

ORIGIN_US = 1_750_000_000_000_000
SIGNALS = (
    ("heart_rate", 80.0),
    ("respiratory_rate", 16.0),
    ("oxygen_saturation", 97.0),
    ("body_temperature", 37.0),
    ("systolic_pressure_arterial", 120.0),
    ("diastolic_pressure_arterial", 70.0),
    ("mean_pressure_arterial", 87.0),
    ("pulse_rate", 80.0),
)
_UNITS = {name: VOCABULARY[name].unit for name, _ in SIGNALS}


def cpu_s() -> float:
    """CPU seconds of this process, all its threads, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def associations(patients: int) -> list[Entry]:
    """Every monitor with its patient, since before the first message."""
    return [
        Entry(
            "benchmark",
            f"association-{number}",
            (Event("device", "", Association("start", f"monitor-{number}"), ORIGIN_US - 1),),
            subject=(Identifier("urn:benchmark", f"{number:07d}", "MR"),),
        )
        for number in range(patients)
    ]


def message(number: int, patients: int, step_us: int) -> Entry:
    """The number-th message of a ward where monitors speak in turn, once every `step_us`."""
    device, turn = number % patients, number // patients
    at_us = ORIGIN_US + turn * step_us + device
    jitter = (number * 2_654_435_761 % 1000) / 100
    events = tuple(
        Event(
            "observation", name, Quantity(value + jitter if name != "body_temperature" else value, _UNITS[name]), at_us
        )
        for name, value in SIGNALS
    )
    return Entry("mqtt", f"monitor-{device}/{turn}", events, device=f"monitor-{device}", available_us=at_us)


def batches(first: int, count: int, size: int, patients: int, step_us: int = 1_000_000) -> Iterator[list[Entry]]:
    """Messages first .. first + count, in batches."""
    for start in range(first, first + count, size):
        yield [message(number, patients, step_us) for number in range(start, min(start + size, first + count))]


def associate(journal: Journal, patients: int) -> None:
    """Commit the associations."""
    everything = associations(patients)
    for start in range(0, patients, 2048):
        journal.append(everything[start : start + 2048], recorded_us=ORIGIN_US)

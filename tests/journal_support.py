"""Entries as sources would state them, for the tests of the journal."""

from __future__ import annotations

from typing import Any

from vitruvian.core.events import Association, Entry, Event, Merge, Person, Quantity, Status, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.journal import Journal

T0_US = 1_760_000_000_000_000
MINUTE_US = 60_000_000


def at(minute: float) -> int:
    """An instant, minutes after the tests' origin."""
    return T0_US + int(minute * MINUTE_US)


def mrn(number: int | str) -> tuple[Identifier, ...]:
    """A patient's medical record number."""
    return (Identifier("urn:hospital", str(number), "MR"),)


def bed(name: str) -> Location:
    """A bed of the ICU."""
    return Location("General", "ICU", "1", name)


def observation(
    name: str,
    minute: float,
    value: float,
    *,
    subject: tuple[Identifier, ...] = (),
    device: str = "",
    version: str = "",
    concept: str = "heart_rate",
    unit: str = "/min",
    status: Status = "final",
    **more: Any,
) -> Entry:
    """One measured value."""
    event = Event("observation", concept, Quantity(value, unit), at(minute))
    return Entry("test", name, (event,), source_version=version, subject=subject, device=device, status=status, **more)


def association(
    name: str,
    minute: float,
    device: str,
    action: Any = "start",
    *,
    subject: tuple[Identifier, ...] = (),
    location: Location | None = None,
    version: str = "",
    status: Status = "final",
    end: float | None = None,
) -> Entry:
    """A device is given to a patient, or stands at a bed."""
    ended_us = None if end is None else at(end)
    event = Event("device", "", Association(action, device, location), at(minute), ended_us)
    return Entry("test", name, (event,), subject=subject, source_version=version, status=status)


def visit(
    name: str,
    minute: float,
    action: Any,
    subject: tuple[Identifier, ...],
    location: Location | None = None,
    *,
    number: str = "",
    version: str = "",
    status: Status = "final",
) -> Entry:
    """A step of an encounter."""
    value = Visit(action, Identifier("urn:visit", number) if number else None, location or Location())
    return Entry(
        "test",
        name,
        (Event("encounter", "", value, at(minute)),),
        subject=subject,
        source_version=version,
        status=status,
    )


def merge(name: str, minute: float, survivor: int, prior: int, action: Any = "merge") -> Entry:
    """Two records are one person, or not after all."""
    return Entry("test", name, (Event("identity", "", Merge(action, mrn(prior)), at(minute)),), subject=mrn(survivor))


def person(name: str, minute: float, subject: tuple[Identifier, ...], **fields: Any) -> Entry:
    """Demographics."""
    return Entry("test", name, (Event("identity", "", Person(**fields), at(minute)),), subject=subject)


def values(journal: Journal, number: int | str, **question: Any) -> list[float]:
    """A patient's values, in canonical order; nobody's are none."""
    pid = journal.resolve(mrn(number))
    return [] if pid is None else journal.series(pid, **question).value.tolist()

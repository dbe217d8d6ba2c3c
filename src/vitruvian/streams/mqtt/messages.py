"""What travels on the topics, as JSON; docs/streams.md describes it for who builds a device."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = [
    "AssociationMessage",
    "DeviceReceipt",
    "ObservationsMessage",
    "PersonPart",
    "PlacePart",
    "RefusedPart",
    "StatedIdentifier",
    "Status",
    "VisitPart",
]

Status = Literal["preliminary", "final", "corrected", "cancelled", "entered-in-error"]
Stated = list[float | str] | float | str | bool | None


class ObservationsMessage(msgspec.Struct, omit_defaults=True):
    """What a device measured at one moment. `values` maps a concept's name to `[number, unit]`.

    Also `[number, unit, comparator]` (`<`, `<=`, `>=`, `>`), a bare number for a concept without a unit, a word for a
    coded one, true or false for one that is either, and null for "not measured". `version` orders corrections of an id.
    """

    id: str | int
    time: str | int
    values: dict[str, Stated]
    issued: str | int | None = None
    status: Status = "final"
    version: str | int = ""
    simulated: bool = False
    replayed: bool = False


class StatedIdentifier(msgspec.Struct, omit_defaults=True):
    """An identifier with its assigning authority."""

    system: str
    value: str
    type: str = ""


class PersonPart(msgspec.Struct, omit_defaults=True):
    """Demographics; `birth` is a date."""

    family: str = ""
    given: str = ""
    birth: str | None = None
    sex: Literal["male", "female", "other", "unknown", ""] = ""


class PlacePart(msgspec.Struct, omit_defaults=True):
    """A place of care."""

    facility: str = ""
    ward: str = ""
    room: str = ""
    bed: str = ""


class VisitPart(msgspec.Struct, omit_defaults=True):
    """A step of the patient's stay, told together with the association."""

    action: Literal["admit", "transfer", "discharge"] = "admit"
    visit: StatedIdentifier | None = None
    location: PlacePart | None = None
    patient_class: str = ""
    reason: str = ""


class AssociationMessage(msgspec.Struct, omit_defaults=True):
    """Whose device this is from `time` on: a patient's by identifiers, or of whoever lies at `location`."""

    id: str | int
    time: str | int
    action: Literal["start", "end", "cancel"] = "start"
    patient: list[StatedIdentifier] = []
    person: PersonPart | None = None
    visit: VisitPart | None = None
    location: PlacePart | None = None
    simulated: bool = False
    replayed: bool = False


class RefusedPart(msgspec.Struct, omit_defaults=True):
    """What of a message went to quarantine."""

    id: str
    reason: str


class DeviceReceipt(msgspec.Struct, omit_defaults=True):
    """Sent to a device after a commit: these messages are kept for good, and need not be sent again.

    A message whose id cannot be read, or that has none, is named `blake2b:` and the BLAKE2b-16 of its payload.
    `outcome` is what became of all of them, or `mixed`. `refused` tells which went to quarantine, whole or in part:
    these, too, need not be sent again.
    """

    ids: list[str]
    outcome: str
    refused: list[RefusedPart] = []

"""Patient: who it is, under which identifiers. Source: https://hl7.org/fhir/R4/patient.html"""

from __future__ import annotations

from datetime import UTC
from typing import Final

from vitruvian.core.errors import TimestampError
from vitruvian.core.events import Entry, Event, Merge, Person, Reading
from vitruvian.core.time import parse_iso
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.outcome import Refused
from vitruvian.records.fhir.scope import Scope, entry_id, version_of

KIND: Final = "Patient"
_SEXES: Final = ("male", "female", "other", "unknown")
_NAME_USES: Final = ("official", "usual", "", "nickname", "anonymous", "temp", "old", "maiden")
_NAME_CHARS_MAX: Final = 256
# FHIR leaves a patient's record undated: the demographics hold from birth, or from here where that is unknown.
_UNDATED_US: Final = 0


def read(raw: bytes, full_url: str, scope: Scope) -> Reading:
    """Identity and demographics, and merges where the record says that it replaces another. Raises Refused, Ignored."""
    stated = structs.PATIENT.decode(raw)
    source_id = entry_id(KIND, stated.id, full_url, raw)
    subject = scope.references.identity(stated, full_url)
    person = _person(stated, scope)
    occurred_us = person.birth_us if person.birth_us is not None else _UNDATED_US
    changed = scope.first(stated.meta.last_updated) if stated.meta else None
    changed_us = changed.us if changed else None
    version = version_of(stated.meta)
    events = (Event("identity", "", person, occurred_us),)
    entries = [Entry(scope.source, source_id, events, version, subject, available_us=changed_us)]
    for number, link in enumerate(stated.link):
        other = scope.references.subject(link.other)
        if not other or link.type not in ("replaces", "replaced-by"):
            continue
        survivor, prior = (subject, other) if link.type == "replaces" else (other, subject)
        merge = Event("identity", "", Merge("merge", prior), changed_us if changed_us is not None else occurred_us)
        name = f"{source_id}#link{number}"
        entries.append(Entry(scope.source, name, (merge,), version, survivor, available_us=changed_us))
    return Reading(KIND, tuple(entries))


def _person(stated: structs.Patient, scope: Scope) -> Person:
    names = sorted(stated.name, key=lambda name: _NAME_USES.index(name.use) if name.use in _NAME_USES else 99)
    best = names[0] if names else structs.HumanName()
    given = " ".join(part for part in best.given if part)
    family = best.family or ("" if given else best.text)
    died = scope.first(stated.deceased_date_time)
    return Person(
        family=family[:_NAME_CHARS_MAX],
        given=given[:_NAME_CHARS_MAX],
        birth_us=_birth_us(stated.birth_date),
        sex=stated.gender if stated.gender in _SEXES else "",
        deceased_us=died.us if died else None,
    )


def _birth_us(text: str) -> int | None:
    """A birth date has no zone of its own: it is read in UTC, so that a person is born on one date everywhere."""
    if not text:
        return None
    try:
        return parse_iso(text, UTC).us
    except TimestampError as error:
        raise Refused("time", str(error)) from error

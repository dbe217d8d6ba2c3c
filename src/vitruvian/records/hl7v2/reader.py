"""Messages to readings: each message is read, ignored (valid, no home yet) or quarantined with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from vitruvian.core.errors import LimitError, ReadingError, TimestampError
from vitruvian.core.events import Entry, Reading, Refusal
from vitruvian.core.limits import BUNDLE_BYTES_MAX
from vitruvian.records.base import Context, quarantined
from vitruvian.records.files import read_file
from vitruvian.records.hl7v2 import admissions, medicines
from vitruvian.records.hl7v2.admissions import Unreadable, header_of
from vitruvian.records.hl7v2.message import Message, parse, split_messages
from vitruvian.records.hl7v2.observations import Header, observations

NAME: Final = "hl7v2"
RESULTS: Final = ("ORU", "OUL", "ORA")
MEDICINES: Final = ("RDE", "RAS")
_ENDINGS: Final = (".hl7", ".hl7v2", ".er7")


def sniff(path: Path, head: bytes) -> bool:
    """A file whose first line begins a message or a batch, whatever its name; or one called `.hl7`."""
    if path.is_dir():
        return False
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\x0b\r\n \t")
    begins = start.startswith((b"MSH", b"FHS", b"BHS")) and len(start) > 8 and not chr(start[3]).isalnum()
    return begins or path.name.casefold().removesuffix(".gz").endswith(_ENDINGS)


def read(path: Path, context: Context) -> Iterator[Reading]:
    """Every message of a file."""
    data = read_file(path, BUNDLE_BYTES_MAX)
    readings = read_bytes(data, context)
    yield from readings or [quarantined("file", "empty", f"{path.name} holds no message", context.source or NAME)]


def read_bytes(data: bytes, context: Context) -> Sequence[Reading]:
    """Every message of some bytes, each as one reading; never raises for their content."""
    return [read_message(piece, context) for piece in split_messages(data)]


def read_message(data: bytes, context: Context) -> Reading:
    """One message."""
    source = context.source or NAME
    try:
        message = parse(data, _charset(data, context))
    except (ReadingError, LimitError) as error:
        return quarantined("message", "syntax", str(error), source, raw=data)
    kind = message.type
    try:
        header = header_of(message, context)
        return _read(message, header, kind)
    except TimestampError as error:
        return quarantined(kind, "time", str(error), source, message.control_id, data)
    except LimitError as error:
        return quarantined(kind, "limit", str(error), source, message.control_id, data)
    except Unreadable as error:
        return quarantined(kind, error.reason, error.detail, source, message.control_id, data)


def _charset(data: bytes, context: Context) -> str:
    """The mapping's character set of the facility that MSH-4 names; the header itself is ASCII enough to find it."""
    fields = data[:1024].split(data[3:4]) if len(data) > 3 else []
    facility = fields[3].split(b"^")[0].decode("latin-1") if len(fields) > 3 else ""
    return context.mapping.charset(facility, context.charset)


def _read(message: Message, header: Header, kind: str) -> Reading:
    code = kind.split("^", maxsplit=1)[0]
    if not code:
        raise Unreadable("type", "found no message type in MSH-9, expected one such as ADT^A01")
    if code == "ADT":
        return _admission(message, header, kind)
    if code in RESULTS:
        return _results(message, header, kind)
    if code in MEDICINES:
        return _medicines(message, header, kind)
    return _others(message, header, kind)


def _admission(message: Message, header: Header, kind: str) -> Reading:
    trigger = message.header.get(9, 2)
    if trigger in admissions.UNKEPT:
        return _others(message, header, kind)
    groups = admissions.events(message, header)
    entries = [
        Entry(
            header.source,
            f"{kind}|{message.control_id}|{message.header.get(7)}|{number}",
            tuple(events),
            source_version=header.version,
            subject=subject,
            encounter=header.encounter,
            available_us=header.sent.us if header.sent else None,
        )
        for number, (subject, events) in enumerate(groups)
    ]
    found = observations(message, header)
    return Reading(kind, (*entries, *found.entries), refused_parts=tuple(found.refused), unmapped=tuple(found.unmapped))


def _results(message: Message, header: Header, kind: str) -> Reading:
    found = observations(message, header)
    if found.entries and not header.subject and header.encounter is None:
        raise Unreadable("no-subject", "found results without a patient identifier (PID-3) or visit, expected one")
    if found.entries:
        found.entries += admissions.demographics(message, header)
    return _outcome(kind, found.entries, found.refused, found.unmapped, "no observation of it is in the vocabulary")


def _medicines(message: Message, header: Header, kind: str) -> Reading:
    if not header.subject:
        raise Unreadable("no-subject", "found a medicine without a patient identifier in PID-3, expected one")
    found = observations(message, header)
    given = [*medicines.entries(message, header), *found.entries]
    return _outcome(kind, given, found.refused, found.unmapped, "it names no medicine that was ordered or given")


def _others(message: Message, header: Header, kind: str) -> Reading:
    """Of deletions, accounts, appointments, documents and orders only what was measured has a home."""
    found = observations(message, header)
    unmapped = tuple(found.unmapped)
    if found.entries and (header.subject or header.encounter is not None):
        return Reading(kind, tuple(found.entries), refused_parts=tuple(found.refused), unmapped=unmapped)
    return Reading(kind, ignored="this type has no home yet", unmapped=unmapped)


def _outcome(kind: str, entries: list[Entry], refused: list[Refusal], unmapped: list[str], otherwise: str) -> Reading:
    """Read where anything was taken; quarantined where all that was known was refused; else ignored."""
    if entries:
        return Reading(kind, tuple(entries), refused_parts=tuple(refused), unmapped=tuple(unmapped))
    if refused:
        return Reading(kind, refusal=refused[0], refused_parts=tuple(refused[1:]), unmapped=tuple(unmapped))
    return Reading(kind, ignored=otherwise, unmapped=tuple(unmapped))

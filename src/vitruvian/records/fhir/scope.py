"""What the reading of one resource needs beside its bytes, and the header every entry has."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Final

from vitruvian.core.errors import TimestampError
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX
from vitruvian.core.time import Instant, parse_iso
from vitruvian.records.base import Context
from vitruvian.records.fhir.codes import Coder
from vitruvian.records.fhir.outcome import Refused
from vitruvian.records.fhir.references import References, is_uuid
from vitruvian.records.fhir.structs import Meta, Period

__all__ = ["Scope", "entry_id", "make_scope", "version_of"]

_TIME_CHARS_MAX: Final = 64
_INSTANTS_MAX: Final = 65_536  # distinct times remembered; a bundle repeats a visit's time in most of its resources


@dataclass(slots=True)
class Scope:
    """One bundle's, or one stream's, shared knowledge. Not thread-safe."""

    context: Context
    source: str
    references: References
    coder: Coder
    instants: dict[str, Instant] = field(default_factory=dict)

    def instant(self, text: str) -> Instant:
        """The moment a dateTime, date or instant states. Raises Refused."""
        known = self.instants.get(text)
        if known is None:
            if len(text) > _TIME_CHARS_MAX:
                raise Refused("time", f"found a time of {len(text)} characters, expected ISO 8601")
            try:
                known = parse_iso(text, self.context.zone)
            except TimestampError as error:
                raise Refused("time", str(error)) from error
            if len(self.instants) < _INSTANTS_MAX:
                self.instants[text] = known
        return known

    def first(self, *texts: str) -> Instant | None:
        """The first of these times that is stated; None where none is. Raises Refused where it cannot be read."""
        for text in texts:
            if text:
                return self.instant(text)
        return None

    def interval(self, moment: str, period: Period | None, *others: str) -> tuple[Instant, int | None]:
        """(start, end in microseconds or None) from a moment, else a period, else other times. Raises Refused."""
        start = self.first(moment, period.start if period else "")
        if start is None and period is not None and period.end:
            return self.instant(period.end), None  # only the end is known: that is when the fact was complete
        if start is None:
            start = self.first(*others)
        if start is None:
            raise Refused("no-time", "found no time at which this was true, expected one; correct it at the source")
        if moment or period is None or not period.end:
            return start, None
        end_us = self.instant(period.end).us
        if end_us < start.us:
            raise Refused("time", f"found a period that ends ({period.end}) before it starts ({period.start})")
        return start, end_us

    def within(self, references: References) -> Scope:
        """The same scope with other references."""
        return self if references is self.references else replace(self, references=references)


def make_scope(context: Context, base: str = "") -> Scope:
    """A scope for one bundle; `base` is its server where its URLs tell it."""
    source = context.source or (f"fhir:{base}"[:IDENTIFIER_CHARS_MAX] if base else "fhir")
    return Scope(context, source, References(context, base), Coder(context.mapping))


def entry_id(kind: str, id_: str, full_url: str, raw: bytes) -> str:
    """The name of a resource within its source: its id, else its URL, else a digest of its content.

    Under a `urn:` URL an id that is no UUID is not its name: a transaction's receiver gives it another, and other
    bundles use the same ones. Raises Refused where the id cannot be one.
    """
    if id_ and (not full_url.startswith("urn:") or is_uuid(id_)):
        if len(id_) > IDENTIFIER_CHARS_MAX - len(kind) - 1 or not id_.isprintable():
            raise Refused("identifier", f"found a {kind} id of {len(id_)} characters, expected 1 to 64 printable ones")
        return f"{kind}/{id_}"
    if full_url and len(full_url) <= IDENTIFIER_CHARS_MAX and full_url.isprintable():
        return full_url
    return f"{kind}/#{blake2b(raw, digest_size=16).hexdigest()}"


def version_of(meta: Meta | None) -> str:
    """What orders versions of one resource: the server's version, else the time of its last change."""
    if meta is None:
        return ""
    return (meta.version_id or meta.last_updated)[:IDENTIFIER_CHARS_MAX]

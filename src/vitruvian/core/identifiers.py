"""Identifiers with their assigning authority, and places."""

from __future__ import annotations

import hashlib

import msgspec

from vitruvian.core.errors import LimitError
from vitruvian.core.limits import IDENTIFIER_CHARS_MAX


class Identifier(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A business identifier: `value` is unique only within `system`, its assigning authority (FHIR
    Identifier, HL7 CX).

    `type` is the HL7 table 0203 code where known: MR (medical record), PI, VN (visit number), SS, ...
    """

    system: str
    value: str
    type: str = ""

    @property
    def key(self) -> str:
        """System and value in one string; the type does not take part in equality of persons."""
        return f"{self.system}|{self.value}"


class Location(msgspec.Struct, frozen=True, array_like=True):
    """A place of care, from the widest to the narrowest (HL7 PL, FHIR Location)."""

    facility: str = ""
    ward: str = ""
    room: str = ""
    bed: str = ""

    @property
    def label(self) -> str:
        """What a person on the ward calls it."""
        return " ".join(part for part in (self.ward, self.room, self.bed) if part) or self.facility


def check_identifier(text: str, what: str) -> str:
    """Return `text` stripped; LimitError where it is empty, too long or holds control characters."""
    stripped = text.strip()
    if not stripped or len(stripped) > IDENTIFIER_CHARS_MAX or not stripped.isprintable():
        raise LimitError(
            f"found {what} of {len(text)} characters, expected 1 to {IDENTIFIER_CHARS_MAX} printable ones;"
            " correct the source"
        )
    return stripped


def digest16(*parts: str | bytes) -> bytes:
    """A 16-byte BLAKE2b digest of the parts, each delimited by its length, so that no two lists collide by
    joining.
    """
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(4, "little"))
        state.update(data)
    return state.digest()


def hash64(*parts: str | bytes) -> int:
    """A number below 2**64 from `digest16`: the same draw for the same names on every machine."""
    return int.from_bytes(digest16(*parts)[:8], "little")

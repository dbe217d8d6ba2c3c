"""The syntax of HL7 v2: delimiters, segments, fields, repetitions, components, escapes, character sets, batches.

Source: HL7 v2.8.2 chapter 2 (2.5 delimiters, 2.7 escape sequences, 2.10.3 batches, MSH-18 and table 0211 character
sets). Tolerant where the world is (line feeds between segments, a byte-order mark, a missing trailing field), strict
where meaning would be guessed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from vitruvian.core.errors import LimitError, ReadingError

SEGMENTS_MAX: Final = 20_000
FIELDS_MAX: Final = 512

# Table 0211. A site that declares none is read by the mapping's character set.
_CHARSETS: Final = {
    "ASCII": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UNICODE": "utf-8",
    "UTF-8": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "ISO IR6": "ascii",
    "ISO IR14": "shift_jis",
    "ISO IR87": "iso2022_jp",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "BIG-5": "big5",
} | {f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}

_LINE: Final = re.compile(r"\r\n|\r|\n")
_BATCH: Final = ("FHS", "BHS", "BTS", "FTS")
# A new message begins where MSH begins a line; only used on bytes, before the character set is known.
_MESSAGE_START: Final = re.compile(rb"(?:\A|(?<=[\r\n\x0b]))MSH(?=.)")


@dataclass(frozen=True, slots=True)
class Delimiters:
    """The five delimiters as the message declares them in MSH-1 and MSH-2."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


class Segment:
    """One segment; fields count from 1 as in the standard (MSH-1 is the field separator itself)."""

    __slots__ = ("_delimiters", "_fields", "name")

    def __init__(self, text: str, delimiters: Delimiters) -> None:
        fields = text.split(delimiters.field)
        if len(fields) > FIELDS_MAX:
            raise LimitError(f"found {len(fields)} fields in {fields[0][:3]}, expected at most {FIELDS_MAX}")
        self.name = fields[0]
        self._fields = [fields[0], delimiters.field, *fields[1:]] if self.name == "MSH" else fields
        self._delimiters = delimiters

    def raw(self, field: int) -> str:
        """The field as it stands, escapes and all; empty where absent or the explicit null `""`."""
        text = self._fields[field] if field < len(self._fields) else ""
        return "" if text == '""' else text

    def repetitions(self, field: int) -> list[str]:
        """The field's repetitions, unparsed; none where it is empty."""
        text = self.raw(field)
        return text.split(self._delimiters.repetition) if text else []

    def components(self, field: int, repetition: int = 0) -> list[str]:
        """The components of one repetition, each unescaped; sub-components stay joined by their delimiter."""
        repetitions = self.repetitions(field)
        return self.split(repetitions[repetition]) if repetition < len(repetitions) else []

    def split(self, repetition: str) -> list[str]:
        """The components of a repetition's text, unescaped."""
        return [self.text(part) for part in repetition.split(self._delimiters.component)]

    def get(self, field: int, component: int = 1, subcomponent: int = 1) -> str:
        """One sub-component of the first repetition, unescaped and stripped; empty where absent."""
        repetitions = self.repetitions(field)
        return self.part(repetitions[0], component, subcomponent) if repetitions else ""

    def part(self, repetition: str, component: int, subcomponent: int = 1) -> str:
        """One sub-component of a repetition's text, unescaped and stripped; empty where absent."""
        components = repetition.split(self._delimiters.component)
        if component > len(components):
            return ""
        parts = components[component - 1].split(self._delimiters.subcomponent)
        text = parts[subcomponent - 1] if subcomponent <= len(parts) else ""
        return "" if text == '""' else self.text(text).strip()

    def text(self, escaped: str) -> str:
        """Text with its escape sequences resolved (2.7): \\F\\ \\S\\ \\T\\ \\R\\ \\E\\, \\Xhh..\\, \\.br\\; others
        vanish.
        """
        escape = self._delimiters.escape
        if not escape or escape not in escaped:
            return escaped
        pattern = re.escape(escape) + r"([^" + re.escape(escape) + r"]{0,64})" + re.escape(escape)
        return re.sub(pattern, self._unescape, escaped)

    def _unescape(self, match: re.Match[str]) -> str:
        code, d = match.group(1), self._delimiters
        plain = {"F": d.field, "S": d.component, "T": d.subcomponent, "R": d.repetition, "E": d.escape, ".br": "\n"}
        if code in plain:
            return plain[code]
        if code[:1] == "X":
            try:
                return bytes.fromhex(code[1:]).decode("utf-8", "replace")
            except ValueError:
                return ""
        return ""


@dataclass(frozen=True)
class Message:
    """A parsed message: its segments in order."""

    segments: tuple[Segment, ...]

    @cached_property
    def header(self) -> Segment:
        """MSH."""
        return self.segments[0]

    @property
    def type(self) -> str:
        """Message code and trigger (`ADT^A01`), from MSH-9."""
        code, trigger = self.header.get(9, 1), self.header.get(9, 2)
        return f"{code}^{trigger}" if trigger else code

    @property
    def control_id(self) -> str:
        """MSH-10."""
        return self.header.get(10)

    @property
    def facility(self) -> str:
        """The sending facility (MSH-4: its namespace, else its universal id)."""
        return self.header.get(4, 1) or self.header.get(4, 2)

    @property
    def application(self) -> str:
        """The sending application (MSH-3)."""
        return self.header.get(3, 1) or self.header.get(3, 2)

    def first(self, name: str) -> Segment | None:
        """The first segment of that name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def all(self, name: str) -> Iterator[Segment]:
        """Every segment of that name, in order."""
        return (segment for segment in self.segments if segment.name == name)


def split_messages(data: bytes) -> list[bytes]:
    """The messages of a file or frame: one, several one after another, or a batch (its envelope is left out).

    Bytes before the first MSH that are not an envelope are returned as a piece of their own, so that nothing vanishes.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    starts = [match.start() for match in _MESSAGE_START.finditer(data)]
    if not starts:
        return [data] if data.strip(b"\x0b\x1c\r\n \t") else []
    ends = [*starts[1:], len(data)]
    pieces = [_trim(data[start:end]) for start, end in zip(starts, ends, strict=True)]
    before = data[: starts[0]].strip(b"\x0b\x1c\r\n \t")
    if before and not before.startswith((b"FHS", b"BHS")):
        pieces.insert(0, before)
    return pieces


def _trim(piece: bytes) -> bytes:
    return piece.strip(b"\x0b\x1c\r\n")


def parse(data: bytes, charset: str = "utf-8") -> Message:
    """Parse one message. `charset` holds where MSH-18 declares none.

    Raises ReadingError where it does not begin with a usable MSH or is not text, LimitError where it is too large.
    """
    delimiters = _delimiters(data)
    text = _decode(data, delimiters, charset)
    lines = [line for line in _LINE.split(text) if line.strip("\x0b\x1c \t")]
    if len(lines) > SEGMENTS_MAX:
        raise LimitError(f"found {len(lines)} segments, expected at most {SEGMENTS_MAX}; split the batch")
    segments = tuple(Segment(line.strip("\x0b\x1c"), delimiters) for line in lines if not line.startswith(_BATCH))
    for segment in segments:
        if len(segment.name) != 3 or not segment.name.isalnum():
            raise ReadingError(f"found a segment called {segment.name[:16]!r}, expected three letters or digits")
    return Message(segments)


def _delimiters(data: bytes) -> Delimiters:
    if not data.startswith(b"MSH") or len(data) < 8:
        raise ReadingError(f"found {data[:8]!r}, expected a message that begins with MSH")
    field = chr(data[3])
    encoding = data[4:].split(data[3:4], 1)[0].decode("latin-1")
    if not 2 <= len(encoding) <= 5 or len({field, *encoding}) != len(encoding) + 1 or field.isalnum():
        raise ReadingError(f"found delimiters {field + encoding[:8]!r}, expected |^~\\& or others, each different")
    return (
        Delimiters(field, *encoding[:4])
        if len(encoding) >= 4
        else Delimiters(field, *encoding, *("\\", "&")[len(encoding) - 2 :])
    )


def _decode(data: bytes, delimiters: Delimiters, charset: str) -> str:
    header = re.split(rb"[\r\n]", data, maxsplit=1)[0].decode("latin-1").split(delimiters.field)
    declared = header[17].split(delimiters.repetition)[0].strip().upper() if len(header) > 17 else ""
    name = _CHARSETS.get(declared, charset)
    try:
        # ASCII is declared by senders that then write UTF-8; reading it as such loses nothing.
        return data.decode("utf-8" if name == "ascii" else name)
    except (UnicodeDecodeError, LookupError) as error:
        raise ReadingError(
            f"found bytes that are not {declared or name} ({error}), expected MSH-18's or the mapping's character set"
        ) from error

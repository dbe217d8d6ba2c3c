"""From an accepted suggestion to the journal: what is said to be so now, of the patient, and nothing else.

A denied, doubted, past or conditional mention, or one of somebody else, becomes no event: `entries_of` gives none.
"""

from __future__ import annotations

import hashlib
from typing import Final

import msgspec

from vitruvian.core.errors import ModelError
from vitruvian.core.events import Coded, Entry, Event, Quantity, Text, Value
from vitruvian.core.identifiers import Identifier, check_identifier
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.notes.base import Code, Suggestion, note_digest

__all__ = ["Note", "check_quote", "entries_of"]

_ID_CHARS_MAX: Final = 200  # of a note's identifier: its source and source_id must fit the journal's


class Note(msgspec.Struct, frozen=True):
    """Which note was read: its identifier, whose it is, when it was written (µs, with its zone as stated), and the
    SHA-256 of its text.
    """

    id: str
    patient: Identifier
    at_us: int
    sha256: str
    zone: str = ""

    @classmethod
    def of(cls, id_: str, patient: Identifier, at_us: int, text: str, zone: str = "") -> Note:
        """The note of that text. Raises LimitError where the identifier is empty or too long."""
        return cls(
            check_identifier(id_[: _ID_CHARS_MAX + 100], "a note's identifier"), patient, at_us, note_digest(text), zone
        )


def check_quote(suggestion: Suggestion, text: str) -> None:
    """Raises ModelError unless the suggestion quotes the text exactly."""
    found = text[suggestion.start : suggestion.end] if 0 <= suggestion.start < suggestion.end <= len(text) else ""
    if found != suggestion.text or not found:
        raise ModelError(
            f"found {found[:40]!r} at {suggestion.start}-{suggestion.end} of the note, expected "
            f"{suggestion.text[:40]!r}; extract the note again, it was changed"
        )


def entries_of(suggestion: Suggestion, note: Note) -> tuple[Entry, ...]:
    """The journal's entry of an accepted suggestion, or none where nothing is asserted of the patient now.

    Pure, and the same each time, so that what is accepted twice is a duplicate. Conditions become conditions,
    medicines orders (what is said to be taken), findings observations at the note's time; a finding without a value
    in the concept's unit becomes none. The span and the quote's digest stand in the event's quality.
    """
    if not suggestion.asserted or not suggestion.codes + ((suggestion.concept,) if suggestion.concept else ()):
        return ()
    event = _event(suggestion, note)
    if event is None:
        return ()
    what = suggestion.concept or (suggestion.codes[0].code if suggestion.codes else "")
    source_id = f"{note.sha256[:16]}:{suggestion.start}-{suggestion.end}:{suggestion.type}:{what}"
    return (
        Entry(
            f"note:{note.id[:_ID_CHARS_MAX]}", source_id, (event,), subject=(note.patient,), available_us=note.at_us,
        ),
    )  # fmt: skip


def _event(one: Suggestion, note: Note) -> Event | None:
    quality = (*one.quality, "from-note", f"span:{one.start}-{one.end}", f"quote:{_digest(one.text)}")
    if one.origin != "dictionary":
        quality = ("from-model", *quality)
    code = _code_text(one.codes[0]) if one.codes else ""
    if one.type == "condition":
        first = one.codes[0]
        value: Value = Coded(first.system, first.code, first.display or one.text)
        return Event("condition", "", value, note.at_us, None, note.zone, code, quality)
    concept = VOCABULARY.get(one.concept) if one.concept else None
    if one.type == "medicine":
        name = concept.name if concept is not None and concept.administration is not None else ""
        return Event("order", name, Text(one.text), note.at_us, None, note.zone, code, quality)
    if concept is None or one.value is None or one.unit != concept.unit:
        return None
    stated = one.stated_value if one.stated_unit or one.stated_value != one.value else None
    quantity = Quantity(one.value, concept.unit, one.comparator, stated, one.stated_unit)
    return Event("observation", concept.name, quantity, note.at_us, None, note.zone, code, quality)


def _code_text(code: Code) -> str:
    return "|".join(part[:256].replace("|", " ") for part in (code.system, code.code, code.display))


def _digest(quote: str) -> str:
    return hashlib.sha256(quote.encode("utf-8", "surrogatepass")).hexdigest()[:16]

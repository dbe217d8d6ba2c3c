"""What is told of notes: a note that waits with its text and suggestions, and what became of a decision."""

from __future__ import annotations

from typing import Literal

import msgspec

from vitruvian.explanation.notes import Code, Kept, entries_of
from vitruvian.explanation.notes.store import Status

__all__ = ["DecisionView", "NoteView", "SuggestionView", "suggestion_view"]

Enters = Literal["", "condition", "order", "observation"]


class SuggestionView(msgspec.Struct, frozen=True):
    """A mention: `text` stands at [start, end) of the note, in characters. `enters`: what accepting it makes of it in
    the twin, empty for nothing, and then `why_not` says why. `quarantined`: why it is set apart; it cannot be accepted.
    """

    id: str
    start: int
    end: int
    text: str
    type: str
    assertion: str
    experiencer: str
    section: str
    codes: tuple[Code, ...]
    concept: str
    value: float | None
    unit: str
    comparator: str
    quality: tuple[str, ...]
    cues: tuple[str, ...]
    origin: str
    quarantined: str
    status: Status
    by: str
    decided_us: int | None
    enters: Enters
    why_not: str


class NoteView(msgspec.Struct, frozen=True):
    """A note that waits: its text is kept until everything is decided, and `text` is empty afterwards."""

    id: str
    patient: str
    title: str
    text: str
    at_us: int
    by: str
    posted_us: int
    suggestions: list[SuggestionView]


class DecisionView(msgspec.Struct, frozen=True):
    """What became of a suggestion. `outcome` is the journal's (committed, duplicate, quarantined, ...), empty where
    nothing was to be entered; what the journal put into quarantine goes on waiting, with the `reason`.
    """

    id: str
    status: Status
    by: str
    decided_us: int | None
    outcome: str = ""
    reason: str = ""


def suggestion_view(kept: Kept) -> SuggestionView:
    """A suggestion as it is told."""
    one = kept.suggestion
    entries = entries_of(one, kept.note)
    enters: Enters = entries[0].events[0].kind if entries else ""  # type: ignore[assignment]
    return SuggestionView(
        id=kept.id, start=one.start, end=one.end, text=one.text, type=one.type, assertion=one.assertion,
        experiencer=one.experiencer, section=one.section, codes=one.codes, concept=one.concept, value=one.value,
        unit=one.unit, comparator=one.comparator, quality=one.quality, cues=one.cues, origin=one.origin,
        quarantined=one.quarantined, status=kept.status, by=kept.by, decided_us=kept.decided_us, enters=enters,
        why_not="" if enters else _why_not(kept),
    )  # fmt: skip


def _why_not(kept: Kept) -> str:
    one = kept.suggestion
    if one.quarantined:
        return f"set apart: {one.quarantined}"
    if one.experiencer != "patient":
        return "said of the family" if one.experiencer == "family" else "said of somebody else"
    if one.assertion != "present":
        return f"said to be {one.assertion}"
    return "no value in a known unit"

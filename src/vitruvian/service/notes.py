"""Notes on the ward: a text is read, its suggestions wait for a person, and what is accepted becomes events.

Nothing here writes to the journal: `append`, which the caller gives, does, and returns once the entries are durable.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vitruvian.core.errors import LimitError, ModelError, NotFoundError, Overloaded, ReadingError, TimestampError
from vitruvian.core.events import Entry, Receipt
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import MINUTE_US
from vitruvian.explanation.notes import Kept, Note, SuggestionStore, dictionary, entries_of, extract
from vitruvian.service.details import event_views
from vitruvian.service.note_texts import KeptText, NoteTexts
from vitruvian.service.note_views import DecisionView, NoteView, suggestion_view
from vitruvian.service.views import EventView

__all__ = ["TEXT_CHARS_MAX", "TITLE_CHARS_MAX", "Append", "Notes", "Whose"]

TEXT_CHARS_MAX: Final = 20_000  # about a second of reading; a long discharge summary is as long
TITLE_CHARS_MAX: Final = 200
FOUND_MAX: Final = 1_000  # suggestions of one note, and of one decision
AHEAD_US_MAX: Final = 5 * MINUTE_US  # clocks differ; a note of tomorrow is a mistake
WAIT_S: Final = 15.0
NOTHING: Final[Callable[[Sequence[Entry]], object]] = len  # the entries are durable already

Append = Callable[[Sequence[Entry]], Sequence[Receipt]]
Whose = Callable[[str], tuple[str, Identifier]]


class Notes:
    """Notes of a ward's patients, in a file of their own; without a path in memory. Any thread may use it.

    `whose(patient)` gives the twin's identifier (the survivor's where records were merged) and one of the patient's,
    and raises NotFoundError. Times are clinical.
    """

    def __init__(self, path: Path | None, whose: Whose, now_us: Callable[[], int]) -> None:
        self._store = SuggestionStore(path)
        self._texts = NoteTexts(path)
        self._whose, self._now_us = whose, now_us
        self._reading = threading.Lock()  # one note at a time: the ward has the processor's first call
        self._deciding = threading.Lock()  # nobody rejects what another is just entering
        for patient, note in self._texts.every():  # what a crash between two steps may have left
            self._forget_decided(patient, note)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()
        self._texts.close()

    # --- reading -------------------------------------------------------------

    def post(self, patient: str, text: str, at_us: int | None, title: str, by: str, zone: str = "") -> NoteView:
        """Read a note and keep what it suggests, durably. The same text of the same time is the same note.

        Raises NotFoundError, ReadingError, TimestampError, LimitError, Overloaded, JournalUnavailable.
        """
        whose, identifier = self._whose(patient)
        now_us = self._now_us()
        at_us = now_us if at_us is None else at_us
        _check(text, title, at_us, now_us)
        with _turn(self._reading, "notes being read"):
            found = extract(text, dictionary())
        if len(found) > FOUND_MAX:
            raise LimitError(f"found {len(found)} mentions in a note, expected at most {FOUND_MAX}; post it in parts")
        known = hashlib.sha256(f"{whose}\x1f{at_us}\x1f{text}".encode()).hexdigest()[:16]
        kept = KeptText(known, whose, title.strip(), text, at_us, by, now_us)
        if found:
            self._texts.put(kept)  # before its suggestions: those without a text could not be shown
        rows = self._store.put(whose, Note.of(known, identifier, at_us, text, zone), found, now_us)
        waits = self._forget_decided(whose, known)
        return _view(kept, rows, waits)

    def waiting(self, patient: str) -> list[NoteView]:
        """A patient's notes of which something waits, the oldest first, with what is decided already."""
        made = []
        for one in self._ids(patient):
            kept = self._store.list(one) if (texts := self._texts.of(one)) else []
            of_note = {text.id: [row for row in kept if row.note.id == text.id] for text in texts}
            made += [_view(text, of_note[text.id], True) for text in texts if _waits(of_note[text.id])]
        return made

    def count(self, patient: str) -> int:
        """How many suggestions of a patient wait."""
        return sum(len(self._store.list(one, "waiting")) for one in self._ids(patient))

    def observed(self, patient: str, start_us: int, end_us: int, known_by_us: int | None = None) -> list[EventView]:
        """The findings that were accepted, as lines of a timeline."""
        stored = []
        for kept in (row for one in self._ids(patient) for row in self._store.list(one, "accepted")):
            known_us = kept.decided_us or kept.kept_us
            if start_us <= kept.note.at_us < end_us and (known_by_us is None or known_us <= known_by_us):
                entries = [one for one in entries_of(kept.suggestion, kept.note) if one.events[0].kind == "observation"]
                stored += [(0, known_us, None, one) for one in entries]
        return event_views(stored)

    # --- deciding ------------------------------------------------------------

    def accept(self, patient: str, note: str, which: Sequence[str], by: str, append: Append) -> list[DecisionView]:
        """Enter what is accepted, all in one commit, then note who and when. What was accepted before is a duplicate.

        Raises NotFoundError, ModelError where one was rejected or is set apart (nothing is entered then), Overloaded,
        JournalUnavailable.
        """
        with _turn(self._deciding, "decisions under way"):
            rows = self._found(patient, note, which)
            for row in rows:
                _check_acceptable(row)
            entries = [entries_of(row.suggestion, row.note) for row in rows]
            flat = [entry for own in entries for entry in own]
            receipts = iter(append(flat) if flat else ())
            decided = [
                self._accepted(row, next(receipts) if own else None, by) for row, own in zip(rows, entries, strict=True)
            ]
            self._forget_decided(rows[0].patient, note)
        return decided

    def _accepted(self, row: Kept, receipt: Receipt | None, by: str) -> DecisionView:
        if receipt is not None and receipt.outcome == "quarantined":
            return DecisionView(row.id, row.status, row.by, row.decided_us, "quarantined", receipt.reason)
        done = self._store.accept(row.id, by, self._now_us(), NOTHING)
        return DecisionView(done.id, done.status, done.by, done.decided_us, receipt.outcome if receipt else "")

    def reject(self, patient: str, note: str, which: Sequence[str], by: str) -> list[DecisionView]:
        """Note that these are not so; nothing is entered. Raises as `accept`, ModelError where one was accepted."""
        with _turn(self._deciding, "decisions under way"):
            rows = self._found(patient, note, which)
            for row in rows:
                if row.status == "accepted":
                    raise ModelError(
                        f"found a suggestion that {row.by} accepted, expected one that waits; correct the record"
                    )
            done = [self._store.reject(row.id, by, self._now_us()) for row in rows]
            self._forget_decided(rows[0].patient, note)
        return [DecisionView(one.id, one.status, one.by, one.decided_us) for one in done]

    def _found(self, patient: str, note: str, which: Sequence[str]) -> list[Kept]:
        """The suggestions of this note of this patient, once each. Raises NotFoundError for any other."""
        mine = set(self._ids(patient))
        rows = [self._store.get(one) for one in dict.fromkeys(which)]
        if not rows or any(row.patient not in mine or row.note.id != note for row in rows):
            raise NotFoundError("found no such suggestion of this note; see the patient's notes")
        return rows

    def _ids(self, patient: str) -> list[str]:
        """The patient's identifiers under which notes are kept: those of merged records too."""
        whose, _ = self._whose(patient)
        return [one for one in self._store.patients() if one == whose or self._survivor(one) == whose]

    def _survivor(self, patient: str) -> str:
        try:
            return self._whose(patient)[0]
        except NotFoundError:
            return ""

    def _forget_decided(self, patient: str, note: str) -> bool:
        """Whether something of a note waits; where nothing does, its text is deleted."""
        waits = any(row.note.id == note for row in self._store.list(patient, "waiting"))
        if not waits:
            self._texts.forget(patient, note)
        return waits


@contextmanager
def _turn(lock: threading.Lock, what: str) -> Iterator[None]:
    if not lock.acquire(timeout=WAIT_S):
        raise Overloaded(f"found {what} for over {WAIT_S:g} s, expected it to be over; try again")
    try:
        yield
    finally:
        lock.release()


def _check(text: str, title: str, at_us: int, now_us: int) -> None:
    if not text.strip():
        raise ReadingError("found a note without a word, expected text; paste the note")
    if len(text) > TEXT_CHARS_MAX or len(title) > TITLE_CHARS_MAX:
        raise LimitError(
            f"found a note of {len(text)} characters with a title of {len(title)}, expected at most {TEXT_CHARS_MAX} "
            f"and {TITLE_CHARS_MAX}; post it in parts"
        )
    if any("\ud800" <= char <= "\udfff" for char in text + title):
        raise ReadingError("found half a character in a note, expected Unicode text; send it as UTF-8")
    if at_us > now_us + AHEAD_US_MAX:
        raise TimestampError("found a note of a time to come, expected now or earlier; correct its time")


def _check_acceptable(row: Kept) -> None:
    if row.status == "rejected":
        raise ModelError(
            f"found a suggestion that {row.by} rejected, expected one that waits; enter it by hand if it is so"
        )
    if row.suggestion.quarantined:
        raise ModelError(
            f"found a suggestion that is set apart ({row.suggestion.quarantined}), expected words said of the patient; "
            "enter it by hand if it is so"
        )


def _waits(rows: Sequence[Kept]) -> bool:
    return any(row.status == "waiting" for row in rows)


def _view(text: KeptText, rows: Sequence[Kept], waits: bool) -> NoteView:
    return NoteView(
        text.id, text.patient, text.title, text.text if waits else "", text.at_us, text.by, text.posted_us,
        [suggestion_view(row) for row in rows],
    )  # fmt: skip

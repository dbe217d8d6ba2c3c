"""What is suggested from a note: coded mentions with exact spans. A suggestion is nobody's fact until a person says so.

Assertions after Chapman et al. 2001 (NegEx) and Harkema et al. 2009 (ConText): whether it is so, was so, might be so,
is only spoken of, or is denied; and of whom it is said.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal

import msgspec

__all__ = [
    "ASSERTIONS",
    "ICD10CM",
    "NOTE_CHARS_MAX",
    "Assertion",
    "Code",
    "Experiencer",
    "Mention",
    "Suggestion",
    "note_digest",
]

ICD10CM: Final = "http://hl7.org/fhir/sid/icd-10-cm"
NOTE_CHARS_MAX: Final = 200_000  # a long discharge summary is a tenth of this

Mention = Literal["condition", "medicine", "finding"]
Assertion = Literal["present", "negated", "uncertain", "hypothetical", "historical"]
Experiencer = Literal["patient", "family", "other"]
ASSERTIONS: Final[tuple[Assertion, ...]] = ("present", "negated", "uncertain", "hypothetical", "historical")


class Code(msgspec.Struct, frozen=True):
    """A code of a system (its FHIR URI), with words of our own for it."""

    system: str
    code: str
    display: str = ""


class Suggestion(msgspec.Struct, frozen=True, omit_defaults=True):
    """One mention: `note[start:end] == text`, in characters.

    `concept` is a name of the vocabulary or empty; `value` is in `unit` (the concept's), `stated_value` and
    `stated_unit` are as written. `quality`: `implausible`, `unit-assumed`, `unit-missing`,
    `no-concept`. `cues` are the words by
    which the assertion was told. `origin`: `dictionary`, or a model's name for what a model proposed; that is
    unconfirmed. `quarantined`: why the words around it are not read as said of a patient; empty where they are.
    """

    start: int
    end: int
    text: str
    type: Mention
    assertion: Assertion = "present"
    experiencer: Experiencer = "patient"
    section: str = ""
    codes: tuple[Code, ...] = ()
    concept: str = ""
    value: float | None = None
    unit: str = ""
    comparator: Literal["", "<", "<=", ">=", ">"] = ""
    stated_value: float | None = None
    stated_unit: str = ""
    quality: tuple[str, ...] = ()
    cues: tuple[str, ...] = ()
    origin: str = "dictionary"
    quarantined: str = ""

    @property
    def asserted(self) -> bool:
        """Whether it is said to be so now, of the patient, in words that may be believed."""
        return self.assertion == "present" and self.experiencer == "patient" and not self.quarantined


def note_digest(text: str) -> str:
    """SHA-256 of a note's text, by which its quotes are found again. A lone surrogate counts as its own three bytes."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

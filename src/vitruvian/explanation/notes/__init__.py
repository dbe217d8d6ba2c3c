"""Coded facts from clinical text: a dictionary, ConText, exact spans; suggestions that wait for a person.

>>> from vitruvian.explanation.notes import dictionary, extract
>>> [(one.text, one.assertion) for one in extract("Denies fever. HR 118.", dictionary())]
[('fever', 'negated'), ('HR 118', 'present')]
"""

from vitruvian.explanation.notes.base import ICD10CM, Code, Suggestion, note_digest
from vitruvian.explanation.notes.dictionary import Dictionary, dictionary
from vitruvian.explanation.notes.entries import Note, entries_of
from vitruvian.explanation.notes.extract import extract
from vitruvian.explanation.notes.store import Kept, SuggestionStore

__all__ = [
    "ICD10CM",
    "Code",
    "Dictionary",
    "Kept",
    "Note",
    "Suggestion",
    "SuggestionStore",
    "dictionary",
    "entries_of",
    "extract",
    "note_digest",
]

"""What no name of a thing may hold: signs that nobody sees, ends of sentences, figures, letters that look alike.

A label stands within a sentence of ours; what it may be is decided here, whoever brings it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from vitruvian.explanation.evidence.base import Role

__all__ = ["fault_of_name", "seen", "unseen"]

_FIGURED: Final[tuple[Role, ...]] = ("event", "place", "words", "alarm", "model")  # may hold numbers: doses, beds
_HEADED: Final[tuple[Role, ...]] = ("event", "words", "alarm", "model")  # may hold a colon
# Sentence marks of any script. A point between figures is none.
_STOPS: Final = re.compile(
    r"(?<![0-9])[.]|[.](?![0-9])|[!?;|\u037e\u0387\u0589\u05c3\u061b\u061f\u06d4\u0700-\u0702\u0964\u0965\u104a\u104b"
    r"\u1362\u1367\u166e\u1803\u1809\u203c\u203d\u2047-\u2049\u2024\u2e2e\u2e3c\u3002\ua4ff\ua60e\ua60f\ua6f3"
    r"\ufe12\ufe15\ufe16\ufe52\ufe54\ufe56\ufe57\uff01\uff0e\uff1b\uff1f\uff61]"
)
_COLONS: Final = re.compile("[:\u02d0\u05c3\ua789\ufe13\ufe55\uff1a]")
_PERCENT: Final = re.compile(r"[%\u066a\u2030\u2031\ufe6a\uff05]|\bper ?cent|prozent|por ciento", re.IGNORECASE)
_UNITED: Final = re.compile(
    r"\d\s*(?:[munkdcµ]?(?:g|mol|eq|l|iu|u|m)\b|/|mmhg|cmh2o|°|bpm\b|h\b|hours?\b|min(?:utes?)?\b|days?\b|in \d)",
    re.IGNORECASE,
)
_HIDDEN: Final = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_SPACES: Final = (" ", "\u00a0", "\u202f")
_LEFTWARD: Final = ("R", "AL", "AN")


def unseen(text: str) -> str:
    """The first sign that nobody sees or that is no text (control, format, private, unassigned); empty if none."""
    return next((sign for sign in text if _is_unseen(sign)), "")


def seen(text: str) -> str:
    """The text with a space for each such sign."""
    return "".join(" " if _is_unseen(sign) else sign for sign in text)


def _is_unseen(sign: str) -> bool:
    kind = unicodedata.category(sign)
    return kind in _HIDDEN or (kind == "Zs" and sign not in _SPACES) or _BLANK.match(sign) is not None


def fault_of_name(text: str, role: Role) -> str:
    """Why a text cannot be the name of a thing, empty where it can."""
    sign = unseen(text)
    if sign:
        return f"a sign that is not seen (U+{ord(sign):04X})"
    if _STOPS.search(text) or (role not in _HEADED and _COLONS.search(text)):
        return "not a name but a sentence"
    if any(unicodedata.bidirectional(sign) in _LEFTWARD for sign in text):
        return "letters that are read from right to left"
    if any(_is_mixed(word) for word in re.findall(r"\w+", text)):
        return "letters of two alphabets in one word"
    if role not in _FIGURED and (_PERCENT.search(text) or _UNITED.search(text)):
        return "a figure in a name"
    return ""


def _is_mixed(word: str) -> bool:
    """Whether it is written in Latin and in Cyrillic letters: they look alike."""
    scripts = {unicodedata.name(sign, "").split(" ")[0] for sign in word if sign.isalpha()}
    return {"CYRILLIC", "LATIN"} <= scripts

"""A question as it is read: one case, one spelling of what is short, one blank, and numbers apart from their units."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final

from vitruvian.core.errors import LimitError

__all__ = ["CHARS_MAX", "corrected", "distance", "normal", "plain_letters"]

CHARS_MAX: Final = 500
_QUOTES: Final = str.maketrans({"’": "'", "‘": "'", "`": "'", "“": '"', "”": '"', "–": "-", "—": " - ", "−": "-",
                                "µ": "u", "μ": "u", "₂": "2"})  # fmt: skip
_CONTRACTED: Final = (
    (re.compile(r"\bcan't\b"), "can not"), (re.compile(r"\bwon't\b"), "will not"), (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"n't\b"), " not"), (re.compile(r"'re\b"), " are"), (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"), (re.compile(r"'m\b"), " am"), (re.compile(r"'d\b"), " would"),
    (re.compile(r"\b(what|how|when|where|who|that|there|he|she|it|here)'s\b"), r"\1 is"),
    (re.compile(r"o'clock\b"), " oclock"), (re.compile(r"'s?\b"), " "),
)  # fmt: skip
_APART: Final = re.compile(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)(?=[a-z])")  # 500ml, not spo2
_DECIMAL: Final = re.compile(r"(?<=\d),(?=\d{1,2}\b)")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}\b)")
_UNREAD: Final = re.compile(r"[^a-z0-9.%/:+&?!;,\n -]+")
_ORDINARY: Final = re.compile(r"(?<![\d])[.](?!\d)|[.](?=\s|$)")
_WORD: Final = re.compile(r"[a-z]+")
_VOWELS: Final = "aeiouy"
_ROWS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_BESIDE: Final = {
    letter: "".join(row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row, at in [(row, row.index(letter))])
    for row in _ROWS for letter in row
}  # fmt: skip
_LONG: Final = 8  # letters from which two slips are forgiven; from four on it is one


def normal(question: str, reads: Mapping[str, str]) -> str:
    """The question in lower case, invisible characters gone, contractions spelled out. Raises LimitError."""
    if len(question) > CHARS_MAX:
        raise LimitError(f"found a question of {len(question)} characters, expected at most {CHARS_MAX}; ask in fewer")
    folded = unicodedata.normalize("NFKC", question).translate(_QUOTES)
    seen = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in folded
                   if unicodedata.category(one) != "Cf")  # fmt: skip
    text = seen.casefold().translate(_QUOTES)
    for pattern, spelled in _CONTRACTED:
        text = pattern.sub(spelled, text)
    text = _THOUSANDS.sub("", text)
    text = _DECIMAL.sub(".", text)
    text = _UNREAD.sub(" ", text).replace("&", " and ")
    text = _ORDINARY.sub(" ; ", text)
    text = re.sub(r"(?<!\d):|:(?!\d)", " ; ", text)
    text = re.sub(r"([?!;,])", r" \1 ", text).replace(" is been ", " has been ")
    text = _APART.sub(r"\1 ", text)
    words = text.split()
    after_number = [False, *(word[-1].isdigit() for word in words)][:-1]  # 5 u of insulin is no "you"
    return " ".join(
        word if counted else reads.get(word, word) for word, counted in zip(words, after_number, strict=True)
    )


def plain_letters(question: str) -> str:
    """In lower case, with accents and invisible characters gone: `möglich` as `moglich`; one blank between words."""
    folded = unicodedata.normalize("NFKD", question.casefold().replace("ß", "ss"))
    kept = "".join(one for one in folded if unicodedata.category(one) not in ("Mn", "Cf"))
    return " ".join(re.sub(r"[^a-z0-9%.,;:!?/-]+", " ", kept).split())


def corrected(
    text: str, known: Collection[str], by_head: Mapping[str, Collection[str]], real: Collection[str] = ()
) -> tuple[str, tuple[str, ...]]:
    """The text with slips of spelling put right, and the words that stay unknown. `by_head`: known words by letter;
    `real` words are no slips.
    """
    words, unknown = [], []
    for word in text.split():
        if not _WORD.fullmatch(word) or word in known or len(word) < 2:
            words.append(word)
            continue
        near = "" if word in real else _nearest(word, by_head.get(word[0], ()))
        words.append(near or word)
        if not near:
            unknown.append(word)
    return " ".join(words), tuple(unknown)


def _nearest(word: str, among: Collection[str]) -> str:
    if len(word) < 4:
        return ""
    allowed = 2 if len(word) >= _LONG else 1
    best, found = allowed + 1, ""
    for one in among:
        # A word of three letters is near too many others.
        if len(one) < 4 or abs(len(one) - len(word)) > allowed:
            continue
        apart = distance(word, one, allowed)
        if (apart, one) < (best, found or "~"):
            best, found = apart, one
    return found if best <= allowed else ""


def _slip(letter: str, other: str) -> int:
    """What taking one letter for another costs: 1 for neighbours on a keyboard and for vowels, which slip."""
    if letter == other:
        return 0
    return 1 if other in _BESIDE.get(letter, "") or (letter in _VOWELS and other in _VOWELS) else 2


def distance(one: str, other: str, bound: int) -> int:
    """Letters to insert, drop, change (see `_slip`) or swap with a neighbour, after Damerau and Levenshtein; above
    `bound`, `bound` + 1.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        two_before, before, row = before, row, [i]
        for j, its in enumerate(other, 1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + _slip(letter, its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                least = min(least, two_before[j - 2] + 1)
            row.append(least)
        if min(row) > bound:
            return bound + 1
    return min(row[-1], bound + 1)

"""How easily an English text reads: the Flesch-Kincaid grade level.

    grade = 0.39 words/sentences + 11.8 syllables/words - 15.59

(Kincaid JP, Fishburne RP, Rogers RL, Chissom BS. Derivation of new readability formulas for Navy enlisted personnel.
Naval Technical Training Command, Research Branch Report 8-75, 1975.) The same counts give the Flesch reading ease
(Flesch R. J Appl Psychol 1948;32:221-233), 206.835 - 1.015 words/sentences - 84.6 syllables/words.

How facts are counted: a number is a word of one syllable, a unit that is no word (`mmHg`, `%`) belongs to its number,
an abbreviation in capitals (`CRP`) is a word of one syllable, since it is read at a glance or skipped. Other words
count in full: a hard name makes a text hard. Who asks may name words that stand for themselves (`names`: the drug's or
test's own name in brackets behind plain words, a place), which then count as one syllable each; figures say which way
they are. Sentences end with a full stop, a question or an exclamation mark; those within numbers do not count, and
neither do semicolons and colons, so that long lists cannot hide.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

import msgspec

__all__ = ["Counts", "counts_of", "grade", "syllables"]

_WORD: Final = re.compile(r"[A-Za-z]+(?:['’][A-Za-z]+)*")
_NUMBER: Final = re.compile(r"[−-]?\d+(?:[.,:]\d+)*")
_TOKEN: Final = re.compile(rf"{_NUMBER.pattern}|{_WORD.pattern}")
_END: Final = re.compile(r"[.!?]+(?=\s|$)")
# Signs of units, and what has no vowel and no meaning as a word.
_UNITS: Final = frozenset({
    "mmhg", "mmol", "l", "ml", "dl", "ul", "mg", "g", "kg", "ug", "ng", "pg", "cm", "mm", "h", "min", "iu", "u", "kpa",
    "meq", "mosm", "fl", "ms", "cmh",
})  # fmt: skip
_VOWELS: Final = re.compile(r"[aeiouy]+")
# What the rules below miscount, by the dictionary.
_KNOWN: Final[Mapping[str, int]] = {
    "area": 3, "breathing": 2, "being": 2, "bilirubin": 4, "breathe": 1, "calcium": 3, "carbon": 2, "create": 2,
    "creatinine": 4, "dioxide": 3, "diet": 2, "every": 3, "family": 3, "fluid": 2, "hour": 1, "hours": 1,
    "idea": 3, "magnesium": 4, "media": 3, "medicine": 3, "mean": 1, "minute": 2, "period": 3, "people": 2,
    "potassium": 4, "radio": 3, "real": 1, "reading": 2, "realize": 3, "reptilian": 3, "science": 2, "seeming": 2,
    "sodium": 3, "something": 2, "sometimes": 2, "someone": 2, "therefore": 2, "trial": 2, "urea": 3, "usual": 3,
    "valued": 2, "video": 3, "violet": 3, "business": 2, "axial": 3, "alertness": 3, "stages": 2, "someday": 2,
    "platypus": 3, "naive": 2, "reality": 4, "patients": 2, "patient": 2, "initial": 3, "safely": 2, "likely": 2,
    "lately": 2, "rarely": 2, "hardly": 2, "lifetime": 2, "somewhat": 2, "baseline": 2, "antibiotic": 5,
    "piperacillin": 5, "bioassay": 4, "dialysis": 4, "diabetes": 4, "diastolic": 4,
    "ammonia": 3, "aspirin": 2, "forecast": 2, "likelihood": 3, "pacemaker": 3, "pancreas": 3, "platelet": 2,
    "rhythm": 2,
}  # fmt: skip


class Counts(msgspec.Struct, frozen=True):
    """Of a text: its sentences, words and syllables."""

    sentences: int
    words: int
    syllables: int

    @property
    def grade(self) -> float:
        """The Flesch-Kincaid grade level: years of school in the United States."""
        return 0.39 * self.words / self.sentences + 11.8 * self.syllables / self.words - 15.59

    @property
    def ease(self) -> float:
        """The Flesch reading ease: 100 is very easy, 0 very hard."""
        return 206.835 - 1.015 * self.words / self.sentences - 84.6 * self.syllables / self.words


def grade(text: str, names: Collection[str] = ()) -> float:
    """The Flesch-Kincaid grade of an English text. Raises ValueError where it has no word."""
    return counts_of(text, names).grade


def counts_of(text: str, names: Collection[str] = ()) -> Counts:
    """Sentences, words and syllables, as the module's docstring has it; `names` in small letters.

    Raises ValueError where there is no word.
    """
    words = [found[0] for found in _TOKEN.finditer(text)]
    counted = [word for word in words if word.casefold() not in _UNITS]
    if not counted:
        raise ValueError("found no word to measure, expected a sentence")
    ends = len(_END.findall(text.strip()))
    sentences = max(ends if _END.search(text.strip()[-1:] + " ") else ends + 1, 1)
    return Counts(sentences, len(counted), sum(1 if word.casefold() in names else _read(word) for word in counted))


def _read(word: str) -> int:
    return 1 if word[0].isdigit() or word[0] in "−-" or _is_short(word) else syllables(word)


def _is_short(word: str) -> bool:
    """An abbreviation: several capitals (`CRP`, `eGFR`, `HbA`)."""
    return sum(letter.isupper() for letter in word) > 1


def syllables(word: str) -> int:
    """The syllables of an English word by its spelling: groups of vowels, less those that are not heard."""
    bare = re.sub(r"[^a-z]", "", word.casefold())
    for ending in ("", "s", "'s"):
        if bare.removesuffix(ending.strip("'")) in _KNOWN and (not ending or bare.endswith("s")):
            return _KNOWN[bare.removesuffix(ending.strip("'"))]
    count = len(_VOWELS.findall(bare))
    if re.search(r"[^aeiouy]e$", bare) and not re.search(r"[^aeiouylr]le$", bare):
        count -= 1  # a silent e: `rate`, but not `table`
    if re.search(r"[^aeiouytd]ed$", bare) and not re.search(r"[^aeiouylr]led$", bare):
        count -= 1  # `raised`, but not `tested`
    if re.search(r"[^aeiouyscxz]es$", bare) and not re.search(r"(sh|ch|g)es$|[^aeiouylr]les$", bare):
        count -= 1  # `rates`, but not `stages`
    count += len(re.findall(r"i[ao](?!us|n[st]?\b)|eo(?!us)|[aeiouy]ing\b|ua(?!r)|uou|ier\b|ium|iu[ms]", bare))
    if re.search(r"[^tcsgx]ious", bare):
        count += 1  # `serious`, but not `cautious`
    if re.search(r"[tcsg]i(al|an|ous|on|ent)", bare):
        count -= len(re.findall(r"[tcsg]ia", bare))  # `special`, `initial`
    if re.search(r"[^aeiouy]ely$|[^aeiouy]eless|[^aeiouy]eness|[^aeiouy]eful|[^aeiouy]ement", bare):
        count -= 1  # the e of `extremely`, `movement`
    return max(count, 1)

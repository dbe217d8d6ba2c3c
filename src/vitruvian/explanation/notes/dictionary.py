"""The dictionary: names of conditions and medicines, folded, to their codes.

Three sources, the first that knows a name wins: the curated tables beside this file, the titles of ICD-10-CM, and the
user's own terminology, which adds its codes to names known already.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from vitruvian.core.errors import ConfigurationError
from vitruvian.core.vocabulary import ATC, VOCABULARY
from vitruvian.explanation.notes.base import ICD10CM, Code, Mention
from vitruvian.explanation.notes.icd10cm import Icd10cm, icd10cm
from vitruvian.explanation.notes.words import Word, joined, key

__all__ = ["Dictionary", "Found", "Rule", "Term", "TermRow", "dictionary"]

_TABLES: Final = files("vitruvian.explanation.notes") / "tables"
NAME_WORDS_MAX: Final = 10
NEIGHBOURS: Final = 3  # words before and after that a rule looks at


@dataclass(frozen=True, slots=True)
class Rule:
    """When a name of several meanings has this one. Folded words; an empty list asks nothing.

    `sections`: the sections where it may be taken as it stands. Elsewhere one of `after` must come within three words
    before it, one of `before` within three words after, or one of `near` in its sentence; with all three empty it is
    taken. `not_after` and `not_before` refuse it.
    """

    sections: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()
    near: frozenset[str] = frozenset()
    not_after: frozenset[str] = frozenset()
    not_before: frozenset[str] = frozenset()

    def holds(self, words: Sequence[Word], first: int, last: int, section: str) -> bool:
        """Whether the words `first` to `last` (inclusive) of a sentence have this meaning."""
        left = {word.folded for word in words[max(0, first - NEIGHBOURS) : first]}
        right = {word.folded for word in words[last + 1 : last + 1 + NEIGHBOURS]}
        if left & self.not_after or right & self.not_before:
            return False
        if section in self.sections:
            return True
        if not (self.after or self.before or self.near):
            return not self.sections
        around = {word.folded for index, word in enumerate(words) if not first <= index <= last}
        return bool(left & self.after or right & self.before or around & self.near)


@dataclass(frozen=True, slots=True)
class Term:
    """What a name means. `lasting`: present where a list of past illnesses names it. `cased`: the only way to write
    it, where a word in other letters means something else. `done`: a procedure, which counts once it is in the past.
    """

    type: Mention
    codes: tuple[Code, ...]
    concept: str = ""
    lasting: bool = False
    cased: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class TermRow:
    """A name and code of the user's own terminology."""

    name: str
    code: Code
    type: Mention


@dataclass(frozen=True, slots=True)
class Found:
    """A name found in a sentence: words `first` to `last` (inclusive)."""

    term: Term
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Folded names to terms. `longest`: by first word, the number of words of the longest name."""

    terms: Mapping[str, Term]
    rules: Mapping[str, Rule]
    classification: Icd10cm | None
    extra_codes: frozenset[tuple[str, str]] = frozenset()
    longest: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.terms:
            first = name.split(" ", 1)[0]
            self.longest[first] = max(self.longest.get(first, 0), name.count(" ") + 1)

    def find(self, text: str, words: Sequence[Word], section: str) -> Iterator[Found]:
        """Names in a sentence, from the left, the longest first, none overlapping another."""
        at = 0
        while at < len(words):
            found = self._at(text, words, at, section)
            if found is None:
                at += 1
            else:
                yield found
                at = found.last + 1

    def _at(self, text: str, words: Sequence[Word], at: int, section: str) -> Found | None:
        longest = min(self.longest.get(words[at].folded, 0), len(words) - at)
        for count in range(1, longest):
            if not joined(text, words[at + count - 1], words[at + count]):
                longest = count
                break
        for count in range(longest, 0, -1):
            name = " ".join(word.folded for word in words[at : at + count])
            term = self.terms.get(name)
            if term is None:
                continue
            last = at + count - 1
            if term.cased and text[words[at].start : words[last].end] != term.cased:
                continue
            rule = self.rules.get(name)
            if rule is None or rule.holds(words, at, last, section):
                return Found(term, at, last)
        return None

    def exists(self, code: Code) -> bool:
        """Whether a code exists in what is at hand: the classification, the vocabulary, the tables or the user's."""
        if code.system == ICD10CM and self.classification is not None:
            return self.classification.exists(code.code)
        known = (code.system, code.code)
        if known in self.extra_codes or VOCABULARY.by_code(*known) is not None:
            return True
        return known in _table_codes()

    def with_rows(self, rows: Iterable[TermRow]) -> Dictionary:
        """The same with a user's terminology: its codes beside those of a known name, and names of its own."""
        terms, codes = dict(self.terms), set(self.extra_codes)
        for row in rows:
            name = key(row.name)
            if not name or name.count(" ") >= NAME_WORDS_MAX:
                continue
            codes.add((row.code.system, row.code.code))
            known = terms.get(name)
            if known is None:
                terms[name] = Term(row.type, (row.code,))
            elif known.type == row.type and row.code.system not in {code.system for code in known.codes}:
                terms[name] = replace(known, codes=(*known.codes, row.code))
        return Dictionary(terms, self.rules, self.classification, frozenset(codes))


def dictionary(terminology: Path | None = None) -> Dictionary:
    """The dictionary, with the user's own terminology where a file or folder is given.

    Raises ConfigurationError, ReadingError.
    """
    plain = _plain()
    if terminology is None:
        return plain
    from vitruvian.explanation.notes.licensed import read_terminology

    return plain.with_rows(read_terminology(terminology).rows)


@cache
def _plain() -> Dictionary:
    classification = icd10cm()
    terms = dict(_curated())
    lasting = {code.code for term in terms.values() if term.lasting for code in term.codes}
    families = {code for code in lasting if len(code) == 3}
    for name, code in (classification.names if classification else {}).items():
        title = classification.title(code) if classification else ""
        kept = code in lasting or code[0] == "C" or code[:3] in families
        terms.setdefault(name, Term("condition", (Code(ICD10CM, code, title),), "", kept))
    for name, term in _vocabulary_names():
        terms.setdefault(name, term)
    return Dictionary(terms, _rules(), classification)


@cache
def _curated() -> Mapping[str, Term]:
    terms: dict[str, Term] = {}
    for code, flags, names in _rows("conditions.txt"):
        coded = (Code(ICD10CM, code, names[0].lstrip("^")),)
        for name in names:
            term = Term("condition", coded, "", flags == "c", _cased(name), flags == "p")
            terms.setdefault(key(name.lstrip("^")), term)
    for code, concept, names in _rows("medicines.txt"):
        coded = (Code(ATC, code, names[0].lstrip("^")),)
        for name in names:
            terms.setdefault(key(name.lstrip("^")), Term("medicine", coded, concept, False, _cased(name)))
    return terms


@cache
def _table_codes() -> frozenset[tuple[str, str]]:
    return frozenset((code.system, code.code) for term in _curated().values() for code in term.codes)


def _cased(name: str) -> str:
    return name[1:] if name.startswith("^") else ""


def _vocabulary_names() -> Iterator[tuple[str, Term]]:
    """Medicines of the vocabulary by its own names."""
    for concept in VOCABULARY:
        codes = tuple(Code(code.system, code.code, concept.display) for code in concept.codes if code.system == ATC)
        if concept.kind == "intervention" and codes:
            for name in (concept.name, concept.display, *concept.aliases):
                if len(name) > 4:
                    yield key(name), Term("medicine", codes[:1], concept.name)


def _rows(table: str) -> Iterator[tuple[str, str, list[str]]]:
    """Lines `CODE | flags | name; name`. Raises ConfigurationError on any other."""
    for number, line in enumerate((_TABLES / table).read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split("|")]
        names = [name.strip() for name in parts[-1].split(";") if name.strip()]
        if len(parts) != 3 or not parts[0] or not names:
            raise ConfigurationError(f"{table}:{number}: found {line!r}, expected CODE | flags | name; name")
        yield parts[0], parts[1], names


@cache
def _rules() -> Mapping[str, Rule]:
    """Names of several meanings, from `ambiguous.toml`; each list folded as text is."""
    tables = tomllib.loads((_TABLES / "ambiguous.toml").read_text("utf-8"))
    rules: dict[str, Rule] = {}
    for table in tables["rule"]:
        lists = {
            name: frozenset(items if name == "sections" else map(key, items))
            for name, items in table.items()
            if name != "names"
        }
        for name in table["names"]:
            rules[key(name)] = Rule(**lists)
    return rules

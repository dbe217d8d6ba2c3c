"""ICD-10-CM: every code that exists, its title, and the names that text may use for it.

The classification is that of the package `simple-icd-10-cm` (the tabular list of the U.S. National Center for Health
Statistics, in the public domain). The package itself builds a tree of objects for seconds; its two data files are read
here instead, and what was read is kept in the user's cache folder. Without the package the curated table alone serves.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from vitruvian.explanation.notes.words import WORDS, key

__all__ = ["Icd10cm", "icd10cm"]

FORM: Final = 2  # of the kept file; changes with what is made of a title
WORDS_MAX: Final = 6
# Chapters of diseases and symptoms. Injuries, causes from outside and reasons for contact are curated by hand.
_CHAPTERS: Final = frozenset("ABCDEFGHIJKLMNOQR")
_BRACKETS: Final = re.compile(r"\s*[\[(][^\])]*[\])]")
_VAGUE: Final = re.compile(
    r",?\s*\b(?:unspecified(?: (?:organism|site|cause|type|eye|ear|side|limb))?|not otherwise specified|NOS|NEC|"
    r"not elsewhere classified|without (?:complications?|status migrainosus))\b",
    re.IGNORECASE,
)
_OTHER: Final = re.compile(
    r"\b(?:others?|unspecified|elsewhere|specified|except|excluding|without|with|and|or|due|in|of|to|following|status|"
    r"counseling|encounter|associated|any|newborn|fetus|maternal|childbirth|finding|stage|findings|abnormal)\b",
    re.IGNORECASE,
)


class Icd10cm(msgspec.Struct, frozen=True):
    """`titles`: every code that exists, with its title where it has one of its own; `names`: folded name to code."""

    titles: dict[str, str]
    names: dict[str, str]

    def exists(self, code: str) -> bool:
        """Whether there is such a code, with its dot."""
        return code in self.titles

    def title(self, code: str) -> str:
        """What a code stands for: its title, or that of the code it extends; empty where it is unknown."""
        while code and not self.titles.get(code):
            code = code[:-1].rstrip(".")
        return self.titles.get(code, "")


@cache
def icd10cm() -> Icd10cm | None:
    """The classification, or None where its package is not installed."""
    found = importlib.util.find_spec("simple_icd_10_cm")  # finds, does not import
    if found is None or not found.submodule_search_locations:
        return None
    folder = Path(found.submodule_search_locations[0]) / "data"
    tables, lists = sorted(folder.glob("*tabular*.xml")), sorted(folder.glob("code-list*.txt"))
    if not tables or not lists:
        return None
    return _kept(tables[-1], lists[-1])


def _kept(table: Path, codes: Path) -> Icd10cm:
    """What was read before of the same files, else read now and kept for the next time."""
    stamp = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in (table, codes)]
    print_of = hashlib.sha256(repr((FORM, stamp)).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vitruvian"
    path = folder / f"icd10cm-{print_of}.msgpack"
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Icd10cm)
    except (OSError, msgspec.DecodeError):
        read = read_icd10cm(table, codes)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as held:
            held.write(msgspec.msgpack.encode(read))
        Path(held.name).replace(path)
    except OSError:
        pass  # a read-only home costs a second at each start, no more
    return read


def read_icd10cm(table: Path, codes: Path) -> Icd10cm:
    """The tabular list (XML) and the list of all codes, one a line without dots."""
    import xml.etree.ElementTree as ET  # of an installed package, not of a stranger

    titles: dict[str, str] = {}
    for line in codes.read_text("utf-8").splitlines():
        code = line.strip()
        if len(code) >= 3 and "-" not in code and code[0].isalpha():
            titles[code if len(code) == 3 else f"{code[:3]}.{code[3:]}"] = ""
    names: dict[str, str] = {}
    for node in ET.parse(table).iter("diag"):  # noqa: S314
        code, title = node.findtext("name") or "", node.findtext("desc") or ""
        if code not in titles:
            continue
        titles[code] = title
        if code[0] in _CHAPTERS:
            for text in (title, *(note.text or "" for note in node.iterfind("inclusionTerm/note"))):
                name = _name(text)
                if name:
                    names[name] = _more_exact(names.get(name), code)
    return Icd10cm(titles, names)


def _name(title: str) -> str:
    """A title as text may use it, folded; empty where it is no name but a description."""
    plain = _VAGUE.sub("", _BRACKETS.sub("", title)).strip(" ,")
    if not plain or "," in plain or _OTHER.search(plain):
        return ""
    folded = key(plain)
    parts = folded.count(" ") + 1
    fit = parts <= WORDS_MAX and (parts > 1 or len(folded) >= 7) and folded not in WORDS["common"]
    return folded if fit else ""


def _more_exact(known: str | None, code: str) -> str:
    """Of two codes of one name the longer within a category (E11.9 for E11), else the first."""
    return code if known is None or (code.startswith(known) and len(code) > len(known)) else known

"""The user's own terminology: SNOMED CT and RxNorm as released, or a plain table. None of them comes with Vitruvian.

Read are: an RF2 snapshot's `sct2_Description_Snapshot*.txt` (with `sct2_Relationship_Snapshot*.txt` beside it where it
is there), RxNorm's `RXNCONSO.RRF`, and a table `system, code, type, term` separated by tabs, with that heading.
Sources: SNOMED International, Release File Specification, 4.2; U.S. National Library of Medicine, RxNorm Technical
Documentation, 12.4.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from vitruvian.core.errors import ConfigurationError, LimitError, ReadingError
from vitruvian.core.vocabulary import ATC, LOINC, RXNORM, SNOMED, canonical_system
from vitruvian.explanation.notes.base import ICD10CM, Code, Mention
from vitruvian.explanation.notes.dictionary import TermRow
from vitruvian.explanation.notes.icd10cm import icd10cm

__all__ = ["Terminology", "read_terminology"]

FILE_BYTES_MAX: Final = 4 << 30
TERM_CHARS_MAX: Final = 120
REFUSED_SHARE_MAX: Final = 0.5  # more bad rows than good ones: it is some other file
_FULL_NAME, _SYNONYM = "900000000000003001", "900000000000013009"
_IS_A: Final = "116680003"
_ROOTS: Final[dict[str, Mention]] = {"404684003": "condition", "373873005": "medicine", "105590001": "medicine"}
_TAGS: Final[dict[str, Mention]] = {
    "disorder": "condition", "finding": "condition", "clinical drug": "medicine", "medicinal product": "medicine",
    "product": "medicine", "substance": "medicine", "medicinal product form": "medicine",
}  # fmt: skip
_TAG: Final = re.compile(r"\s*\(([^()]+)\)\s*$")
_RX_KINDS: Final = frozenset({"IN", "PIN", "MIN", "BN", "SY", "TMSY", "ET"})
_TABLE_HEADING: Final = ["system", "code", "type", "term"]
_CODE: Final = re.compile(r"[A-Za-z0-9.-]{1,24}")
_SYSTEMS: Final = {"icd-10-cm": ICD10CM, "icd10cm": ICD10CM, ICD10CM: ICD10CM}
_OPEN_SYSTEMS: Final = (ICD10CM, SNOMED, RXNORM, ATC)


class Terminology(NamedTuple):
    """What a file or folder holds: `rows` taken, `ignored` and `refused` rows counted by reason."""

    rows: tuple[TermRow, ...]
    ignored: Counter[str]
    refused: Counter[str]


class _Read:
    def __init__(self) -> None:
        self.rows: list[TermRow] = []
        self.ignored: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()


def read_terminology(path: Path) -> Terminology:
    """A file, or every terminology file within a folder.

    Raises ConfigurationError where there is none, ReadingError where a file is not what its name says, LimitError.
    """
    files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file() and _form(item))
    if not files:
        raise ConfigurationError(
            f"found no terminology at {path}, expected sct2_Description_Snapshot*.txt, RXNCONSO.RRF or a .tsv table"
        )
    into = _Read()
    for file in files:
        if file.stat().st_size > FILE_BYTES_MAX:
            raise LimitError(f"found {file} of {file.stat().st_size} bytes, expected at most {FILE_BYTES_MAX}")
        form = _form(file)
        before = (len(into.rows), into.refused.total())
        if form == "snomed":
            _read_snomed(file, into)
        elif form == "rxnorm":
            _read_rxnorm(file, into)
        elif form == "table":
            _read_table(file, into)
        else:
            raise ConfigurationError(
                f"found {file.name}, expected sct2_Description_Snapshot*.txt, RXNCONSO.RRF or a .tsv table; rename it"
            )
        taken, refused = len(into.rows) - before[0], into.refused.total() - before[1]
        if refused > REFUSED_SHARE_MAX * max(1, taken + refused):
            first = into.refused.most_common(1)[0][0]
            raise ReadingError(
                f"found {refused} bad rows of {taken + refused} in {file} ({first}); expected its release form"
            )
    return Terminology(tuple(into.rows), into.ignored, into.refused)


def _form(file: Path) -> str:
    name = file.name.casefold()
    if name.startswith(("sct2_description", "xsct2_description")) and "snapshot" in name:
        return "snomed"
    if name == "rxnconso.rrf":
        return "rxnorm"
    return "table" if name.endswith((".tsv", ".tab")) else ""


def _lines(file: Path, separator: str) -> Iterator[list[str]]:
    try:
        with file.open(encoding="utf-8") as held:
            for line in held:
                yield line.rstrip("\r\n").split(separator)
    except UnicodeDecodeError as error:
        raise ReadingError(f"found bytes in {file} that are no UTF-8 ({error.reason}), convert it") from error


def _read_snomed(file: Path, into: _Read) -> None:
    """Descriptions in English of disorders, findings, products and substances, by tag or by descent."""
    lines = _lines(file, "\t")
    heading = next(lines, [])
    if heading[:8] != ["id", "effectiveTime", "active", "moduleId", "conceptId", "languageCode", "typeId", "term"]:
        raise ReadingError(f"found heading {heading[:4]} in {file}, expected that of an RF2 description file")
    tags: dict[str, Mention] = {}
    terms: dict[str, list[str]] = defaultdict(list)
    for row in lines:
        if len(row) != 9 or not row[4].isdecimal():
            into.refused["snomed: columns"] += 1
        elif row[2] != "1" or row[5] != "en":
            into.ignored["snomed: inactive or not English"] += 1
        else:
            tag = _TAG.search(row[7])
            if row[6] == _FULL_NAME and tag and tag[1] in _TAGS:
                tags[row[4]] = _TAGS[tag[1]]
            terms[row[4]].append(_TAG.sub("", row[7]) if row[6] == _FULL_NAME else row[7])
    descent = _descent(file)
    for concept, names in terms.items():
        type_ = descent.get(concept) if descent else tags.get(concept)
        if type_ is None:
            into.ignored["snomed: other hierarchy"] += len(names)
            continue
        _add(into, [(name, Code(SNOMED, concept, names[0]), type_) for name in dict.fromkeys(names)])


def _descent(descriptions: Path) -> dict[str, Mention]:
    """Which concepts descend from findings, products and substances; empty where no relationships are there."""
    files = sorted(descriptions.parent.glob("*sct2_Relationship_Snapshot*.txt"))
    if not files:
        return {}
    children: dict[str, list[str]] = defaultdict(list)
    for row in _lines(files[0], "\t"):
        if len(row) == 10 and row[2] == "1" and row[7] == _IS_A:
            children[row[5]].append(row[4])
    found: dict[str, Mention] = {}
    for root, type_ in _ROOTS.items():
        waiting = [root]
        while waiting:
            concept = waiting.pop()
            if concept not in found:
                found[concept] = type_
                waiting += children.get(concept, [])
    return found


def _read_rxnorm(file: Path, into: _Read) -> None:
    """Ingredients and brands of RXNCONSO.RRF."""
    for row in _lines(file, "|"):
        if len(row) not in (18, 19) or not row[0].isdecimal():
            into.refused["rxnorm: columns"] += 1
        elif row[11] != "RXNORM" or row[1] != "ENG" or row[12] not in _RX_KINDS or row[16] not in ("N", ""):
            into.ignored["rxnorm: other source, kind or suppressed"] += 1
        else:
            _add(into, [(row[14], Code(RXNORM, row[0], row[14]), "medicine")])


def _read_table(file: Path, into: _Read) -> None:
    lines = _lines(file, "\t")
    heading = [name.strip().casefold() for name in next(lines, [])]
    if heading != _TABLE_HEADING:
        raise ReadingError(f"found heading {heading[:6]} in {file}, expected {_TABLE_HEADING}, separated by tabs")
    classification = icd10cm()
    for row in lines:
        if row == [""]:
            continue
        if (
            len(row) != 4
            or row[2] not in ("condition", "medicine")
            or not row[3].strip()
            or not _CODE.fullmatch(row[1])
        ):
            into.refused["table: columns"] += 1
            continue
        system = _SYSTEMS.get(row[0].strip().casefold(), canonical_system(row[0]))
        unknown = system == ICD10CM and classification is not None and not classification.exists(row[1])
        if system not in _OPEN_SYSTEMS or system == LOINC:
            into.refused["table: system"] += 1
        elif unknown:
            into.refused["table: no such ICD-10-CM code"] += 1
        else:
            type_: Mention = "condition" if row[2] == "condition" else "medicine"
            _add(into, [(row[3].strip(), Code(system, row[1], row[3].strip()), type_)])


def _add(into: _Read, rows: list[tuple[str, Code, Mention]]) -> None:
    for name, code, type_ in rows:
        if 3 <= len(name) <= TERM_CHARS_MAX:
            into.rows.append(TermRow(name, code, type_))
        else:
            into.ignored["name too short or too long"] += 1

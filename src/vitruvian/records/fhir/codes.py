"""Which concept several codings mean: the site's own map first, then the vocabulary's most specific."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from vitruvian.core.vocabulary import RXNORM, VOCABULARY, Concept
from vitruvian.records.fhir.structs import CodeableConcept, Coding
from vitruvian.records.mapping import Mapping

_CACHE_MAX: Final = 65_536
_CACHED_CHARS_MAX: Final = 1_024
_PART_CHARS_MAX: Final = 256  # of a code or display kept with an event
# "Acetaminophen 325 MG Oral Tablet": RxNorm writes the ingredient before the strength, and ` / ` between several.
_STRENGTH: Final = re.compile(r"\s\d")
# "3 ML Amiodarone ...", "NDA020800 0.3 ML Epinephrine ...", "24 HR Metformin ...": how much is in one, or for how long.
_QUANTITY_FACTOR: Final = re.compile(r"^(?:NDA\d+ )?(?:\d+(?:\.\d+)? (?:ML|MG|HR|ACTUAT) )?")


class Known(NamedTuple):
    """A concept, the unit to take where none is stated, and the coding that told, as `system|code|display`."""

    concept: Concept
    unit: str
    code: str


class Coder:
    """Looks codings up, remembering what it found. Not thread-safe."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._known: dict[CodeableConcept, Known | None] = {}
        self._medicines: dict[CodeableConcept, Known | None] = {}

    def find(self, code: CodeableConcept) -> Known | None:
        """What is observed, or None where neither the map nor the vocabulary has any of the codings."""
        try:
            return self._known[code]
        except KeyError:
            found = self._find(code.coding)
            _remember(self._known, code, found)
            return found

    def find_medicine(self, code: CodeableConcept) -> Known | None:
        """What is given: by its codes, else by the one ingredient that its RxNorm name begins with."""
        try:
            return self._medicines[code]
        except KeyError:
            found = self._find(code.coding) or _by_ingredient(code.coding)
            if found is not None and found.concept.administration is None:
                found = None  # a code of something observed is no medicine
            _remember(self._medicines, code, found)
            return found

    def _find(self, codings: tuple[Coding, ...]) -> Known | None:
        for coding in codings:
            local = self._mapping.code(coding.system, coding.code) if coding.code else None
            if local is not None:
                return Known(VOCABULARY[local.concept], local.unit, code_text(coding))
        concept = VOCABULARY.by_codings((coding.system, coding.code) for coding in codings)
        if concept is None:
            return None
        told = next(coding for coding in codings if VOCABULARY.by_code(coding.system, coding.code) is concept)
        return Known(concept, "", code_text(told))


def _remember(table: dict[CodeableConcept, Known | None], code: CodeableConcept, found: Known | None) -> None:
    """Keep what was found, unless the table is full or a stranger's codings would fill it with text."""
    chars = len(code.text) + sum(len(item.system) + len(item.code) + len(item.display) for item in code.coding)
    if len(table) < _CACHE_MAX and chars <= _CACHED_CHARS_MAX:
        table[code] = found


def _by_ingredient(codings: tuple[Coding, ...]) -> Known | None:
    for coding in codings:
        if coding.system != RXNORM or " / " in coding.display or len(coding.display) > _PART_CHARS_MAX:
            continue
        named = _QUANTITY_FACTOR.sub("", coding.display)
        words = _STRENGTH.split(named, maxsplit=1)[0].split()
        for count in range(len(words), 0, -1):
            concept = VOCABULARY.by_alias(" ".join(words[:count]))
            if concept is not None and concept.kind == "intervention":
                return Known(concept, "", code_text(coding))
    return None


def code_text(coding: Coding) -> str:
    """`system|code|display`, each part bounded."""
    return "|".join(part[:_PART_CHARS_MAX] for part in (coding.system, coding.code, coding.display))


def stated_code(code: CodeableConcept | None) -> str:
    """The first coding of a concept, else its text; empty where there is neither."""
    if code is None:
        return ""
    if code.coding:
        first = code.coding[0]
        return code_text(first if first.display else Coding(first.system, first.code, code.text))
    return f"||{code.text[:_PART_CHARS_MAX]}" if code.text else ""

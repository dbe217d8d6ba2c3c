"""Checks of the tables at load: a vocabulary with one inconsistent row is refused whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from vitruvian.core import units
from vitruvian.core.errors import UnitError, VocabularyError
from vitruvian.core.vocabulary.concept import Concept
from vitruvian.core.vocabulary.systems import LOINC, is_loinc
from vitruvian.core.vocabulary.vocabulary import fold, names_of

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,47}")
_INDEX_MAX: Final = 32_767  # series keep the index in 16 bits
_DECIMALS_MAX: Final = 6


def check(concepts: Sequence[Concept]) -> None:
    """Raise VocabularyError at the first inconsistency. `concepts` are in the order of their index."""
    _check_indices(concepts)
    _check_unique(concepts)
    for concept in concepts:
        _check_row(concept)
        _check_units(concept)
        _check_ranges(concept)
        _check_codes(concept)


def _fail(concept: Concept, found: str, todo: str) -> VocabularyError:
    return VocabularyError(f"{concept.name}: found {found}; {todo}")


def _check_indices(concepts: Sequence[Concept]) -> None:
    for expected, concept in enumerate(concepts):
        if concept.index != expected:
            raise _fail(
                concept,
                f"id {concept.index}, expected {expected}",
                "ids run from 0 without gaps or repeats; give a new row the next one",
            )
    if len(concepts) > _INDEX_MAX:
        raise VocabularyError(
            f"found {len(concepts)} concepts, expected at most {_INDEX_MAX}; series keep the index in 16 bits"
        )


def _check_unique(concepts: Sequence[Concept]) -> None:
    codes: dict[object, str] = {}
    aliases: dict[str, str] = {}
    names: set[str] = set()
    for concept in concepts:
        if concept.name in names:
            raise _fail(concept, "a second row of this name", "rename one of them")
        names.add(concept.name)
        for code in concept.codes:
            other = codes.setdefault(code, concept.name)
            if other != concept.name or concept.codes.count(code) > 1:
                raise _fail(
                    concept, f"code {code.code} of {code.system}, which {other} has too", "a code means one concept"
                )
        for text in names_of(concept):
            other = aliases.setdefault(fold(text), concept.name)
            if other != concept.name:
                raise _fail(
                    concept, f"alias {text!r}, which {other} has too", "an alias means one concept; drop or qualify it"
                )


def _check_row(concept: Concept) -> None:
    if not _NAME.fullmatch(concept.name):
        raise _fail(concept, "a name that is not lower_snake_case of 2 to 48 characters", "rename it")
    if not concept.display or not concept.short:
        raise _fail(concept, "an empty display or short label", "give both")
    if not 0 <= concept.decimals <= _DECIMALS_MAX:
        raise _fail(concept, f"decimals {concept.decimals}", f"give 0 to {_DECIMALS_MAX}")
    if concept.valid_for_s <= 0 or concept.cadence_s <= 0:
        raise _fail(concept, "a validity or cadence that is not above zero", "give seconds")
    if concept.charge is not None and concept.charge <= 0:
        raise _fail(concept, f"charge {concept.charge}", "give its absolute value")
    if concept.molar_mass_g_per_mol is not None and concept.molar_mass_g_per_mol <= 0:
        raise _fail(concept, f"molar mass {concept.molar_mass_g_per_mol}", "give grams a mole")
    if (concept.kind == "intervention") != (concept.administration is not None):
        raise _fail(concept, "an administration on the wrong kind", "interventions have one, others have none")
    numbers = [answer.number for answer in concept.coded]
    if len(set(numbers)) != len(numbers):
        raise _fail(concept, "two answers of one number", "number each answer once")


def _check_units(concept: Concept) -> None:
    given = concept.administration
    stated = [concept.unit, *((given.dose_unit, given.rate_unit) if given else ())]
    for unit in stated:
        try:
            canonical = units.canonical(unit) if unit else unit
        except UnitError as error:
            raise _fail(concept, str(error), "give the unit in UCUM") from None
        if unit != canonical:
            raise _fail(concept, f"unit {unit!r}", f"write it in UCUM, as {canonical!r}")
    if given and concept.unit not in (given.dose_unit, given.rate_unit):
        raise _fail(concept, f"unit {concept.unit!r}", "use the administration's dose or rate unit")
    if any(factor <= 0 for factor, _ in concept.equivalents.values()):
        raise _fail(concept, "an equivalent unit with a factor that is not above zero", "correct the factor")


def _check_ranges(concept: Concept) -> None:
    low, high = concept.plausible
    given = concept.administration
    pairs = [concept.plausible, *((row.low, row.high) for row in concept.normal)]
    pairs += [pair for pair in (given.plausible_dose, given.plausible_rate) if pair] if given else []
    for pair in pairs:
        if not pair[0] < pair[1]:
            raise _fail(concept, f"range {pair}", "write the lower bound first")
    for row in concept.normal:
        if not low <= row.low < row.high <= high:
            raise _fail(
                concept,
                f"normal range {row.low} to {row.high} outside the plausible {low} to {high}",
                "check both and their unit",
            )
        if not 0 <= row.age_from_years < row.age_to_years or row.sex not in (None, "male", "female"):
            raise _fail(
                concept, f"normal range for {row.age_from_years} to {row.age_to_years} years, {row.sex}", "correct it"
            )
    for index, row in enumerate(concept.normal):
        for other in concept.normal[:index]:
            apart = row.age_from_years >= other.age_to_years or other.age_from_years >= row.age_to_years
            if not apart and (row.sex is None or other.sex is None or row.sex == other.sex):
                raise _fail(concept, f"two normal ranges at {row.age_from_years} years", "let age bands not overlap")


def _check_codes(concept: Concept) -> None:
    loinc = [code.code for code in concept.codes if code.system == LOINC]
    if concept.kind in ("vital", "lab") and not loinc:
        raise _fail(concept, "no LOINC code", "vitals and labs have at least one")
    for code in loinc:
        if not is_loinc(code):
            raise _fail(concept, f"LOINC {code!r}, whose check digit is wrong", "look the code up again")
    if not set(concept.generic) <= set(concept.codes):
        raise _fail(concept, "a generic code that is not among the codes", "list it under loinc as well")

"""The vocabulary: one table of what can be observed, derived and done. Adding a vital sign is adding a row.

>>> from vitruvian.core.vocabulary import VOCABULARY
>>> round(VOCABULARY["glucose"].normalize(5.5, "mmol/L"), 1)
99.1
>>> VOCABULARY.by_code("LN", "8867-4").name
'heart_rate'
"""

from vitruvian.core.vocabulary.concept import Administration, Code, CodedValue, Concept, Kind, NormalRange
from vitruvian.core.vocabulary.systems import (
    ATC,
    LOINC,
    MDC,
    RXNORM,
    SNOMED,
    canonical_system,
    is_loinc,
    loinc_check_digit,
)
from vitruvian.core.vocabulary.table import load, read
from vitruvian.core.vocabulary.vocabulary import Vocabulary, fold

__all__ = [
    "ATC",
    "LOINC",
    "MDC",
    "RXNORM",
    "SNOMED",
    "VOCABULARY",
    "Administration",
    "Code",
    "CodedValue",
    "Concept",
    "Kind",
    "NormalRange",
    "Vocabulary",
    "canonical_system",
    "fold",
    "is_loinc",
    "load",
    "loinc_check_digit",
    "read",
]

VOCABULARY: Vocabulary = load()

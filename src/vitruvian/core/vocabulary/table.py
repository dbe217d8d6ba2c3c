"""Load the tables: TOML in, concepts out, refused whole if anything in them is inconsistent."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any, Final

from vitruvian.core.errors import VocabularyError
from vitruvian.core.vocabulary.check import check
from vitruvian.core.vocabulary.concept import Administration, Code, CodedValue, Concept, Kind, NormalRange
from vitruvian.core.vocabulary.systems import TABLE_KEYS
from vitruvian.core.vocabulary.vocabulary import Vocabulary

# Rows may be added, never renumbered: the minor number counts additions, the major one changes of meaning.
SEMANTIC_VERSION: Final = "1.1.0"
FILES: Final[dict[str, Kind]] = {
    "vitals.toml": "vital",
    "labs.toml": "lab",
    "gases.toml": "lab",
    "urine.toml": "lab",
    "scores.toml": "score",
    "interventions.toml": "intervention",
    "state.toml": "state",
    "body.toml": "estimate",
}
_FIELDS: Final = {
    "id", "display", "short", "unit", "decimals", "plausible", "valid_for_s", "cadence_s", "aliases", "normal",
    "answers", "generic", "molar_mass_g_per_mol", "charge", "equivalents", "administration", "retired", "source",
    *TABLE_KEYS,
}  # fmt: skip
_REQUIRED: Final = ("id", "display", "unit", "decimals", "plausible")
_DEFAULT_VALID_FOR_S: Final = {
    "vital": 3600,
    "lab": 86_400,
    "score": 3600,
    "state": 31_557_600,
    "intervention": 86_400,
    "estimate": 900,
}
_DEFAULT_CADENCE_S: Final = {
    "vital": 60,
    "lab": 43_200,
    "score": 60,
    "state": 86_400,
    "intervention": 3600,
    "estimate": 60,
}


def load() -> Vocabulary:
    """The vocabulary that ships with the package. Raises VocabularyError."""
    folder = resources.files("vitruvian.core.vocabulary")
    texts = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in FILES}
    return read(texts)


def read(texts: Mapping[str, str]) -> Vocabulary:
    """A vocabulary from the texts of its files, by file name.

    Raises VocabularyError, naming the row and what to correct.
    """
    digest = hashlib.blake2b(digest_size=8)
    concepts: list[Concept] = []
    for name in sorted(texts):
        digest.update(name.encode() + b"\0" + texts[name].encode() + b"\0")
        concepts.extend(_concepts(name, texts[name]))
    concepts.sort(key=lambda concept: concept.index)
    check(concepts)
    return Vocabulary(concepts, f"{SEMANTIC_VERSION}+{digest.hexdigest()}")


def _concepts(file: str, text: str) -> Iterable[Concept]:
    try:
        rows = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise VocabularyError(f"{file}: found {error}, expected TOML; correct the file") from None
    kind = FILES[file]
    for name, row in rows.items():
        yield _concept(name, kind, row)


def _concept(name: str, kind: Kind, row: Mapping[str, Any]) -> Concept:
    unknown, missing = set(row) - _FIELDS, [key for key in _REQUIRED if key not in row]
    if unknown or missing:
        raise VocabularyError(
            f"{name}: found unknown fields {sorted(unknown)}, missing fields {missing}; correct the row"
        )
    try:
        return Concept(
            name=name,
            index=row["id"],
            kind=kind,
            display=row["display"],
            short=row.get("short", row["display"]),
            unit=row["unit"],
            decimals=row["decimals"],
            plausible=_pair(row["plausible"]),
            valid_for_s=row.get("valid_for_s", _DEFAULT_VALID_FOR_S[kind]),
            cadence_s=row.get("cadence_s", _DEFAULT_CADENCE_S[kind]),
            codes=tuple(Code(uri, code) for key, uri in TABLE_KEYS.items() for code in row.get(key, ())),
            generic=tuple(Code(TABLE_KEYS["loinc"], code) for code in row.get("generic", ())),
            aliases=tuple(row.get("aliases", ())),
            normal=tuple(_normal(item) for item in row.get("normal", ())),
            coded=tuple(_answer(item) for item in row.get("answers", ())),
            molar_mass_g_per_mol=row.get("molar_mass_g_per_mol"),
            charge=row.get("charge"),
            equivalents={key.casefold(): _factor(item) for key, item in row.get("equivalents", {}).items()},
            administration=_administration(row["administration"]) if "administration" in row else None,
            retired=row.get("retired", False),
            source=row.get("source", ""),
        )
    except (TypeError, ValueError, KeyError) as error:
        raise VocabularyError(
            f"{name}: found a field of the wrong shape ({error}); compare it with a neighbouring row"
        ) from None


def _pair(item: Any) -> tuple[float, float]:
    low, high = item
    return float(low), float(high)


def _factor(item: Any) -> tuple[float, float]:
    """A factor, or [factor, offset]."""
    return _pair(item) if isinstance(item, list) else (float(item), 0.0)


def _normal(item: Any) -> NormalRange:
    """[age from, age to, low, high] with an optional sex."""
    age_from, age_to, low, high, *sex = item
    return NormalRange(float(age_from), float(age_to), float(low), float(high), *sex)


def _answer(item: Any) -> CodedValue:
    """[code, number, display, synonyms...]"""
    code, number, display, *synonyms = item
    return CodedValue(code, float(number), display, tuple(text.casefold() for text in synonyms))


def _administration(item: Mapping[str, Any]) -> Administration:
    fields = dict(item)
    for key in ("plausible_dose", "plausible_rate"):
        if key in fields:
            fields[key] = _pair(fields[key])
    fields["routes"] = tuple(fields["routes"])
    return Administration(**fields)

"""The vocabulary as a page of Markdown, so that the documentation cannot differ from the tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from vitruvian.core.vocabulary.concept import Concept, NormalRange
from vitruvian.core.vocabulary.systems import TABLE_KEYS
from vitruvian.core.vocabulary.vocabulary import Vocabulary

_TITLES: Final = {
    "vital": "Vital signs and bedside measurements",
    "lab": "Laboratory",
    "score": "Scores and risks",
    "state": "Declared state",
    "estimate": "Estimated by a body model",
    "intervention": "Interventions",
}
_SYSTEM_LABELS: Final = {
    uri: {"loinc": "LOINC", "mdc": "MDC", "rxnorm": "RxNorm", "atc": "ATC", "snomed": "SNOMED"}[key]
    for key, uri in TABLE_KEYS.items()
}
_INTRODUCTION: Final = """# The vocabulary

One table of what can be observed, derived and done: `src/vitruvian/core/vocabulary/*.toml`. Adding a vital sign is
adding a row with the next free `id`; ids are kept in stored series and are never reused. Values are kept in the unit
given here; mass and amount of substance exchange by the molar mass, equivalents by the charge. A value outside the
plausible range is kept, flagged, and left out of trends. *Valid* is how long a value may be carried forward before it
is stale. Adult normal ranges are shown; bands for children and by sex are in the tables. Ranges are for display, not
for diagnosis.

How the codes were checked. Every LOINC code has a right check digit; 171 of the 246 were compared by name with the
published MIMIC-to-LOINC tables, some of the others with public FHIR guides, the rest with nothing but a second
recollection. Codes of smear morphology that some senders use for blood counts are left out on purpose. RxNorm and ATC
codes of 26 medicines were compared with CPIC's tables, RxNorm of another 15 with CPIC's database and published lists of
emergency medicines and vasopressors; those of cefazolin, cisatracurium, dexmedetomidine, esmolol, indometacin,
linezolid, milrinone, nicardipine, nitroprusside, phenobarbital, piperacillin with tazobactam and theophylline were
found in no table at hand, and the others only in lists of mixed quality. ATC codes beyond CPIC's, MDC codes and most
SNOMED CT codes rest on two recollections that agree. Compare them with the releases before you rely on them.

This page is written by `python -m vitruvian.core.vocabulary`; a test sees that it is up to date.
"""


def markdown(vocabulary: Vocabulary) -> str:
    """The whole page; ends with a newline."""
    sections = [_INTRODUCTION, f"{len(vocabulary)} concepts, version `{vocabulary.version}`.\n"]
    for kind, title in _TITLES.items():
        rows = [concept for concept in vocabulary if concept.kind == kind]
        sections.append(f"## {title}\n")
        sections.append(_interventions(rows) if kind == "intervention" else _observations(rows))
    return "\n".join(sections)


def _observations(rows: Iterable[Concept]) -> str:
    lines = [
        "| id | name | display | unit | plausible | normal (adult) | valid | codes |",
        "|--:|---|---|---|---|---|--:|---|",
    ]
    for concept in rows:
        lines.append(
            f"| {concept.index} | `{concept.name}` | {concept.display} ({concept.short}) | `{concept.unit}` "
            f"| {_span(*concept.plausible)} | {_adult(concept.normal)} | {_duration(concept.valid_for_s)} "
            f"| {_codes(concept)} |"
        )
    return "\n".join(lines) + "\n"


def _interventions(rows: Iterable[Concept]) -> str:
    lines = ["| id | name | display | routes | dose | rate | codes |", "|--:|---|---|---|---|---|---|"]
    for concept in rows:
        given = concept.administration
        if given is None:
            continue
        lines.append(
            f"| {concept.index} | `{concept.name}` | {concept.display} ({concept.short}) | {', '.join(given.routes)} "
            f"| {_limit(given.dose_unit, given.plausible_dose)} | {_limit(given.rate_unit, given.plausible_rate)} "
            f"| {_codes(concept)} |"
        )
    return "\n".join(lines) + "\n"


def _limit(unit: str, pair: tuple[float, float] | None) -> str:
    if not unit:
        return ""
    return f"{_span(*pair)} `{unit}`" if pair else f"`{unit}`"


def _span(low: float, high: float) -> str:
    return f"{low:g} to {high:,.10g}"


def _adult(rows: Iterable[NormalRange]) -> str:
    return "; ".join(
        _span(row.low, row.high) + (f" ({row.sex})" if row.sex else "")
        for row in rows
        if row.age_from_years <= 40 < row.age_to_years
    )


def _duration(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds} s"


def _codes(concept: Concept) -> str:
    by_system: dict[str, list[str]] = {}
    for code in concept.codes:
        by_system.setdefault(_SYSTEM_LABELS[code.system], []).append(code.code)
    return "; ".join(f"{label} {', '.join(codes)}" for label, codes in by_system.items())

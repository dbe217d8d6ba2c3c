"""Numbers with a name: vital signs and laboratory values, each a concept of the vocabulary in its own unit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from msgspec import structs

from vitruvian.core.errors import UnitError
from vitruvian.core.vocabulary import LOINC, VOCABULARY, Concept
from vitruvian.explanation.notes.base import Code, Suggestion

__all__ = ["findings"]

_TABLE: Final = files("vitruvian.explanation.notes") / "tables" / "findings.toml"
_NUMBER: Final = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,7}(?:\.\d{1,4})?|\.\d{1,4}"
# What may stand between a name and its number. Possessive: what it took it keeps, so no text makes it try long.
_LINK: Final = (
    r"(?:[ \t]{0,4}(?:\((?!\d)[^()\n]{0,20}\)|[:=~↑↓@*,.(\[-]|"
    r"(?:was|is|of|at|now|today|levels?|count|readings?|reads?|remain(?:s|ed)|up to|down to|has|have|been|risen to|"
    r"increased to|improved to|fell to|rose to|drop(?:ped)? to|rising to|falling to|down trending to|peaked at|peak|"
    r"on arrival|on admission|initially|still|around|about|approx(?:imately|\.)?|repeat|came back at|came back|back at|"
    r"elevated at|high at|low at|stable at|trend|measured|recorded|noted|in the|in|showed|found|to be|to|elevated|"
    r"high|low|"
    r"raised|mildly|currently|this morning|this am|overnight|an?|max|min|running|improving|worsening|trending|serum|"
    r"random|fasting|(?:dropped|drop|fell|rose|increased|decreased|improved|went|gone|trended|climbed|jumped|bumped|"
    r"spiked|cleared|settled|back|down|up|risen|fallen|peaked|dips|dipped|dipping)"
    r"(?: (?:down|up|back))?(?: (?:from|to|at))?|from|mostly|low|"
    r"high|mid|upper|worst|latest|last|irregular|sitting at|maintain(?:ed|ing))(?![a-z]))){0,8}+[ \t]{0,4}"
)
_COMPARATOR: Final = r"(?P<comparator>[<>≤≥]=?|less than|greater than|more than|over|above|below|under)?[ \t]{0,4}"
_COMPARATORS: Final = {
    "<": "<", "<=": "<=", "≤": "<=", ">": ">", ">=": ">=", "≥": ">=", "less than": "<", "below": "<", "under": "<",
    "greater than": ">", "more than": ">", "over": ">", "above": ">",
}  # fmt: skip
_NOT_A_VALUE: Final = re.compile(
    r"[ \t]?(?:mg|mcg|g|units?|tabs?|doses?|puffs?|days?|hours?|hrs?|h|weeks?|wks?|months?|years?|yrs?|yo|y/o|am|pm|"
    r"mls?|d|x)\b|/\d{1,2}/|[ \t]?(?:AM|PM|o'clock)\b|:\d\d"
)
NEAR_CHARS: Final = 40
FOLLOWING_MAX: Final = 4
_FROM: Final = re.compile(r"\bfrom[ \t]*$", re.IGNORECASE)
# A second number of the same thing: `Cr 2.4 (baseline 1.1)`, `sats 88% up to 94`, `K 3.1 -> 3.9`.
_FOLLOWING: Final = re.compile(
    r"[ \t]?(?:\([HL]\)|[HL]\b)?[^\d\n.;]{0,24}?"
    r"(?:(?P<past>baseline|previously|previous|prior|from|was|<-|<--|←)|peak(?:ed at)?|nadir|now|then|"
    r"up to|down to|to|->|"
    r"-->|→|improved to|rising to|initially|max|repeat)(?: of| at)?:?[ \t]*(?P<value>"
    + _NUMBER
    + r")(?![\d/])(?P<unit>[ \t]?%)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Row:
    """How one concept is written: names as a pattern, units as text to UCUM, and what a bare number means."""

    concept: Concept
    pattern: re.Pattern[str]
    units: dict[str, str]
    bare: tuple[tuple[float, float, str], ...]
    needs: re.Pattern[str] | None = None


def findings(text: str) -> list[Suggestion]:
    """The findings of a text, in order. Of names that overlap the one that begins first, then the longer, is taken."""
    found: list[Suggestion] = [*_pressures(text)]
    for row in _rows():
        for match in row.pattern.finditer(text):
            made = _made(text, row, match)
            if made is not None:
                found += [made, *_followed(text, row, made)]
    found += _uncoded(text)
    found.sort(key=lambda one: (one.start, -one.end))
    kept: list[Suggestion] = []
    for one in found:
        same = bool(kept) and (kept[-1].start, kept[-1].end) == (one.start, one.end)
        if not kept or one.start >= kept[-1].end or (same and kept[-1].concept != one.concept and _is_pressure(one)):
            kept.append(one)
    return kept


# Measured often, and no concept of the vocabulary yet: shown as written, without a code, never an observation.
_UNCODED: Final = re.compile(
    r"(?<![\w.])(?P<name>ICP|CPP|(?:serum |blood |cap(?:illary)? )?ketones?|"
    r"(?:serum |urine |quant(?:itative)? |b|β|beta[- ]?)?-?HCG|"
    r"lithium(?: level)?|urine (?:P|A)CR|(?:u)?[PA]CR|P/?F ratio|P/?F|CA[- ]?(?:125|19-9)|free T3|osmolar gap|"
    r"CSF (?:WCC|WBC|protein|glucose)|opening pressure|FEV1|vit(?:amin)? ?D(?: level)?|peak flow|PEFR|PEF|PEEPi)"
    r"(?![A-Za-z])"
    + _LINK
    + r"(?P<value>"
    + _NUMBER
    + r")(?![\d/])(?P<unit>[ \t]?(?:mmol/L|mmHg|m?IU/m?L|mg/mmol|%|L/min|cmH2O))?",
    re.IGNORECASE,
)


def _uncoded(text: str) -> Iterator[Suggestion]:
    for match in _UNCODED.finditer(text):
        stated, unit = float(match["value"].replace(",", "")), (match["unit"] or "").strip()
        yield Suggestion(
            match.start(), match.end(), match.group(), "finding", stated_value=stated, stated_unit=unit,
            quality=("no-concept",),
        )  # fmt: skip


def _is_pressure(one: Suggestion) -> bool:
    return one.concept in ("systolic_pressure", "diastolic_pressure")


_PRESSURE: Final = re.compile(
    r"(?<![\w/.])(?:(?P<name>BPs?|NIBP|ABP|blood pressures?|b/p|art line|arterial line|SBP/DBP)" + _LINK + r")?"
    r"(?P<high>\d{2,3})s?[ \t]?/[ \t]?(?P<low>\d{2,3})s?(?![\d/]|\.\d)"
    r"(?:[ \t]?\(\d{2,3}\))?(?:[ \t]?(?P<unit>mm ?hg))?",
    re.IGNORECASE,
)
_PRESSURE_CONTEXT: Final = re.compile(
    r"(?:HR|RR|T|temp|P|pulse|VS|vitals|obs|sats?|lying|standing|sitting|supine|erect|hypotens\w+|hypertens\w+|pressure)\b[^.\n]{0,40}$",
    re.IGNORECASE,
)


def _pressures(text: str) -> Iterator[Suggestion]:
    """`BP 92/54`: two findings of one span. A pair without a name counts with its unit, or among other vital signs."""
    for match in _PRESSURE.finditer(text):
        high, low = float(match["high"]), float(match["low"])
        named = (
            match["name"] or match["unit"] or _PRESSURE_CONTEXT.search(text, max(0, match.start() - 60), match.start())
        )
        if not named or not 30 <= high <= 320 or not 10 <= low < high:
            continue
        for name, value in (("systolic_pressure", high), ("diastolic_pressure", low)):
            yield _suggestion(
                text, match.start(), match.end(), VOCABULARY[name], value, "", value, match["unit"] or "", ()
            )


def _made(text: str, row: _Row, match: re.Match[str]) -> Suggestion | None:
    stated = float(match["value"].replace(",", ""))
    unit = (match["unit"] or "").strip()
    if not unit and (_NOT_A_VALUE.match(text, match.end()) or text[match.end() : match.end() + 1] == "%"):
        return None
    comparator = _COMPARATORS.get((match["comparator"] or "").casefold().strip(), "")
    value, quality = _converted(row, stated, unit)
    end = match.end()
    if value is None and not unit:
        return None
    told = "" if value is None else row.concept.unit
    if row.needs and not row.needs.search(text, max(0, match.start() - NEAR_CHARS), match.start()):
        return None
    made = _suggestion(text, match.start("name"), end, row.concept, value, comparator, stated, unit, quality)
    left = _FROM.search(text, match.end("name"), match.start("value"))  # "fell from 9.8 to 7.1"
    past = left is not None and _FOLLOWING.match(text, end) is not None
    return structs.replace(made, unit=told, assertion="historical" if past else "present")


def _followed(text: str, row: _Row, first: Suggestion) -> Iterator[Suggestion]:
    """Further numbers of the same concept right after the first (`CRP 140 -> 88 -> 30`), in the unit of the first."""
    end = first.end
    for _ in range(FOLLOWING_MAX):
        match = _FOLLOWING.match(text, end)
        if match is None or first.value is None or _NOT_A_VALUE.match(text, match.end()):
            return
        stated = float(match["value"].replace(",", ""))
        value, quality = _converted(row, stated, first.stated_unit)
        if value is None or "implausible" in quality or not 0.1 <= (value + 1e-9) / (first.value + 1e-9) <= 10:
            return
        start, end = match.start("value"), match.end()
        made = _suggestion(text, start, end, row.concept, value, "", stated, first.stated_unit, quality)
        yield structs.replace(made, assertion="historical", cues=(match["past"],)) if match["past"] else made


def _converted(row: _Row, stated: float, unit: str) -> tuple[float | None, tuple[str, ...]]:
    """The value in the concept's unit, and what is to be said of it; None where its unit cannot be told."""
    if unit:
        ucum = row.units.get(re.sub(r"\s+", "", unit).casefold(), unit)
        try:
            value = row.concept.normalize(stated, ucum)
        except UnitError:
            return None, ("unit-missing",)
        return value, () if row.concept.is_plausible(value) else ("implausible",)
    for low, high, ucum in row.bare:
        if low <= stated <= high:
            value = row.concept.normalize(stated, ucum)
            assumed = (
                () if not ucum or row.concept.unit in ("/min", "{score}", "[pH]", "{INR}", "%") else ("unit-assumed",)
            )
            return value, assumed if row.concept.is_plausible(value) else (*assumed, "implausible")
    return None, ("unit-missing",)


def _suggestion(
    text: str, start: int, end: int, concept: Concept, value: float | None, comparator: str, stated: float, unit: str,
    quality: Sequence[str],
) -> Suggestion:  # fmt: skip
    codes = tuple(Code(code.system, code.code, concept.display) for code in concept.codes if code.system == LOINC)[:1]
    rounded = None if value is None else float(f"{value:.6g}")
    return Suggestion(
        start, end, text[start:end], "finding", codes=codes, concept=concept.name, value=rounded, unit=concept.unit,
        comparator=comparator, stated_value=stated, stated_unit=unit, quality=tuple(quality),  # type: ignore[arg-type]
    )  # fmt: skip


@cache
def _rows() -> tuple[_Row, ...]:
    tables = tomllib.loads(_TABLE.read_text("utf-8"))
    rows = []
    for name, table in tables.items():
        concept = VOCABULARY[table.get("concept", name)]
        units = {re.sub(r"\s+", "", written).casefold(): ucum for written, ucum in table.get("units", {}).items()}
        written = sorted(
            (re.escape(text).replace(r"\ ", r"[ \t]?") for text in table.get("units", {})), key=len, reverse=True
        )
        unit = rf"(?P<unit>{'|'.join(written)})(?![A-Za-z])" if written else r"(?P<unit>(?!))"
        cased = table.get("cased", [])
        names = "|".join([*(f"(?i:{one})" for one in table.get("names", [])), *cased])
        pattern = (
            rf"(?<![\w.])(?P<name>{names})(?![A-Za-z]){_LINK}{_COMPARATOR}(?P<value>{_NUMBER})(?![\d])"
            rf"(?:s\b)?{table.get('tail', '')}(?:[ \t]?{unit})?(?:[ \t](?:RA|on RA|on room air|room air|on air|air)\b)?"
        )
        if "pattern" in table:
            pattern = table["pattern"].replace("NUMBER", f"(?P<value>{_NUMBER})").replace("UNIT", unit)
        bare = tuple((float(low), float(high), ucum) for low, high, ucum in table.get("bare", []))
        flags = re.IGNORECASE if "pattern" not in table else 0
        needs = re.compile(rf"\b{table['needs']}", re.IGNORECASE) if "needs" in table else None
        rows.append(_Row(concept, re.compile(pattern, flags), units, bare, needs))
    return tuple(rows)

"""What was measured: labevents, chartevents, outputevents and the outpatient record (omr)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, cast

import polars as pl

from vitruvian.core.errors import UnitError
from vitruvian.core.events import Comparator, Event, Quantity, Reading, Status
from vitruvian.core.vocabulary import VOCABULARY, Concept
from vitruvian.records.mapping import LocalCode
from vitruvian.records.mimic.site import SYSTEMS, Site, key_of
from vitruvian.records.tables import fraction_of_oxygen, numbers, take

_BOUND: Final = re.compile(r"^\s*(<=|>=|<|>)\s*(\d+(?:\.\d+)?)\s*$")
# A tube in the throat makes the verbal response untestable; it is charted as 1, which would read as "none".
_INTUBATED: Final = ("ett", "et/trach", "trach")
# Text of items whose unit the table leaves out or damages in its encoding.
_DAMAGED_DEGREE: Final = re.compile(r"^[^A-Za-z°]([CF])$")


def labevents(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Laboratory results; available when stored (MIMIC-IV), else when charted."""
    table = take(
        frame, "subject_id", "hadm_id", "itemid", "charttime", "storetime", "value", "valuenum", "valueuom",
        "labevent_id", "row_id",
    )  # fmt: skip
    yield from _measured("labevents", "d-labitems", "d_labitems", table, site)


def chartevents(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """What nurses and monitors charted; MIMIC-III marks rows that were errors."""
    table = take(
        frame, "subject_id", "hadm_id", "itemid", "charttime", "storetime", "value", "valuenum", "valueuom", "row_id",
        "stay_id", "icustay_id", "error",
    )  # fmt: skip
    yield from _measured("chartevents", "chartevents-d-items", "d_items", table, site)


def outputevents(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Volumes that left the patient."""
    table = take(
        frame, "subject_id", "hadm_id", "itemid", "charttime", "storetime", "value", "valueuom", "row_id", "stay_id",
        "icustay_id", "iserror",
    )  # fmt: skip
    table = table.rename({"iserror": "error"}).with_columns(valuenum=pl.col("value"))
    yield from _measured("outputevents", "outputevents-d-items", "d_items", table, site)


def _measured(name: str, system: str, dictionary: str, table: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """One reading a row; rows of items that mean nothing certain share one reading an item."""
    has_error, own = "error" in table.columns, "labevent_id" if "labevent_id" in table.columns else "row_id"
    unmapped: dict[str, Reading] = {}
    columns = zip(
        table.rows(),
        *(table[column].to_list() for column in ("subject_id", "hadm_id", "itemid")),
        site.instants(table["charttime"]),
        site.instants(table["storetime"]),
        *(table[column].to_list() for column in ("value", "valueuom", own, "row_id")),
        numbers(table["valuenum"]),
        table["error"].to_list() if has_error else [None] * table.height,
        strict=True,
    )
    for row, subject, admission, item, at_us, stored_us, text, unit, own_id, row_id, number, error in columns:
        local = site.item(system, (item or "").strip())
        if local is None:
            shared = unmapped.get(item)
            if shared is None:
                shared = unmapped[item] = _unmapped(name, system, dictionary, item or "", site)
            yield shared
            continue
        if at_us is None or not subject:
            yield site.refused(name, "row", "found no subject_id or charttime, expected both", row)
            continue
        found = _quantity(number, text or "", unit or "", local, item)
        if isinstance(found, tuple):
            reason, detail = found
            yield Reading(name, ignored=detail) if not reason else site.refused(name, reason, detail, row)
            continue
        concept = VOCABULARY[local.concept]
        quality = () if concept.is_plausible(found.value) else ("implausible",)
        code = f"{SYSTEMS}{system}|{item}|{site.label(dictionary, item)}"
        event = Event("observation", concept.name, found, at_us, code=code, quality=quality)
        wrong: Status = "entered-in-error" if error == "1" else "final"
        key = own_id or row_id or key_of(row)
        yield Reading(name, (site.entry(name, key, (event,), subject, admission or "", stored_us, wrong),))


def _unmapped(name: str, system: str, dictionary: str, item: str, site: Site) -> Reading:
    label = site.label(dictionary, item)
    return Reading(
        name, ignored="the item is not in the vocabulary", unmapped=(f"mimic-{system}|{item}|{label}".rstrip("|"),)
    )


def _quantity(number: float | None, text: str, unit: str, local: LocalCode, item: str) -> Quantity | tuple[str, str]:
    """The value in the concept's unit; or (reason, detail), the reason empty where there is nothing to take."""
    concept, comparator = VOCABULARY[local.concept], ""
    bound = _BOUND.match(text)
    if bound:
        comparator, number = bound[1], float(bound[2])
    if number is None:
        return (
            ("", "no numeric result") if not _reads_as_number(text) else ("value", "found no valuenum beside a number")
        )
    if concept.name == "glasgow_verbal" and any(word in text.casefold() for word in _INTUBATED):
        return "", "the verbal response could not be tested (tube)"
    if concept.name == "inspired_oxygen_fraction":
        value = fraction_of_oxygen(number)
        stated = "%" if value != number else "1"
    else:
        converted = _converted(number, _clean(unit), local, concept)
        if isinstance(converted, str):
            return "unit", f"{converted} (item {item})"
        value, stated = converted
    kept = cast(Comparator, comparator)
    if value == number and stated == concept.unit:
        return Quantity(value, concept.unit, kept)
    return Quantity(value, concept.unit, kept, number, stated)


def _converted(number: float, unit: str, local: LocalCode, concept: Concept) -> tuple[float, str] | str:
    """Value and the unit that it was stated in. The item's own unit holds only where the row states none."""
    stated = unit or local.unit
    try:
        return concept.normalize(number, stated), stated
    except UnitError as error:
        return str(error)


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _clean(unit: str) -> str:
    """`?C` and other damaged degree signs, and the blanks that stand for no unit."""
    stripped = unit.strip()
    degree = _DAMAGED_DEGREE.match(stripped)
    return f"deg{degree[1]}" if degree else stripped


# --- outpatient record -------------------------------------------------------

_OMR: Final[dict[str, tuple[str, str]]] = {
    "weight (lbs)": ("body_weight", "[lb_av]"),
    "weight": ("body_weight", "[lb_av]"),
    "height (inches)": ("body_height", "[in_i]"),
    "height": ("body_height", "[in_i]"),
    "bmi (kg/m2)": ("body_mass_index", "kg/m2"),
    "bmi": ("body_mass_index", "kg/m2"),
    "egfr": ("egfr", "mL/min/{1.73_m2}"),
}


def omr(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Weight, height, body mass index and blood pressure of visits; a day, not a time, is stated."""
    table = take(frame, "subject_id", "chartdate", "seq_num", "result_name", "result_value")
    for row, at_us in zip(table.rows(), site.instants(table["chartdate"]), strict=True):
        subject, _, number, name, text = ((cell or "").strip() for cell in row)
        if at_us is None or not subject:
            yield site.refused("omr", "row", "found no subject_id or chartdate, expected both", row)
            continue
        values = _omr_values(name.lower(), text)
        if values is None:
            yield Reading("omr", ignored="no number, or a kind that has no home yet")
            continue
        events = []
        for concept_name, unit, value in values:
            concept = VOCABULARY[concept_name]
            kept = concept.normalize(value, unit)
            same = unit == concept.unit
            quantity = Quantity(kept, concept.unit) if same else Quantity(kept, concept.unit, "", value, unit)
            quality = () if concept.is_plausible(kept) else ("implausible",)
            events.append(
                Event("observation", concept_name, quantity, at_us, code=f"mimic:omr|{name}|", quality=quality)
            )
        yield Reading("omr", (site.entry("omr", key_of((subject, at_us, number, name)), tuple(events), subject),))


def _omr_values(name: str, text: str) -> list[tuple[str, str, float]] | None:
    try:
        if name in ("blood pressure", "blood pressure sitting"):
            systolic, _, diastolic = text.partition("/")
            return [
                ("systolic_pressure", "mm[Hg]", float(systolic)),
                ("diastolic_pressure", "mm[Hg]", float(diastolic)),
            ]
        return [(*_OMR[name], float(text))] if name in _OMR else None
    except ValueError:
        return None

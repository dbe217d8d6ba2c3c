"""What was given and done: inputevents, emar, prescriptions and procedureevents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import polars as pl

from vitruvian.core.errors import UnitError
from vitruvian.core.events import Dose, Event, Reading, Status
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records.mimic.site import SYSTEMS, Site, key_of
from vitruvian.records.tables import numbers, take

# CareVue writes rates without strokes.
_CAREVUE: Final = {
    "mcgkgmin": "mcg/kg/min", "mcgkghr": "mcg/kg/h", "mcgmin": "mcg/min", "mcghr": "mcg/h", "mgkghr": "mg/kg/h",
    "mgkgmin": "mg/kg/min", "mghr": "mg/h", "mgmin": "mg/min", "gmhr": "g/h", "Uhr": "U/h", "Ukghr": "U/kg/h",
    "Umin": "U/min", "mEqhr": "meq/h", "mlhr": "mL/h", "cchr": "mL/h",
}  # fmt: skip
_UNITS: Final = {"mEq.": "meq", "mEq": "meq", "mEq./hour": "meq/h", "mEq/hour": "meq/h", "dose": "", "ml": "mL"}
# Rewritten rows were replaced by others of the same table.
_VOID: Final = ("rewritten",)
# Salts and strengths that stand beside a drug's name in orders.
_SALTS: Final = re.compile(
    r"\b(sodium|hcl|hydrochloride|sulfate|tartrate|succinate|citrate|bitartrate|xl|er|iv|po|besylate|phosphate)\b|\(.*?\)",
    re.IGNORECASE,
)


def inputevents_mv(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Infusions and boluses of MetaVision (MIMIC-IV, and MIMIC-III from 2008)."""
    table = take(
        frame, "subject_id", "hadm_id", "itemid", "starttime", "endtime", "storetime", "amount", "amountuom", "rate",
        "rateuom", "patientweight", "statusdescription", "orderid", "linkorderid", "row_id",
    )  # fmt: skip
    yield from _given("inputevents", table, site, site.instants(table["starttime"]), site.instants(table["endtime"]))


def inputevents_cv(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """CareVue's: a rate holds from its charting; its end is not stated, so the next charted rate replaces it."""
    table = take(
        frame, "subject_id", "hadm_id", "itemid", "charttime", "storetime", "amount", "amountuom", "rate", "rateuom",
        "stopped", "orderid", "row_id",
    )  # fmt: skip
    nothing: list[int | None] = [None] * table.height
    table = table.with_columns(
        patientweight=pl.lit(None, pl.String),
        statusdescription=pl.lit(None, pl.String),
        # A rate that was charted as stopped is zero from then on.
        rate=pl.when(pl.col("stopped").is_in(["Stopped", "D/C'd"]) & pl.col("rateuom").is_not_null())
        .then(pl.lit("0"))
        .otherwise(pl.col("rate")),
    )
    yield from _given("inputevents_cv", table, site, site.instants(table["charttime"]), nothing)


def _given(
    name: str, table: pl.DataFrame, site: Site, starts: list[int | None], ends: list[int | None]
) -> Iterator[Reading]:
    unmapped: dict[str, Reading] = {}
    weights, amounts, rates = (numbers(table[column]) for column in ("patientweight", "amount", "rate"))
    columns = zip(
        table.rows(),
        *(table[column].to_list() for column in ("subject_id", "hadm_id", "itemid", "amountuom", "rateuom")),
        *(table[column].to_list() for column in ("statusdescription", "row_id")),
        strict=True,
    )
    for place, (row, subject, admission, item, amount_unit, rate_unit, status, row_id) in enumerate(columns):
        local = site.item("medication-icu", (item or "").strip())
        if local is None:
            if item not in unmapped:
                label = site.label("d_items", item or "")
                unmapped[item] = Reading(
                    name,
                    ignored="the item is not in the vocabulary",
                    unmapped=(f"mimic-medication-icu|{item}|{label}",),
                )
            yield unmapped[item]
            continue
        at_us, end_us, amount, rate = starts[place], ends[place], amounts[place], rates[place]
        if at_us is None or not subject:
            yield site.refused(name, "row", "found no subject_id or time, expected both", row)
            continue
        if amount is None and rate is None:
            yield Reading(name, ignored="neither an amount nor a rate")
            continue
        if rate is None and name == "inputevents_cv" and _is_infusion(local.concept):
            yield Reading(name, ignored="the amount that a charted rate delivered")
            continue
        dose = dose_of(local.concept, amount, amount_unit or "", rate, rate_unit or "", weights[place])
        lasts = end_us if dose.rate is not None and end_us is not None and end_us >= at_us else None
        code = f"{SYSTEMS}medication-icu|{item}|{site.label('d_items', item)}"
        event = Event(
            "administration", local.concept, dose, at_us, lasts, code=code, quality=_quality(local.concept, dose)
        )
        void: Status = "entered-in-error" if (status or "").lower() in _VOID else "final"
        # A running infusion is known from its start, not only when its row was closed at the end.
        entry = site.entry(name, row_id or key_of(row), (event,), subject, admission or "", None, void)
        yield Reading(name, (entry,))


def dose_of(
    concept: str, amount: float | None, amount_unit: str, rate: float | None, rate_unit: str, weight_kg: float | None
) -> Dose:
    """A rate where there is one, else an amount; in the vocabulary's unit, or as stated where that does not convert.

    A stated `dose` (one vial, one tablet) has no amount that could be added up, and is kept as it came.
    """
    known = VOCABULARY[concept]
    weight = weight_kg if weight_kg is not None and weight_kg > 0 else None
    if rate is not None:
        unit = _CAREVUE.get(rate_unit, _UNITS.get(rate_unit, rate_unit))
        try:
            target = known.administration.rate_unit if known.administration else ""
            return Dose(rate=known.normalize_rate(rate, unit, weight), rate_unit=target)
        except UnitError:
            return Dose(rate=rate, rate_unit=rate_unit)
    assert amount is not None
    unit = _UNITS.get(amount_unit, amount_unit)
    try:
        target = known.administration.dose_unit if known.administration else ""
        return Dose(known.normalize_dose(amount, unit, weight), target) if unit else Dose(amount, amount_unit)
    except UnitError:
        return Dose(amount, amount_unit)


def _is_infusion(concept: str) -> bool:
    """Whether the vocabulary keeps the medicine as a rate."""
    given = VOCABULARY[concept].administration
    return given is not None and given.rate_unit != "" and given.rate_unit == VOCABULARY[concept].unit


def _quality(concept: str, dose: Dose) -> tuple[str, ...]:
    given = VOCABULARY[concept].administration
    if given is None:
        return ()
    value, unit, limits = (
        (dose.amount, dose.amount_unit == given.dose_unit, given.plausible_dose)
        if dose.rate is None
        else (dose.rate, dose.rate_unit == given.rate_unit, given.plausible_rate)
    )
    if value is None or not unit or limits is None or limits[0] <= value <= limits[1]:
        return ()
    return ("implausible",)


def emar(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Medicines that were scanned at the bedside; the amounts are in emar_detail and not taken yet."""
    table = take(frame, "subject_id", "hadm_id", "emar_id", "charttime", "storetime", "medication", "event_txt")
    times = zip(site.instants(table["charttime"]), site.instants(table["storetime"]), strict=True)
    for row, (at_us, stored_us) in zip(table.rows(), times, strict=True):
        subject, admission, number, _, _, drug, what = ((cell or "").strip() for cell in row)
        if at_us is None or not subject or not drug:
            yield site.refused("emar", "row", "found no subject_id, charttime or medication, expected all", row)
        elif what not in (
            "Administered",
            "Administered Bolus from IV Drip",
            "Administered in Other Location",
            "Started",
        ):
            yield Reading("emar", ignored="not given")
        else:
            event = Event("administration", drug_concept(drug), Dose(), at_us, code=f"mimic:drug|{drug}|{drug}")
            entry = site.entry("emar", number or key_of(row), (event,), subject, admission, stored_us)
            yield Reading("emar", (entry,))


def prescriptions(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Orders, from their start to their stop; the drug's own words where the vocabulary does not have it."""
    table = take(
        frame, "subject_id", "hadm_id", "starttime", "stoptime", "startdate", "enddate", "drug", "drug_type", "ndc",
        "dose_val_rx", "dose_unit_rx", "route", "row_id", "pharmacy_id", "prod_strength", "formulary_drug_cd",
    )  # fmt: skip
    starts = site.instants(table["starttime"].fill_null(table["startdate"]))
    stops = site.instants(table["stoptime"].fill_null(table["enddate"]))
    for row, at_us, stop_us, amount in zip(table.rows(), starts, stops, numbers(table["dose_val_rx"]), strict=True):
        subject, admission, _, _, _, _, drug, _, ndc, _, unit, route, row_id, *_ = (
            (cell or "").strip() for cell in row
        )
        if at_us is None or not subject or not drug:
            yield site.refused("prescriptions", "row", "found no subject_id, start or drug, expected all", row)
            continue
        until_us = stop_us if stop_us is not None and stop_us >= at_us else None  # stops before starts do occur
        code = f"http://hl7.org/fhir/sid/ndc|{ndc}|{drug}" if ndc not in ("", "0") else f"mimic:drug|{drug}|{drug}"
        event = Event("order", drug_concept(drug), Dose(amount, unit, route=route), at_us, until_us, code=code)
        entry = site.entry("prescriptions", row_id or key_of(row), (event,), subject, admission)
        yield Reading("prescriptions", (entry,))


def drug_concept(drug: str) -> str:
    """The intervention that an order's drug is, by its name with or without salt; empty where none is certain."""
    for text in (drug, _SALTS.sub(" ", drug)):
        found = VOCABULARY.by_alias(text)
        if found is not None and found.kind == "intervention":
            return found.name
    return ""


def procedureevents(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Ventilation and renal replacement, from start to end; other procedures have no home yet."""
    table = take(
        frame, "subject_id", "hadm_id", "itemid", "starttime", "endtime", "statusdescription", "orderid", "row_id"
    )
    times = zip(site.instants(table["starttime"]), site.instants(table["endtime"]), strict=True)
    unmapped: dict[str, Reading] = {}
    for row, (at_us, end_us) in zip(table.rows(), times, strict=True):
        subject, admission, item, _, _, status, order, row_id = ((cell or "").strip() for cell in row)
        local = site.item("procedureevents-d-items", item)
        label = site.label("d_items", item)
        if local is None:
            if item not in unmapped:
                code = f"mimic-procedureevents-d-items|{item}|{label}"
                unmapped[item] = Reading("procedureevents", ignored="the procedure has no home yet", unmapped=(code,))
            yield unmapped[item]
        elif at_us is None or not subject:
            yield site.refused("procedureevents", "row", "found no subject_id or starttime, expected both", row)
        else:
            until_us = end_us if end_us is not None and end_us >= at_us else None
            dose = Dose(rate=1.0, rate_unit="1")
            code = f"{SYSTEMS}procedureevents-d-items|{item}|{label}"
            event = Event("administration", local.concept, dose, at_us, until_us, code=code)
            void: Status = "entered-in-error" if status.lower() in _VOID else "final"
            key = row_id or (f"{order}|{item}|{at_us}" if order else key_of(row))
            entry = site.entry("procedureevents", key, (event,), subject, admission, None, void)
            yield Reading("procedureevents", (entry,))

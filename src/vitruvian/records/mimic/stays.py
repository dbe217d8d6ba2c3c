"""Who patients are, when they came and went, where they lay, and what they had."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import polars as pl

from vitruvian.core.events import Coded, Event, Person, Reading, Text, Visit
from vitruvian.core.identifiers import Location
from vitruvian.core.time import to_us
from vitruvian.records.mimic.site import Site, key_of
from vitruvian.records.tables import numbers, take

FACILITY: Final = "BIDMC"
_SEX: Final = {"M": "male", "F": "female"}
# MIMIC-III moves the birth of those over 89 to 300 years before their first admission; real ones begin here (shifted).
BIRTH_YEAR_MIN: Final = 2000
_ICD: Final = {"9": "http://hl7.org/fhir/sid/icd-9-cm", "10": "http://hl7.org/fhir/sid/icd-10-cm"}


def patients(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Sex, birth and death. MIMIC-IV states an age in an anchor year, so that the birth date is the start of a year.

    The first admission is when it is said; where there is none it is the birth, else the death.
    """
    table = take(frame, "subject_id", "gender", "dob", "dod", "anchor_age", "anchor_year")
    births, deaths = site.instants(table["dob"]), site.instants(table["dod"])
    anchors = zip(numbers(table["anchor_age"]), numbers(table["anchor_year"]), strict=True)
    for row, dob_us, dod_us, (age, year) in zip(table.rows(), births, deaths, anchors, strict=True):
        subject, sex = (row[0] or "").strip(), _SEX.get((row[1] or "").strip().upper(), "unknown")
        if not subject:
            yield site.refused("patients", "subject", "found a patient without subject_id, expected one", row)
            continue
        obscured = dob_us is not None and dob_us < _year_us(BIRTH_YEAR_MIN)
        birth_us = None if obscured else dob_us
        if birth_us is None and age is not None and year is not None and 1900 <= year - age <= 2300:
            birth_us = _year_us(int(year - age))
        said = [at for at in (site.first_admission_us(subject), birth_us, dod_us) if at is not None]
        if not said:
            yield site.refused("patients", "time", "found neither a birth, an admission nor a death to date it by", row)
            continue
        entries = [
            site.entry("patients", subject, (Event("identity", "", Person("", "", birth_us, sex), said[0]),), subject)
        ]
        if dod_us is not None:
            death = Event("identity", "", Person("", "", birth_us, sex, dod_us), dod_us)
            entries.append(site.entry("patients", f"{subject}|death", (death,), subject, available_us=dod_us))
        yield Reading("patients", tuple(entries))


def admissions(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Admission and discharge, each known when it happened; a death in hospital is a discharge too."""
    table = take(frame, "subject_id", "hadm_id", "admittime", "dischtime", "admission_type", "diagnosis")
    times = zip(site.instants(table["admittime"]), site.instants(table["dischtime"]), strict=True)
    for row, (start_us, end_us) in zip(table.rows(), times, strict=True):
        subject, admission = (row[0] or "").strip(), (row[1] or "").strip()
        if not subject or not admission or start_us is None:
            yield site.refused("admissions", "row", "found no subject_id, hadm_id or admittime, expected all", row)
            continue
        visit = site.encounter(admission)
        came = Visit("admit", visit, Location(FACILITY), patient_class=row[4] or "", reason=row[5] or "")
        entries = [
            site.entry("admissions", admission, (Event("encounter", "", came, start_us),), subject, admission, start_us)
        ]
        if end_us is not None and end_us >= start_us:
            left = (Event("encounter", "", Visit("discharge", visit), end_us),)
            entries.append(site.entry("admissions", f"{admission}|discharge", left, subject, admission, end_us))
        yield Reading("admissions", tuple(entries))


def transfers(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Where patients lay. The discharge is told by admissions; a stay in the emergency department alone has no home."""
    table = take(
        frame, "subject_id", "hadm_id", "transfer_id", "row_id", "eventtype", "careunit", "curr_careunit",
        "curr_wardid", "intime",
    )  # fmt: skip
    for row, at_us in zip(table.rows(), site.instants(table["intime"]), strict=True):
        subject, admission, number, row_id, what, unit, unit_iii, ward_iii, _ = (text or "" for text in row)
        ward = unit or " ".join(part for part in (unit_iii, ward_iii) if part)
        if what == "discharge":
            yield Reading("transfers", ignored="the end of a stay is told by admissions")
        elif not admission:
            yield Reading("transfers", ignored="a stay without an admission")
        elif at_us is None or not subject:
            yield site.refused("transfers", "time", "found no subject_id or intime, expected both", row)
        elif not ward:
            yield Reading("transfers", ignored="it names no ward")
        else:
            yield _moved("transfers", number or row_id, subject, admission, ward, at_us, site)


def icustays(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """The first unit of a stay in intensive care; the transfers within it are in transfers."""
    table = take(frame, "subject_id", "hadm_id", "stay_id", "icustay_id", "first_careunit", "first_wardid", "intime")
    for row, at_us in zip(table.rows(), site.instants(table["intime"]), strict=True):
        subject, admission, stay, stay_iii, unit, ward_iii, _ = (text or "" for text in row)
        if at_us is None or not subject or not admission:
            yield site.refused("icustays", "row", "found no subject_id, hadm_id or intime, expected all", row)
            continue
        ward = " ".join(part for part in (unit, ward_iii) if part)
        yield _moved("icustays", stay or stay_iii, subject, admission, ward, at_us, site)


def _moved(table: str, key: str, subject: str, admission: str, ward: str, at_us: int, site: Site) -> Reading:
    visit = Visit("transfer", site.encounter(admission), Location(FACILITY, ward))
    event = Event("encounter", "", visit, at_us)
    return Reading(table, (site.entry(table, key, (event,), subject, admission, at_us),))


def diagnoses(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Billed diagnoses, put at the discharge: coded afterwards, they were not there to be known before."""
    table = take(frame, "subject_id", "hadm_id", "seq_num", "icd_code", "icd_version", "icd9_code")
    for row in table.rows():
        subject, admission, number, code, version, code_iii = ((text or "").strip() for text in row)
        stay = site.admission(admission)
        at_us = None if stay is None else stay.start_us if stay.end_us is None else stay.end_us
        if at_us is None:
            yield site.refused(
                "diagnoses_icd", "time", "found a diagnosis of no admission in the table admissions", row
            )
            continue
        code, version = (code, version) if code else (code_iii, "9")
        if not code or not subject:
            yield Reading("diagnoses_icd", ignored="a place in the list without a code")
            continue
        system, dotted = _ICD.get(version, ""), dotted_icd(code, version)
        text = site.label("d_icd_diagnoses", code if code_iii else f"{version}|{code}")
        event = Event("condition", "", Coded(system, dotted, text), at_us, code=f"{system}|{dotted}|{text}")
        key = f"{admission}|{number or key_of(row)}"
        entry = site.entry("diagnoses_icd", key, (event,), subject, admission, at_us)
        yield Reading("diagnoses_icd", (entry,))


def dotted_icd(code: str, version: str) -> str:
    """The code as it is written: ICD-9 4280 is 428.0 and E8788 is E878.8, ICD-10 A419 is A41.9."""
    digits = 4 if version == "9" and code[:1].upper() == "E" else 3
    return code if len(code) <= digits or "." in code else f"{code[:digits]}.{code[digits:]}"


def microbiology(frame: pl.DataFrame, site: Site) -> Iterator[Reading]:
    """Cultures: the organism and, where one was tested, the drug with its interpretation; available when stored."""
    table = take(
        frame, "subject_id", "hadm_id", "microevent_id", "row_id", "charttime", "chartdate", "storetime",
        "spec_itemid", "spec_type_desc", "test_name", "org_itemid", "org_name", "ab_name", "interpretation",
    )  # fmt: skip
    times = site.instants(table["charttime"].fill_null(table["chartdate"]))
    for row, at_us, stored_us in zip(table.rows(), times, site.instants(table["storetime"]), strict=True):
        subject, admission, number, row_id, _, _, _, *rest = ((text or "").strip() for text in row)
        specimen, name, test, organism, organism_name, drug, verdict = rest
        if at_us is None or not subject:
            yield site.refused("microbiologyevents", "row", "found no subject_id or charttime, expected both", row)
            continue
        said = " ".join(part for part in (organism_name or "no organism stated", drug and f"{drug}: {verdict}") if part)
        value: Coded | Text = Coded("mimic:organism", organism, said) if organism else Text(said)
        code = f"mimic:specimen|{specimen}|{' '.join(part for part in (name, test) if part)}"
        event = Event("observation", "", value, at_us, code=code)
        entry = site.entry(
            "microbiologyevents", number or row_id or key_of(row), (event,), subject, admission, stored_us
        )
        yield Reading("microbiologyevents", (entry,))


def _year_us(year: int) -> int:
    return to_us(datetime(year, 1, 1, tzinfo=UTC))

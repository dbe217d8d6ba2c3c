"""MIMIC-III and MIMIC-IV, on tables with the published columns: every row is accounted for, doses convert."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.mimic_support import III, IV, write_iii, write_iv
from tests.support import require_data
from vitruvian.core.events import Coded, Dose, Entry, Person, Quantity, Reading, Visit
from vitruvian.core.time import from_us, parse_iso
from vitruvian.records import mimic
from vitruvian.records.base import Context, discover, iter_readings
from vitruvian.records.mimic.care import dose_of, drug_concept
from vitruvian.records.mimic.site import PATIENT
from vitruvian.records.mimic.stays import dotted_icd
from vitruvian.records.tally import summarise


def by_table(path: Path) -> dict[str, list[Reading]]:
    found: dict[str, list[Reading]] = defaultdict(list)
    for reading in iter_readings(path):
        found[reading.kind].append(reading)
    return found


def entries(readings: list[Reading]) -> list[Entry]:
    return [entry for reading in readings for entry in reading.entries]


def us(text: str) -> int:
    return parse_iso(text).us


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Reading]]:
    return by_table(write_iv(tmp_path_factory.mktemp("iv")))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Reading]]:
    return by_table(write_iii(tmp_path_factory.mktemp("iii")))


def test_every_row_of_every_table_is_one_reading(
    four: dict[str, list[Reading]], three: dict[str, list[Reading]]
) -> None:
    for tables, readings in ((IV, four), (III, three)):
        wanted = {name.split("/")[-1].lower(): text.count("\n") - 1 for name, text in tables.items()}
        assert {name: len(rows) for name, rows in readings.items()} == wanted


def test_charted_values_convert_and_methods_stay_apart(four: dict[str, list[Reading]]) -> None:
    values = [(entry.events[0].concept, entry.events[0].value) for entry in entries(four["chartevents"])]
    assert values == [
        ("heart_rate", Quantity(103.0, "/min", "", 103.0, "bpm")),
        ("body_temperature", Quantity(pytest.approx(38.5), "Cel", "", 101.3, "°F")),
        ("body_temperature", Quantity(37.5, "Cel", "", 37.5, "°C")),
        ("inspired_oxygen_fraction", Quantity(0.4, "1", "", 40.0, "%")),
        ("inspired_oxygen_fraction", Quantity(0.5, "1")),
        ("systolic_pressure", Quantity(110.0, "mm[Hg]", "", 110.0, "mmHg")),
        ("systolic_pressure_arterial", Quantity(118.0, "mm[Hg]", "", 118.0, "mmHg")),
        ("glasgow_motor", Quantity(6.0, "{score}")),
        ("body_weight", Quantity(pytest.approx(74.84, abs=0.01), "kg", "", 165.0, "[lb_av]")),
    ]
    first = entries(four["chartevents"])[0]
    assert first.events[0].occurred_us == us("2150-05-01T21:00:00Z")
    assert first.available_us == us("2150-05-01T21:04:00Z")
    tally = summarise(four["chartevents"])
    assert (tally.read, tally.ignored, dict(tally.reasons)) == (9, 2, {"unit": 1})
    assert tally.ignored_reasons["chartevents: the verbal response could not be tested (tube)"] == 1
    assert tally.unmapped == {"mimic-chartevents-d-items|224080": 1}


def test_laboratory_results_wait_for_the_laboratory(four: dict[str, list[Reading]]) -> None:
    lactate, troponin = entries(four["labevents"])
    assert lactate.source_id == "labevents|1" and lactate.available_us == us("2150-05-01T10:52:00Z")
    assert lactate.events[0].value == Quantity(4.1, "mmol/L")
    assert lactate.events[0].code.endswith("|50813|Lactate")
    assert troponin.events[0].value == Quantity(0.01, "ng/mL", "<")
    tally = summarise(four["labevents"])
    assert dict(tally.reasons) == {"unit": 1, "row": 1} and tally.ignored == 2


def test_infusions_are_rates_and_boluses_amounts(four: dict[str, list[Reading]]) -> None:
    doses = {entry.events[0].concept: entry for entry in entries(four["inputevents"])}
    norepinephrine = doses["norepinephrine"].events[0]
    assert norepinephrine.value == Dose(rate=0.1, rate_unit="ug/kg/min")
    assert norepinephrine.ended_us == us("2150-05-01T22:00:00Z")
    assert doses["vasopressin"].events[0].value == Dose(rate=pytest.approx(0.04), rate_unit="[iU]/min")
    rewritten = doses["dopamine"]
    assert rewritten.events[0].value == Dose(rate=pytest.approx(0.2), rate_unit="ug/kg/min")  # 16 ug/min by 80 kg
    assert rewritten.status == "entered-in-error"
    assert doses["crystalloid"].events[0].value == Dose(500.0, "mL")
    assert doses["crystalloid"].events[0].ended_us is None
    assert doses["vancomycin"].events[0].value == Dose(1.0, "dose")  # one dose of unknown size is no milligram


def test_stays_tell_where_and_when(four: dict[str, list[Reading]]) -> None:
    admit, discharge = entries(four["admissions"])
    assert isinstance(admit.events[0].value, Visit) and admit.events[0].value.action == "admit"
    assert discharge.available_us == us("2150-05-05T12:00:00Z")
    moved = [entry.events[0].value for entry in entries(four["transfers"] + four["icustays"])]
    assert [visit.location.ward for visit in moved if isinstance(visit, Visit)] == [
        "Medicine",
        "Medical Intensive Care Unit (MICU)",
        "MICU",
    ]
    assert summarise(four["transfers"]).ignored == 2
    born, died = entries(four["patients"])
    assert isinstance(born.events[0].value, Person) and born.events[0].value.birth_us == us("2086-01-01")
    assert isinstance(died.events[0].value, Person) and died.available_us == us("2151-02-03")
    assert born.subject[0].system == PATIENT["mimic-iv"]


def test_diagnoses_are_known_at_discharge_only(four: dict[str, list[Reading]]) -> None:
    sepsis, failure = entries(four["diagnoses_icd"])
    assert sepsis.events[0].value == Coded("http://hl7.org/fhir/sid/icd-10-cm", "A41.9", "Sepsis, unspecified organism")
    assert failure.events[0].value == Coded("http://hl7.org/fhir/sid/icd-9-cm", "428.0", "")
    assert {entry.events[0].occurred_us for entry in (sepsis, failure)} == {us("2150-05-05T12:00:00Z")}
    assert sepsis.available_us == us("2150-05-05T12:00:00Z")
    assert summarise(four["diagnoses_icd"]).reasons == {"time": 1}  # an admission that is not there


def test_orders_records_and_cultures(four: dict[str, list[Reading]]) -> None:
    order, water = entries(four["prescriptions"])
    assert order.events[0].concept == "metoprolol" and order.events[0].value == Dose(12.5, "mg", route="PO/NG")
    assert water.events[0].concept == "" and water.events[0].ended_us is None
    assert summarise(four["prescriptions"]).reasons == {"row": 1}
    (given,) = entries(four["emar"])
    assert given.events[0].kind == "administration" and given.events[0].concept == "metoprolol"
    weight, pressure = entries(four["omr"])
    assert weight.events[0].value == Quantity(pytest.approx(68.04, abs=0.01), "kg", "", 150.0, "[lb_av]")
    assert [event.concept for event in pressure.events] == ["systolic_pressure", "diastolic_pressure"]
    (culture,) = entries(four["microbiologyevents"])
    assert culture.events[0].value == Coded("mimic:organism", "80002", "ESCHERICHIA COLI AMPICILLIN: R")
    assert culture.available_us == us("2150-05-03T09:00:00Z")
    (ventilated,) = entries(four["procedureevents"])
    assert ventilated.events[0].concept == "mechanical_ventilation"
    (urine,) = entries(four["outputevents"])  # a time that a spreadsheet rewrote
    assert urine.events[0].occurred_us == us("2150-05-01T22:00:00Z")
    assert four["provider"][0].ignored


def test_carevue_items_of_mimic_iii(three: dict[str, list[Reading]]) -> None:
    rows = entries(three["chartevents"])
    assert [(entry.events[0].concept, getattr(entry.events[0].value, "value", None)) for entry in rows] == [
        ("heart_rate", 88.0),
        ("body_temperature", pytest.approx(37.0)),
        ("body_temperature", 37.0),
        ("systolic_pressure_arterial", 131.0),
        ("systolic_pressure", 128.0),
        ("inspired_oxygen_fraction", 0.6),
        ("inspired_oxygen_fraction", 0.6),
        ("heart_rate", 880.0),
    ]
    assert rows[-1].status == "entered-in-error" and rows[-1].events[0].quality == ("implausible",)
    assert rows[0].source_id == "chartevents|500" and rows[0].source == "mimic-iii"
    running, stopped, saline = entries(three["inputevents_cv"])
    assert running.events[0].value == Dose(rate=0.05, rate_unit="ug/kg/min")
    assert stopped.events[0].value == Dose(rate=0.0, rate_unit="ug/kg/min")
    assert saline.events[0].value == Dose(400.0, "mL")
    assert summarise(three["inputevents_cv"]).ignored == 1  # what the rate delivered is not given once more


def test_an_obscured_birth_is_left_out(three: dict[str, list[Reading]]) -> None:
    young, old, _ = entries(three["patients"])
    assert isinstance(young.events[0].value, Person) and isinstance(old.events[0].value, Person)
    assert young.events[0].value.birth_us == us("2080-03-05")
    assert old.events[0].value.birth_us is None
    assert old.events[0].occurred_us == us("2144-07-18T10:00:00Z")


def test_names_in_any_case_and_a_single_table(tmp_path: Path) -> None:
    folder = write_iii(tmp_path / "iii", packed=True, lower=True)
    assert [found.reader.NAME if found.reader else "" for found in discover(folder)] == ["mimic"]
    one = write_iv(tmp_path / "iv", packed=False) / "icu" / "chartevents.csv"
    readings = list(iter_readings(one))
    assert len(readings) == 12 and readings[0].entries[0].events[0].code.endswith("|220045|Heart Rate")
    whole = [e for r in iter_readings(tmp_path / "iv") for e in r.entries if e.source_id.startswith("chartevents|")]
    assert [entry for reading in readings for entry in reading.entries] == whole


def test_a_broken_table_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = write_iv(tmp_path)
    broken = folder / "hosp" / "labevents.csv.gz"
    broken.write_bytes(broken.read_bytes()[:-40])
    tally = summarise(iter_readings(folder))
    assert tally.reasons["unreadable-file"] == 1 and tally.read_by_type["chartevents"] == 9


def test_dots_of_icd_and_names_of_drugs() -> None:
    codes = [("4280", "9"), ("E8788", "9"), ("V1582", "9"), ("A419", "10"), ("I10", "10"), ("0389", "9")]
    assert [dotted_icd(*code) for code in codes] == ["428.0", "E878.8", "V15.82", "A41.9", "I10", "038.9"]
    assert [drug_concept(name) for name in ("Furosemide", "Metoprolol Succinate XL", "Heparin Sodium", "SW")] == [
        "furosemide",
        "metoprolol",
        "heparin",
        "",
    ]
    assert dose_of("norepinephrine", None, "", 8.0, "mcg/min", None) == Dose(rate=8.0, rate_unit="mcg/min")


@pytest.mark.data
@pytest.mark.parametrize("name", ["mimic_iii_demo", "mimic_iv_demo"])
def test_the_demo_is_accounted_for_row_by_row(name: str) -> None:
    import csv
    import gzip

    folder = require_data(name)
    wanted = {}
    for path in sorted(folder.rglob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            wanted[path.name.split(".")[0].lower().removesuffix("_mv")] = sum(1 for _ in csv.reader(file)) - 1
    tally = summarise(mimic.read(folder, Context()))
    counted = tally.read_by_type + tally.ignored_by_type + tally.quarantined_by_type
    assert dict(counted) == wanted
    assert tally.quarantined < 0.001 * tally.total
    some = next(entry for reading in mimic.read(folder, Context()) for entry in reading.entries)
    assert from_us(some.events[0].occurred_us).year > 2050

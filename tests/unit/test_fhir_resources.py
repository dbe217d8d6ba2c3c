"""Patients, encounters, conditions, medicines and devices."""

from __future__ import annotations

import pytest

from tests.fhir_support import WHEN, WHEN_US, bundle, code, ignored, only, patient, quantity, read, reason
from vitruvian.core.events import Association, Coded, Dose, Merge, Person, Text
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.records.base import Context
from vitruvian.records.mapping import parse_mapping

SUBJECT = {"reference": "Patient/p1"}
P1 = Identifier("fhir:Patient", "p1", "PI")
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
HOUR_US = 3_600_000_000


# --- Patient --------------------------------------------------------------------


def test_a_patient_is_who_under_which_identifiers() -> None:
    entry = only(patient(meta={"lastUpdated": WHEN}))
    assert entry.subject == (Identifier("urn:oid:1.2.3", "M1", "MR"), P1)
    (event,) = entry.events
    assert event.kind == "identity"
    assert event.value == Person("Curie", "Marie Salomea", -786 * 24 * HOUR_US, "female", None)
    assert (entry.source_version, entry.available_us) == (WHEN, WHEN_US)


def test_identifier_systems_are_the_mappings_and_those_without_a_system_do_not_count() -> None:
    context = Context(mapping=parse_mapping('[authorities]\n"urn:oid:1.2.3" = ["M11", "http://hospital.example/mrn"]'))
    stated = patient(identifier=[{"system": "http://hospital.example/mrn", "value": "M1"}, {"value": "loose"}])
    assert only(stated, context).subject == (Identifier("urn:oid:1.2.3", "M1"), P1)


def test_uuid_ids_are_one_identity_however_they_are_written() -> None:
    uuid = "A656ED17-26cc-47cb-981e-22207719cc22"
    one = Identifier("urn:ietf:rfc:3986", f"urn:uuid:{uuid.lower()}", "PI")
    for reference in (f"urn:uuid:{uuid}", f"Patient/{uuid}", f"https://s.example/r4/Patient/{uuid}/_history/2"):
        assert only(condition(subject={"reference": reference})).subject == (one,)
    assert one in only(patient(id=uuid)).subject


def test_other_ids_belong_to_their_server() -> None:
    assert only(condition(), Context(source="mqtt:fhir")).subject == (P1,)
    absolute = {"reference": "https://s.example/r4/Patient/p1"}
    assert only(condition(subject=absolute)).subject == (Identifier("https://s.example/r4/Patient", "p1", "PI"),)
    assert only(condition(), Context(source="fhir:north")).subject == (Identifier("fhir:north:Patient", "p1", "PI"),)
    conditional = {"reference": "Patient?identifier=urn:oid:1.2.3%7CM1"}
    assert only(condition(subject=conditional)).subject == (Identifier("urn:oid:1.2.3", "M1", "PI"),)
    served = {"resourceType": "Bundle", "type": "searchset"}
    served["entry"] = [{"fullUrl": "https://s.example/r4/Condition/c1", "resource": condition()}]
    entry = only(served)
    assert entry.subject == (Identifier("https://s.example/r4/Patient", "p1", "PI"),)
    assert entry.source == "fhir:https://s.example/r4"


def test_ids_of_a_transaction_are_not_names_beyond_it() -> None:
    """The same small ids in two transactions are two people and two resources; within one they still refer."""

    def posted(uuid):
        stated = bundle(patient(identifier=[]), condition(), type_="transaction")
        for number, entry in enumerate(stated["entry"]):
            entry["fullUrl"] = f"urn:uuid:{uuid}-{number:012d}"
        return [entry for reading in read(stated) for entry in reading.entries]

    first, second = posted("a656ed17-26cc-47cb-981e"), posted("b656ed17-26cc-47cb-981e")
    assert first[0].subject == first[1].subject
    assert not set(first[0].subject) & set(second[0].subject)
    assert len({entry.source_id for entry in first + second}) == 4


def test_links_between_records_are_merges() -> None:
    link = [
        {"other": {"reference": "Patient/old"}, "type": "replaces"},
        {"other": {"reference": "Patient/x"}, "type": "seealso"},
    ]
    (reading,) = read(patient(link=link))
    merge = reading.entries[1]
    assert merge.events[0].value == Merge("merge", (Identifier("fhir:Patient", "old", "PI"),))
    assert merge.subject == reading.entries[0].subject
    (reading,) = read(patient(link=[{"other": {"reference": "Patient/new"}, "type": "replaced-by"}]))
    assert reading.entries[1].subject == (Identifier("fhir:Patient", "new", "PI"),)
    assert P1 in reading.entries[1].events[0].value.prior


def test_a_patient_with_nothing_to_know_them_by_is_quarantined() -> None:
    assert reason({"resourceType": "Patient", "name": [{"family": "Curie"}]}) == "no-subject"
    assert reason(patient(birthDate="1867-13-40")) == "time"
    assert reason(patient(identifier=[{"system": "urn:oid:1.2.3", "value": "a\u0007b"}])) == "identifier"


# --- Condition ------------------------------------------------------------------


def condition(**more):
    return {
        "resourceType": "Condition",
        "id": "c1",
        "code": code("91302008", "http://snomed.info/sct", "Sepsis"),
        "subject": SUBJECT,
        "onsetDateTime": WHEN,
        **more,
    }


def test_a_condition_lasts_from_onset_to_abatement() -> None:
    (event,) = only(condition(abatementDateTime="2026-01-31T07:30:00Z")).events
    assert (event.kind, event.occurred_us, event.ended_us) == ("condition", WHEN_US, WHEN_US + HOUR_US)
    assert event.value == Coded("http://snomed.info/sct", "91302008", "Sepsis")


def test_conditions_that_are_doubtful_or_impossible() -> None:
    status = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    assert only(condition(verificationStatus=code("refuted", status))).status == "cancelled"
    assert only(condition(verificationStatus=code("provisional", status))).status == "preliminary"
    assert reason(condition(verificationStatus=code("guessed", status))) == "status"
    assert reason(condition(abatementDateTime="2025-01-01")) == "time"
    assert reason(condition(onsetDateTime="")) == "no-time"
    assert reason(condition(code={})) == "no-code"


# --- Encounter ------------------------------------------------------------------


def encounter(**more):
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"system": ACT, "code": "IMP"},
        "subject": SUBJECT,
        "period": {"start": WHEN, "end": "2026-02-01T06:30:00Z"},
        **more,
    }


def steps(document):
    return [(event.value.action, event.occurred_us, event.value.location) for event in only(document).events]


def test_an_admission_moves_and_a_discharge() -> None:
    def place(id_, kind, part_of=None):
        stated = {"resourceType": "Location", "id": id_, "name": id_.upper(), "physicalType": code(kind, "urn:type")}
        return stated | ({"partOf": {"reference": f"Location/{part_of}"}} if part_of else {})

    stay = encounter(
        location=[
            {"location": {"reference": "Location/b2"}, "period": {"start": "2026-01-31T08:30:00Z"}},
            {"location": {"reference": "Location/b1"}},
        ],
        serviceProvider={"display": "Charité"},
    )
    readings = read(
        bundle(stay, place("b1", "bd", "r1"), place("b2", "bd", "r1"), place("r1", "ro", "w1"), place("w1", "wa"))
    )
    (entry,) = readings[0].entries
    first = Location("Charité", "W1", "R1", "B1")
    assert [(event.value.action, event.occurred_us, event.value.location) for event in entry.events] == [
        ("admit", WHEN_US, first),
        ("transfer", WHEN_US + 2 * HOUR_US, Location("Charité", "W1", "R1", "B2")),
        ("discharge", WHEN_US + 24 * HOUR_US, Location("Charité", "W1", "R1", "B2")),
    ]
    assert entry.events[1].value.prior_location == first
    assert entry.events[0].value.patient_class == "I"
    assert entry.encounter == entry.events[0].value.visit == Identifier("fhir:Encounter", "e1", "VN")
    assert readings[1].ignored == "read where others refer to it"


def test_outpatients_are_registered_and_a_stay_within_a_stay_is_a_transfer() -> None:
    assert steps(encounter(**{"class": {"code": "AMB"}}))[0][0] == "register"
    entry = only(encounter(partOf={"reference": "Encounter/whole"}, location=[{"location": {"display": "ICU"}}]))
    (event,) = entry.events
    assert (event.value.action, event.value.location.ward) == ("transfer", "ICU")
    assert event.value.visit == Identifier("fhir:Encounter", "whole", "VN")


def test_an_encounter_without_its_times() -> None:
    history = [
        {"status": "arrived", "period": {"start": WHEN}},
        {"status": "in-progress", "period": {"end": "2026-02-01"}},
    ]
    assert steps(encounter(period=None, statusHistory=history))[0][:2] == ("admit", WHEN_US)
    assert reason(encounter(period=None)) == "no-time"
    assert reason(encounter(period={"start": WHEN, "end": "2026-01-01"})) == "time"
    over = only(encounter(period={"start": WHEN})).events[-1]
    assert (over.value.action, over.quality) == ("discharge", ("time-assumed",))
    assert [step[0] for step in steps(encounter(status="in-progress", period={"start": WHEN}))] == ["admit"]


def test_encounters_that_are_not() -> None:
    assert ignored(encounter(status="planned")) == "planned"
    assert only(encounter(status="cancelled")).status == "cancelled"
    assert reason(encounter(status="happening")) == "status"
    assert reason(encounter(subject={})) == "no-subject"


# --- medicines ------------------------------------------------------------------


def administration(**more):
    return {
        "resourceType": "MedicationAdministration",
        "id": "m1",
        "status": "completed",
        "medicationCodeableConcept": code("7512", RXNORM, "norepinephrine"),
        "subject": SUBJECT,
        "effectivePeriod": {"start": WHEN, "end": "2026-01-31T07:30:00Z"},
        "dosage": {"rateQuantity": quantity(0.1, "ug/kg/min"), "route": {"text": "IV"}},
        **more,
    }


def test_an_infusion_has_its_rate_over_its_time() -> None:
    (event,) = only(administration()).events
    assert (event.kind, event.concept, event.ended_us) == ("administration", "norepinephrine", WHEN_US + HOUR_US)
    assert event.value == Dose(None, "", 0.1, "ug/kg/min", "IV")


def test_rates_are_converted_and_those_that_need_a_weight_keep_their_unit() -> None:
    per_hour = {"rateRatio": {"numerator": quantity(6, "ug"), "denominator": quantity(1, "h")}}
    dose = only(administration(dosage={"rateQuantity": {"value": 6, "unit": "mcg/kg/hr"}})).events[0].value
    assert (dose.rate, dose.rate_unit) == (pytest.approx(0.1), "ug/kg/min")
    dose = only(administration(dosage=per_hour)).events[0].value
    assert (dose.rate, dose.rate_unit) == (6.0, "ug/h")
    tablets = only(administration(dosage={"dose": {"value": 2, "unit": "TAB"}})).events[0].value
    assert (tablets.amount, tablets.amount_unit) == (2.0, "TAB")


def test_an_implausible_dose_is_flagged() -> None:
    assert only(administration(dosage={"rateQuantity": quantity(40, "ug/kg/min")})).events[0].quality == (
        "implausible",
    )


def test_an_unknown_medicine_shows_by_its_code() -> None:
    (reading,) = read(administration(medicationCodeableConcept=code("1", "urn:local", "Moonwater")))
    (event,) = reading.entries[0].events
    assert reading.unmapped == ("urn:local|1|Moonwater",)
    assert (event.concept, event.code) == ("", "urn:local|1|Moonwater")
    assert event.value.rate_unit == "ug/kg/min"


def test_medicines_by_reference() -> None:
    inside = {"resourceType": "Medication", "id": "x", "code": code("7512", RXNORM)}
    stated = administration(contained=[inside], medicationReference={"reference": "#x"})
    del stated["medicationCodeableConcept"]
    assert only(stated).events[0].concept == "norepinephrine"
    stated = {**stated, "contained": [], "medicationReference": {"reference": "Medication/x"}}
    readings = read(bundle(stated, inside))
    assert readings[0].entries[0].events[0].concept == "norepinephrine"
    assert readings[1].ignored
    assert only(stated).events[0].code == "||Medication/x"
    assert reason({**stated, "medicationReference": {}}) == "no-code"


def test_an_rxnorm_product_is_known_by_its_one_ingredient() -> None:
    def order(display):
        return {
            "resourceType": "MedicationRequest",
            "id": "r1",
            "status": "active",
            "intent": "order",
            "medicationCodeableConcept": code("0", RXNORM, display),
            "subject": SUBJECT,
            "authoredOn": WHEN,
        }

    (event,) = only(order("Acetaminophen 325 MG Oral Tablet")).events
    assert (event.kind, event.concept) == ("order", "paracetamol")
    assert event.value == Text("Acetaminophen 325 MG Oral Tablet")
    assert only(order("3 ML Amiodarone hydrochloride 50 MG/ML Prefilled Syringe")).events[0].concept == "amiodarone"
    assert only(order("NDA020800 0.3 ML Epinephrine 1 MG/ML Auto-Injector")).events[0].concept == "epinephrine"
    assert only(order("Acetaminophen 325 MG / Oxycodone Hydrochloride 10 MG Oral Tablet")).events[0].concept == ""
    assert only({**order("x"), "status": "cancelled"}).status == "cancelled"
    assert ignored({**order("x"), "doNotPerform": True}) == "not to be given"


def test_medicines_not_given_or_for_nobody() -> None:
    assert ignored(administration(status="not-done")) == "not done"
    assert reason(administration(status="perhaps")) == "status"
    assert reason(administration(subject={})) == "no-subject"
    assert reason(administration(effectivePeriod={})) == "no-time"


# --- devices --------------------------------------------------------------------


def use(**more):
    return {
        "resourceType": "DeviceUseStatement",
        "id": "d1",
        "status": "active",
        "subject": SUBJECT,
        "device": {"reference": "Device/monitor-7"},
        "timingPeriod": {"start": WHEN},
        **more,
    }


def test_a_device_is_a_patients_while_the_statement_holds() -> None:
    (event,) = only(use()).events
    assert (event.value, event.occurred_us) == (Association("start", "monitor-7"), WHEN_US)
    both = only(use(status="completed", timingPeriod={"start": WHEN, "end": "2026-02-01"})).events
    assert [item.value.action for item in both] == ["start", "end"]
    assert only(use(status="entered-in-error")).events[0].value.action == "cancel"
    assert ignored(use(status="intended")) == "planned"
    assert reason(use(timingPeriod={})) == "no-time"
    assert reason(use(device={})) == "no-device"


def test_a_device_that_names_its_patient() -> None:
    device = {"resourceType": "Device", "id": "monitor-7", "patient": SUBJECT, "meta": {"lastUpdated": WHEN}}
    assert only(device).events[0].value == Association("start", "monitor-7")
    assert only({**device, "status": "inactive"}).events[0].value.action == "end"
    assert ignored({"resourceType": "Device", "id": "monitor-7"}) == "device without a patient"

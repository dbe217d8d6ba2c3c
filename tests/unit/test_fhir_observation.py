"""Observation: values of every type, units, times, statuses, and everything that sends one to quarantine."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest

from tests.fhir_support import (
    LOINC,
    UCUM,
    WHEN_US,
    bundle,
    code,
    ignored,
    observation,
    only,
    patient,
    quantity,
    read,
    reason,
)
from vitruvian.core.events import Blob, Coded, Quantity, Range, Text
from vitruvian.core.identifiers import Identifier
from vitruvian.records.base import Context
from vitruvian.records.mapping import parse_mapping

GLASGOW = "9269-2"
GLUCOSE = "2345-7"
CREATININE = "2160-0"
TEMPERATURE = "8310-5"
PANEL = "85354-9"


def event(document):
    (found,) = only(document).events
    return found


def test_a_number_in_the_concepts_own_unit() -> None:
    entry = only(
        observation(issued="2026-01-31T08:31:00Z", meta={"versionId": "3", "lastUpdated": "2026-01-31T09:00:00Z"})
    )
    (found,) = entry.events
    assert (found.kind, found.concept, found.value) == ("observation", "heart_rate", Quantity(80.0, "/min"))
    assert (found.occurred_us, found.ended_us, found.zone) == (WHEN_US, None, "+02:00")
    assert found.code == f"{LOINC}|8867-4|"
    assert (entry.source, entry.source_id, entry.source_version, entry.status) == (
        "fhir",
        "Observation/o1",
        "3",
        "final",
    )
    assert entry.subject == (Identifier("fhir:Patient", "p1", "PI"),)
    assert entry.available_us == WHEN_US + (2 * 3600 + 60) * 1_000_000
    assert found.quality == ()


@pytest.mark.parametrize(
    ("loinc", "stated", "expected"),
    [
        (GLUCOSE, quantity(5.5, "mmol/L"), ("glucose", 99.088, "mg/dL")),
        (TEMPERATURE, quantity(98.6, "[degF]"), ("body_temperature", 37.0, "Cel")),
        (CREATININE, quantity(100, "umol/L"), ("creatinine", 1.1312, "mg/dL")),
        ("29463-7", {"value": 185, "unit": "lbs", "system": UCUM, "code": "[lb_av]"}, ("body_weight", 83.91459, "kg")),
        ("777-3", {"value": 250, "unit": "K/uL"}, ("platelets", 250.0, "10*3/uL")),
        ("8480-6", {"value": 16, "unit": "kPa"}, ("systolic_pressure", 120.01, "mm[Hg]")),
    ],
)
def test_units_convert_and_what_was_stated_is_kept(loinc, stated, expected) -> None:
    found = event(observation(loinc, {"valueQuantity": stated}))
    concept, value, unit = expected
    assert (found.concept, found.value.unit) == (concept, unit)
    assert found.value.value == pytest.approx(value, rel=1e-4)
    assert found.value.stated_value == stated["value"]
    assert found.value.stated_unit == stated.get("code", stated["unit"])


@pytest.mark.parametrize("stated", [quantity(80, "kg"), {"value": 80, "unit": "furlong"}, {"value": 5.5}])
def test_a_unit_that_does_not_fit_or_is_missing_is_quarantined(stated) -> None:
    assert reason(observation(GLUCOSE, {"valueQuantity": stated})) == "unit"


def test_a_proper_ucum_code_is_not_outvoted_by_the_text() -> None:
    stated = {"value": 5.5, "unit": "mmol/L", "system": UCUM, "code": "kg"}
    assert reason(observation(GLUCOSE, {"valueQuantity": stated})) == "unit"


def test_a_code_that_is_no_unit_yields_to_the_text() -> None:
    stated = {"value": 90, "unit": "mg/dL", "system": "http://units.example", "code": "U-17"}
    assert event(observation(GLUCOSE, {"valueQuantity": stated})).value.value == 90.0


@pytest.mark.parametrize("comparator", ["<", "<=", ">=", ">"])
def test_comparators_stay(comparator) -> None:
    found = event(observation(GLUCOSE, {"valueQuantity": quantity(40, "mg/dL", comparator=comparator)}))
    assert found.value == Quantity(40.0, "mg/dL", comparator)


def test_an_unknown_comparator_is_quarantined() -> None:
    assert reason(observation(GLUCOSE, {"valueQuantity": quantity(40, "mg/dL", comparator="ad")})) == "value"


def test_an_implausible_value_is_kept_and_flagged() -> None:
    found = event(observation(value={"valueQuantity": quantity(4000, "/min")}))
    assert (found.value.value, found.quality) == (4000.0, ("implausible",))


def test_the_sources_interpretation_travels_along() -> None:
    flags = [code("HH", "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation")]
    assert event(observation(interpretation=flags)).quality == ("interpretation:HH",)


def test_integers_strings_booleans_codes() -> None:
    score = event(observation(GLASGOW, {"valueInteger": 14})).value
    assert (score.value, score.unit) == (14.0, "{score}")
    assert event(observation(GLUCOSE, {"valueString": "haemolysed"})).value == Text("haemolysed")
    local = Context(
        mapping=parse_mapping('[codes."urn:local"]\n"O2" = "oxygen_supplementation"\n"AVPU" = "consciousness"')
    )
    oxygen = observation(value={"valueBoolean": True}, code=code("O2", "urn:local"))
    assert only(oxygen, local).events[0].value.number == 1.0
    awake = observation(value={"valueCodeableConcept": {"text": "Voice"}}, code=code("AVPU", "urn:local"))
    answer = only(awake, local).events[0].value
    assert isinstance(answer, Coded)
    assert answer.number == 2.0


def test_ranges_and_ratios() -> None:
    found = event(observation(GLUCOSE, {"valueRange": {"low": quantity(4, "mmol/L"), "high": quantity(6, "mmol/L")}}))
    assert isinstance(found.value, Range)
    assert found.value.low == pytest.approx(72.06, abs=0.05)
    assert found.value.unit == "mg/dL"
    ratio = {"numerator": quantity(90, "mg"), "denominator": quantity(1, "dL")}
    assert event(observation(GLUCOSE, {"valueRatio": ratio})).value.value == 90.0
    titre = {"numerator": {"value": 1}, "denominator": {"value": 128}}
    assert event(observation(GLUCOSE, {"valueRatio": titre})).value == Text("1:128")
    assert reason(observation(GLUCOSE, {"valueRatio": {**ratio, "denominator": quantity(0, "dL")}})) == "value"


def test_slow_samples_become_numbers_and_waveforms_stay_in_their_file() -> None:
    slow = {"origin": quantity(60, "/min"), "period": 60_000, "dimensions": 1, "factor": 0.5, "data": "40 E 44"}
    events = only(observation(value={"valueSampledData": slow})).events
    assert [(item.value.value, item.occurred_us - WHEN_US) for item in events] == [(80.0, 0), (82.0, 120_000_000)]
    fast = {**slow, "period": 2, "data": "1 2 3"}
    blob = event(observation(value={"valueSampledData": fast})).value
    assert isinstance(blob, Blob)
    assert (blob.bytes, blob.where) == (5, "Observation/o1#valueSampledData")
    assert reason(observation(value={"valueSampledData": {**slow, "data": "40 x"}})) == "value"


def test_a_panel_gives_one_event_a_component() -> None:
    parts = [
        {"code": code("8480-6"), "valueQuantity": quantity(120, "mm[Hg]")},
        {"code": code("8462-4"), "valueQuantity": quantity(80, "mm[Hg]")},
        {"code": code("8478-0"), "dataAbsentReason": {"text": "not measured"}},
        {"code": code("0000-0"), "valueQuantity": quantity(1, "kg")},
        {"code": code("8867-4"), "valueQuantity": quantity(1, "kg")},
    ]
    panel = observation(PANEL, {}, component=parts)
    (reading,) = read(panel)
    assert [(item.concept, item.value.value) for item in reading.entries[0].events] == [
        ("systolic_pressure", 120.0),
        ("diastolic_pressure", 80.0),
    ]
    assert [part.reason for part in reading.refused_parts] == ["unit"]
    assert reading.unmapped == (f"{LOINC}|0000-0|",)


def test_the_most_specific_known_coding_is_chosen() -> None:
    codings = {"coding": [{"system": "urn:acme", "code": "x"}, *code("8480-6")["coding"], *code("76534-7")["coding"]]}
    found = event(observation(value={"valueQuantity": quantity(120, "mm[Hg]")}, code=codings))
    assert found.concept == "systolic_pressure"
    assert found.code.startswith(LOINC)


def test_the_sites_map_comes_first_and_gives_a_unit_where_none_is_stated() -> None:
    text = (
        f'[codes."urn:lab"]\nGLU = {{ concept = "glucose", unit = "mmol/L" }}\n[codes."{LOINC}"]\n"2345-7" = "lactate"'
    )
    context = Context(mapping=parse_mapping(text))
    local = observation(value={"valueQuantity": {"value": 5.5}}, code=code("GLU", "urn:lab"))
    assert only(local, context).events[0].value.value == pytest.approx(99.088)
    assert only(observation(GLUCOSE, {"valueQuantity": quantity(1, "mmol/L")}), context).events[0].concept == "lactate"


@pytest.mark.parametrize(
    ("more", "occurred_us", "ended_us"),
    [
        ({"effectiveInstant": "2026-01-31T06:30:00.250Z"}, WHEN_US + 250_000, None),
        (
            {"effectivePeriod": {"start": "2026-01-31T06:30:00Z", "end": "2026-01-31T07:30:00Z"}},
            WHEN_US,
            WHEN_US + 3_600_000_000,
        ),
        ({"effectivePeriod": {"end": "2026-01-31T06:30:00Z"}}, WHEN_US, None),
        ({"effectiveTiming": {"event": ["2026-01-31T06:30:00Z"]}}, WHEN_US, None),
        ({"issued": "2026-01-31T06:30:00Z"}, WHEN_US, None),
    ],
)
def test_every_way_to_say_when(more, occurred_us, ended_us) -> None:
    stated = observation(**more)
    del stated["effectiveDateTime"]
    found = event(stated)
    assert (found.occurred_us, found.ended_us) == (occurred_us, ended_us)


def test_a_time_without_an_offset_is_in_the_contexts_zone() -> None:
    context = Context(zone=timezone(timedelta(hours=2)))
    found = only(observation(effectiveDateTime="2026-01-31T08:30:00"), context).events[0]
    assert (found.occurred_us, found.zone) == (WHEN_US, "")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [("final", "final"), ("amended", "corrected"), ("corrected", "corrected"), ("registered", "preliminary"),
     ("preliminary", "preliminary"), ("unknown", "preliminary"), ("entered-in-error", "entered-in-error")],
)  # fmt: skip
def test_statuses(stated, expected) -> None:
    assert only(observation(status=stated)).status == expected


def test_a_withdrawn_observation_without_its_value_still_reaches_what_it_withdraws() -> None:
    entry = only(observation(value={}, status="entered-in-error"))
    assert (entry.source_id, entry.status, entry.events[0].concept) == (
        "Observation/o1",
        "entered-in-error",
        "heart_rate",
    )


def test_device_encounter_and_business_references() -> None:
    stated = observation(
        device={"reference": "Device/monitor-7"},
        encounter={"reference": "Encounter/e1"},
        subject={"identifier": {"system": "urn:oid:1.2.3", "value": "M1"}},
    )
    entry = only(stated)
    assert (entry.device, entry.encounter) == ("monitor-7", Identifier("fhir:Encounter", "e1", "VN"))
    assert entry.subject == (Identifier("urn:oid:1.2.3", "M1"),)
    nobody = observation(device={"identifier": {"value": "SN-1"}})
    del nobody["subject"]
    assert (only(nobody).device, only(nobody).subject) == ("SN-1", ())
    on_device = observation(subject={"reference": "Device/monitor-7"})
    assert (only(on_device).device, only(on_device).subject) == ("monitor-7", ())


def test_a_message_that_names_nobody_is_the_speaking_devices() -> None:
    nobody = observation()
    del nobody["subject"]
    entry = only(nobody, Context(source="mqtt:fhir", device="monitor-7"))
    assert (entry.device, entry.subject) == ("monitor-7", ())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "final", "code": code("99999-9")}, "code not in the vocabulary"),
        ({"valueQuantity": {"unit": "/min"}}, "no value"),
        ({"subject": {"reference": "Group/herd"}}, "subject is not a patient"),
    ],
)
def test_valid_but_without_a_home_is_ignored(changes, why) -> None:
    assert ignored(observation(**changes)) == why


def test_absent_data_and_groups_are_ignored() -> None:
    assert ignored(observation(value={}, dataAbsentReason={"text": "unknown"})) == "data absent"
    assert ignored(observation(value={}, hasMember=[{"reference": "Observation/o2"}])) == "group of other observations"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"code": None}, "no-code"),
        ({"code": {}}, "no-code"),
        ({"status": "done"}, "status"),
        ({"subject": {"display": "Marie"}}, "no-subject"),
        ({"subject": {"reference": "p1"}}, "reference"),
        ({"subject": {"reference": "Patient?name=Marie"}}, "reference"),
        ({"effectiveDateTime": "yesterday"}, "time"),
        ({"effectiveDateTime": "", "effectivePeriod": {"start": "2026-02-01", "end": "2026-01-01"}}, "time"),
        ({"effectiveDateTime": ""}, "no-time"),
        ({"valueQuantity": {"value": "80", "unit": "/min"}}, "wrong-type"),
        ({"id": "x" * 300}, "identifier"),
    ],
)
def test_each_fault_has_its_own_reason(changes, why) -> None:
    assert reason(observation(**changes)) == why


def test_an_observation_without_a_subject_is_quarantined_with_its_bytes() -> None:
    stated = observation()
    del stated["subject"]
    (reading,) = read(stated)
    assert reading.refusal is not None
    assert reading.refusal.reason == "no-subject"
    assert b'"8867-4"' in reading.refusal.raw


def test_contained_observations_of_a_report_take_what_they_lack_from_it() -> None:
    inner = observation(GLUCOSE, {"valueQuantity": quantity(90, "mg/dL")}, id="g")
    for name in ("subject", "effectiveDateTime"):
        del inner[name]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "contained": [inner],
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": "2026-01-31T06:30:00Z",
    }
    entry = only(report)
    assert entry.source_id == "Observation/DiagnosticReport/r1#g"
    assert entry.subject == (Identifier("fhir:Patient", "p1", "PI"),)
    assert entry.events[0].occurred_us == WHEN_US


def test_a_contained_patient_is_whom_it_is_about() -> None:
    inner = patient(id="who")
    entry = only(observation(contained=[inner], subject={"reference": "#who"}))
    assert entry.subject == (Identifier("urn:oid:1.2.3", "M1", "MR"),)


def test_a_bundles_patient_lends_its_identifiers_wherever_it_stands() -> None:
    readings = read(bundle(observation(), patient()))
    assert readings[0].entries[0].subject == readings[1].entries[0].subject
    assert readings[0].entries[0].subject[0] == Identifier("urn:oid:1.2.3", "M1", "MR")

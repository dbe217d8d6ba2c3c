"""Bundles, lines, files: every resource counted once, whatever it comes in, and nothing raises."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.fhir_support import (
    bundle,
    code,
    mimic_condition,
    mimic_medications,
    mimic_observations,
    mimic_stays,
    observation,
    patient,
    read,
    reason,
    write_mimic,
)
from vitruvian.core.events import Dose, Quantity
from vitruvian.core.identifiers import Identifier
from vitruvian.core.limits import QUARANTINE_BYTES_MAX
from vitruvian.core.time import parse_iso
from vitruvian.records import fhir
from vitruvian.records.base import Context, iter_readings
from vitruvian.records.fhir import reader
from vitruvian.records.fhir.outcome import REASONS
from vitruvian.records.tally import summarise

GOOD = json.dumps(observation()).encode()


@pytest.mark.parametrize("type_", ["transaction", "batch", "collection", "searchset", "document", "message"])
def test_every_type_of_bundle(type_) -> None:
    tally = summarise(read(bundle(patient(), observation(), {"resourceType": "Claim", "id": "x"}, type_=type_)))
    assert (tally.read, tally.ignored, tally.quarantined, tally.events) == (2, 1, 0, 2)
    assert tally.ignored_reasons == {"Claim: no home yet": 1}


def test_bundles_within_bundles_and_entries_without_a_resource() -> None:
    nested = bundle(patient(), bundle(observation(), bundle(observation(id="o2"))))
    nested["entry"].append({"request": {"method": "DELETE", "url": "Observation/o3"}})
    readings = read(nested)
    assert [reading.kind for reading in readings] == ["Patient", "Observation", "Observation", "Bundle.entry"]
    assert readings[3].ignored
    assert readings[2].entries[0].subject == readings[0].entries[0].subject


def test_bundles_nested_too_deep_are_quarantined() -> None:
    document = observation()
    for _ in range(12):
        document = bundle(document)
    assert reason(document) == "too-deep"


def test_an_empty_bundle_holds_nothing() -> None:
    assert read({"resourceType": "Bundle", "type": "searchset"}) == []


def test_one_bad_entry_does_not_take_the_others_along() -> None:
    whole = bundle(observation(), observation(id="o2"), observation(id="o3", status=7), {"id": "what"})
    whole["entry"][1]["fullUrl"] = 5
    readings = read(whole)
    assert [reading.refusal.reason if reading.refusal else "" for reading in readings] == [
        "",
        "wrong-type",
        "wrong-type",
        "not-fhir",
    ]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "json"),
        (b"{", "json"),
        (b"[]", "wrong-type"),
        (b"null", "wrong-type"),
        (b'{"resourceType": 5}', "wrong-type"),
        (b'{"resourceType": "<script>"}', "not-fhir"),
        (b'{"id": "x"}', "not-fhir"),
        (GOOD[:-1], "json"),
        (GOOD.replace(b"80", b"NaN", 1), "json"),
        (GOOD.replace(b"80", b"1e999", 1), "wrong-type"),
        (GOOD.replace(b'"value": 80', b'"value": ' + b"9" * 5_000), "wrong-type"),
        (GOOD.replace(b'"o1"', b'"\xff"'), "json"),
        (GOOD.replace(b'"o1"', b'"\\ud800"'), "json"),
        (GOOD[:-1] + b', "extension": ' + b"[" * 40 + b"]" * 40 + b"}", "too-deep"),
        (GOOD[:-1] + b', "extension": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too-deep"),
        (b'{"x": ' * 100_000, "too-deep"),
        (b'{"resourceType": "Bundle", "entry": 5}', "wrong-type"),
        (b'{"resourceType": "Bundle", "entry": [', "json"),
        (b'{"resourceType": "Bundle", "entry": [5]}', "wrong-type"),
    ],
)
def test_broken_input_has_a_stable_reason(data, why) -> None:
    assert reason(data) == why
    assert why in REASONS


def test_brackets_within_text_are_not_depth() -> None:
    assert read(observation(note=[{"text": "[" * 5_000 + '"{'}]))[0].entries


def test_text_that_never_ends_is_refused_at_once() -> None:
    """Looking for each quote's partner would take hours here."""
    head = b'{"resourceType": "Observation", "extension": [' + b"[]," * 50
    assert reason(head + b'"' + b'\\"' * 2_000_000) == "json"
    assert reason(head + b"{" * 2_000_000) in ("json", "too-deep")
    assert reason(b" " * 2_000_000 + b"{" + b" " * 2_000_000) == "json"


def test_long_texts_cost_no_more_than_their_length() -> None:
    words = "a " * 500_000
    rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
    (reading,) = read({**mimic_medications()[0], "medicationCodeableConcept": code("1", rxnorm, words)})
    assert len(reading.entries[0].events[0].code) < 1_000
    assert reason(observation(effectiveDateTime="2026-01-31T08:30:00." + "1" * 500_000)) == "time"
    assert reason(observation(value={"valueCodeableConcept": code("1" * 500_000, "x")})) == "limit"
    assert reason(observation(value={"valueString": words})) == "limit"


def test_what_is_kept_of_a_refused_input_is_bounded() -> None:
    (reading,) = read(b'{"resourceType": "Observation", "id": "' + b"x" * 1_000_000)
    assert reading.refusal is not None
    assert len(reading.refusal.raw) == QUARANTINE_BYTES_MAX


def test_too_large_is_refused_without_reading_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reader, "BUNDLE_BYTES_MAX", 1_000)
    assert reason(b"{" + b" " * 2_000) == "too-large"
    small = json.dumps({"resourceType": "Claim"}).encode()
    lines = tmp_path / "lines.ndjson"
    lines.write_bytes(small + b"\n" + b"{" + b" " * 5_000 + b"}\n" + small + b"\n")
    readings = list(fhir.read(lines, Context()))
    assert [reading.refusal.reason if reading.refusal else reading.ignored for reading in readings] == [
        "no home yet",
        "too-large",
        "no home yet",
    ]
    bomb = tmp_path / "bomb.json.gz"
    bomb.write_bytes(gzip.compress(b" " * 1_000_000))
    assert [reading.refusal.reason for reading in fhir.read(bomb, Context()) if reading.refusal] == ["too-large"]


def test_lines_in_files_and_in_bytes(tmp_path: Path) -> None:
    data = b"\xef\xbb\xbf" + b"\n\n".join([GOOD, GOOD.replace(b"o1", b"o2"), b"{broken", GOOD.replace(b"o1", b"o3")])
    for name in ("a.ndjson", "b.ndjson.gz"):
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        tally = summarise(fhir.read(path, Context()))
        assert (tally.read, tally.quarantined, tally.reasons) == (3, 1, {"json": 1})
    assert summarise(fhir.read_bytes(data, Context())).read == 3


def test_a_pretty_printed_document_is_not_lines() -> None:
    assert len(read(json.dumps(bundle(observation()), indent=1).encode())) == 1
    assert len(read(GOOD + b"\n\n")) == 1


def test_a_damaged_file_ends_in_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "cut.ndjson.gz"
    whole = gzip.compress(b"\n".join(GOOD.replace(b"o1", b"o%d" % number) for number in range(2_000)))
    path.write_bytes(whole[: len(whole) // 2])
    readings = list(fhir.read(path, Context()))
    assert readings[-1].refusal is not None
    assert readings[-1].refusal.reason == "unreadable-file"


def test_the_same_bytes_give_the_same_names() -> None:
    nameless = observation()
    del nameless["id"]
    first, second = read(nameless), read(nameless)
    assert first == second
    assert first[0].entries[0].source_id.startswith("Observation/#")


# --- MIMIC-IV on FHIR ---------------------------------------------------------------


def test_mimic_on_fhir_is_read_by_its_items_and_units(tmp_path: Path) -> None:
    count = write_mimic(tmp_path)
    readings = list(iter_readings(tmp_path))
    tally = summarise(readings)
    assert (tally.total, tally.quarantined) == (count, 0)
    taken = {entry.source_id.removeprefix("Observation/"): entry for reading in readings for entry in reading.entries}
    for stated, expected in mimic_observations():
        if expected is None:
            assert stated["id"] not in taken
            continue
        (event,) = taken[stated["id"]].events
        concept, value, unit = expected
        assert isinstance(event.value, Quantity)
        assert (event.concept, event.value.unit) == (concept, unit)
        assert event.value.value == pytest.approx(value)
        assert event.value.comparator == stated["valueQuantity"].get("comparator", "")
        assert event.zone == "-04:00"


def test_mimics_infusions_keep_their_rate() -> None:
    infusion, push = (read(item)[0].entries[0].events[0] for item in mimic_medications())
    assert infusion.concept == "norepinephrine"
    assert infusion.value == Dose(1200.0, "ug", 0.12, "ug/kg/min", "")
    assert infusion.ended_us is not None
    assert (push.concept, push.value, push.ended_us) == ("furosemide", Dose(40.0, "mg"), None)


def test_an_export_refers_to_medicines_and_places_in_files_beside(tmp_path: Path) -> None:
    norepinephrine = {
        "resourceType": "Medication",
        "id": "n",
        "code": code("7512", "http://www.nlm.nih.gov/research/umls/rxnorm"),
    }
    given = {**mimic_medications()[0], "medicationReference": {"reference": "Medication/n"}}
    del given["medicationCodeableConcept"]
    bed = {"resourceType": "Location", "id": "b", "name": "B7", "physicalType": code("bd", "urn:type")}
    stay = {**mimic_stays()[1], "location": [{"location": {"reference": "Location/b"}}]}
    for name, resource in {
        "MedicationAdministration": given,
        "1.Medication": norepinephrine,
        "Encounter": stay,
        "Location.000": bed,
    }.items():
        (tmp_path / f"{name}.ndjson").write_text(json.dumps(resource) + "\n")
    (tmp_path / "Medication.broken.ndjson.gz").write_bytes(b"\x1f\x8b broken")
    events = {
        entry.source_id.partition("/")[0]: entry.events[0]
        for reading in iter_readings(tmp_path)
        for entry in reading.entries
    }
    assert events["MedicationAdministration"].concept == "norepinephrine"
    assert events["Encounter"].value.location.bed == "B7"


def test_mimics_diagnoses_have_their_admissions_time(tmp_path: Path) -> None:
    write_mimic(tmp_path)
    (entry,) = [entry for reading in iter_readings(tmp_path / "MimicCondition.ndjson.gz") for entry in reading.entries]
    (event,) = entry.events
    admission = mimic_stays()[1]["period"]
    assert (event.occurred_us, event.quality) == (parse_iso(admission["start"]).us, ("time-assumed",))
    assert entry.available_us == parse_iso(admission["end"]).us
    assert reason(mimic_condition()) == "no-time"


def test_mimics_patient_admission_and_observations_are_one_persons(tmp_path: Path) -> None:
    write_mimic(tmp_path)
    subjects = [set(entry.subject) for reading in iter_readings(tmp_path) for entry in reading.entries]
    assert set.intersection(*subjects), "every entry shares the identifier that the id is"
    assert any(
        Identifier("http://mimic.mit.edu/fhir/mimic/identifier/patient", "90000001") in item for item in subjects
    )

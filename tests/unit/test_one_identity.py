"""History and stream meet in one twin: FHIR, HL7 v2, MIMIC's numbers and a bed's device, by mapped identifiers."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from vitruvian.core.events import Reading
from vitruvian.core.time import HOUR_US, MINUTE_US, parse_iso
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import Journal
from vitruvian.records import fhir, hl7v2
from vitruvian.records.base import Context
from vitruvian.records.mapping import parse_mapping
from vitruvian.records.placements import placements
from vitruvian.streams.mqtt import Topic, decode
from vitruvian.twin import open_twins

NOW_US = parse_iso("2026-03-01T12:00:00Z").us
MAPPING = parse_mapping(
    '[authorities]\n"urn:oid:1.2.3.4" = ["http://ghh.example/mrn", "GHH"]\n'
    '[facilities.GHH]\nzone = "UTC"\n'
    '[beds]\n"monitor-7" = { facility = "GHH", ward = "ICU", room = "2", bed = "A" }\n'
)
CONTEXT = Context(mapping=MAPPING)
HEART_RATE = VOCABULARY["heart_rate"].index


def fhir_bundle(mrn: str, rate: int, at: str) -> bytes:
    patient = {
        "resourceType": "Patient",
        "id": "7f9f4b0e-0d5a-4f6a-9d53-2a7f3f2c9a11",
        "identifier": [{"system": "http://ghh.example/mrn", "value": mrn, "type": {"coding": [{"code": "MR"}]}}],
        "name": [{"family": "Doe", "given": ["Ann"]}],
        "birthDate": "1950-01-02",
        "gender": "female",
    }
    observation = {
        "resourceType": "Observation",
        "id": f"hr-{rate}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/7f9f4b0e-0d5a-4f6a-9d53-2a7f3f2c9a11"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": rate, "code": "/min", "system": "http://unitsofmeasure.org"},
    }
    entries = [{"resource": patient}, {"resource": observation}]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def adt(trigger: str, mrn: str, at: str, place: str = "ICU^2^A^GHH", *more: str) -> bytes:
    head = f"MSH|^~\\&|ADT|GHH|EHR|GHH|{at}||ADT^{trigger}|{trigger}{at}|P|2.5"
    return "\r".join([head, f"EVN|{trigger}|{at}", f"PID|1||{mrn}^^^GHH^MR", f"PV1|1|I|{place}", *more]).encode()


def vitals(number: int, at_us: int, rate: float) -> bytes:
    return json.dumps({"id": number, "time": at_us, "values": {"heart_rate": [rate, "/min"]}}).encode()


class Site:
    """A journal and its twins, fed as the streams feed them."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal.open(path)
        self.journal.append(placements(MAPPING), recorded_us=NOW_US)

    def take(self, readings: Iterable[Reading]) -> list[str]:
        outcomes = []
        for reading in readings:
            assert reading.refusal is None, reading.refusal
            if reading.entries:
                commit = self.journal.append(reading.entries, recorded_us=NOW_US)
                outcomes += [receipt.outcome for receipt in commit.receipts]
        return outcomes

    def rates(self, mrn: str) -> list[float]:
        pid = self.journal.resolve(hl7v2.read_message(adt("A08", mrn, "20260301"), CONTEXT).entries[0].subject)
        assert pid is not None
        samples = self.journal.series(pid, concepts=[HEART_RATE], start_us=0, end_us=NOW_US + HOUR_US)
        return samples.value.tolist()


def said(number: int, at_us: int, rate: float) -> Reading:
    return decode(Topic("monitor-7", "observations"), vitals(number, at_us, rate), NOW_US)


def test_a_fhir_history_an_admission_and_a_monitor_are_one_twin(tmp_path: Path) -> None:
    site = Site(tmp_path / "j.db")
    site.take(fhir.read_bytes(fhir_bundle("4711", 70, "2026-02-27T10:00:00Z"), CONTEXT))
    # The monitor measures before the admission has arrived: the value waits, and is delivered when it is known whose.
    assert site.take([said(1, NOW_US - HOUR_US, 88)]) == ["waiting"]
    site.take([hl7v2.read_message(adt("A01", "4711", "202603011000"), CONTEXT)])
    assert site.rates("4711") == [70.0, 88.0]
    assert len(site.journal.patients()) == 1
    twins = open_twins(site.journal)
    pid = site.journal.patients()[0].pid
    assert twins.tracker.last_value[twins.rows([pid])[0], HEART_RATE] == 88.0
    site.journal.close()


def test_a_transfer_hands_the_bed_and_its_monitor_to_the_next(tmp_path: Path) -> None:
    site = Site(tmp_path / "j.db")
    site.take([hl7v2.read_message(adt("A01", "1", "202603010800"), CONTEXT)])
    site.take([hl7v2.read_message(adt("A02", "1", "202603011000", "ICU^3^B^GHH"), CONTEXT)])
    site.take([hl7v2.read_message(adt("A01", "2", "202603011030"), CONTEXT)])
    for number, (minutes, rate) in enumerate([(-180, 61.0), (-60, 72.0)]):
        site.take([said(number, NOW_US + minutes * MINUTE_US, rate)])
    assert site.rates("1") == [61.0]
    assert site.rates("2") == [72.0]
    site.journal.close()


def test_a_merge_unites_and_an_unmerge_parts_again(tmp_path: Path) -> None:
    site = Site(tmp_path / "j.db")
    site.take(fhir.read_bytes(fhir_bundle("A", 70, "2026-02-27T10:00:00Z"), CONTEXT))
    other = fhir_bundle("B", 90, "2026-02-28T10:00:00Z").replace(b"7f9f4b0e", b"11111111")
    site.take(fhir.read_bytes(other, CONTEXT))
    assert len(site.journal.patients()) == 2
    merge = adt("A40", "A", "202603010900").replace(b"PV1|1|I|ICU^2^A^GHH", b"MRG|B^^^GHH^MR")
    site.take([hl7v2.read_message(merge, CONTEXT)])
    assert site.rates("A") == site.rates("B") == [70.0, 90.0]
    part = adt("A37", "A", "202603011000").replace(b"PV1|1|I|ICU^2^A^GHH", b"PID|2||B^^^GHH^MR")
    site.take([hl7v2.read_message(part, CONTEXT)])
    assert site.rates("A") == [70.0]
    assert site.rates("B") == [90.0]
    site.journal.close()


def test_an_ambiguous_match_is_quarantined_and_never_guessed(tmp_path: Path) -> None:
    site = Site(tmp_path / "j.db")
    site.take(fhir.read_bytes(fhir_bundle("A", 70, "2026-02-27T10:00:00Z"), CONTEXT))
    site.take(fhir.read_bytes(fhir_bundle("B", 90, "2026-02-28T10:00:00Z").replace(b"7f9f4b0e", b"11111111"), CONTEXT))
    both = adt("A08", "A", "202603010900").replace(b"A^^^GHH^MR", b"A^^^GHH^MR~B^^^GHH^MR")
    (reading,) = [hl7v2.read_message(both, CONTEXT)]
    receipts = site.journal.append(reading.entries, recorded_us=NOW_US).receipts
    assert [receipt.outcome for receipt in receipts] == ["quarantined"]
    assert [row.reason for row in site.journal.quarantined()] == ["identity-conflict"]
    site.journal.close()

"""HL7 v2 messages to readings."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import msgspec
import pytest

from vitruvian.core.events import Coded, Dose, Merge, Person, Quantity, Range, Reading, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import parse_hl7
from vitruvian.journal import Journal
from vitruvian.records.base import Context
from vitruvian.records.hl7v2 import acknowledge, read, read_message
from vitruvian.records.hl7v2.message import parse
from vitruvian.records.mapping import parse_mapping
from vitruvian.records.tally import Tally

PID = "PID|1||12345^^^GHH^MR~999^^^^SS||Doe^Ann^B||19500102|F"


def message(kind: str, *segments: str, sent: str = "20260131083000+0100") -> bytes:
    return "\r".join([f"MSH|^~\\&|LAB|GHH|EHR|GHH|{sent}||{kind}|42|P|2.5", *segments]).encode()


def taken(kind: str, *segments: str, context: Context | None = None) -> Reading:
    reading = read_message(message(kind, *segments), context or Context())
    assert reading.refusal is None, reading.refusal
    return measured(reading)


def measured(reading: Reading) -> Reading:
    """Without who it is of, which results repeat."""
    return msgspec.structs.replace(
        reading, entries=tuple(one for one in reading.entries if "PID|" not in one.source_id)
    )


def obx(
    code: str, value: str, unit: str, *, kind: str = "NM", status: str = "F", at: str = "20260131080000+0100"
) -> str:
    return f"OBX|1|{kind}|{code}||{value}|{unit}|||||{status}|||{at}"


def test_a_result_keeps_its_value_unit_zone_and_issue_time() -> None:
    reading = taken("ORU^R01", PID, "OBR|1||F1|24331-1^Panel^LN", obx("2345-7^Glucose^LN", "10", "mmol/L"))
    (entry,) = reading.entries
    (event,) = entry.events
    assert event.concept == "glucose"
    assert isinstance(event.value, Quantity)
    assert event.value.value == pytest.approx(180.16, abs=0.2)
    assert (event.value.stated_value, event.value.stated_unit) == (10.0, "mmol/L")
    assert (event.zone, event.occurred_us) == ("+01:00", parse_hl7("20260131070000+0000").us)
    assert entry.available_us == parse_hl7("20260131073000+0000").us
    assert entry.subject == (Identifier("GHH", "12345", "MR"),)


def test_a_correction_has_the_same_identity_and_a_later_version() -> None:
    segments = (PID, "OBR|1||F1|1^x^L")
    first = taken("ORU^R01", *segments, obx("2345-7^Glucose^LN", "90", "mg/dL")).entries[0]
    data = message(
        "ORU^R01", *segments, obx("2345-7^Glucose^LN", "95", "mg/dL", status="C"), sent="20260131090000+0100"
    )
    second = read_message(data, Context()).entries[0]
    assert (first.source, first.source_id) == (second.source, second.source_id)
    assert first.source_version < second.source_version
    assert (first.status, second.status) == ("final", "corrected")


def test_several_values_at_one_moment_are_all_kept() -> None:
    repeated = taken("ORU^R01", PID, obx("8867-4^HR^LN", "60~120", "beats/min"))
    assert [event.value.value for event in repeated.entries[0].events] == [60.0, 120.0]  # type: ignore[union-attr]
    twice = taken("ORU^R01", PID, obx("8867-4^HR^LN", "60", "/min"), obx("8867-4^HR^LN", "70", "/min"))
    assert len({entry.source_id for entry in twice.entries}) == 2


@pytest.mark.parametrize(
    "kind, value, expected",
    [
        ("SN", "<^0.1", Quantity(0.1, "ng/mL", "<")),
        ("ST", "&lt;", None),
        ("NM", "<0.1", Quantity(0.1, "ng/mL", "<")),
        ("SN", "^1^-^2", Range(1.0, 2.0, "ng/mL")),
        ("SN", "^1^:^2", None),
        ("NM", "positive", None),
        ("ED", "x^y", None),
    ],
)
def test_number_types(kind: str, value: str, expected: Quantity | Range | None) -> None:
    line = obx("33959-8^Procalcitonin^LN", value, "ng/mL", kind=kind)
    reading = read_message(message("ORU^R01", PID, line), Context())
    if expected is None:
        assert reading.refusal is not None
        assert reading.refusal.reason in ("value", "value-type")
    else:
        assert reading.entries[0].events[0].value == expected


def test_a_wrong_unit_is_refused_and_its_neighbour_taken() -> None:
    reading = taken("ORU^R01", PID, obx("8867-4^HR^LN", "60", "kg"), obx("9279-1^RR^LN", "14", "/min"))
    assert [part.reason for part in reading.refused_parts] == ["unit"]
    assert len(reading.entries) == 1


def test_implausible_values_are_kept_and_flagged() -> None:
    (entry,) = taken("ORU^R01", PID, obx("8867-4^HR^LN", "6000", "/min")).entries
    assert entry.events[0].quality == ("implausible",)


def test_site_map_gives_local_codes_their_meaning() -> None:
    mapping = parse_mapping('[facilities.GHH]\nzone = "Europe/Paris"\ncodes = { "PULS" = "heart_rate" }\n')
    context = Context(mapping=mapping, zone=UTC)
    (entry,) = taken("ORU^R01", PID, obx("PULS^Puls^L", "61", "/min", at="20260131080000"), context=context).entries
    assert (entry.events[0].concept, entry.events[0].zone) == ("heart_rate", "")
    assert entry.events[0].occurred_us == parse_hl7("20260131070000+0000").us
    unmapped = taken("ORU^R01", PID, obx("OTHER^x^L", "61", "/min"), context=context)
    assert unmapped.ignored
    assert unmapped.unmapped == ("L|OTHER|x",)


@pytest.mark.parametrize("status, expected", [("P", "preliminary"), ("W", "entered-in-error"), ("X", "cancelled")])
def test_result_status(status: str, expected: str) -> None:
    (entry,) = taken("ORU^R01", PID, obx("8867-4^HR^LN", "60", "/min", status=status)).entries
    assert entry.status == expected


@pytest.mark.parametrize("status", ["D", "W", "X"])
@pytest.mark.parametrize("value", ["", '""', "7.9", "Cancelled", "specimen^hemolysed~see comment"])
@pytest.mark.parametrize("kind", ["NM", "SN", "TX", "ED"])
def test_a_result_is_taken_back_without_its_value(status: str, kind: str, value: str, journal_path: Path) -> None:
    """Table 0085: D deletes the OBX, W posts it as wrong, X could not be obtained; OBX-5 is empty, or says why."""
    wrong = taken("ORU^R01", PID, obx("2823-3^K^LN", "7.9", "mmol/L")).entries
    later = message(
        "ORU^R01", PID, obx("2823-3^K^LN", value, "mmol/L", kind=kind, status=status), sent="20260131100000+0100"
    )
    (back,) = measured(read_message(later, Context())).entries
    assert back.source_id == wrong[0].source_id
    with Journal.open(journal_path) as journal:
        journal.append(list(wrong), recorded_us=1)
        (pid,) = (patient.pid for patient in journal.patients())
        assert journal.series(pid).value.tolist() == [7.9]
        journal.append([back], recorded_us=2)
        assert journal.series(pid).value.tolist() == []


def test_a_pending_or_empty_result_says_nothing() -> None:
    for status in ("I", "N", "O", "F", "P"):
        assert not taken("ORU^R01", PID, obx("2823-3^K^LN", "", "mmol/L", status=status)).entries


def test_results_tell_who_they_are_of_once() -> None:
    first, second = (
        read_message(message("ORU^R01", PID, obx("8867-4^HR^LN", "60", "/min"), sent=sent), Context()).entries[-1]
        for sent in ("20260131083000", "20260131093000")
    )
    assert first.events == second.events
    assert first.source_id == second.source_id == "PID|GHH|12345"
    assert isinstance(first.events[0].value, Person)
    assert first.events[0].value.family == "Doe"


def test_admission_carries_person_visit_bed_and_diagnosis() -> None:
    reading = taken(
        "ADT^A01",
        "EVN|A01|20260131081500+0100",
        PID,
        "PV1|1|I|ICU^2^A^GHH||||||||||||||||V77^^^GHH^VN",
        "DG1|1||A41.9^Sepsis, unspecified organism^I10C",
    )
    person, visit, condition = reading.entries[0].events
    assert person.value == Person("Doe", "Ann B", parse_hl7("19500102").us, "female", None)
    expected = Visit("admit", Identifier("GHH", "V77", "VN"), Location("GHH", "ICU", "2", "A"), None, "I")
    assert visit.value == expected
    assert isinstance(condition.value, Coded)
    assert condition.value.code == "A41.9"
    assert visit.occurred_us == parse_hl7("20260131081500+0100").us


@pytest.mark.parametrize(
    "trigger, action",
    [
        ("A02", "transfer"),
        ("A03", "discharge"),
        ("A08", "update"),
        ("A11", "cancel-admit"),
        ("A13", "cancel-discharge"),
    ],
)
def test_visit_steps(trigger: str, action: str) -> None:
    reading = taken(f"ADT^{trigger}", PID, "PV1|1|I|ICU^3^B|||ICU^2^A")
    visit = reading.entries[0].events[1].value
    assert isinstance(visit, Visit)
    assert (visit.action, visit.location.room) == (action, "3")
    assert visit.prior_location == Location("GHH", "ICU", "2", "A")


def test_merge_and_link_and_unlink() -> None:
    merge = taken("ADT^A40", PID, "MRG|777^^^GHH^MR").entries[0]
    assert merge.events[1].value == Merge("merge", (Identifier("GHH", "777", "MR"),))
    other = "PID|2||777^^^GHH^MR"
    assert taken("ADT^A24", PID, other).entries[0].events[0].value == Merge("merge", (Identifier("GHH", "777", "MR"),))
    assert taken("ADT^A37", PID, other).entries[0].events[0].value == Merge(
        "unmerge", (Identifier("GHH", "777", "MR"),)
    )


def test_medicine_order_and_administration() -> None:
    order = taken("RDE^O11", PID, "ORC|NW|P1", "RXE||11124^vancomycin^RXNORM|1000||mg").entries[0].events[0]
    assert (order.kind, order.concept, order.value) == ("order", "vancomycin", Dose(1000.0, "mg"))
    given = "RXA|0|1|20260131100000+0100||11124^vancomycin^RXNORM|1000|mg"
    event = taken("RAS^O17", PID, "ORC|RE|P1", given).entries[0].events[0]
    assert (event.kind, event.occurred_us) == ("administration", parse_hl7("20260131100000+0100").us)


def rxa(completion: str, action: str = "") -> str:
    return f"RXA|0|1|20260131100000+0100||11124^vancomycin^RXNORM|1000|mg|||||||||||||{completion}|{action}"


@pytest.mark.parametrize(("completion", "given"), [("CP", 1), ("PA", 1), ("", 1), ("RE", 0), ("NA", 0)])
def test_a_dose_that_was_refused_or_not_given_is_no_dose(completion: str, given: int) -> None:
    """Table 0322, RXA-20."""
    reading = taken("RAS^O17", PID, "ORC|RE|P1", rxa(completion))
    assert len(reading.entries) == given
    assert bool(reading.ignored) is not bool(given)


@pytest.mark.parametrize(("completion", "action"), [("CP", "D"), ("NA", "U"), ("RE", "D")])
def test_a_deleted_administration_takes_back_the_one_before(completion: str, action: str) -> None:
    """Table 0206, RXA-21; the place of the segment in its message is the same."""
    first = taken("RAS^O17", PID, "ORC|RE|P1", rxa("CP", "A")).entries[0]
    sent = message("RAS^O17", PID, "ORC|RE|P1", rxa(completion, action), rxa("CP"), sent="20260131110000+0100")
    back, other = read_message(sent, Context()).entries
    assert (back.source_id, back.status) == (first.source_id, "entered-in-error")
    assert (other.source_id != first.source_id, other.status) == (True, "final")
    assert first.status == "final"


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"not HL7", "syntax"),
        (message("ADT^A01", "PID|1"), "no-subject"),
        (message("ADT^A40", PID), "merge"),
        (message("ADT^A01", PID, sent="tomorrow"), "time"),
        (message("ORU^R01", obx("8867-4^HR^LN", "60", "/min")), "no-subject"),
        (message("", PID), "type"),
    ],
)
def test_what_cannot_be_taken_says_why(data: bytes, reason: str) -> None:
    reading = read_message(data, Context())
    assert reading.refusal is not None
    assert reading.refusal.reason == reason
    assert "expected" in reading.refusal.detail


def test_acknowledgement_echoes_the_control_id_and_turns_the_addresses() -> None:
    answer = acknowledge(message("ADT^A01", PID), "AE", "bad | unit", now_us=0)
    reply = parse(answer)
    assert reply.type == "ACK^A01"
    assert (reply.header.get(3), reply.header.get(5)) == ("EHR", "LAB")
    msa = reply.first("MSA")
    assert msa is not None
    assert (msa.get(1), msa.get(2), msa.get(3)) == ("AE", "42", "bad | unit")


def test_every_sample_message_is_counted_once(data_root: Path) -> None:
    tally = Tally()
    for path in sorted((data_root / "hl7v2").iterdir()):
        for reading in read(path, Context()):
            tally.add(reading)
    lines = [line for path in (data_root / "hl7v2").iterdir() for line in path.read_bytes().splitlines()]
    headers = sum(line.removeprefix(b"\xef\xbb\xbf").startswith(b"MSH|") for line in lines)
    assert tally.total == headers == 70
    assert tally.read >= 32
    assert tally.quarantined == 0

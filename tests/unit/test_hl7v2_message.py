"""The syntax of HL7 v2."""

import pytest

from vitruvian.core.errors import ReadingError
from vitruvian.records.hl7v2.message import parse, split_messages

HEADER = b"MSH|^~\\&|LAB|GHH|EHR|GHH|20260131083000+0100||ORU^R01|42|P|2.5"


def test_fields_count_as_in_the_standard() -> None:
    message = parse(HEADER)
    assert message.header.get(1) == "|"
    assert message.header.get(9, 2) == "R01"
    assert (message.type, message.control_id, message.facility, message.application) == ("ORU^R01", "42", "GHH", "LAB")


def test_escapes_and_subcomponents() -> None:
    message = parse(HEADER + b"\rNTE|1||50 \\T\\ 60 \\S\\ \\X41\\\\.br\\end|A&B^C~D&E^F")
    note = message.first("NTE")
    assert note is not None
    assert note.get(3) == "50 & 60 ^ A\nend"
    assert note.get(4, 1, 2) == "B"
    assert [note.part(item, 1) for item in note.repetitions(4)] == ["A", "D"]


def test_other_delimiters_are_honoured() -> None:
    message = parse(b"MSH#*!?@#LAB#GHH#EHR#GHH#20260131##ADT*A01#7#P#2.5\rPID#1##1*2@3!4")
    assert message.type == "ADT^A01"
    pid = message.first("PID")
    assert pid is not None
    assert (pid.get(3, 2, 2), pid.part(pid.repetitions(3)[1], 1)) == ("3", "4")


def test_explicit_null_is_empty() -> None:
    pid = parse(HEADER + b'\rPID|1||""').first("PID")
    assert pid is not None
    assert pid.repetitions(3) == []


@pytest.mark.parametrize("charset, text", [("UNICODE UTF-8", "Zoë"), ("8859/1", "Zoë"), ("8859/15", "Zoë €")])
def test_declared_character_sets(charset: str, text: str) -> None:
    codec = "utf-8" if "UTF" in charset else f"iso8859-{charset[5:]}"
    message = parse(HEADER + b"||||||" + charset.encode() + b"\rNTE|1||" + text.encode(codec))
    note = message.first("NTE")
    assert note is not None
    assert note.get(3) == text


def test_the_mappings_charset_holds_where_none_is_declared() -> None:
    note = parse(HEADER + "\rNTE|1||Zoë".encode("latin-1"), "latin-1").first("NTE")
    assert note is not None
    assert note.get(3) == "Zoë"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PID|1",
        b"MSH",
        b"MSH|||||||||",
        b"MSH|^^^^|A|B",
        b"MSHAbcdeA",
        HEADER + b"\rtoolong|1",
        HEADER + b"\r\xff|",
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ReadingError, match="expected"):
        parse(data)


def test_batches_are_split_and_their_envelope_is_no_message() -> None:
    batch = b"FHS|^~\\&|A\rBHS|^~\\&|A\r" + HEADER + b"\rPID|1\r" + HEADER + b"\rPID|2\rBTS|2\rFTS|1\r"
    pieces = split_messages(batch)
    assert len(pieces) == 2
    assert [segment.name for segment in parse(pieces[1]).segments] == ["MSH", "PID"]


def test_what_stands_before_the_first_message_is_not_lost() -> None:
    assert split_messages(b"garbage\r" + HEADER) == [b"garbage", HEADER]
    assert split_messages(b"\xef\xbb\xbf" + HEADER) == [HEADER]
    assert split_messages(b"\r\n ") == []

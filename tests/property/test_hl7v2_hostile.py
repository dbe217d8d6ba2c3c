"""Whatever arrives as HL7 v2, the reader answers with a reading and never raises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_hl7v2_reader import PID, message, obx
from vitruvian.records.base import Context
from vitruvian.records.hl7v2 import acknowledge, read_bytes
from vitruvian.records.hl7v2.message import parse

SEEDS = [
    message(
        "ORU^R01", PID, "OBR|1||F1", obx("8867-4^HR^LN", "60~120", "/min"), obx("33959-8^PCT^LN", "<^0.1", "ng/mL")
    ),
    message("ADT^A01", "EVN|A01|20260131", PID, "PV1|1|I|ICU^2^A^GHH", "DG1|1||A41.9^Sepsis^I10C"),
    message("ADT^A40", PID, "MRG|777^^^GHH^MR"),
    message("RDE^O11", PID, "ORC|NW|P1", "RXE||11124^vancomycin^RXNORM|1000||mg"),
]


@given(st.binary(max_size=400))
def test_noise(data: bytes) -> None:
    for reading in read_bytes(data, Context()):
        assert reading.refusal is not None or reading.ignored or reading.entries


@given(st.sampled_from(SEEDS), st.data())
def test_mutated_messages(seed: bytes, data: st.DataObject) -> None:
    mutated = bytearray(seed)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(mutated) - 1))
        piece = data.draw(
            st.sampled_from([b"", b"|", b"^", b"~", b"\\", b"&", b"\r", b"\x00", b"\xff", b"9" * 30, b"1e999"])
        )
        mutated[at : at + data.draw(st.integers(0, 5))] = piece
    for reading in read_bytes(bytes(mutated), Context()):
        outcomes = (bool(reading.entries), bool(reading.ignored), reading.refusal is not None)
        assert sum(outcomes) == 1
    assert parse(acknowledge(bytes(mutated), "AE", "no", now_us=0)).first("MSA") is not None

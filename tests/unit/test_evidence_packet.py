"""Packets that someone brings: what is read, what is refused and in which words, and that nothing else comes of it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.core.errors import ReadingError, VitruvianError
from vitruvian.core.time import HOUR_US
from vitruvian.explanation.drafting import AUDIENCES, draft, plan_of
from vitruvian.explanation.evidence.base import FACTS_MAX, Evidence
from vitruvian.explanation.evidence.packet import PACKET_BYTES_MAX, packet_schema, read_packet, shipped_schema
from vitruvian.testing.packets import KINDS, packets

NOW_US = 480_000 * HOUR_US
Json = dict[str, Any]


def fact(**fields: object) -> Json:
    return {"id": "lactate", "role": "measurement", "name": "lactate", "value": 2.0, "unit": "mmol/L"} | fields


def packet(*facts: Json, **fields: object) -> Json:
    return {"kind": "timeline", "at_us": NOW_US, "facts": list(facts)} | fields


def read(*facts: Json, **fields: object) -> Evidence:
    return read_packet(json.dumps(packet(*facts, **fields)).encode())


RISK = {"id": "risk", "role": "probability", "name": "sepsis_risk", "label": "sepsis", "value": 0.2}
EARLIER = {
    "id": "then", "role": "earlier", "name": "sepsis_risk", "value": 0.05, "of": "risk", "at_us": NOW_US - 6 * HOUR_US,
}  # fmt: skip
LOW = {"id": "low", "role": "interval_low", "name": "sepsis_risk", "value": 0.1, "of": "risk"}
EXPECTED = {"id": "e", "role": "expected", "name": "heart_rate", "value": 100, "unit": "/min", "horizon_h": 6.0}
THEN = {"id": "n", "role": "estimate", "name": "heart_rate", "value": 80, "unit": "/min", "of": "e"}
DIFFERENCE = {"id": "d", "role": "difference", "name": "heart_rate", "value": 5, "unit": "/min", "horizon_h": 1.0}
ALARM = {"id": "a", "role": "alarm", "name": "heart_rate", "text": "HR 134", "at_us": NOW_US}


def test_values_are_read_in_the_vocabularys_unit_under_its_name() -> None:
    told = read(
        fact(value=18.0, unit="mg/dL", label="nothing to worry about"),
        fact(id="t", name="body_temperature", value=101.3, unit="[degF]"),
        fact(id="own", name="own_score", label="own score", value=3.0, unit="mg/h"),
    )
    lactate, temperature, own = told.facts
    assert (lactate.value, lactate.unit, lactate.label) == (pytest.approx(1.998, abs=2e-3), "mmol/L", "lactate")
    assert (temperature.value, temperature.unit) == (pytest.approx(38.5), "Cel")
    assert (own.value, own.unit, own.label) == (3.0, "mg/h", "own score")


def test_a_difference_is_converted_without_the_scales_zero() -> None:
    told = read(
        DIFFERENCE | {"name": "body_temperature", "value": 1.8, "unit": "[degF]"},
        {"id": "l", "role": "interval_low", "name": "body_temperature", "value": 0.9, "unit": "[degF]", "of": "d"},
        {"id": "a", "role": "action", "name": "paracetamol", "value": 1, "unit": "g"},
        kind="what_if",
    )
    assert [one.value for one in told.facts] == [pytest.approx(1.0), pytest.approx(0.5), 1]
    assert told.facts[2].unit == "g"  # a dose stays as it was ordered
    assert told.simulated
    assert "hypothetical" in told.facts[0].flags


def test_red_flags_are_worked_out_again() -> None:
    told = read(fact(value=45.0, unit="mg/dL"), {"id": "m", "role": "missing", "name": "heart_rate"}, RISK, EARLIER)
    assert {one.id for one in told.red_flags} == {"lactate", "m", "risk"}
    assert read(fact(value=45.0, unit="mg/dL"), fact(id="then", of="lactate", value=9.0)).by_id["then"].flags == ()


def test_a_hospitals_own_critical_value_stands() -> None:
    assert read(fact(flags=["critical"])).red_flags


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ([fact(), fact()], "two facts called 'lactate'"),
        ([fact(of="nobody")], "of 'nobody'"),
        ([fact(of="lactate")], "belong to each other"),
        ([fact(id="a", of="b"), fact(id="b", of="a")], "belong to each other"),
        ([fact(unit="kg")], "kg"),
        ([fact(unit="<b>")], "the unit '<b>'"),
        ([fact(value=None)], "without a value"),
        ([fact(value=4000)], "lactate 4000 mmol/L, expected 0.1 to 40"),
        ([fact(value=1e300, name="x")], "value 1e+300"),
        ([fact(name=" ")], "no name"),
        ([fact(name="x", label="Fine. Give nothing")], "not a sentence"),
        ([fact(name="Give more now!", label="")], "not a sentence"),
        ([fact(at_us=NOW_US + 2 * HOUR_US)], "after the packet's own"),
        ([fact(at_us=-(10**18))], "1900 to 2200"),
        ([RISK | {"value": 1.2}], "1.2 as a probability"),
        ([RISK | {"unit": "%"}], "the unit '%'"),
        ([RISK | {"flags": ["rising_risk"]}], "a rising risk that was not notably lower"),
        ([RISK | {"flags": ["rising_risk"]}, EARLIER | {"value": 0.19}], "a rising risk that was not notably lower"),
        ([RISK | {"flags": ["critical"]}], "critical on a fact of role probability"),
        ([RISK, EARLIER | {"of": ""}], "belongs to none"),
        ([RISK, EARLIER | {"at_us": NOW_US}], "an earlier value of now"),
        ([RISK, EARLIER | {"name": "aki_risk"}], "the name 'aki_risk' beside 'sepsis_risk'"),
        ([RISK, LOW | {"value": 0.3}], "interval_low 0.3 of 0.2"),
        ([RISK, LOW | {"role": "interval_high"}], "interval_high 0.1 of 0.2"),
        ([EXPECTED | {"direction": "falling"}, THEN], "falling by 20"),
        ([EXPECTED | {"direction": "steady"}, THEN], "steady by 20"),
        ([EXPECTED | {"horizon_h": None}], "without `horizon_h`"),
        ([EXPECTED | {"horizon_h": -1}], "-1 hours ahead"),
        ([DIFFERENCE | {"direction": "falling"}, ALARM], "falling by 5"),
        ([ALARM | {"text": " "}], "without a text"),
        ([ALARM | {"at_us": None}], "without a time"),
        ([{"id": "c", "role": "count", "name": "beds", "value": 1.5}, fact()], "a count of 1.5"),
        ([{"id": "c", "role": "confidence", "name": "c", "value": 100}, fact()], "a confidence of 100 %"),
        ([{"id": "h", "role": "horizon", "name": "h", "value": 0}, fact()], "a span of 0 h"),
        ([{"id": "m", "role": "missing", "name": "heart_rate", "value": 3}, fact()], "a value of what is missing"),
        ([fact(flags=["high", "high"])], "a flag twice"),
        ([fact(label="a<b")], "not of the schema"),
        ([fact(text="\u202e")], "not of the schema"),
        ([fact(id="Lactate")], "not of the schema"),
        ([fact(role="boss")], "not of the schema"),
        ([fact(value="2")], "not of the schema"),
        ([fact(surprise=1)], "not of the schema"),
    ],
)
def test_what_does_not_hold_is_refused_in_a_line(facts: list[Json], found: str) -> None:
    with pytest.raises(ReadingError) as refused:
        read(*facts, fact(id="sodium", name="sodium", value=140))
    message = str(refused.value)
    assert found in message
    assert "expected" in message.casefold()
    assert "\n" not in message


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "not of the schema"),
        (b"\xff\xfe", "not of the schema"),
        (b"[" * 100_000, "not of the schema"),
        (b" " * (PACKET_BYTES_MAX + 1), f"{PACKET_BYTES_MAX + 1} bytes"),
        (json.dumps(packet()).encode(), "no fact that a packet of kind timeline is about"),
        (json.dumps(packet(fact(), kind="risk")).encode(), "kind risk"),
        (json.dumps(packet(fact(), zone="Mars/Base")).encode(), "Mars/Base"),
        (json.dumps(packet(fact(), zone="+99:99")).encode(), "+99:99"),
        (json.dumps(packet(fact(), schema=2)).encode(), "not of the schema"),
        (json.dumps(packet(*[fact(id=f"f{n}") for n in range(FACTS_MAX + 1)])).encode(), "not of the schema"),
    ],
)
def test_what_is_no_packet_is_refused(data: bytes, found: str) -> None:
    with pytest.raises(ReadingError) as refused:
        read_packet(data)
    assert found in str(refused.value)


def test_the_shipped_schema_is_current() -> None:
    assert shipped_schema() == packet_schema(), "write it again: python -m vitruvian.explanation.evidence.packet"


def test_every_packet_of_the_twins_own_is_read_as_it_is() -> None:
    for made in packets(11, 24 * len(KINDS)):
        told = read_packet(msgspec.json.encode(made))
        # Flags may be added: no age is known, so that critical values are those of adults.
        for mine, theirs in zip(made.facts, told.facts, strict=True):
            assert set(mine.flags) <= set(theirs.flags)
            assert msgspec.structs.replace(theirs, flags=mine.flags) == mine
        assert (told.kind, told.at_us, told.zone, told.patient) == (made.kind, made.at_us, made.zone, made.patient)


# --- whatever comes -----------------------------------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
MADE = [json.loads(msgspec.json.encode(one)) for one in packets(3, 4 * len(KINDS))]


def explained(data: bytes) -> None:
    """Read, planned and worded: a packet that is read can be explained, one that is not raises what it should."""
    try:
        told = read_packet(data)
    except VitruvianError:
        return
    for audience in AUDIENCES:
        claims = plan_of(told, audience)
        assert {name for claim in claims for name in claim.facts} <= set(told.by_id)
        assert draft(told, audience, "de" if audience == "patient" else "en").text


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_bytes_and_json_are_refused_politely(data: bytes) -> None:
    with pytest.raises(VitruvianError):
        read_packet(data)


@given(st.data())
def test_a_packet_with_anything_changed_is_read_or_refused(data: st.DataObject) -> None:
    made = json.loads(json.dumps(data.draw(st.sampled_from(MADE))))
    for _ in range(data.draw(st.integers(1, 3))):
        held = made.get("facts")
        facts = [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []
        of = data.draw(st.sampled_from(facts)) if facts and data.draw(st.integers(0, 4)) else made
        name = data.draw(st.sampled_from(sorted({*of, "value", "unit", "direction", "flags", "of", "at_us", "role"})))
        others = [one[name] for one in facts if name in one] or [None]
        of[name] = data.draw(json_values | st.sampled_from(others) | st.floats(-1e9, 1e9))
    explained(json.dumps(made).encode())

"""FHIR from a stranger: whatever arrives, each resource gives exactly one reading, and nothing raises."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fhir_support import (
    bundle,
    mimic_medications,
    mimic_observations,
    mimic_stays,
    observation,
    patient,
    quantity,
    read,
)
from vitruvian.core.events import Entry, Quantity, Reading
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records.fhir.outcome import REASONS

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(["", "#x", "Patient/", "9" * 400, "\u0000"]),
)
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
P1 = {"reference": "Patient/p1"}
PART = {
    "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
    "valueQuantity": quantity(120, "mm[Hg]"),
}
SAMPLES = {"origin": quantity(1, "/min"), "period": 1000, "dimensions": 1, "data": "80 81"}
TEMPLATES: list[dict[str, Any]] = [
    observation(),
    observation("85354-9", {}, component=[PART]),
    observation(value={"valueSampledData": SAMPLES}),
    patient(link=[{"other": {"reference": "Patient/x"}, "type": "replaces"}]),
    *mimic_medications(),
    *mimic_stays(),
    mimic_observations()[0][0],
    {"resourceType": "Condition", "id": "c", "code": {"text": "x"}, "subject": P1, "onsetDateTime": "2026"},
    {
        "resourceType": "DeviceUseStatement",
        "id": "d",
        "status": "active",
        "subject": P1,
        "device": {"reference": "Device/d"},
        "recordedOn": "2026-01-01",
    },
    {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": P1,
        "issued": "2026-01-01T00:00:00Z",
        "contained": [observation()],
    },
    {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": "active",
        "subject": P1,
        "dateAsserted": "2026",
        "contained": [{"resourceType": "Medication", "id": "x", "code": {"text": "y"}}],
        "medicationReference": {"reference": "#x"},
        "dosage": [{"doseAndRate": [{"doseQuantity": quantity(1, "mg")}]}],
    },
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place within a JSON value."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += places(inner, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A good resource with up to three of its elements replaced, removed or doubled."""
    resource = copy.deepcopy(draw(st.sampled_from(TEMPLATES)))
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(places(resource) or [("id",)]))
        holder = resource
        for key in where[:-1]:
            holder = holder[key]
        action = draw(st.sampled_from(["replace", "remove", "wrap", "extreme"]))
        if action == "replace":
            holder[where[-1]] = draw(ANY_JSON)
        elif action == "remove":
            del holder[where[-1]]
        elif action == "wrap":
            holder[where[-1]] = [holder[where[-1]]] if draw(st.booleans()) else {"x": holder[where[-1]]}
        else:
            holder[where[-1]] = draw(
                st.sampled_from([1e308, -1e308, 10**400, "0001-01-01", "9999-12-31T23:59:59-14:00", "x" * 20_000])
            )
    return resource


def check(reading: Reading) -> None:
    """A reading is exactly one of read, ignored and refused; what is read is finite and named."""
    outcomes = [reading.refusal is not None, bool(reading.ignored), bool(reading.entries)]
    assert sum(outcomes) == 1, reading
    if reading.refusal is not None:
        assert reading.refusal.reason in REASONS
    for part in reading.refused_parts:
        assert part.reason in REASONS
    for entry in reading.entries:
        assert entry.source_id
        assert entry.events
        for event in entry.events:
            assert not event.concept or event.concept in VOCABULARY
            if isinstance(event.value, Quantity):
                assert math.isfinite(event.value.value)
                assert event.value.unit == VOCABULARY[event.concept].unit


@given(mutated())
@settings(max_examples=1_500)
def test_a_mutated_resource_gives_one_reading(resource: dict[str, Any]) -> None:
    readings = read(json.dumps(resource).encode())
    if resource.get("resourceType") != "Bundle":
        assert len(readings) == 1
    for reading in readings:
        check(reading)


@given(st.lists(mutated(), max_size=5))
@settings(max_examples=300)
def test_a_bundle_of_anything_gives_one_reading_each(resources: list[dict[str, Any]]) -> None:
    good = {**observation(id="the good one"), "resourceType": "Observation"}
    readings = read(json.dumps(bundle(*resources, good), allow_nan=True).encode())
    for reading in readings:
        check(reading)
    text = json.dumps(bundle(*resources))
    if "NaN" not in text and "Infinity" not in text:  # those are no JSON: the whole document is refused
        assert len(readings) == len(resources) + 1
        assert readings[-1].entries[0].source_id == "Observation/the good one"


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    for reading in read(data):
        check(reading)


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_bundle(data: st.DataObject) -> None:
    whole = bytearray(json.dumps(bundle(*TEMPLATES)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)) | st.just(len(whole)))
    for reading in read(bytes(whole[:cut])):
        check(reading)


@given(st.permutations([patient(), observation(), observation(id="o2"), *mimic_stays()]))
def test_the_order_of_a_bundle_does_not_matter(resources: list[dict[str, Any]]) -> None:
    def entries(document: dict[str, Any]) -> dict[str, Entry]:
        return {entry.source_id: entry for reading in read(document) for entry in reading.entries}

    assert entries(bundle(*resources)) == entries(
        bundle(patient(), observation(), observation(id="o2"), *mimic_stays())
    )


@given(st.floats(20, 300), st.sampled_from(["mg/dL", "mmol/L", "g/L", "ug/mL"]))
def test_a_value_means_the_same_in_any_unit(value: float, unit: str) -> None:
    concept = VOCABULARY["glucose"]
    stated = value / concept.conversion(unit)[0]
    taken = read(observation("2345-7", {"valueQuantity": quantity(stated, unit)}))[0].entries[0].events[0].value
    assert isinstance(taken, Quantity)
    assert math.isclose(taken.value, value, rel_tol=1e-9)

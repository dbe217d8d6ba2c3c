"""The parts of FHIR R4 resources that are read, as typed structures; everything else is skipped by the decoder.

Source: HL7 FHIR R4 (4.0.1), https://hl7.org/fhir/R4/resourcelist.html. Attribute names are FHIR's in snake case.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Raw, Struct, field


class Coding(Struct, frozen=True, gc=False):
    """A code of a system."""

    system: str = ""
    code: str = ""
    display: str = ""


class CodeableConcept(Struct, frozen=True):
    """Several codings of one meaning, and its text."""

    coding: tuple[Coding, ...] = ()
    text: str = ""


class Quantity(Struct, frozen=True, gc=False):
    """A measured amount: `code` is the unit within `system`, `unit` its text."""

    value: float | None = None
    comparator: str = ""
    unit: str = ""
    system: str = ""
    code: str = ""


class Period(Struct, frozen=True, gc=False):
    """Start and end, either of which may be missing."""

    start: str = ""
    end: str = ""


class Timing(Struct, frozen=True):
    """When something is to happen or did; only stated moments are read."""

    event: tuple[str, ...] = ()


class Ratio(Struct, frozen=True):
    """Numerator over denominator."""

    numerator: Quantity | None = None
    denominator: Quantity | None = None


class Range(Struct, frozen=True):
    """Low and high, inclusive."""

    low: Quantity | None = None
    high: Quantity | None = None


class SampledData(Struct, frozen=True):
    """A series at equal steps of `period` milliseconds; a sample is `origin + factor * number`."""

    origin: Quantity
    period: float
    dimensions: int
    factor: float = 1.0
    data: str = ""


class Identifier(Struct, frozen=True, rename="camel"):
    """A business identifier."""

    system: str = ""
    value: str = ""
    use: str = ""
    type: CodeableConcept | None = None


class Reference(Struct, frozen=True):
    """Where another resource is, or its business identifier."""

    reference: str = ""
    type: str = ""
    identifier: Identifier | None = None
    display: str = ""


class Meta(Struct, frozen=True, rename="camel", gc=False):
    """Version and time of last change, as the server states them."""

    version_id: str = ""
    last_updated: str = ""


class Resource(Struct, frozen=True, rename="camel"):
    """What every resource has."""

    resource_type: str = ""
    id: str = ""
    meta: Meta | None = None
    contained: tuple[Raw, ...] = ()


class Value(Struct, frozen=True, rename="camel"):
    """`value[x]`, at most one of which is given, and why there is none."""

    value_quantity: Quantity | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_string: str | None = None
    value_boolean: bool | None = None
    value_integer: int | None = None
    value_range: Range | None = None
    value_ratio: Ratio | None = None
    value_sampled_data: SampledData | None = None
    value_time: str | None = None
    value_date_time: str | None = None
    value_period: Period | None = None
    data_absent_reason: CodeableConcept | None = None
    interpretation: tuple[CodeableConcept, ...] = ()


class Component(Value, frozen=True, rename="camel"):
    """One part of an observation of several, such as systolic pressure."""

    code: CodeableConcept | None = None


class Observation(Value, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/observation.html"""

    resource_type: str = ""
    id: str = ""
    meta: Meta | None = None
    contained: tuple[Raw, ...] = ()
    status: str = ""
    code: CodeableConcept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    device: Reference | None = None
    effective_date_time: str = ""
    effective_period: Period | None = None
    effective_instant: str = ""
    effective_timing: Timing | None = None
    issued: str = ""
    component: tuple[Component, ...] = ()
    has_member: tuple[Reference, ...] = ()


class HumanName(Struct, frozen=True):
    """A name; `given` may hold null where only an extension is stated."""

    use: str = ""
    family: str = ""
    given: tuple[str | None, ...] = ()
    text: str = ""


class PatientLink(Struct, frozen=True):
    """Another record of the same person: `replaced-by`, `replaces`, `refer`, `seealso`."""

    other: Reference
    type: str = ""


class Patient(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/patient.html"""

    identifier: tuple[Identifier, ...] = ()
    name: tuple[HumanName, ...] = ()
    gender: str = ""
    birth_date: str = ""
    deceased_date_time: str = ""
    link: tuple[PatientLink, ...] = ()


class EncounterLocation(Struct, frozen=True):
    """A place the patient was during the encounter."""

    location: Reference | None = None
    status: str = ""
    period: Period | None = None


class StatusStep(Struct, frozen=True):
    """A status the encounter had, and when."""

    status: str = ""
    period: Period | None = None


class Encounter(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/encounter.html"""

    status: str = ""
    status_history: tuple[StatusStep, ...] = ()
    class_: Coding | None = field(default=None, name="class")
    type: tuple[CodeableConcept, ...] = ()
    reason_code: tuple[CodeableConcept, ...] = ()
    subject: Reference | None = None
    period: Period | None = None
    location: tuple[EncounterLocation, ...] = ()
    service_provider: Reference | None = None
    part_of: Reference | None = None


class EncounterPeriod(Resource, frozen=True, rename="camel"):
    """What others ask of an encounter: when it was."""

    period: Period | None = None


class Location(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/location.html"""

    name: str = ""
    physical_type: CodeableConcept | None = None
    part_of: Reference | None = None


class Condition(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/condition.html"""

    verification_status: CodeableConcept | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    onset_date_time: str = ""
    onset_period: Period | None = None
    abatement_date_time: str = ""
    abatement_period: Period | None = None
    recorded_date: str = ""


class Ingredient(Struct, frozen=True, rename="camel"):
    """What a medicine contains."""

    item_codeable_concept: CodeableConcept | None = None


class Medication(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/medication.html"""

    code: CodeableConcept | None = None
    ingredient: tuple[Ingredient, ...] = ()


class Dosage(Struct, frozen=True, rename="camel"):
    """How a medicine was given."""

    text: str = ""
    route: CodeableConcept | None = None
    dose: Quantity | None = None
    rate_ratio: Ratio | None = None
    rate_quantity: Quantity | None = None


class DoseAndRate(Struct, frozen=True, rename="camel"):
    """How much of a medicine is to be given."""

    dose_quantity: Quantity | None = None
    rate_ratio: Ratio | None = None
    rate_quantity: Quantity | None = None


class Instruction(Struct, frozen=True, rename="camel"):
    """How a medicine is to be taken (R4 Dosage)."""

    text: str = ""
    route: CodeableConcept | None = None
    dose_and_rate: tuple[DoseAndRate, ...] = ()


class MedicationAdministration(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/medicationadministration.html"""

    status: str = ""
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    context: Reference | None = None
    effective_date_time: str = ""
    effective_period: Period | None = None
    dosage: Dosage | None = None


class MedicationOrder(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/medicationrequest.html and https://hl7.org/fhir/R4/medicationstatement.html"""

    status: str = ""
    do_not_perform: bool = False
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    subject: Reference | None = None
    encounter: Reference | None = None
    context: Reference | None = None
    authored_on: str = ""
    effective_date_time: str = ""
    effective_period: Period | None = None
    date_asserted: str = ""
    dosage_instruction: tuple[Instruction, ...] = ()
    dosage: tuple[Instruction, ...] = ()


class Device(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/device.html"""

    status: str = ""
    patient: Reference | None = None


class DeviceUseStatement(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/deviceusestatement.html"""

    status: str = ""
    subject: Reference | None = None
    device: Reference | None = None
    timing_period: Period | None = None
    timing_date_time: str = ""
    timing_timing: Timing | None = None
    recorded_on: str = ""


class DiagnosticReport(Resource, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/diagnosticreport.html, read only for the observations it contains."""

    status: str = ""
    subject: Reference | None = None
    encounter: Reference | None = None
    effective_date_time: str = ""
    effective_period: Period | None = None
    issued: str = ""


class BundleEntry(Struct, frozen=True, rename="camel"):
    """One entry; the resource stays bytes until its type is known."""

    full_url: str = ""
    resource: Raw = Raw(b"")


class Bundle(Struct, frozen=True, rename="camel"):
    """https://hl7.org/fhir/R4/bundle.html"""

    resource_type: str = ""
    type: str = ""
    entry: tuple[BundleEntry, ...] = ()


class LooseBundle(Struct, frozen=True):
    """A bundle with entries that are not all well-formed: each is decoded by itself."""

    entry: tuple[Raw, ...] = ()


class Head(Struct, frozen=True, rename="camel"):
    """Enough of a resource to tell what it is."""

    resource_type: str | None = None
    id: str = ""


HEAD: Final = msgspec.json.Decoder(Head)
BUNDLE: Final = msgspec.json.Decoder(Bundle)
LOOSE_BUNDLE: Final = msgspec.json.Decoder(LooseBundle)
BUNDLE_ENTRY: Final = msgspec.json.Decoder(BundleEntry)
OBSERVATION: Final = msgspec.json.Decoder(Observation)
PATIENT: Final = msgspec.json.Decoder(Patient)
ENCOUNTER: Final = msgspec.json.Decoder(Encounter)
ENCOUNTER_PERIOD: Final = msgspec.json.Decoder(EncounterPeriod)
LOCATION: Final = msgspec.json.Decoder(Location)
CONDITION: Final = msgspec.json.Decoder(Condition)
MEDICATION: Final = msgspec.json.Decoder(Medication)
MEDICATION_ADMINISTRATION: Final = msgspec.json.Decoder(MedicationAdministration)
MEDICATION_ORDER: Final = msgspec.json.Decoder(MedicationOrder)
DEVICE: Final = msgspec.json.Decoder(Device)
DEVICE_USE_STATEMENT: Final = msgspec.json.Decoder(DeviceUseStatement)
DIAGNOSTIC_REPORT: Final = msgspec.json.Decoder(DiagnosticReport)

"""What the FHIR tests share: small resources, and an invented data set laid out as MIMIC-IV on FHIR is.

Layout, profiles, systems and quirks follow MIMIC-IV on FHIR 1.0 (https://mimic.mit.edu/fhir): one NDJSON file a
profile, UUIDs as ids, item numbers as codes, units of its own code system, rates only where there is a period, and
identifiers in systems of its own.
"""

from __future__ import annotations

import gzip
import json
import uuid
from pathlib import Path
from typing import Any

from vitruvian.core.events import Entry, Reading
from vitruvian.records import fhir
from vitruvian.records.base import Context

Resource = dict[str, Any]
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
WHEN = "2026-01-31T08:30:00+02:00"
WHEN_US = 1_769_841_000_000_000
BASE = "http://mimic.mit.edu/fhir/mimic"


def read(document: Any, context: Context | None = None) -> list[Reading]:
    """The readings of a resource, a bundle, or raw bytes."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return fhir.read_bytes(data, context or Context())


def only(document: Any, context: Context | None = None) -> Entry:
    """The one entry of a document that must be read."""
    (reading,) = read(document, context)
    assert reading.refusal is None and not reading.ignored, reading
    (entry,) = reading.entries
    return entry


def reason(document: Any, context: Context | None = None) -> str:
    """Why the one resource of a document was refused."""
    (reading,) = read(document, context)
    assert reading.refusal is not None and not reading.entries, reading
    return reading.refusal.reason


def ignored(document: Any) -> str:
    """Why the one resource of a document was ignored."""
    (reading,) = read(document)
    assert reading.ignored and reading.refusal is None, reading
    return reading.ignored


def quantity(value: float, unit: str, **more: Any) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit, **more}


def code(code: str, system: str = LOINC, display: str = "") -> Resource:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def observation(loinc: str = "8867-4", value: Resource | None = None, **more: Any) -> Resource:
    """A heart rate of 80, or what is asked for."""
    return {
        "resourceType": "Observation",
        "id": "o1",
        "status": "final",
        "code": code(loinc),
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": WHEN,
        **({"valueQuantity": quantity(80, "/min")} if value is None else value),
        **more,
    }


def patient(**more: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [
            {
                "system": "urn:oid:1.2.3",
                "value": "M1",
                "type": code("MR", "http://terminology.hl7.org/CodeSystem/v2-0203"),
            }
        ],
        "name": [{"use": "official", "family": "Curie", "given": ["Marie", "Salomea"]}],
        "gender": "female",
        "birthDate": "1967-11-07",
        **more,
    }


def bundle(*resources: Resource, type_: str = "collection", urls: bool = False) -> Resource:
    entries = []
    for resource in resources:
        entry: Resource = {"resource": resource}
        if urls:
            entry["fullUrl"] = f"urn:uuid:{resource['id']}"
        entries.append(entry)
    return {"resourceType": "Bundle", "type": type_, "entry": entries}


# --- MIMIC-IV on FHIR ----------------------------------------------------------


def mimic_id(kind: str, number: object) -> str:
    """A name-based UUID, as MIMIC-on-FHIR derives its ids."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{kind}-{number}"))


def _profile(name: str) -> Resource:
    return {"profile": [f"{BASE}/StructureDefinition/{name}"]}


def _mimic_quantity(value: float, unit: str) -> Resource:
    if not unit:
        return {"value": value}
    return {"value": value, "unit": unit, "system": f"{BASE}/CodeSystem/mimic-units", "code": unit}


def _mimic_observation(number: int, items: str, item: str, label: str, when: str, **value: Any) -> Resource:
    kind = {"mimic-d-labitems": "labevents", "mimic-outputevents-d-items": "outputevents"}.get(items, "chartevents")
    stay = "hosp" if kind == "labevents" else "icu"
    return {
        "id": mimic_id(kind, number),
        "code": {"coding": [{"code": item, "system": f"{BASE}/CodeSystem/{items}", "display": label}]},
        "meta": _profile(f"mimic-observation-{kind}"),
        "issued": when,
        "status": "final",
        "subject": {"reference": f"Patient/{mimic_id('patient', 1)}"},
        "encounter": {"reference": f"Encounter/{mimic_id(stay, 1)}"},
        "identifier": [{"value": str(number), "system": f"{BASE}/identifier/observation-{kind}"}],
        "resourceType": "Observation",
        "effectiveDateTime": when,
        **value,
    }


def mimic_observations() -> list[tuple[Resource, tuple[str, float, str] | None]]:
    """Observations, and the (concept, value, unit) each should become; None for what has no place in the vocabulary."""
    chart, lab, out = "mimic-chartevents-d-items", "mimic-d-labitems", "mimic-outputevents-d-items"
    rows: list[tuple[str, str, str, float | str, str, tuple[str, float, str] | None]] = [
        (chart, "220045", "Heart Rate", 91.0, "bpm", ("heart_rate", 91.0, "/min")),
        (chart, "220210", "Respiratory Rate", 22.0, "insp/min", ("respiratory_rate", 22.0, "/min")),
        (chart, "220277", "O2 saturation pulseoxymetry", 94.0, "%", ("oxygen_saturation", 94.0, "%")),
        (chart, "223761", "Temperature Fahrenheit", 101.3, "°F", ("body_temperature", 38.5, "Cel")),
        (
            chart,
            "220050",
            "Arterial Blood Pressure systolic",
            98.0,
            "mmHg",
            ("systolic_pressure_arterial", 98.0, "mm[Hg]"),
        ),
        (
            chart,
            "220179",
            "Non Invasive Blood Pressure systolic",
            101.0,
            "mmHg",
            ("systolic_pressure", 101.0, "mm[Hg]"),
        ),
        (chart, "223835", "Inspired O2 Fraction", 50.0, "", ("inspired_oxygen_fraction", 0.5, "1")),
        (chart, "226531", "Admission Weight (lbs.)", 220.0, "", ("body_weight", 99.7903214, "kg")),
        (chart, "223900", "GCS - Verbal Response", 1.0, "", ("glasgow_verbal", 1.0, "{score}")),
        (chart, "229761", "Creatinine (whole blood)", 1.0, "mg/dL", None),
        (lab, "50912", "Creatinine", 2.4, "mg/dL", ("creatinine", 2.4, "mg/dL")),
        (lab, "50813", "Lactate", 3.1, "mmol/L", ("lactate", 3.1, "mmol/L")),
        (lab, "51301", "White Blood Cells", 17.2, "K/uL", ("leukocytes", 17.2, "10*3/uL")),
        (lab, "51265", "Platelet Count", 88.0, "K/uL", ("platelets", 88.0, "10*3/uL")),
        (lab, "50885", "Bilirubin, Total", 1.9, "mg/dL", ("bilirubin_total", 1.9, "mg/dL")),
        (lab, "51003", "Troponin T", 0.01, "ng/mL", ("troponin_t", 0.01, "ng/mL")),
        (out, "226559", "Foley", 120.0, "mL", ("urine_output", 120.0, "mL")),
    ]
    made = []
    for number, (items, item, label, value, unit, expected) in enumerate(rows, 1):
        when = f"2180-07-23T{8 + number % 12:02d}:00:00-04:00"
        stated: Resource = {"valueQuantity": _mimic_quantity(float(value), unit)}
        if item == "51003":
            stated["valueQuantity"]["comparator"] = "<"
        made.append((_mimic_observation(number, items, item, label, when, **stated), expected))
    text = _mimic_observation(99, lab, "50934", "H", "2180-07-23T08:00:00-04:00", valueString="1")
    return [*made, (text, None)]


def mimic_medications() -> list[Resource]:
    """ICU inputs: an infusion with its rate over a period, a push at one moment."""
    infusion = {
        "id": mimic_id("medadmin", 1),
        "meta": _profile("mimic-medication-administration-icu"),
        "dosage": {
            "dose": _mimic_quantity(1.2, "mg"),
            "method": {
                "coding": [{"code": "Continuous Med", "system": f"{BASE}/CodeSystem/mimic-medication-method-icu"}]
            },
            "rateQuantity": _mimic_quantity(0.12, "mcg/kg/min"),
        },
        "status": "completed",
        "context": {"reference": f"Encounter/{mimic_id('icu', 1)}"},
        "subject": {"reference": f"Patient/{mimic_id('patient', 1)}"},
        "category": {"coding": [{"code": "01-Drips", "system": f"{BASE}/CodeSystem/mimic-medadmin-category-icu"}]},
        "resourceType": "MedicationAdministration",
        "effectivePeriod": {"start": "2180-07-23T10:00:00-04:00", "end": "2180-07-23T12:00:00-04:00"},
        "medicationCodeableConcept": code("221906", f"{BASE}/CodeSystem/mimic-medication-icu", "Norepinephrine"),
    }
    push = {
        **infusion,
        "id": mimic_id("medadmin", 2),
        "dosage": {"dose": _mimic_quantity(40.0, "mg")},
        "effectiveDateTime": "2180-07-23T11:00:00-04:00",
        "medicationCodeableConcept": code("221794", f"{BASE}/CodeSystem/mimic-medication-icu", "Furosemide (Lasix)"),
    }
    del push["effectivePeriod"]
    return [infusion, push]


def mimic_stays() -> list[Resource]:
    """The patient, the admission, and the intensive care stay within it."""
    subject = {"reference": f"Patient/{mimic_id('patient', 1)}"}
    person = {
        "id": mimic_id("patient", 1),
        "meta": _profile("mimic-patient"),
        "name": [{"use": "official", "family": "Patient_90000001"}],
        "gender": "female",
        "birthDate": "2128-07-23",
        "identifier": [{"value": "90000001", "system": f"{BASE}/identifier/patient"}],
        "resourceType": "Patient",
    }
    admission = {
        "id": mimic_id("hosp", 1),
        "meta": _profile("mimic-encounter"),
        "class": {"code": "EMER", "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"},
        "period": {"start": "2180-07-23T01:00:00-04:00", "end": "2180-07-27T18:00:00-04:00"},
        "status": "finished",
        "subject": subject,
        "identifier": [{"value": "80000001", "system": f"{BASE}/identifier/encounter-hosp"}],
        "resourceType": "Encounter",
    }
    stay = {
        **admission,
        "id": mimic_id("icu", 1),
        "meta": _profile("mimic-encounter-icu"),
        "class": {"code": "ACUTE", "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"},
        "period": {"start": "2180-07-23T08:00:00-04:00", "end": "2180-07-25T06:00:00-04:00"},
        "partOf": {"reference": f"Encounter/{mimic_id('hosp', 1)}"},
        "identifier": [{"value": "70000001", "system": f"{BASE}/identifier/encounter-icu"}],
        "location": [{"location": {"reference": f"Location/{mimic_id('location', 'MICU')}", "display": "MICU"}}],
    }
    return [person, admission, stay]


def mimic_condition() -> Resource:
    """A billed diagnosis: it has no time but its admission's."""
    return {
        "id": mimic_id("condition", 1),
        "meta": _profile("mimic-condition"),
        "code": code("99591", f"{BASE}/CodeSystem/mimic-diagnosis-icd9", "Sepsis"),
        "subject": {"reference": f"Patient/{mimic_id('patient', 1)}"},
        "category": [code("encounter-diagnosis", "http://terminology.hl7.org/CodeSystem/condition-category")],
        "encounter": {"reference": f"Encounter/{mimic_id('hosp', 1)}"},
        "resourceType": "Condition",
    }


def write_mimic(folder: Path) -> int:
    """Write the data set as it is published, gzipped NDJSON a profile; returns how many resources."""
    everything = {
        "MimicPatient": mimic_stays()[:1],
        "MimicEncounter": mimic_stays()[1:2],
        "MimicEncounterICU": mimic_stays()[2:],
        "MimicCondition": [mimic_condition()],
        "MimicObservationChartevents": [item for item, _ in mimic_observations()],
        "MimicMedicationAdministrationICU": mimic_medications(),
    }
    for name, resources in everything.items():
        with gzip.open(folder / f"{name}.ndjson.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(resource) + "\n" for resource in resources)
    return sum(map(len, everything.values()))

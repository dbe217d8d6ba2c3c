"""A second, independent reading of FHIR observations, to hold the reader against.

It shares no code with the reader: plain `json`, `tomllib` and `datetime`, the vocabulary's tables read as data, and
unit arithmetic of its own, written as sizes within a few named kinds. It reads what the reference data holds (numbers,
components) and says of anything else that it cannot tell.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

TABLES = Path(__file__).resolve().parents[2] / "src" / "vitruvian" / "core" / "vocabulary"
SYSTEMS = {"http://loinc.org": "loinc", "http://snomed.info/sct": "snomed"}
ENVELOPES = ("Bundle",)

# unit -> (kind, size): two units of one kind convert by the quotient of their sizes.
UNITS: dict[str, tuple[str, float]] = {
    "mg/dL": ("mass concentration", 1e-2), "g/dL": ("mass concentration", 1e1), "g/L": ("mass concentration", 1.0),
    "mg/L": ("mass concentration", 1e-3), "ug/L": ("mass concentration", 1e-6), "ng/mL": ("mass concentration", 1e-6),
    "ug/dL": ("mass concentration", 1e-5), "pg/mL": ("mass concentration", 1e-9),
    "mmol/L": ("amount concentration", 1e-3), "umol/L": ("amount concentration", 1e-6),
    "meq/L": ("charge concentration", 1e-3), "mEq/L": ("charge concentration", 1e-3),
    "10*3/uL": ("count", 1e9), "10*9/L": ("count", 1e9), "10*6/uL": ("count", 1e12), "10*12/L": ("count", 1e12),
    "U/L": ("activity", 1.0), "kU/L": ("activity", 1e3),
    "kg": ("mass", 1.0), "g": ("mass", 1e-3), "pg": ("mass", 1e-15), "[lb_av]": ("mass", 0.45359237),
    "cm": ("length", 1e-2), "m": ("length", 1.0), "[in_i]": ("length", 0.0254), "mm": ("length", 1e-3),
    "fL": ("volume", 1e-15), "mL": ("volume", 1e-3),
    "mm[Hg]": ("pressure", 133.322), "kPa": ("pressure", 1000.0),
    "kg/m2": ("body mass index", 1.0), "%": ("ratio", 0.01), "1": ("ratio", 1.0), "{score}": ("score", 1.0),
    "mL/min/{1.73_m2}": ("filtration", 1.0), "mL/min": ("flow", 1e-3), "L/min": ("flow", 1.0),
    "/min": ("frequency", 1.0), "ms": ("time", 1e-3), "s": ("time", 1.0),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """What one value should become."""

    concept: str
    value: float
    unit: str
    occurred_us: int
    patient: tuple[str, str]


@dataclass
class Findings:
    """All that was found. `rows` are by (file, resource id), for observations whose code is in the vocabulary."""

    resources: Counter[str] = field(default_factory=Counter)
    rows: dict[tuple[str, str], list[Row]] = field(default_factory=dict)
    coded: int = 0
    beyond: list[str] = field(default_factory=list)


class Tables:
    """The vocabulary as data: code -> concept, and what a conversion of that concept needs."""

    def __init__(self) -> None:
        self.concepts: dict[str, dict[str, Any]] = {}
        self.by_code: dict[tuple[str, str], str] = {}
        self.generic: set[tuple[str, str]] = set()
        for path in sorted(TABLES.glob("*.toml")):
            for name, row in tomllib.loads(path.read_text()).items():
                self.concepts[name] = row
                for system in ("loinc", "snomed"):
                    self.by_code.update({(system, str(code)): name for code in row.get(system, [])})
                    self.generic.update((system, str(code)) for code in row.get("generic", []))

    def concept(self, code: dict[str, Any]) -> str | None:
        """The concept of several codings; one known to be generic gives way."""
        keys = [(SYSTEMS.get(item.get("system"), ""), item.get("code", "")) for item in code.get("coding", [])]
        known = [key for key in keys if key in self.by_code]
        special = [key for key in known if key not in self.generic]
        return self.by_code[(special or known)[0]] if known else None

    def convert(self, name: str, value: float, unit: str) -> float | None:
        """`value` in the concept's unit, or None where this check cannot tell."""
        row = self.concepts[name]
        target = row["unit"]
        if unit == target:
            return value
        if {unit, target} == {"[degF]", "Cel"}:
            return (value - 32.0) / 1.8 if unit == "[degF]" else value * 1.8 + 32.0
        if unit not in UNITS or target not in UNITS:
            return None
        (kind, size), (target_kind, target_size) = UNITS[unit], UNITS[target]
        if kind == target_kind:
            return value * size / target_size
        moles = {"mass concentration": row.get("molar_mass_g_per_mol"), "amount concentration": 1.0}
        moles["charge concentration"] = row.get("charge")
        here, there = moles.get(kind), moles.get(target_kind)
        if here is None or there is None:
            return None
        return value * size / here * there / target_size


def findings(folder: Path) -> Findings:
    """Read every JSON file beneath a folder."""
    found, tables = Findings(), Tables()
    for path in sorted(folder.rglob("*.json")):
        document = json.loads(path.read_text("utf-8"))
        resources = list(_resources(document, ""))
        patients = _patients(resources)
        for url, resource in resources:
            found.resources[resource["resourceType"]] += 1
            if resource["resourceType"] == "Observation":
                key = (path.name, resource.get("id") or url)
                _observation(key, resource, patients, tables, found)
    return found


def _resources(document: dict[str, Any], url: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if document["resourceType"] not in ENVELOPES:
        yield url, document
        return
    for entry in document.get("entry", []):
        yield from _resources(entry["resource"], entry.get("fullUrl", ""))


def _patients(resources: list[tuple[str, dict[str, Any]]]) -> dict[str, tuple[str, str]]:
    """Reference -> the patient's first business identifier."""
    known = {}
    for url, resource in resources:
        if resource["resourceType"] == "Patient" and resource.get("identifier"):
            first = resource["identifier"][0]
            for key in (url, f"Patient/{resource.get('id')}"):
                known[key] = (first["system"], first["value"])
    return known


def _observation(
    key: tuple[str, str],
    resource: dict[str, Any],
    patients: dict[str, tuple[str, str]],
    tables: Tables,
    found: Findings,
) -> None:
    parts = [part for part in (resource, *resource.get("component", [])) if tables.concept(part.get("code", {}))]
    stated = [part for part in parts if any(name.startswith("value") for name in part)]
    if not stated:
        return
    found.coded += 1
    moment = resource["effectiveDateTime"]
    if len(moment) == 10:
        moment += "T00:00:00+00:00"
    occurred = datetime.fromisoformat(moment) - datetime(1970, 1, 1, tzinfo=UTC)
    reference = resource["subject"]["reference"]
    rows = []
    for part in stated:
        name = tables.concept(part["code"])
        quantity = part.get("valueQuantity")
        if name is None or quantity is None:
            found.beyond.append(f"{key}: no number")
            continue
        unit = quantity.get("code") or quantity.get("unit") or ""
        value = tables.convert(name, float(quantity["value"]), unit)
        if value is None:
            found.beyond.append(f"{key}: {unit} for {name}")
            continue
        us = (occurred.days * 86_400 + occurred.seconds) * 1_000_000 + occurred.microseconds
        kind, _, ident = reference.partition("/")
        patient = patients.get(reference) or (f"fhir:{kind}", ident)
        rows.append(Row(name, value, tables.concepts[name]["unit"], us, patient))
    found.rows[key] = rows


if __name__ == "__main__":
    import sys

    result = findings(Path(sys.argv[1]))
    print(
        sum(result.resources.values()),
        "resources;",
        result.coded,
        "observations with a code in the vocabulary;",
        end=" ",
    )
    print(sum(map(len, result.rows.values())), "values;", len(result.beyond), "this check cannot tell:")
    print("\n".join(result.beyond[:20]))

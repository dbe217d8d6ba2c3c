"""Synthea bundles to entries and events, on one core: bytes in memory to finished entries.

The peer is what one would write first: `json.loads`, dictionaries walked, the same vocabulary, the same `Entry` and
`Event`, for observations with numbers only (no other types, no status, no checks of types or limits).
"""

from __future__ import annotations

import cProfile
import gc
import json
import pstats
import time
from collections.abc import Callable, Iterable
from statistics import median

from benchmarks._results import Bar, record
from tests.support import require_data
from vitruvian.core.events import Entry, Event, Quantity
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import parse_iso
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.records import fhir
from vitruvian.records.base import Context

REPEATS = 9
BAR_RESOURCES_PER_S = 20_000


def ours(documents: Iterable[bytes]) -> tuple[int, int]:
    """(resources, events)."""
    resources = events = 0
    context = Context()
    for data in documents:
        for reading in fhir.read_bytes(data, context):
            resources += 1
            for entry in reading.entries:
                events += len(entry.events)
    return resources, events


def peer(documents: Iterable[bytes]) -> tuple[int, int]:
    """(resources, events)."""
    resources = events = 0
    for data in documents:
        bundle = json.loads(data)
        patients = {
            entry["fullUrl"]: tuple(
                Identifier(item["system"], item["value"]) for item in entry["resource"]["identifier"]
            )
            for entry in bundle["entry"]
            if entry["resource"]["resourceType"] == "Patient"
        }
        for entry in bundle["entry"]:
            resources += 1
            resource = entry["resource"]
            if resource["resourceType"] == "Observation":
                made = peer_entry(resource, patients)
                events += len(made.events) if made else 0
    return resources, events


def peer_entry(resource: dict, patients: dict) -> Entry | None:
    """One observation with numbers, the plain way."""
    events = []
    for part in (resource, *resource.get("component", ())):
        coding = part["code"]["coding"][0]
        concept = VOCABULARY.by_code(coding["system"], coding["code"])
        if concept is None or "valueQuantity" not in part:
            continue
        stated = part["valueQuantity"]
        value = Quantity(concept.normalize(stated["value"], stated["code"]), concept.unit)
        moment = parse_iso(resource["effectiveDateTime"])
        code = f"{coding['system']}|{coding['code']}|{coding['display']}"
        events.append(Event("observation", concept.name, value, moment.us, None, moment.zone, code))
    if not events:
        return None
    subject = patients[resource["subject"]["reference"]]
    visit = Identifier("urn:ietf:rfc:3986", resource["encounter"]["reference"], "VN")
    issued_us = parse_iso(resource["issued"]).us
    return Entry("fhir", resource["id"], tuple(events), "", subject, visit, available_us=issued_us)


def timed(work: Callable[[Iterable[bytes]], tuple[int, int]], documents: list[bytes]) -> tuple[float, int, int]:
    """(median seconds, resources, events); one untimed run first, collector as a service has it."""
    resources, events = work(documents)
    durations_s = []
    for _ in range(REPEATS):
        gc.collect()
        started_s = time.process_time()
        work(documents)
        durations_s.append(time.process_time() - started_s)
    return median(durations_s), resources, events


def profile(documents: list[bytes]) -> list[dict[str, str | float]]:
    """Where the time goes: the functions with most time of their own."""
    profiler = cProfile.Profile()
    profiler.runcall(ours, documents)
    statistics = pstats.Stats(profiler)
    total_s = statistics.total_tt  # type: ignore[attr-defined]
    rows = sorted(statistics.stats.items(), key=lambda item: -item[1][2])[:10]  # type: ignore[attr-defined]
    return [
        {
            "function": f"{where[0].rpartition('vitruvian/')[2]}:{where[2]}",
            "calls": row[1],
            "own_share": round(row[2] / total_s, 3),
        }
        for where, row in rows
    ]


def main() -> None:
    """Measure and record."""
    documents = [path.read_bytes() for path in sorted(require_data("fhir/synthea").glob("*.json"))]
    megabytes = sum(map(len, documents)) / 1e6
    ours_s, resources, events = timed(ours, documents)
    peer_s, _, peer_events = timed(peer, documents)
    rate = round(resources / ours_s)
    record(
        "fhir_bundle",
        title="Synthea bundles to events, one core",
        provenance=f"Synthea, {len(documents)} patients, all of them (synthetic), {megabytes:.1f} MB",
        bars=[Bar("resources/s a core", f">= {BAR_RESOURCES_PER_S:,}", rate, met=rate >= BAR_RESOURCES_PER_S)],
        figures={
            "resources": resources,
            "events": events,
            "megabytes_per_s": round(megabytes / ours_s, 1),
            "microseconds_per_resource": round(ours_s / resources * 1e6, 2),
            "peer_resources_per_s": round(resources / peer_s),
            "peer_events": peer_events,
            "times_the_peer": round(peer_s / ours_s, 2),
            "repeats": REPEATS,
            "profile": profile(documents),
        },
        notes=[
            "CPU time of the process, median; files already in memory; entries finished, not yet committed.",
            "The peer: json.loads, dictionaries walked, observations with numbers only, nothing checked.",
        ],
    )


if __name__ == "__main__":
    main()

"""How many alerts the default rules raise a patient-day, by rule: real ICU stays through journal, twins and alerts.

Each stay is admitted, its charted hours arrive as they are dated, the ward is looked at every few minutes of clinical
time as the service does, and the patient leaves an hour after the last row. In one process, on a virtual clock, without
a broker. The Challenge's rows are hourly: what lasts less than an hour is not in them, and no monitor's own artefacts.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks._results import REPOSITORY, Bar, record
from vitruvian.alerts import Alerts, Step, load_rules
from vitruvian.core.events import Entry, Event, Person, Quantity, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import DAY_US, HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import Journal
from vitruvian.records.challenge import birth_us
from vitruvian.records.hourly import Stay, stays
from vitruvian.twin import Twins

ORIGIN_US = 1_750_000_000_000_000
LOOK_US = 5 * MINUTE_US
PATIENTS = 100


class Raised(NamedTuple):
    """What one stay raised: steps by (action, rule), how long the patient was there."""

    actions: Counter[tuple[str, str]]
    days: float


def entries(stay: Stay) -> Iterator[tuple[int, Entry]]:
    """(When it arrives, entry) of a stay: admission, each charted hour, discharge."""
    source, subject = "benchmark", (Identifier(stay.system, stay.number, "MR"),)
    visit = Identifier(f"{stay.system}:stay", stay.number, "VN")
    first = stay.hours[0].hour
    birth = birth_us(ORIGIN_US, stay.age_years)
    facts = (
        Event(
            "identity", "", Person(birth_us=birth, sex=stay.sex if stay.sex in ("male", "female") else ""), ORIGIN_US
        ),
        Event("encounter", "", Visit("admit", visit, Location("Replay", "ICU", "1", stay.number)), ORIGIN_US),
    )
    yield ORIGIN_US, Entry(source, f"{stay.number}|admission", facts, subject=subject, encounter=visit)
    for hour in stay.hours:
        at_us = ORIGIN_US + (hour.hour - first) * HOUR_US
        events = tuple(_observed(name, value, unit, at_us) for name, (value, unit) in hour.values.items())
        if events:
            yield at_us, Entry(source, f"{stay.number}|{hour.hour}", events, subject=subject, encounter=visit)


def _observed(name: str, value: float, unit: str, at_us: int) -> Event:
    concept = VOCABULARY[name]
    kept = concept.normalize(value, unit)
    quality = () if concept.is_plausible(kept) else ("implausible",)
    return Event("observation", name, Quantity(kept, concept.unit), at_us, quality=quality)


def live(stay: Stay, alerts: Alerts, folder: Path) -> Raised:
    """One stay from admission to an hour after its last row."""
    actions: Counter[tuple[str, str]] = Counter()

    def count(steps: Sequence[Step]) -> None:
        actions.update((step.action, step.alert.rule) for step in steps)

    with Journal.open(folder / f"{stay.number}.db") as journal:
        twins, last_us = Twins(journal), ORIGIN_US
        pids = np.empty(0, np.int64)
        for at_us, entry in entries(stay):
            for now_us in range(last_us + LOOK_US, at_us, LOOK_US):
                count(look(pids, alerts, twins, now_us))
            commit = journal.append([entry], recorded_us=at_us)
            pids = twins.apply(commit)
            count(alerts.follow(commit, twins, at_us))
            count(alerts.assess(pids, twins, at_us))
            last_us = at_us
        end_us = last_us + HOUR_US
        for now_us in range(last_us + LOOK_US, end_us, LOOK_US):
            count(look(pids, alerts, twins, now_us))
    return Raised(actions, (end_us - ORIGIN_US) / DAY_US)


def look(pids: Any, alerts: Alerts, twins: Twins, now_us: int) -> list[Step]:
    """What the service does between messages."""
    if not len(pids):
        return []
    return alerts.tick(now_us) + alerts.listen(pids, twins, now_us) + alerts.assess(pids, twins, now_us)


def by_rule(everyone: Sequence[Raised], alerts: Alerts) -> list[dict[str, Any]]:
    """Alerts a patient-day of each rule, the share of patients who had one, and what became of them."""
    days = sum(item.days for item in everyone)
    rows = []
    for rule in alerts.rules.rules:
        told = Counter[str]()
        for item in everyone:
            told.update({action: number for (action, name), number in item.actions.items() if name == rule.name})
        patients = sum(item.actions[("raised", rule.name)] > 0 for item in everyone)
        rows.append(
            {
                "rule": rule.name, "priority": rule.priority, "a patient-day": round(told["raised"] / days, 3),
                "patients with any, %": round(100 * patients / len(everyone)), "raised": told["raised"],
                "re-raised": told["re-raised"], "escalated": told["escalated"],
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: -row["raised"])


def measure(path: Path, patients: int) -> tuple[list[Raised], list[dict[str, Any]]]:
    """The stays' alerts, and the table by rule."""
    everyone = []
    rules = load_rules()
    with tempfile.TemporaryDirectory() as folder:
        for stay in stays(path, patients):
            if stay.hours:
                everyone.append(live(stay, Alerts(rules), Path(folder)))
    return everyone, by_rule(everyone, Alerts(rules))


def main() -> None:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__)
    root = os.environ.get("VITRUVIAN_DATA") or REPOSITORY.parent / "shared" / "data"
    parser.add_argument("--data", type=Path, default=Path(root) / "physionet2019" / "training_setA.parquet")
    parser.add_argument("--patients", type=int, default=PATIENTS)
    arguments = parser.parse_args()
    everyone, rows = measure(arguments.data, arguments.patients)
    days = sum(item.days for item in everyone)
    total = dict.fromkeys(("high", "medium", "technical"), 0)
    for row in rows:
        total[row["priority"]] = total.get(row["priority"], 0) + row["raised"]
    a_day = [sum(n for (action, _), n in item.actions.items() if action == "raised") / item.days for item in everyone]
    clinical = (total["high"] + total["medium"]) / days
    record(
        "alerts_rate",
        title="Alerts a patient-day, default rules",
        provenance=f"PhysioNet/CinC Challenge 2019 set A, the first {len(everyone)} patients, hourly rows",
        bars=[
            Bar("clinical alerts a patient-day", "reported", round(clinical, 2), met=None),
        ],
        figures={
            "patients": len(everyone),
            "patient_days": round(days, 1),
            "high_a_patient_day": round(total["high"] / days, 2),
            "medium_a_patient_day": round(total["medium"] / days, 2),
            "technical_a_patient_day": round(total["technical"] / days, 2),
            "median_patient_a_day": round(float(np.median(a_day)), 2),
            "p95_patient_a_day": round(float(np.quantile(a_day, 0.95)), 2),
            "by rule": rows,
        },
        notes=NOTES,
    )


NOTES = [
    "For comparison: monitors in intensive care sounded 187 audible alarms a bed-day (Drew BJ et al. PLoS ONE "
    "2014;9:e110274).",
    "Intensive care, so that most patients are ill: a ward raises fewer.",
    "Hourly rows cannot show what a monitor at one value a second adds; persistence and hysteresis are for that, and "
    "their tests are tests/unit/test_alerts_lifecycle.py and tests/property/test_alerts_step.py.",
    "Nobody acknowledges in this replay, so that what can escalate does.",
]

if __name__ == "__main__":
    main()

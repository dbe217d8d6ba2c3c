"""Alerts kept in the real journal: every step is an entry, and what a person acknowledged survives a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.journal_support import association, at, merge, mrn, observation
from tests.unit.test_alerts_lifecycle import RULES, said
from vitruvian.alerts import Alerts, Step, entry_of, parse_rules, step_of, steps_kept
from vitruvian.core.errors import JournalError
from vitruvian.core.events import Entry, Event, Finding
from vitruvian.journal import Journal
from vitruvian.twin import Twins, open_twins


@pytest.fixture
def journal(journal_path: Path) -> Iterator[Journal]:
    with Journal.open(journal_path) as opened:
        yield opened


def keep(journal: Journal, steps: list[Step], rules: str) -> None:
    for step in steps:
        subject = journal.patient_of(step.alert.pid).identifiers
        entry = entry_of(step, subject, rules, journal.last_seq())
        receipts = [journal.append([entry], recorded_us=step.at_us).receipts[0].outcome for _ in range(2)]
        assert receipts == ["committed", "duplicate"], "a step that is sent again is one entry"


def test_an_acknowledgement_outlives_the_process(journal: Journal, journal_path: Path) -> None:
    rules = parse_rules(RULES)
    twins, alerts = Twins(journal), Alerts(rules)
    commit = journal.append(
        [
            observation("p", 0, 7.01, subject=mrn(1), concept="ph", unit="[pH]"),
            observation("h", 0, 125.0, subject=mrn(2)),
        ],
        recorded_us=at(1),
    )
    twins.apply(commit)
    keep(journal, alerts.hear(commit.samples, twins, at(1)), rules.version)
    acid = next(alert for alert in alerts.open() if alert.rule == "acid")
    step = alerts.acknowledge(acid.id, "dr.b", "bicarbonate given", at(2))
    keep(journal, [step], rules.version)
    # Killed here: `accept` never ran, and nothing but the journal is left.
    journal.close()
    with Journal.open(journal_path) as again:
        restored = Alerts(rules)
        pids = [patient.pid for patient in again.patients()]
        assert restored.restore(steps_kept(again, pids)) == 2
        held = {alert.rule: alert for alert in restored.open()}
        assert (held["acid"].state, held["acid"].by, held["acid"].reason) == (
            "acknowledged",
            "dr.b",
            "bicarbonate given",
        )
        assert (held["warm"].state, held["warm"].id) == ("open", next(a.id for a in alerts.open() if a.rule == "warm"))
        later = open_twins(again)
        assert restored.review(np.array(pids), later, at(3)) == [], "what is open is not raised twice"
        normal = again.append([observation("p2", 5, 7.4, subject=mrn(1), concept="ph", unit="[pH]")], recorded_us=at(6))
        later.apply(normal)
        assert said(restored.hear(normal.samples, later, at(6))) == ["cleared acid"]


def test_what_came_just_before_a_crash_is_heard_after_it(journal: Journal) -> None:
    rules = parse_rules(RULES)
    journal.append([observation("p", 0, 7.01, subject=mrn(1), concept="ph", unit="[pH]")], recorded_us=at(1))
    twins, alerts = open_twins(journal), Alerts(rules)
    assert said(alerts.review(twins.pids, twins, at(2))) == ["raised acid"]


def test_a_finding_that_is_no_alert_is_passed_over_and_a_damaged_one_is_told() -> None:
    score = Event("derived", "news2", Finding("news2", "RCP-2017", 1, 7.0), at(0))
    assert step_of(1, score) is None
    damaged = Event("derived", "", Finding("alert:acid", "t", 1, 7.0, {"action": "exploded"}), at(0))
    with pytest.raises(JournalError, match="alert"):
        step_of(1, damaged)


def test_derived_entries_never_move_a_twin(journal: Journal) -> None:
    rules = parse_rules(RULES)
    twins, alerts = Twins(journal), Alerts(rules)
    commit = journal.append([observation("h", 0, 125.0, subject=mrn(1))], recorded_us=at(1))
    twins.apply(commit)
    (step,) = alerts.hear(commit.samples, twins, at(1))
    before = twins.hash(step.alert.pid)
    entry = entry_of(step, mrn(1), rules.version, commit.last_seq)
    twins.apply(journal.append([entry], recorded_us=at(1)))
    assert twins.hash(step.alert.pid) == before
    assert open_twins(journal).hash(step.alert.pid) == before


def test_a_correction_is_heard_and_so_is_its_withdrawal(journal: Journal) -> None:
    twins, alerts = Twins(journal), Alerts(parse_rules(RULES))

    def told(minute: float, *entries: Entry) -> list[str]:
        commit = journal.append(entries, recorded_us=at(minute))
        twins.apply(commit)
        return said(alerts.follow(commit, twins, at(minute)))

    lab = {"subject": mrn(1), "concept": "ph", "unit": "[pH]"}
    assert told(1, observation("a", 0, 7.40, **lab), observation("b", 5, 7.38, **lab)) == []  # type: ignore[arg-type]
    assert told(10, observation("b", 5, 7.05, version="2", **lab)) == ["raised acid"]  # type: ignore[arg-type]
    gone = observation("b", 5, 7.05, version="3", status="entered-in-error", **lab)  # type: ignore[arg-type]
    assert told(20, gone) == ["cleared acid"], "what is left is the result before it, which is normal"


def test_what_waited_for_its_patient_is_heard_with_the_association(journal: Journal) -> None:
    twins, alerts = Twins(journal), Alerts(parse_rules(RULES))
    waiting = journal.append([observation("h", 5, 125.0, device="monitor")], recorded_us=at(5))
    twins.apply(waiting)
    assert alerts.follow(waiting, twins, at(5)) == []
    tied = journal.append([association("a", 0, "monitor", subject=mrn(1))], recorded_us=at(6))
    twins.apply(tied)
    assert said(alerts.follow(tied, twins, at(6))) == ["raised warm"]


def test_a_merge_closes_what_the_merged_record_had_and_hears_the_survivor(journal: Journal) -> None:
    twins, alerts = Twins(journal), Alerts(parse_rules(RULES))
    steps: list[str] = []
    for minute, entry in (
        (1, observation("p", 0, 7.40, subject=mrn(1), concept="ph", unit="[pH]")),
        (2, observation("q", 1, 7.01, subject=mrn(2), concept="ph", unit="[pH]")),
        (3, merge("m", 3, 1, 2)),
    ):
        commit = journal.append([entry], recorded_us=at(minute))
        twins.apply(commit)
        steps += said(alerts.follow(commit, twins, at(minute)))
    assert steps == ["raised acid", "closed acid", "raised acid"]
    assert [alert.pid for alert in alerts.open()] == [journal.resolve(mrn(1))]

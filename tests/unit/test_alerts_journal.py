"""Alerts kept in the real journal: every step is an entry, and what a person acknowledged survives a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from tests.journal_support import association, at, merge, mrn, observation
from tests.unit.test_alerts_lifecycle import RULES, said
from vitruvian.alerts import Alerts, Step, entry_of, load_rules, parse_rules, step_of, steps_kept
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


LAB = {"concept": "ph", "unit": "[pH]"}


def acid(minute: float, value: float, **more: Any) -> Entry:
    return observation(f"acid-{minute}", minute, value, subject=mrn(1), **LAB, **more)


def test_an_alert_ends_with_the_only_value_it_rests_on(journal: Journal) -> None:
    twins, alerts = Twins(journal), Alerts(parse_rules(RULES))
    for minute, entry in ((1, acid(0, 7.05)), (2, observation("h", 2, 125.0, subject=mrn(1)))):
        commit = journal.append([entry], recorded_us=at(minute))
        twins.apply(commit)
        alerts.follow(commit, twins, at(minute))
    alerts.accept(alerts.acknowledge(alerts.open()[0].id, "dr.b", "repeat sent", at(3)))
    commit = journal.append([acid(0, 7.05, version="2", status="entered-in-error")], recorded_us=at(9))
    twins.apply(commit)
    (step,) = alerts.follow(commit, twins, at(9))
    ended = step.alert
    assert (step.action, ended.rule, ended.state, ended.ended_us) == ("cleared", "acid", "resolved", at(9))
    assert ended.text == "pH 7.05 < 7.2; the value was withdrawn"
    assert (ended.by, ended.reason) == ("dr.b", "repeat sent"), "who saw it is still told"
    assert [alert.rule for alert in alerts.open()] == ["warm"]
    anew = journal.append([acid(10, 7.1)], recorded_us=at(10))
    twins.apply(anew)
    assert said(alerts.follow(anew, twins, at(10))) == ["raised acid"]
    assert alerts.open()[0].text == "pH 7.10 < 7.2"


@pytest.mark.parametrize("other, action", [(True, "cleared"), (False, "closed")])
def test_a_withdrawal_just_before_a_crash_ends_the_alert_after_it(
    journal: Journal, journal_path: Path, other: bool, action: str
) -> None:
    """`other`: whether anything else was measured of the patient; else there is no twin after the restart."""
    rules = parse_rules(RULES)
    twins, alerts = Twins(journal), Alerts(rules)
    said_before = [acid(0, 7.05), *([observation("h", 0, 80.0, subject=mrn(1))] if other else [])]
    commit = journal.append(said_before, recorded_us=at(1))
    twins.apply(commit)
    keep(journal, alerts.follow(commit, twins, at(1)), rules.version)
    journal.append([acid(0, 7.05, version="2", status="cancelled")], recorded_us=at(9))
    journal.close()
    for ended in (False, True):
        with Journal.open(journal_path) as again:
            restored, later = Alerts(rules), open_twins(again)
            assert restored.restore(steps_kept(again, [p.pid for p in again.patients()])) == (0 if ended else 1)
            commit = again.append([observation(f"o{ended}", 10, 80.0, subject=mrn(2))], recorded_us=at(10))
            later.apply(commit)
            steps = restored.follow(commit, later, at(10))
            assert said(steps) == ([] if ended else [f"{action} acid"])
            keep(again, steps, rules.version)


@pytest.mark.parametrize("older", [7.4, 7.0])
def test_a_value_long_expired_is_nothing_to_stand_on(journal: Journal, older: float) -> None:
    """Two days ago there was a value too. It says nothing of now, and only a withdrawal makes it the newest."""
    twins, alerts = Twins(journal), Alerts(parse_rules(RULES))

    def told(minute: float, entry: Entry) -> list[str]:
        commit = journal.append([entry], recorded_us=at(minute))
        twins.apply(commit)
        return said(alerts.follow(commit, twins, at(minute)))

    told(-2880, acid(-2880, older))
    told(0, acid(0, 7.05))
    assert [alert.rule for alert in alerts.open()] == ["acid"]
    told(2880, observation("h", 2880, 80.0, subject=mrn(1)))
    assert told(2881, observation("h", 2880, 81.0, subject=mrn(1), version="2")) == [], "stale, but not withdrawn"
    assert told(2882, acid(0, 7.05, version="2", status="entered-in-error")) == ["cleared acid"]


def test_a_twin_that_could_not_be_read_ends_no_alert(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    twins, alerts = Twins(journal), Alerts(parse_rules(RULES))
    commit = journal.append([acid(0, 7.05)], recorded_us=at(1))
    twins.apply(commit)
    assert said(alerts.follow(commit, twins, at(1))) == ["raised acid"]
    wrong = observation("h", 1, 90.0, subject=mrn(1))
    journal.append([wrong], recorded_us=at(1))
    fixed = journal.append([observation("h", 1, 91.0, subject=mrn(1), version="2")], recorded_us=at(2))
    with monkeypatch.context() as patched:
        patched.setattr(journal, "series", broken)
        with pytest.raises(JournalError):
            twins.apply(fixed)
    assert alerts.follow(fixed, twins, at(2)) == []
    gone = journal.append([acid(0, 7.05, version="2", status="entered-in-error")], recorded_us=at(3))
    with monkeypatch.context() as patched:
        patched.setattr(journal, "series", broken)
        with pytest.raises(JournalError):
            twins.apply(gone)
    assert alerts.follow(gone, twins, at(3)) == []
    other = journal.append([observation("o", 4, 80.0, subject=mrn(2))], recorded_us=at(4))
    twins.apply(other)
    assert said(alerts.follow(other, twins, at(4))) == ["cleared acid"], "late, but not forgotten"


def broken(*_: object, **__: object) -> NoReturn:
    raise JournalError("found a disk that cannot be read")


def test_a_score_of_which_nothing_is_left_ends_its_alert(journal: Journal) -> None:
    twins, alerts = Twins(journal), Alerts(load_rules())
    fast = {"subject": mrn(1), "concept": "respiratory_rate", "unit": "/min"}
    commit = journal.append([observation("r", 0, 30.0, **fast)], recorded_us=at(1))  # type: ignore[arg-type]
    twins.apply(commit)
    alerts.follow(commit, twins, at(1))
    steps = alerts.assess(twins.pids, twins, at(1)) + alerts.tick(at(8)) + alerts.assess(twins.pids, twins, at(8))
    raised = {step.alert.rule for step in steps if step.alert.concept == "news2_red"}
    assert raised
    gone = observation("r", 0, 30.0, version="2", status="entered-in-error", **fast)  # type: ignore[arg-type]
    commit = journal.append([gone], recorded_us=at(9))
    twins.apply(commit)
    assert raised <= {step.alert.rule for step in alerts.follow(commit, twins, at(9)) if step.action == "cleared"}
    assert alerts.open() == []


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

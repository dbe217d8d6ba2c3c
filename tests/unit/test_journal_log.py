"""The log: receipts, versions, what was known when, refusals, what a commit reports."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import numpy as np
import pytest

from tests.journal_support import association, at, mrn, observation, person, values
from vitruvian.core.errors import JournalCorrupt, JournalUnavailable, NotFoundError
from vitruvian.core.events import Coded, Dose, Entry, Event, Finding, Quantity, Refusal, Text
from vitruvian.core.limits import MESSAGE_EVENTS_MAX, QUARANTINE_BYTES_MAX
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import COMPARATOR, IMPLAUSIBLE, PRELIMINARY, Journal
from vitruvian.journal.versions import natural, until


@pytest.fixture
def journal(journal_path: Path):
    with Journal.open(journal_path) as opened:
        yield opened


def outcomes(commit) -> list[str]:
    return [receipt.outcome for receipt in commit.receipts]


def test_a_value_is_committed_once_and_read_back(journal: Journal) -> None:
    entry = observation("a", 1, 81.5, subject=mrn(1))
    commit = journal.append([entry, entry], recorded_us=at(2))
    assert outcomes(commit) == ["committed", "duplicate"]
    assert commit.receipts[0].seq == commit.receipts[1].seq == journal.last_seq() == 1
    assert (commit.first_seq, commit.last_seq, commit.rebuild, commit.visits) == (1, 1, set(), set())
    assert outcomes(journal.append([entry], recorded_us=at(3))) == ["duplicate"]
    for samples in (commit.samples, journal.series(1)):
        assert samples.value.tolist() == [81.5]
        assert samples.concept.tolist() == [VOCABULARY["heart_rate"].index]
        assert (samples.occurred_us.tolist(), samples.known_us.tolist()) == ([at(1)], [at(2)])
    assert journal.timeline(1)[0].entry == entry


def test_columns_have_the_types_that_were_promised(journal: Journal) -> None:
    samples = journal.append([observation("a", 1, 80, subject=mrn(1))], recorded_us=at(2)).samples
    kinds = [getattr(samples, name).dtype for name in samples.__struct_fields__]
    expected = [np.int64, np.int16, np.int64, np.uint64, np.int64, np.float64, np.uint8, np.int64]
    assert kinds == [np.dtype(kind) for kind in expected]
    assert [getattr(journal.series(99), name).dtype for name in samples.__struct_fields__] == kinds


def test_a_series_is_half_open_and_filtered_by_concept(journal: Journal) -> None:
    entries = [observation(f"h{m}", m, 60.0 + m, subject=mrn(1)) for m in range(5)]
    entries.append(observation("r", 2, 18.0, subject=mrn(1), concept="respiratory_rate"))
    journal.append(entries, recorded_us=at(9))
    assert values(journal, 1, start_us=at(1), end_us=at(3), concepts=[VOCABULARY["heart_rate"].index]) == [61, 62]
    assert values(journal, 1, concepts=[VOCABULARY["respiratory_rate"].index]) == [18]
    assert values(journal, 1, concepts=[]) == []


def test_several_values_at_one_instant_are_all_kept(journal: Journal) -> None:
    journal.append([observation(f"x{n}", 1, 70.0 + n, subject=mrn(1)) for n in range(5)], recorded_us=at(2))
    assert sorted(values(journal, 1)) == [70, 71, 72, 73, 74]


def test_a_correction_supersedes_and_an_older_version_is_stale(journal: Journal) -> None:
    def version(number: str, value: float) -> Entry:
        return observation("lab", 1, value, subject=mrn(1), version=number)

    journal.append([version("2", 102)], recorded_us=at(2))
    commit = journal.append([version("10", 110)], recorded_us=at(3))
    assert outcomes(commit) == ["corrected"]  # 10 comes after 2
    assert (commit.rebuild, len(commit.samples)) == ({1}, 0)
    late = journal.append([version("9", 109)], recorded_us=at(4))
    assert (outcomes(late), late.rebuild) == (["stale"], set())
    assert outcomes(journal.append([version("9", 109), version("2", 102)], recorded_us=at(5))) == ["duplicate"] * 2
    assert values(journal, 1) == [110]
    assert [stored.superseded_by for stored in (journal.entry(1), journal.entry(2), journal.entry(3))] == [2, None, 2]
    assert values(journal, 1, known_by_us=at(2.5)) == [102]
    assert values(journal, 1, known_by_us=at(3)) == [110]
    assert values(journal, 1, known_by_us=at(1)) == []


def test_what_was_known_follows_the_sources_own_issue_times(journal: Journal) -> None:
    def issued(value: float, minute: float) -> Entry:
        return observation("lab", 0, value, subject=mrn(1), available_us=at(minute))

    # The last word arrives first.
    journal.append([issued(5.0 * 10, 30)], recorded_us=at(60))
    journal.append([issued(40.0, 10)], recorded_us=at(61))
    assert [values(journal, 1, known_by_us=at(minute)) for minute in (5, 10, 29, 30)] == [[], [40], [40], [50]]
    assert values(journal, 1) == [50]


def test_the_same_content_under_another_number_changes_nothing(journal: Journal) -> None:
    first = observation("a", 1, 80, subject=mrn(1), version="1")
    again = observation("a", 1, 80, subject=mrn(1), version="3")
    between = observation("a", 1, 90, subject=mrn(1), version="2")
    assert outcomes(journal.append([first, again, between], recorded_us=at(2))) == ["committed", "duplicate", "stale"]
    assert values(journal, 1) == [80]


def test_status_decides_where_a_source_numbers_nothing(journal: Journal) -> None:
    final = observation("a", 1, 80, subject=mrn(1))
    preliminary = observation("a", 1, 70, subject=mrn(1), status="preliminary")
    corrected = observation("a", 1, 90, subject=mrn(1), status="corrected")
    assert outcomes(journal.append([corrected, preliminary, final], recorded_us=at(2))) == [
        "committed",
        "stale",
        "stale",
    ]
    assert values(journal, 1) == [90]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_an_error_removes_values_and_keeps_history(journal: Journal, status) -> None:
    journal.append([observation("a", 1, 80, subject=mrn(1), version="1")], recorded_us=at(2))
    gone = observation("a", 1, 80, subject=mrn(1), version="2", status=status)
    commit = journal.append([gone], recorded_us=at(4))
    assert (outcomes(commit), commit.rebuild) == (["corrected"], {1})
    assert values(journal, 1) == []
    assert values(journal, 1, known_by_us=at(3)) == [80]
    assert [stored.entry.status for stored in journal.timeline(1)] == [status]
    assert [stored.entry.status for stored in journal.timeline(1, known_by_us=at(3))] == ["final"]


def test_a_correction_may_move_a_value_to_another_patient(journal: Journal) -> None:
    journal.append([observation("a", 1, 80, subject=mrn(1), version="1")], recorded_us=at(2))
    commit = journal.append([observation("a", 1, 80, subject=mrn(2), version="2")], recorded_us=at(3))
    assert commit.rebuild == {1, 2}
    assert (values(journal, 1), values(journal, 2)) == ([], [80])


def test_quality_bits(journal: Journal) -> None:
    quantity = Quantity(500.0, "/min", comparator=">")
    entry = Entry("t", "q", (Event("observation", "heart_rate", quantity, at(1), quality=("clock-skew",)),),
                  subject=mrn(1), status="preliminary")  # fmt: skip
    samples = journal.append([entry], recorded_us=at(2)).samples
    assert samples.quality.tolist() == [1 | IMPLAUSIBLE | PRELIMINARY | COMPARATOR]


def test_infusions_boluses_and_coded_answers(journal: Journal) -> None:
    norepinephrine = VOCABULARY["norepinephrine"]
    given = norepinephrine.administration
    assert given is not None
    rate = Event("administration", "norepinephrine", Dose(rate=0.1, rate_unit=given.rate_unit), at(1), at(5))
    alert = Event("observation", "consciousness", Coded("local", "C", "confused", 1.0), at(1))
    words = Event("observation", "", Text("restless"), at(1))
    commit = journal.append([Entry("t", "i", (rate, alert, words), subject=mrn(1))], recorded_us=at(9))
    rows = sorted(
        zip(
            commit.samples.occurred_us.tolist(),
            commit.samples.concept.tolist(),
            commit.samples.value.tolist(),
            strict=True,
        )
    )
    consciousness = VOCABULARY["consciousness"].index
    assert rows == sorted(
        [(at(1), norepinephrine.index, 0.1), (at(1), consciousness, 1.0), (at(5), norepinephrine.index, 0.0)]
    )
    assert len(journal.timeline(1)) == 1  # two instants, one entry
    assert [s.seq for s in journal.timeline(1, kinds=["administration"])] == [1]
    assert journal.timeline(1, kinds=["condition"]) == []


def test_an_order_is_no_value_yet(journal: Journal) -> None:
    given = VOCABULARY["norepinephrine"].administration
    assert given is not None
    order = Event("order", "norepinephrine", Dose(rate=0.1, rate_unit=given.rate_unit), at(1))
    assert len(journal.append([Entry("t", "o", (order,), subject=mrn(1))], recorded_us=at(9)).samples) == 0
    assert len(journal.timeline(1, kinds=["order"])) == 1


BEAT = Event("observation", "heart_rate", Quantity(80.0, "/min"), at(1))


def bad(name: str, value: object, occurred_us: int = at(1), **header) -> Entry:
    event = Event("observation", "heart_rate", value, occurred_us)  # type: ignore[arg-type]
    return Entry(**{"source": "t", "source_id": name, "events": (event,), "subject": mrn(1), **header})


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (bad("a", Quantity(float("nan"), "/min")), "not-finite"),
        (bad("a", Quantity(float("inf"), "/min")), "not-finite"),
        (bad("a", Coded("s", "c", "", float("-inf"))), "not-finite"),
        (bad("a", Quantity(37.0, "Cel")), "unit-mismatch"),
        (bad("a", Quantity(10**400, "/min")), "malformed"),
        (bad("a", Quantity("80", "/min")), "malformed"),  # type: ignore[arg-type]
        (bad("a", Quantity(80, "/min"), 10**18), "absurd-time"),
        (bad("a", Quantity(80, "/min"), -(10**17)), "absurd-time"),
        (bad("a", Quantity(80, "/min"), available_us=1 << 70), "absurd-time"),
        (bad("", Quantity(80, "/min")), "no-source-id"),
        (bad("a" * 300, Quantity(80, "/min")), "too-long"),
        (bad("\ud800", Quantity(80, "/min")), "malformed"),
        (bad("a", Quantity(80, "/min"), subject=()), "no-subject"),
        (bad("a", Quantity(80, "/min"), subject=mrn("x" * 300)), "identifier"),
        (bad("a", Quantity(80, "/min"), subject=mrn(1) * 40), "too-many"),
        (bad("a", Text("x" * 20_000)), "too-long"),
        (bad("a", Quantity(80, "/min"), events=()), "event-count"),
        (bad("a", 0, events=(BEAT,) * (MESSAGE_EVENTS_MAX + 1)), "event-count"),
        (bad("a", 0, events=(Event("observation", "mood", Quantity(80, "/min"), at(1)),)), "unknown-concept"),
        (bad("a", 0, events=(Event("observation", "", Text("x"), at(2), at(1)),)), "interval"),
        (bad("a", 0, events=None), "malformed"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_goes_to_quarantine(journal: Journal, entry: Entry, reason: str) -> None:
    good = observation("good", 1, 80, subject=mrn(7))
    commit = journal.append([entry, good], recorded_us=at(2))
    assert [(r.outcome, r.reason) for r in commit.receipts] == [("quarantined", reason), ("committed", "")]
    row = journal.quarantined()[0]
    assert (row.reason, row.recorded_us, row.resolved) == (reason, at(2), False)
    assert row.detail and len(row.raw) <= QUARANTINE_BYTES_MAX
    journal.append([entry], recorded_us=at(3))
    assert len(journal.quarantined()) == 1  # sent again, kept once
    assert values(journal, 7) == [80]


def test_refusals_are_kept_paged_and_resolved(journal: Journal) -> None:
    refusals = [Refusal("unreadable", "found X", "mqtt", f"m{n}", bytes(100_000)) for n in range(5)]
    receipts = journal.refuse(refusals, recorded_us=at(1))
    assert [(r.outcome, r.reason) for r in receipts] == [("quarantined", "unreadable")] * 5
    first = journal.quarantined(limit=2)
    assert [row.source_id for row in first + journal.quarantined(limit=9, after=first[-1].id)] == [
        f"m{n}" for n in range(5)
    ]
    assert len(first[0].raw) == QUARANTINE_BYTES_MAX
    journal.resolve_quarantined(first[0].id)
    assert [row.resolved for row in journal.quarantined()] == [True, False, False, False, False]
    assert journal.counts()["unresolved"] == 4
    with pytest.raises(NotFoundError):
        journal.resolve_quarantined(99)


def finding(name: str, minute: float, number: float | None, **more) -> Entry:
    value = Finding(name, "1.0", 3, number, {"band": "low"})
    return Entry("vitruvian", f"{name}/{minute}", (Event("derived", "", value, at(minute)),), subject=mrn(1), **more)


def test_findings_have_a_history_of_their_own_and_are_no_values(journal: Journal) -> None:
    commit = journal.append(
        [finding("news2", m, float(m)) for m in (3, 1, 2)] + [finding("qsofa", 1, None)], recorded_us=at(9)
    )
    assert (outcomes(commit), len(commit.samples)) == (["committed"] * 4, 0)
    history = journal.findings(1, "news2", start_us=at(1), end_us=at(3))
    assert (history.occurred_us.tolist(), history.number.tolist()) == ([at(1), at(2)], [1, 2])
    assert np.isnan(journal.findings(1, "qsofa").number).tolist() == [True]
    assert journal.finding_names(1) == ["news2", "qsofa"]
    assert [stored.entry.source_id for stored in journal.timeline(1, kinds=["derived"], limit=2)] == [
        "news2/3",
        "news2/2",
    ]
    assert len(journal.timeline(1)) == 4
    assert len(journal.series(1)) == 0


def test_the_timeline_is_newest_first_limited_and_by_kind(journal: Journal) -> None:
    journal.append(
        [observation(f"o{m}", m, 80, subject=mrn(1)) for m in range(6)] + [person("p", 2.5, mrn(1), family="Doe")],
        recorded_us=at(9),
    )
    assert [stored.entry.source_id for stored in journal.timeline(1, limit=4)] == ["o5", "o4", "o3", "p"]
    assert [stored.entry.source_id for stored in journal.timeline(1, kinds=["identity", "encounter"])] == ["p"]
    assert [stored.entry.source_id for stored in journal.timeline(1, start_us=at(1), end_us=at(3))] == ["p", "o2", "o1"]
    assert journal.timeline(1)[0].recorded_us == at(9)


def test_samples_since_brings_a_follower_up_to_date(journal: Journal) -> None:
    journal.append([observation(f"o{m}", m, 60.0 + m, subject=mrn(m % 3)) for m in range(30)], recorded_us=at(50))
    middle = journal.last_seq()
    journal.append([observation(f"n{m}", m, 90.0 + m, subject=mrn(m % 3)) for m in range(6)], recorded_us=at(51))
    journal.append([observation("o1", 1, 99.0, subject=mrn(1), version="2")], recorded_us=at(52))

    def collected(seq: int):
        commits = list(journal.samples_since(seq, batch=16))
        return commits[0], sorted(v for commit in commits for v in commit.samples.value.tolist()), commits

    first, everything, commits = collected(0)
    assert len(everything) == 36
    assert first.rebuild == set()
    assert all(len(commit.samples) <= 16 for commit in commits)
    first, rest, _ = collected(middle)
    corrected = journal.resolve(mrn(1))
    assert first.rebuild == {corrected}
    assert rest == [90, 92, 93, 95]  # the corrected patient's series is read whole instead
    assert list(journal.samples_since(journal.last_seq())) == []


def test_series_through_a_place_in_the_log(journal: Journal) -> None:
    journal.append([observation("a", 1, 80, subject=mrn(1))], recorded_us=at(2))
    journal.append([observation("b", 2, 81, subject=mrn(1))], recorded_us=at(3))
    assert values(journal, 1, through_seq=1) == [80]


def test_reopening_finds_everything(journal_path: Path) -> None:
    entry = observation("a", 1, 80, subject=mrn(1), device="")
    with Journal.open(journal_path) as journal:
        journal.append([entry, association("s", 0, "monitor", subject=mrn(1))], recorded_us=at(2))
    with Journal.open(journal_path) as journal:
        commit = journal.append([entry, observation("d", 3, 81, device="monitor")], recorded_us=at(4))
        assert outcomes(commit) == ["duplicate", "committed"]
        assert values(journal, 1) == [80, 81]
        assert journal.verify().ok
    with Journal.open(journal_path, read_only=True) as journal:
        assert values(journal, 1) == [80, 81]
        with pytest.raises(JournalUnavailable, match="read-only"):
            journal.append([entry], recorded_us=at(5))
    with pytest.raises(JournalUnavailable, match="closed"):
        journal.series(1)


def test_one_writer_at_a_time(journal_path: Path) -> None:
    with Journal.open(journal_path), pytest.raises(JournalUnavailable, match="one writer"):
        Journal.open(journal_path)
    Journal.open(journal_path).close()


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    before = other.read_bytes()
    with pytest.raises(JournalCorrupt, match="no journal"):
        Journal.open(other)
    assert other.read_bytes() == before
    text = tmp_path / "text.db"
    text.write_text("not a database at all" * 100)
    with pytest.raises(JournalCorrupt):
        Journal.open(text)
    with pytest.raises(JournalUnavailable, match="no journal at"):
        Journal.open(tmp_path / "none.db", read_only=True)


def test_fingerprints_that_collide_are_told_apart(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    from vitruvian.journal import prepare

    whole = prepare.key_of
    monkeypatch.setattr(prepare, "key_of", lambda source, name: b"\x80" + bytes(7) + whole(source, name)[8:])
    entries = [observation(f"c{n}", n, 60.0 + n, subject=mrn(1)) for n in range(6)]
    assert outcomes(journal.append(entries, recorded_us=at(9))) == ["committed"] * 6
    assert outcomes(journal.append(entries, recorded_us=at(9))) == ["duplicate"] * 6
    fixed = observation("c3", 3, 99, subject=mrn(1), version="2")
    assert outcomes(journal.append([fixed], recorded_us=at(9))) == ["corrected"]
    assert sorted(values(journal, 1)) == [60, 61, 62, 64, 65, 99]


def test_a_correction_under_the_same_number_is_no_duplicate(journal: Journal) -> None:
    said = observation("lab", 1, 2.0, subject=mrn(1), version="20261121120500")
    fixed = observation("lab", 1, 9.0, subject=mrn(1), version="20261121120500", status="corrected")
    journal.append([said], recorded_us=at(2))
    commit = journal.append([fixed], recorded_us=at(3))
    (pid,) = (patient.pid for patient in journal.patients())
    assert (outcomes(commit), commit.rebuild) == (["corrected"], {pid})
    assert journal.series(pid).value.tolist() == [9]
    assert outcomes(journal.append([said, fixed], recorded_us=at(4))) == ["duplicate"] * 2


def test_a_repeat_that_differs_in_the_clock_skew_flag_alone_is_a_duplicate(journal: Journal) -> None:
    def sent(version: str, *quality: str) -> Entry:
        entry = observation("lab", 1, 80, subject=mrn(1), version=version)
        event = msgspec.structs.replace(entry.events[0], quality=quality)
        return msgspec.structs.replace(entry, events=(event,))

    journal.append([sent("1", "clock-skew", "implausible")], recorded_us=at(2))
    assert outcomes(journal.append([sent("1", "implausible")], recorded_us=at(3))) == ["duplicate"]
    assert outcomes(journal.append([sent("2", "implausible")], recorded_us=at(3))) == ["duplicate"]
    assert outcomes(journal.append([sent("2")], recorded_us=at(4))) == ["corrected"]


def test_versions_sort_as_people_count() -> None:
    texts = ["v10", "v9", "", "2", "10", "2.1", 'W/"3"']
    assert sorted(texts, key=natural) == ["", "2", "2.1", "10", 'W/"3"', "v9", "v10"]
    assert until([5, 3, 9]) == [3, 9, None]

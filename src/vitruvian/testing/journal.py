"""What any journal must do, whatever it is kept in: subclass, say how one is opened, and run the checks.

    class TestSqlite(JournalConformance):
        def open_journal(self, folder):
            return Journal.open(folder / "journal.db")

Each check is a method named `test_*` that takes a folder of its own, as pytest's `tmp_path`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from vitruvian.core.events import Association, Entry, Event, Merge, Quantity, Receipt, Refusal, Status, Value, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.journal import BedStay, Commit, QuarantinedRow, Samples, Stored, Verification

ORIGIN_US: Final = 1_760_000_000_000_000
_STATUSES: Final[tuple[Status, ...]] = ("preliminary", "final", "corrected", "entered-in-error")
MINUTE_US: Final = 60_000_000


class AnyJournal(Protocol):
    """The part of a journal that the checks use; see `vitruvian.journal.Journal`."""

    def append(self, entries: Sequence[Entry], *, recorded_us: int) -> Commit: ...
    def refuse(self, refusals: Sequence[Refusal], *, recorded_us: int) -> list[Receipt]: ...
    def series(self, pid: int, *, known_by_us: int | None = None) -> Samples: ...
    def timeline(self, pid: int) -> list[Stored]: ...
    def resolve(self, identifiers: Sequence[Identifier]) -> int | None: ...
    def survivor(self, pid: int) -> int: ...
    def bed_history(self, pid: int) -> list[BedStay]: ...
    def device_patient(self, device: str, at_us: int) -> int | None: ...
    def quarantined(self, limit: int = 100, after: int = 0) -> list[QuarantinedRow]: ...
    def last_seq(self) -> int: ...
    def verify(self) -> Verification: ...
    def close(self) -> None: ...


def at(minute: int) -> int:
    """An instant, minutes after the checks' origin."""
    return ORIGIN_US + minute * MINUTE_US


def patient(number: int) -> tuple[Identifier, ...]:
    """A patient's identifiers."""
    return (Identifier("urn:conformance", str(number), "MR"),)


def said(name: str, minute: int, value: Value, kind: Any, **header: Any) -> Entry:
    """An entry of one event without a concept."""
    return Entry("conformance", name, (Event(kind, "", value, at(minute)),), **header)


def beat(name: str, minute: int, rate: float, **header: Any) -> Entry:
    """An entry of one heart rate."""
    event = Event("observation", "heart_rate", Quantity(rate, "/min"), at(minute))
    return Entry("conformance", name, (event,), **header)


BED: Final = Location("H", "ICU", "1", "A")
# A day in which everything depends on something said elsewhere in it.
DAY: Final = (
    beat("direct", 1, 61.0, subject=patient(1), source_version="1"),
    beat("direct", 1, 62.0, subject=patient(1), source_version="2"),
    beat("direct", 1, 60.0, subject=patient(1), source_version="10", status="entered-in-error"),
    beat("direct", 1, 63.0, subject=patient(1), source_version="10"),
    *(beat(f"monitor-{minute}", minute, 70.0 + minute, device="monitor") for minute in range(2, 12)),
    *(beat(f"pump-{minute}", minute, 90.0 + minute, device="pump") for minute in range(2, 12)),
    said("given", 3, Association("start", "monitor"), "device", subject=patient(1)),
    said("moved", 6, Association("start", "monitor"), "device", subject=patient(2)),
    said("freed", 9, Association("end", "monitor"), "device", subject=patient(2)),
    said("stands", 0, Association("start", "pump", BED), "device"),
    said("admitted", 4, Visit("admit", None, BED), "encounter", subject=patient(3)),
    said("discharged", 8, Visit("discharge"), "encounter", subject=patient(3)),
    said("one", 10, Merge("merge", patient(2)), "identity", subject=patient(1)),
    said("two", 11, Merge("unmerge", patient(2)), "identity", subject=patient(1)),
    said("three", 12, Merge("merge", patient(3)), "identity", subject=patient(2)),
)
EXPECTED: Final = {1: [73, 74, 75], 2: [94, 95, 76, 96, 77, 97, 78], 3: [94, 95, 76, 96, 77, 97, 78]}


class JournalConformance:
    """Checks to inherit; override `open_journal`, which opens the same journal again for the same folder."""

    def open_journal(self, folder: Path) -> AnyJournal:
        """A journal kept in this folder, made where there is none."""
        raise NotImplementedError

    def test_a_duplicate_vanishes_and_a_correction_supersedes(self, tmp_path: Path) -> None:
        journal = self.open_journal(tmp_path)
        first, second = (beat("a", 1, 60.0 + n, subject=patient(1), source_version=str(n)) for n in (9, 10))
        outcomes = [r.outcome for r in journal.append([first, first, second, first], recorded_us=at(5)).receipts]
        assert outcomes == ["committed", "duplicate", "corrected", "duplicate"]
        pid = journal.resolve(patient(1))
        assert pid is not None
        assert journal.series(pid).value.tolist() == [70]
        assert [stored.entry.source_version for stored in journal.timeline(pid)] == ["10"]
        journal.close()

    def test_one_number_with_other_content_is_ranked_whatever_came_first(self, tmp_path: Path) -> None:
        """A source that numbers by the second sends a result and its correction under one number."""
        first, final, fixed, gone = (
            beat("a", 1, rate, subject=patient(1), source_version="7", status=status)
            for rate, status in (
                (60.0, "preliminary"),
                (61.0, "final"),
                (62.0, "corrected"),
                (62.0, "entered-in-error"),
            )
        )
        for number, entries in enumerate(itertools.permutations((first, final, fixed))):
            journal = self.open_journal(tmp_path / str(number))
            best, outcomes = -1, []
            for entry in entries:
                place = (first, final, fixed).index(entry)
                outcomes.append("committed" if best < 0 else "corrected" if place > best else "stale")
                best = max(best, place)
            took = [journal.append([entry], recorded_us=at(5)).receipts[0].outcome for entry in entries]
            assert took == outcomes
            assert [r.outcome for r in journal.append(entries, recorded_us=at(6)).receipts] == ["duplicate"] * 3
            pid = journal.resolve(patient(1))
            assert pid is not None
            assert journal.series(pid).value.tolist() == [62]
            assert journal.append([gone], recorded_us=at(7)).receipts[0].outcome == "corrected"
            assert journal.series(pid).value.tolist() == []
            journal.close()

    def test_what_was_known_then_is_told_as_it_was(self, tmp_path: Path) -> None:
        journal = self.open_journal(tmp_path)
        for minute in (20, 10):
            lab = beat("lab", 1, 50.0 + minute, subject=patient(1), available_us=at(minute))
            journal.append([lab], recorded_us=at(60))
        pid = journal.resolve(patient(1))
        assert pid is not None
        known = [journal.series(pid, known_by_us=at(minute)).value.tolist() for minute in (9, 10, 20)]
        assert known == [[], [60], [70]]
        journal.close()

    def test_any_order_gives_the_same_day(self, tmp_path: Path) -> None:
        for seed in range(12):
            rng = random.Random(seed)
            day = rng.sample(DAY, len(DAY)) + rng.choices(DAY, k=8)
            journal = self.open_journal(tmp_path / str(seed))
            journal.append([beat(f"known-{n}", -9, 1.0 + n, subject=patient(n)) for n in EXPECTED], recorded_us=at(90))
            while day:
                size = rng.randint(1, 6)
                journal.append(day[:size], recorded_us=at(90))
                day = day[size:]
            for number, expected in EXPECTED.items():
                pid = journal.resolve(patient(number))
                assert pid is not None
                values = [value for value in journal.series(pid).value.tolist() if value > 10]
                assert sorted(values) == sorted(expected), f"seed {seed}, patient {number}: {values}"
            held = journal.device_patient("pump", at(5))
            assert held is not None
            assert held == journal.resolve(patient(3)) == journal.resolve(patient(2))
            assert [(stay.start_us, stay.end_us) for stay in journal.bed_history(held)] == [(at(4), at(8))]
            assert journal.verify().ok
            journal.close()

    def test_a_follower_of_the_commits_sees_the_series(self, tmp_path: Path) -> None:
        rng = random.Random(1)
        journal = self.open_journal(tmp_path)
        seen: dict[int, list[float]] = {}
        for entry in rng.sample(DAY, len(DAY)):
            commit = journal.append([entry], recorded_us=at(90))
            for pid, value in zip(commit.samples.patient.tolist(), commit.samples.value.tolist(), strict=True):
                seen.setdefault(pid, []).append(value)
            for pid in commit.rebuild:
                seen[pid] = journal.series(pid).value.tolist() if journal.survivor(pid) == pid else []
        for pid, values in seen.items():
            if journal.survivor(pid) == pid:
                assert sorted(values) == sorted(journal.series(pid).value.tolist())
        journal.close()

    def test_what_cannot_be_kept_is_quarantined_and_harms_nothing(self, tmp_path: Path) -> None:
        journal = self.open_journal(tmp_path)
        entries = [beat("bad", 1, float("nan"), subject=patient(1)), beat("good", 1, 80.0, subject=patient(1))]
        receipts = journal.append(entries, recorded_us=at(5)).receipts
        assert [receipt.outcome for receipt in receipts] == ["quarantined", "committed"]
        journal.refuse([Refusal("unreadable", "found X", "conformance", "m1", b"x")], recorded_us=at(6))
        assert [row.reason for row in journal.quarantined()] == ["not-finite", "unreadable"]
        journal.close()

    def test_everything_is_there_again(self, tmp_path: Path) -> None:
        journal = self.open_journal(tmp_path)
        journal.append(DAY, recorded_us=at(90))
        last, pid = journal.last_seq(), journal.resolve(patient(1))
        assert pid is not None
        values = journal.series(pid).value.tolist()
        journal.close()
        journal = self.open_journal(tmp_path)
        assert (journal.last_seq(), journal.series(pid).value.tolist()) == (last, values)
        assert {r.outcome for r in journal.append(DAY, recorded_us=at(91)).receipts} == {"duplicate"}
        assert journal.verify().ok
        journal.close()

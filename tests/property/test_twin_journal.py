"""Twins on the real journal: order, batches, duplicates, merges, devices, corrections, restarts: one state."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.journal_support import at, mrn, observation
from tests.property.test_journal_order import PEOPLE, PRELUDE, RECORDED_US, days, unique
from vitruvian.core.events import Entry
from vitruvian.journal import Journal
from vitruvian.twin import Twins, as_known, as_of, open_twins, restore, save
from vitruvian.twin.snapshots import NAME

LATER_US = at(20_000)
CONCEPTS = (("heart_rate", "/min"), ("body_temperature", "Cel"), ("lactate", "mmol/L"))


def hashes(twins: Twins, journal: Journal) -> dict[int, str]:
    found = {}
    for number in PEOPLE:
        pid = journal.resolve(mrn(number))
        assert pid is not None
        assert twins.hash(pid) == as_of(journal, pid, LATER_US).hash
        found[number] = twins.hash(pid)
    return found


def batches(entries: list[Entry], cuts: list[int]) -> list[list[Entry]]:
    made, start = [], 0
    while start < len(entries):
        size = cuts[len(made) % len(cuts)]
        made.append(entries[start : start + size])
        start += size
    return made


def in_pieces(journal: Journal, batch: int) -> dict[int, str]:
    """The hashes of twins that start from the snapshot and take its tail in small parts."""
    kept = journal.load_snapshot(NAME)
    assert kept is not None
    twins = restore(kept[1], journal)
    twins.catch_up(journal.samples_since(kept[0], batch), journal.last_seq())
    return hashes(twins, journal)


def live(folder: Path, entries: list[Entry], cuts: list[int], *, restart_after: int = 10_000) -> dict[int, str]:
    """The hashes of twins that follow a journal commit by commit, stopped and opened again once on the way."""
    with Journal.open(folder) as journal:
        twins = Twins(journal)
        twins.apply(journal.append(PRELUDE, recorded_us=RECORDED_US))
        save(twins, journal)
        for turn, batch in enumerate(batches(entries, cuts)):
            commit = journal.append(batch, recorded_us=RECORDED_US)
            if turn == restart_after:
                twins = open_twins(journal)
            else:
                twins.apply(commit)
        return hashes(twins, journal)


@given(
    day=days.map(unique),
    data=st.data(),
    cuts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    restart_after=st.integers(0, 6),
)
def test_one_state_whatever_happens_on_the_way(
    day: list[Entry], data: st.DataObject, cuts: list[int], restart_after: int
) -> None:
    shuffled = data.draw(st.permutations(day + data.draw(st.lists(st.sampled_from(day), max_size=6))))
    with tempfile.TemporaryDirectory() as folder:
        straight = live(Path(folder) / "straight.db", day, [len(day)])
        assert live(Path(folder) / "shuffled.db", shuffled, cuts, restart_after=restart_after) == straight
        with Journal.open(Path(folder) / "shuffled.db") as journal:
            assert hashes(open_twins(journal), journal) == straight
            assert in_pieces(journal, 2) == straight
        with Journal.open(Path(folder) / "straight.db") as journal:
            anew = Twins(journal)
            anew.catch_up(journal.samples_since(0), journal.last_seq())
            assert hashes(anew, journal) == straight


@settings(max_examples=settings().max_examples // 4)  # each is a whole day, journalled twice
@given(st.randoms(use_true_random=False), st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_a_dense_day_shuffled_with_duplicates(rng: random.Random, cuts: list[int]) -> None:
    """A monitor's day: several concepts, ties at one instant, many hours; every third entry sent twice."""
    day = []
    for minute in range(0, 1440, 12):
        name, unit = CONCEPTS[minute // 12 % 3]
        for copy in range(1 + minute % 24 // 12):
            value = {"heart_rate": 70.0, "body_temperature": 37.0, "lactate": 2.0}[name] + minute % 7 + copy / 2
            day.append(observation(f"{minute}-{copy}", minute, value, subject=mrn(1), concept=name, unit=unit))
    shuffled = day + day[::3]
    rng.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        straight = live(Path(folder) / "straight.db", day, [24])
        assert live(Path(folder) / "shuffled.db", shuffled, cuts, restart_after=2) == straight
        with Journal.open(Path(folder) / "shuffled.db") as journal:
            assert in_pieces(journal, 7) == straight


def test_a_correction_moves_the_past_but_not_what_was_known() -> None:
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "journal.db") as journal:
        twins = Twins(journal)
        lab = {"subject": mrn(1), "concept": "potassium", "unit": "mmol/L"}
        twins.apply(journal.append([observation("k", 0, 6.9, **lab)], recorded_us=at(10)))  # type: ignore[arg-type]
        pid = journal.resolve(mrn(1))
        assert pid is not None
        before = twins.hash(pid)
        again = observation("k", 0, 4.1, version="2", **lab)  # type: ignore[arg-type]
        twins.apply(journal.append([again], recorded_us=at(60)))
        known = as_known(journal, pid, at(30))
        was = as_of(journal, pid, at(30))
        assert (known.hash, known.basis) == (before, "as-known")
        assert (was.hash, was.basis) == (twins.hash(pid), "as-of")
        assert (known.signal("potassium").value, was.signal("potassium").value) == (6.9, 4.1)  # type: ignore[union-attr]
        assert as_known(journal, pid, at(60)).hash == twins.hash(pid)

"""Any order of arrival, any batches, any duplicates: one past."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.journal_support import association, at, bed, merge, mrn, observation, person, visit
from vitruvian.core.events import Entry
from vitruvian.core.identifiers import Identifier
from vitruvian.journal import Journal

PEOPLE = (1, 2, 3)
RECORDED_US = at(10_000)
ACTIONS = (
    *("admit", "admit", "transfer", "discharge", "update", "register"),
    *("cancel-admit", "cancel-transfer", "cancel-discharge"),
)
minutes = st.integers(0, 12)
people = st.sampled_from(PEOPLE)
devices = st.sampled_from(("monitor", "pump"))
beds = st.sampled_from(("A", "B"))
versions = st.sampled_from(("", "1", "2", "10"))
statuses = st.sampled_from(("final", "final", "preliminary", "corrected", "cancelled", "entered-in-error"))


@st.composite
def observations(draw: st.DrawFn) -> Entry:
    # Under one name and version there may be other content, of any status: what counts must not depend on the order.
    name, version = draw(st.integers(0, 14)), draw(versions)
    seed = name * 31 + sum(map(ord, version)) + draw(st.sampled_from((0, 0, 0, 1, 2)))
    subject = mrn(PEOPLE[name % 3]) if name < 6 else mrn(1) + mrn(2) if name == 6 else ()
    return observation(
        f"o{name}",
        seed % 13,
        60.0 + seed % 50,
        subject=subject,
        device="" if subject else ("monitor", "pump")[name % 2],
        version=version,
        status=draw(statuses),
    )


@st.composite
def associations(draw: st.DrawFn) -> Entry:
    """A monitor or pump given to a patient; the name holds all that was drawn, so that it cannot repeat."""
    minute, who, device = draw(minutes), draw(people), draw(devices)
    action = draw(st.sampled_from(("start", "start", "end", "cancel")))
    return association(f"a{minute}{who}{device}{action}", minute, device, action, subject=mrn(who))


@st.composite
def placements(draw: st.DrawFn) -> Entry:
    minute, place, device = draw(minutes), draw(beds), draw(devices)
    action = draw(st.sampled_from(("start", "start", "start", "end", "cancel")))
    return association(f"p{minute}{place}{device}{action}", minute, device, action, location=bed(place))


@st.composite
def merges(draw: st.DrawFn) -> Entry:
    minute, who, other = draw(minutes), draw(people), draw(people)
    action = draw(st.sampled_from(("merge", "merge", "unmerge")))
    return merge(f"m{minute}{who}{other}{action}", minute, who, other, action)


@st.composite
def demographics(draw: st.DrawFn) -> Entry:
    minute, who, family = draw(minutes), draw(people), draw(st.sampled_from(("Ada", "Bo", "")))
    sex = "female" if minute % 2 else ""
    return person(f"d{minute}{who}{family}", minute, mrn(who), family=family, sex=sex)


@st.composite
def visits(draw: st.DrawFn) -> Entry:
    minute, who, place = draw(minutes), draw(people), draw(beds)
    action = draw(st.sampled_from(ACTIONS))
    number = draw(st.sampled_from(("", f"V1-{who}", f"V2-{who}", "shared")))
    where = None if action == "discharge" else bed(place)
    name = f"v{minute}{who}{action}{place}{number}"
    return visit(name, minute, action, mrn(who), where, number=number)


@st.composite
def visit_values(draw: st.DrawFn) -> Entry:
    """A value that names the visit only."""
    minute, number, who = draw(minutes), draw(st.sampled_from(("V1-1", "V2-2", "shared"))), draw(people)
    entry = observation(f"e{minute}{number}{who}", minute, 40.0 + minute)
    return msgspec.structs.replace(entry, encounter=Identifier("urn:visit", number))


@st.composite
def versioned(draw: st.DrawFn) -> Entry:
    """An association or an admission that is corrected: moved in time, or withdrawn."""
    version = draw(versions)
    seed = sum(map(ord, version)) + draw(st.sampled_from((0, 0, 1)))
    status = draw(statuses)
    if draw(st.booleans()):
        return association("va", seed % 11, "monitor", subject=mrn(1 + seed % 2), version=version, status=status)
    return visit("vv", seed % 11, "admit", mrn(1 + seed % 2), bed("A"), version=version, status=status)


def day_of(*parts: st.SearchStrategy[Entry]) -> st.SearchStrategy[list[Entry]]:
    return st.lists(st.one_of(*parts), min_size=1, max_size=24)


# A day of everything rarely holds two facts that meet; so most days are of few kinds, crowded into few minutes.
days = st.one_of(
    day_of(
        observations(), associations(), placements(), merges(), demographics(), visits(), visit_values(), versioned()
    ),
    day_of(observations(), placements(), visits()),
    day_of(observations(), associations(), merges()),
    day_of(merges(), visits(), visit_values(), placements(), observations()),
    day_of(observations(), versioned(), associations()),
    day_of(merges(), demographics()),
)
PRELUDE = [observation(f"known-{number}", -60, 70.0 + number, subject=mrn(number)) for number in PEOPLE]


def view(journal: Journal) -> dict[str, Any]:
    """Everything that a reader can see and that must not depend on the order of arrival."""
    seen: dict[str, Any] = {}
    for number in PEOPLE:
        pid = journal.resolve(mrn(number))
        assert pid is not None
        samples = journal.series(pid)
        seen[f"series {number}"] = [
            getattr(samples, name).tolist() for name in samples.__struct_fields__ if name != "seq"
        ]
        patient = journal.patient_of(pid)
        seen[f"patient {number}"] = patient
        seen[f"beds {number}"] = journal.bed_history(pid)
        seen[f"timeline {number}"] = sorted(
            (stored.entry.source_id, stored.entry.source_version, stored.entry.status)
            for stored in journal.timeline(pid)
        )
    for minute in range(14):
        seen[f"census {minute}"] = journal.census(at(minute))
        seen[f"devices {minute}"] = [journal.device_patient(device, at(minute)) for device in ("monitor", "pump")]
    seen["waiting"] = journal.counts()["waiting"]
    return seen


def kept(entries: list[Entry], cuts: list[int], folder: Path, name: str) -> dict[str, Any]:
    """What a journal shows after these entries, committed in batches of these sizes in turn."""
    with Journal.open(folder / name) as journal:
        journal.append(PRELUDE, recorded_us=RECORDED_US)
        start = turn = 0
        while start < len(entries):
            size = cuts[turn % len(cuts)]
            journal.append(entries[start : start + size], recorded_us=RECORDED_US)
            start, turn = start + size, turn + 1
        assert journal.verify().ok
        return view(journal)


def unique(entries: list[Entry]) -> list[Entry]:
    """Each entry once."""
    return list({msgspec.msgpack.encode(entry): entry for entry in entries}.values())


@given(day=days.map(unique), data=st.data(), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_order_batches_and_duplicates_change_nothing(day: list[Entry], data: st.DataObject, cuts: list[int]) -> None:
    shuffled = data.draw(st.permutations(day + data.draw(st.lists(st.sampled_from(day), max_size=6))))
    with tempfile.TemporaryDirectory() as folder:
        straight = kept(day, [len(day)], Path(folder), "straight.db")
        assert kept(shuffled, cuts, Path(folder), "shuffled.db") == straight


@given(day=days.map(unique), data=st.data())
def test_a_follower_that_obeys_commits_sees_what_the_series_say(day: list[Entry], data: st.DataObject) -> None:
    """Plain additions added, rebuilt patients read again: at each step this equals the series read whole."""
    shuffled = data.draw(st.permutations(day))
    with tempfile.TemporaryDirectory() as folder, Journal.open(Path(folder) / "journal.db") as journal:
        mirror: dict[int, list[tuple[Any, ...]]] = {}
        for start in range(0, len(PRELUDE + shuffled), 3):
            commit = journal.append((PRELUDE + shuffled)[start : start + 3], recorded_us=RECORDED_US + start)
            for row in rows_of(commit.samples):
                mirror.setdefault(row[0], []).append(row)
            for pid in commit.rebuild:
                mirror[pid] = rows_of(journal.series(pid)) if journal.survivor(pid) == pid else []
            for number in PEOPLE:
                pid = journal.resolve(mrn(number))
                if pid is not None:
                    assert sorted(mirror.get(pid, [])) == sorted(rows_of(journal.series(pid)))


def rows_of(samples: Any) -> list[tuple[Any, ...]]:
    return list(zip(*(getattr(samples, name).tolist() for name in samples.__struct_fields__), strict=True))

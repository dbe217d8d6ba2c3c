"""Who is who, who lies where, and whose a device's values are."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.journal_support import association, at, bed, merge, mrn, observation, person, values, visit
from vitruvian.core.errors import IdentityError, NotFoundError
from vitruvian.core.events import Entry
from vitruvian.core.identifiers import Identifier
from vitruvian.journal import Journal


@pytest.fixture
def journal(journal_path: Path):
    with Journal.open(journal_path) as opened:
        yield opened


def put(journal: Journal, *entries: Entry, minute: float = 900):
    """Commit, and return (outcome, reason) of each, and the commit."""
    commit = journal.append(entries, recorded_us=at(minute))
    return [(receipt.outcome, receipt.reason) for receipt in commit.receipts], commit


def pid(journal: Journal, number: int) -> int:
    found = journal.resolve(mrn(number))
    assert found is not None
    return found


COMMITTED = [("committed", "")]

# -- persons ---------------------------------------------------------------------------------------------------


def test_identifiers_seen_together_are_one_person(journal: Journal) -> None:
    national = (Identifier("urn:national", "X-9", "NI"),)
    put(journal, observation("a", 1, 70, subject=mrn(1) + national), observation("b", 2, 71, subject=national))
    assert values(journal, 1) == [70, 71]
    patient = journal.patients()[0]
    assert patient.identifiers == tuple(sorted(mrn(1) + national, key=lambda identifier: identifier.key))
    assert journal.patient(patient.id) == journal.patient_of(patient.pid) == patient
    assert journal.resolve(national) == patient.pid
    assert journal.resolve(mrn("never")) is None


def test_the_public_id_is_stable_and_says_nothing(tmp_path: Path) -> None:
    names = set()
    for run in range(2):
        with Journal.open(tmp_path / f"{run}.db") as journal:
            put(journal, *(observation(f"x{n}", 1, 70, subject=mrn(n)) for n in range(run, 3)))
            names.add(journal.patient_of(pid(journal, 2)).id)
    (name,) = names
    assert name.isalnum() and len(name) == 12


def test_two_persons_in_one_entry_are_quarantined_until_merged(journal: Journal) -> None:
    put(journal, observation("a", 1, 70, subject=mrn(1)), observation("b", 2, 80, subject=mrn(2)))
    receipts, commit = put(journal, observation("both", 3, 99, subject=mrn(1) + mrn(2)))
    assert receipts == [("quarantined", "identity-conflict")]
    assert len(commit.samples) == 0
    assert (values(journal, 1), values(journal, 2)) == ([70], [80])
    row = journal.quarantined()[0]
    assert (row.reason, row.resolved) == ("identity-conflict", False)
    assert "1" not in row.detail.replace("urn:hospital", "")  # no identifier in what is shown and logged
    put(journal, merge("m", 5, 1, 2))
    assert values(journal, 1) == [70, 80, 99]
    assert journal.quarantined()[0].resolved
    put(journal, merge("u", 6, 1, 2, "unmerge"))
    assert (values(journal, 1), values(journal, 2)) == ([70], [80])
    assert not journal.quarantined()[0].resolved


def test_demographics_are_the_latest_stated_field_by_field(journal: Journal) -> None:
    _, commit = put(
        journal,
        person("later", 5, mrn(1), family="Doe", sex="female"),
        person("earlier", 1, mrn(1), family="Dough", given="Jo", birth_us=at(-1_000_000)),
    )
    assert commit.visits == {1}
    assert journal.patient_of(1).person == msgspec.convert(
        ["p", "Doe", "Jo", at(-1_000_000), "female", None], type(journal.patient_of(1).person)
    )


# -- merges ----------------------------------------------------------------------------------------------------


def test_a_merge_unites_and_can_be_undone(journal: Journal) -> None:
    put(journal, *(observation(f"o{n}", n, 60.0 + n, subject=mrn(n)) for n in (1, 2)))
    one, two = pid(journal, 1), pid(journal, 2)
    _, commit = put(journal, merge("m", 5, 1, 2))
    assert commit.rebuild == {one, two}
    assert journal.survivor(two) == one == pid(journal, 2)
    assert values(journal, 2) == values(journal, 1) == [61, 62]
    assert [patient.pid for patient in journal.patients()] == [one]
    assert [patient.merged_into for patient in journal.patients(merged=True)] == [None, one]
    assert len(journal.patient_of(one).identifiers) == 2
    _, commit = put(journal, observation("late", 9, 69, subject=mrn(2)))
    assert commit.samples.patient.tolist() == [one]
    _, commit = put(journal, merge("u", 10, 1, 2, "unmerge"))
    assert commit.rebuild == {one, two}
    assert (values(journal, 1), values(journal, 2)) == ([61], [62, 69])


def test_chains_of_merges_and_cycles(journal: Journal) -> None:
    put(journal, *(observation(f"o{n}", n, 60.0 + n, subject=mrn(n)) for n in (1, 2, 3)))
    put(journal, merge("a", 5, 2, 3), merge("b", 6, 1, 2))
    assert values(journal, 1) == [61, 62, 63]
    put(journal, merge("c", 7, 3, 1))  # would close a cycle
    assert values(journal, 1) == [61, 62, 63]
    assert journal.survivor(pid(journal, 3)) == pid(journal, 1)
    assert [row.reason for row in journal.quarantined()] == ["merge-cycle"]
    put(journal, merge("d", 8, 1, 2, "unmerge"))
    assert (values(journal, 1), values(journal, 2)) == ([61], [62, 63])


def test_a_merge_may_name_somebody_never_seen(journal: Journal) -> None:
    put(journal, merge("m", 1, 1, 2))
    put(journal, observation("o", 2, 62, subject=mrn(2)))
    assert values(journal, 1) == [62]


def test_ambiguous_identifiers_are_an_error_to_ask_for(journal: Journal) -> None:
    put(journal, *(observation(f"o{n}", n, 60, subject=mrn(n)) for n in (1, 2)))
    with pytest.raises(IdentityError, match="2 different patients"):
        journal.resolve(mrn(1) + mrn(2))
    with pytest.raises(NotFoundError):
        journal.patient("nobody")
    with pytest.raises(NotFoundError):
        journal.patient_of(99)


def test_a_merge_joins_histories_of_beds(journal: Journal) -> None:
    """Brought in without a name, admitted, recognised, moved under the right name."""
    put(
        journal,
        visit("in", 1, "admit", mrn(9), bed("A")),
        merge("m", 20, 1, 9),
        visit("move", 10, "transfer", mrn(1), bed("B")),
    )
    stays = journal.bed_history(pid(journal, 1))
    assert [(stay.location.bed, stay.start_us, stay.end_us) for stay in stays] == [
        ("A", at(1), at(10)),
        ("B", at(10), None),
    ]
    assert journal.census(at(5)) == [(bed("A"), pid(journal, 1))]


# -- encounters and beds -----------------------------------------------------------------------------------------


def stays(journal: Journal, number: int) -> list[tuple[str, float, float | None]]:
    def minute(us: int | None) -> float | None:
        return None if us is None else (us - at(0)) / 60e6

    return [(s.location.bed, minute(s.start_us), minute(s.end_us)) for s in journal.bed_history(pid(journal, number))]  # type: ignore[misc]


ADMIT = visit("1", 1, "admit", mrn(1), bed("A"), number="V")
MOVE = visit("2", 5, "transfer", mrn(1), bed("B"), number="V")
LEAVE = visit("3", 9, "discharge", mrn(1), number="V")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([LEAVE, MOVE, ADMIT], [("A", 1, 5), ("B", 5, 9)]),
        ([MOVE], [("B", 5, None)]),  # the admission was never heard of
        ([LEAVE], []),
        ([ADMIT, MOVE, visit("x", 6, "cancel-transfer", mrn(1), number="V")], [("A", 1, None)]),
        ([ADMIT, MOVE, LEAVE, visit("x", 9, "cancel-discharge", mrn(1), number="V")], [("A", 1, 5), ("B", 5, None)]),
        ([ADMIT, visit("x", 2, "cancel-admit", mrn(1), number="V")], []),
        ([visit("x", 2, "cancel-admit", mrn(1), number="other"), ADMIT], [("A", 1, None)]),
        ([ADMIT, visit("x", 3, "discharge", mrn(1), number="other")], [("A", 1, None)]),
        ([ADMIT, visit("x", 3, "update", mrn(1), bed("B"), number="V")], [("A", 1, None)]),
        ([ADMIT, visit("x", 3, "register", mrn(1), number="clinic")], [("A", 1, None)]),
        ([ADMIT, LEAVE, visit("x", 9, "admit", mrn(1), bed("C"), number="W")], [("A", 1, 9), ("C", 9, None)]),
    ],
)  # fmt: skip
def test_beds_are_folded_from_visits(journal: Journal, steps: list[Entry], expected: list[object]) -> None:
    for step in steps:
        put(journal, step)
    assert stays(journal, 1) == expected


def test_the_open_encounter_is_shown(journal: Journal) -> None:
    put(journal, ADMIT)
    patient = journal.patient_of(1)
    assert patient.visit is not None
    assert (patient.visit.visit, patient.visit.admitted_us) == (Identifier("urn:visit", "V"), at(1))
    assert patient.location == bed("A")
    _, commit = put(journal, LEAVE)
    assert commit.visits == {1}
    assert (journal.patient_of(1).visit, journal.patient_of(1).location) == (None, None)


# -- devices -----------------------------------------------------------------------------------------------------


def test_values_wait_for_an_association_and_are_delivered(journal: Journal) -> None:
    receipts, commit = put(journal, observation("d", 5, 77, device="m"))
    assert receipts == [("waiting", "unassociated")]
    assert (len(commit.samples), journal.counts()["waiting"]) == (0, 1)
    receipts, commit = put(journal, association("a", 1, "m", subject=mrn(1)))
    assert receipts == COMMITTED
    assert (commit.rebuild, values(journal, 1), journal.counts()["waiting"]) == ({1}, [77], 0)
    assert journal.device_patient("m", at(5)) == 1
    assert journal.device_patient("m", at(0.5)) is None
    assert journal.device_patient("unheard-of", at(5)) is None


def test_in_one_batch_the_association_comes_first(journal: Journal) -> None:
    receipts, commit = put(journal, observation("d", 5, 77, device="m"), association("a", 1, "m", subject=mrn(1)))
    assert receipts == COMMITTED * 2
    assert (commit.samples.value.tolist(), commit.rebuild) == ([77], set())


def test_ending_or_cancelling_takes_back_what_does_not_belong(journal: Journal) -> None:
    put(
        journal,
        association("a", 1, "m", subject=mrn(1)),
        *(observation(f"d{m}", m, 70.0 + m, device="m") for m in range(6)),
        minute=10,
    )
    assert values(journal, 1) == [71, 72, 73, 74, 75]
    _, commit = put(journal, association("e", 3, "m", "end", subject=mrn(1)), minute=20)
    assert (commit.rebuild, values(journal, 1)) == ({1}, [71, 72])
    assert values(journal, 1, known_by_us=at(15)) == [71, 72, 73, 74, 75]  # what the ward saw then
    _, commit = put(journal, association("c", 1, "m", "cancel", subject=mrn(1)), minute=30)
    assert (commit.rebuild, values(journal, 1), journal.counts()["waiting"]) == ({1}, [], 6)
    put(journal, association("b", 0, "m", subject=mrn(2)), minute=40)
    assert values(journal, 2) == [70, 71, 72, 73, 74, 75]
    assert values(journal, 2, known_by_us=at(35)) == []


def test_a_device_moves_from_patient_to_patient(journal: Journal) -> None:
    put(journal, *(observation(f"d{m}", m, 70.0 + m, device="m") for m in range(6)))
    put(journal, association("b", 3, "m", subject=mrn(2)))
    put(journal, association("a", 1, "m", subject=mrn(1)))
    assert (values(journal, 1), values(journal, 2)) == ([71, 72], [73, 74, 75])


def test_an_association_with_an_end_of_its_own(journal: Journal) -> None:
    put(
        journal,
        association("a", 1, "m", subject=mrn(1), end=3),
        *(observation(f"d{m}", m, 70.0 + m, device="m") for m in range(6)),
    )
    assert values(journal, 1) == [71, 72]


def test_two_patients_at_the_same_instant_are_not_guessed(journal: Journal) -> None:
    put(journal, association("a", 1, "m", subject=mrn(1)), association("b", 1, "m", subject=mrn(2)))
    receipts, _ = put(journal, observation("d", 5, 77, device="m"))
    assert receipts == [("waiting", "ambiguous-device")]
    put(journal, merge("m", 6, 1, 2))  # they were one
    assert values(journal, 1) == [77]


def test_a_device_at_a_bed_belongs_to_who_lies_there(journal: Journal) -> None:
    put(journal, association("p", 0, "m", location=bed("A")))
    receipts, _ = put(journal, *(observation(f"d{m}", m, 70.0 + m, device="m") for m in range(8)))
    assert receipts == [("waiting", "unassociated")] * 8
    _, commit = put(journal, visit("in", 2, "admit", mrn(1), bed("A")))
    assert (commit.rebuild, commit.visits) == ({1}, {1})
    assert values(journal, 1) == [72, 73, 74, 75, 76, 77]
    put(journal, visit("move", 4, "transfer", mrn(1), bed("B")), visit("next", 5, "admit", mrn(2), bed("A")))
    assert (values(journal, 1), values(journal, 2)) == ([72, 73], [75, 76, 77])
    put(journal, association("direct", 7, "m", subject=mrn(3)))  # a stated association goes before the bed
    assert (values(journal, 2), values(journal, 3)) == ([75, 76], [77])


def test_two_in_one_bed_are_ambiguous(journal: Journal) -> None:
    put(journal, association("p", 0, "m", location=bed("A")), visit("in", 1, "admit", mrn(1), bed("A")))
    put(journal, observation("d3", 3, 73, device="m"), observation("d6", 6, 76, device="m"))
    assert values(journal, 1) == [73, 76]
    _, commit = put(journal, visit("in2", 5, "admit", mrn(2), bed("A")))
    assert (commit.rebuild, values(journal, 1)) == ({1}, [73])
    receipts, _ = put(journal, observation("d7", 7, 77, device="m"))
    assert receipts == [("waiting", "ambiguous-bed")]
    put(journal, visit("out", 4, "discharge", mrn(1)))  # the discharge that was late
    assert (values(journal, 1), values(journal, 2)) == ([73], [76, 77])


def test_a_device_set_free_names_nobody(journal: Journal) -> None:
    free = association("f", 3, "m", "end")
    put(
        journal,
        association("a", 1, "m", subject=mrn(1)),
        free,
        *(observation(f"d{m}", m, 70.0 + m, device="m") for m in range(6)),
    )
    assert values(journal, 1) == [71, 72]


def test_an_association_made_under_a_merged_record_is_ended_under_the_survivor(journal: Journal) -> None:
    put(
        journal,
        association("a", 1, "m", subject=mrn(2)),
        merge("m", 2, 1, 2),
        association("e", 4, "m", "end", subject=mrn(1)),
    )
    put(journal, *(observation(f"d{m}", m, 70.0 + m, device="m") for m in range(6)))
    assert values(journal, 1) == [71, 72, 73]


# -- visits as names -----------------------------------------------------------------------------------------------


def of_visit(name: str, minute: float, value: float, number: str) -> Entry:
    return msgspec.structs.replace(observation(name, minute, value), encounter=Identifier("urn:visit", number))


def test_a_value_that_names_only_the_visit(journal: Journal) -> None:
    receipts, _ = put(journal, of_visit("e", 3, 73, "V"))
    assert receipts == [("waiting", "unknown-visit")]
    _, commit = put(journal, ADMIT)
    assert (commit.rebuild, values(journal, 1)) == ({1}, [73])


def test_a_visit_of_two_persons_is_not_guessed(journal: Journal) -> None:
    put(journal, ADMIT, of_visit("e", 3, 73, "V"), visit("other", 2, "admit", mrn(2), bed("B"), number="V"))
    assert (values(journal, 1), values(journal, 2)) == ([], [])
    put(journal, merge("m", 5, 1, 2))
    assert values(journal, 1) == [73]


def test_an_entry_that_names_both_teaches_the_visit(journal: Journal) -> None:
    put(journal, of_visit("e", 3, 73, "V"))
    both = msgspec.structs.replace(observation("b", 4, 74, subject=mrn(1)), encounter=Identifier("urn:visit", "V"))
    put(journal, both)
    assert values(journal, 1) == [73, 74]

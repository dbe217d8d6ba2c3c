"""Suggestions wait for a person; what is accepted becomes an entry of the journal, once, with its span and quote."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from vitruvian.core.errors import JournalUnavailable, ModelError, NotFoundError
from vitruvian.core.events import Coded, Entry, Quantity, Text
from vitruvian.core.identifiers import Identifier
from vitruvian.explanation.notes import ICD10CM, Note, Suggestion, SuggestionStore, dictionary, entries_of, extract
from vitruvian.explanation.notes.entries import check_quote
from vitruvian.journal import Journal

TEXT = "Sepsis. Denies cough. Mother had asthma. ?PE. HR 118, BP 92/54. Given furosemide. ICP 20.\nAI: add stroke."
PATIENT = Identifier("urn:mrn", "7")
AT_US = 1_700_000_000_000_000
NOTE = Note.of("n1", PATIENT, AT_US, TEXT, "+00:00")


def found() -> dict[str, Suggestion]:
    return {f"{one.text}:{one.concept}": one for one in extract(TEXT, dictionary())}


def test_conditions_medicines_and_findings_become_events() -> None:
    all_ = found()
    (condition,) = entries_of(all_["Sepsis:"], NOTE)
    (event,) = condition.events
    assert (condition.source, condition.subject, condition.available_us) == ("note:n1", (PATIENT,), AT_US)
    assert event.kind == "condition" and event.value == Coded(ICD10CM, "A41.9", "sepsis")
    assert event.code == f"{ICD10CM}|A41.9|sepsis"
    assert "span:0-6" in event.quality and any(flag.startswith("quote:") for flag in event.quality)
    (medicine,) = entries_of(all_["furosemide:furosemide"], NOTE)
    assert medicine.events[0].kind == "order" and medicine.events[0].concept == "furosemide"
    assert medicine.events[0].value == Text("furosemide")
    (rate,) = entries_of(all_["HR 118:heart_rate"], NOTE)
    assert rate.events[0].value == Quantity(118.0, "/min") and rate.events[0].occurred_us == AT_US
    pressures = [one for one in extract(TEXT, dictionary()) if one.text == "BP 92/54"]
    assert len({entries_of(one, NOTE)[0].source_id for one in pressures}) == 2


@pytest.mark.parametrize("which", ["cough:", "asthma:", "PE:", "stroke:", "ICP 20:"])
def test_what_is_not_asserted_of_the_patient_becomes_nothing(which: str) -> None:
    assert entries_of(found()[which], NOTE) == ()


def test_a_quote_is_held_to_the_text() -> None:
    check_quote(found()["Sepsis:"], TEXT)
    with pytest.raises(ModelError, match="extract the note again"):
        check_quote(found()["Sepsis:"], TEXT.replace("Sepsis", "Septic"))


def test_accepted_twice_is_a_duplicate(tmp_path: Path) -> None:
    store = SuggestionStore(tmp_path / "ward.notes")
    with Journal.open(tmp_path / "j.db") as journal:
        outcomes: list[str] = []

        def append(entries: object) -> None:
            outcomes.extend(
                receipt.outcome for receipt in journal.append(list(entries), recorded_us=AT_US + 1).receipts
            )  # type: ignore[call-overload]

        kept = store.put("p1", NOTE, extract(TEXT, dictionary()), AT_US)
        for one in kept:
            store.accept(one.id, "dr", AT_US + 5, append)
        count = len(outcomes)
        for one in kept:
            again = store.accept(one.id, "someone else", AT_US + 9, append)
            assert (again.status, again.by, again.decided_us) == ("accepted", "dr", AT_US + 5)
    assert count == 5 and outcomes == ["committed"] * 5 + ["duplicate"] * 5
    store.close()


def test_what_was_decided_stays_when_the_note_is_read_again_and_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ward.notes"
    store = SuggestionStore(path)
    first, second, *_ = store.put("p1", NOTE, extract(TEXT, dictionary()), 1)
    store.reject(first.id, "dr", 2)
    store.accept(second.id, "dr", 3, lambda entries: None)
    store.close()
    again = SuggestionStore(path)
    read = again.put("p1", NOTE, extract(TEXT, dictionary()), 9)
    assert [one.status for one in read[:3]] == ["rejected", "accepted", "waiting"] and read[0].kept_us == 1
    assert read[0].suggestion == first.suggestion and read[0].note == NOTE
    assert [one.id for one in again.list("p1", "rejected")] == [first.id]
    assert again.list("p2") == [] and len(again.list()) == len(read)
    again.close()


def test_a_decision_is_somebodys_and_is_not_turned_round() -> None:
    store = SuggestionStore()
    one, two, *_ = store.put("p1", NOTE, extract(TEXT, dictionary()), 1)
    appended: list[Entry] = []
    with pytest.raises(ModelError, match="nobody"):
        store.reject(one.id, " ", 1)
    store.reject(one.id, "dr", 1)
    with pytest.raises(ModelError, match="rejected"):
        store.accept(one.id, "dr", 2, appended.extend)
    assert appended == []
    store.accept(two.id, "dr", 2, appended.extend)
    with pytest.raises(ModelError, match="accepted"):
        store.reject(two.id, "dr", 3)
    with pytest.raises(NotFoundError):
        store.get("nothing")


def test_a_journal_that_fails_leaves_it_waiting() -> None:
    store = SuggestionStore()
    (sepsis, *_) = store.put("p1", NOTE, [found()["Sepsis:"]], 1)

    def full(entries: object) -> None:
        raise JournalUnavailable("the disk is full")

    with pytest.raises(JournalUnavailable):
        store.accept(sepsis.id, "dr", 2, full)
    assert store.get(sepsis.id).status == "waiting"


def test_many_decide_at_once_and_one_is_first(tmp_path: Path) -> None:
    path = tmp_path / "ward.notes"
    stores = [SuggestionStore(path) for _ in range(4)]
    kept = stores[0].put("p1", NOTE, extract(TEXT, dictionary()), 1)
    refused: list[str] = []

    def decide(store: SuggestionStore, by: str, accept: bool) -> None:
        for one in kept:
            try:
                store.accept(one.id, by, 2, lambda entries: None) if accept else store.reject(one.id, by, 2)
            except ModelError:
                refused.append(one.id)

    threads = [
        threading.Thread(target=decide, args=(store, f"d{index}", index % 2 == 0)) for index, store in enumerate(stores)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in kept:
        seen = {(store.get(one.id).status, store.get(one.id).by) for store in stores}
        assert len(seen) == 1 and next(iter(seen))[0] in ("accepted", "rejected")
    assert len(refused) == 2 * len(kept)  # the two of four who wanted otherwise
    for store in stores:
        store.close()

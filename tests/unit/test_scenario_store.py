"""Saved scenarios: kept, replaced by name, bounded, and there again after a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitruvian.core.errors import JournalUnavailable, LimitError, ModelError, NotFoundError
from vitruvian.scenarios import Action, Scenario, ScenarioStore
from vitruvian.scenarios import store as module

BOLUS = Scenario("bolus", (Action("crystalloid", 500.0, "mL", 0.0, 900.0),), (("lactate", 4.0),), 3_600.0)


def test_a_saved_scenario_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ward.scenarios"
    store = ScenarioStore(path)
    kept = store.save("p1", BOLUS, "nurse", 17)
    store.close()
    again = ScenarioStore(path)
    assert again.get(kept.id) == kept
    assert kept.scenario == BOLUS and (kept.patient, kept.by, kept.saved_us) == ("p1", "nurse", 17)
    again.close()


def test_the_same_name_is_replaced_and_keeps_its_id() -> None:
    store = ScenarioStore()
    first = store.save("p1", BOLUS, "a", 1)
    second = store.save("p1", Scenario(" bolus ", horizon_s=120.0), "b", 2)
    assert second.id == first.id and second.by == "b"
    assert [one.scenario.horizon_s for one in store.list("p1")] == [120.0]
    assert store.save("p2", BOLUS, "a", 1).id != first.id


def test_a_patient_sees_their_own_and_those_for_everyone() -> None:
    store = ScenarioStore()
    own, general = store.save("p1", BOLUS, "a", 1), store.save("", BOLUS, "a", 1)
    store.save("p2", BOLUS, "a", 1)
    assert [one.id for one in store.list("p1")] == [own.id, general.id]
    assert len(store.list()) == 3
    store.delete(own.id)
    with pytest.raises(NotFoundError):
        store.get(own.id)
    with pytest.raises(NotFoundError):
        store.delete(own.id)


def test_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    store = ScenarioStore()
    with pytest.raises(ModelError, match="name"):
        store.save("p1", Scenario("  "), "a", 1)
    monkeypatch.setattr(module, "PER_PATIENT_MAX", 2)
    for name in ("a", "b"):
        store.save("p1", Scenario(name), "a", 1)
    store.save("p1", Scenario("b", horizon_s=60.0), "a", 1)  # replacing is not one more
    with pytest.raises(LimitError, match="delete some"):
        store.save("p1", Scenario("c"), "a", 1)
    monkeypatch.setattr(module, "BYTES_MAX", 10)
    with pytest.raises(LimitError, match="bytes"):
        store.save("p2", Scenario("d"), "a", 1)


def test_a_place_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable, match="scenarios"):
        ScenarioStore(tmp_path / "missing" / "ward.scenarios")
    store = ScenarioStore()
    store.close()
    with pytest.raises(JournalUnavailable):
        store.list()

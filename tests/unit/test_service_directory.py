"""The running ward finds everyone that its journal knows, long after they left."""

from __future__ import annotations

from pathlib import Path

from vitruvian.core.events import Entry, Event, Person, Quantity
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import DAY_US, SystemClock
from vitruvian.service.runtime import Ward, WardSettings


async def test_a_patient_of_years_ago_is_found_but_not_on_the_ward(tmp_path: Path) -> None:
    async with Ward.open(WardSettings(tmp_path / "ward.db"), SystemClock()) as ward:
        then_us = ward.now_us() - 900 * DAY_US
        who = (Identifier("urn:hospital", "4711", "MR"),)
        person = Event("identity", "", Person("Curie", "Marie", then_us - 9_000 * DAY_US, "female"), then_us)
        pulse = Event("observation", "heart_rate", Quantity(80.0, "/min"), then_us)
        await ward.submit([Entry("s", "1", (person, pulse), subject=who)], applied=True)
        (found,) = ward.find_patients(text="marie curie").patients
        assert (found.name, found.on_ward, found.newest_us) == ("CURIE, Marie", False, then_us)
        assert ward.rows(ward.now_us()) == []
        assert ward.find_patients(identifier="urn:hospital|4711").patients == [found]
        assert ward.find_patients(text="47").patients == [found]
        assert ward.find_patients(text="marie", ward_only=True).total == 0

"""A bolus is not a rate: what was given at once must not read as an infusion in the scores."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journal_support import at, mrn
from vitruvian.core.events import Dose, Entry, Event
from vitruvian.journal import Journal
from vitruvian.prediction.scores import scores_of
from vitruvian.prediction.scores.sofa import PARTS
from vitruvian.twin import Twins

CARDIOVASCULAR = PARTS.index("cardiovascular")


@pytest.mark.parametrize(
    ("dose", "points"),
    [
        (Dose(amount=1.0, amount_unit="mg", route="iv"), -1),
        (Dose(rate=0.05, rate_unit="ug/kg/min", route="iv"), 3),
        (Dose(rate=0.2, rate_unit="ug/kg/min", route="iv"), 4),
    ],
)
def test_epinephrine(journal_path: Path, dose: Dose, points: int) -> None:
    with Journal.open(journal_path) as journal:
        twins = Twins(journal)
        event = Event("administration", "epinephrine", dose, at(0))
        twins.apply(journal.append([Entry("test", "e", (event,), subject=mrn(1))], recorded_us=at(1)))
        pid = journal.resolve(mrn(1))
        assert pid is not None
        scored = scores_of(twins, [pid], at(2)) if pid in twins else None
        found = -1 if scored is None else int(scored.sofa.points[CARDIOVASCULAR, 0])
        assert found == points


def test_an_infusion_that_ended_gives_nothing(journal_path: Path) -> None:
    with Journal.open(journal_path) as journal:
        twins = Twins(journal)
        dose = Dose(rate=0.2, rate_unit="ug/kg/min", route="iv")
        event = Event("administration", "epinephrine", dose, at(0), at(30))
        twins.apply(journal.append([Entry("test", "e", (event,), subject=mrn(1))], recorded_us=at(1)))
        pid = journal.resolve(mrn(1))
        assert pid is not None
        assert scores_of(twins, [pid], at(31)).sofa.points[CARDIOVASCULAR, 0] == -1

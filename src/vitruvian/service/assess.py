"""From moved twins to what is known about them now: scores and risk, for many patients at once, and what is issued.

What is *issued*, and so kept in the journal, falls on a grid of clinical time: at most once a patient and grid step,
and only where something new was heard. Between grid points the live values are shown, and not recorded.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.events import Entry, Event, Finding
from vitruvian.core.identifiers import Identifier
from vitruvian.core.time import HOUR_US, MINUTE_US
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation import subject_of, subjects
from vitruvian.explanation.risk import DRIVER_MIN
from vitruvian.prediction.scores import Scores, score_event, views
from vitruvian.prediction.scores.inputs import INPUTS
from vitruvian.prediction.scores.of_twins import scores_of
from vitruvian.prediction.sepsis import RiskColumns, SepsisModel
from vitruvian.scenarios import Signals
from vitruvian.signals.features import PERSONAL, features
from vitruvian.signals.tracker import Tracker
from vitruvian.twin import NO_BIRTH, Twins
from vitruvian.twin.twins import SEX_CODES

SOURCE: Final = "vitruvian"
ISSUE_GRID_US: Final = MINUTE_US
_PHASE_STEP_US: Final = 37_082_039  # the grid's golden section: neighbours fall far apart
HISTORY_US: Final = 6 * HOUR_US
HISTORY_POINTS_MAX: Final = 720  # issued risks kept in memory a patient, for trend and sparkline
_UNITS: Final = {name: VOCABULARY[name].unit for name in INPUTS}
_MALE: Final = np.array([{"male": 1.0, "female": 0.0}.get(name, np.nan) for name in SEX_CODES])
_YEAR_US: Final = 365.2425 * 24 * HOUR_US


class Assessment(NamedTuple):
    """A patient's latest scores and risk: place `at` in the columns of the batch made at `now_us`.

    `driver` is what raises the risk most, in words; empty where nothing does notably.
    """

    scores: Scores
    risks: RiskColumns
    at: int
    now_us: int
    driver: str

    @property
    def probability(self) -> float | None:
        """The calibrated risk; None where the model has too little to go on."""
        value = float(self.risks.probability[self.at])
        return None if np.isnan(value) else value


class Drivers:
    """Finds what raises each risk most, all features about one subject together."""

    def __init__(self, names: tuple[str, ...]) -> None:
        about = [subject_of(name) for name in names]
        known = list(dict.fromkeys(about))
        self._sums = np.zeros((len(names), len(known)), np.float32)
        self._sums[np.arange(len(names)), [known.index(name) for name in about]] = 1.0
        # Age and sex move a risk, but are no news to whoever looks at the row.
        self._sums[:, [known.index(name) for name in PERSONAL if name in known]] = 0.0
        self._labels = [subjects(name).label for name in known]

    def of(self, risks: RiskColumns) -> list[str]:
        """One label a row."""
        weights = np.nan_to_num(risks.contributions) @ self._sums
        best = weights.argmax(axis=1)
        enough = weights[np.arange(len(best)), best] >= DRIVER_MIN
        return [
            self._labels[place] if shown else "" for place, shown in zip(best.tolist(), enough.tolist(), strict=True)
        ]


class Assessor:
    """Keeps every patient's latest assessment. One thread assesses; others may read `latest`."""

    def __init__(self, twins: Twins, model: SepsisModel) -> None:
        self._twins, self.model = twins, model
        self._drivers = Drivers(model.names)
        self.latest: dict[int, Assessment] = {}
        self.history: dict[int, deque[tuple[int, float]]] = {}
        self._issued_us: dict[int, int] = {}

    def assess(self, pids: NDArray[np.int64], now_us: int) -> None:
        """Score these patients, all of whom have a twin, at an instant."""
        if not len(pids):
            return
        scores = scores_of(self._twins, pids, now_us)
        risks = self.model.predict(self.features(pids, now_us))
        drivers = self._drivers.of(risks)
        for at, pid in enumerate(pids.tolist()):
            self.latest[pid] = Assessment(scores, risks, at, now_us, drivers[at])

    def features(self, pids: NDArray[np.int64], now_us: int) -> NDArray[np.float32]:
        """What the model reads of these patients: (n, F) by `signals.features.FEATURES`, NaN where missing."""
        rows = self._twins.rows(pids)
        birth_us, sex = self._twins.birth_us[rows], self._twins.sex[rows]
        age_years = np.where(birth_us == NO_BIRTH, np.nan, (now_us - birth_us) / _YEAR_US)
        return features(self._twins.tracker, rows, now_us, age_years=age_years, male=_MALE[sex])

    def signals(self, pid: int, now_us: int) -> Signals:
        """A copy of what the scores and the model read of one patient, who has a twin."""
        rows = self._twins.rows(np.array([pid]))
        tracker = Tracker(1)
        tracker.copy_rows(self._twins.tracker, np.array([0]), rows)
        birth_us = int(self._twins.birth_us[rows[0]])
        age_years = np.nan if birth_us == NO_BIRTH else (now_us - birth_us) / _YEAR_US
        return Signals(tracker, birth_us, float(age_years), float(_MALE[self._twins.sex[rows[0]]]))

    def forget(self, pids: Iterable[int]) -> None:
        """These patients merged away or left."""
        for pid in pids:
            for table in (self.latest, self.history, self._issued_us):
                table.pop(pid, None)

    def recall(self, pid: int, at_us: Sequence[int], probability: Sequence[float]) -> None:
        """Take up what was issued before a restart, oldest first."""
        points = deque(zip(at_us, probability, strict=True), maxlen=HISTORY_POINTS_MAX)
        if points:
            self.history[pid] = points
            self._issued_us[pid] = points[-1][0]

    def issue(self, pid: int, public_id: str, subject: tuple[Identifier, ...], now_us: int, seq: int) -> Entry | None:
        """The entry that records this patient's assessment, or None where this grid step has one already."""
        # Each patient has a phase of the grid: five thousand who were all due at the full minute would be a burst.
        phase_us = pid * _PHASE_STEP_US % ISSUE_GRID_US
        step_us = (now_us - phase_us) // ISSUE_GRID_US * ISSUE_GRID_US + phase_us
        if self._issued_us.get(pid, -1) >= step_us or pid not in self.latest:
            return None
        self._issued_us[pid] = step_us
        latest = self.latest[pid]
        events = [
            score_event(view, now_us=now_us, input_seq=seq)
            for view in views(latest.scores, latest.at, _UNITS)
            if view.value is not None
        ]
        events.append(self._risk_event(latest, now_us, seq))
        probability = latest.probability
        if probability is not None:
            self.history.setdefault(pid, deque(maxlen=HISTORY_POINTS_MAX)).append((now_us, probability))
        return Entry(SOURCE, f"assessment|{public_id}|{step_us}", tuple(events), subject=subject[:1])

    def _risk_event(self, latest: Assessment, now_us: int, seq: int) -> Event:
        risks, at = latest.risks, latest.at
        detail: dict[str, str | float | int | bool | list[str] | None] = {"insufficient": risks.why(at)}
        if latest.probability is not None:
            detail |= {"low": float(risks.low[at]), "high": float(risks.high[at])}
        finding = Finding("sepsis_risk", self.model.version, seq, latest.probability, detail)
        return Event("derived", "sepsis_risk", finding, now_us)

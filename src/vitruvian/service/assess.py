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
from vitruvian.explanation.evidence.risk import DRIVER_MIN
from vitruvian.prediction.inputs.blocks import columns
from vitruvian.prediction.inputs.hours import window
from vitruvian.prediction.scores import Scores, score_event, views
from vitruvian.prediction.scores.inputs import INPUTS
from vitruvian.prediction.scores.of_twins import scores_of
from vitruvian.prediction.serve.columns import RiskColumns
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.scenarios import Signals
from vitruvian.service.models import MAIN, Group, Models, Running
from vitruvian.service.scoring import Scored, Scoring, asked_of
from vitruvian.signals.features import PERSONAL
from vitruvian.signals.tracker import Tracker
from vitruvian.twin import NO_BIRTH, Twins
from vitruvian.twin.twins import SEX_CODES

SOURCE: Final = "vitruvian"
ISSUE_GRID_US: Final = MINUTE_US
OTHERS_GRID_US: Final = 10 * MINUTE_US  # of risks other than the main one: they move slowly
OTHERS_EVERY_US: Final = MINUTE_US  # how often these are made
OTHERS_ROWS_MAX: Final = 256  # and for how many patients at once
_PHASE_STEP_US: Final = 37_082_039  # the grid's golden section: neighbours fall far apart
HISTORY_US: Final = 6 * HOUR_US
HISTORY_POINTS_MAX: Final = 720  # issued risks kept in memory a patient, for trend and sparkline
_UNITS: Final = {name: VOCABULARY[name].unit for name in INPUTS}
_MALE: Final = np.array([{"male": 1.0, "female": 0.0}.get(name, np.nan) for name in SEX_CODES])
_YEAR_US: Final = 365.2425 * 24 * HOUR_US
Points = deque[tuple[int, float]]
Hours = NDArray[np.float32] | None


class Told(NamedTuple):
    """A patient's risk of one task: place `at` in the columns of the batch made at `now_us`, by a predictor."""

    risks: RiskColumns
    at: int
    predictor: Predictor
    now_us: int

    @property
    def probability(self) -> float | None:
        """The calibrated risk; None where nothing may be said."""
        value = float(self.risks.probability[self.at])
        return None if np.isnan(value) else value

    @property
    def why(self) -> str:
        """Why nothing is said; empty where a risk is."""
        return self.risks.why(self.at)


class Assessment(NamedTuple):
    """A patient's latest scores and main risk: place `at` in the columns of the batch made at `now_us`; and the other
    risks, which are made less often.

    `driver` is what raises the main risk most, in words; empty where nothing does notably.
    """

    scores: Scores
    scored: Scored
    at: int
    now_us: int
    driver: str
    others: Scored | None = None
    others_at: int = 0

    def told(self, task: str = MAIN) -> Told | None:
        """The risk of a task; None where none was made."""
        scored, at = (self.scored, self.at) if task == MAIN else (self.others, self.others_at)
        if scored is None or task not in scored.risks:
            return None
        return Told(scored.risks[task], at, scored.by[task], scored.now_us)

    @property
    def probability(self) -> float | None:
        """The calibrated main risk; None where the model has too little to go on, or none runs."""
        told = self.told()
        return None if told is None else told.probability


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
    """Keeps every patient's latest assessment. One thread assesses; others may read `latest` and `history`, the issued
    risks by task and patient, oldest first.
    """

    def __init__(self, twins: Twins, models: Models) -> None:
        self._twins, self.models = twins, models
        self.scoring = Scoring(models)
        self._drivers: tuple[tuple[str, ...], Drivers] | None = None
        self.latest: dict[int, Assessment] = {}
        self.history: dict[str, dict[int, Points]] = {}
        self._issued_us: dict[int, int] = {}
        self._others_us: dict[int, int] = {}
        self._others_by: dict[int, Group] = {}

    def assess(self, pids: NDArray[np.int64], now_us: int) -> None:
        """Score these patients, all of whom have a twin, at an instant."""
        if not len(pids):
            return
        running = self.models.running  # what a batch is scored by, from beginning to end
        scores = scores_of(self._twins, pids, now_us)
        scored = self._score(pids, now_us, running.main)
        drivers = self._driver_labels(scored, len(pids))
        others = self._others(pids, now_us, running)
        for at, pid in enumerate(pids.tolist()):
            beside = others.get(pid)
            if beside is None:
                before = self.latest.get(pid)
                beside = (before.others, before.others_at) if before else (None, 0)
            self.latest[pid] = Assessment(scores, scored, at, now_us, drivers[at], *beside)

    def _score(self, pids: NDArray[np.int64], now_us: int, group: Group) -> Scored:
        rows, age_years, male = self._people(pids, now_us)
        return self.scoring.score(self._twins.tracker, rows, pids, now_us, age_years, male, group)

    def _others(self, pids: NDArray[np.int64], now_us: int, running: Running) -> dict[int, tuple[Scored | None, int]]:
        """The other risks of whoever is due: seen for the first time, exchanged models, or a while ago. A few at a
        time: a ward that is all due at once must not make the main risk wait.
        """
        if not running.others.champions:
            return {}
        due = [pid for pid in pids.tolist() if self._due(pid, now_us, running)][:OTHERS_ROWS_MAX]
        if not due:
            return {}
        scored = self._score(np.array(due, np.int64), now_us, running.others)
        self._others_by.update(dict.fromkeys(due, running.others))
        return {pid: (scored, at) for at, pid in enumerate(due)}

    def _due(self, pid: int, now_us: int, running: Running) -> bool:
        before = self.latest.get(pid)
        if before is None or before.others is None or self._others_by.get(pid) is not running.others:
            return True
        return now_us - before.others.now_us >= OTHERS_EVERY_US

    def _driver_labels(self, scored: Scored, count: int) -> list[str]:
        risks = scored.risks.get(MAIN)
        if risks is None or not risks.names:
            return [""] * count
        if self._drivers is None or self._drivers[0] != risks.names:
            self._drivers = (risks.names, Drivers(risks.names))
        return self._drivers[1].of(risks)

    def _people(
        self, pids: NDArray[np.int64], now_us: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Rows, ages and sex of these patients, NaN where unknown."""
        rows = self._twins.rows(pids)
        birth_us, sex = self._twins.birth_us[rows], self._twins.sex[rows]
        age_years = np.where(birth_us == NO_BIRTH, np.nan, (now_us - birth_us) / _YEAR_US)
        return rows, age_years, _MALE[sex]

    def values(self, pid: int, predictor: Predictor, now_us: int) -> dict[str, float]:
        """What a model reads of one patient, by name; NaN where missing."""
        return dict(zip(predictor.needed, self.read(pid, predictor, now_us)[0][0].tolist(), strict=True))

    def read(self, pid: int, predictor: Predictor, now_us: int) -> tuple[NDArray[np.float32], Hours]:
        """The same as columns (1, len(needed)), and the hours (1, H, C) where it reads them."""
        rows, age_years, male = self._people(np.array([pid]), now_us)
        tracker = self._twins.tracker
        values = columns(predictor.needed, asked_of(tracker, rows, now_us, age_years, male))
        return values, window(tracker, rows, now_us) if predictor.windowed else None

    def first_us(self, pid: int) -> int:
        """When the first sample of a patient occurred; `NEVER_US` before it."""
        return int(self._twins.tracker.first_us[self._twins.rows([pid])[0]])

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
        gone = list(pids)
        self.scoring.forget(gone)
        for pid in gone:
            self.latest.pop(pid, None)
            self._issued_us.pop(pid, None)
            self._others_us.pop(pid, None)
            self._others_by.pop(pid, None)
            for points in self.history.values():
                points.pop(pid, None)

    def points(self, task: str, pid: int) -> Sequence[tuple[int, float]]:
        """What was issued of a task and patient, oldest first."""
        return tuple(self.history.get(task, {}).get(pid, ()))

    def recall(self, task: str, pid: int, at_us: Sequence[int], probability: Sequence[float]) -> None:
        """Take up what was issued before a restart, oldest first."""
        points = deque(zip(at_us, probability, strict=True), maxlen=HISTORY_POINTS_MAX)
        if points:
            self.history.setdefault(task, {})[pid] = points
            table = self._issued_us if task == MAIN else self._others_us
            table[pid] = max(points[-1][0], table.get(pid, 0))

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
        events += self._risk_events(pid, MAIN, now_us, seq)
        if now_us - self._others_us.get(pid, -OTHERS_GRID_US) >= OTHERS_GRID_US and latest.others is not None:
            self._others_us[pid] = now_us
            for task in latest.others.risks:
                events += self._risk_events(pid, task, now_us, seq)
        return Entry(SOURCE, f"assessment|{public_id}|{step_us}", tuple(events), subject=subject[:1])

    def _risk_events(self, pid: int, task: str, now_us: int, seq: int) -> list[Event]:
        """The event that records a task's risk, which joins the history too; none where no model of it runs, or, of
        another than the main one, where nothing is said.
        """
        told = self.latest[pid].told(task)
        if told is None or (task != MAIN and told.probability is None):
            return []
        probability, at = told.probability, told.at
        detail: dict[str, str | float | int | bool | list[str] | None] = {"insufficient": told.why}
        if probability is not None:
            detail |= {"low": float(told.risks.low[at]), "high": float(told.risks.high[at])}
            mine = self.history.setdefault(task, {})
            mine.setdefault(pid, deque(maxlen=HISTORY_POINTS_MAX)).append((now_us, probability))
        name = f"{task}_risk"
        finding = Finding(name, told.predictor.version, seq, probability, detail)
        return [Event("derived", name, finding, now_us)]

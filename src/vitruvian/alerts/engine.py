"""The alerts of a ward: hears values, scores and silence, keeps each alert's life, and hands out the steps to be
kept.

Nothing here writes: `hear`, `assess`, `listen` and `tick` return steps, which their caller makes durable with
`records.entry_of`. An acknowledgement is the other way round: `acknowledge` returns the step without taking it, and
the caller, once that is durable, hands it to `accept`; so that what a person was told is done survives a crash.

Cost: with the values heard, not with the number of patients; `tick` with the patients who have anything pending or
open.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeVar, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from vitruvian.alerts import kernels, lifecycle
from vitruvian.alerts.inputs import score_readings, silence_readings, value_readings, withdrawn
from vitruvian.alerts.lifecycle import ACTIONS, Lifecycle, Readings, Transitions
from vitruvian.alerts.records import Action, Alert, Step, after, latest
from vitruvian.alerts.rules import RuleTable
from vitruvian.core.errors import LimitError, NotFoundError
from vitruvian.core.time import DAY_US, MINUTE_US
from vitruvian.signals.concepts import TABLES
from vitruvian.twin.ports import Commit, Samples
from vitruvian.twin.twins import NO_BIRTH, Twins

CLOSED_MAX: Final = 4_096  # resolved alerts kept in memory; all of them are in the journal
REASON_CHARS_MAX: Final = 500
WITHDRAWN: Final = "the value was withdrawn"
SNOOZE_MINUTES_MAX: Final = 240
_T = TypeVar("_T", bound=np.generic)
_RAISED_MAX: Final = 262_144


class Alerts:
    """All alerts under one table of rules. One thread drives it."""

    def __init__(self, rules: RuleTable) -> None:
        self.rules = rules
        self._state = Lifecycle.idle(64, len(rules))
        self._row_of: dict[int, int] = {}
        self._pid_of: list[int] = []
        self._birth_us = np.full(64, NO_BIRTH, np.int64)
        self._barred = np.zeros((64, len(rules)), np.bool_)
        self._heard_us = np.full((64, TABLES.slots), lifecycle.NEVER_US, np.int64)
        self._since_us = np.full(64, lifecycle.NEVER_US, np.int64)
        self._system: dict[str, Alert] = {}
        self._open: dict[tuple[int, int], Alert] = {}
        self._closed: deque[Alert] = deque(maxlen=CLOSED_MAX)
        self._raised: deque[tuple[int, bool]] = deque(maxlen=_RAISED_MAX)
        self._later: set[int] = set()  # to be heard again with the next commit: their past may have changed unseen

    # --- what is heard -------------------------------------------------------

    def follow(self, commit: Commit, twins: Twins, now_us: int) -> list[Step]:
        """All that a commit says, once the twins have taken it: its new values, and anew the newest ones of
        patients whose past changed (a correction, a device that was theirs all along); who was merged away is
        closed. An alert whose value was withdrawn ends, but not of a twin that is not whole.
        """
        changed = self._later.union(commit.rebuild)
        self._later = changed & twins.unsure
        gone = [pid for pid in changed if pid not in twins]
        again = np.array(sorted(pid for pid in changed - twins.unsure if pid in twins), np.int64)
        steps = self.close(gone, now_us)
        if again.size:
            rows = self._rows(again, twins, now_us)
            counted_us = self._state.at_us[rows]
            self._state.at_us[rows] = lifecycle.NEVER_US
            steps += self.review(again, twins, now_us, counted_us)
        return steps + self.hear(commit.samples, twins, now_us)

    def hear(self, samples: Samples, twins: Twins, now_us: int) -> list[Step]:
        """New values, the moment they are known: a late result alerts now, whenever it was drawn."""
        if not samples.patient.size:
            return []
        rows = self._rows(samples.patient, twins, now_us)
        slot = TABLES.slot_of[np.minimum(samples.concept.astype(np.int64), len(TABLES.slot_of) - 1)]
        self._heard_us[rows[slot >= 0], slot[slot >= 0]] = now_us
        return self._step(value_readings(samples, rows, self.rules, now_us), now_us)

    def assess(self, pids: NDArray[np.int64], twins: Twins, now_us: int) -> list[Step]:
        """The scores of these patients, as they are now: whenever they were touched, and as values expire."""
        if not len(pids):
            return []
        return self._step(score_readings(pids, self._rows(pids, twins, now_us), twins, now_us), now_us)

    def listen(self, pids: NDArray[np.int64], twins: Twins, now_us: int) -> list[Step]:
        """Whether these patients' monitors have gone silent. Call for all who are in a bed, every second or so."""
        if not len(pids):
            return []
        rows = self._rows(pids, twins, now_us)
        return self._step(silence_readings(pids, rows, self._heard_us[rows], twins, now_us), now_us)

    def review(
        self, pids: NDArray[np.int64], twins: Twins, now_us: int, counted_us: NDArray[np.int64] | None = None
    ) -> list[Step]:
        """Hear again what each twin holds and is still valid, and end the alerts whose value was withdrawn: after a
        restart, so that what came in just before it is not missed, and after a correction. `counted_us` (N, R) are
        the instants of the values that were heard before it.
        """
        rows = self._rows(pids, twins, now_us)
        tracker_rows = twins.rows(pids)
        readings = [
            self._last_values(place, rows, tracker_rows, twins, now_us) for place in np.unique(self.rules.inputs)
        ]
        steps: list[Step] = []
        parts = [item for item in readings if item is not None]
        if parts:
            columns = zip(*(part.columns for part in parts), strict=True)
            steps = self._step(Readings(*(np.concatenate(column) for column in columns)), now_us)
        steps += self._withdraw(pids, rows, twins, now_us, counted_us)
        return steps + self.assess(pids, twins, now_us)

    def _withdraw(
        self,
        pids: NDArray[np.int64],
        rows: NDArray[np.int64],
        twins: Twins,
        now_us: int,
        counted_us: NDArray[np.int64] | None,
    ) -> list[Step]:
        busy = np.flatnonzero((self._state.phase[rows] != kernels.IDLE).any(axis=1))
        if not busy.size:
            return []
        rows = rows[busy]
        state = self._state.take(rows)
        if counted_us is not None:  # what is no longer valid was not heard again, and is the newest nevertheless
            state.at_us[:] = np.where(state.at_us == lifecycle.NEVER_US, counted_us[busy], state.at_us)
        gone = withdrawn(pids[busy], state.at_us, self.rules, twins, now_us)
        state, moved = lifecycle.withdraw(state, gone, now_us)
        self._state.put(rows, state)
        return self._record(_from(rows, moved), now_us, WITHDRAWN)

    def _last_values(
        self, place: int, rows: NDArray[np.int64], tracker_rows: NDArray[np.int64], twins: Twins, now_us: int
    ) -> Readings | None:
        if place >= twins.tracker.last_us.shape[1]:
            return None
        at_us = twins.tracker.last_us[tracker_rows, place]
        oldest_us = now_us - int(TABLES.valid_us[place])
        value = np.where(at_us >= oldest_us, twins.tracker.last_value[tracker_rows, place], np.nan)
        return Readings(rows, np.full(len(rows), place), at_us, value, value)

    def tick(self, now_us: int) -> list[Step]:
        """Let time pass: persistence, escalation, the end of snoozes."""
        busy = np.flatnonzero((self._state.phase != kernels.IDLE).any(axis=1))
        if not busy.size:
            return []
        state, moved = lifecycle.tick(self._state.take(busy), self.rules, now_us)
        self._state.put(busy, state)
        return self._record(_from(busy, moved), now_us)

    def close(self, pids: Iterable[int], now_us: int) -> list[Step]:
        """These patients have left, or were merged into another: their alerts end."""
        steps: list[Step] = []
        for pid in pids:
            row = self._row_of.get(pid)
            if row is not None:
                state, moved = lifecycle.close(self._state.take(np.array([row])), 0)
                self._state.put(np.array([row]), state)
                self._heard_us[row], self._since_us[row] = lifecycle.NEVER_US, lifecycle.NEVER_US
                steps += self._record(_from(np.array([row]), moved), now_us)
        return steps

    def system(self, name: str, text: str, failing: bool, now_us: int) -> Alert | None:
        """A technical alert of the ward itself (a webhook that fails, a model that is missing), of no patient
        (`pid` -1).

        Shown among `open` while it is failing; the alert where that changed, else None. It is a state of this
        process, so that nothing of it goes into the journal.
        """
        held = self._system.get(name)
        if failing == (held is not None):
            return None
        if held is not None:
            del self._system[name]
            return msgspec.structs.replace(held, state="resolved", ended_us=now_us, changed_us=now_us)
        made = Alert(f"{name}-ward-{now_us}", -1, name, "technical", 1, text, "", "open", now_us, now_us, 1.0, 0.0, 1)
        self._system[name] = made
        return made

    # --- what people do ------------------------------------------------------

    def acknowledge(self, alert: str, who: str, reason: str, now_us: int) -> Step:
        """The step of an acknowledgement, not yet taken. Raises NotFoundError, or LimitError without a name or a
        reason.
        """
        held = self._find(alert)
        _check(who, reason)
        made = msgspec.structs.replace(
            held, state="acknowledged", changed_us=now_us, steps=held.steps + 1, by=who, reason=reason, until_us=None
        )
        return Step("acknowledged", now_us, made)

    def snooze(self, alert: str, who: str, reason: str, minutes: int, now_us: int) -> Step:
        """The step of a snooze, not yet taken; at most `SNOOZE_MINUTES_MAX`, on the clinical clock."""
        held = self._find(alert)
        _check(who, reason)
        if not 0 < minutes <= SNOOZE_MINUTES_MAX:
            raise LimitError(f"found a snooze of {minutes} min, expected 1 to {SNOOZE_MINUTES_MAX}")
        until_us = now_us + minutes * MINUTE_US
        made = msgspec.structs.replace(
            held, state="snoozed", changed_us=now_us, steps=held.steps + 1, by=who, reason=reason, until_us=until_us
        )
        return Step("snoozed", now_us, made)

    def accept(self, step: Step) -> Alert:
        """Take a step that is durable. One of an alert that has ended meanwhile changes nothing."""
        alert = step.alert
        key = self._row_of.get(alert.pid, -1), self.rules.index(alert.rule)
        held = self._open.get(key)
        if held is None or held.id != alert.id:
            return alert
        one = np.array([key[0]])
        state = self._state.take(one)
        if step.action == "snoozed":
            state, _ = lifecycle.snooze(state, 0, key[1], alert.until_us or step.at_us)
        else:
            state, _ = lifecycle.acknowledge(state, 0, key[1])
        self._state.put(one, state)
        taken = msgspec.structs.replace(alert, steps=max(alert.steps, held.steps), escalated=held.escalated)
        self._open[key] = taken
        return taken

    # --- what is shown -------------------------------------------------------

    def open(self, pid: int | None = None) -> list[Alert]:
        """Alerts that have not ended: gravest first, then newest; of one patient, or of all."""
        found = [alert for alert in self._open.values() if pid is None or alert.pid == pid]
        found += self._system.values() if pid is None else ()
        return sorted(found, key=lambda alert: (-alert.rank, -alert.escalated, -alert.raised_us))

    def resolved(self, since_us: int, pid: int | None = None) -> list[Alert]:
        """Alerts that ended since an instant, newest first; the last `CLOSED_MAX` are known."""
        recent = [
            alert for alert in self._closed if (alert.ended_us or 0) >= since_us and (pid is None or alert.pid == pid)
        ]
        return sorted(recent, key=lambda alert: -(alert.ended_us or 0))

    def per_patient_day(self, now_us: int) -> Mapping[str, float]:
        """Alerts raised a patient-day over the last 24 h: `clinical` and `technical`; NaN before there was any
        patient.
        """
        start_us = now_us - DAY_US
        since_us = self._since_us[: len(self._pid_of)]
        present = since_us[since_us != lifecycle.NEVER_US]
        days = float((now_us - np.maximum(present, start_us)).sum()) / DAY_US if present.size else 0.0
        recent = [technical for at_us, technical in self._raised if at_us >= start_us]
        if days <= 0:
            return {"clinical": math.nan, "technical": math.nan}
        return {"clinical": recent.count(False) / days, "technical": recent.count(True) / days}

    # --- restart -------------------------------------------------------------

    def restore(self, steps: Iterable[Step]) -> int:
        """Take up the alerts that the journal keeps, by their last steps; the number that are open. Rules gone are
        left.
        """
        for step in sorted(latest(steps).values(), key=lambda item: item.at_us):
            alert, rule = step.alert, self.rules.index(step.alert.rule)
            if rule < 0:
                continue
            row = self._row(alert.pid)
            self._restore_one(row, rule, step)
            if alert.state == "resolved":
                self._open.pop((row, rule), None)
                self._closed.append(alert)
            else:
                self._open[row, rule] = alert
                self._later.add(alert.pid)
        return len(self._open)

    def _restore_one(self, row: int, rule: int, step: Step) -> None:
        alert, state = step.alert, self._state
        phases = {"open": kernels.OPEN, "acknowledged": kernels.ACKNOWLEDGED, "snoozed": kernels.SNOOZED}
        state.phase[row, rule] = phases.get(alert.state, kernels.IDLE)
        state.value[row, rule] = alert.value
        state.raised_us[row, rule], state.changed_us[row, rule] = alert.raised_us, alert.changed_us
        state.heard_us[row, rule] = step.at_us
        state.escalated[row, rule], state.steps[row, rule] = alert.escalated, alert.steps
        state.until_us[row, rule] = lifecycle.NEVER_US if alert.until_us is None else alert.until_us
        state.ended_us[row, rule] = lifecycle.NEVER_US if alert.ended_us is None else alert.ended_us

    # --- inside --------------------------------------------------------------

    def _find(self, alert: str) -> Alert:
        for held in self._open.values():
            if held.id == alert:
                return held
        raise NotFoundError(f"found no open alert {alert[:128]!r}: it has ended, or never was")

    def _row(self, pid: int) -> int:
        row = self._row_of.get(pid)
        if row is None:
            row = self._row_of[pid] = len(self._pid_of)
            self._pid_of.append(pid)
            if row >= len(self._birth_us):
                room = 2 * len(self._birth_us)
                self._state = self._state.grown(room)
                self._birth_us = _grown(self._birth_us, room, NO_BIRTH)
                self._barred = _grown(self._barred, room, False)
                self._heard_us = _grown(self._heard_us, room, lifecycle.NEVER_US)
                self._since_us = _grown(self._since_us, room, lifecycle.NEVER_US)
        return row

    def _rows(self, pids: NDArray[np.int64], twins: Twins, now_us: int) -> NDArray[np.int64]:
        """The rows (N,) of patients (N,), with what is known of their birth."""
        distinct, place = np.unique(pids, return_inverse=True)
        rows = np.fromiter(map(self._row, distinct.tolist()), np.int64, len(distinct))
        self._birth_us[rows] = twins.births(distinct)
        self._bar(distinct, rows, twins, now_us)
        fresh = rows[self._since_us[rows] == lifecycle.NEVER_US]
        self._since_us[fresh] = now_us
        found: NDArray[np.int64] = rows[place]
        return found

    def _bar(self, pids: NDArray[np.int64], rows: NDArray[np.int64], twins: Twins, now_us: int) -> None:
        """Note which rules a declared state keeps from whom."""
        barring = np.flatnonzero(self.rules.unless >= 0)
        if not barring.size:
            return
        known = np.array([pid in twins for pid in pids.tolist()], np.bool_)
        own, concept = twins.rows(pids[known])[:, None], self.rules.unless[barring]
        with np.errstate(invalid="ignore"):
            declared = twins.tracker.last_value[own, concept] == 1
        valid = twins.tracker.last_us[own, concept] >= now_us - TABLES.valid_us[concept]
        self._barred[rows[known][:, None], barring] = declared & valid

    def _step(self, readings: Readings, now_us: int) -> list[Step]:
        if not readings.row.size:
            return []
        rows, place = np.unique(readings.row, return_inverse=True)
        local = Readings(place.astype(np.int64), *readings.columns[1:])
        state, moved = lifecycle.step(
            self._state.take(rows), self.rules, local, now_us, self._birth_us[rows], self._barred[rows]
        )
        self._state.put(rows, state)
        return self._record(_from(rows, moved), now_us)

    def _record(self, moved: Transitions, now_us: int, note: str = "") -> list[Step]:
        steps = []
        columns: Sequence[list[int]] = [moved.row.tolist(), moved.rule.tolist(), moved.action.tolist()]
        for row, place, code, value in zip(*columns, moved.value.tolist(), strict=True):
            action = cast(Action, ACTIONS[code])
            held = self._open.pop((row, place), None) if action != "raised" else None
            if action == "re-raised" and held is None:
                held = self._last_closed(row, place)
            rule, pid = self.rules.rules[place], self._pid_of[row]
            raised_us = int(self._state.raised_us[row, place])
            count = (held.steps if held else 0) + 1
            alert = after(held, rule, pid, action, value, now_us, raised_us, count, note)
            if alert.state == "resolved":
                self._closed.append(alert)
            else:
                self._open[row, place] = alert
            if action == "raised":
                self._raised.append((now_us, rule.technical))
            steps.append(Step(action, now_us, alert))
        return steps

    def _last_closed(self, row: int, place: int) -> Alert | None:
        pid, rule = self._pid_of[row], self.rules.rules[place].name
        return next((alert for alert in reversed(self._closed) if (alert.pid, alert.rule) == (pid, rule)), None)


def _grown(column: NDArray[_T], room: int, empty: int) -> NDArray[_T]:
    wider = np.full((room, *column.shape[1:]), empty, column.dtype)
    wider[: len(column)] = column
    return wider


def _from(rows: NDArray[np.int64], moved: Transitions) -> Transitions:
    return Transitions(rows[moved.row], moved.rule, moved.action, moved.value)


def _check(who: str, reason: str) -> None:
    if not who.strip() or not reason.strip() or len(reason) > REASON_CHARS_MAX:
        raise LimitError(
            f"found a name of {len(who)} and a reason of {len(reason)} characters, "
            f"expected both, the reason of at most {REASON_CHARS_MAX}: say who has seen it and what is done"
        )

"""Carried states of recurrent members, kept as long as the hours they were carried over stay what they were.

A state is a function of the closed hours alone. What is kept is compared with the closed hours of now, bit by bit:
where an hour has ended, or late data or a correction changed a closed one, it is carried anew. So a state is the same
whether a patient was followed live, replayed, or corrected afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H
from vitruvian.prediction.serve.members import Member

__all__ = ["States"]

Columns = NDArray[np.float32]
_HOURS = (CONTEXT_H - 1, len(CHANNELS))


class States:
    """States by `key`, a number that stays a patient's (0 or more, dense: memory grows with the largest). One thread.

    `carried` counts how often a row was carried over its hours, `kept` how often that could be spared.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = [member for member in members if member.kind == "recurrent"]
        self._slot_of = np.full(0, -1, np.int64)
        self._used, self._free = 0, list[int]()
        self._closed = np.empty((0, *_HOURS), np.float32)
        self._state = [np.empty((0, member.state), np.float32) for member in self._members]
        self._fresh = np.empty(0, np.bool_)
        self.carried = self.kept = 0

    def of(self, keys: NDArray[np.int64], window: Columns) -> dict[str, Columns]:
        """The state (n, S) of each recurrent member, by its name; `window` (n, CONTEXT_H, C), the running hour last."""
        if not self._members:
            return {}
        closed = np.ascontiguousarray(window[:, :-1], np.float32)
        slots = self._slots(keys)
        kept, now = self._closed[slots].view(np.int32), closed.view(np.int32)  # as bits: NaN is like NaN
        stale = np.flatnonzero(~self._fresh[slots] | (kept != now).any(axis=(1, 2)))
        self.carried, self.kept = self.carried + stale.size, self.kept + len(keys) - stale.size
        found = {}
        for member, table in zip(self._members, self._state, strict=True):
            state = table[slots]
            if stale.size:
                state[stale] = member.carry(closed[stale])
                table[slots[stale]] = state[stale]
            found[member.name] = state
        if stale.size:
            self._closed[slots[stale]] = closed[stale]
            self._fresh[slots[stale]] = True
        return found

    def forget(self, keys: Iterable[int]) -> None:
        """These patients left or were merged away."""
        for key in keys:
            if 0 <= key < self._slot_of.size and self._slot_of[key] >= 0:
                slot = int(self._slot_of[key])
                self._fresh[slot], self._slot_of[key] = False, -1
                self._free.append(slot)

    def _slots(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        if keys.size and int(keys.max()) >= self._slot_of.size:
            wider = np.full(max(int(keys.max()) + 1, 2 * self._slot_of.size), -1, np.int64)
            wider[: self._slot_of.size] = self._slot_of
            self._slot_of = wider
        slots = self._slot_of[keys]
        if slots.size and slots.min() < 0:
            fresh = np.unique(keys[slots < 0])
            again = [self._free.pop() for _ in range(min(len(self._free), fresh.size))]
            places = [*again, *range(self._used, self._used + fresh.size - len(again))]
            self._used += fresh.size - len(again)
            self._grow(self._used)
            self._slot_of[fresh] = places
            slots = self._slot_of[keys]
        return slots

    def _grow(self, slots: int) -> None:
        held = len(self._closed)
        if slots <= held:
            return
        more = max(slots, held + held // 2) - held
        self._closed = np.concatenate([self._closed, np.full((more, *_HOURS), np.nan, np.float32)])
        self._state = [np.concatenate([one, np.zeros((more, one.shape[1]), np.float32)]) for one in self._state]
        self._fresh = np.concatenate([self._fresh, np.zeros(more, np.bool_)])

"""Every patient's twin, as rows of columns: batches in, the same bits out as one sample after another.

`apply` takes a commit. What is in order for its patient and concept goes through one compiled batch. A sample older
than what its concept already holds makes its patient be *rewound*: back to the anchor (a copy of the row, at most
about an hour old) and forward again from the journal, or, if it is older than the anchor, from the journal's
beginning. A patient whose past changed otherwise (a correction, a merge, an association) is folded anew.

Cost: a plain batch grows with its samples alone, not with the number of patients; a rewind with the patient's
samples since the anchor; a refold with the patient's whole series. Memory is `bytes_per_patient` for each.

One thread applies. Others may read one patient's row meanwhile, but a row under `apply` can be seen half moved; the
owner serialises where that matters.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import NotFoundError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.signals import tracker as signals
from vitruvian.signals.tracker import Tracker
from vitruvian.twin import kernels
from vitruvian.twin.kernels import BEFORE_ANCHOR, HOUR_US, LATE, NEVER_US
from vitruvian.twin.order import Ordered, canonical
from vitruvian.twin.ports import ALL_FUTURE_US, ALL_PAST_US, Commit, JournalReader

Rows = NDArray[np.int64]

SEX_CODES: Final[tuple[str, ...]] = ("", "female", "male", "other", "unknown")
NO_BIRTH: Final = np.iinfo(np.int64).min
_ROWS_FIRST: Final = 64


class Twins:
    """The twins of all patients that were ever seen.

    Attributes: `tracker` the signals, a row a patient; `seq` the last commit applied; `rewinds` and `refolds` count
    how often the past was walked again. `birth_us` (n,) `NO_BIRTH` where unknown; `sex` (n,) place in `SEX_CODES`.
    """

    def __init__(self, journal: JournalReader) -> None:
        self._journal = journal
        self.seq = 0
        self.rewinds = 0
        self.refolds = 0
        self.tracker = Tracker(_ROWS_FIRST)
        self._anchors = Tracker(_ROWS_FIRST)
        self._row_of = np.full(_ROWS_FIRST, -1, np.int64)
        self._free: list[int] = []
        self._unsure: set[int] = set()  # patients of a commit that could not be taken whole
        self._used = 0
        self._allocate_columns(self.tracker.rows)

    def _allocate_columns(self, rows: int) -> None:
        concepts = self.tracker.last_us.shape[1]
        self.pid_of = np.full(rows, -1, np.int64)
        self.birth_us = np.full(rows, NO_BIRTH, np.int64)
        self.sex = np.zeros(rows, np.int8)
        self.last_order = np.zeros((rows, concepts), np.uint64)
        self.newest_us = np.full(rows, NEVER_US, np.int64)
        self._anchor_us = np.full(rows, NEVER_US, np.int64)

    # --- rows ----------------------------------------------------------------

    def __len__(self) -> int:
        """The number of patients."""
        return self._used - len(self._free)

    def __contains__(self, pid: object) -> bool:
        return isinstance(pid, int) and 0 <= pid < self._row_of.size and self._row_of[pid] >= 0

    @property
    def pids(self) -> NDArray[np.int64]:
        """Every patient, ascending."""
        return np.sort(self.pid_of[self.pid_of >= 0])

    @property
    def unsure(self) -> frozenset[int]:
        """Patients whose twin is not whole, since the journal could not be read; the next commit folds them anew."""
        return frozenset(self._unsure)

    @property
    def bytes_per_patient(self) -> int:
        """Memory of one twin, its anchor included."""
        return 2 * signals.row_bytes() + self.last_order.shape[1] * 8 + 33

    def rows(self, pids: Sequence[int] | NDArray[np.int64]) -> Rows:
        """The rows of these patients. Raises NotFoundError for one that has no twin."""
        wanted = np.asarray(pids, np.int64)
        known = (wanted >= 0) & (wanted < self._row_of.size)
        rows = np.where(known, self._row_of[np.where(known, wanted, 0)], -1)
        if (rows < 0).any():
            raise NotFoundError(f"found no twin of patient {wanted[rows < 0][0]}: nothing was ever measured of them")
        return rows

    def births(self, pids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The birth dates (N,) of these patients in microseconds; `NO_BIRTH` where unknown, or where there is no
        twin.
        """
        known = (pids >= 0) & (pids < self._row_of.size)
        rows = np.where(known, self._row_of[np.where(known, pids, 0)], -1)
        return np.where(rows >= 0, self.birth_us[rows], NO_BIRTH)

    def _rows_for(self, pids: NDArray[np.int64]) -> Rows:
        """The rows of these patients; a patient seen for the first time is given one."""
        if pids.size and int(pids.max()) >= self._row_of.size:
            wider = np.full(max(int(pids.max()) + 1, 2 * self._row_of.size), -1, np.int64)
            wider[: self._row_of.size] = self._row_of
            self._row_of = wider
        rows = self._row_of[pids]
        if rows.size and rows.min() < 0:
            fresh = np.unique(pids[rows < 0])
            self._grow(self._used + fresh.size)
            for pid in fresh.tolist():
                row = self._free.pop() if self._free else self._used
                self._used += row == self._used
                self._row_of[pid], self.pid_of[row] = row, pid
                self._read_context(pid, row)
            rows = self._row_of[pids]
        return rows

    def _grow(self, rows: int) -> None:
        if rows <= self.tracker.rows:
            return
        self.tracker.grow(rows)
        self._anchors.grow(self.tracker.rows)
        names = ("pid_of", "birth_us", "sex", "last_order", "newest_us", "_anchor_us")
        held = {name: getattr(self, name) for name in names}
        self._allocate_columns(self.tracker.rows)
        for name, column in held.items():
            getattr(self, name)[: len(column)] = column

    def _release(self, pid: int) -> None:
        if pid not in self:
            return
        row = int(self._row_of[pid])
        self._clear(row)
        self.birth_us[row], self.sex[row] = NO_BIRTH, 0
        self._row_of[pid] = self.pid_of[row] = -1
        self._free.append(row)

    def _clear(self, row: int) -> None:
        self.tracker.reset(np.array([row]))
        self.last_order[row] = 0
        self.newest_us[row] = self._anchor_us[row] = NEVER_US

    def _read_context(self, pid: int, row: int) -> None:
        person = self._journal.patient_of(pid).person
        birth_us = None if person is None else person.birth_us
        sex = "" if person is None else person.sex
        self.birth_us[row] = NO_BIRTH if birth_us is None else birth_us
        self.sex[row] = SEX_CODES.index(sex) if sex in SEX_CODES else SEX_CODES.index("other")

    # --- the fold ------------------------------------------------------------

    def apply(self, commit: Commit) -> NDArray[np.int64]:
        """Move the twins by one commit; the patients touched, ascending. Commits come in the order of their `seq`.

        What the journal raises (a disk that cannot be read) is raised on; whoever the commit speaks of is then
        folded anew with the next one, so that a twin is late but never wrong.
        """
        try:
            touched = self._move(commit, commit.last_seq, None, self._unsure)
        except Exception:
            self._unsure.update(commit.samples.patient.tolist(), commit.rebuild, commit.visits)
            raise
        self._unsure.clear()
        return touched

    def catch_up(self, tail: Iterable[Commit], through_seq: int) -> NDArray[np.int64]:
        """Apply what was missed (`journal.samples_since(twins.seq)`), up to `through_seq`; the patients touched,
        ascending.

        The parts of a tail overlap in `seq`, so whoever's past must be walked again is folded once, from all of it.
        """
        anew: set[int] = set()
        touched = [self._move(commit, through_seq, anew) for commit in tail]
        self.seq = max(self.seq, through_seq)
        return np.unique(np.concatenate(touched)) if touched else np.zeros(0, np.int64)

    def _move(
        self, commit: Commit, last_seq: int, anew: set[int] | None, unsure: Collection[int] = ()
    ) -> NDArray[np.int64]:
        rebuild = set(commit.rebuild).union(unsure)
        gone = {pid for pid in rebuild if self._journal.survivor(pid) != pid}
        again = rebuild - gone
        for pid in gone:
            self._release(pid)
        for pid in set(commit.visits) - gone - again:
            row = int(self._rows_for(np.array([pid]))[0])
            self._read_context(pid, row)
        samples = canonical(commit.samples, sort=False)
        left_out = rebuild | (anew or set())
        if left_out and len(samples):
            samples = samples.where(~np.isin(samples.patient, np.fromiter(left_out, np.int64)))
        late = self._apply_plain(samples) if len(samples) else []
        for pid, earliest_us in late:
            self._rewind(pid, earliest_us if anew is None else ALL_PAST_US, last_seq)
        for pid in again:
            self._refold(pid, last_seq)
        if anew is not None:
            anew.update(again, (pid for pid, _ in late))
        self.seq = max(self.seq, commit.last_seq)
        moved = again | (set(commit.visits) - gone)
        return np.union1d(samples.patient, np.fromiter(moved, np.int64, len(moved)))

    def _apply_plain(self, samples: Ordered) -> list[tuple[int, int]]:
        """Apply what is in order; the patients that must be rewound, each with the earliest instant it was sent."""
        row = self._rows_for(samples.patient)
        state = (self.tracker.last_us, self.last_order, self.newest_us, self._anchor_us)
        needs, groups, earliest, anchor = kernels.sort_out(row, samples.concept, samples.at_us, samples.order, state)
        if anchor.any():
            self._take_anchors(groups[anchor], earliest[anchor])
        late: list[tuple[int, int]] = []
        if needs.any():
            before = needs == BEFORE_ANCHOR
            if before.any():
                self._anchors.update(row[before], *_columns(samples.where(before)))
            if (needs == LATE).any():
                behind = np.isin(groups, row[needs == LATE])
                late = list(zip(self.pid_of[groups[behind]].tolist(), earliest[behind].tolist(), strict=True))
                plain = needs != LATE
                row, samples = row[plain], samples.where(plain)
        outcome = self._fold(row, samples)
        # Only a commit out of the fold's order can still be late here; its patients are folded anew.
        late += [(pid, ALL_PAST_US) for pid in np.unique(samples.patient[outcome == signals.LATE]).tolist()]
        return late

    def _fold(self, row: Rows, samples: Ordered) -> NDArray[np.uint8]:
        outcome = self.tracker.update(row, *_columns(samples))
        kernels.note_orders(
            row,
            samples.concept,
            samples.at_us,
            samples.order,
            outcome,
            signals.REJECTED,
            self.last_order,
            self.newest_us,
        )
        return outcome

    def _take_anchors(self, rows: Rows, anchor_us: NDArray[np.int64]) -> None:
        self._anchors.copy_rows(self.tracker, rows)
        self._anchor_us[rows] = anchor_us

    def _rewind(self, pid: int, earliest_us: int, last_seq: int) -> None:
        """Back to the anchor where it is early enough, and forward again from the journal."""
        row = int(self._row_of[pid])
        anchor_us = int(self._anchor_us[row])
        if anchor_us == NEVER_US or earliest_us < anchor_us:
            self._refold(pid, last_seq)
            return
        self.rewinds += 1
        # A sample that counts from when it became known may bear a later time: the end of the series stays open.
        samples = self._series(pid, anchor_us, last_seq)
        samples = samples.where(samples.at_us >= anchor_us)
        held_us = self.tracker.last_us[row].copy()
        self.tracker.copy_rows(self._anchors, np.array([row]))
        # Of what the journal has meanwhile taken back the order is not known: a tie with it must be rewound in its
        # turn.
        self.last_order[row, self.tracker.last_us[row] != held_us] = kernels.ORDER_LAST
        self.newest_us[row] = anchor_us - 1
        self._fold(np.full(len(samples), row), samples)

    def _refold(self, pid: int, last_seq: int) -> None:
        self.refolds += 1
        row = int(self._rows_for(np.array([pid]))[0])
        self._clear(row)
        self._read_context(pid, row)
        samples = self._series(pid, ALL_PAST_US, last_seq)
        if not len(samples):
            return
        anchor_us = int(samples.at_us.max()) - HOUR_US
        before = samples.at_us < anchor_us
        earlier = samples.where(before)
        self._fold(np.full(len(earlier), row), earlier)
        self._take_anchors(np.array([row]), np.array([anchor_us]))
        rest = samples.where(~before)
        self._fold(np.full(len(rest), row), rest)

    def _series(self, pid: int, start_us: int, last_seq: int) -> Ordered:
        """What the journal holds from an instant on, up to this commit: later ones are applied in their turn."""
        samples = canonical(self._journal.series(pid, start_us=start_us, end_us=ALL_FUTURE_US))
        return samples.where(samples.seq <= last_seq)

    def fold_anew(self, pids: Iterable[int], last_seq: int) -> None:
        """Build these patients' twins from the journal up to `last_seq`: at the first start, or after a refused
        snapshot.
        """
        for pid in pids:
            if self._journal.survivor(pid) == pid:
                self._refold(pid, last_seq)
        self.seq = max(self.seq, last_seq)

    def adopt(
        self,
        pids: NDArray[np.int64],
        tracker: Tracker,
        last_order: NDArray[np.uint64],
        newest_us: NDArray[np.int64],
        seq: int,
    ) -> None:
        """Take over the rows of a snapshot, in the order of `pids`; only into twins that are empty.

        Raises ValueError where the columns do not fit each other. Patients merged away meanwhile are released.
        """
        if self._used or not len(pids) == tracker.rows == len(last_order) == len(newest_us):
            raise ValueError("found columns of unequal length, or twins that are not empty")
        rows = self._rows_for(np.asarray(pids, np.int64))
        self.tracker.copy_rows(tracker, rows, np.arange(len(pids)))
        self.last_order[rows] = last_order
        self.newest_us[rows] = newest_us
        self.seq = seq

    def drop(self, pids: Collection[int]) -> None:
        """Forget these patients' rows; the journal can give them back (`fold_anew`)."""
        for pid in pids:
            self._release(pid)

    # --- what it is ----------------------------------------------------------

    def hash(self, pid: int) -> str:
        """32 hexadecimal digits of all that the twin holds: its signals, birth date and sex. Equal states agree."""
        row = int(self.rows([pid])[0])
        return state_hash(self.tracker, row, int(self.birth_us[row]), int(self.sex[row]))


def state_hash(tracker: Tracker, row: int, birth_us: int, sex: int) -> str:
    """The hash of one row and its context, under the vocabulary in use; see `Twins.hash`."""
    context = f"{VOCABULARY.version}|{birth_us}|{sex}|".encode()
    return hashlib.blake2b(context + tracker.digest(row), digest_size=16).hexdigest()


def _columns(
    samples: Ordered,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]:
    return samples.concept, samples.at_us, samples.value, samples.quality

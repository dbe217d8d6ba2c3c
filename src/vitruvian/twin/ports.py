"""What the twins need of a journal. `vitruvian.journal.Journal` and its `Commit` and `Samples` fit; so does a fake
in tests.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

ALL_PAST_US = -(2**62)
ALL_FUTURE_US = 2**62


class Samples(Protocol):
    """Columns of equal length N, in any order. See `vitruvian.journal` for the meaning of each."""

    @property
    def patient(self) -> NDArray[np.int64]:
        """Dense number of the person (the survivor's, after merges)."""
        ...

    @property
    def concept(self) -> NDArray[np.int16]:
        """`Concept.index`."""
        ...

    @property
    def occurred_us(self) -> NDArray[np.int64]:
        """When it was true."""
        ...

    @property
    def order(self) -> NDArray[np.uint64]:
        """Breaks ties at one instant, whatever the order of arrival."""
        ...

    @property
    def known_us(self) -> NDArray[np.int64]:
        """When it became available, else was recorded."""
        ...

    @property
    def value(self) -> NDArray[np.float64]:
        """In the concept's own unit."""
        ...

    @property
    def quality(self) -> NDArray[np.uint8]:
        """Bit flags: 1 clock skew, 2 implausible, 4 preliminary, 8 comparator."""
        ...

    @property
    def seq(self) -> NDArray[np.int64]:
        """The commit's number of the entry."""
        ...

    def take(self, which: NDArray[np.bool_]) -> Samples:
        """The samples that a mask keeps."""
        ...


class Commit(Protocol):
    """What one commit changed."""

    @property
    def last_seq(self) -> int:
        """The newest entry of the commit."""
        ...

    @property
    def samples(self) -> Samples:
        """Plain additions."""
        ...

    @property
    def rebuild(self) -> Collection[int]:
        """Patients whose past changed otherwise."""
        ...

    @property
    def visits(self) -> Collection[int]:
        """Patients whose demographics or place changed."""
        ...


class JournalReader(Protocol):
    """The reading calls of a journal."""

    def series(
        self,
        pid: int,
        *,
        concepts: Sequence[int] | None = None,
        start_us: int,
        end_us: int,
        known_by_us: int | None = None,
    ) -> Samples:
        """Samples of one person that occurred in the interval."""
        ...

    def patient_of(self, pid: int) -> Any:
        """The patient: `person.birth_us`, `person.sex`, or `person` None."""
        ...

    def survivor(self, pid: int) -> int:
        """The number that a merged record answers to now; its own where it was not merged."""
        ...

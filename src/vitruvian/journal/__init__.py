"""The append-only log of everything that was said of patients, and what is folded from it.

journal = Journal.open(path)
commit = journal.append(entries, recorded_us=clock.now_us())
journal.series(pid, start_us=..., end_us=...)
"""

from vitruvian.journal.journal import Journal
from vitruvian.journal.records import (
    BedStay,
    Encounter,
    Findings,
    Patient,
    QuarantinedRow,
    Stored,
    Verification,
)
from vitruvian.journal.samples import (
    CLOCK_SKEW,
    COMPARATOR,
    IMPLAUSIBLE,
    PRELIMINARY,
    Commit,
    Samples,
    empty_samples,
)

__all__ = [
    "CLOCK_SKEW",
    "COMPARATOR",
    "IMPLAUSIBLE",
    "PRELIMINARY",
    "BedStay",
    "Commit",
    "Encounter",
    "Findings",
    "Journal",
    "Patient",
    "QuarantinedRow",
    "Samples",
    "Stored",
    "Verification",
    "empty_samples",
]

"""The twin as it stood at an instant of the past: as it was, and as it was known.

`as_of` uses every event that is known now and counts at or before the instant: late results and corrections included.
`as_known` uses what had become available (else been recorded) by the instant: what a clinician could have seen then.
"""

from __future__ import annotations

import numpy as np

from vitruvian.signals.tracker import Tracker
from vitruvian.twin.order import Ordered, canonical
from vitruvian.twin.ports import ALL_FUTURE_US, ALL_PAST_US, JournalReader
from vitruvian.twin.state import Basis, TwinState, view
from vitruvian.twin.twins import NO_BIRTH, SEX_CODES


def as_of(journal: JournalReader, pid: int, at_us: int) -> TwinState:
    """The twin of one patient at an instant, by all that is known now."""
    samples = canonical(journal.series(pid, start_us=ALL_PAST_US, end_us=ALL_FUTURE_US))
    return _past(journal, pid, at_us, samples, "as-of")


def as_known(journal: JournalReader, pid: int, at_us: int) -> TwinState:
    """The twin of one patient at an instant, by what was known then; values corrected only later stand uncorrected."""
    series = journal.series(pid, start_us=ALL_PAST_US, end_us=ALL_FUTURE_US, known_by_us=at_us)
    return _past(journal, pid, at_us, canonical(series), "as-known")


def _past(journal: JournalReader, pid: int, at_us: int, samples: Ordered, basis: Basis) -> TwinState:
    samples = samples.where(samples.at_us <= at_us)
    tracker = Tracker(1)
    tracker.update(np.zeros(len(samples), np.int64), samples.concept, samples.at_us, samples.value, samples.quality)
    person = journal.patient_of(pid).person
    birth_us = NO_BIRTH if person is None or person.birth_us is None else person.birth_us
    sex = "" if person is None else person.sex
    code = SEX_CODES.index(sex) if sex in SEX_CODES else SEX_CODES.index("other")
    return view(tracker, 0, pid, at_us, birth_us, code, basis=basis)

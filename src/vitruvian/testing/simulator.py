"""A whole ward's day from a seed, and a transport that does to it all that networks, devices and people do.

`Story(seed)` is what was true: admissions, monitors given to patients and moved between them, vitals, late laboratory
results, corrections and withdrawals, a second record of the same person that is merged and perhaps parted again.
`orderly` delivers it as it was said; `faulty` delivers it with repetitions, out of order, late, in batches of any size.
`live` gives a delivery to a real ward on a clock that is moved by hand, which is stopped and started on the way.
Whatever the delivery, the twins must end up the same. All is decided by the seed.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from vitruvian.core.events import Association, Entry, Event, Merge, Person, Quantity, Status, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.core.time import HOUR_US, MINUTE_US, ManualClock
from vitruvian.journal import BedStay, Journal, Patient
from vitruvian.service.runtime import Ward, WardSettings
from vitruvian.twin import Twins, as_of

START_US: Final = 1_767_258_000_000_000  # 2026-01-01T09:00:00Z
SHUFFLE_US: Final = 10 * MINUTE_US
OUTAGE_US_MAX: Final = 2 * HOUR_US
VITALS: Final = (
    ("heart_rate", "/min", 85.0, 8.0),
    ("respiratory_rate", "/min", 18.0, 2.0),
    ("oxygen_saturation", "%", 96.0, 1.5),
    ("systolic_pressure", "mm[Hg]", 122.0, 10.0),
    ("body_temperature", "Cel", 37.1, 0.4),
)
LABS: Final = (("potassium", "mmol/L", 4.3, 0.6), ("lactate", "mmol/L", 1.6, 0.8), ("creatinine", "mg/dL", 1.0, 0.3))


class Said(NamedTuple):
    """An entry and when its source sent it."""

    sent_us: int
    entry: Entry


class Delivery(NamedTuple):
    """What reaches the ward at an instant."""

    at_us: int
    entries: list[Entry]


class Outcome(NamedTuple):
    """What stands at the end: by medical record number, the hash of the person's twin and who and where they are."""

    hashes: dict[str, str]
    places: dict[str, tuple[str, ...]]
    kept: int


def record(number: int | str) -> tuple[Identifier, ...]:
    """A patient's medical record number."""
    return (Identifier("urn:hospital", str(number), "MR"),)


def place(bed: int) -> Location:
    """A bed of the ward."""
    return Location("General", "ICU", "1", str(bed))


class Story:
    """See the module. `said` is in the order of sending; each name and version says one thing only."""

    def __init__(self, seed: int, *, patients: int = 5, hours: float = 3.0) -> None:
        self.seed = seed
        self._rng = random.Random(seed)
        self._end_us = START_US + int(hours * HOUR_US)
        self.patients = patients
        self.said: list[Said] = []
        for patient in range(1, patients + 1):
            self._admit(patient)
            self._monitor(patient)
            self._laboratory(patient)
        self._exchange_monitors()
        self._second_record()
        self._move_and_discharge()
        self.said.sort(key=lambda one: (one.sent_us, one.entry.source_id, one.entry.source_version))

    @property
    def records(self) -> list[str]:
        """Every medical record number that the story speaks of."""
        return sorted({identifier.value for one in self.said for identifier in one.entry.subject})

    def _say(
        self,
        sent_us: int,
        name: str,
        *events: Event,
        subject: tuple[Identifier, ...] = (),
        device: str = "",
        version: str = "",
        available_us: int | None = None,
        status: Status = "final",
    ) -> None:
        entry = Entry(
            "story", name, events, version, subject, device=device, available_us=available_us, status=status
        )  # fmt: skip
        self.said.append(Said(sent_us, entry))

    def _some_time(self) -> int:
        return self._rng.randrange(START_US, self._end_us)

    def _admit(self, patient: int) -> None:
        at_us = START_US - self._rng.randrange(HOUR_US)
        born_us = START_US - self._rng.randrange(20, 90) * 8_766 * HOUR_US
        who = Event("identity", "", Person(f"Family{patient}", "Given", born_us, "female"), at_us)
        visit = Identifier("urn:visit", f"V{patient}", "VN")
        admitted = Event("encounter", "", Visit("admit", visit, place(patient), None, "inpatient"), at_us)
        given = Event("device", "", Association("start", f"monitor-{patient}"), at_us)
        self._say(START_US, f"admission-{patient}", who, admitted, given, subject=record(patient))

    def _monitor(self, patient: int) -> None:
        """A reading each minute or so. One monitor's clock is a little ahead, another's far, which is flagged."""
        rng, device = self._rng, f"monitor-{patient}"
        ahead_us = {1: 4 * MINUTE_US, 2: 20 * MINUTE_US}.get(patient, 0)
        quality = ("clock-skew",) if patient == 2 else ()
        at_us = START_US + rng.randrange(MINUTE_US)
        while at_us < self._end_us:
            events = [
                Event("observation", name, Quantity(round(rng.gauss(usual, spread), 1), unit), at_us + ahead_us,
                      quality=quality)
                for name, unit, usual, spread in VITALS
                if rng.random() < 0.9
            ]  # fmt: skip
            if events:
                # A gateway says when it had the reading; what a clock far ahead said counts from then.
                self._say(at_us, f"{device}/{at_us}", *events, device=device, available_us=at_us if quality else None)
            at_us += int(rng.uniform(0.5, 1.5) * MINUTE_US)

    def _laboratory(self, patient: int) -> None:
        """Results that come long after the blood was drawn; some are corrected, some withdrawn, some both."""
        rng = self._rng
        for number in range(6):
            drawn_us, taken_us = self._some_time(), rng.randrange(10, 60) * MINUTE_US
            name = f"lab-{patient}-{number}"
            for version in range(1, rng.choice((1, 1, 1, 2, 3)) + 1):
                sent_us = drawn_us + version * taken_us
                status: Status = "entered-in-error" if version > 1 and rng.random() < 0.3 else "final"
                events = [
                    Event("observation", lab, Quantity(round(abs(rng.gauss(usual, spread)), 2), unit), drawn_us)
                    for lab, unit, usual, spread in LABS
                ]
                self._say(sent_us, name, *events, subject=record(patient), version=str(version),
                          available_us=sent_us, status=status)  # fmt: skip

    def _exchange_monitors(self) -> None:
        """Two patients' monitors change places for a while: a value is whose the monitor was when it was measured."""
        one, other = self._rng.sample(range(1, self.patients + 1), 2)
        at_us = self._some_time()
        back_us = at_us + self._rng.randrange(5, 60) * MINUTE_US
        for moment_us, mine, theirs in ((at_us, one, other), (back_us, other, one)):
            for device, patient in ((one, theirs), (other, mine)):
                given = Event("device", "", Association("start", f"monitor-{device}"), moment_us)
                self._say(moment_us, f"give-{device}-{moment_us}", given, subject=record(patient))

    def _second_record(self) -> None:
        """Somebody came in as an unknown person, is recognised, and perhaps it was a mistake."""
        rng, patient, unknown = self._rng, self._rng.randint(1, self.patients), "unknown"
        for number in range(8):
            at_us = self._some_time()
            value = Quantity(round(rng.gauss(1.8, 0.5), 1), "mmol/L")
            self._say(at_us, f"unknown-{number}", Event("observation", "lactate", value, at_us),
                      subject=record(unknown))  # fmt: skip
        at_us = self._some_time()
        steps: list[Literal["merge", "unmerge"]] = ["merge", "unmerge", "merge"]
        for number, action in enumerate(steps[: rng.randint(1, 3)]):
            moment_us = at_us + number * 7 * MINUTE_US
            merged = Event("identity", "", Merge(action, record(unknown)), moment_us)
            self._say(moment_us, f"{action}-{number}", merged, subject=record(patient))

    def _move_and_discharge(self) -> None:
        """A transfer to a free bed, and somebody goes home."""
        moved, home = self._rng.sample(range(1, self.patients + 1), 2)
        for patient, action, where in ((moved, "transfer", place(self.patients + 1)), (home, "discharge", Location())):
            at_us = self._some_time()
            visit = Visit(action, Identifier("urn:visit", f"V{patient}", "VN"), where)  # type: ignore[arg-type]
            self._say(at_us, f"{action}-{patient}", Event("encounter", "", visit, at_us), subject=record(patient))


def orderly(story: Story) -> list[Delivery]:
    """Everything once, in the order and at the time of its sending, a minute's worth together."""
    made: list[Delivery] = []
    for sent_us, entry in story.said:
        if made and sent_us - made[-1].at_us < MINUTE_US:
            made[-1].entries.append(entry)
        else:
            made.append(Delivery(sent_us, [entry]))
    return made


def faulty(story: Story, seed: int, *, duplicated: float = 0.5, late: float = 0.05) -> list[Delivery]:
    """Each entry up to 10 min later than it was sent, `duplicated` of them again within 10 min more, and `late` of
    them (and all that one monitor says) only after an outage of up to 2 hours.
    """
    rng = random.Random(f"{story.seed}/{seed}")
    cut_off = f"monitor-{rng.randint(1, story.patients)}"
    cut_us = rng.randrange(START_US, START_US + HOUR_US)
    back_us = cut_us + rng.randrange(OUTAGE_US_MAX)
    arrivals: list[tuple[int, float, Entry]] = []
    for sent_us, entry in story.said:
        at_us = sent_us + rng.randrange(SHUFFLE_US)
        if rng.random() < late:
            at_us += rng.randrange(OUTAGE_US_MAX)
        if entry.device == cut_off and cut_us <= sent_us < back_us:
            at_us = back_us + rng.randrange(SHUFFLE_US)
        arrivals.append((at_us, rng.random(), entry))
        while rng.random() < duplicated / (1 + duplicated):
            at_us += rng.randrange(SHUFFLE_US)
            arrivals.append((at_us, rng.random(), entry))
    arrivals.sort(key=lambda one: one[:2])
    made, start = [], 0
    while start < len(arrivals):
        size = rng.choice((1, 2, 5, 20, 60))
        some = arrivals[start : start + size]
        made.append(Delivery(some[-1][0], [entry for *_, entry in some]))
        start += size
    return made


async def live(
    folder: Path,
    deliveries: Sequence[Delivery],
    story: Story,
    *,
    restarts: int = 0,
) -> Outcome:
    """Give a delivery to a ward of its own, stopped and started `restarts` times on the way; what stands at the end.

    Half of the restarts find no snapshot of the twins. A ward that takes several batches at once is given them so.
    Raises AssertionError where a live twin is not what a fold of its journal gives.
    """
    rng = random.Random(f"{story.seed}/restarts")
    settings = WardSettings(folder / "ward.db")
    clock = ManualClock(START_US)
    found = Outcome({}, {}, 0)
    cuts = sorted(rng.randrange(1, len(deliveries)) for _ in range(restarts))
    for first, last in zip([0, *cuts], [*cuts, len(deliveries)], strict=True):
        if first and rng.random() < 0.5:
            shutil.rmtree(folder / "ward.db.snapshots", ignore_errors=True)
        async with Ward.open(settings, clock) as ward:
            for at_us, entries in deliveries[first:last]:
                clock.advance_to(at_us)
                await ward.submit(entries, applied=rng.random() < 0.3)
            await ward.intake.settled()
            assert ward.intake.counts["follow_errors"] == 0
            found = _outcome(ward, story)
    return found


def _outcome(ward: Ward, story: Story) -> Outcome:
    hashes, places = {}, {}
    with Journal.open(ward.settings.journal, read_only=True) as journal:
        anew = Twins(journal)
        anew.catch_up(journal.samples_since(0), journal.last_seq())
        later_us = START_US + 10 * OUTAGE_US_MAX
        for number in story.records:
            pid = journal.resolve(record(number))
            if pid is None:
                continue
            who = journal.patient_of(pid)
            if pid in anew:
                told = ward.twin(who.id).hash
                assert told == anew.hash(pid) == as_of(journal, pid, later_us).hash, f"seed {story.seed}: {number}"
                hashes[number] = told
            places[number] = _place(who, journal.bed_history(pid))
        kept = sum(1 for seq in range(1, journal.last_seq() + 1) if journal.entry(seq).entry.source == "story")
        assert journal.verify().ok
    return Outcome(hashes, places, kept)


def _place(who: Patient, stays: Sequence[BedStay]) -> tuple[str, ...]:
    """Who and where somebody is, in words that two wards would agree on (their dense numbers they would not)."""
    where = [(stay.location, stay.start_us, stay.end_us, stay.visit) for stay in stays]
    parts: list[Any] = [sorted(one.key for one in who.identifiers), who.person, who.location, who.visit, where]
    return tuple(map(repr, parts))

"""What identity facts amount to, whatever the order they arrived in: merges, bed stays, a device's holders. Pure.

Every fold sorts its facts canonically (occurred, a rank of the action, the entry's order, place in the entry) and
walks them once, so any permutation of arrivals gives one result.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from vitruvian.core.events import Association, Merge, Person, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.journal.records import BedStay, Encounter

START_US: Final = -(1 << 62)  # before all time
END_US: Final = 1 << 62  # after all time

UNASSOCIATED: Final = "unassociated"
AMBIGUOUS_BED: Final = "ambiguous-bed"
AMBIGUOUS_DEVICE: Final = "ambiguous-device"

V = TypeVar("V")


class Fact(NamedTuple, Generic[V]):
    """An identity event with the person it speaks of (own pid, before merges), if any."""

    occurred_us: int
    ended_us: int | None
    order: int
    seq: int
    ix: int
    pid: int | None
    value: V

    @property
    def place(self) -> tuple[int, int, int]:
        """Canonical order among facts of one rank."""
        return (self.occurred_us, self.order, self.ix)


class Span(NamedTuple):
    """Whose a device's values are from `start_us` until the next span: a person's, or nobody's for a reason."""

    start_us: int
    pid: int | None
    reason: str


NOBODY: Final = (Span(START_US, None, UNASSOCIATED),)


class Timeline:
    """Spans that cover all time, looked up by bisection."""

    __slots__ = ("spans", "starts")

    def __init__(self, spans: Sequence[Span] = NOBODY) -> None:
        self.spans = tuple(spans)
        self.starts = [span.start_us for span in self.spans]

    def at(self, moment_us: int) -> Span:
        """The span that covers an instant."""
        return self.spans[bisect_right(self.starts, moment_us) - 1]


def changes(old: Timeline, new: Timeline) -> list[tuple[int, int, int | None, int | None]]:
    """Windows [start, end) over which the holder differs, with the old and the new one."""
    cuts = sorted({*old.starts, *new.starts})
    found = []
    for start, end in zip(cuts, [*cuts[1:], END_US], strict=True):
        before, after = old.at(start).pid, new.at(start).pid
        if before != after:
            found.append((start, end, before, after))
    return found


def fold_merges(facts: Iterable[tuple[Fact[Merge], tuple[int, ...]]]) -> tuple[dict[int, int], list[Fact[Merge]]]:
    """Each merged person's survivor (chains followed), and the merges refused because they close a cycle.

    A fact comes with the pids of its prior identifiers; its own pid survives. The last action on a prior person
    wins; an un-merge frees it only where the survivor it names is indeed above it.
    """
    into: dict[int, int] = {}
    refused = []
    for fact, priors in sorted(facts, key=lambda pair: pair[0].place):
        survivor = fact.pid
        if survivor is None:
            continue
        for prior in priors:
            if fact.value.action == "unmerge":
                if survivor in _chain(into, prior)[1:]:
                    del into[prior]
            elif prior in _chain(into, survivor):
                if prior != survivor:
                    refused.append(fact)
            else:
                into[prior] = survivor
    return {pid: _chain(into, pid)[-1] for pid in into}, refused


def _chain(into: Mapping[int, int], pid: int) -> list[int]:
    chain = [pid]
    while chain[-1] in into:
        chain.append(into[chain[-1]])
    return chain


_PERSON_FIELDS: Final = ("family", "given", "birth_us", "sex", "deceased_us")


def fold_person(facts: Iterable[Fact[Person]], survivor: int) -> Person | None:
    """Demographics: field by field the latest stated one; the survivor's own go before those of merged records."""
    ordered = sorted(facts, key=lambda fact: (fact.pid == survivor, *fact.place))
    if not ordered:
        return None
    fields: dict[str, str | int | None] = {}
    for fact in ordered:
        for name in _PERSON_FIELDS:
            stated = getattr(fact.value, name)
            if stated not in ("", None):
                fields[name] = stated
    return Person(**fields)  # type: ignore[arg-type]


# At one instant: first who comes in, then who moves, then who leaves (charts keep minutes, not microseconds).
_VISIT_RANK: Final = {"admit": 0, "register": 0, "update": 1, "transfer": 2, "discharge": 3}
_CANCELS: Final = {
    "cancel-admit": ("admit", "register"),
    "cancel-transfer": ("transfer",),
    "cancel-discharge": ("discharge",),
}


def fold_visits(facts: Iterable[Fact[Visit]]) -> tuple[list[BedStay], Encounter | None]:
    """Bed stays in order of time, and the encounter that is open at the end of what is known."""
    walk = _VisitWalk()
    for fact in _uncancelled(list(facts)):
        walk.step(fact)
    return walk.finish()


def _visit_key(visit: Identifier | None) -> str:
    return "" if visit is None else visit.key


def _uncancelled(facts: list[Fact[Visit]]) -> list[Fact[Visit]]:
    """Facts in canonical order without the cancels and the steps that they take back.

    A cancel takes back the latest such step of its visit that occurred no later than it did itself.
    """
    ordered = sorted(
        (fact for fact in facts if fact.value.action not in _CANCELS),
        key=lambda fact: (fact.occurred_us, _VISIT_RANK[fact.value.action], fact.order, fact.ix),
    )
    gone: set[int] = set()
    for cancel in sorted((fact for fact in facts if fact.value.action in _CANCELS), key=lambda fact: fact.place):
        visit = _visit_key(cancel.value.visit)
        for position in range(len(ordered) - 1, -1, -1):
            step = ordered[position]
            matches = not visit or visit == _visit_key(step.value.visit)
            if (
                position not in gone
                and matches
                and step.occurred_us <= cancel.occurred_us
                and step.value.action in _CANCELS[cancel.value.action]
            ):
                gone.add(position)
                break
    return [fact for position, fact in enumerate(ordered) if position not in gone]


class _VisitWalk:
    """One person through their encounters: where they lie, and under which visit."""

    def __init__(self) -> None:
        self.stays: list[BedStay] = []
        self.open: Encounter | None = None
        # The step that brought them there, the place, and the visit it was under.
        self.place: tuple[Fact[Visit], Location, Identifier | None] | None = None

    def step(self, fact: Fact[Visit]) -> None:
        visit, action = fact.value, fact.value.action
        same = self.open is not None and self._same_visit(visit)
        if action == "discharge":
            if same or self.open is None:
                self._leave(fact.occurred_us)
                self.open = None
        elif action == "update":
            if same and self.open is not None:
                self._describe(visit)
                if self.place is None and visit.location != Location():
                    self._enter(fact)
        elif action == "register" and self.open is not None and not same and not visit.location.bed:
            return  # an outpatient registration does not empty the bed of one who lies in it
        else:
            if not same:
                self.open = Encounter(visit.visit, visit.patient_class, fact.occurred_us, visit.reason)
            self._describe(visit)
            if visit.location != Location() and (self.place is None or self.place[1] != visit.location):
                self._leave(fact.occurred_us)
                self._enter(fact)
            elif not same and action != "transfer":
                self._leave(fact.occurred_us)

    def finish(self) -> tuple[list[BedStay], Encounter | None]:
        if self.place is not None:
            self._leave(None)
        return self.stays, self.open

    def _same_visit(self, visit: Visit) -> bool:
        assert self.open is not None
        return visit.visit is None or self.open.visit is None or visit.visit.key == self.open.visit.key

    def _describe(self, visit: Visit) -> None:
        assert self.open is not None
        self.open = Encounter(
            self.open.visit or visit.visit,
            visit.patient_class or self.open.patient_class,
            self.open.admitted_us,
            visit.reason or self.open.reason,
        )

    def _enter(self, fact: Fact[Visit]) -> None:
        self.place = (fact, fact.value.location, fact.value.visit or (self.open.visit if self.open else None))

    def _leave(self, at_us: int | None) -> None:
        if self.place is None:
            return
        since, location, visit = self.place
        if at_us is None or at_us > since.occurred_us:
            assert since.pid is not None
            self.stays.append(BedStay(since.pid, location, since.occurred_us, at_us, visit))
        self.place = None


def bed_key(location: Location) -> str:
    """One text for a bed; empty where no bed is named. Letter case and spaces around do not tell beds apart."""
    if not location.bed.strip():
        return ""
    return "|".join(part.strip().casefold() for part in (location.facility, location.ward, location.room, location.bed))


def fold_occupancy(stays: Iterable[BedStay], survivors: Mapping[int, int]) -> list[Span]:
    """Who lies in one bed over time. Two people at once are nobody, for the reason `ambiguous-bed`."""
    edges: list[tuple[int, int, int]] = []
    for number, stay in enumerate(stays):
        edges.append((stay.start_us, number, stay.pid))
        if stay.end_us is not None:
            edges.append((stay.end_us, ~number, stay.pid))
    present: dict[int, int] = {}
    spans = [Span(START_US, None, UNASSOCIATED)]
    moments = sorted({edge[0] for edge in edges})
    by_moment: dict[int, list[tuple[int, int, int]]] = {moment: [] for moment in moments}
    for edge in edges:
        by_moment[edge[0]].append(edge)
    for moment in moments:
        for _, number, pid in by_moment[moment]:
            if number >= 0:
                present[number] = pid
            else:
                present.pop(~number, None)
        people = {survivors.get(pid, pid) for pid in present.values()}
        if len(people) > 1:
            _extend(spans, Span(moment, None, AMBIGUOUS_BED))
        elif people:
            _extend(spans, Span(moment, min(present.values()), ""))
        else:
            _extend(spans, Span(moment, None, UNASSOCIATED))
    return spans


def _extend(spans: list[Span], span: Span) -> None:
    """Add a span, joining it to an equal one before it; one at the same instant replaces."""
    if spans and spans[-1].start_us == span.start_us:
        spans.pop()
    if not spans or (spans[-1].pid, spans[-1].reason) != (span.pid, span.reason):
        spans.append(span)


def fold_device(
    facts: Iterable[Fact[Association]],
    occupancy: Mapping[str, Sequence[Span]],
    survivors: Mapping[int, int],
) -> Timeline:
    """A device's holders: by its associations with a person, else by the bed it stands at and who lies there.

    `occupancy` has the spans of every bed at which the device was ever placed.
    """
    everything = list(facts)
    # "The device is free" names neither a person nor a bed, and ends both.
    free = [
        fact for fact in everything if fact.pid is None and fact.value.location is None and fact.value.action != "start"
    ]
    people = _periods([fact for fact in everything if fact.pid is not None] + free, survivors)
    places = _periods([fact for fact in everything if fact.pid is None], survivors)
    cuts = {START_US}
    for start, end, _ in (*people, *places):
        cuts |= {start, end}
    for spans in occupancy.values():
        cuts |= {span.start_us for span in spans}
    result: list[Span] = []
    for cut in sorted(cuts):
        if cut < END_US:
            _extend(result, _holder(cut, people, places, occupancy, survivors))
    return Timeline(result)


Period = tuple[int, int, Fact[Association]]


def _holder(
    moment: int,
    people: Sequence[Period],
    places: Sequence[Period],
    occupancy: Mapping[str, Sequence[Span]],
    survivors: Mapping[int, int],
) -> Span:
    pids = {fact.pid for start, end, fact in people if start <= moment < end and fact.pid is not None}
    if pids:
        if len({survivors.get(pid, pid) for pid in pids}) > 1:
            return Span(moment, None, AMBIGUOUS_DEVICE)
        return Span(moment, min(pids), "")
    beds = {bed_key(fact.value.location or Location()) for start, end, fact in places if start <= moment < end}
    beds.discard("")
    if len(beds) > 1:
        return Span(moment, None, AMBIGUOUS_DEVICE)
    if beds:
        spans = occupancy.get(beds.pop(), NOBODY)
        held = spans[bisect_right([span.start_us for span in spans], moment) - 1]
        return Span(moment, held.pid, held.reason)
    return Span(moment, None, UNASSOCIATED)


def _periods(facts: list[Fact[Association]], survivors: Mapping[int, int]) -> list[Period]:
    """[start, end) of each association that was not cancelled; a later start ends an earlier period."""
    starts = sorted((fact for fact in facts if fact.value.action == "start"), key=lambda fact: fact.place)
    gone: set[int] = set()
    for cancel in sorted((fact for fact in facts if fact.value.action == "cancel"), key=lambda fact: fact.place):
        for position in range(len(starts) - 1, -1, -1):
            start = starts[position]
            if (
                position not in gone
                and start.occurred_us <= cancel.occurred_us
                and _speaks_of(cancel, start, survivors)
            ):
                gone.add(position)
                break
    kept = [start for position, start in enumerate(starts) if position not in gone]
    ends = sorted((fact for fact in facts if fact.value.action == "end"), key=lambda fact: fact.place)
    periods = []
    for start in kept:
        stops = [
            fact.occurred_us
            for fact in ends
            if fact.occurred_us > start.occurred_us and _speaks_of(fact, start, survivors)
        ]
        stops += [other.occurred_us for other in kept if other.occurred_us > start.occurred_us]
        stops += [start.ended_us] if start.ended_us is not None else []
        end = min(stops, default=END_US)
        if end > start.occurred_us:
            periods.append((start.occurred_us, end, start))
    return periods


def _speaks_of(fact: Fact[Association], start: Fact[Association], survivors: Mapping[int, int]) -> bool:
    if fact.pid is not None and start.pid is not None:
        return survivors.get(fact.pid, fact.pid) == survivors.get(start.pid, start.pid)
    named, placed = fact.value.location, start.value.location
    return named is None or placed is None or bed_key(named) == bed_key(placed)

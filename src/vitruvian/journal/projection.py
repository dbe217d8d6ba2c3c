"""From identity facts to tables: merges, stays, demographics, device holders; and moving rows to whom they belong.

One pass in one direction, so that nothing chases its own tail: merges, then entries that named two persons, then
visits, then people's beds, then devices.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from vitruvian.core.events import Association, Merge, Person, Visit
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.journal.folds import (
    Fact,
    Span,
    Timeline,
    bed_key,
    changes,
    fold_device,
    fold_merges,
    fold_occupancy,
    fold_person,
    fold_visits,
)
from vitruvian.journal.people import People, encode
from vitruvian.journal.prepare import Prepared
from vitruvian.journal.records import BedStay

MERGE_CYCLE: Final = "merge-cycle"
_COPIED: Final = "occurred_us, ord, seq, known_us, claim, kinds, until_us, ?, NULL, samples"
_WINDOW: Final = "claim = ? AND occurred_us >= ? AND occurred_us < ?"
_FACTS: Final = "SELECT occurred_us, ended_us, ord, seq, ix, pid, value FROM fact WHERE live = 1 AND "
_DECODERS: Final[dict[type, Any]] = {
    kind: msgspec.msgpack.Decoder(kind) for kind in (Visit, Association, Merge, Person, Location, Identifier)
}


def decode_optional(kind: type, data: bytes | None) -> Any:
    """A stored value, or None."""
    return None if data is None else _DECODERS[kind].decode(data)


class Projection:
    """What one transaction's facts change. `rebuild` and `visits` collect own pids."""

    def __init__(self, connection: sqlite3.Connection, people: People, recorded_us: int) -> None:
        self._db = connection
        self._people = people
        self._recorded_us = recorded_us
        self.rebuild: set[int] = set()
        self.visits: set[int] = set()
        self._merges = False
        self._persons: set[int] = set()
        self._visit_keys: set[str] = set()
        self._beds: set[str] = set()
        self._devices: set[str] = set()

    @property
    def dirty(self) -> bool:
        """Whether a refold is due."""
        return bool(self._merges or self._persons or self._visit_keys or self._beds or self._devices)

    # -- facts in --------------------------------------------------------------------------------------------

    def add(self, prepared: Prepared, seq: int, pid: int | None, claim: int, live: bool) -> None:
        """Keep an entry's identity events as facts."""
        for ix, event in enumerate(prepared.entry.events):
            value, about, bed = event.value, "", ""
            if isinstance(value, Visit):
                kind = "visit"
                about = (value.visit or prepared.entry.encounter or Identifier("", "")).key
                about = "" if about == "|" else about
                if value.visit is None and prepared.entry.encounter is not None:
                    value = msgspec.structs.replace(value, visit=prepared.entry.encounter)
            elif isinstance(value, Person):
                kind = "person"
            elif isinstance(value, Merge):
                kind = "merge"
                if not claim:
                    self._people.priors(value.prior)
            elif isinstance(value, Association):
                kind = "association" if pid is not None or claim else "placement"
                about, bed = value.device, bed_key(value.location or Location())
                self._people.claim("device", about)
            else:
                continue
            self._db.execute(
                "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    seq,
                    ix,
                    kind,
                    pid,
                    about,
                    bed,
                    claim,
                    event.occurred_us,
                    event.ended_us,
                    prepared.order,
                    live,
                    encode(value),
                ),
            )
            if live:
                self._touch(kind, pid, about, claim)

    def _touch(self, kind: str, pid: int | None, about: str, claim: int) -> None:
        if kind == "merge":
            self._merges = True
        elif kind in ("association", "placement"):
            self._devices.add(about)
        else:
            if pid is not None:
                self._persons.add(pid)
            if kind == "visit" and about and not claim:
                self._visit_keys.add(about)

    def set_live(self, seq: int, live: bool) -> None:
        """An entry's facts count no longer, or again, because another version of it does."""
        rows = self._db.execute(
            "SELECT kind, pid, about, claim FROM fact WHERE seq = ? AND live <> ?", (seq, live)
        ).fetchall()
        if rows:
            self._db.execute("UPDATE fact SET live = ? WHERE seq = ?", (live, seq))
            for row in rows:
                self._touch(*row)

    def visit_learned(self, visit: str) -> None:
        """An entry was the first to name both this visit and a patient."""
        self._visit_keys.add(visit)

    # -- folds -----------------------------------------------------------------------------------------------

    def refold(self) -> None:
        """Bring every table up to the facts."""
        if self._merges:
            self._refold_merges()
        for visit in sorted(self._visit_keys):
            row = self._db.execute("SELECT id FROM claim WHERE kind = 'visit' AND key = ?", (visit,)).fetchone()
            if row is not None:
                self._assign(row[0], self._people.constant("visit", visit))
        self._refold_people()
        for bed in sorted(self._beds):
            rows = self._db.execute(
                "SELECT DISTINCT about FROM fact WHERE bed = ? AND bed <> '' AND kind = 'placement'", (bed,)
            )
            self._devices.update(row[0] for row in rows.fetchall())
        occupancy: dict[str, list[Span]] = {}
        for device in sorted(self._devices):
            self._refold_device(device, occupancy)
        self._merges = False
        for pending in (self._persons, self._visit_keys, self._beds, self._devices):
            pending.clear()

    def _facts(self, kind: type, where: str, *parameters: object) -> list[Fact[Any]]:
        rows = self._db.execute(_FACTS + where, parameters).fetchall()
        return [
            Fact(occurred_us, ended_us, order, seq, ix, pid, _DECODERS[kind].decode(value))
            for occurred_us, ended_us, order, seq, ix, pid, value in rows
        ]

    def _refold_merges(self) -> None:
        people = self._people
        facts = self._facts(Merge, "kind = 'merge' AND claim = 0")
        before = people.survivors
        after, refused = fold_merges((fact, people.priors(fact.value.prior)) for fact in facts)
        self._note_cycles(refused)
        changed = {pid for pid in before.keys() | after.keys() if before.get(pid, pid) != after.get(pid, pid)}
        if not changed:
            return
        groups = changed | {before.get(pid, pid) for pid in changed} | {after.get(pid, pid) for pid in changed}
        members = groups | {pid for pid, survivor in (*before.items(), *after.items()) if survivor in groups}
        people.survivors = after
        self._db.executemany(
            "UPDATE person SET survivor = ? WHERE pid = ?", ((after.get(pid, pid), pid) for pid in changed)
        )
        self.rebuild |= groups
        self._persons |= members
        for pid in members:
            self._beds.update(
                row[0] for row in self._db.execute("SELECT bed FROM stay WHERE pid = ?", (pid,)).fetchall()
            )
            rows = self._db.execute("SELECT DISTINCT about FROM fact WHERE pid = ? AND kind = 'association'", (pid,))
            self._devices.update(row[0] for row in rows.fetchall())
            rows = self._db.execute(
                "SELECT DISTINCT about FROM fact WHERE pid = ? AND kind = 'visit' AND about <> ''", (pid,)
            )
            self._visit_keys.update(row[0] for row in rows.fetchall())
        self._visit_keys.update(self._shared_visits())
        for claim, key in self._db.execute("SELECT id, key FROM claim WHERE kind = 'conflict'").fetchall():
            if not members.isdisjoint(map(int, key.split(","))):
                self._settle_conflict(claim, people.constant("conflict", key))

    def _shared_visits(self) -> list[str]:
        rows = self._db.execute("SELECT visit FROM visit_pid GROUP BY visit HAVING count(*) > 1").fetchall()
        return [row[0] for row in rows]

    def _note_cycles(self, refused: Iterable[Fact[Merge]]) -> None:
        for fact in refused:
            self._db.execute(
                "INSERT OR IGNORE INTO quarantine"
                " (recorded_us, source, source_id, reason, detail, raw, digest)"
                " VALUES (?, '', '', ?, ?, x'', ?)",
                (
                    self._recorded_us,
                    MERGE_CYCLE,
                    f"entry {fact.seq} merges a person into one who was merged into them; correct one of the two",
                    b"merge-cycle" + fact.seq.to_bytes(8, "little"),
                ),
            )

    def _settle_conflict(self, claim: int, timeline: Timeline) -> None:
        resolved = timeline.spans[0].pid is not None
        self._db.execute("UPDATE quarantine SET resolved = ? WHERE claim = ?", (resolved, claim))
        self._assign(claim, timeline)

    def _refold_people(self) -> None:
        people = self._people
        survivors = {people.survivor(pid) for pid in self._persons}
        # Who was merged away has no stays of their own any more: the survivor's fold owns them.
        for survivor in sorted(survivors):
            group = [
                row[0] for row in self._db.execute("SELECT pid FROM person WHERE survivor = ?", (survivor,)).fetchall()
            ]
            marks = ",".join("?" * len(group))
            facts = self._facts(Visit, f"kind = 'visit' AND pid IN ({marks})", *group)
            stays, encounter = fold_visits(facts)
            self._store_stays(group, stays)
            persons = self._facts(Person, f"kind = 'person' AND pid IN ({marks})", *group)
            person = fold_person(persons, survivor)
            self._db.execute(
                "UPDATE person SET person = ?, visit = ? WHERE pid = ?",
                (encode(person) if person else None, encode(encounter) if encounter else None, survivor),
            )
            self.visits.add(survivor)

    def _store_stays(self, group: list[int], stays: list[BedStay]) -> None:
        marks = ",".join("?" * len(group))
        columns = "pid, start_us, end_us, bed, location, visit"
        old = set(self._db.execute(f"SELECT {columns} FROM stay WHERE pid IN ({marks})", group).fetchall())  # noqa: S608
        new = {
            (s.pid, s.start_us, s.end_us, bed_key(s.location), encode(s.location), encode(s.visit) if s.visit else None)
            for s in stays
        }
        self._db.executemany("DELETE FROM stay WHERE pid = ? AND start_us = ?", ((row[0], row[1]) for row in old - new))
        self._db.executemany("INSERT OR REPLACE INTO stay VALUES (?, ?, ?, ?, ?, ?)", new - old)
        self._beds.update(row[3] for row in old ^ new if row[3])

    def _occupancy(self, bed: str) -> list[Span]:
        rows = self._db.execute("SELECT pid, start_us, end_us FROM stay WHERE bed = ?", (bed,)).fetchall()
        stays = (BedStay(pid, Location(), start_us, end_us, None) for pid, start_us, end_us in rows)
        return fold_occupancy(stays, self._people.survivors)

    def _refold_device(self, device: str, occupancy: dict[str, list[Span]]) -> None:
        facts: list[Fact[Association]] = self._facts(
            Association,
            "about = ? AND about <> '' AND (kind = 'placement' OR kind = 'association' AND pid IS NOT NULL)",
            device,
        )
        for fact in facts:
            bed = bed_key(fact.value.location or Location())
            if fact.pid is None and bed and bed not in occupancy:
                occupancy[bed] = self._occupancy(bed)
        claim = self._people.claim("device", device)
        self._assign(claim, fold_device(facts, occupancy, self._people.survivors))

    # -- rows to whom they belong ----------------------------------------------------------------------------

    def _assign(self, claim: int, new: Timeline) -> None:
        old = self._people.timeline(claim)
        if old.spans == new.spans:
            return
        for start_us, end_us, before, after in changes(old, new):
            self._move((claim, start_us, end_us), before, after)
        self._people.store(claim, new)

    def _move(self, window: tuple[int, int, int], before: int | None, after: int | None) -> None:
        """Hand the rows of a claim within [start, end) from one holder to another; None is the waiting room."""
        source = "waiting" if before is None else "series"
        held = _WINDOW if before is None else f"pid = ? AND {_WINDOW} AND gone_us IS NULL"
        held_by = window if before is None else (before, *window)
        since = None if after is None else self._recorded_us
        into = f"waiting SELECT {_COPIED}" if after is None else f"series SELECT ?, {_COPIED}"
        given = (since,) if after is None else (after, since)
        moved = self._db.execute(
            f"INSERT OR REPLACE INTO {into} FROM {source} WHERE {held}", (*given, *held_by)
        ).rowcount
        if before is None:
            self._db.execute(f"DELETE FROM waiting WHERE {held}", held_by)  # noqa: S608
        elif moved > 0:
            self._db.execute(f"UPDATE series SET gone_us = ? WHERE {held}", (self._recorded_us, *held_by))  # noqa: S608
        if moved > 0:
            self.rebuild |= {pid for pid in (before, after) if pid is not None}
        rows = self._db.execute(
            f"SELECT seq, ix, kind, about FROM fact WHERE {_WINDOW} AND claim <> 0 AND pid IS NOT ?",  # noqa: S608
            (*window, after),
        ).fetchall()
        for seq, ix, kind, about in rows:
            self._db.execute("UPDATE fact SET pid = ? WHERE seq = ? AND ix = ?", (after, seq, ix))
            for pid in (before, after):
                if pid is not None:
                    self._touch(kind, pid, about, window[0])

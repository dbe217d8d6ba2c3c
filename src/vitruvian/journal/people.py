"""The writer's view of who is who: persons, their identifiers, and claims (entries whose person must be found out).

Everything here is a cache of the tables, filled on demand and dropped whole when a transaction fails.
"""

from __future__ import annotations

import base64
import hashlib
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from vitruvian.core.identifiers import Identifier
from vitruvian.journal.folds import NOBODY, START_US, Span, Timeline

IDENTITY_CONFLICT: Final = "identity-conflict"
UNKNOWN_VISIT: Final = "unknown-visit"
AMBIGUOUS_VISIT: Final = "ambiguous-visit"
CACHE_MAX: Final = 200_000
_PUBLIC_ID_CHARS: Final = 12

encode: Final = msgspec.msgpack.Encoder().encode


def public_id(keys: Iterable[str], chars: int = _PUBLIC_ID_CHARS) -> str:
    """A short stable name from the smallest identifier: the same in every journal that saw the same first entry."""
    digest = hashlib.blake2b(min(keys).encode(), digest_size=20, person=b"vitruvian-person").digest()
    return base64.b32encode(digest).decode().lower()[:chars]


class People:
    """Persons, identifiers and claims, through the writing connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self.survivors: dict[int, int] = {}
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered, and read the merges again."""
        self._pids: dict[str, int] = {}
        self._subjects: dict[tuple[Identifier, ...], tuple[int, int]] = {}
        self._claims: dict[tuple[str, str], int] = {}
        self._timelines: dict[int, Timeline] = {}
        self._visits: set[tuple[str, int]] = set()
        self.survivors = dict(self._db.execute("SELECT pid, survivor FROM person WHERE pid <> survivor").fetchall())

    def survivor(self, pid: int) -> int:
        """The person into whom this one was merged, or itself."""
        return self.survivors.get(pid, pid)

    def pid_of(self, key: str) -> int | None:
        """The own pid of an identifier."""
        pid = self._pids.get(key)
        if pid is None:
            row = self._db.execute("SELECT pid FROM identifier WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            pid = self._pids[key] = row[0]
            if len(self._pids) > CACHE_MAX:
                self._pids.clear()
        return pid

    def person(self, subject: tuple[Identifier, ...]) -> tuple[int, int]:
        """(own pid, 0) of a patient as stated, made and linked where new; or (0, claim) where it fits two persons."""
        known = self._subjects.get(subject)
        if known is not None:
            return known
        result = self._find(subject)
        if len(self._subjects) > CACHE_MAX:
            self._subjects.clear()
        self._subjects[subject] = result
        return result

    def _find(self, subject: tuple[Identifier, ...]) -> tuple[int, int]:
        keys = {identifier.key: identifier for identifier in subject}
        pids = {pid for key in keys if (pid := self.pid_of(key)) is not None}
        if len(pids) > 1:
            return 0, self.claim("conflict", ",".join(map(str, sorted(pids))))
        pid = pids.pop() if pids else self._new(keys)
        for key, identifier in keys.items():
            if self.pid_of(key) is None:
                self._db.execute("INSERT INTO identifier VALUES (?, ?, ?)", (key, pid, encode(identifier)))
                self._pids[key] = pid
        return pid, 0

    def _new(self, keys: Iterable[str]) -> int:
        name = public_id(keys)
        if self._db.execute("SELECT 1 FROM person WHERE public_id = ?", (name,)).fetchone():
            name = public_id(keys, 32)
        pid = int(self._db.execute("SELECT coalesce(max(pid), 0) + 1 FROM person").fetchone()[0])
        self._db.execute("INSERT INTO person (pid, public_id, survivor) VALUES (?, ?, ?)", (pid, name, pid))
        return pid

    def priors(self, identifiers: Sequence[Identifier]) -> tuple[int, ...]:
        """Own pids of the identifiers that a merge retires; one person is made for those that nobody had yet."""
        found = {pid for identifier in identifiers if (pid := self.pid_of(identifier.key)) is not None}
        unknown = tuple(identifier for identifier in identifiers if self.pid_of(identifier.key) is None)
        if unknown:
            together = unknown + tuple(i for i in identifiers if i not in unknown) if len(found) == 1 else unknown
            pid, _ = self.person(together)
            found.add(pid)
        return tuple(sorted(found))

    def claim(self, kind: str, key: str) -> int:
        """The number of a claim, made where new."""
        known = self._claims.get((kind, key))
        if known is None:
            row = self._db.execute("SELECT id FROM claim WHERE kind = ? AND key = ?", (kind, key)).fetchone()
            if row is None:
                known = int(self._db.execute("INSERT INTO claim (kind, key) VALUES (?, ?)", (kind, key)).lastrowid or 0)
                if kind != "device":
                    self.store(known, self.constant(kind, key))
            else:
                known = int(row[0])
            if len(self._claims) > CACHE_MAX:
                self._claims.clear()
            self._claims[kind, key] = known
        return known

    def timeline(self, claim: int) -> Timeline:
        """Whose the entries of a claim are, over time."""
        timeline = self._timelines.get(claim)
        if timeline is None:
            rows = self._db.execute(
                "SELECT start_us, pid, reason FROM span WHERE claim = ? ORDER BY start_us", (claim,)
            ).fetchall()
            timeline = Timeline([Span(*row) for row in rows] or NOBODY)
            if len(self._timelines) > CACHE_MAX:
                self._timelines.clear()
            self._timelines[claim] = timeline
        return timeline

    def store(self, claim: int, timeline: Timeline) -> None:
        """Keep a claim's timeline."""
        self._db.execute("DELETE FROM span WHERE claim = ?", (claim,))
        self._db.executemany("INSERT INTO span VALUES (?, ?, ?, ?)", ((claim, *span) for span in timeline.spans))
        self._timelines[claim] = timeline

    def constant(self, kind: str, key: str) -> Timeline:
        """What a claim by several identifiers, or by a visit, amounts to now: one person for all time, or nobody."""
        if kind == "conflict":
            pids, none, several = [int(part) for part in key.split(",")], IDENTITY_CONFLICT, IDENTITY_CONFLICT
        else:
            pids, none, several = self.visit_pids(key), UNKNOWN_VISIT, AMBIGUOUS_VISIT
        if not pids:
            return Timeline([Span(START_US, None, none)])
        if len({self.survivor(pid) for pid in pids}) > 1:
            return Timeline([Span(START_US, None, several)])
        return Timeline([Span(START_US, min(pids), "")])

    def visit_pids(self, visit: str) -> list[int]:
        """Whose a visit is: by its own admission, else by entries that name both patient and visit."""
        rows = (
            self._db.execute(
                "SELECT DISTINCT pid FROM fact WHERE about = ? AND kind = 'visit' AND live = 1 AND claim = 0", (visit,)
            ).fetchall()
            or self._db.execute("SELECT pid FROM visit_pid WHERE visit = ?", (visit,)).fetchall()
        )
        return [row[0] for row in rows]

    def learn_visit(self, visit: str, pid: int) -> bool:
        """Note that an entry names both; True where that is new."""
        if (visit, pid) in self._visits:
            return False
        if len(self._visits) > CACHE_MAX:
            self._visits.clear()
        self._visits.add((visit, pid))
        return self._db.execute("INSERT OR IGNORE INTO visit_pid VALUES (?, ?)", (visit, pid)).rowcount > 0

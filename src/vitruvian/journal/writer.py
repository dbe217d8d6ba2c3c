"""One transaction: entries in, receipts and what changed out."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from typing import Final

import msgspec

from vitruvian.core.events import Entry, Finding, Receipt, Refusal
from vitruvian.core.identifiers import digest16
from vitruvian.core.limits import QUARANTINE_BYTES_MAX
from vitruvian.journal.chain import Head, link, payload_digest
from vitruvian.journal.people import IDENTITY_CONFLICT, People
from vitruvian.journal.prepare import DERIVED, IDENTITY_KINDS, Prepared, prepare
from vitruvian.journal.projection import Projection
from vitruvian.journal.samples import Commit, Row, from_rows
from vitruvian.journal.versions import Rank, content_digest, rank, until

SALT_BYTES: Final = 16
_CHUNK: Final = 256  # keys looked up in one statement
_SEEK: Final = f"SELECT fingerprint, seq FROM source_key WHERE fingerprint IN ({','.join('?' * _CHUNK)})"  # noqa: S608
_REBUILT: Final = 1
_VISITED: Final = 2

_decode_entry: Final = msgspec.msgpack.Decoder(Entry).decode


class Batch:
    """The work of one `append`, within a transaction that its caller opens and commits."""

    def __init__(self, connection: sqlite3.Connection, people: People, head: Head, recorded_us: int) -> None:
        self._db = connection
        self._people = people
        self._recorded_us = recorded_us
        self._chain = head.digest
        self._first_seq = self._seq = head.seq
        self._projection = Projection(connection, people, recorded_us)
        self._known: dict[int, int] = {}
        self._salts = b""
        self._rows: list[Row] = []
        self._withdrawn: set[int] = set()
        self._forget_pending()

    def _forget_pending(self) -> None:
        self._log: list[tuple[int, int, bytes, bytes, bytes, bytes]] = []
        self._keys: list[tuple[int, int]] = []
        self._series: list[tuple[int, int, int, int, int, int, int, int | None, bytes]] = []
        self._waiting: list[tuple[int, int, int, int, int, int, int | None, bytes]] = []
        self._findings: list[tuple[int, str, int, int, int, float | None, int | None]] = []

    @property
    def head(self) -> Head:
        """The chain's head after what was taken so far."""
        return Head(self._seq, self._chain)

    def run(self, entries: Sequence[Entry]) -> Commit:
        """Take the entries: those that say who and where first, so that the others find their patient at once."""
        prepared = [prepare(entry) for entry in entries]
        receipts: list[Receipt | None] = [None] * len(prepared)
        self._seek([item.order for item in prepared if isinstance(item, Prepared)])
        self._salts = os.urandom(SALT_BYTES * len(prepared))
        later: list[tuple[int, Prepared]] = []
        for position, item in enumerate(prepared):
            if isinstance(item, Refusal):
                receipts[position] = quarantine(self._db, item, self._recorded_us)
            elif item.kinds & IDENTITY_KINDS:
                receipts[position] = self._take(item)
            else:
                later.append((position, item))
        self._settle()
        for position, item in later:
            receipts[position] = self._take(item)
        self._settle()
        return self._commit([receipt for receipt in receipts if receipt is not None])

    def _settle(self) -> None:
        self._flush()
        if self._projection.dirty:
            self._projection.refold()

    def _commit(self, receipts: list[Receipt]) -> Commit:
        people, projection = self._people, self._projection
        rebuild = {people.survivor(pid) for pid in projection.rebuild} | projection.rebuild
        visits = {people.survivor(pid) for pid in projection.visits}
        self._db.executemany(
            "INSERT OR IGNORE INTO change VALUES (?, ?, ?)",
            [(self._seq, pid, what) for pids, what in ((rebuild, _REBUILT), (visits, _VISITED)) for pid in pids],
        )
        rows = self._rows
        if people.survivors:
            rows = [(people.survivor(row[0]), *row[1:]) for row in rows]
        if rebuild:
            rows = [row for row in rows if row[0] not in rebuild]
        return Commit(receipts, self._first_seq + 1, self._seq, self._recorded_us, from_rows(rows), rebuild, visits)

    # -- keys and versions -----------------------------------------------------------------------------------

    def _seek(self, fingerprints: list[int]) -> None:
        for start in range(0, len(fingerprints), _CHUNK):
            part = fingerprints[start : start + _CHUNK]
            part += [part[-1]] * (_CHUNK - len(part))
            self._known.update(self._db.execute(_SEEK, part).fetchall())

    def _take(self, item: Prepared) -> Receipt:
        if item.order in self._known:
            return self._seen(item)
        return self._fresh(item, item.order)

    def _fresh(self, item: Prepared, fingerprint: int) -> Receipt:
        seq = self._write(item)
        self._keys.append((fingerprint, seq))
        self._known[fingerprint] = seq
        return self._place(item, seq, None, "committed")

    def _write(self, item: Prepared) -> int:
        """Append to the log and its chain."""
        seq = self._seq = self._seq + 1
        salt, self._salts = self._salts[:SALT_BYTES], self._salts[SALT_BYTES:]
        self._chain = link(self._chain, seq, self._recorded_us, item.key, payload_digest(item.payload, salt))
        self._log.append((seq, self._recorded_us, item.key, salt, item.payload, self._chain))
        return seq

    def _stored(self, seq: int) -> tuple[int, bytes, Entry | None]:
        recorded_us, key, salt, payload = self._db.execute(
            "SELECT recorded_us, key, salt, payload FROM log WHERE seq = ?", (seq,)
        ).fetchone()
        return recorded_us, key, None if salt is None else _decode_entry(payload)

    def _seen(self, item: Prepared) -> Receipt:
        """An entry whose name is known: a duplicate, a correction, or an older version that comes late."""
        self._flush()
        fingerprint = item.order
        while True:
            winner = self._known.get(fingerprint)
            if winner is None:
                row = self._db.execute("SELECT seq FROM source_key WHERE fingerprint = ?", (fingerprint,)).fetchone()
                if row is None:
                    return self._fresh(item, fingerprint)
                winner = int(row[0])
            if self._stored(winner)[1] == item.key:
                return self._version(item, fingerprint, winner)
            fingerprint = fingerprint + 1 if fingerprint < (1 << 63) - 1 else -(1 << 63)

    def _version(self, item: Prepared, fingerprint: int, winner: int) -> Receipt:
        rows = self._db.execute("SELECT seq, alias FROM version WHERE fingerprint = ?", (fingerprint,)).fetchall()
        ranked: list[tuple[Rank, int, int, bool]] = []
        # As read back: in code a whole number may stand where the log has a decimal one.
        new = _decode_entry(item.payload)
        content = content_digest(new)
        for seq, alias in rows or [(winner, "")]:
            recorded_us, _, entry = self._stored(seq)
            if entry is None:
                return Receipt("duplicate", seq, "erased")
            version = alias or entry.source_version
            same = content_digest(entry) == content
            if version == new.source_version and same:  # other content under one number is ranked by its status
                return Receipt("duplicate", seq)
            known_us = recorded_us if entry.available_us is None else entry.available_us
            ranked.append((rank(entry, version), known_us, seq, same))
        mine = rank(new, new.source_version)
        top = max(ranked)
        if top[3]:  # the same content under another number: the number is noted, and nothing changes
            if mine > top[0]:
                self._note_versions(fingerprint, [(seq, "") for *_, seq, _ in ranked])
                self._note_versions(fingerprint, [(top[2], item.entry.source_version)])
            return Receipt("duplicate", top[2])
        return self._supersede(item, fingerprint, ranked, mine, top[2])

    def _note_versions(self, fingerprint: int, versions: list[tuple[int, str]]) -> None:
        self._db.executemany(
            "INSERT OR IGNORE INTO version VALUES (?, ?, ?)", [(fingerprint, seq, alias) for seq, alias in versions]
        )

    def _supersede(
        self, item: Prepared, fingerprint: int, ranked: list[tuple[Rank, int, int, bool]], mine: Rank, winner: int
    ) -> Receipt:
        seq = self._write(item)
        known_us = self._recorded_us if item.entry.available_us is None else item.entry.available_us
        everyone = sorted([*((r, k, s) for r, k, s, _ in ranked), (mine, known_us, seq)])
        self._note_versions(fingerprint, [(s, "") for _, _, s in everyone])
        wins = everyone[-1][2] == seq
        outcome = "corrected" if wins else "stale"
        ends = dict(zip((s for _, _, s in everyone), until([k for _, k, _ in everyone]), strict=True))
        receipt = self._place(item, seq, ends[seq], outcome)
        self._flush()
        top = everyone[-1][2]
        for other, until_us in ends.items():
            for table in ("series", "waiting", "finding"):
                self._db.execute(f"UPDATE {table} SET until_us = ? WHERE seq = ?", (until_us, other))  # noqa: S608
            if other != top:
                self._db.execute("INSERT OR REPLACE INTO superseded VALUES (?, ?)", (other, top))
            self._projection.set_live(other, other == top)
        if wins:
            self._db.execute("UPDATE source_key SET seq = ? WHERE fingerprint = ?", (seq, fingerprint))
            self._known[fingerprint] = seq
            pids = self._db.execute("SELECT pid FROM series WHERE seq IN (?, ?) AND gone_us IS NULL", (winner, seq))
            self._projection.rebuild.update(row[0] for row in pids.fetchall())
        return receipt

    # -- whose, and where ------------------------------------------------------------------------------------

    def _place(self, item: Prepared, seq: int, until_us: int | None, outcome: str) -> Receipt:
        """Find the entry's patient and queue its rows."""
        entry = item.entry
        people = self._people
        pid, claim = 0, 0
        if entry.subject:
            pid, claim = people.person(entry.subject)
            if pid and entry.encounter is not None and people.learn_visit(entry.encounter.key, pid):
                self._projection.visit_learned(entry.encounter.key)
        elif entry.encounter is not None:
            claim = people.claim("visit", entry.encounter.key)
        elif entry.device:
            claim = people.claim("device", entry.device)
        known_us = self._recorded_us if entry.available_us is None else entry.available_us
        reason = self._rows_of(item, seq, pid, claim, known_us, until_us)
        if item.kinds & IDENTITY_KINDS:
            held = people.timeline(claim).spans[0].pid if claim and (entry.subject or entry.encounter) else None
            device_only = not entry.subject and entry.encounter is None
            self._projection.add(item, seq, pid or held, 0 if device_only else claim, until_us is None)
        if reason == IDENTITY_CONFLICT:
            return self._conflict(item, seq, claim)
        if reason and outcome == "committed" and not self._only_placement(item):
            return Receipt("waiting", seq, reason)
        return Receipt(outcome, seq)  # type: ignore[arg-type]

    @staticmethod
    def _only_placement(item: Prepared) -> bool:
        return not item.kinds & ~IDENTITY_KINDS

    def _rows_of(self, item: Prepared, seq: int, pid: int, claim: int, known_us: int, until_us: int | None) -> str:
        """Queue one row an instant; returns why some of them wait, or nothing."""
        order, reason = item.order, ""
        if item.kinds & DERIVED and self._findings_of(item, seq, pid, known_us, until_us):
            return ""
        timeline = self._people.timeline(claim) if claim else None
        for occurred_us, kinds, blob in item.groups:
            holder: int | None = pid
            if timeline is not None:
                span = timeline.at(occurred_us)
                holder, reason = span.pid, span.reason or reason
            if holder is None:
                self._waiting.append((occurred_us, order, seq, known_us, claim, kinds, until_us, blob))
                continue
            self._series.append((holder, occurred_us, order, seq, known_us, claim, kinds, until_us, blob))
            if blob and until_us is None:
                self._rows.append((holder, occurred_us, order, known_us, seq, blob))
        return reason

    def _findings_of(self, item: Prepared, seq: int, pid: int, known_us: int, until_us: int | None) -> bool:
        """Queue findings; True where the entry holds nothing else."""
        found = [(event.occurred_us, event.value) for event in item.entry.events if isinstance(event.value, Finding)]
        self._findings += [(pid, value.name, at_us, seq, known_us, value.number, until_us) for at_us, value in found]
        return len(found) == len(item.entry.events)

    def _conflict(self, item: Prepared, seq: int, claim: int) -> Receipt:
        names = ", ".join(sorted({identifier.system for identifier in item.entry.subject}))
        refusal = Refusal(
            IDENTITY_CONFLICT,
            f"found identifiers (of {names}) of different persons, never merged; merge them or correct the source",
            item.entry.source,
            item.entry.source_id,
            item.payload,
        )
        quarantine(self._db, refusal, self._recorded_us, claim)
        return Receipt("quarantined", seq, IDENTITY_CONFLICT)

    def _flush(self) -> None:
        """Write what is queued."""
        many = self._db.executemany
        if self._log:
            many("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", self._log)
        if self._keys:
            many("INSERT INTO source_key VALUES (?, ?)", self._keys)
        if self._series:
            self._series.sort()
            many("INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)", self._series)
        if self._waiting:
            many("INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?)", self._waiting)
        if self._findings:
            many("INSERT OR REPLACE INTO finding VALUES (?, ?, ?, ?, ?, ?, ?)", self._findings)
        self._forget_pending()


def quarantine(connection: sqlite3.Connection, refusal: Refusal, recorded_us: int, claim: int | None = None) -> Receipt:
    """Keep a refused input apart, once; the receipt's seq is its number in quarantine.

    One with a `claim` is in the log too, and resolves itself when the claim does.
    """
    raw = refusal.raw[:QUARANTINE_BYTES_MAX]
    digest = digest16(refusal.source, refusal.source_id, refusal.reason, raw)
    connection.execute(
        "INSERT OR IGNORE INTO quarantine (recorded_us, source, source_id, reason, detail, raw, digest, claim)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (recorded_us, refusal.source, refusal.source_id, refusal.reason, refusal.detail[:1000], raw, digest, claim),
    )
    row = connection.execute("SELECT id FROM quarantine WHERE digest = ?", (digest,)).fetchone()
    return Receipt("quarantined", row[0], refusal.reason)

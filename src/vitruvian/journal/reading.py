"""Questions to the journal, each over a read-only connection. Intervals are half-open: [start_us, end_us)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import NotFoundError
from vitruvian.core.events import Entry, Kind, Person
from vitruvian.core.identifiers import Identifier, Location
from vitruvian.journal.prepare import DERIVED, KINDS
from vitruvian.journal.projection import decode_optional
from vitruvian.journal.records import BedStay, Encounter, Findings, Patient, QuarantinedRow, Stored
from vitruvian.journal.samples import Commit, Samples, empty_samples, from_columns

Parameters = list[int | str | None]

_LIVE: Final = "until_us IS NULL AND gone_us IS NULL"
_KNOWN: Final = (
    "known_us <= ? AND (until_us IS NULL OR until_us > ?)"
    " AND (since_us IS NULL OR since_us <= ?) AND (gone_us IS NULL OR gone_us > ?)"
)
_decode_entry: Final = msgspec.msgpack.Decoder(Entry).decode
_decode_person: Final = msgspec.msgpack.Decoder(Person).decode
_decode_encounter: Final = msgspec.msgpack.Decoder(Encounter).decode
_decode_identifier: Final = msgspec.msgpack.Decoder(Identifier).decode


def _known(known_by_us: int | None) -> tuple[str, Parameters]:
    return (_LIVE, []) if known_by_us is None else (_KNOWN, [known_by_us] * 4)


def survivor(db: sqlite3.Connection, pid: int) -> int:
    """The person into whom `pid` was merged, or `pid`."""
    row = db.execute("SELECT survivor FROM person WHERE pid = ?", (pid,)).fetchone()
    return pid if row is None else int(row[0])


def members(db: sqlite3.Connection, pid: int) -> list[int]:
    """The own pids united under one survivor."""
    rows = db.execute("SELECT pid FROM person WHERE survivor = ? ORDER BY pid", (pid,)).fetchall()
    return [row[0] for row in rows] or [pid]


def series(
    db: sqlite3.Connection,
    pid: int,
    *,
    concepts: Sequence[int] | None,
    start_us: int,
    end_us: int,
    known_by_us: int | None,
    through_seq: int | None,
) -> Samples:
    """Values of one patient, merged records united, in canonical order."""
    top = survivor(db, pid)
    condition, parameters = _known(known_by_us)
    if through_seq is not None:
        condition, parameters = f"{condition} AND seq <= ?", [*parameters, through_seq]
    rows: list[tuple[int, int, int, int, bytes]] = []
    for member in members(db, top):
        rows += db.execute(
            "SELECT occurred_us, ord, known_us, seq, samples FROM series"  # noqa: S608
            f" WHERE pid = ? AND occurred_us >= ? AND occurred_us < ? AND {condition}",
            (member, start_us, end_us, *parameters),
        ).fetchall()
    if not rows:
        return empty_samples()
    occurred, order, known, seq, blobs = zip(*rows, strict=True)
    columns = np.empty((len(rows), 5), dtype=np.int64)
    columns[:, 0] = top
    for position, column in enumerate((occurred, order, known, seq), start=1):
        columns[:, position] = column
    samples = from_columns(columns, blobs)
    if concepts is not None:
        samples = samples.take(np.isin(samples.concept, np.asarray(concepts, dtype=np.int16)))
    return samples.sorted()


def timeline(
    db: sqlite3.Connection,
    pid: int,
    *,
    start_us: int,
    end_us: int,
    kinds: Sequence[Kind] | None,
    known_by_us: int | None,
    limit: int,
) -> list[Stored]:
    """Entries of one patient, the newest first."""
    bits = sum({KINDS[kind] for kind in kinds}) if kinds is not None else 255
    # Observations are many and the rest are few: the index of the few serves when observations are not asked for.
    index = "" if bits & KINDS["observation"] else " INDEXED BY series_rare"
    rare = "" if bits & KINDS["observation"] else " AND kinds <> 1"
    condition, parameters = _known(known_by_us)
    found: dict[int, int] = {}
    for member in members(db, survivor(db, pid)):
        rows = db.execute(
            f"SELECT seq, occurred_us FROM series{index} WHERE pid = ? AND occurred_us >= ? AND occurred_us < ?"  # noqa: S608
            f"{rare} AND kinds & ? AND {condition} ORDER BY occurred_us DESC LIMIT ?",
            (member, start_us, end_us, bits, *parameters, limit),
        ).fetchall()
        if bits & DERIVED:
            live = "until_us IS NULL" if known_by_us is None else "known_us <= ? AND (until_us IS NULL OR until_us > ?)"
            rows += db.execute(
                f"SELECT seq, occurred_us FROM finding"  # noqa: S608
                f" WHERE pid = ? AND occurred_us >= ? AND occurred_us < ? AND {live}"
                " ORDER BY occurred_us DESC LIMIT ?",
                (member, start_us, end_us, *([] if known_by_us is None else [known_by_us] * 2), limit),
            ).fetchall()
        for seq, occurred_us in rows:
            found[seq] = max(found.get(seq, occurred_us), occurred_us)
    newest = sorted(found, key=lambda seq: (found[seq], seq), reverse=True)[:limit]
    return stored(db, newest)


def stored(db: sqlite3.Connection, seqs: Sequence[int]) -> list[Stored]:
    """Entries by their place in the log; erased ones are left out."""
    result = []
    for seq in seqs:
        row = db.execute(
            "SELECT recorded_us, salt, payload, by_seq FROM log LEFT JOIN superseded USING (seq) WHERE seq = ?", (seq,)
        ).fetchone()
        if row is not None and row[1] is not None:
            result.append(Stored(seq, row[0], row[3], _decode_entry(row[2])))
    return result


def findings(db: sqlite3.Connection, pid: int, name: str, start_us: int, end_us: int) -> Findings:
    """What was derived under one name, in order of time."""
    rows: list[tuple[int, int, float | None]] = []
    for member in members(db, survivor(db, pid)):
        rows += db.execute(
            "SELECT occurred_us, seq, number FROM finding"
            " WHERE pid = ? AND name = ? AND occurred_us >= ? AND occurred_us < ? AND until_us IS NULL",
            (member, name, start_us, end_us),
        ).fetchall()
    rows.sort(key=lambda row: row[:2])
    return Findings(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64),
        np.array([row[1] for row in rows], dtype=np.int64),
    )


def finding_names(db: sqlite3.Connection, pid: int) -> list[str]:
    """The names under which anything was derived for a patient."""
    names: set[str] = set()
    for member in members(db, survivor(db, pid)):
        names.update(
            row[0] for row in db.execute("SELECT DISTINCT name FROM finding WHERE pid = ?", (member,)).fetchall()
        )
    return sorted(names)


# -- people ----------------------------------------------------------------------------------------------------


def patients(db: sqlite3.Connection, *, merged: bool) -> list[Patient]:
    """Everybody, by pid; with `merged`, also records merged away."""
    identifiers: dict[int, list[Identifier]] = {}
    query = "SELECT survivor, identifier FROM identifier JOIN person USING (pid) ORDER BY key"
    for pid, data in db.execute(query):
        identifiers.setdefault(pid, []).append(_decode_identifier(data))
    places: dict[int, tuple[int, bytes]] = {}
    query = "SELECT survivor, start_us, location FROM stay JOIN person USING (pid) WHERE end_us IS NULL"
    for pid, start_us, location in db.execute(query):
        if pid not in places or start_us > places[pid][0]:
            places[pid] = (start_us, location)
    rows = db.execute("SELECT pid, public_id, survivor, person, visit FROM person ORDER BY pid").fetchall()
    return [
        _patient(row, tuple(identifiers.get(row[0], ())), places.get(row[0], (0, None))[1])
        for row in rows
        if merged or row[0] == row[2]
    ]


def _patient(
    row: tuple[int, str, int, bytes | None, bytes | None], identifiers: tuple[Identifier, ...], location: bytes | None
) -> Patient:
    pid, name, top, person, visit = row
    gone = top != pid
    return Patient(
        pid,
        name,
        identifiers,
        _decode_person(person) if person is not None else None,
        _decode_encounter(visit) if visit is not None and not gone else None,
        decode_optional(Location, location) if not gone else None,
        top if gone else None,
    )


def patient_of(db: sqlite3.Connection, pid: int) -> Patient:
    """One patient. Raises NotFoundError."""
    row = db.execute("SELECT pid, public_id, survivor, person, visit FROM person WHERE pid = ?", (pid,)).fetchone()
    if row is None:
        raise NotFoundError(f"found no patient {pid}")
    group = members(db, pid) if row[2] == pid else [pid]
    marks = ",".join("?" * len(group))
    identifiers = db.execute(f"SELECT identifier FROM identifier WHERE pid IN ({marks}) ORDER BY key", group)  # noqa: S608
    place = db.execute(
        f"SELECT location FROM stay WHERE pid IN ({marks}) AND end_us IS NULL ORDER BY start_us DESC LIMIT 1",  # noqa: S608
        group,
    ).fetchone()
    found = tuple(_decode_identifier(data) for (data,) in identifiers.fetchall())
    return _patient(row, found, place[0] if place else None)


def pid_named(db: sqlite3.Connection, public_id: str) -> int:
    """The pid of a public id. Raises NotFoundError."""
    row = db.execute("SELECT pid FROM person WHERE public_id = ?", (public_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"found no patient {public_id[:64]!r}; see the list of patients")
    return int(row[0])


def resolve(db: sqlite3.Connection, identifiers: Sequence[Identifier]) -> set[int]:
    """The survivors of everybody that any of these identifiers name."""
    found = set()
    for identifier in identifiers:
        row = db.execute(
            "SELECT survivor FROM identifier JOIN person USING (pid) WHERE key = ?", (identifier.key,)
        ).fetchone()
        if row is not None:
            found.add(int(row[0]))
    return found


def device_patient(db: sqlite3.Connection, device: str, at_us: int) -> int | None:
    """Whose values a device's are at an instant; None where it waits."""
    row = db.execute(
        "SELECT span.pid FROM claim JOIN span ON span.claim = claim.id"
        " WHERE claim.kind = 'device' AND claim.key = ? AND start_us <= ? ORDER BY start_us DESC LIMIT 1",
        (device, at_us),
    ).fetchone()
    return None if row is None or row[0] is None else survivor(db, row[0])


def bed_history(db: sqlite3.Connection, pid: int) -> list[BedStay]:
    """A patient's stays, in order of time."""
    top = survivor(db, pid)
    rows: list[tuple[int, int | None, bytes, bytes | None]] = []
    for member in members(db, top):
        rows += db.execute("SELECT start_us, end_us, location, visit FROM stay WHERE pid = ?", (member,)).fetchall()
    rows.sort(key=lambda row: row[0])
    return [
        BedStay(top, decode_optional(Location, location), start_us, end_us, decode_optional(Identifier, visit))
        for start_us, end_us, location, visit in rows
    ]


def census(db: sqlite3.Connection, at_us: int) -> list[tuple[Location, int]]:
    """Who lies where at an instant."""
    rows = db.execute(
        "SELECT location, survivor FROM stay JOIN person USING (pid)"
        " WHERE start_us <= ? AND (end_us IS NULL OR end_us > ?) ORDER BY bed, survivor",
        (at_us, at_us),
    ).fetchall()
    return [(decode_optional(Location, location), pid) for location, pid in rows]


# -- replay ----------------------------------------------------------------------------------------------------


def samples_since(db: sqlite3.Connection, seq: int, batch: int) -> Iterator[Commit]:
    """What a reader that stopped at `seq` has missed, in one snapshot of the journal.

    The first item names everybody whose past changed otherwise; their values are left out of the others, since
    their series is to be read anew.
    """
    db.execute("BEGIN")
    try:
        last = last_seq(db)
        survivors = dict(db.execute("SELECT pid, survivor FROM person WHERE pid <> survivor").fetchall())
        changed: dict[int, set[int]] = {1: set(), 2: set()}
        for what, pid in db.execute("SELECT DISTINCT what, pid FROM change WHERE seq > ?", (seq,)).fetchall():
            changed[what].add(pid)
        rebuild = changed[1] | {survivors.get(pid, pid) for pid in changed[1]}
        visits = {survivors.get(pid, pid) for pid in changed[2]}
        if last <= seq:
            return
        yield Commit([], seq + 1, seq, 0, empty_samples(), rebuild if seq else set(), visits)
        # From the start every series is read whole, patient by patient, which is how they lie on the disk.
        for found in _whole(db, batch) if seq <= 0 else _after(db, seq, batch):
            patient = found.patient
            if survivors:
                patient = np.array([survivors.get(int(pid), int(pid)) for pid in patient], dtype=np.int64)
            samples = Samples(patient, *(getattr(found, name) for name in found.__struct_fields__[1:]))
            if rebuild and seq > 0:
                anew = np.fromiter(rebuild, dtype=np.int64, count=len(rebuild))
                yield Commit([], seq + 1, last, 0, samples.take(~np.isin(patient, anew)).sorted(), set(), set())
            else:
                yield Commit([], seq + 1, last, 0, samples.sorted(), set(), set())
    finally:
        db.execute("ROLLBACK")


def _whole(db: sqlite3.Connection, batch: int) -> Iterator[Samples]:
    cursor = db.execute(
        f"SELECT pid, occurred_us, ord, known_us, seq, samples FROM series WHERE {_LIVE} AND length(samples)"  # noqa: S608
    )
    yield from _batches(cursor, batch)


def _after(db: sqlite3.Connection, seq: int, batch: int) -> Iterator[Samples]:
    cursor = db.execute(
        "SELECT pid, occurred_us, ord, known_us, seq, samples FROM series INDEXED BY series_seq"  # noqa: S608
        f" WHERE seq > ? AND {_LIVE} AND length(samples) ORDER BY seq",
        (seq,),
    )
    yield from _batches(cursor, batch)


def _batches(cursor: sqlite3.Cursor, batch: int) -> Iterator[Samples]:
    rows_max = max(1, batch // 8)
    while rows := cursor.fetchmany(rows_max):
        *numbers, blobs = zip(*rows, strict=True)
        columns: NDArray[np.int64] = np.array(numbers, dtype=np.int64).T
        yield from_columns(columns, blobs)


def last_seq(db: sqlite3.Connection) -> int:
    """The place of the last entry."""
    return int(db.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()[0])


def quarantined(db: sqlite3.Connection, limit: int, after: int, *, newest: bool = False) -> list[QuarantinedRow]:
    """Inputs kept apart, by number, those after `after`; with `newest`, from the last backwards, those before it."""
    where = ("id < ? OR ? = 0", "id DESC") if newest else ("id > ? OR ? < 0", "id")
    rows = db.execute(
        "SELECT id, recorded_us, source, source_id, reason, detail, raw, resolved FROM quarantine"  # noqa: S608
        f" WHERE {where[0]} ORDER BY {where[1]} LIMIT ?",
        (after, after, limit),
    ).fetchall()
    return [
        QuarantinedRow(number, at_us, source, source_id, reason, detail, raw, bool(resolved))
        for number, at_us, source, source_id, reason, detail, raw, resolved in rows
    ]


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """How much there is. Entries and rows of the series are counted by walking an index: not for every second."""
    queries = {
        "entries": "SELECT coalesce(max(seq), 0) FROM log",
        "patients": "SELECT count(*) FROM person WHERE pid = survivor",
        "merged": "SELECT count(*) FROM person WHERE pid <> survivor",
        "devices": "SELECT count(*) FROM claim WHERE kind = 'device'",
        "waiting": "SELECT count(*) FROM waiting WHERE until_us IS NULL",
        "superseded": "SELECT count(*) FROM superseded",
        "quarantined": "SELECT count(*) FROM quarantine",
        "unresolved": "SELECT count(*) FROM quarantine WHERE resolved = 0",
    }
    return {name: int(db.execute(query).fetchone()[0]) for name, query in queries.items()}

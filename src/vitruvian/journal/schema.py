"""The tables, and how an older file becomes a newer one.

`PRAGMA user_version` counts the migrations a file has had. A migration is never edited once released: a change
of the tables is a new function at the end of `MIGRATIONS`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from vitruvian.core.errors import JournalCorrupt, JournalUnavailable

CACHE_KIB: Final = 128 * 1024
READER_CACHE_KIB: Final = 8 * 1024
MMAP_BYTES: Final = 2 << 30
APPLICATION_ID: Final = 0x56_54_52_56  # "VTRV", so that `file` and we know the format

# The log: append-only, one row an entry. An erasure destroys `salt` and `payload`; the chain then still verifies.
_LOG: Final = """
CREATE TABLE log (
  seq INTEGER PRIMARY KEY, recorded_us INTEGER NOT NULL, key BLOB NOT NULL, salt BLOB, payload BLOB NOT NULL,
  chain BLOB NOT NULL
);
CREATE TABLE source_key (fingerprint INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE version (fingerprint INTEGER NOT NULL, seq INTEGER NOT NULL, alias TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (fingerprint, seq, alias)) WITHOUT ROWID;
CREATE TABLE superseded (seq INTEGER PRIMARY KEY, by_seq INTEGER NOT NULL);
"""
# The series: one row an entry and instant, clustered by patient and time. `until_us`: replaced by a version known then;
# `since_us`, `gone_us`: given to and taken from this person by a device's association recorded then.
_ROW: Final = """
  occurred_us INTEGER NOT NULL, ord INTEGER NOT NULL, seq INTEGER NOT NULL, known_us INTEGER NOT NULL,
  claim INTEGER NOT NULL, kinds INTEGER NOT NULL, until_us INTEGER, since_us INTEGER, gone_us INTEGER,
  samples BLOB NOT NULL
"""
_SERIES: Final = f"""
CREATE TABLE series (pid INTEGER NOT NULL, {_ROW}, PRIMARY KEY (pid, occurred_us, ord, seq)) WITHOUT ROWID;
CREATE INDEX series_seq ON series (seq);
CREATE INDEX series_rare ON series (pid, occurred_us) WHERE kinds <> 1;
CREATE TABLE waiting ({_ROW}, PRIMARY KEY (claim, occurred_us, ord, seq)) WITHOUT ROWID;
CREATE INDEX waiting_seq ON waiting (seq);
CREATE TABLE finding (pid INTEGER NOT NULL, name TEXT NOT NULL, occurred_us INTEGER NOT NULL, seq INTEGER NOT NULL,
  known_us INTEGER NOT NULL, number REAL, until_us INTEGER, PRIMARY KEY (pid, name, occurred_us, seq)) WITHOUT ROWID;
CREATE INDEX finding_seq ON finding (seq);
CREATE INDEX finding_time ON finding (pid, occurred_us);
"""
_IDENTITY: Final = """
CREATE TABLE person (pid INTEGER PRIMARY KEY, public_id TEXT NOT NULL UNIQUE, survivor INTEGER NOT NULL,
  person BLOB, visit BLOB);
CREATE INDEX person_survivor ON person (survivor);
CREATE TABLE identifier (key TEXT PRIMARY KEY, pid INTEGER NOT NULL, identifier BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX identifier_pid ON identifier (pid);
CREATE TABLE claim (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, key TEXT NOT NULL, UNIQUE (kind, key));
CREATE TABLE fact (seq INTEGER NOT NULL, ix INTEGER NOT NULL, kind TEXT NOT NULL, pid INTEGER, about TEXT NOT NULL,
  bed TEXT NOT NULL, claim INTEGER NOT NULL, occurred_us INTEGER NOT NULL, ended_us INTEGER, ord INTEGER NOT NULL,
  live INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY (seq, ix)) WITHOUT ROWID;
CREATE INDEX fact_pid ON fact (pid, kind);
CREATE INDEX fact_about ON fact (about, kind) WHERE about <> '';
CREATE INDEX fact_bed ON fact (bed) WHERE bed <> '';
CREATE INDEX fact_claim ON fact (claim) WHERE claim <> 0;
CREATE INDEX fact_merge ON fact (kind) WHERE kind = 'merge';
CREATE TABLE visit_pid (visit TEXT NOT NULL, pid INTEGER NOT NULL, PRIMARY KEY (visit, pid)) WITHOUT ROWID;
CREATE TABLE stay (pid INTEGER NOT NULL, start_us INTEGER NOT NULL, end_us INTEGER, bed TEXT NOT NULL,
  location BLOB NOT NULL, visit BLOB, PRIMARY KEY (pid, start_us)) WITHOUT ROWID;
CREATE INDEX stay_bed ON stay (bed);
CREATE TABLE span (claim INTEGER NOT NULL, start_us INTEGER NOT NULL, pid INTEGER, reason TEXT NOT NULL,
  PRIMARY KEY (claim, start_us)) WITHOUT ROWID;
CREATE TABLE change (seq INTEGER NOT NULL, pid INTEGER NOT NULL, what INTEGER NOT NULL,
  PRIMARY KEY (seq, pid, what)) WITHOUT ROWID;
"""
_QUARANTINE: Final = """
CREATE TABLE quarantine (id INTEGER PRIMARY KEY, recorded_us INTEGER NOT NULL, source TEXT NOT NULL,
  source_id TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, raw BLOB NOT NULL, digest BLOB NOT NULL UNIQUE,
  resolved INTEGER NOT NULL DEFAULT 0, claim INTEGER);
CREATE INDEX quarantine_claim ON quarantine (claim) WHERE claim IS NOT NULL;
"""


def _first(connection: sqlite3.Connection) -> None:
    for part in (_LOG, _SERIES, _IDENTITY, _QUARANTINE):
        for statement in part.split(";"):
            if statement.strip():
                connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


MIGRATIONS: Final[tuple[Callable[[sqlite3.Connection], None], ...]] = (_first,)


def connect_writer(path: Path) -> sqlite3.Connection:
    """The one writing connection: WAL, every commit synced, checkpoints at moments that we choose."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    try:
        check_format(connection, path)  # before anything is changed: the file may be somebody else's
    except BaseException:
        connection.close()
        raise
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "busy_timeout = 250",  # a checkpoint that a reader holds up must not hold up the writer
        "wal_autocheckpoint = 0",
        f"cache_size = -{CACHE_KIB}",
        f"mmap_size = {MMAP_BYTES}",
        "temp_store = MEMORY",
        "journal_size_limit = 268435456",
        "trusted_schema = OFF",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A read-only connection; readers never wait for the writer, nor it for them."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )
    for pragma in (
        "query_only = ON",
        f"cache_size = -{READER_CACHE_KIB}",
        f"mmap_size = {MMAP_BYTES}",
        "temp_store = MEMORY",
        "trusted_schema = OFF",
        "busy_timeout = 5000",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return connection


def check_format(connection: sqlite3.Connection, path: Path) -> int:
    """The migrations that a file has had. Raises JournalCorrupt where it is something else, or of a newer version."""
    found = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    if found > len(MIGRATIONS):
        raise JournalCorrupt(
            f"found {path} with schema version {found}, expected at most {len(MIGRATIONS)};"
            " it was written by a newer Vitruvian: use that one"
        )
    if tables and application != APPLICATION_ID:
        raise JournalCorrupt(f"found {path}, a SQLite file that is no journal; name another file")
    return found


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a file to this version, each step in a transaction of its own."""
    found = check_format(connection, path)
    for number, step in enumerate(MIGRATIONS[found:], start=found + 1):
        connection.execute("BEGIN IMMEDIATE")
        try:
            step(connection)
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise JournalUnavailable(f"{path} could not be brought to version {number}: {error}") from error

"""What keeps the log honest and safe: the chain, its head, backup and restore, snapshots, blobs, migrations."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.journal_support import at, mrn, observation, values
from vitruvian.core.errors import JournalCorrupt, JournalError, JournalUnavailable, NotFoundError
from vitruvian.journal import Journal, schema
from vitruvian.journal.chain import head_path

ENTRIES = 60
REST = "recorded_us, key, salt, payload, chain FROM log"


def fill(path: Path, count: int = ENTRIES, first: int = 0) -> None:
    with Journal.open(path) as journal:
        for start in range(first, first + count, 7):
            names = range(start, min(start + 7, first + count))
            journal.append(
                [observation(f"o{n}", n, 60.0 + n, subject=mrn(n % 3)) for n in names], recorded_us=at(start)
            )


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("chain") / "journal.db"
    fill(path)
    return path


def copied(source: Path, folder: Path) -> Path:
    target = folder / source.name
    shutil.copy(source, target)
    shutil.copy(head_path(source), head_path(target))
    return target


def faults_after(path: Path, change: Callable[[sqlite3.Connection], object]) -> tuple[str, ...]:
    """What verification says after someone wrote to the file behind our back."""
    connection = sqlite3.connect(path)
    change(connection)
    connection.commit()
    connection.close()
    with Journal.open(path, read_only=True) as journal:
        return journal.verify().faults


# -- the chain -------------------------------------------------------------------------------------------------


def test_an_untouched_log_verifies(filled: Path) -> None:
    with Journal.open(filled, read_only=True) as journal:
        found = journal.verify()
    assert (found.ok, found.checked, found.last_seq, found.faults) == (True, ENTRIES, ENTRIES, ())


def flip(blob: bytes, bit: int) -> bytes:
    changed = bytearray(blob)
    changed[bit // 8 % len(changed)] ^= 1 << bit % 8
    return bytes(changed)


def mutation(kind: str, seq: int, bit: int) -> Callable[[sqlite3.Connection], object]:
    """One way to tamper with one entry."""

    def edit(column: str) -> Callable[[sqlite3.Connection], object]:
        def change(db: sqlite3.Connection) -> None:
            (blob,) = db.execute(f"SELECT {column} FROM log WHERE seq = ?", (seq,)).fetchone()
            db.execute(f"UPDATE log SET {column} = ? WHERE seq = ?", (flip(blob, bit), seq))

        return change

    def swap(db: sqlite3.Connection) -> None:
        other = seq + 1 if seq < ENTRIES else seq - 1
        for number, to in ((seq, -1), (other, seq), (-1, other)):
            db.execute("UPDATE log SET seq = ? WHERE seq = ?", (to, number))

    return {
        "payload": edit("payload"),
        "salt": edit("salt"),
        "key": edit("key"),
        "chain": edit("chain"),
        "time": lambda db: db.execute("UPDATE log SET recorded_us = recorded_us + 1 WHERE seq = ?", (seq,)),
        "delete": lambda db: db.execute("DELETE FROM log WHERE seq = ?", (seq,)),
        "truncate": lambda db: db.execute("DELETE FROM log WHERE seq >= ?", (seq,)),
        "reorder": swap,
        "insert": lambda db: db.execute(f"INSERT INTO log SELECT {ENTRIES + 1 + seq}, {REST} WHERE seq = {seq}"),
    }[kind]  # fmt: skip


KINDS = ("payload", "salt", "key", "chain", "time", "delete", "truncate", "reorder", "insert")


@pytest.mark.parametrize("kind", KINDS)
def test_tampering_is_found(filled: Path, tmp_path: Path, kind: str) -> None:
    for seq in (1, 2, ENTRIES // 2, ENTRIES - 1, ENTRIES):
        path = copied(filled, tmp_path)
        assert faults_after(path, mutation(kind, seq, seq * 13)), f"{kind} of entry {seq} was not found"


@pytest.mark.long
def test_tampering_with_any_of_ten_thousand_entries_is_found(tmp_path: Path) -> None:
    """Each entry is tampered with in turn, in one of the ways, in memory: only the walk itself is long."""
    from vitruvian.journal.chain import Head, verify

    path = tmp_path / "journal.db"
    fill(path, 10_000)
    source = sqlite3.connect(path)
    head_row = source.execute("SELECT seq, chain FROM log ORDER BY seq DESC LIMIT 1").fetchone()
    memory = sqlite3.connect(":memory:", isolation_level=None)
    source.backup(memory)
    source.close()
    rng = random.Random(7)
    for seq in rng.sample(range(1, 10_001), 1_000):
        kind = rng.choice(("payload", "salt", "key", "chain", "time", "delete", "truncate"))
        memory.execute("BEGIN")
        mutation(kind, seq, rng.randrange(4096))(memory)
        assert not verify(memory, [Head(*head_row)]).ok, f"{kind} of entry {seq} was not found"
        memory.execute("ROLLBACK")


def test_an_erased_payload_leaves_the_chain_whole(filled: Path, tmp_path: Path) -> None:
    from vitruvian.journal.chain import payload_digest

    path = copied(filled, tmp_path)

    def erase(db: sqlite3.Connection) -> None:
        salt, payload = db.execute("SELECT salt, payload FROM log WHERE seq = 9").fetchone()
        db.execute("UPDATE log SET salt = NULL, payload = ? WHERE seq = 9", (payload_digest(payload, salt),))

    assert faults_after(path, erase) == ()
    with Journal.open(path, read_only=True) as journal, pytest.raises(NotFoundError):
        journal.entry(9)


def test_a_head_once_unmet_stays_on_record(filled: Path, tmp_path: Path) -> None:
    path = copied(filled, tmp_path)
    faults_after(path, lambda db: db.execute("DELETE FROM log WHERE seq > 50"))
    fill(path, 3, first=1000)  # opened and written to, with a new head
    with Journal.open(path, read_only=True) as journal:
        assert any("the end was cut off" in fault for fault in journal.verify().faults)


def test_a_missing_head_is_a_fault(filled: Path, tmp_path: Path) -> None:
    path = copied(filled, tmp_path)
    head_path(path).unlink()
    with Journal.open(path, read_only=True) as journal:
        assert "missing" in journal.verify().faults[0]


# -- backup and restore ------------------------------------------------------------------------------------------


def test_backup_while_writing_goes_on_and_restore(tmp_path: Path) -> None:
    path, copy, back = (tmp_path / name for name in ("journal.db", "copy/backup.db", "restored.db"))
    fill(path, 200)
    stop = threading.Event()
    with Journal.open(path) as journal:
        blob = journal.put_blob(b"waveform" * 1000, "application/octet-stream")
        made: list[object] = []

        def back_up() -> None:
            made.append(journal.backup(copy))
            stop.set()

        thread = threading.Thread(target=back_up)
        thread.start()
        n = 0
        while not stop.is_set() and n < 3000:
            journal.append([observation(f"during{n}", n, 80.0, subject=mrn(1))], recorded_us=at(n))
            n += 1
        thread.join()
        assert made[0].ok and 200 <= made[0].last_seq <= journal.last_seq()  # type: ignore[attr-defined]
        assert n > 0
    restored = Journal.restore(copy, back)
    assert restored == made[0]
    with Journal.open(back) as journal:
        assert journal.last_seq() == restored.last_seq
        assert values(journal, 2) == [60.0 + n for n in range(200) if n % 3 == 2]
        assert journal.get_blob(blob.sha256) == b"waveform" * 1000
        assert journal.verify().ok


def test_nothing_is_overwritten(filled: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("precious")
    with Journal.open(filled, read_only=True) as journal, pytest.raises(JournalError, match="nothing is overwritten"):
        journal.backup(taken)
    with pytest.raises(JournalError, match="nothing is overwritten"):
        Journal.restore(filled, taken)
    assert taken.read_text() == "precious"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["taken.db"]


def test_a_damaged_backup_is_refused(filled: Path, tmp_path: Path) -> None:
    path = copied(filled, tmp_path)
    faults_after(path, mutation("payload", 5, 3))
    with pytest.raises(JournalCorrupt, match="does not verify"):
        Journal.restore(path, tmp_path / "restored.db")
    assert not (tmp_path / "restored.db").exists()
    with pytest.raises(JournalUnavailable, match="no backup"):
        Journal.restore(tmp_path / "none.db", tmp_path / "restored.db")


# -- snapshots and blobs -------------------------------------------------------------------------------------------


def test_snapshots_are_bound_to_their_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    fill(path, 20)
    with Journal.open(path) as journal:
        assert journal.load_snapshot("twins") is None
        journal.save_snapshot("twins", 10, b"older")
        journal.save_snapshot("twins", 20, b"state")
        assert journal.load_snapshot("twins") == (20, b"state")
        with pytest.raises(NotFoundError):
            journal.save_snapshot("twins", 21, b"of the future")
        with pytest.raises(JournalError, match="snapshot name"):
            journal.save_snapshot("../twins", 20, b"")
    folder = path.with_name("journal.db.snapshots")
    whole = (folder / "twins").read_bytes()
    (folder / "twins").write_bytes(whole[:-1] + b"E")
    with Journal.open(path) as journal:
        assert journal.load_snapshot("twins") is None  # damaged: derived again
    other = tmp_path / "other" / "journal.db"
    fill(other, 30)
    shutil.copytree(folder, other.with_name("journal.db.snapshots"))
    (other.with_name("journal.db.snapshots") / "twins").write_bytes(whole)
    with Journal.open(other) as journal:
        assert journal.load_snapshot("twins") is None  # another past


def test_blobs_are_kept_by_content(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db") as journal:
        blob = journal.put_blob(b"abc", "text/plain")
        assert journal.put_blob(b"abc", "text/plain") == blob
        assert (blob.bytes, journal.get_blob(blob.sha256)) == (3, b"abc")
        for wrong in ("0" * 64, "../../etc/passwd"):
            with pytest.raises(NotFoundError):
                journal.get_blob(wrong)
        (journal.blobs.folder / blob.sha256[:2] / blob.sha256).write_bytes(b"abd")
        with pytest.raises(JournalCorrupt):
            journal.get_blob(blob.sha256)


# -- migrations ------------------------------------------------------------------------------------------------------


def test_an_older_file_is_migrated_on_opening(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = copied(filled, tmp_path)

    def second(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE quarantine ADD COLUMN note TEXT")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, second))
    with pytest.raises(JournalUnavailable, match="older schema"):
        Journal.open(path, read_only=True)
    with Journal.open(path) as journal:
        assert len(values(journal, 1)) == ENTRIES // 3
        assert journal.verify().ok
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    assert connection.execute("SELECT count(note) FROM quarantine").fetchone() == (0,)
    connection.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copied(filled, tmp_path)

    def broken(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE quarantine ADD COLUMN note TEXT")
        connection.execute("SELECT * FROM nothing")

    with monkeypatch.context() as patched:
        patched.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
        with pytest.raises(JournalUnavailable, match="version 2"):
            Journal.open(path)
    with Journal.open(path) as journal:
        assert journal.verify().ok


def test_a_newer_file_is_refused(filled: Path, tmp_path: Path) -> None:
    path = copied(filled, tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for read_only in (False, True):
        with pytest.raises(JournalCorrupt, match="newer Vitruvian"):
            Journal.open(path, read_only=read_only)

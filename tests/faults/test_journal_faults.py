"""kill -9, a full disk, failing syncs, a torn write-ahead log: what was acknowledged is there, and nothing twice."""

from __future__ import annotations

import contextlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks._results import Bar, quantiles_ms, record
from tests.journal_support import at, mrn, observation, values
from tests.support import REPOSITORY, find_program, limit_s
from vitruvian.core.errors import JournalCorrupt, JournalUnavailable
from vitruvian.journal import Journal

BATCH = 20


def start_writer(path: Path, first: int, batch: int, rate: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.faults.journal_writer", str(path), str(first), str(batch), str(rate)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def stored_numbers(path: Path) -> list[int]:
    """The numbers in the log, with repetition: read behind the journal's back."""
    with Journal.open(path, read_only=True) as journal:
        seqs = range(1, journal.last_seq() + 1)
        return [int(journal.entry(seq).entry.source_id) for seq in seqs]


class Tally:
    """What kills cost: acknowledged and lost, stored twice, seconds to open again."""

    def __init__(self) -> None:
        self.kills = self.acknowledged = self.lost = self.duplicated = 0
        self.opened_s: list[float] = []

    def kill_once(self, path: Path, batch: int, rate: int, after_s: float) -> None:
        """Let a writer go on from the last acknowledged number, and kill it `after_s` after its first receipt."""
        writer = start_writer(path, self.acknowledged, batch, rate)
        assert writer.stdout is not None
        try:
            self.opened_s.append(float(writer.stdout.readline().removeprefix("open ")))
            last = int(writer.stdout.readline())
            time.sleep(after_s)
        finally:
            writer.send_signal(signal.SIGKILL)
            rest = writer.stdout.read()
            writer.wait()
            writer.stdout.close()
        # Only whole lines were said; one cut off in the middle was not.
        said = [int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
        self.acknowledged = max([last, *said]) + 1
        self.kills += 1

    def count(self, path: Path) -> None:
        numbers = stored_numbers(path)
        self.lost = len(set(range(self.acknowledged)) - set(numbers))
        self.duplicated = len(numbers) - len(set(numbers))


def test_killed_writers_lose_nothing_acknowledged(journal_path: Path) -> None:
    rng, tally = random.Random(1), Tally()
    for _ in range(20):
        tally.kill_once(journal_path, BATCH, 0, rng.uniform(0, 0.05))
    tally.count(journal_path)
    assert (tally.kills, tally.lost, tally.duplicated) == (20, 0, 0)
    assert tally.acknowledged >= 20 * BATCH
    assert max(tally.opened_s) < 5
    with Journal.open(journal_path) as journal:
        assert journal.verify().ok
        total = sum(len(values(journal, number)) for number in range(50))
        assert total == journal.last_seq()  # the series and the log agree


@pytest.mark.long
def test_two_hundred_kills_at_two_thousand_a_second(journal_path: Path) -> None:
    rng, tally = random.Random(2), Tally()
    started = time.monotonic()
    for _ in range(200):
        tally.kill_once(journal_path, 100, 2_000, rng.uniform(0.05, 0.6))
    tally.count(journal_path)
    with Journal.open(journal_path) as journal:
        verified = journal.verify()
    record(
        "journal_faults",
        title="kill -9 during ingest",
        provenance="simulated",
        bars=[
            Bar("acknowledged and lost", "0", tally.lost, tally.lost == 0),
            Bar("stored twice", "0", tally.duplicated, tally.duplicated == 0),
            Bar("restart, s (longest)", "< 5", round(max(tally.opened_s), 3), max(tally.opened_s) < 5),
            Bar("chain verifies", "yes", "yes" if verified.ok else "no", verified.ok),
        ],
        figures={
            "kills": tally.kills,
            "acknowledged": tally.acknowledged,
            "observations_per_s": 2_000,
            "open": quantiles_ms(tally.opened_s),
            "elapsed_s": round(time.monotonic() - started, 1),
        },
        notes=["Each writer goes on from the last acknowledged number, as a device's outbox does; caches are warm."],
    )
    assert (tally.lost, tally.duplicated, verified.ok) == (0, 0, True)
    assert max(tally.opened_s) < 5


# -- a torn write-ahead log ------------------------------------------------------------------------------------------


class Torn:
    """A journal with many commits in its write-ahead log, and where in that file each commit ended."""

    def __init__(self, folder: Path) -> None:
        path = folder / "whole.db"
        self.ends: list[tuple[int, int]] = []
        with Journal.open(path) as journal:
            for commit in range(40):
                journal.append(
                    [observation(f"{commit}-{n}", n, 80.0, subject=mrn(n)) for n in range(1 + commit % 4)],
                    recorded_us=at(commit),
                )
                self.ends.append((self.wal(path).stat().st_size, journal.last_seq()))
            self.database, self.log = path.read_bytes(), self.wal(path).read_bytes()

    @staticmethod
    def wal(path: Path) -> Path:
        return path.with_name(path.name + "-wal")

    def reopened(self, folder: Path, log: bytes) -> tuple[int, int]:
        """(last seq, values in the series) of the journal as a crash left it; the chain must verify."""
        path = folder / "torn.db"
        for leftover in folder.glob("torn.db*"):
            leftover.unlink()
        path.write_bytes(self.database)
        self.wal(path).write_bytes(log)
        with Journal.open(path) as journal:
            assert journal.verify().ok
            rows = sum(len(values(journal, number)) for number in range(4))
            journal.append([observation("after", 1, 80.0, subject=mrn(9))], recorded_us=at(99))
            assert values(journal, 9) == [80]
            return journal.last_seq() - 1, rows

    def expected(self, offset: int) -> int:
        return max((seq for end, seq in self.ends if end <= offset), default=0)

    def check_cut(self, folder: Path, offset: int) -> None:
        last, rows = self.reopened(folder, self.log[:offset])
        assert last == rows == self.expected(offset), f"cut at {offset}"

    def check_garbage(self, folder: Path, offset: int, rng: random.Random) -> None:
        log = self.log[:offset] + rng.randbytes(len(self.log) - offset)
        last, rows = self.reopened(folder, log)
        assert last == rows == self.expected(offset), f"garbage from {offset}"


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> Torn:
    return Torn(tmp_path_factory.mktemp("torn"))


def test_a_torn_log_keeps_the_committed_prefix(torn: Torn, tmp_path: Path) -> None:
    rng = random.Random(3)
    edges = [offset for end, _ in rng.sample(torn.ends, 8) for offset in (end - 1, end, end + 1)]
    for offset in [0, 1, 31, 32, *edges, *(rng.randrange(len(torn.log)) for _ in range(20))]:
        torn.check_cut(tmp_path, offset)
    for _ in range(10):
        torn.check_garbage(tmp_path, rng.randrange(32, len(torn.log)), rng)


@pytest.mark.long
def test_a_thousand_torn_logs(torn: Torn, tmp_path: Path) -> None:
    rng = random.Random(4)
    for _ in range(800):
        torn.check_cut(tmp_path, rng.randrange(len(torn.log) + 1))
    for _ in range(200):
        torn.check_garbage(tmp_path, rng.randrange(32, len(torn.log)), rng)


# -- a full or failing disk -------------------------------------------------------------------------------------------


def batch_of(number: int, size: int = 50) -> list:
    return [observation(f"{number}-{n}", n, 80.0, subject=mrn(n % 5)) for n in range(size)]


def fill_until_refused(journal: Journal) -> int:
    """Commit until the disk says no; returns the entries acknowledged."""
    acknowledged = 0
    for number in range(5_000):
        try:
            receipts = journal.append(batch_of(number), recorded_us=at(number)).receipts
        except JournalUnavailable as error:
            assert "nothing was committed" in str(error)
            return acknowledged
        acknowledged += len(receipts)
    raise AssertionError("the disk was never full")


@contextlib.contextmanager
def small_disk(folder: Path, mebibytes: int) -> Iterator[Path]:
    """A file system of its own, so small that it fills at once."""
    folder.mkdir()
    mount = find_program("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if not made or made.returncode:
        pytest.skip("only root may mount a small disk; the limit on file sizes stands in, in the next test")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def test_a_full_disk_refuses_reads_on_and_resumes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8) as disk:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(5 << 20))
        with Journal.open(disk / "journal.db") as journal:
            acknowledged = fill_until_refused(journal)
            assert acknowledged
            with pytest.raises(JournalUnavailable):
                journal.append(batch_of(9_999, 2_000), recorded_us=at(1))
            with pytest.raises(JournalUnavailable):
                journal.put_blob(bytes(4 << 20), "application/octet-stream")
            assert journal.last_seq() == acknowledged  # reading goes on
            assert sum(len(values(journal, n)) for n in range(5)) == acknowledged
            ballast.unlink()
            started = time.monotonic()
            assert len(journal.append(batch_of(10_000), recorded_us=at(2)).receipts) == 50
            assert time.monotonic() - started < limit_s(10)
            assert journal.last_seq() == acknowledged + 50
            assert journal.verify().ok
        with Journal.open(disk / "journal.db") as journal:
            assert (journal.last_seq(), journal.verify().ok) == (acknowledged + 50, True)


def test_a_limit_on_file_sizes_is_a_full_disk(journal_path: Path) -> None:
    """For those who may not mount: files may grow no further, then may again."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    former = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Journal.open(journal_path) as journal:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
            acknowledged = fill_until_refused(journal)
            assert acknowledged
            assert journal.last_seq() == acknowledged
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            journal.append(batch_of(10_000), recorded_us=at(2))
            assert (journal.last_seq(), journal.verify().ok) == (acknowledged + 50, True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, former)


FAILING = """
import sys
from pathlib import Path
from tests.journal_support import at, mrn, observation
from vitruvian.core.errors import JournalCorrupt, JournalUnavailable
from vitruvian.journal import Journal

journal = Journal.open(Path(sys.argv[1]))
for number in range(30):
    try:
        journal.append([observation(str(number), number, 80.0, subject=mrn(1))], recorded_us=at(number))
    except JournalUnavailable:
        print("refused", number, flush=True)
    else:
        print("kept", number, flush=True)
assert journal.verify().ok
journal.close()
"""


# A commit syncs once and writes some dozen times: one in a few commits is hit.
@pytest.mark.parametrize(("call", "when"), [("fdatasync", "10+3"), ("pwrite64", "60+53")])
def test_a_failing_disk_is_never_acknowledged(journal_path: Path, call: str, when: str) -> None:
    """Some syncs or writes fail with EIO, by strace's injection."""
    strace = find_program("strace")
    if strace is None:
        pytest.skip("no strace on this machine")
    Journal.open(journal_path).close()
    tracing = [
        strace,
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        f"trace={call}",
        "-e",
        f"inject={call}:error=EIO:when={when}",
    ]
    command = [*tracing, sys.executable, "-c", FAILING, str(journal_path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=120)
    if "ptrace" in done.stderr:
        pytest.skip("this machine does not let one process trace another")
    said = [line.split() for line in done.stdout.splitlines()]
    kept = {int(number) for word, number in said if word == "kept"}
    refused = {int(number) for word, number in said if word == "refused"}
    assert done.returncode == 0, done.stderr
    assert (len(kept) + len(refused), bool(refused), bool(kept)) == (30, True, True)
    numbers = stored_numbers(journal_path)
    assert len(numbers) == len(set(numbers))
    assert kept <= set(numbers)
    with Journal.open(journal_path) as journal:
        assert journal.verify().ok


def test_a_file_that_is_cut_short_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path) as journal:
        for number in range(40):
            journal.append(batch_of(number), recorded_us=at(number))
    data = path.read_bytes()
    copy = tmp_path / "cut.db"
    copy.write_bytes(data[: len(data) // 2])
    shutil.copy(path.with_name("journal.db.head"), copy.with_name("cut.db.head"))
    with pytest.raises(JournalCorrupt):
        with Journal.open(copy) as journal:
            for number in range(5):
                values(journal, number)

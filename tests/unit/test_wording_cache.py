"""Kept wordings outlive a restart, are bounded, forget refusals; nothing that is wrong with their file matters."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from vitruvian.explanation.wording.base import Wording
from vitruvian.explanation.wording.cache import REFUSED_FOR_S, FileCache


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_wording_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "wordings.sqlite"
    first = FileCache(path)
    first.put("a|clinician", Wording("The risk of {outcome} is {risk}."))
    first.put("b|clinician", Wording("", "polarity"))
    first.close()
    again = FileCache(path)
    assert again.get("a|clinician") == Wording("The risk of {outcome} is {risk}.")
    assert again.get("b|clinician") == Wording("", "polarity")
    assert again.get("c|clinician") is None
    again.close()


def test_it_is_there_for_another_process_without_a_close(tmp_path: Path) -> None:
    path = tmp_path / "wordings.sqlite"
    first = FileCache(path)
    first.put("a", Wording("Kept."))
    assert FileCache(path).get("a") == Wording("Kept.")


def test_without_a_file_it_keeps_in_memory() -> None:
    cache = FileCache(None)
    cache.put("a", Wording("Kept."))
    assert cache.get("a") == Wording("Kept.")
    cache.close()
    cache.close()


def test_a_refusal_is_tried_again_after_some_hours(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "wordings.sqlite"
    cache = FileCache(path, now_s=clock)
    cache.put("a", Wording("", "words"))
    cache.put("b", Wording("Kept."))
    clock.now_s += REFUSED_FOR_S - 1
    assert cache.get("a") == Wording("", "words")
    assert FileCache(path, now_s=clock).get("a") == Wording("", "words")
    clock.now_s += 2
    assert cache.get("a") is None
    assert FileCache(path, now_s=clock).get("a") is None
    assert cache.get("b") == Wording("Kept.")
    cache.put("a", Wording("Now it can be worded."))
    assert cache.get("a") == Wording("Now it can be worded.")
    clock.now_s -= 10 * REFUSED_FOR_S  # a clock set back
    cache.put("c", Wording("", "words"))
    clock.now_s -= 1
    assert cache.get("c") is None


def test_it_is_bounded_and_the_oldest_goes(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "wordings.sqlite"
    cache = FileCache(path, most=50, now_s=clock)
    for number in range(180):
        clock.now_s += 1
        cache.put(f"key-{number}", Wording(f"Wording {number}."))
    assert cache.get("key-0") is None
    assert cache.get("key-179") == Wording("Wording 179.")
    cache.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM wording").fetchone() == (50,)


def test_what_is_too_long_is_not_kept() -> None:
    cache = FileCache(None)
    cache.put("k" * 5_000, Wording("Kept."))
    cache.put("a", Wording("x" * 5_000))
    cache.put("b", Wording(""))
    cache.put("c", Wording("Both.", "words"))
    assert [cache.get(key) for key in ("k" * 5_000, "a", "b", "c")] == [None] * 4


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_a_file_that_is_no_database_is_begun_again(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wordings.sqlite"
    path.write_bytes(content)
    cache = FileCache(path)
    cache.put("a", Wording("Kept."))
    assert FileCache(path).get("a") == Wording("Kept.")


def test_a_database_of_something_else_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "wordings.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE wording (key TEXT, other INTEGER)")
    cache = FileCache(path)
    cache.put("a", Wording("Kept."))
    assert FileCache(path).get("a") == Wording("Kept.")


def test_rows_that_make_no_sense_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "wordings.sqlite"
    FileCache(path).close()
    with sqlite3.connect(path) as connection:
        rows = [
            ("good", "Kept.", "", 1.0), ("both", "Kept.", "words", 1.0), ("neither", "", "", 1.0),
            ("huge", "x" * 100_000, "", 1.0), ("k" * 9_000, "Kept.", "", 1.0),
        ]  # fmt: skip
        connection.executemany("INSERT INTO wording VALUES (?, ?, ?, ?)", rows)
    cache = FileCache(path)
    assert cache.get("good") == Wording("Kept.")
    assert [cache.get(key) for key in ("both", "neither", "huge", "k" * 9_000)] == [None] * 4


def test_a_file_that_another_holds_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "wordings.sqlite"
    FileCache(path).put("a", Wording("Kept."))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        cache = FileCache(path)
        cache.put("b", Wording("In memory."))
        assert cache.get("b") == Wording("In memory.")
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert FileCache(path).get("a") == Wording("Kept.")


def test_a_path_that_cannot_be_written_keeps_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    cache = FileCache(tmp_path / "file" / "wordings.sqlite")
    cache.put("a", Wording("Kept."))
    assert cache.get("a") == Wording("Kept.")


def test_threads_may_share_it(tmp_path: Path) -> None:
    cache, wrong = FileCache(tmp_path / "wordings.sqlite"), []

    def work(name: int) -> None:
        for number in range(60):
            cache.put(f"{name}-{number}", Wording(f"Wording {name} {number}."))
            if cache.get(f"{name}-{number}") != Wording(f"Wording {name} {number}."):
                wrong.append((name, number))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong

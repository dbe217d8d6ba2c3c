"""The SQLite journal does what any journal must."""

from __future__ import annotations

from pathlib import Path

from vitruvian.journal import Journal
from vitruvian.testing.journal import JournalConformance


class TestSqlite(JournalConformance):
    def open_journal(self, folder: Path) -> Journal:
        return Journal.open(folder / "journal.db")

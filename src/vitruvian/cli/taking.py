"""Files into a journal: readings are gathered into batches, each committed before the next is read.

What was committed stays when the run is broken off; a further run over the same files finds it as duplicates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from vitruvian.core.errors import ConfigurationError, ReadingError, VitruvianError
from vitruvian.core.events import Blob, Entry, Reading, Receipt, Refusal
from vitruvian.core.limits import BUNDLE_BYTES_MAX, COMMIT_ENTRIES_MAX
from vitruvian.core.time import Clock
from vitruvian.journal import Journal
from vitruvian.records.base import Context, FileReader, Found, discover, read_found
from vitruvian.records.tabular import Columns, Described
from vitruvian.records.tally import Tally

REFUSALS_MAX: Final = 512  # refused inputs kept in one transaction
LISTED_MAX: Final = 100  # unknown files listed by name


@dataclass(slots=True)
class Taken:
    """What became of some files. `tally` counts readings, the rest their entries in the journal."""

    tally: Tally = field(default_factory=Tally)
    outcomes: Counter[str] = field(default_factory=Counter)
    unknown_files: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    dry: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For `--json`: `read`, `ignored` and `quarantined` sum to `total`."""
        entries = {name: self.outcomes[name] for name in ("committed", "duplicate", "corrected", "stale", "waiting")}
        return {
            **self.tally.as_dict(),
            "committed": entries["committed"],
            "duplicates": entries["duplicate"],
            "corrected": entries["corrected"],
            "stale": entries["stale"],
            "waiting": entries["waiting"],
            "entries_quarantined": self.outcomes["quarantined"],
            "unknown_files": self.unknown_files,
            "errors": self.errors,
            "dry_run": self.dry,
        }


def find(paths: Sequence[Path], columns: Columns | None) -> list[Found]:
    """Every file under the paths with its reader; a description of columns goes before what a table looks like.

    Raises ReadingError where a path is missing, ConfigurationError where the description fits no table.
    """
    for path in paths:
        if not path.exists():
            raise ReadingError(f"found nothing at {path}, expected a file or a folder; check the spelling")
    found = [item for path in paths for item in discover(path)]
    if columns is None:
        return found
    described = Described(columns)
    fitted = [
        Found(item.path, described) if not item.path.is_dir() and described.sniff(item.path, b"") else item
        for item in found
    ]
    if all(item.reader is not described for item in fitted):
        raise ConfigurationError(
            f"found no table with the columns {', '.join(sorted(columns.needed))} that are described; check the names"
        )
    return fitted


def files_of(item: Found) -> tuple[int, list[str]]:
    """How many files a reader opens there, and those of its folder that it does not."""
    if item.reader is None:
        return 0, [str(item.path)]
    list_files = getattr(item.reader, "files", None)
    if list_files is None or not item.path.is_dir():
        return 1, []
    opened = set(list_files(item.path))
    others = [str(path) for path in sorted(item.path.rglob("*")) if path.is_file() and path not in opened]
    return len(opened), [path for path in others if not Path(path).name.startswith(".")]


class Taker:
    """Reads found files into a journal; without one (a dry run) it only counts."""

    def __init__(self, journal: Journal | None, context: Context, clock: Clock) -> None:
        self.taken = Taken(dry=journal is None)
        self._journal, self._context, self._clock = journal, context, clock
        self._waiting: list[Reading] = []
        self._entries = 0
        self._refusals: list[Refusal] = []

    def take(self, item: Found) -> Iterator[int]:
        """Take one file or folder; yields the readings so far, now and then. Finish with `flush`.

        A reader whose package is missing is an error of that file: it is told, and the others go on. Raises
        JournalUnavailable where nothing can be kept.
        """
        count, unknown = files_of(item)
        tally = self.taken.tally
        tally.files += count
        tally.files_unknown += len(unknown)
        self.taken.unknown_files += unknown[: max(0, LISTED_MAX - len(self.taken.unknown_files))]
        if item.reader is None:
            return
        try:
            _require(item.reader, item.path)
        except VitruvianError as error:
            self.taken.errors.append(f"{item.path}: {error}")
            return
        for number, reading in enumerate(read_found(item, self._context), start=1):
            self._add(reading, item.path)
            if number % 1_000 == 0:
                yield tally.total + len(self._waiting)

    def flush(self) -> None:
        """Commit what is gathered."""
        if self._waiting:
            self._commit()
        if self._refusals:
            self._refuse()

    def _add(self, reading: Reading, path: Path) -> None:
        if self._journal is None:
            self.taken.tally.add(reading)
            return
        if reading.refusal is not None:
            self._refusals.append(reading.refusal)
        self._refusals += reading.refused_parts
        if not reading.entries:
            self.taken.tally.add(reading)
        else:
            self._keep_blobs(reading, path)
            self._waiting.append(reading)
            self._entries += len(reading.entries)
        if self._entries >= COMMIT_ENTRIES_MAX:
            self._commit()
        if len(self._refusals) >= REFUSALS_MAX:
            self._refuse()

    def _commit(self) -> None:
        assert self._journal is not None
        entries = [entry for reading in self._waiting for entry in reading.entries]
        receipts: list[Receipt] = []
        for first in range(0, len(entries), 2 * COMMIT_ENTRIES_MAX):  # one message may hold more than a commit should
            part = entries[first : first + 2 * COMMIT_ENTRIES_MAX]
            receipts += self._journal.append(part, recorded_us=self._clock.now_us()).receipts
        self.taken.outcomes.update(receipt.outcome for receipt in receipts)
        place = 0
        for reading in self._waiting:
            own = receipts[place : place + len(reading.entries)]
            place += len(reading.entries)
            self.taken.tally.add(judged(reading, own))
        self._waiting.clear()
        self._entries = 0

    def _refuse(self) -> None:
        assert self._journal is not None
        self._journal.refuse(self._refusals, recorded_us=self._clock.now_us())
        self._refusals.clear()

    def _keep_blobs(self, reading: Reading, path: Path) -> None:
        """Bytes that events only name are kept beside the journal, as far as they can be held."""
        assert self._journal is not None
        for entry in reading.entries:
            for event in entry.events:
                value = event.value
                if isinstance(value, Blob) and value.where and value.bytes <= BUNDLE_BYTES_MAX:
                    file = path.parent / Path(value.where).name
                    if file.is_file() and file.stat().st_size == value.bytes:
                        self._journal.put_blob(file.read_bytes(), value.media_type)


def judged(reading: Reading, receipts: Sequence[Receipt]) -> Reading:
    """The reading as the journal took it: where it kept every entry apart, it was quarantined and not read."""
    apart = [receipt for receipt in receipts if receipt.outcome == "quarantined"]
    if not apart:
        return reading
    parts = tuple(Refusal(receipt.reason or "quarantined", "", "") for receipt in apart)
    if len(apart) == len(receipts):
        return Reading(
            reading.kind,
            refusal=parts[0],
            refused_parts=(*reading.refused_parts, *parts[1:]),
            unmapped=reading.unmapped,
        )
    kept: tuple[Entry, ...] = tuple(
        entry for entry, receipt in zip(reading.entries, receipts, strict=True) if receipt.outcome != "quarantined"
    )
    return Reading(reading.kind, kept, refused_parts=(*reading.refused_parts, *parts), unmapped=reading.unmapped)


def _require(reader: FileReader, path: Path) -> None:
    """Ask a reader whether what it needs is installed. Raises ConfigurationError."""
    require = getattr(reader, "require", None)
    if require is not None:
        require(path)

"""Vitruvian: digital twins of patients.

>>> from vitruvian import read
>>> for entry in read("bundle.json"):        # doctest: +SKIP
...     print(entry.subject, entry.events)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from vitruvian.core.events import Entry

__all__ = ["read"]


def read(
    path: Path | str,
    *,
    mapping: Path | str | None = None,
    columns: Path | str | None = None,
    zone: str = "UTC",
    source: str = "",
) -> Iterator[Entry]:
    """What a file or folder says of patients, entry by entry, in whatever format of those that Vitruvian knows.

    `mapping` is a site's `mapping.toml`, `columns` says what a plain table's columns mean, `zone` is that of times
    without an offset, `source` names the origin. What cannot be read is passed over; `vitruvian ingest` and
    `vitruvian.records.base.iter_readings` say what that was. Raises ReadingError where the path does not exist or is a
    file of no known format, ConfigurationError where the mapping, the columns or the zone are wrong.
    """
    # Imported here, so that `import vitruvian` costs nothing.
    from vitruvian.core.time import zone_named
    from vitruvian.records.base import Context, iter_readings
    from vitruvian.records.mapping import default_mapping, load_mapping

    context = Context(source, default_mapping() if mapping is None else load_mapping(mapping), zone_named(zone))
    if columns is None:
        readings = iter_readings(path, context)
    else:
        from vitruvian.records.tabular import described_readings, load_columns

        readings = described_readings(path, load_columns(columns), context)
    return (entry for reading in readings for entry in reading.entries)

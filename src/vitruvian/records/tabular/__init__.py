"""Plain tables, CSV or Parquet: by a description of their columns, or by headers that say it all."""

from vitruvian.records.tabular.reader import NAME, Described, described_readings, files, read, sniff
from vitruvian.records.tabular.spec import Columns, load_columns, parse_columns

__all__ = [
    "NAME",
    "Columns",
    "Described",
    "described_readings",
    "files",
    "load_columns",
    "parse_columns",
    "read",
    "sniff",
]

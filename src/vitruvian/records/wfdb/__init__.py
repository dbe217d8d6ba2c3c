"""WFDB records (PhysioNet): numerics to observations, waveforms kept as files; see docs/readers/wfdb.md."""

from vitruvian.records.wfdb.reader import NAME, files, read, require, sniff

__all__ = ["NAME", "files", "read", "require", "sniff"]

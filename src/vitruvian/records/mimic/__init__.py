"""MIMIC-III and MIMIC-IV, the tables as published; see docs/readers/mimic.md for what is taken and how."""

from vitruvian.records.mimic.reader import NAME, files, read, sniff

__all__ = ["NAME", "files", "read", "sniff"]

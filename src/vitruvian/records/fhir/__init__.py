"""FHIR R4: bundles of every type, single resources, NDJSON; see docs/readers/fhir.md for what is taken and how.

>>> from pathlib import Path
>>> from vitruvian.records.base import Context
>>> from vitruvian.records import fhir
>>> readings = list(fhir.read_bytes(Path("bundle.json").read_bytes(), Context()))  # doctest: +SKIP
"""

from vitruvian.records.fhir.reader import NAME, read, read_bytes, sniff

__all__ = ["NAME", "read", "read_bytes", "sniff"]

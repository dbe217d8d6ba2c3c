"""FHIR R4: bundles of every type, single resources, NDJSON; see docs/readers/fhir.md for what is taken and how.

>>> from vitruvian.records import fhir
>>> from vitruvian.records.base import Context
>>> [reading.ignored for reading in fhir.read_bytes(b'{"resourceType": "Claim"}', Context())]
['no home yet']
"""

from vitruvian.records.fhir.reader import NAME, read, read_bytes, sniff

__all__ = ["NAME", "read", "read_bytes", "sniff"]

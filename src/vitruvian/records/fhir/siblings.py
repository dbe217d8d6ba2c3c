"""What other files of a bulk export say of the medicines, places and encounters that this one refers to.

A Bulk Data export is one NDJSON file a type (`Medication.ndjson`, `MimicLocation.ndjson.gz`, `Medication.000.ndjson`),
so that what an administration refers to is beside it, not in it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from vitruvian.records.fhir.outcome import Refused
from vitruvian.records.fhir.references import References
from vitruvian.records.fhir.resources import kind_of

DAMAGED: Final = (OSError, EOFError, zlib.error)
# File name -> the types that its resources refer to.
_NEEDS: Final = (
    (re.compile(r"Medication(?:Administration|Request|Statement)"), re.compile(r"Medication(?![A-Za-z])")),
    (re.compile(r"Encounter"), re.compile(r"Location(?![A-Za-z])")),
    (re.compile(r"Condition"), re.compile(r"Encounter(?![a-z])")),
)
SIBLING_LINES_MAX: Final = 65_536  # looked at in one export; beyond it references stay references


def learn_siblings(path: Path, references: References, lines: Callable[[Path], Iterator[bytes]]) -> None:
    """Teach `references` the medicines, places or encounters in files beside `path`, of which `lines` reads the lines.

    A damaged file teaches what it can: its own reading tells of the damage.
    """
    wanted = [target for source, target in _NEEDS if source.search(path.name)]
    if not wanted:
        return
    try:
        beside = sorted(path.parent.iterdir())
    except OSError:
        return
    left = SIBLING_LINES_MAX
    for sibling in beside:
        if ".ndjson" not in sibling.name or not any(target.search(sibling.name) for target in wanted):
            continue
        try:
            for line in lines(sibling):
                _learn(line, references)
                left -= 1
                if left == 0:
                    return
        except DAMAGED:
            continue


def _learn(line: bytes, references: References) -> None:
    try:
        references.learn(kind_of(line), "", line)
    except Refused:
        return

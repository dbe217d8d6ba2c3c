"""An independent look at the sample messages: what a plain split finds is what the reader took.

Nothing here is shared with the reader: delimiters are split by hand, units are a small table of factors, and the codes
are looked up in the vocabulary's tables as they lie on disk.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.support import REPOSITORY, require_data
from vitruvian.core.events import Quantity, Range
from vitruvian.records import hl7v2
from vitruvian.records.base import Context

pytestmark = pytest.mark.data

SHARE_MIN = 0.98
# Unit as the messages write it -> unit of the vocabulary, factor. What is not here cannot be compared and fails.
UNITS = {
    "beats/min": ("/min", 1.0),
    "%": ("%", 1.0),
    "mg/dl": ("mg/dL", 1.0),
    "giga.l-1": ("10*3/uL", 1.0),  # 1e9/L is 1e3/uL
    "tera.l-1": ("10*6/uL", 1.0),
    "g/l-1": ("g/dL", 0.1),  # the sender's way of writing g.l-1
}


def loinc() -> dict[str, str]:
    """LOINC code to concept, from the tables as they lie on disk."""
    found: dict[str, str] = {}
    for path in sorted((REPOSITORY / "src/vitruvian/core/vocabulary").glob("*.toml")):
        for name, row in _concepts(tomllib.loads(path.read_text("utf-8"))):
            for code in re.findall(r"\b\d{1,5}-\d\b", repr(row.get("codes", row.get("loinc", "")))):
                found[code] = name
    return found


def _concepts(document: dict[str, object]) -> list[tuple[str, dict[str, object]]]:
    found = []
    for name, row in document.items():
        if isinstance(row, dict):
            found.append((name, row))
            found += _concepts(row)
        elif isinstance(row, list):
            found += [(str(each.get("name", name)), each) for each in row if isinstance(each, dict)]
    return found


def plain(text: str, known: dict[str, str]) -> list[tuple[str, float, str]]:
    """(concept, number, unit) of every numeric result in a message of any type, by splitting alone."""
    lines = [line for line in re.split(r"[\r\n]+", text.lstrip("\ufeff")) if line]
    field, component, repetition = lines[0][3], lines[0][4], lines[0][5]
    found = []
    for line in lines:
        cells = [*line.split(field), *[""] * 20]
        if cells[0] != "OBX" or cells[11] in ("I", "N", "O"):
            continue
        code = [*cells[3].split(component), "", "", ""]
        if code[2] not in ("LN", "") or code[0] not in known:
            continue
        unit = cells[6].split(component)[0]
        target, factor = UNITS.get(unit, ("?", 1.0))
        for each in cells[5].split(repetition):
            number = re.fullmatch(r"\^?(\d+(?:\.\d+)?)", each.strip())
            if number:
                found.append((known[code[0]], round(float(number[1]) * factor, 9), target))
    return found


def taken(path: Path) -> list[tuple[str, float, str]]:
    """The same of the reader's events."""
    found = []
    for reading in hl7v2.read(path, Context()):
        for entry in reading.entries:
            for event in entry.events:
                if isinstance(event.value, Quantity) and event.kind == "observation":
                    found.append((event.concept, round(event.value.value, 9), event.value.unit))
                assert not isinstance(event.value, Range)
    return found


def test_what_a_plain_split_finds_is_what_the_reader_took() -> None:
    known = loinc()
    assert len(known) > 150 and known["8867-4"] == "heart_rate"
    folder = require_data("hl7v2")
    wanted: Counter[tuple[str, str, float, str]] = Counter()
    found: Counter[tuple[str, str, float, str]] = Counter()
    for path in sorted(folder.glob("*.hl7")):
        wanted.update((path.name, *each) for each in plain(path.read_text("utf-8"), known))
        found.update((path.name, *each) for each in taken(path))
    assert wanted.total() >= 60
    missed = wanted - found
    assert (wanted & found).total() >= SHARE_MIN * wanted.total(), dict(missed)
    assert not found - wanted, "the reader took what is not there"


def test_every_message_is_accounted_for() -> None:
    folder = require_data("hl7v2")
    files = sorted(folder.glob("*.hl7"))
    messages = sum(len(re.findall(r"^MSH\|", path.read_text("utf-8").lstrip("\ufeff"), re.MULTILINE)) for path in files)
    readings = [reading for path in files for reading in hl7v2.read(path, Context())]
    assert len(readings) == messages
    assert all(bool(r.entries) + bool(r.ignored) + (r.refusal is not None) == 1 for r in readings)

"""kill -9 between suggesting and deciding: what was said to be kept is kept, and nothing is half decided."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from vitruvian.explanation.notes import SuggestionStore

WRITER = """
import sys
from pathlib import Path
from vitruvian.core.identifiers import Identifier
from vitruvian.explanation.notes import Note, Suggestion, SuggestionStore
store = SuggestionStore(Path(sys.argv[1]))
number = 0
while True:
    note = Note.of(f"n{number}", Identifier("s", "1"), number, "fever")
    (kept,) = store.put("p1", note, [Suggestion(0, 5, "fever", "condition")], number)
    store.reject(kept.id, "dr", number)
    print(number, flush=True)
    number += 1
"""


def test_a_killed_writer_loses_nothing_it_told(tmp_path: Path) -> None:
    path, told = tmp_path / "ward.notes", 0
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    deadline = time.monotonic() + 60
    while told < 20 and time.monotonic() < deadline:
        told = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    told = int(rest[-1]) if rest else told
    store = SuggestionStore(path)
    notes = {one.note.id: one for one in store.list("p1")}
    assert {f"n{number}" for number in range(told + 1)} <= notes.keys()
    assert all(notes[f"n{number}"].status == "rejected" for number in range(told + 1))
    assert all(one.status == "waiting" and not one.by for one in notes.values() if int(one.note.id[1:]) > told + 1)
    store.close()

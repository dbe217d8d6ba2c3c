"""The audit outlives a writer that is killed: everything it said it had written is there, and the chain is whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from vitruvian.trust.audit import AuditLog, verify_audit

WRITER = """
import sys
from pathlib import Path
from vitruvian.explanation.llm.audit import AuditRecord
from vitruvian.trust.audit import AuditLog
log = AuditLog(Path(sys.argv[1]))
print(log.last_seq, flush=True)
while True:
    log.note(AuditRecord("wording", "m", "d" * 64, "1", "a" * 64, "b" * 64, "accepted"))
    print(log.last_seq, flush=True)
"""


def test_a_killed_writer_loses_nothing_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    chance = random.Random(7)
    said = 0
    for _ in range(3):
        running = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
        assert running.stdout is not None
        with running.stdout:
            assert int(running.stdout.readline()) >= said  # it goes on where the last one was killed
            time.sleep(chance.uniform(0.05, 1.3))  # before and after the head is first written
            running.kill()
            running.wait()
            said = int(running.stdout.read().split(b"\n")[-2])
        found = verify_audit(path)
        assert found.ok, found.faults
        assert found.last_seq >= said
    log = AuditLog(path)
    log.close()
    found = verify_audit(path)
    assert (found.ok, found.torn) == (True, False)
    assert found.last_seq >= said > 10

"""200 SIGKILLs during ingest at 2,000 observations a second: what was acknowledged and lost, what was stored twice.

The work is the long tier's test, so that the figure and the test cannot drift apart.
"""

from __future__ import annotations

import subprocess
import sys

from tests.support import REPOSITORY

TEST = "tests/faults/test_journal_faults.py::test_two_hundred_kills_at_two_thousand_a_second"


def main() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-m", "long", TEST]
    sys.exit(subprocess.run(command, cwd=REPOSITORY, check=False).returncode)


if __name__ == "__main__":
    main()

"""What tests share: the reference data, programs, free ports, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CHROMIUM_FLAGS: Sequence[str] = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Debian keeps daemons where an ordinary user's PATH does not look.
_EXTRA_PROGRAM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_BUSY_FACTOR = 20.0


def in_ci() -> bool:
    """Whether this run must not skip: CI=true."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def limit_s(seconds: float) -> float:
    """How long something may take that must take `seconds` at most on a machine that does nothing else.

    That limit itself where VITRUVIAN_QUIET=true says that it is so (scripts/test-long, one test at a time); elsewhere
    twenty times as long, which only what hangs or has become far slower exceeds.
    """
    quiet = os.environ.get("VITRUVIAN_QUIET", "").lower() in {"1", "true", "yes"}
    return seconds if quiet else _BUSY_FACTOR * seconds


def missing(reason: str) -> NoReturn:
    """Skip with the reason; in CI, where everything must be there, fail with it."""
    __tracebackhide__ = True
    if in_ci():
        pytest.fail(f"{reason} (CI=true: a skip for something missing is a failure)", pytrace=False)
    pytest.skip(reason)


def data_root() -> Path:
    """Where the reference data is: VITRUVIAN_DATA, else ../shared/data beside the checkout."""
    named = os.environ.get("VITRUVIAN_DATA")
    return Path(named) if named else REPOSITORY.parent / "shared" / "data"


def require_data(path: str = "") -> Path:
    """The file or folder at `path` within the reference data; skips (fails in CI) where it is absent."""
    __tracebackhide__ = True
    wanted = data_root() / path
    if not wanted.exists():
        missing(f"no reference data at {wanted}: put it beside the checkout or set VITRUVIAN_DATA")
    return wanted


def find_program(*names: str) -> str | None:
    """The full path of the first of these programs that is installed, or None."""
    search = os.pathsep.join((os.environ.get("PATH", ""), *_EXTRA_PROGRAM_FOLDERS))
    for name in names:
        found = shutil.which(name, path=search)
        if found:
            return found
    return None


def require_program(*names: str) -> str:
    """The full path of the first of these programs that is installed; skips (fails in CI) where none is."""
    __tracebackhide__ = True
    found = find_program(*names)
    if found is None:
        missing(f"no {' or '.join(names)} on this machine: scripts/setup --dev installs it")
    return found


def require_chromium() -> str:
    """The path of a Chromium that Playwright can drive; skips (fails in CI) where there is none."""
    __tracebackhide__ = True
    named = os.environ.get("VITRUVIAN_CHROMIUM")
    return named or require_program("chromium", "chromium-browser", "google-chrome")


def free_port() -> int:
    """A TCP port on the loopback interface that is free now. Prefer binding port 0 where the server can."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port

"""The bedside as a process of its own: `python -m vitruvian.bedside virtual|replay ...`.

The broker's URL comes from the environment (VITRUVIAN_MQTT), because it may hold a password; ends on SIGTERM or SIGINT,
and with `--while-stdin` when whoever holds the other end of standard input is gone, however it died.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from vitruvian.bedside.monitors import publish_virtual
from vitruvian.bedside.replay import publish_replay
from vitruvian.core.errors import ConfigurationError, VitruvianError
from vitruvian.core.time import HOUR_US, ScaledClock

BROKER_VARIABLE = "VITRUVIAN_MQTT"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vitruvian.bedside", description=__doc__)
    parser.add_argument("--while-stdin", action="store_true", help="end when standard input closes")
    commands = parser.add_subparsers(dest="command", required=True)
    virtual = commands.add_parser("virtual", help="publish virtual patients")
    virtual.add_argument("--patients", type=int, default=24)
    virtual.add_argument("--rate", type=float, default=1.0, help="readings a second of each patient")
    virtual.add_argument("--seed", type=int, default=1)
    virtual.add_argument("--pace", type=float, default=1.0, help="how much faster than time the courses run")
    virtual.add_argument("--outbox", type=Path)
    virtual.add_argument("--history", type=float, default=0.0, help="hours published before the start, the first time")
    virtual.add_argument("--began", type=Path, help="file that keeps when the courses began, over restarts")
    virtual.add_argument("--bodies", action="store_true", help="patients have bodies; without it, a script")
    virtual.add_argument("--light", action="store_true", help="no outbox: for load")
    virtual.add_argument("--duration", type=float, help="seconds")
    replay = commands.add_parser("replay", help="publish real patients hour by hour")
    replay.add_argument("path", type=Path)
    replay.add_argument("--patients", type=int, default=24)
    replay.add_argument("--outbox", type=Path)
    replay.add_argument("--speed", type=float, default=600.0)
    replay.add_argument("--origin-us", type=int, help="the virtual clock's origin, microseconds since 1970")
    replay.add_argument("--started-ns", type=int, help="the machine's monotonic clock at the origin")
    return parser


def _job(asked: argparse.Namespace, broker_url: str) -> Coroutine[Any, Any, int]:
    if asked.command == "virtual":
        began_us, history_h = _beginning(asked.began, asked.history)
        return publish_virtual(
            broker_url,
            asked.patients,
            asked.rate,
            asked.seed,
            pace=asked.pace,
            began_us=began_us,
            history_h=history_h,
            outbox=asked.outbox,
            light=asked.light,
            duration_s=asked.duration,
            bodies=asked.bodies,
        )
    origin_us = asked.origin_us if asked.origin_us is not None else time.time_ns() // 1_000
    clock = ScaledClock(origin_us, asked.speed, asked.started_ns)
    return publish_replay(asked.path, broker_url, clock, asked.speed, asked.patients, outbox=asked.outbox)


def _beginning(file: Path | None, history_h: float) -> tuple[int | None, float]:
    """When the courses began and how much of the past is still to be told: after a restart, they go on."""
    if file is None:
        return None, history_h
    try:
        return int(file.read_text("utf-8")), 0.0
    except (OSError, ValueError):
        began_us = time.time_ns() // 1_000 - int(history_h * HOUR_US)
        file.write_text(str(began_us), "utf-8")
        return began_us, history_h


async def _run(asked: argparse.Namespace, broker_url: str) -> int:
    task = asyncio.ensure_future(_job(asked, broker_url))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    if asked.while_stdin:
        await loop.connect_read_pipe(lambda: _Lifeline(task), sys.stdin)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return 0


class _Lifeline(asyncio.Protocol):
    """Standard input that closes when the parent dies: a ward that was killed leaves no monitors behind."""

    def __init__(self, task: asyncio.Future[int]) -> None:
        self._task = task

    def connection_lost(self, error: Exception | None) -> None:
        """The other end is gone."""
        self._task.cancel()


def main() -> int:
    """Exit status 0 after the work or a signal, 2 with one line on standard error where it cannot be done."""
    asked = _arguments().parse_args()
    try:
        broker_url = os.environ.get(BROKER_VARIABLE, "")
        if not broker_url:
            raise ConfigurationError(f"found no {BROKER_VARIABLE} in the environment, expected mqtt://host:port")
        asyncio.run(_run(asked, broker_url))
    except VitruvianError as error:
        sys.stderr.write(f"vitruvian: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

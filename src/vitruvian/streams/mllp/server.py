"""An MLLP listener: frames in, one acknowledgement out for each, in order.

A frame is `<VT> message <FS><CR>`. The handler is awaited before the answer is written, so an answer means what the
handler made durable. A connection carries one message at a time, as the protocol has it: a sender that pipelines is
read no faster than it is answered, which is the back-pressure.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable

from vitruvian.core.errors import ConfigurationError

log = logging.getLogger(__name__)

VT, FS, CR = b"\x0b", b"\x1c", b"\x0d"
MESSAGE_BYTES_MAX = 4 << 20
CONNECTIONS_MAX = 64
IDLE_S_MAX = 600.0

Handler = Callable[[bytes], Awaitable[bytes]]


class MllpServer:
    """Listens on `host:port` (port 0 takes a free one) and answers each framed message with `handler`'s bytes.

    Binding is loopback by default. `tls` is a server-side SSLContext where the line is not trusted.
    """

    def __init__(
        self,
        handler: Handler,
        host: str = "127.0.0.1",
        port: int = 2575,
        *,
        tls: ssl.SSLContext | None = None,
        message_bytes_max: int = MESSAGE_BYTES_MAX,
        idle_s_max: float = IDLE_S_MAX,
    ) -> None:
        self._handler = handler
        self._host, self._port, self._tls = host, port, tls
        self._message_bytes_max, self._idle_s_max = message_bytes_max, idle_s_max
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._closing = False
        self.counts: dict[str, int] = {"connections": 0, "messages": 0, "noise_bytes": 0, "dropped": 0}

    @property
    def port(self) -> int:
        """The port that is listened on."""
        if self._server is None:
            raise ConfigurationError("the MLLP listener is not started; call start() first")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Bind and listen; ConfigurationError where the address is taken or not ours."""
        try:
            self._server = await asyncio.start_server(
                self._connected, self._host, self._port, ssl=self._tls, limit=self._message_bytes_max + 2
            )
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen for HL7 v2 on {self._host}:{self._port} ({error.strerror}); choose another port"
            ) from error

    async def close(self) -> None:
        """Stop listening, let each message in hand be answered, then hang up."""
        if self._server is None:
            return
        self._server.close()
        for task in self._connections - self._busy:  # who waits for a message has nothing to lose
            task.cancel()
        self._closing = True  # and who has one in hand ends after its answer
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connections) >= CONNECTIONS_MAX:
            self.counts["dropped"] += 1
            log.warning("more than %d HL7 v2 connections: the newest was closed", CONNECTIONS_MAX)
            writer.close()
            return
        self._connections.add(task)
        self.counts["connections"] += 1
        try:
            await self._converse(reader, writer)
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            pass  # the peer went silent or away; what was answered stands, what was not will be sent again
        except asyncio.LimitOverrunError:
            self.counts["dropped"] += 1
            log.warning("an MLLP message over %d bytes: connection closed", self._message_bytes_max)
        except asyncio.CancelledError:
            pass  # close() hangs up
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        while not self._closing:
            async with asyncio.timeout(self._idle_s_max):
                noise = await reader.readuntil(VT)
                self.counts["noise_bytes"] += len(noise) - 1
                message = (await reader.readuntil(FS + CR))[:-2]
            self.counts["messages"] += 1
            self._busy.add(task)
            try:
                answer = await self._handler(message)
                writer.write(VT + answer + FS + CR)
                async with asyncio.timeout(self._idle_s_max):
                    await writer.drain()
            finally:
                self._busy.discard(task)

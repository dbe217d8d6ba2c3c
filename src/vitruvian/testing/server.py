"""A real HTTP server over a ward, on a thread of its own and a free port: for tests of pages and streams."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn

from vitruvian import dashboard
from vitruvian.service.app import create_app, make_server
from vitruvian.service.ports import WardPort
from vitruvian.service.settings import ServiceSettings
from vitruvian.service.words import Words

START_S_MAX: Final = 20.0


class Serving:
    """A server that can be stopped and started again on its port."""

    def __init__(self, ward: WardPort, settings: ServiceSettings | None = None, words: Words | None = None) -> None:
        self.ward, self.words = ward, words
        self.settings = settings or ServiceSettings(port=0)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.settings.port}"

    def start(self) -> None:
        """Listen; returns when it does."""
        app = create_app(self.ward, self.settings, [dashboard.attach], self.words)
        server = self._server = make_server(app, self.settings)

        def run() -> None:
            with asyncio.Runner() as runner:
                self._loop = runner.get_loop()
                runner.run(server.serve())

        self._thread = threading.Thread(target=run, name="http", daemon=True)
        self._thread.start()
        give_up = time.monotonic() + START_S_MAX
        while not server.started:
            if time.monotonic() > give_up or not self._thread.is_alive():
                raise RuntimeError("the test server did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        self.settings = dataclasses.replace(self.settings, port=port)

    def stop(self) -> None:
        """Stop listening and drop every connection; the port stays ours for `start`."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._server.force_exit = True
            self._thread.join(START_S_MAX)
            self._server = None

    def call(self, function: Callable[[], object]) -> None:
        """Run something on the server's loop."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(function)


@contextlib.contextmanager
def serving(ward: WardPort, settings: ServiceSettings | None = None, words: Words | None = None) -> Iterator[Serving]:
    """A started server, stopped at the end, and with it `words`."""
    server = Serving(ward, settings, words)
    server.start()
    try:
        yield server
    finally:
        server.stop()

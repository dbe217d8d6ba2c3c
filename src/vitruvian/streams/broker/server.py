"""Start nats-server, wait until it answers, start it again when it dies, stop it.

One owner a folder: a lock that dies with its holder says who; a broker left running by a ward that was killed is found
by its pid file, recognised by its configuration file, and ended before another starts on the same store.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
import signal
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Final, TextIO

from vitruvian.core.errors import ConfigurationError
from vitruvian.streams.broker.config import BrokerSettings, find_server, render
from vitruvian.streams.broker.limits import bound_messages
from vitruvian.streams.mqtt.connection import Address, BrokerUnavailable, Connection

__all__ = ["EmbeddedBroker"]

log = logging.getLogger(__name__)

READY_S_MAX: Final = 20.0  # a store that was cut off by a power failure is checked first
STOP_S_MAX: Final = 5.0
RESTART_S_FIRST: Final = 0.1
RESTART_S_MAX: Final = 2.0
HEALTHY_S: Final = 2.0  # after running so long, the next restart is quick again
LOG_BYTES_MAX: Final = 4 << 20


class EmbeddedBroker:
    """An MQTT broker of our own within `folder`; use it as `async with EmbeddedBroker(folder) as broker`.

    Its address is `broker.url`; the port stays the same when it is started again. Raises ConfigurationError on start
    where the port is taken, another process owns the folder, or nats-server does not come up.
    """

    def __init__(self, folder: Path, settings: BrokerSettings | None = None) -> None:
        self.settings = settings or BrokerSettings()
        self.folder = folder
        self.restarts = 0
        self._port = self.settings.port
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lock: TextIO | None = None

    @property
    def address(self) -> Address:
        """Where clients connect."""
        return Address(self.settings.host, self._port, False, self.settings.user, self.settings.password)

    @property
    def url(self) -> str:
        """Where clients connect, as `mqtt://host:port`, without the password."""
        return repr(self.address)

    @property
    def pid(self) -> int | None:
        """The broker's process, or None between two."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def __aenter__(self) -> EmbeddedBroker:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    async def start(self) -> None:
        """Come up and answer, within 20 s."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._own()
        try:
            await asyncio.to_thread(self._end_stale)
            for old in self.folder.glob("nats-server_*.ports"):
                old.unlink(missing_ok=True)
            if self._port == 0:
                self._port = _free_port(self.settings.host)
            else:
                _check_free(self.settings.host, self._port)
            await self._launch()
            await self._ready()
        except BaseException:
            await self.stop()
            raise
        self._watch = asyncio.create_task(self._keep(), name="broker")

    async def stop(self) -> None:
        """Stop the broker and let go of the folder."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_S_MAX):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._lock is not None:
            self._pid_path.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    # --- within ---

    @property
    def _pid_path(self) -> Path:
        return self.folder / "broker.pid"

    @property
    def _config_path(self) -> Path:
        return self.folder / "nats.conf"

    def _own(self) -> None:
        lock = open(self.folder / "broker.lock", "w", encoding="utf-8")  # noqa: SIM115  (held while the broker runs)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise ConfigurationError(
                f"another process runs the broker in {self.folder}; stop it, or give this ward a folder of its own"
            ) from error
        self._lock = lock

    def _end_stale(self) -> None:
        """End a broker that outlived its ward: only one whose command line names our configuration file."""
        try:
            pid = int(self._pid_path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        until = time.monotonic() + STOP_S_MAX
        step = signal.SIGTERM
        while str(self._config_path) in _command_line(pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, step)
            if time.monotonic() > until:
                step = signal.SIGKILL
            time.sleep(0.05)

    async def _launch(self) -> None:
        output = self._prepare()
        try:
            self._process = await asyncio.create_subprocess_exec(
                str(find_server()),
                "-c",
                str(self._config_path),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is ours to handle: the broker stops after the ward has
            )
        finally:
            os.close(output)
        self._pid_path.write_text(str(self._process.pid), encoding="utf-8")

    def _prepare(self) -> int:
        """Write the configuration (it may hold a password: ours alone to read) and open the log."""
        config = os.open(self._config_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(config, "w", encoding="utf-8") as file:
            file.write(render(self.settings, self.folder, self._port))
        log_path = self.folder / "nats.log"
        if log_path.exists() and log_path.stat().st_size > LOG_BYTES_MAX:
            log_path.replace(log_path.with_suffix(".log.1"))
        return os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def _ready(self) -> None:
        """Answered means that an MQTT client was accepted."""
        until = time.monotonic() + READY_S_MAX
        while True:
            process = self._process
            if process is None or process.returncode is not None:
                raise ConfigurationError(f"the broker did not start; its log is {self.folder / 'nats.log'}")
            try:
                probe = await Connection.open(self.address, f"vitruvian-probe-{os.getpid()}", lambda _: None)
            except BrokerUnavailable:
                if time.monotonic() > until:
                    raise ConfigurationError(
                        f"the broker did not answer within {READY_S_MAX:.0f} s; its log is {self.folder / 'nats.log'}"
                    ) from None
                await asyncio.sleep(0.05)
                continue
            probe.close()
            break
        # The first MQTT client made the broker create its streams.
        settings = self.settings
        await bound_messages(self.folder, process.pid, settings.store_bytes_max, settings.user, settings.password)

    async def _keep(self) -> None:
        """Start it again whenever it ends, sooner if it ran well."""
        pause_s = RESTART_S_FIRST
        while True:
            process = self._process
            assert process is not None
            began = time.monotonic()
            code = await process.wait()
            self.restarts += 1
            log.warning("the broker ended (exit status %s); starting it again", code)
            await asyncio.sleep(pause_s)
            pause_s = RESTART_S_FIRST if time.monotonic() - began > HEALTHY_S else min(2 * pause_s, RESTART_S_MAX)
            try:
                await self._launch()
                await self._ready()
            except (OSError, ConfigurationError) as error:
                log.error("the broker could not be started again: %s", error)


def _command_line(pid: int) -> str:
    """The command line of a live process, or nothing."""
    path = Path(f"/proc/{pid}/cmdline")
    try:
        if path.parent.parent.joinpath("self").exists():
            return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
    ps = shutil.which("ps")
    if ps is None:
        return ""
    import subprocess

    command = [ps, "-p", str(pid), "-o", "command="]  # macOS has no /proc
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return answer.stdout


def _free_port(host: str) -> int:
    with socket.create_server((host, 0), family=_family(host)) as taken:
        port: int = taken.getsockname()[1]
        return port


def _check_free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port), family=_family(host)):
            return
    except OSError as error:
        raise ConfigurationError(
            f"port {port} on {host} is taken ({error.strerror}); choose another, or name that broker with --mqtt"
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET

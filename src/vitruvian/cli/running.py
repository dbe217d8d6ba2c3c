"""What a running ward is made of, started in order and stopped in reverse: broker, ward, intakes, pages, crowd."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import tempfile
import time
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import typer

from vitruvian import dashboard
from vitruvian.alerts import Webhook, WebhookSettings
from vitruvian.core.errors import ConfigurationError
from vitruvian.core.events import Reading
from vitruvian.core.time import Clock, ScaledClock, SystemClock
from vitruvian.records import fhir
from vitruvian.records.base import Context
from vitruvian.records.mapping import Mapping, default_mapping, load_mapping
from vitruvian.records.placements import placements
from vitruvian.service.app import create_app, make_server
from vitruvian.service.ports import Mode
from vitruvian.service.runtime import Ward, WardSettings
from vitruvian.service.settings import ServiceSettings
from vitruvian.streams.broker import EmbeddedBroker
from vitruvian.streams.mllp import Hl7Intake, MllpServer
from vitruvian.streams.mqtt import FhirDecoder, MqttIntake

SECRET_VARIABLE: Final = "VITRUVIAN_WEBHOOK_SECRET"  # noqa: S105  (a variable's name)
CROWD_STOP_S_MAX: Final = 5.0
RESTART_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Virtual:
    """Virtual patients to publish."""

    patients: int
    rate_hz: float
    seed: int
    pace: float
    history_h: float

    def arguments(self, outbox: Path, clock: Clock) -> list[str]:
        """Of `python -m vitruvian.bedside`."""
        numbers = {"patients": self.patients, "rate": self.rate_hz, "seed": self.seed, "pace": self.pace}
        numbers |= {"history": self.history_h}
        began = outbox.with_name(outbox.name.replace("-outbox.db", "-began.txt"))
        return ["virtual", "--outbox", str(outbox), "--began", str(began), *_options(numbers)]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Recorded patients to publish on a virtual clock."""

    path: Path
    speed: float
    patients: int

    def arguments(self, outbox: Path, clock: Clock) -> list[str]:
        """Of `python -m vitruvian.bedside`: the same virtual clock as the ward's."""
        assert isinstance(clock, ScaledClock)
        numbers = {
            "patients": self.patients,
            "speed": self.speed,
            "origin-us": clock.origin_us,
            "started-ns": clock.started_ns,
        }
        return ["replay", str(self.path), "--outbox", str(outbox), *_options(numbers)]


def _options(numbers: dict[str, float]) -> list[str]:
    return [text for name, value in numbers.items() for text in (f"--{name}", str(value))]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `journal` None is a new one in a temporary folder."""

    journal: Path | None
    service: ServiceSettings
    mqtt: str | None
    mllp_port: int | None
    mapping: Path | None
    webhook: str | None
    model: Path | None
    crowd: Virtual | Recorded | None
    open_page: bool = False

    @property
    def mode(self) -> Mode:
        """What the pages say the patients are."""
        if self.crowd is None:
            return "live"
        return "simulated" if isinstance(self.crowd, Virtual) else "replay"


async def run(plan: Plan) -> None:
    """Run until SIGINT or SIGTERM. Raises ConfigurationError, JournalUnavailable, ModelError where it cannot start."""
    plan.service.check()
    if isinstance(plan.crowd, Recorded) and not plan.crowd.path.exists():
        raise ConfigurationError(f"found nothing at {plan.crowd.path}, expected recorded patients; check the path")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with contextlib.AsyncExitStack() as stack:
        journal = plan.journal
        if journal is None:
            folder = tempfile.TemporaryDirectory(prefix="vitruvian-replay-")
            stack.callback(folder.cleanup)
            journal = Path(folder.name) / "replay.db"
        started = time.monotonic()
        await _start(plan, journal, stack)
        typer.echo(f"Started in {time.monotonic() - started:.1f} s. Ctrl-C stops it; nothing acknowledged is lost.")
        await stop.wait()
        typer.echo("Stopping: committing what was accepted.")


async def _start(plan: Plan, journal: Path, stack: contextlib.AsyncExitStack) -> None:
    mapping = load_mapping(plan.mapping) if plan.mapping else default_mapping()
    url = plan.mqtt
    if url is None:
        broker = await stack.enter_async_context(EmbeddedBroker(journal.parent / f"{journal.stem}-broker"))
        url = broker.url
    ward = await _open_ward(plan, journal, stack)
    await ward.submit(placements(mapping))
    mqtt = MqttIntake(url, ward, ward.clock, decode_fhir=_fhir_decoder(mapping))
    await _background(stack, mqtt.run(), "mqtt")
    if plan.mllp_port is not None:
        server = MllpServer(Hl7Intake(ward, Context(mapping=mapping), ward.clock), port=plan.mllp_port)
        await server.start()
        stack.push_async_callback(server.close)
        typer.echo(f"HL7 v2 (MLLP):   127.0.0.1:{server.port}")
    await _serve_pages(plan, mapping, ward, stack)
    if plan.crowd is not None:
        await mqtt.ready.wait()
        outbox = journal.parent / f"{journal.stem}-outbox.db"
        await _background(stack, _keep_crowd(plan.crowd.arguments(outbox, ward.clock), url), "crowd")
    typer.echo(f"MQTT:            {url}")
    typer.echo(f"Journal:         {journal}")


async def _open_ward(plan: Plan, journal: Path, stack: contextlib.AsyncExitStack) -> Ward:
    speed = plan.crowd.speed if isinstance(plan.crowd, Recorded) else 1.0
    title = {"live": "Ward", "simulated": "Simulated ward", "replay": "Replayed ward"}[plan.mode]
    settings = WardSettings(journal, plan.mode, title, speed=speed, model=plan.model)
    ward = await asyncio.to_thread(Ward.open, settings, _clock(plan, journal))
    await stack.enter_async_context(ward)
    if plan.webhook:
        secret = os.environ.get(SECRET_VARIABLE, "")
        webhook = Webhook(WebhookSettings(plan.webhook, secret))
        await _background(stack, webhook.run(), "webhook")
        ward.deliver_by(webhook)
    return ward


def _clock(plan: Plan, journal: Path) -> Clock:
    if not isinstance(plan.crowd, Recorded):
        return SystemClock()
    return ScaledClock(time.time_ns() // 1_000, plan.crowd.speed)


def _fhir_decoder(mapping: Mapping) -> FhirDecoder:
    def decode(device: str, payload: bytes, now_us: int) -> Sequence[Reading]:
        return fhir.read_bytes(payload, Context(source=f"mqtt:{device}", mapping=mapping, device=device))

    return decode


async def _serve_pages(plan: Plan, mapping: Mapping, ward: Ward, stack: contextlib.AsyncExitStack) -> None:
    settings = replace(plan.service, mapping=mapping)
    app = create_app(ward, settings, [dashboard.attach])
    server = make_server(app, settings)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign,assignment]  # signals are ours: we stop in order
    listener = _listen(plan.service.host.strip("[]"), plan.service.port)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="pages")

    async def close() -> None:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(close)
    while not server.started:
        if task.done():
            raise ConfigurationError("the pages could not be started; the message is above")
        await asyncio.sleep(0.02)
    port = listener.getsockname()[1]
    address = f"http://{plan.service.host}:{port}/"
    typer.echo(f"Look at          {address}   (API: {address}docs)")
    if plan.open_page:
        await asyncio.to_thread(webbrowser.open, address)


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, made here because the server would end the whole process where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        reason = "the port is taken" if error.errno == errno.EADDRINUSE else error.strerror
        raise ConfigurationError(f"cannot serve on {host}:{port}: {reason}; choose another --port") from error


async def _background(stack: contextlib.AsyncExitStack, work: object, name: str) -> None:
    """Run a coroutine until the stack unwinds; where it fails, so does the ward, loudly."""
    task = asyncio.ensure_future(work)  # type: ignore[call-overload]
    task.set_name(name)

    def failed(done: asyncio.Task[object]) -> None:
        error = None if done.cancelled() else done.exception()
        while isinstance(error, BaseExceptionGroup):  # the first of what failed together says most
            error = error.exceptions[0]
        if error is not None:
            typer.echo(f"vitruvian: {name} failed: {error}", err=True)
            os.kill(os.getpid(), signal.SIGTERM)

    task.add_done_callback(failed)

    async def close() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(close)


async def _keep_crowd(arguments: Sequence[str], broker_url: str) -> None:
    """Run the bedside as a process of its own, and again if it dies; ends when it is done."""
    environment = dict(os.environ, VITRUVIAN_MQTT=broker_url)
    while True:
        # Its standard input is held by us alone: should we be killed, it closes, and the bedside ends with us.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "vitruvian.bedside", "--while-stdin", *arguments,
            stdin=asyncio.subprocess.PIPE, env=environment, start_new_session=True,
        )  # fmt: skip
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CROWD_STOP_S_MAX):
                    await process.wait()
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
        if code == 0:
            typer.echo("All recorded patients were published.")
            return
        if code == 2:
            raise ConfigurationError("the bedside could not start; its message is above")
        await asyncio.sleep(RESTART_S)

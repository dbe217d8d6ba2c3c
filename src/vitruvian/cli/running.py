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
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import typer

from vitruvian import dashboard
from vitruvian.alerts import Webhook, WebhookSettings
from vitruvian.core.errors import ConfigurationError, ReadingError, VitruvianError
from vitruvian.core.events import Reading
from vitruvian.core.time import MINUTE_US, Clock, ScaledClock, SystemClock
from vitruvian.explanation.llm.settings import LlmSettings
from vitruvian.journal import Journal
from vitruvian.records import fhir
from vitruvian.records.base import Context
from vitruvian.records.hourly import stays
from vitruvian.records.mapping import Mapping, default_mapping, load_mapping
from vitruvian.records.placements import placements
from vitruvian.service.app import create_app, make_server
from vitruvian.service.model_settings import ModelSettings
from vitruvian.service.ports import Mode
from vitruvian.service.runtime import Ward, WardSettings
from vitruvian.service.settings import ServiceSettings
from vitruvian.service.wording import open_words
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
    bodies: bool = False

    def arguments(self, outbox: Path, clock: Clock) -> list[str]:
        """Of `python -m vitruvian.bedside`."""
        numbers = {"patients": self.patients, "rate": self.rate_hz, "seed": self.seed, "pace": self.pace}
        numbers |= {"history": self.history_h}
        began = outbox.with_name(outbox.name.replace("-outbox.db", "-began.txt"))
        flags = ["--bodies"] if self.bodies else []
        return ["virtual", "--outbox", str(outbox), "--began", str(began), *flags, *_options(numbers)]


@dataclass(frozen=True, slots=True)
class Recorded:
    """Recorded patients to publish on a virtual clock."""

    path: Path
    speed: float
    patients: int

    def check(self) -> None:
        """Raise ReadingError or ConfigurationError where there is nobody to replay, before anything is started."""
        if not self.path.exists():
            raise ConfigurationError(f"found nothing at {self.path}, expected recorded patients; check the path")
        if next(iter(stays(self.path, 1)), None) is None:
            raise ReadingError(f"found no patient in {self.path}, expected Challenge 2019 or eICU-demo hours")

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
    models: ModelSettings
    crowd: Virtual | Recorded | None
    open_page: bool = False
    language_model: LlmSettings = field(default_factory=lambda: LlmSettings(home="none"))

    @property
    def mode(self) -> Mode:
        """What the pages say the patients are."""
        if self.crowd is None:
            return "live"
        return "simulated" if isinstance(self.crowd, Virtual) else "replay"


async def run(plan: Plan) -> None:
    """Run until SIGINT or SIGTERM.

    Raises ConfigurationError, JournalUnavailable, ModelError, ReadingError where it cannot start, and what ended it
    where that was no signal.
    """
    plan.service.check()
    if isinstance(plan.crowd, Recorded):
        await asyncio.to_thread(plan.crowd.check)
    loop = asyncio.get_running_loop()
    ended: Ended = loop.create_future()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, _end, ended, None)
    async with contextlib.AsyncExitStack() as stack:
        journal = plan.journal
        if journal is None:
            folder = tempfile.TemporaryDirectory(prefix="vitruvian-replay-")
            stack.callback(folder.cleanup)
            journal = Path(folder.name) / "replay.db"
        started = time.monotonic()
        starting = asyncio.create_task(_start(plan, journal, stack, ended))
        await asyncio.wait({starting, ended}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            typer.echo(f"Started in {time.monotonic() - started:.1f} s. Ctrl-C stops it; nothing acknowledged is lost.")
            await asyncio.wait({ended})
        else:  # told to stop while something it needs is not there
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        typer.echo("Stopping: committing what was accepted.")
    ended.result()


Ended = asyncio.Future[None]
"""Done when the ward is to stop: by a signal, or with the error of a part that failed."""


def _end(ended: Ended, error: VitruvianError | None) -> None:
    if ended.done():
        return
    if error is None:
        ended.set_result(None)
    else:
        ended.set_exception(error)


async def _start(plan: Plan, journal: Path, stack: contextlib.AsyncExitStack, ended: Ended) -> None:
    mapping = load_mapping(plan.mapping) if plan.mapping else default_mapping()
    url = plan.mqtt
    if url is None:
        broker = await stack.enter_async_context(EmbeddedBroker(journal.parent / f"{journal.stem}-broker"))
        url = broker.url
    ward = await _open_ward(plan, journal, stack, ended)
    await ward.submit(placements(mapping))
    mqtt = MqttIntake(url, ward, ward.clock, decode_fhir=_fhir_decoder(mapping))
    ward.stream_counts["mqtt"] = mqtt.counts
    _background(stack, ended, mqtt.run(), "mqtt")
    if plan.mllp_port is not None:
        hl7v2 = Hl7Intake(ward, Context(mapping=mapping), ward.clock)
        server = MllpServer(hl7v2, port=plan.mllp_port)
        await server.start()
        ward.stream_counts |= {"mllp": server.counts, "mllp_answers": hl7v2.counts}
        stack.push_async_callback(server.close)
        typer.echo(f"HL7 v2 (MLLP):   127.0.0.1:{server.port}")
    await _serve_pages(plan, mapping, ward, stack)
    if plan.crowd is not None:
        await mqtt.ready.wait()
        outbox = journal.parent / f"{journal.stem}-outbox.db"
        _background(stack, ended, _keep_crowd(plan.crowd.arguments(outbox, ward.clock), url), "crowd")
    typer.echo(f"MQTT:            {url}")
    typer.echo(f"Journal:         {journal}")


async def _open_ward(plan: Plan, journal: Path, stack: contextlib.AsyncExitStack, ended: Ended) -> Ward:
    speed = plan.crowd.speed if isinstance(plan.crowd, Recorded) else 1.0
    title = {"live": "Ward", "simulated": "Simulated ward", "replay": "Replayed ward"}[plan.mode]
    settings = WardSettings(journal, plan.mode, title, speed=speed, models=plan.models)
    ward = await asyncio.to_thread(Ward.open, settings, _clock(plan, journal))
    await stack.enter_async_context(ward)
    if plan.webhook:
        secret = os.environ.get(SECRET_VARIABLE, "")
        webhook = Webhook(WebhookSettings(plan.webhook, secret))
        _background(stack, ended, webhook.run(), "webhook")
        ward.deliver_by(webhook)
    return ward


def _clock(plan: Plan, journal: Path) -> Clock:
    """The machine's, or a replay's own: from now, or from where this journal's replay stood, never backwards."""
    if not isinstance(plan.crowd, Recorded):
        return SystemClock()
    began_us = time.time_ns() // 1_000
    if journal.exists():
        with Journal.open(journal, read_only=True) as kept:
            last_seq = kept.last_seq()
            if last_seq:
                began_us = max(began_us, kept.entry(last_seq).recorded_us + MINUTE_US)
    return ScaledClock(began_us, plan.crowd.speed)


def _fhir_decoder(mapping: Mapping) -> FhirDecoder:
    def decode(device: str, payload: bytes, now_us: int) -> Sequence[Reading]:
        return fhir.read_bytes(payload, Context(source=f"mqtt:{device}", mapping=mapping, device=device))

    return decode


async def _serve_pages(plan: Plan, mapping: Mapping, ward: Ward, stack: contextlib.AsyncExitStack) -> None:
    settings = replace(plan.service, mapping=mapping)
    words = await asyncio.to_thread(open_words, plan.language_model, ward.settings.journal, ward.now_us)
    app = create_app(ward, settings, [dashboard.attach], words)
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


def _background(stack: contextlib.AsyncExitStack, ended: Ended, work: Coroutine[Any, Any, None], name: str) -> None:
    """Run a coroutine until the stack unwinds; where it fails, so does the ward, and says so."""
    task = asyncio.create_task(work, name=name)

    def failed(done: asyncio.Task[None]) -> None:
        error = None if done.cancelled() else done.exception()
        while isinstance(error, BaseExceptionGroup):  # the first of what failed together says most
            error = error.exceptions[0]
        if error is not None:
            _end(ended, ConfigurationError(f"{name} failed: {error}"))

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

"""`vitruvian broker`: the embedded MQTT broker on its own. `vitruvian monitors`: virtual patients to any broker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from vitruvian.bedside.monitors import publish_virtual
from vitruvian.core.errors import ConfigurationError
from vitruvian.streams.broker import BrokerSettings, EmbeddedBroker

PASSWORD_VARIABLE = "VITRUVIAN_MQTT_PASSWORD"  # noqa: S105  (a variable's name)
BROKER_VARIABLE = "VITRUVIAN_MQTT"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("broker")(broker)
    app.command("monitors")(monitors)


def broker(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65_535)] = 1883,
    host: Annotated[str, typer.Option(help="Address to bind; other than loopback needs a user.")] = "127.0.0.1",
    folder: Annotated[Path, typer.Option(help="Where the broker keeps its store, log and configuration.")] = Path(
        "var/broker"
    ),
    user: Annotated[
        str | None, typer.Option(help=f"Clients' user; the password is read from {PASSWORD_VARIABLE}.")
    ] = None,
    sync: Annotated[bool, typer.Option(help="Flush each message to disk before going on.")] = True,
) -> None:
    """Run the embedded MQTT broker until Ctrl-C."""
    password = os.environ.get(PASSWORD_VARIABLE) if user is not None else None
    if user is not None and not password:
        raise ConfigurationError(f"found a broker user and no {PASSWORD_VARIABLE} in the environment; set it")
    settings = BrokerSettings(host, port, user, password, sync_always=sync)
    _until_stopped(_serve(folder, settings))


async def _serve(folder: Path, settings: BrokerSettings) -> None:
    async with EmbeddedBroker(folder, settings) as running:
        typer.echo(f"MQTT broker at {running.url}; its log is {folder / 'nats.log'}. Ctrl-C stops it.")
        await asyncio.get_running_loop().create_future()


def monitors(
    mqtt: Annotated[
        str, typer.Option(envvar=BROKER_VARIABLE, help="The broker, mqtt://[user:password@]host:port.")
    ] = "mqtt://127.0.0.1:1883",
    patients: Annotated[int, typer.Option(help="How many virtual patients.", min=1)] = 24,
    rate: Annotated[float, typer.Option(help="Readings a second of each patient.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patients and readings.")] = 1,
    pace: Annotated[float, typer.Option(help="How much faster than time the scripted courses run.")] = 1.0,
    outbox: Annotated[Path | None, typer.Option(help="File that keeps what the ward has no receipt for.")] = None,
    bodies: Annotated[
        bool, typer.Option("--bodies/--scripted", help="What happens follows from bodies, or from a script.")
    ] = False,
    light: Annotated[bool, typer.Option(help="Keep nothing and wait only for the broker: for load.")] = False,
    duration: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = None,
) -> None:
    """Publish virtual patients (labelled simulated) to an MQTT broker; with many and --light, a load generator."""
    sent = [0]

    def count(number: int) -> None:
        sent[0] = number

    typer.echo(f"Publishing {patients} simulated patients at {rate:g} readings a second each. Ctrl-C stops.")
    _until_stopped(
        publish_virtual(
            mqtt,
            patients,
            rate,
            seed,
            pace=pace,
            outbox=outbox,
            light=light,
            duration_s=duration,
            bodies=bodies,
            on_tick=count,
        )
    )
    typer.echo(f"{sent[0]} messages published.")


def _until_stopped(work: Coroutine[Any, Any, object]) -> None:
    async def run() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(run())

"""`vitruvian ward`: a live ward in one command. `replay`: real patients on it. `serve`: your own sources."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vitruvian.service.model_settings import ModelSettings
from vitruvian.service.settings import ServiceSettings

if TYPE_CHECKING:
    from vitruvian.explanation.llm.settings import LlmSettings

Port = Annotated[int, typer.Option(help="Port of the dashboard and API; 0 takes a free one.", min=0, max=65_535)]
Host = Annotated[str, typer.Option(help="Address to bind; other than loopback needs --tokens.")]
JournalFile = Annotated[Path, typer.Option("--journal", help="The journal's file; everything is kept here.")]
Mqtt = Annotated[str | None, typer.Option(envvar="VITRUVIAN_MQTT", help="Use this broker instead of our own.")]
Mllp = Annotated[int | None, typer.Option("--mllp-port", help="Listen here for HL7 v2 (loopback); 0 a free port.")]
Tokens = Annotated[Path | None, typer.Option(help="File of bearer tokens; needed beyond loopback.")]
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="The site's code map (mapping.toml).")]
Webhook = Annotated[str | None, typer.Option(help="Deliver alerts here; the secret is VITRUVIAN_WEBHOOK_SECRET.")]
Hosts = Annotated[list[str] | None, typer.Option("--allow-host", help="A further Host name to answer to.")]
OpenPage = Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")]
Model = Annotated[
    list[str] | None,
    typer.Option(help="TASK=DIR: a trained model instead of the shipped one; DIR#VARIANT serves that of it."),
]
Shadow = Annotated[list[str] | None, typer.Option(help="TASK=DIR: a model that is scored beside and never shown.")]
ModelsFolder = Annotated[
    Path | None, typer.Option("--models", help="Models in this folder may be loaded while the ward runs.")
]
LanguageModel = Annotated[
    str | None,
    typer.Option(help="Words explanations: installed weights by name, a settings file (.toml), or none."),
]

BODIES_MAX = 200  # virtual patients beyond this follow a script: they are for load
HISTORY_PATIENTS_MAX = 100  # with more, telling the past would keep the broker busy for minutes


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ward")(ward)
    app.command("replay")(replay)
    app.command("serve")(serve)


def ward(
    patients: Annotated[int, typer.Option(help="Virtual patients.", min=1, max=20_000)] = 24,
    rate: Annotated[float, typer.Option(help="Readings a second of each.")] = 1.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same patients.")] = 1,
    pace: Annotated[float, typer.Option(help="How much faster than time their courses run.")] = 1.0,
    history: Annotated[
        float | None, typer.Option(help="Hours of the past to begin with; by default 6, or none beyond 100 patients.")
    ] = None,
    scripted: Annotated[
        bool | None,
        typer.Option("--scripted/--bodies", help="By a script, or by bodies; bodies up to 200 patients by default."),
    ] = None,
    journal: JournalFile = Path("var/ward.db"),
    mqtt: Mqtt = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    tokens: Tokens = None,
    allow_host: Hosts = None,
    mllp_port: Mllp = None,
    mapping: MappingFile = None,
    webhook: Webhook = None,
    model: Model = None,
    shadow: Shadow = None,
    models: ModelsFolder = None,
    language_model: LanguageModel = None,
    open_page: OpenPage = False,
) -> None:
    """Run a ward of virtual patients (simulated) and show it live. Ctrl-C stops; started again, it goes on."""
    from vitruvian.cli.running import Plan, Virtual, run

    service = ServiceSettings(host, port, tuple(allow_host or ()), tokens)
    told = ModelSettings.read(model or (), shadow or (), models)
    words = _words(language_model)
    hours = history if history is not None else 6.0 if patients <= HISTORY_PATIENTS_MAX else 0.0
    bodies = patients <= BODIES_MAX if scripted is None else not scripted
    crowd = Virtual(patients, rate, seed, pace, hours, bodies)
    _run(run, Plan(journal, service, mqtt, mllp_port, mapping, webhook, told, crowd, open_page, words))


def replay(
    path: Annotated[Path, typer.Argument(help="Challenge 2019 (.psv folder or Parquet) or an eICU-demo folder.")],
    speed: Annotated[float, typer.Option(help="Clinical seconds a second; 600 is ten minutes a second.")] = 600.0,
    patients: Annotated[int, typer.Option(help="The first so many patients.", min=1, max=5_000)] = 24,
    journal: Annotated[
        Path | None, typer.Option(help="Keep this replay's journal here; by default it is new each time.")
    ] = None,
    mqtt: Mqtt = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    tokens: Tokens = None,
    allow_host: Hosts = None,
    model: Model = None,
    shadow: Shadow = None,
    models: ModelsFolder = None,
    language_model: LanguageModel = None,
    open_page: OpenPage = False,
) -> None:
    """Put recorded patients on the ward, hour by hour as a bedside device would publish them, on a virtual clock."""
    from vitruvian.cli.running import Plan, Recorded, run

    service = ServiceSettings(host, port, tuple(allow_host or ()), tokens)
    told = ModelSettings.read(model or (), shadow or (), models)
    words = _words(language_model)
    crowd = Recorded(path, speed, patients)
    _run(run, Plan(journal, service, mqtt, None, None, None, told, crowd, open_page, words))


def serve(
    journal: JournalFile = Path("var/journal.db"),
    mqtt: Mqtt = None,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    tokens: Tokens = None,
    allow_host: Hosts = None,
    mllp_port: Mllp = 2575,
    mapping: MappingFile = None,
    webhook: Webhook = None,
    model: Model = None,
    shadow: Shadow = None,
    models: ModelsFolder = None,
    language_model: LanguageModel = None,
    open_page: OpenPage = False,
) -> None:
    """Run the ward for your own sources: MQTT, HL7 v2 over MLLP, HTTP. No virtual patients."""
    from vitruvian.cli.running import Plan, run

    service = ServiceSettings(host, port, tuple(allow_host or ()), tokens)
    told = ModelSettings.read(model or (), shadow or (), models)
    words = _words(language_model)
    _run(run, Plan(journal, service, mqtt, mllp_port, mapping, webhook, told, None, open_page, words))


def _words(chosen: str | None) -> LlmSettings:
    from vitruvian.service.wording import llm_settings  # imported late: other commands need none of it

    return llm_settings(chosen)


def _run(main: object, plan: object) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    import uvloop

    assert callable(main)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main(plan))
    except KeyboardInterrupt:
        pass

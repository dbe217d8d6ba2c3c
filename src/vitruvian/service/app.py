"""The HTTP application: the routes, who may use them, and what every request passes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from importlib.metadata import version
from typing import Any

import uvicorn
from fastapi import FastAPI, Request

from vitruvian.explanation.narrate import Narrator
from vitruvian.service import problems
from vitruvian.service.access import Access, allow, require_permissions
from vitruvian.service.api import alerts, bodies, explain, intake, models, notes, patients, system
from vitruvian.service.asking import Asking
from vitruvian.service.description import describe
from vitruvian.service.explaining import Explaining
from vitruvian.service.guard import Guard
from vitruvian.service.ports import WardPort
from vitruvian.service.settings import ServiceSettings
from vitruvian.service.words import Words
from vitruvian.trust import Permission, TokenStore

DESCRIPTION = """Digital twins of patients. **Investigational; not a medical device and not a primary alarm system.**

Every answer states its freshness: `seq`, the last commit it has seen, and `as_of`, the clinical time. A 2xx answer to
data means that it is durable. Errors are RFC 9457 problems: what was found, what was expected, what to do."""

Attach = Callable[[FastAPI], None]


def create_app(
    ward: WardPort,
    settings: ServiceSettings | None = None,
    parts: Sequence[Attach] = (),
    words: Words | None = None,
) -> FastAPI:
    """The application over a ward; `parts` add routes of their own (the dashboard's `attach`). `words`: what words
    explanations, by default without a language model; it is closed at the end.

    Its lifespan runs the ward's hub. Raises ConfigurationError where it would be open to others without
    authentication, or where a route does not name its permission.
    """
    settings = settings or ServiceSettings()
    settings.check()
    app = FastAPI(
        title="Vitruvian",
        version=version("vitruvian"),
        description=DESCRIPTION,
        lifespan=_lifespan,
        openapi_url=None,  # served below, with a permission like every other route
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    access = Access(TokenStore(settings.tokens) if settings.tokens else None)
    app.state.ward, app.state.settings, app.state.access = ward, settings, access
    app.state.words, app.state.explaining = words or Words(Narrator()), Explaining(ward)
    app.state.asking = Asking(ward, app.state.explaining)
    app.state.ask_turns = asyncio.Semaphore(explain.ASKS_AT_ONCE)
    problems.install(app)
    routers = (
        patients.router, bodies.patients, bodies.scenarios, explain.patients, explain.router, notes.router,
        alerts.router, intake.router, models.router, explain.models, system.router,
    )  # fmt: skip
    for router in routers:
        app.include_router(router)

    @app.get("/openapi.json", dependencies=[allow(Permission.PUBLIC)], include_in_schema=False)
    def openapi(request: Request) -> dict[str, Any]:
        """The description of this API."""
        return app.openapi()

    describe(app)
    for attach in parts:
        attach(app)
    require_permissions(app)
    app.add_middleware(Guard, settings=settings, access=access)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    ward: WardPort = app.state.ward
    task = asyncio.create_task(ward.hub.run(), name="hub")
    try:
        yield
    finally:
        await asyncio.to_thread(app.state.words.close)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def make_server(app: FastAPI, settings: ServiceSettings) -> uvicorn.Server:
    """A server for the application. Open streams do not keep it from stopping."""
    config = uvicorn.Config(
        app,
        host=settings.host.strip("[]"),
        port=settings.port,
        log_config=None,
        access_log=False,  # paths hold patients' ids
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
        limit_concurrency=2_000,
        h11_max_incomplete_event_size=65_536,
    )
    return uvicorn.Server(config)

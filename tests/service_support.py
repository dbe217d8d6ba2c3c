"""What the tests of the service share: an application over a ward in memory, and a client to it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from vitruvian import dashboard
from vitruvian.service.app import create_app
from vitruvian.service.settings import ServiceSettings
from vitruvian.testing.ward import MemoryWard

ORIGIN = "http://127.0.0.1"


def token_for(role: str) -> str:
    """A well-formed token, the same every time, of a role."""
    return "vit_" + hashlib.sha256(role.encode()).hexdigest()[:43]


def token_file(folder: Path, *roles: str) -> Path:
    """A tokens file with one token a role, named after it."""
    path = folder / "tokens.toml"
    rows = [
        f'[{role}]\nrole = "{role}"\nsha256 = "{hashlib.sha256(token_for(role).encode()).hexdigest()}"\n'
        for role in roles
    ]
    path.write_text("\n".join(rows), "utf-8")
    return path


def application(ward: MemoryWard, **settings: Any) -> FastAPI:
    """The whole application: the API and the pages."""
    return create_app(ward, ServiceSettings(**settings), parts=[dashboard.attach])


def client(app: FastAPI, *, role: str = "", **headers: str) -> httpx.AsyncClient:
    """A client on this machine; with `role`, one that shows that role's token."""
    if role:
        headers["Authorization"] = f"Bearer {token_for(role)}"
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers)

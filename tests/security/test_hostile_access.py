"""Attacks on who one is, against the real ward: none is let in, none is told more than that it was refused."""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from tests.service_support import ORIGIN, client, token_file, token_for
from vitruvian import dashboard
from vitruvian.core.time import SystemClock
from vitruvian.service import problems
from vitruvian.service.access import COOKIE
from vitruvian.service.app import create_app
from vitruvian.service.runtime import Ward, WardSettings
from vitruvian.service.settings import ServiceSettings
from vitruvian.trust import Throttle
from vitruvian.trust import tokens as tokens_module

ROLES = ("viewer", "clinician", "integrator", "admin")
GUARDED = (
    "/",
    "/data",
    "/patients",
    "/patients/x",
    "/api/v1/patients",
    "/api/v1/stream",
    "/api/v1/quarantine",
    "/metrics",
    "/api/v1/alerts",
)
PATIENT = "canary-7f3a"


@pytest.fixture
async def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    monkeypatch.setattr(tokens_module, "_CHECK_EVERY_S", 0.0)
    tokens = token_file(tmp_path, *ROLES)
    gone = [("revoked", ""), ("expired", "expires = 2020-01-01T00:00:00Z\n")]
    rows = [
        f'\n[{n}]\nrole = "admin"\nsha256 = "{hashlib.sha256(token_for(n).encode()).hexdigest()}"\n{e}' for n, e in gone
    ]
    with_revoked = tokens.read_text("utf-8") + "".join(rows)
    tokens.write_text(with_revoked, "utf-8")
    async with Ward.open(WardSettings(tmp_path / "ward.db"), SystemClock()) as ward:
        app = create_app(ward, ServiceSettings(tokens=tokens), parts=[dashboard.attach])
        app.state.access.throttle = Throttle(failures_max=10**6)  # the throttle has tests of its own
        revoked = app.state.access.tokens.principal(token_for("revoked"))
        assert revoked is not None
        app.state.revoked_session = app.state.access.sessions.start(revoked)
        tokens.write_text(with_revoked.replace(rows[0], ""), "utf-8")
        yield app


def credentials(random_: random.Random, app: FastAPI) -> list[tuple[str, str]]:
    """Headers that show something, and nothing that is valid."""
    good = token_for(random_.choice(ROLES))
    bad = ["Bearer", "Bearer ", f"Bearer  {good[:-1]}", f"Bearer {good}\t.", f"Bearer {good},{good}",
        f"Bearer {good} {good}",
           f"Basic {good}", f"Digest {good}", f"Token {good}", good, f"{good} Bearer", f"Bearer:{good}",
               f'Bearer "{good}"',
           f"Bearer {good[4:]}", f"Bearer {good.upper()}", f"Bearer {good[::-1]}", f"Bearer {token_for('revoked')}",
           f"Bearer {token_for('expired')}", f"Bearer {hashlib.sha256(good.encode()).hexdigest()}",
           "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.", "Bearer ../../tokens.toml", "Bearer %00",
               "Bearer " + "a" * 9_000]  # fmt: skip
    session = app.state.revoked_session
    crumbs = [
        "x" * 43,
        session,
        session[:-1] + "A",
        session.lower(),
        good,
        f'"{good}"',
        "admin",
        "",
        "../x",
        "0" * 5_000,
    ]
    cookies = [f"{COOKIE}={one}" for one in crumbs] + [
        f"{COOKIE.upper()}={session}",
        f"{COOKIE}={good}; {COOKIE}={session}",
    ]
    kind = random_.randrange(4)
    if kind == 0:
        return [("Cookie", random_.choice(cookies)), ("Origin", ORIGIN)]
    if kind == 1:
        return [("Authorization", random_.choice(bad)), ("Cookie", random_.choice(cookies))]
    if kind == 2:
        name = random_.choice(
            ["X-Authorization", "X-Forwarded-User", "Remote-User", "X-Token", "Proxy-Authorization", "X-Role"]
        )
        return [(name, random_.choice([f"Bearer {good}", "admin", good]))]
    return [("Authorization", random_.choice(bad))]


async def test_a_thousand_attacks_on_identity_open_nothing(app: FastAPI) -> None:
    random_ = random.Random(11)
    async with client(app) as http:
        for number in range(1_000):
            shown = credentials(random_, app)
            answer = await http.get(random_.choice(GUARDED), headers=shown)
            assert answer.status_code == 401, (number, shown, answer.status_code)
            assert not answer.cookies
        for path in GUARDED[:4]:
            good = token_for("admin")
            for query in ({"token": good}, {"access_token": good}, {"authorization": f"Bearer {good}"}):
                assert (await http.get(path, params=query)).status_code == 401


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("other", ["Bearer x", "", "Basic eA==", f"Bearer {token_for('viewer')}"])
async def test_of_two_authorizations_none_is_believed(app: FastAPI, other: str, first: bool) -> None:
    good = ("Authorization", f"Bearer {token_for('admin')}")
    both = [good, ("Authorization", other)] if first else [("Authorization", other), good]
    async with client(app) as http:
        answer = await http.get("/api/v1/patients", headers=both)
        assert answer.status_code == 400
        assert (await http.get("/api/v1/patients", headers=[good])).status_code == 200


async def test_a_session_ends_with_its_token_and_another_role_is_none(app: FastAPI) -> None:
    async with client(app, Cookie=f"{COOKIE}={app.state.revoked_session}") as http:
        assert (await http.get("/api/v1/patients")).status_code == 401
    async with client(app, role="viewer") as http:
        for path, method in (
            ("/api/v1/observations", "POST"),
            ("/data", "GET"),
            ("/api/v1/alerts/x/acknowledge", "POST"),
        ):
            assert (await http.request(method, path, json={})).status_code == 403
    async with client(app, role="integrator") as http:
        for path in GUARDED[:6]:
            assert (await http.get(path)).status_code == 403


async def test_saying_to_be_another_client_does_not_help(app: FastAPI) -> None:
    app.state.access.throttle = Throttle()
    async with client(app) as http:
        seen = []
        for number in range(14):
            from_ = {
                "X-Forwarded-For": f"10.0.0.{number}",
                "Forwarded": f"for=10.0.0.{number}",
                "X-Real-IP": f"10.0.0.{number}",
            }
            wrong = {"Authorization": "Bearer vit_" + "x" * 43}
            seen.append((await http.get("/api/v1/patients", headers=wrong | from_)).status_code)
        assert seen == [401] * 10 + [429] * 4
        # The login page counts the same client, and a session that stands goes on.
        assert (await http.post("/login", data={"token": "x"}, headers={"Origin": ORIGIN})).status_code == 429


async def test_ten_bad_logins_a_minute(app: FastAPI) -> None:
    app.state.access.throttle = Throttle()
    async with client(app, Origin=ORIGIN) as http:
        bad = [(await http.post("/login", data={"token": f"vit_{n:043}"})).status_code for n in range(12)]
        assert bad == [401] * 10 + [429] * 2


UNSAFE = [("POST", "/api/v1/observations"), ("POST", "/api/v1/fhir"), ("POST", "/api/v1/hl7v2"), ("POST", "/logout"),
          ("POST", "/api/v1/alerts/x/acknowledge"), ("POST", "/api/v1/alerts/x/snooze"), ("PUT", "/data"),
              ("DELETE", "/")]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), UNSAFE)
async def test_a_session_acts_only_from_our_own_pages(app: FastAPI, method: str, path: str) -> None:
    admin = app.state.access.tokens.principal(token_for("admin"))
    session = app.state.access.sessions.start(admin)
    foreign: list[dict[str, str]] = [
        {}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://127.0.0.1:81"}, {"Origin": "http://[::1"}, {"Origin": "127.0.0.1"},
            {"Origin": "//127.0.0.1@evil.example"},
        {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "x", "Origin": ORIGIN},
        {"Referer": ORIGIN}, {"Authorization": ""}, {"X-Requested-With": "XMLHttpRequest"},
    ]  # fmt: skip
    async with client(app, Cookie=f"{COOKIE}={session}") as http:
        for headers in foreign:
            answer = await http.request(method, path, content=b"{}", headers=headers)
            assert answer.status_code == 403, headers
        assert (await http.request(method, path, content=b"{}", headers={"Origin": ORIGIN})).status_code != 403
        # Asking is not acting, but another site's script cannot read the answer.
        answer = await http.get("/api/v1/patients", headers={"Origin": "http://evil.example"})
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.nip.io", "localhost.evil.example", "127.0.0.1 evil", "\x00", "127.0.0.1#@e"]
)
async def test_another_host_is_refused_before_anyone_is_known(app: FastAPI, host: str) -> None:
    async with client(app, role="admin") as http:
        for path in ("/", "/api/v1/patients", "/login", "/static/x/y"):
            for forwarded in ({}, {"X-Forwarded-Host": "127.0.0.1"}):
                assert (await http.get(path, headers={"Host": host} | forwarded)).status_code == 421


class _Broken:
    """A ward of which every question fails, with the patient's name in the error's words."""

    def __getattr__(self, name: str) -> object:
        raise KeyError(f"{PATIENT} in {name}")


async def test_a_fault_of_ours_is_logged_without_the_patient(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    app.state.ward = _Broken()
    transport = httpx.ASGITransport(app)  # nothing is left to the server's own log: nothing is raised out of the app
    headers = {"Authorization": f"Bearer {token_for('admin')}"}
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers=headers) as http:
        answer = await http.get(f"/api/v1/patients/{PATIENT}")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "content-security-policy" in answer.headers
    said = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.name for record in said] == [problems.__name__]
    assert "KeyError at a GET" in caplog.text
    assert "patients.py" in caplog.text  # where it happened
    assert PATIENT not in caplog.text + answer.text

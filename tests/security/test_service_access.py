"""Who may do what: denied unless allowed, on every route, for every role, and still so while a stream is open."""

from __future__ import annotations

import asyncio
import hashlib
import random
import string
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute

from tests.service_support import ORIGIN, application, client, token_file, token_for
from vitruvian.core.errors import ConfigurationError
from vitruvian.service import access as access_module
from vitruvian.service.access import COOKIE, permission_of, require_permissions, routes_of
from vitruvian.service.api import system
from vitruvian.service.app import create_app
from vitruvian.service.settings import ServiceSettings, is_loopback
from vitruvian.testing.ward import MemoryWard
from vitruvian.trust import Permission, Principal, Role, Sessions, Throttle, TokenStore, allowed, issue_token
from vitruvian.trust import tokens as tokens_module
from vitruvian.trust.policy import GRANTS

ROLES = ("viewer", "clinician", "integrator", "admin")
# Written out by hand, apart from the table in the code: a slip there fails here.
EXPECTED = {
    "public": {"", *ROLES},
    "read": {"viewer", "clinician", "admin"},
    "act": {"clinician", "admin"},
    "write": {"integrator", "admin"},
    "operate": {"admin"},
}


@pytest.fixture(scope="module")
def ward() -> MemoryWard:
    return MemoryWard(4, history_h=1)


@pytest.fixture
def app(ward: MemoryWard, tmp_path: Path) -> FastAPI:
    return application(ward, tokens=token_file(tmp_path, *ROLES))


def routes(app: FastAPI) -> Iterator[tuple[BaseRoute, str, str]]:
    for route in routes_of(app):
        for method in sorted(getattr(route, "methods", None) or ()):
            yield route, method, getattr(route, "path", "")


def address(path: str) -> str:
    return (
        path.replace("{patient}", "sim-001")
        .replace("{alert}", "none")
        .replace("{scenario}", "0a")
        .replace("{stamp}", "x")
        .replace("{path:path}", "x")
    )


def test_every_route_names_its_permission(app: FastAPI) -> None:
    found = {path: permission_of(route) for route, _, path in routes(app)}
    assert len(found) > 20
    assert all(found.values()), found
    assert found["/api/v1/patients"] is Permission.READ
    assert {path for path, permission in found.items() if permission is Permission.PUBLIC} == {
        "/api/v1/health/live",
        "/api/v1/health/ready",
        "/openapi.json",
        "/docs",
        "/login",
        "/logout",
        "/favicon.ico",
        "/static/{stamp}/{path:path}",
    }


def test_a_route_without_a_permission_is_not_served(ward: MemoryWard) -> None:
    def attach(app: FastAPI) -> None:
        inner = APIRouter()

        @inner.get("/secret")
        def secret() -> str:
            return "all patients"

        app.include_router(inner)

    with pytest.raises(ConfigurationError, match="/secret"):
        create_app(ward, parts=[attach])
    bare = FastAPI()
    with pytest.raises(ConfigurationError, match="openapi"):
        require_permissions(bare)


@pytest.mark.parametrize("role", ["", *ROLES])
async def test_every_route_for_every_role(app: FastAPI, role: str) -> None:
    async with client(app, role=role) as http:
        for route, method, path in routes(app):
            permission = permission_of(route)
            assert permission is not None
            if path in ("/api/v1/stream", "/login"):
                continue  # the one does not end, the other is where one is refused: below
            answer = await http.request(method, address(path), json={})
            denied = answer.status_code in (401, 403)
            assert denied == (role not in EXPECTED[permission]), (
                f"{role or 'nobody'}: {method} {path}: {answer.status_code}"
            )
            if denied:
                assert answer.status_code == (401 if not role else 403)
                assert "sim-" not in answer.text


@pytest.mark.parametrize("role", ["", "integrator"])
async def test_the_stream_is_denied_like_any_other(app: FastAPI, role: str) -> None:
    async with client(app, role=role) as http:
        assert (await http.get("/api/v1/stream")).status_code in (401, 403)


def test_the_table_grants_nothing_else() -> None:
    for permission, roles in EXPECTED.items():
        for role in ROLES:
            assert allowed(Principal("x", Role(role)), Permission(permission)) == (role in roles)
        assert allowed(Principal("", None), Permission(permission)) == (permission == "public")
    assert set(GRANTS) == set(Role)


def forged(random_: random.Random) -> str:
    """Something that is not a token, or not one of ours."""
    good = token_for(random_.choice(ROLES))
    digest = hashlib.sha256(good.encode()).hexdigest()
    letters = string.ascii_letters + string.digits + "_-"
    kind = random_.randrange(9)
    if kind == 0:  # one character changed
        at = random_.randrange(4, len(good))
        return good[:at] + random_.choice([c for c in letters if c != good[at]]) + good[at + 1 :]
    if kind == 1:
        return good[: random_.randrange(len(good))]
    if kind == 2:
        return good + random_.choice(letters)
    if kind == 3:
        return digest  # what is in the file is not what opens
    if kind == 4:
        return "vit_" + "".join(random_.choices(letters, k=43))
    if kind == 5:
        return random_.choice(
            ["none", "null", "undefined", "*", "admin", "[]", "vit_", "' OR 1=1 --", "../tokens.toml"]
        )
    if kind == 6:  # a JSON web token with alg none
        return "eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ."
    if kind == 7:
        return good.swapcase()
    return good.replace("vit_", random_.choice(["", "Vit_", "vit-", "vit_vit_"]))


async def test_two_thousand_forged_tokens_open_nothing(ward: MemoryWard, tmp_path: Path) -> None:
    app = application(ward, tokens=token_file(tmp_path, *ROLES))
    app.state.access.throttle = Throttle(failures_max=10**6)
    random_ = random.Random(20)
    async with client(app) as http:
        for _ in range(2_000):
            scheme = random_.choice(["Bearer", "bearer", "Basic", "Token", ""])
            value = f"{scheme} {forged(random_)}".strip()
            answer = await http.get("/api/v1/patients", headers={"Authorization": value})
            assert answer.status_code == 401, value
            assert "vitals" not in answer.text
        for role in ROLES:
            good = f"Basic {token_for(role)}"
            assert (await http.get("/api/v1/patients", headers={"Authorization": good})).status_code == 401


async def test_ten_bad_tokens_a_minute_have_to_wait(app: FastAPI) -> None:
    async with client(app) as http:
        wrong = {"Authorization": "Bearer vit_" + "x" * 43}
        assert [(await http.get("/api/v1/patients", headers=wrong)).status_code for _ in range(10)] == [401] * 10
        answer = await http.get("/api/v1/patients", headers=wrong)
        assert answer.status_code == 429
        assert 0 < int(answer.headers["retry-after"]) <= 60
        # Not even the right one now: else an attacker would learn which of many was right.
        good = {"Authorization": f"Bearer {token_for('admin')}"}
        assert (await http.get("/api/v1/patients", headers=good)).status_code == 429
        assert (await http.post("/login", data={"token": token_for("admin")})).status_code == 429


def test_the_window_slides_and_clients_are_apart() -> None:
    now = [0.0]
    throttle = Throttle(2, 60.0, now_s=lambda: now[0])
    throttle.failed("a")
    now[0] = 30.0
    throttle.failed("a")
    assert throttle.wait_s("a") == 30.0
    assert throttle.wait_s("b") == 0.0
    now[0] = 60.0
    assert throttle.wait_s("a") == 0.0


async def test_a_browser_logs_in_once_and_out(app: FastAPI) -> None:
    async with client(app, Origin=ORIGIN) as http:
        page = await http.get("/", headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["location"]) == (303, "/login?to=/")
        bad = await http.post("/login", data={"token": "wrong", "to": "/"})
        assert bad.status_code == 401
        done = await http.post("/login", data={"token": token_for("viewer"), "to": "/patients/sim-001"})
        assert (done.status_code, done.headers["location"]) == (303, "/patients/sim-001")
        cookie = done.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert token_for("viewer").lower() not in cookie
        assert (await http.get("/", headers={"Accept": "text/html"})).status_code == 200
        assert (await http.get("/data")).status_code == 403
        await http.post("/logout")
        assert (await http.get("/api/v1/patients")).status_code == 401


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\r\nX: y", ""]
)
async def test_logging_in_leads_nowhere_else(app: FastAPI, to: str) -> None:
    async with client(app, Origin=ORIGIN) as http:
        done = await http.post("/login", data={"token": token_for("viewer"), "to": to})
        assert (done.status_code, done.headers["location"]) == (303, "/")


async def test_a_cookie_from_another_site_does_nothing(app: FastAPI) -> None:
    session = app.state.access.sessions.start(app.state.access.tokens.principal(token_for("clinician")))
    async with client(app, Cookie=f"{COOKIE}={session}") as http:
        path = "/api/v1/alerts/none/acknowledge"
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}, {}):
            assert (await http.post(path, json={"reason": "x"}, headers=headers)).status_code == 403
        assert (await http.post(path, json={"reason": "x"}, headers={"Origin": ORIGIN})).status_code == 404


async def test_without_tokens_another_sites_page_still_cannot_write(ward: MemoryWard) -> None:
    async with client(application(ward)) as http:
        body = {"id": "a", "time": "2026-01-01T09:00:00Z", "device": "sim-001", "values": {"heart_rate": [80, "/min"]}}
        for headers in (
            {"Origin": "http://evil.example"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "http://127.0.0.1:81"},
        ):
            assert (await http.post("/api/v1/observations", json=body, headers=headers)).status_code == 403
        assert (await http.post("/api/v1/observations", json=body)).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:8000", 200),
        ("localhost:9", 200),
        ("[::1]:8000", 200),
        ("LOCALHOST", 200),
        ("ward.example", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.", 421),
        ("", 421),
        ("[::1", 421),
        ("127.0.0.1@evil.example", 421),
    ],
)
async def test_only_our_own_names_are_answered(ward: MemoryWard, host: str, status: int) -> None:
    async with client(application(ward, allowed_hosts=("ward.example",))) as http:
        assert (await http.get("/api/v1/patients", headers={"Host": host})).status_code == status


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("ward.example", False),
    ],
)
def test_others_are_not_served_without_tokens(ward: MemoryWard, tmp_path: Path, host: str, own: bool) -> None:
    assert is_loopback(host) == own
    if own:
        create_app(ward, ServiceSettings(host=host))
    else:
        with pytest.raises(ConfigurationError, match="--tokens"):
            create_app(ward, ServiceSettings(host=host))
    create_app(ward, ServiceSettings(host=host, tokens=token_file(tmp_path, "viewer")))


async def test_every_answer_carries_the_policy(app: FastAPI) -> None:
    async with client(app, role="admin") as http:
        for path in ("/", "/api/v1/patients", "/nothing", "/docs", "/static/x/css/base.css"):
            headers = (await http.get(path)).headers
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert "server" not in headers


async def test_taking_a_token_away_ends_its_open_streams(
    ward: MemoryWard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "RECHECK_S", 0.0)
    monkeypatch.setattr(tokens_module, "_CHECK_EVERY_S", 0.0)
    path = token_file(tmp_path, "viewer", "admin")
    access = access_module.Access(TokenStore(path))
    assert access.tokens is not None
    who = access.tokens.principal(token_for("viewer"))
    assert who is not None
    frames = system._frames(ward, access, who, "", "")
    assert b"snapshot" in await anext(frames)
    path.write_text(token_file(tmp_path / ".", "admin").read_text(), "utf-8")
    ward.hub.touch(["sim-001"])
    ward.hub.tick()
    assert await asyncio.wait_for(anext(frames), 2) == b"event: end\ndata: {}\n\n"
    with pytest.raises(StopAsyncIteration):
        await anext(frames)


def test_a_changed_role_or_a_missing_file_ends_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens_module, "_CHECK_EVERY_S", 0.0)
    path = token_file(tmp_path, "admin")
    store = TokenStore(path)
    who = store.principal(token_for("admin"))
    assert who is not None
    assert store.holds(who)
    path.write_text(path.read_text().replace('role = "admin"', 'role = "viewer"'), "utf-8")
    assert not store.holds(who)
    path.write_text("not toml [", "utf-8")
    assert store.principal(token_for("admin")) is None
    path.unlink()
    assert store.principal(token_for("admin")) is None


def test_a_token_expires(tmp_path: Path) -> None:
    token, digest = issue_token()
    path = tmp_path / "tokens.toml"
    path.write_text(f'[a]\nrole = "viewer"\nsha256 = "{digest}"\nexpires = 2020-01-01T00:00:00Z\n', "utf-8")
    assert TokenStore(path).principal(token) is None
    path.write_text(f'[a]\nrole = "viewer"\nsha256 = "{digest}"\nexpires = 2999-01-01T00:00:00Z\n', "utf-8")
    found = TokenStore(path).principal(token)
    assert found is not None
    assert found.role is Role.VIEWER
    assert token not in path.read_text()


@pytest.mark.parametrize(
    "text",
    ['[a]\nrole = "root"\nsha256 = "00"', "a = 1", '[a]\nrole = "viewer"', '[a]\nrole = "viewer"\nsha256 = "zz"', "["],
)
def test_a_tokens_file_that_is_wrong_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError):
        TokenStore(path)


def test_sessions_are_bounded_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    sessions = Sessions(now_s=lambda: now[0])
    who = Principal("a", Role.VIEWER, "k")
    value = sessions.start(who)
    assert sessions.principal(value) == who
    assert sessions.principal(value + "x") is None
    now[0] = 11 * 3600.0
    assert sessions.principal(value) == who
    now[0] = 22 * 3600.0
    assert sessions.principal(value) == who
    now[0] = 25 * 3600.0
    assert sessions.principal(value) is None  # a day, however busy
    monkeypatch.setattr("vitruvian.trust.sessions.SESSIONS_MAX", 3)
    values = [sessions.start(who) for _ in range(5)]
    assert [sessions.principal(one) is not None for one in values] == [False, False, True, True, True]


def test_comparing_tokens_takes_as_long_whoever_asks(tmp_path: Path) -> None:
    store = TokenStore(token_file(tmp_path, *ROLES))
    first, none = token_for("viewer"), "vit_" + "y" * 43

    def one_s(token: str) -> float:
        started = time.perf_counter()
        store.principal(token)
        return time.perf_counter() - started

    # In turns, and the quick ones of many: what else the machine does meets both alike.
    ours_s, others_s = zip(*((one_s(first), one_s(none)) for _ in range(300)), strict=True)
    assert sorted(others_s)[30] > 0.3 * sorted(ours_s)[30]

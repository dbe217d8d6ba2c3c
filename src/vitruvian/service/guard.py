"""What every request passes before any of our code: host, origin, identity, size. And what every answer carries.

- Host: only names by which the service may be addressed (DNS rebinding would otherwise turn a page elsewhere into us).
- Origin: an unsafe method from a browser must come from our own pages (CSRF); a program sends neither header.
- Identity: by bearer token or session cookie, once, kept in the scope for the routes.
- Size: a body is read here, up to its limit and within a time, so that no route holds an unbounded or endless one.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitruvian.service.access import Access
from vitruvian.service.problems import problem, unexpected
from vitruvian.service.settings import LOOPBACK_NAMES, ServiceSettings

UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
BODY_S_MAX: Final = 30.0  # to send a body
ANONYMOUS_BODY_BYTES_MAX: Final = 4_096  # before anyone is known: a login
BUNDLE_PATHS: Final = ("/api/v1/fhir", "/api/v1/hl7v2")
HEADERS_BYTES_MAX: Final = 32_768
ONCE: Final = frozenset({b"authorization", b"origin", b"sec-fetch-site", b"content-length"})

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script';"
    " trusted-types 'none'"
)
_ANSWER_HEADERS: Final[Sequence[tuple[bytes, bytes]]] = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=()"),
)


class _Refused(Exception):
    """Why a request goes no further."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


class _CutOff(Exception):
    """Ends the connection of an answer that cannot be completed."""


class Guard:
    """The outermost ASGI layer. See the module."""

    def __init__(self, app: ASGIApp, *, settings: ServiceSettings, access: Access) -> None:
        self._app = app
        self._settings = settings
        self._access = access
        self._hosts = frozenset(name.lower() for name in (*LOOPBACK_NAMES, *settings.allowed_hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (or the lifespan, which passes through; WebSockets are not served)."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        answer = _Answer(send)
        try:
            await self._serve(scope, receive, answer)
        except Exception as error:
            # Caught here, inside the framework's own net: that one would log the error's words, and raise it again.
            response = unexpected(error, scope["method"])
            if answer.started:
                raise _CutOff("an answer failed after it had begun") from None
            await response(scope, receive, answer)

    async def _serve(self, scope: Scope, receive: Receive, answer: Send) -> None:
        try:
            headers = dict(scope["headers"])
            self._check_once(scope)
            self._check_host(scope, headers)
            self._check_origin(scope["method"], headers)
            client = (scope.get("client") or ("unknown", 0))[0]
            principal, wait_s = self._access.identify(headers, client)
            if wait_s:
                raise _Refused(
                    429, f"found too many bad tokens from here; try again in {math.ceil(wait_s)} s",
                    {"Retry-After": str(math.ceil(wait_s))},
                )  # fmt: skip
            scope["principal"] = principal
            body = await self._body(scope, headers, receive)
        except _Refused as refusal:
            # The body was not read: the connection cannot carry another request.
            close = {"Connection": "close", **(refusal.headers or {})}
            await problem(refusal.status, refusal.detail, close)(scope, receive, answer)
            return
        await self._app(scope, _replay(body, receive) if body is not None else receive, answer)

    def _check_host(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        if sum(1 for name, _ in scope["headers"] if name == b"host") != 1:
            raise _Refused(400, "found no Host header or several, expected one")
        host = headers[b"host"].decode("latin-1").lower()
        name = host[: host.index("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]
        if name not in self._hosts:
            raise _Refused(
                421,
                "found a Host header that is not a name of this service; use 127.0.0.1, or add it to allowed_hosts",
            )
        if sum(len(key) + len(value) for key, value in scope["headers"]) > HEADERS_BYTES_MAX:
            raise _Refused(431, f"found headers over {HEADERS_BYTES_MAX} bytes; send less")

    def _check_once(self, scope: Scope) -> None:
        # Of two, a proxy may have looked at the other one.
        names = [name for name, _ in scope["headers"] if name in ONCE]
        if len(set(names)) != len(names):
            raise _Refused(400, "found a header twice that may stand once (Authorization, Origin, Content-Length)")

    def _check_origin(self, method: str, headers: dict[bytes, bytes]) -> None:
        if method not in UNSAFE:
            return
        site = headers.get(b"sec-fetch-site", b"").decode("latin-1")
        origin = headers.get(b"origin", b"").decode("latin-1")
        foreign = site not in ("", "same-origin", "none")
        # Our pages send no referrer, and so the origin of their forms is "null"; then the browser's own word counts,
        # since no page can forge it.
        form_of_ours = origin == "null" and site == "same-origin"
        if origin and not foreign and not form_of_ours:
            foreign = _netloc(origin) != headers[b"host"].decode("latin-1").lower()
        by_cookie = self._access.required and not headers.get(b"authorization") and b"cookie" in headers
        if foreign or (by_cookie and not site and not origin):
            raise _Refused(403, "found a request from another site, expected one from our own pages or from a program")

    async def _body(self, scope: Scope, headers: dict[bytes, bytes], receive: Receive) -> bytes | None:
        if scope["method"] not in UNSAFE:
            return None
        limit = self._limit(scope)
        declared = headers.get(b"content-length", b"0").decode("latin-1")
        if not declared.isdecimal() or len(declared) > 18:
            raise _Refused(400, "found a Content-Length that is not a number")
        if int(declared) > limit:
            raise _Refused(413, f"found a body of {declared} bytes, expected at most {limit}; send it in parts")
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(BODY_S_MAX):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Refused(400, "the client left before its body was complete")
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > limit:
                        raise _Refused(413, f"found a body over {limit} bytes; send it in parts")
                    if not message.get("more_body"):
                        return b"".join(chunks)
        except TimeoutError:
            raise _Refused(408, f"found a body that took over {BODY_S_MAX:g} s; send it faster or in parts") from None

    def _limit(self, scope: Scope) -> int:
        if scope["principal"].role is None:
            return ANONYMOUS_BODY_BYTES_MAX
        return self._settings.bundle_bytes_max if scope["path"] in BUNDLE_PATHS else self._settings.body_bytes_max


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hand the body on once; after that, what the client does (it may only leave)."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # such as http://[::1
        return ""


class _Answer:
    """Sends on, with the headers that every answer carries."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            present = {name.lower() for name, _ in message.get("headers", ())}
            message["headers"] = [
                *message.get("headers", ()),
                *((name, value) for name, value in _ANSWER_HEADERS if name not in present),
            ]
        await self._send(message)

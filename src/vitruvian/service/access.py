"""Who is asking, and whether they may: every route names its permission, and one without is refused at the start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from vitruvian.core.errors import ConfigurationError
from vitruvian.trust import ANONYMOUS, LOCAL, Permission, Principal, Sessions, Throttle, TokenStore, allowed

COOKIE: Final = "vitruvian_session"


@dataclass(slots=True)
class Access:
    """The authentication of one service. Without a token store everyone (on this machine) is the local user."""

    tokens: TokenStore | None = None
    sessions: Sessions = field(default_factory=Sessions)
    throttle: Throttle = field(default_factory=Throttle)

    @property
    def required(self) -> bool:
        """Whether tokens are configured."""
        return self.tokens is not None

    def identify(self, headers: dict[bytes, bytes], client: str) -> tuple[Principal, float]:
        """Whose request this is by its headers; and the seconds to wait, where too many bad tokens came from there."""
        if self.tokens is None:
            return LOCAL, 0.0
        scheme, _, credential = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme:
            wait_s = self.throttle.wait_s(client)
            if wait_s:
                return ANONYMOUS, wait_s
            principal = self.tokens.principal(credential.strip()) if scheme.lower() == "bearer" else None
            if principal is None:
                self.throttle.failed(client)
            return principal or ANONYMOUS, 0.0
        session = self.sessions.principal(cookie_of(headers))
        return (session if session and self.tokens.holds(session) else ANONYMOUS), 0.0

    def still(self, principal: Principal, permission: Permission) -> bool:
        """Whether an open stream may go on: the token is still in the file, with a role that may."""
        return allowed(principal, permission) and (self.tokens is None or self.tokens.holds(principal))


def cookie_of(headers: dict[bytes, bytes]) -> str:
    """The session cookie's value, or empty."""
    try:
        morsel = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def allow(permission: Permission) -> Any:
    """The dependency by which a route names its permission: `dependencies=[allow(Permission.READ)]`."""

    def check(request: Request) -> None:
        principal = principal_of(request)
        if allowed(principal, permission):
            return
        if principal.role is None:
            raise HTTPException(
                401,
                "found no valid credentials, expected a bearer token or a session; log in at /login, or send"
                " Authorization: Bearer TOKEN",
                {"WWW-Authenticate": 'Bearer realm="vitruvian"'},
            )
        raise HTTPException(
            403, f"found role {principal.role}, which may not {permission}; ask for a token of another role"
        )

    check.permission = permission  # type: ignore[attr-defined]
    return Depends(check)


def principal_of(request: Request) -> Principal:
    """Who is asking, as the guard found out."""
    principal = request.scope.get("principal")
    return principal if isinstance(principal, Principal) else ANONYMOUS


Who = Annotated[Principal, Depends(principal_of)]


def permission_of(route: BaseRoute) -> Permission | None:
    """What a route asks for; None where it does not say."""
    for dependency in getattr(route, "dependencies", ()):
        check: Callable[..., object] | None = dependency.dependency
        permission = getattr(check, "permission", None)
        if isinstance(permission, Permission):
            return permission
    return None


def routes_of(app: FastAPI) -> Iterator[BaseRoute]:
    """Every route, those of included routers too."""
    waiting = list(app.routes)
    while waiting:
        route = waiting.pop(0)
        inner = getattr(route, "original_router", None)
        if inner is not None and not isinstance(route, APIRoute):
            waiting.extend(inner.routes)
        else:
            yield route


def require_permissions(app: FastAPI) -> None:
    """Raise ConfigurationError where a route does not name its permission: what is not decided is not served."""
    bare = [getattr(route, "path", repr(route)) for route in routes_of(app) if permission_of(route) is None]
    if bare:
        raise ConfigurationError(f"found routes without a permission: {', '.join(bare)}; add dependencies=[allow(...)]")

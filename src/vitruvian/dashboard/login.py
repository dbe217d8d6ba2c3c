"""A token for a session: the token is typed once, and an HttpOnly cookie that other sites cannot send stands for it."""

from __future__ import annotations

import math
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from fastapi import Request
from starlette.responses import Response

from vitruvian.service.access import COOKIE, Access, cookie_of

__all__ = ["COOKIE", "LogIn", "local_path", "log_in", "log_out", "set_cookie"]

_FIELDS_MAX: Final = 4


class LogIn(NamedTuple):
    """What came of it: a cookie, or a message with the status and the seconds to wait."""

    cookie: str | None
    to: str
    status: int = 200
    message: str = ""
    wait_s: int = 0


def local_path(to: str) -> str:
    """A path of this site to go on to; anything that could lead elsewhere is `/`."""
    safe = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() and "\\" not in to
    return to if safe else "/"


async def log_in(request: Request) -> LogIn:
    """Check the token in a form, counting bad ones a client."""
    access: Access = request.app.state.access
    try:
        form = parse_qs((await request.body()).decode("ascii"), max_num_fields=_FIELDS_MAX)
    except ValueError:
        form = {}
    to = local_path(form.get("to", ["/"])[0])
    client = request.client.host if request.client else "unknown"
    if access.tokens is None:
        return LogIn(None, to, 404, "No tokens are configured; nothing to log in to.")
    wait_s = math.ceil(access.throttle.wait_s(client))
    if wait_s:
        return LogIn(None, to, 429, f"Too many wrong tokens. Try again in {wait_s} s.", wait_s)
    principal = access.tokens.principal(form.get("token", [""])[0].strip())
    if principal is None:
        access.throttle.failed(client)
        return LogIn(None, to, 401, "This token is not known, or has expired.")
    return LogIn(access.sessions.start(principal), to)


def log_out(request: Request) -> None:
    """End the session that the cookie names."""
    access: Access = request.app.state.access
    access.sessions.end(cookie_of(dict(request.scope["headers"])))


def set_cookie(answer: Response, value: str, *, secure: bool) -> None:
    """A session cookie: gone with the browser, unseen by scripts, never sent from another site."""
    answer.set_cookie(COOKIE, value, path="/", httponly=True, samesite="strict", secure=secure)

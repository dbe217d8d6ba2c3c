"""Asking a running ward over HTTP, from the command line: one address, a token perhaps, errors in one line."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, Final

from vitruvian.core.errors import ConfigurationError, LimitError, ReadingError, VitruvianError

__all__ = ["DEFAULT_URL", "WardClient", "WardRefused"]

DEFAULT_URL: Final = "http://127.0.0.1:8000"
TIMEOUT_S: Final = 60.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024


class WardRefused(VitruvianError):
    """What the ward answered instead of what was asked for: its own words."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A token must not follow a redirect to somewhere else."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> None:
        return None


class WardClient:
    """A ward at `url`; `token_file` holds the bearer token, where the ward asks for one."""

    def __init__(self, url: str = DEFAULT_URL, token_file: Path | None = None, timeout_s: float = TIMEOUT_S) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(f"found --url {url[:200]!r}, expected http://HOST:PORT; such as {DEFAULT_URL}")
        self._url, self._timeout_s = url.rstrip("/"), timeout_s
        self._token = _token(token_file) if token_file is not None else ""
        # No proxies: the default address is this machine's own, and a token is for the ward alone.
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect()).open

    def get(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer of a GET. Raises ConfigurationError (no ward there), WardRefused, LimitError, ReadingError."""
        return self._ask("GET", path, query, None)

    def post(self, path: str, body: bytes, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The answer of a POST of JSON; raises as `get`."""
        return self._ask("POST", path, query, body)

    def _ask(self, method: str, path: str, query: Mapping[str, str] | None, body: bytes | None) -> dict[str, Any]:
        address = self._url + path + (f"?{urllib.parse.urlencode(query)}" if query else "")
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(address, body, headers, method=method)  # noqa: S310 - http(s), checked above
        try:
            with self._open(request, timeout=self._timeout_s) as answer:
                return _read(answer.read(ANSWER_BYTES_MAX + 1))
        except urllib.error.HTTPError as error:
            raise WardRefused(_refusal(error)) from None
        except (OSError, HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ConfigurationError(
                f"found no ward at {self._url} ({reason}); start one with `vitruvian ward`, name another with --url,"
                " or read a journal with --journal"
            ) from None


def _read(data: bytes) -> dict[str, Any]:
    if len(data) > ANSWER_BYTES_MAX:
        raise LimitError(f"found an answer over {ANSWER_BYTES_MAX} bytes, expected less; is this a ward's address?")
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ReadingError("found an answer that is not a ward's, expected JSON; is this a ward's address?")
    return found


def _refusal(error: urllib.error.HTTPError) -> str:
    """The problem's own words, else what the status means."""
    try:
        told = json.loads(error.read(65_536))
        detail = str(told["detail"]) if isinstance(told, dict) and "detail" in told else ""
    except (ValueError, OSError):
        detail = ""
    if error.code == 401:
        return "the ward asks for a token: give the file that holds one with --token-file"
    return f"the ward refused ({error.code}): {detail or error.reason}"


def _token(path: Path) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"found no token in {path} ({error}); write the token into it, alone") from None
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise ConfigurationError(f"found {path} without a token alone in it; write the token into it, alone")
    return text

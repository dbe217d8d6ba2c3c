"""A language model behind an OpenAI-compatible endpoint: Ollama, vLLM, llama.cpp's server, a hospital's or vendor's.

One connection for each answer, to the configured host and no other: no redirect is followed and no proxy asked. TLS is
verified. The deadline holds for the whole answer, however slowly it drips. What the endpoint says in an error is not
repeated, since it may repeat the prompt.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import ipaddress
import json
import socket
import ssl
import threading
import time
from typing import Any, Final, NoReturn
from urllib.parse import SplitResult, urlsplit

import msgspec

from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.llm.base import ModelBusy, ModelSilent, Prompt

__all__ = ["OpenAiModel", "is_this_machine"]

ANSWER_BYTES_MAX: Final = 256 * 1024
_OK: Final = 200
_PORTS: Final = {"http": 80, "https": 443}


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: _Message


class _Completion(msgspec.Struct):
    choices: list[_Choice]


def is_this_machine(host: str) -> bool:
    """Whether a host name or address is this machine by itself, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class OpenAiModel:
    """Chat completions of one model at one endpoint (see LanguageModel)."""

    def __init__(self, url: str, model: str, *, key: str = "", grammar: bool = False) -> None:
        """`url`: up to and without /chat/completions. `key`: a bearer token. `grammar`: the endpoint takes GBNF in
        `grammar`, as llama.cpp's server does. Raises ConfigurationError for an address that cannot be used, or that
        would carry the key in the clear.
        """
        parts = _address(url)
        if key and parts.scheme != "https" and not is_this_machine(parts.hostname or ""):
            raise ConfigurationError("found a key for an http endpoint elsewhere: it would go in the clear; use https")
        if any(not "!" <= sign <= "~" for sign in key):
            raise ConfigurationError("found a key with characters that no key has; check its environment variable")
        if not model:
            raise ConfigurationError("found an endpoint without a model; name the model it is to answer with")
        self._parts, self._model, self._key, self._grammar = parts, model, key, grammar
        self._path = f"{parts.path.rstrip('/')}/chat/completions"
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._lock = threading.Lock()
        self._exchange: _Exchange | None = None
        self._closed = False

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self._model

    @property
    def digest(self) -> str:
        """SHA-256 of endpoint and model name."""
        origin = f"{self._parts.scheme}://{self._parts.netloc}{self._path}"
        return hashlib.sha256(f"{origin}\n{self._model}".encode()).hexdigest()

    @property
    def remote(self) -> bool:
        """Whether the endpoint is on another machine."""
        return not is_this_machine(self._parts.hostname or "")

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        """The answer, unverified. Raises ModelBusy where another is being written, ModelSilent for all else."""
        until_s = time.monotonic() + deadline_s
        if not self._lock.acquire(timeout=max(0.0, deadline_s)):
            raise ModelBusy("the endpoint is writing another answer")
        try:
            if self._closed:
                raise ModelSilent("the endpoint was closed")
            exchange = self._exchange = _Exchange(
                self._connection(until_s), self._path, self._headers(), self._body(prompt)
            )
            return exchange.result(until_s)
        finally:
            self._exchange = None
            self._lock.release()

    def close(self) -> None:
        """Break off the answer being waited for, and take no more questions; idempotent."""
        self._closed = True
        if (exchange := self._exchange) is not None:
            exchange.break_off()

    def _connection(self, until_s: float) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port or _PORTS[self._parts.scheme]
        left_s = max(0.001, until_s - time.monotonic())
        if self._tls is not None:
            return http.client.HTTPSConnection(host, port, timeout=left_s, context=self._tls)
        return http.client.HTTPConnection(host, port, timeout=left_s)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        return {**headers, "Authorization": f"Bearer {self._key}"} if self._key else headers

    def _body(self, prompt: Prompt) -> bytes:
        content: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            "max_tokens": prompt.tokens_max,
            "temperature": 0,
            "seed": 0,
            "stream": False,
        }
        if prompt.stop:
            content["stop"] = list(prompt.stop)
        if prompt.grammar and self._grammar:
            content["grammar"] = prompt.grammar
        return json.dumps(content).encode()


class _Exchange(threading.Thread):
    """One question and its answer, on a thread of its own: a name server or a dripping peer can hold up only that."""

    def __init__(self, connection: http.client.HTTPConnection, path: str, headers: dict[str, str], body: bytes) -> None:
        super().__init__(name="language-model", daemon=True)
        self._connection, self._path, self._headers, self._body = connection, path, headers, body
        self._socket: socket.socket | None = None
        self._broken_off = False
        self._text: str | None = None
        self._reason = "the endpoint did not answer in time"
        self.start()

    def result(self, until_s: float) -> str:
        """The answer. Raises ModelSilent where there is none by then."""
        self.join(max(0.0, until_s - time.monotonic()))
        if self.is_alive():
            self.break_off()
            raise ModelSilent("the endpoint did not answer in time")
        if self._text is None:
            raise ModelSilent(self._reason)
        return self._text

    def break_off(self) -> None:
        """End the connection under whoever waits for it."""
        self._broken_off = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        """Ask, and keep the answer or the reason why there is none."""
        try:
            self._text = self._asked()
        except ModelSilent as error:
            self._reason = str(error)
        except ssl.SSLError as error:
            self._reason = f"the endpoint's TLS was refused ({error.reason or type(error).__name__})"
        except (OSError, http.client.HTTPException) as error:
            self._reason = f"the endpoint could not be asked ({type(error).__name__})"
        except (msgspec.MsgspecError, ValueError, RecursionError):  # its words are left out: they may quote what came
            self._reason = "the endpoint answered something else than a chat completion"
        finally:
            self._connection.close()

    def _asked(self) -> str:
        self._connection.connect()
        self._socket = self._connection.sock  # the connection lets go of it before the answer is read
        if self._broken_off:
            _silent("the endpoint could not be reached in time")
        self._connection.request("POST", self._path, self._body, self._headers)
        answer = self._connection.getresponse()
        if answer.status != _OK:
            _silent(f"the endpoint answered with status {answer.status}")
        if (answer.length or 0) > ANSWER_BYTES_MAX:
            _silent(f"the endpoint's answer is longer than {ANSWER_BYTES_MAX} bytes")
        content = answer.read(ANSWER_BYTES_MAX + 1)
        if len(content) > ANSWER_BYTES_MAX:
            _silent(f"the endpoint's answer is longer than {ANSWER_BYTES_MAX} bytes")
        choices = msgspec.json.decode(content, type=_Completion).choices
        if not choices:
            _silent("the endpoint answered without a choice")
        return choices[0].message.content


def _silent(reason: str) -> NoReturn:
    raise ModelSilent(reason)


def _address(url: str) -> SplitResult:
    """The parts of an endpoint's address. Raises ConfigurationError."""
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError:
        parts, port_fits = SplitResult("", "", "", "", ""), False
    fits = parts.scheme in _PORTS and parts.hostname and port_fits and url.isascii() and url.isprintable()
    if not fits or parts.username is not None or parts.query or parts.fragment or " " in url:
        raise ConfigurationError(
            "found a language model's URL that is not http(s)://host[:port]/path without credentials or query,"
            " such as http://127.0.0.1:11434/v1"
        )
    return parts

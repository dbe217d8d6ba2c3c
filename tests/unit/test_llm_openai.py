"""A language model behind an endpoint, over a real connection: the deadline holds, and nothing else is trusted."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.llm_support import send, serving
from tests.support import limit_s
from vitruvian.core.errors import ConfigurationError
from vitruvian.explanation.llm.base import LanguageModel, ModelBusy, ModelSilent, Prompt
from vitruvian.explanation.llm.openai import ANSWER_BYTES_MAX, OpenAiModel, is_this_machine

PROMPT = Prompt("Write one sentence.", "Say that <risk> rose.", 'root ::= "x"', 40, ("\n", "###"))


def completion(text: object) -> bytes:
    return json.dumps(
        {"id": "1", "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}
    ).encode()


def test_a_completion_is_asked_for_and_read() -> None:
    asked: list[tuple[str, dict[str, str], Any]] = []

    def respond(request: BaseHTTPRequestHandler, body: bytes) -> None:
        asked.append((request.path, dict(request.headers), json.loads(body)))
        send(request, completion("The <risk> rose."))

    with serving(respond) as base:
        model = OpenAiModel(f"{base}/v1/", "medium", key="s3cret", grammar=True)
        assert isinstance(model, LanguageModel)
        assert model.complete(PROMPT, 10.0) == "The <risk> rose."
        OpenAiModel(f"{base}/v1", "medium").complete(PROMPT, 10.0)
    path, headers, body = asked[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer s3cret"
    assert body == {
        "model": "medium",
        "messages": [
            {"role": "system", "content": "Write one sentence."},
            {"role": "user", "content": "Say that <risk> rose."},
        ],
        "max_tokens": 40,
        "temperature": 0,
        "seed": 0,
        "stream": False,
        "stop": ["\n", "###"],
        "grammar": 'root ::= "x"',
    }
    assert "Authorization" not in asked[1][1]
    assert "grammar" not in asked[1][2]


def redirect(request: BaseHTTPRequestHandler, _: bytes) -> None:
    send(request, b"", 307, Location="/v1/elsewhere")


def chunks(request: BaseHTTPRequestHandler, _: bytes) -> None:
    request.send_response(200)
    request.send_header("Transfer-Encoding", "chunked")
    request.end_headers()
    piece = b"x" * 65_536
    for _number in range(ANSWER_BYTES_MAX // len(piece) + 1):
        request.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    request.wfile.write(b"0\r\n\r\n")


def cut(request: BaseHTTPRequestHandler, _: bytes) -> None:
    send(request, completion("The risk")[:-10], Content_Length="500")
    request.close_connection = True


def reply(content: bytes, status: int = 200) -> Callable[[BaseHTTPRequestHandler, bytes], None]:
    return lambda request, _: send(request, content, status)


@pytest.mark.parametrize(
    ("respond", "reason"),
    [
        (reply(b'{"error": "Say that the patient"}', 500), "status 500"),
        (reply(b"no such key", 401), "status 401"),
        (redirect, "status 307"),
        (cut, "something else|could not be asked"),
        (reply(b"<html>"), "something else"),
        (reply(b'{"choices": [{"message": {"content": 5}}]}'), "something else"),
        (reply(completion(None)), "something else"),
        (reply(b'{"choices": "none"}'), "something else"),
        (reply(b'{"choices": []}'), "without a choice"),
        (reply(b"[" * 100_000), "something else"),
        (reply(b'{"a":' + b"[" * 100_000), "something else"),
        (reply(completion("x" * ANSWER_BYTES_MAX)), "longer than"),
        (chunks, "longer than"),
        (reply(b'{"choices": [{"message": {"content": "\xff"}}]}'), "something else"),
    ],
)
def test_whatever_else_comes_is_silence(respond: Any, reason: str) -> None:
    requests: list[str] = []

    def counted(request: BaseHTTPRequestHandler, body: bytes) -> None:
        requests.append(request.path)
        respond(request, body)

    with serving(counted) as base:
        model = OpenAiModel(f"{base}/v1", "medium")
        with pytest.raises(ModelSilent, match=reason) as caught:
            model.complete(PROMPT, 30.0)
    assert requests == ["/v1/chat/completions"]  # asked once, and nowhere else
    assert "patient" not in str(caught.value)


def hang(request: BaseHTTPRequestHandler, _: bytes) -> None:
    time.sleep(5.0)


def drip_head(request: BaseHTTPRequestHandler, _: bytes) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        request.wfile.write(f"X-Wait-{number}: yes\r\n".encode())
        time.sleep(0.05)


def drip_body(request: BaseHTTPRequestHandler, _: bytes) -> None:
    request.send_response(200)
    request.send_header("Connection", "close")
    request.end_headers()
    for sign in completion("x" * 200):
        request.wfile.write(bytes([sign]))
        time.sleep(0.05)


@pytest.mark.parametrize("respond", [hang, drip_head, drip_body])
def test_the_deadline_holds_for_the_whole_answer(respond: Any) -> None:
    with serving(respond) as base:
        model = OpenAiModel(f"{base}/v1", "medium")
        began_s = time.monotonic()
        with pytest.raises(ModelSilent, match="in time"):
            model.complete(PROMPT, 0.4)
        assert time.monotonic() - began_s < 0.4 + limit_s(0.2)
        until_s = time.monotonic() + limit_s(0.5)
        while any(thread.name == "language-model" for thread in threading.enumerate()):
            assert time.monotonic() < until_s, "the connection was not broken off"
            time.sleep(0.02)


def test_a_peer_that_does_not_answer_the_door_is_silence() -> None:
    with socket.socket() as full:  # its queue of connections is full, so that one more waits
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        with socket.create_connection(full.getsockname()), socket.socket() as second:
            second.setblocking(False)
            second.connect_ex(full.getsockname())
            with pytest.raises(ModelSilent):
                OpenAiModel(url, "medium").complete(PROMPT, 0.4)
    with pytest.raises(ModelSilent, match=r"could not be asked \(ConnectionRefusedError\)"):
        OpenAiModel(url, "medium").complete(PROMPT, 5.0)


def test_plain_text_is_no_tls() -> None:
    with serving(reply(completion("yes"))) as base, pytest.raises(ModelSilent, match="TLS was refused"):
        OpenAiModel(base.replace("http:", "https:"), "medium").complete(PROMPT, 5.0)


def test_one_answer_at_a_time_and_closing_breaks_it_off() -> None:
    with serving(hang) as base:
        model = OpenAiModel(f"{base}/v1", "medium")
        heard: list[ModelSilent] = []

        def wait() -> None:
            try:
                model.complete(PROMPT, 60.0)
            except ModelSilent as error:
                heard.append(error)

        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.2)
        with pytest.raises(ModelBusy):
            model.complete(PROMPT, 0.1)
        began_s = time.monotonic()
        model.close()
        waiting.join()
        assert time.monotonic() - began_s < limit_s(0.2)
        assert len(heard) == 1
        with pytest.raises(ModelSilent, match="closed"):
            model.complete(PROMPT, 1.0)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/v1",
        "host/v1",
        "http:///v1",
        "http://user:password@host/v1",
        "http://host/v1?key=1",
        "http://host:99999/v1",
        "http://host/v 1",
        "http://host/v1\r\nX: y",
    ],
)
def test_addresses_that_cannot_be_used_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="URL that is not http"):
        OpenAiModel(url, "medium")


def test_a_key_does_not_travel_in_the_clear() -> None:
    with pytest.raises(ConfigurationError, match="in the clear"):
        OpenAiModel("http://models.example/v1", "medium", key="s3cret")
    with pytest.raises(ConfigurationError, match="characters that no key has"):
        OpenAiModel("https://models.example/v1", "medium", key="a\r\nHost: b")
    with pytest.raises(ConfigurationError, match="name the model"):
        OpenAiModel("https://models.example/v1", "")
    assert OpenAiModel("https://models.example/v1", "medium", key="s3cret").remote


def test_what_is_this_machine_is_told_without_a_name_server() -> None:
    assert all(map(is_this_machine, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_this_machine, ("10.0.0.1", "localhost.example", "0.0.0.0", "::2", "127.0.0.1.nip.example")))


def test_the_digest_tells_endpoints_and_models_apart() -> None:
    of = [OpenAiModel(url, name).digest for url in ("http://a/v1", "http://b/v1") for name in ("x", "y")]
    assert len(set(of)) == 4
    assert OpenAiModel("http://a/v1/", "x").digest == of[0]

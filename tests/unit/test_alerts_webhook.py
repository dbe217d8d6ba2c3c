"""Webhooks against a real HTTP server: signed, retried, bounded, counted, and without identity unless configured."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.twin_support import T0_US
from vitruvian.alerts import Alert, Step, Webhook, WebhookSettings
from vitruvian.alerts.webhook import sign, verify
from vitruvian.core.errors import ConfigurationError

SECRET = "a-shared-secret-of-some-length"


class Receiver:
    """A server that answers with the given statuses in turn, then 204, and remembers what came."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/alerts?ward=icu"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def a_step(steps: int = 1) -> Step:
    alert = Alert(
        f"heart_rate_high-7-{T0_US}", 7, "heart_rate_high", "high", 3, "HR 150 > 140", "heart_rate", "open",
        T0_US, T0_US, 150.0, 140.0, steps,
    )  # fmt: skip
    return Step("raised", T0_US, alert)


async def deliver(webhook: Webhook, *steps: Step) -> None:
    for step in steps:
        webhook.offer(step, "pat-1")
    running = asyncio.create_task(webhook.run())
    await webhook.close()
    await asyncio.wait_for(running, 20)


def settings(url: str, **changes: object) -> WebhookSettings:
    return WebhookSettings(url, SECRET, **{"backoff_first_s": 0.01, **changes})  # type: ignore[arg-type]


async def test_a_signed_delivery_without_identity(receiver: Receiver) -> None:
    webhook = Webhook(settings(receiver.url), lambda pid: {"name": "Ada Canary"})
    await deliver(webhook, a_step())
    ((headers, body),) = receiver.got
    assert verify(SECRET, body, headers["X-Vitruvian-Signature"], int(time.time()))
    content = json.loads(body)
    assert (content["action"], content["patient"], content["alert"]["text"]) == ("raised", "pat-1", "HR 150 > 140")
    assert b"Canary" not in body and "identity" not in content
    assert webhook.counts == {"offered": 1, "delivered": 1, "retried": 0, "failed": 0, "dropped": 0}


async def test_identity_only_where_configured(receiver: Receiver) -> None:
    webhook = Webhook(settings(receiver.url, include_identity=True), lambda pid: {"name": f"Patient {pid}"})
    await deliver(webhook, a_step())
    assert json.loads(receiver.got[0][1])["identity"] == {"name": "Patient 7"}


async def test_a_failing_receiver_is_tried_again_with_the_same_name(receiver: Receiver) -> None:
    receiver.statuses = [503, 429, 500]
    webhook = Webhook(settings(receiver.url))
    await deliver(webhook, a_step())
    assert len({headers["X-Vitruvian-Delivery"] for headers, _ in receiver.got}) == 1
    assert (len(receiver.got), webhook.counts["delivered"], webhook.counts["retried"]) == (4, 1, 3)
    assert not webhook.failing


async def test_what_is_refused_is_not_repeated_and_shows(receiver: Receiver) -> None:
    receiver.statuses = [410]
    webhook = Webhook(settings(receiver.url))
    await deliver(webhook, a_step())
    assert (len(receiver.got), webhook.counts["failed"], webhook.failing) == (1, 1, True)
    await deliver(webhook, a_step(2))
    assert (webhook.counts["delivered"], webhook.failing) == (1, False)


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.statuses = [302]
    webhook = Webhook(settings(receiver.url))
    await deliver(webhook, a_step())
    assert (len(receiver.got), webhook.counts["failed"]) == (1, 1)


async def test_nobody_listening_is_given_up_and_counted(free_port: int) -> None:
    webhook = Webhook(settings(f"http://127.0.0.1:{free_port}/", attempts_max=3))
    await deliver(webhook, a_step())
    assert webhook.counts == {"offered": 1, "delivered": 0, "retried": 2, "failed": 1, "dropped": 0}
    assert webhook.failing


def test_the_queue_is_bounded_and_offering_never_waits() -> None:
    async def fill() -> Webhook:
        webhook = Webhook(settings("http://127.0.0.1:9/", queue_max=2))
        assert [webhook.offer(a_step(n), "pat-1") for n in range(1, 4)] == [True, True, False]
        return webhook

    webhook = asyncio.run(fill())
    assert (webhook.waiting, webhook.counts["dropped"], webhook.failing) == (2, 1, True)


def test_a_signature_of_another_body_time_or_secret_is_refused() -> None:
    header = sign(SECRET, b"body", 1_000)
    assert verify(SECRET, b"body", header, 1_100)
    assert not verify(SECRET, b"other", header, 1_100)
    assert not verify(SECRET, b"body", header, 2_000)
    assert not verify("another-secret-entirely", b"body", header, 1_100)
    assert not verify(SECRET, b"body", "", 1_100)
    assert not verify(SECRET, b"body", header.replace("t=1000", "t=1100"), 1_100)


@pytest.mark.parametrize("url", ["ftp://host/x", "file:///etc/passwd", "http://user:pw@host/", "nonsense"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        WebhookSettings(url, SECRET)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="secret"):
        WebhookSettings("http://127.0.0.1/", "short")

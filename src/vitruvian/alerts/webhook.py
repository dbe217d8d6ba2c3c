"""Alerts delivered to other systems by HTTP POST, from a bounded queue, retried, signed.

The body is JSON: the step's action and time, and the alert with the patient's public id; no name or birth date
unless `include_identity` is configured. The header `X-Vitruvian-Signature: t=<unix seconds>,v1=<hex>` is
HMAC-SHA256, with the shared secret, of `<t>.<body>`; a receiver recomputes it and refuses an old `t`.
`X-Vitruvian-Delivery` names the delivery, the same on every attempt, so that a receiver can drop repeats.

What cannot be delivered is counted, and `failing` tells the ward to show a technical alert: an alert is never held
up, nor lost from the journal, because a receiver is down. Time here is the wall clock's.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import http.client
import logging
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from vitruvian.alerts.records import Step
from vitruvian.core.errors import ConfigurationError
from vitruvian.core.time import isoformat

log = logging.getLogger(__name__)

QUEUE_MAX: Final = 1_024
ATTEMPTS_MAX: Final = 6
TIMEOUT_S: Final = 5.0
BACKOFF_FIRST_S: Final = 0.5
BACKOFF_MAX_S: Final = 30.0
SECRET_CHARS_MIN: Final = 16
_RETRIED: Final = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where to deliver and how. `secret` signs; `include_identity` adds what `identity_of` gives (name, bed)."""

    url: str
    secret: str
    include_identity: bool = False
    attempts_max: int = ATTEMPTS_MAX
    timeout_s: float = TIMEOUT_S
    backoff_first_s: float = BACKOFF_FIRST_S
    queue_max: int = QUEUE_MAX

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ConfigurationError("found a webhook URL that is not http(s)://host[:port]/path without credentials")
        if len(self.secret) < SECRET_CHARS_MIN:
            raise ConfigurationError(
                f"found a webhook secret of {len(self.secret)} characters, expected {SECRET_CHARS_MIN} or more"
            )


def sign(secret: str, body: bytes, at_s: int) -> str:
    """The signature header's value for a body sent at `at_s` (unix seconds)."""
    digest = hmac.new(secret.encode(), str(at_s).encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


def verify(secret: str, body: bytes, header: str, now_s: int, tolerance_s: int = 300) -> bool:
    """Whether a header is a true and recent signature of a body; for receivers."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    stated = parts.get("t", "")
    if not stated.isdigit() or abs(now_s - int(stated)) > tolerance_s:
        return False
    return hmac.compare_digest(sign(secret, body, int(stated)), header)


def body_of(step: Step, patient: str, identity: dict[str, str] | None = None) -> bytes:
    """The JSON of one delivery. `patient` is the public id."""
    alert = step.alert
    content: dict[str, Any] = {
        "action": step.action,
        "at": isoformat(step.at_us),
        "patient": patient,
        "alert": {
            "id": alert.id,
            "rule": alert.rule,
            "priority": alert.priority,
            "text": alert.text,
            "concept": alert.concept,
            "value": alert.value,
            "limit": alert.limit,
            "state": alert.state,
            "raised": isoformat(alert.raised_us),
            "escalated": alert.escalated,
        },
    }
    if identity:
        content["identity"] = identity
    return msgspec.json.encode(content)


class Webhook:
    """Delivers steps in order. `offer` never waits; `run` delivers until `close`.

    `counts`: offered, delivered, retried, failed (given up), dropped (the queue was full).
    """

    def __init__(self, settings: WebhookSettings, identity_of: Callable[[int], dict[str, str]] | None = None) -> None:
        self.settings = settings
        self.counts = {"offered": 0, "delivered": 0, "retried": 0, "failed": 0, "dropped": 0}
        self._identity_of = identity_of
        self._queue: asyncio.Queue[tuple[str, bytes] | None] = asyncio.Queue(settings.queue_max)
        self._failing = False

    @property
    def failing(self) -> bool:
        """Whether the last delivery was given up, or one was dropped since: show a technical alert."""
        return self._failing

    @property
    def waiting(self) -> int:
        """Deliveries in the queue."""
        return self._queue.qsize()

    def offer(self, step: Step, patient: str) -> bool:
        """Queue a step of a patient (public id); false where the queue is full. On the loop's thread."""
        wanted = self.settings.include_identity and self._identity_of is not None
        identity = self._identity_of(step.alert.pid) if wanted and self._identity_of else None
        self.counts["offered"] += 1
        try:
            self._queue.put_nowait((f"{step.alert.id}#{step.alert.steps}", body_of(step, patient, identity)))
        except asyncio.QueueFull:
            self.counts["dropped"] += 1
            self._failing = True
            return False
        return True

    async def run(self) -> None:
        """Deliver until `close`; never raises for a receiver's fault."""
        while (item := await self._queue.get()) is not None:
            await self._deliver(*item)

    async def close(self) -> None:
        """Deliver what waits (each attempt is bounded), then let `run` return."""
        await self._queue.put(None)

    async def _deliver(self, name: str, body: bytes) -> None:
        for attempt in range(self.settings.attempts_max):
            if attempt:
                self.counts["retried"] += 1
                await asyncio.sleep(self._pause_s(attempt))
            status = await asyncio.to_thread(self._post, name, body)
            if 200 <= status < 300:
                self.counts["delivered"] += 1
                self._failing = False
                return
            if 300 <= status < 500 and status not in _RETRIED:
                break  # the receiver will never take it
        self.counts["failed"] += 1
        self._failing = True
        log.warning("an alert could not be delivered by webhook; it is in the journal and on the ward")

    def _pause_s(self, attempt: int) -> float:
        longest: float = min(self.settings.backoff_first_s * 2.0 ** (attempt - 1), BACKOFF_MAX_S)
        return random.uniform(0.5, 1.0) * longest

    def _post(self, name: str, body: bytes) -> int:
        """One attempt: the status, or 0 where there was no answer."""
        parts = urlsplit(self.settings.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=self.settings.timeout_s, context=context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self.settings.timeout_s)
        headers = {
            "Content-Type": "application/json",
            "X-Vitruvian-Signature": sign(self.settings.secret, body, int(time.time())),
            "X-Vitruvian-Delivery": name,
        }
        try:
            connection.request("POST", target, body, headers)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

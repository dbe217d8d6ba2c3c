"""How the service is reached, and what it refuses."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vitruvian.core.errors import ConfigurationError
from vitruvian.core.limits import BODY_BYTES_MAX, BUNDLE_BYTES_MAX
from vitruvian.records.mapping import Mapping, default_mapping

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Settings of the HTTP service; `check` says whether they can work together.

    `allowed_hosts` are further names by which it may be addressed (the Host header). `tokens` is the file of bearer
    tokens (see `trust.tokens`); without it, only the loopback interface is served, and whoever is on this machine may
    do everything. `secure_cookies`: the cookie only travels over https (a proxy terminates TLS). `mapping`: the
    site's code map, for FHIR and HL7 v2 that are pushed.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    allowed_hosts: tuple[str, ...] = ()
    tokens: Path | None = None
    secure_cookies: bool = False
    body_bytes_max: int = BODY_BYTES_MAX
    bundle_bytes_max: int = BUNDLE_BYTES_MAX
    mapping: Mapping = field(default_factory=default_mapping)

    def check(self) -> None:
        """Raise ConfigurationError where the service would be open to others without authentication."""
        if not is_loopback(self.host) and self.tokens is None:
            raise ConfigurationError(
                f"found host {self.host} without tokens, expected a loopback address; reachable from elsewhere, the"
                " service needs --tokens FILE (docs/http.md), or bind to 127.0.0.1"
            )
        if not 0 <= self.port <= 65_535:
            raise ConfigurationError(f"found port {self.port}, expected 0 to 65535")


def is_loopback(host: str) -> bool:
    """Whether a host to bind to is reachable from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

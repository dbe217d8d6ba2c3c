"""Roles, permissions, and the table between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """What a route asks for. `PUBLIC` asks for nothing: the login page, the style sheets, whether the service is up."""

    PUBLIC = "public"
    READ = "read"  # patients and all that is known of them
    ACT = "act"  # acknowledge and snooze alarms
    WRITE = "write"  # push observations and bundles
    OPERATE = "operate"  # quarantine, streams, metrics


class Role(StrEnum):
    """Who a token was given to."""

    VIEWER = "viewer"
    CLINICIAN = "clinician"
    INTEGRATOR = "integrator"
    ADMIN = "admin"


# An integrator's token sits in a device or an interface engine: it may write, and may not read patients back.
GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.CLINICIAN: frozenset({Permission.READ, Permission.ACT}),
    Role.INTEGRATOR: frozenset({Permission.WRITE}),
    Role.ADMIN: frozenset({Permission.READ, Permission.ACT, Permission.WRITE, Permission.OPERATE}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. `token` names the token they came with, so that its end ends their sessions and open streams."""

    name: str
    role: Role | None
    token: str = ""


ANONYMOUS: Final = Principal("", None)
LOCAL: Final = Principal("local user", Role.ADMIN)  # on the loopback interface, where no tokens are configured


def allowed(principal: Principal, permission: Permission) -> bool:
    """Whether the principal may; anything not in the table is denied."""
    if permission is Permission.PUBLIC:
        return True
    return principal.role is not None and permission in GRANTS.get(principal.role, frozenset())

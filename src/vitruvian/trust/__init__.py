"""Who may do what: tokens, sessions, roles and the one table that decides. Denied unless allowed."""

from vitruvian.trust.policy import ANONYMOUS, LOCAL, Permission, Principal, Role, allowed
from vitruvian.trust.sessions import Sessions
from vitruvian.trust.throttle import Throttle
from vitruvian.trust.tokens import TokenStore, issue_token

__all__ = [
    "ANONYMOUS",
    "LOCAL",
    "Permission",
    "Principal",
    "Role",
    "Sessions",
    "Throttle",
    "TokenStore",
    "allowed",
    "issue_token",
]

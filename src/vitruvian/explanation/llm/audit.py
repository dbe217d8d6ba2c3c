"""What is noted of every answer of a language model: hashes, never texts. `trust.audit` keeps it in a hash chain."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

__all__ = ["Audit", "AuditRecord", "NoAudit", "Send"]

Send = Literal["skeletons", "facts"]


class AuditRecord(msgspec.Struct, frozen=True):
    """One answer asked of a language model. `what`: `wording`, `note`; `verdict` with the rule in `reason`; `left`:
    whether the prompt left this machine, and `sent` what it held.
    """

    what: str
    model: str
    model_digest: str
    prompt_version: str
    prompt_sha256: str
    output_sha256: str
    verdict: Literal["accepted", "refused", "silent"]
    reason: str = ""
    left: bool = False
    sent: Send = "skeletons"


class Audit(Protocol):
    """Whoever keeps these records."""

    def note(self, record: AuditRecord) -> None:
        """Keep it; does not raise: an audit that cannot be written is counted and said by whoever keeps it."""
        ...


class NoAudit:
    """Keeps nothing: for tests and for models that are not asked."""

    def note(self, record: AuditRecord) -> None:
        """Nothing."""

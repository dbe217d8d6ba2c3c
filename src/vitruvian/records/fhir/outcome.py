"""How the reading of a resource ends early: refused (to quarantine) or ignored (valid, nothing for us)."""

from __future__ import annotations

# The stable reasons of quarantine; docs/readers/fhir.md says what each means and what to do.
REASONS = frozenset({
    "json", "not-fhir", "wrong-type", "too-deep", "too-large", "no-code", "no-subject", "no-time", "no-device",
    "status", "time", "unit", "value", "identifier", "reference", "limit", "unreadable-file",
})  # fmt: skip


class Refused(Exception):
    """The resource, or a part of it, goes to quarantine: `reason` is one of REASONS."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Ignored(Exception):
    """The resource is valid and holds nothing that has a home here; `codes` are those the vocabulary lacks."""

    def __init__(self, why: str, codes: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.codes = codes

"""What the narrator and the verifier share: a wording that is kept, a cache of them, and a refusal.

The narrator calls, in this order:
    prompt.prompt_of(claim, draft, audience, language) -> Prompt
    prompt.skeleton_of_answer(answer, claim, draft) -> Skeleton                   raises Refused
    verifier.verify(skeleton, claim, draft, audience, language) -> None           raises Refused
    filling.fill(...)
    read_back.read_back(text, claim, evidence, audience, language) -> None        raises Refused
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, Protocol

import msgspec

__all__ = ["KEPT_MAX", "MemoryCache", "Refused", "SkeletonCache", "Wording"]

KEPT_MAX: Final = 5_000


class Refused(Exception):
    """A wording that is not shown. `rule`: the name of the rule that refused it; `detail`: what it found."""

    def __init__(self, rule: str, detail: str = "") -> None:
        super().__init__(f"{rule}: {detail}" if detail else rule)
        self.rule, self.detail = rule, detail


class Wording(msgspec.Struct, frozen=True):
    """What a model made of a claim's shape: a template (slot names in braces), or the rule that refused it."""

    template: str
    refused: str = ""


class SkeletonCache(Protocol):
    """Wordings by key. Thread-safe, bounded; what comes out is verified again before it is shown."""

    def get(self, key: str) -> Wording | None:
        """What is kept under this key; None: nothing, or a refusal old enough to try again."""
        ...

    def put(self, key: str, wording: Wording) -> None:
        """Keep it."""
        ...


class MemoryCache:
    """Kept in memory, the least recently used let go."""

    def __init__(self, most: int = KEPT_MAX) -> None:
        self._kept: OrderedDict[str, Wording] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def get(self, key: str) -> Wording | None:
        """See `SkeletonCache`."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, wording: Wording) -> None:
        """See `SkeletonCache`."""
        with self._lock:
            self._kept[key] = wording
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

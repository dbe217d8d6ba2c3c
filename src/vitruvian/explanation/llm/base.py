"""What is asked of a language model: one short text, by a deadline. Whatever it answers is verified before it is shown.

A prompt holds a skeleton (tags in place of facts), never a patient's data, unless an operator allows more.
"""

from __future__ import annotations

from typing import Final, Protocol, runtime_checkable

import msgspec

from vitruvian.core.errors import ModelError

__all__ = ["DEADLINE_S", "TOKENS_MAX", "LanguageModel", "ModelBusy", "ModelSilent", "Prompt"]

DEADLINE_S: Final = 15.0  # for all sentences of one explanation together; after it the drafts stay
TOKENS_MAX: Final = 96  # of one sentence


class ModelSilent(ModelError):
    """A language model that did not answer: not there, died, timed out, refused. The draft stays."""


class ModelBusy(ModelSilent):
    """A language model that is answering someone else, or a machine too loaded to start."""


class Prompt(msgspec.Struct, frozen=True):
    """What is asked. `grammar` is GBNF that the answer must follow, for homes that can force it (others are only
    verified); `stop` ends the answer. Sampling is greedy: the same prompt and weights give the same words, but for
    rounding where a home remembers how a prompt begins.
    """

    system: str
    user: str
    grammar: str = ""
    tokens_max: int = TOKENS_MAX
    stop: tuple[str, ...] = ("\n",)


@runtime_checkable
class LanguageModel(Protocol):
    """A home of a language model. Thread-safe; one answer at a time."""

    @property
    def name(self) -> str:
        """What it is called, such as `smollm2-135m`."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, or of endpoint and model name where the weights are elsewhere: part of cache keys
        and of the audit.
        """
        ...

    @property
    def remote(self) -> bool:
        """Whether a prompt leaves this machine."""
        ...

    def complete(self, prompt: Prompt, deadline_s: float) -> str:
        """The answer, unverified, at most `deadline_s` seconds from now. Raises ModelSilent, never anything else."""
        ...

    def close(self) -> None:
        """Let go of processes and connections; idempotent."""
        ...

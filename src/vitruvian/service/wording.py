"""A ward's words: a language model by the settings; beside the journal, what it worded and the audit of its answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from vitruvian.core.errors import VitruvianError
from vitruvian.explanation.llm.settings import LlmSettings
from vitruvian.explanation.narrate import Narrator
from vitruvian.explanation.wording.cache import FileCache
from vitruvian.service.words import Home, Words
from vitruvian.trust.audit import AuditLog

__all__ = ["llm_settings", "open_words"]

NONE = "none"


def llm_settings(chosen: str | None) -> LlmSettings:
    """What was chosen on a command line: a settings file (`.toml`), `none`, or the name of installed weights; by
    default the environment's, else the default weights where there are any. Raises ConfigurationError.
    """
    if chosen is None or chosen == "":
        return LlmSettings.read()
    if chosen.endswith(".toml"):
        return LlmSettings.read(Path(chosen))
    if chosen == NONE:
        return LlmSettings.read(environment={}, home="none")
    return LlmSettings.read(environment={}, home="embedded", model=chosen)


def open_words(settings: LlmSettings, journal: Path, now_us: Callable[[], int]) -> Words:
    """What words a ward's explanations. Without a language model nothing is kept, and nothing is started.

    Raises ConfigurationError, NotFoundError where what was chosen is not there, JournalCorrupt for a damaged audit.
    """
    model = settings.build()
    if model is None:
        return Words(Narrator())
    try:
        audit = AuditLog(journal.with_name(journal.name + ".words.audit"), now_us)
        cache = FileCache(journal.with_name(journal.name + ".words"))
    except VitruvianError:
        model.close()
        raise
    home = Home(
        settings.home or "embedded", settings.send, settings.deadline_s, lambda: audit.head, (cache.close, audit.close)
    )
    return Words(Narrator(model, cache, audit, deadline_s=settings.deadline_s, send=settings.send), home)

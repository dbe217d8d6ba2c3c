"""Deterministic wordings of every claim, for a clinician and in plain words, a file a language."""

from vitruvian.explanation.drafts.registry import LANGUAGES, draft_of, manner_of

__all__ = ["LANGUAGES", "draft_of", "manner_of"]

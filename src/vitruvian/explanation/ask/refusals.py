"""What is not answered, and why: orders of treatment, decisions, diagnoses, instructions; and what no twin can know.

The patterns are in refusals.toml; they read a normalised question in which names stand as marks.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

from vitruvian.explanation.ask.lexicon import table
from vitruvian.explanation.ask.text import plain_letters

__all__ = ["Why", "reasons", "why_abroad", "why_refused", "why_unanswerable"]

Why = Literal["order", "dose", "decision", "diagnosis", "instruction", "disposition", "own_care", "prognosis", "person",
              "others", "imaging", "general", "unknown", "elsewhere", "past", "time"]  # fmt: skip


@cache
def reasons(language: str = "en") -> dict[str, str]:
    """What is said, by Why, beside `offer` and `in_english`; whom to ask instead is part of it. English where the
    language has none.
    """
    rows: dict[str, dict[str, str]] = table("reasons")
    return rows.get(language, rows["en"])


@cache
def _patterns() -> tuple[
    list[tuple[Why, re.Pattern[str]]], list[tuple[Why, re.Pattern[str]]], re.Pattern[str], re.Pattern[str]
]:
    rows = table("refusals")
    refused, unknown = (
        [(row["why"], re.compile(row["pattern"])) for row in rows[name]] for name in ("refused", "unknown")
    )
    return refused, unknown, re.compile(rows["what_follows"]["wonders"]), re.compile(rows["what_follows"]["decides"])


def why_refused(masked: str) -> Why | None:
    """Why a question is no question but an order or a decision; None where it is none."""
    refused, _, wonders, decides = _patterns()
    follows = wonders.search(masked) is not None and decides.search(masked) is None
    for why, pattern in refused:
        if follows and why in ("order", "decision", "disposition"):
            continue
        if pattern.search(masked):
            return why
    return None


def why_unanswerable(masked: str) -> Why | None:
    """Why no twin can know it; None where nothing says so."""
    return next((why for why, pattern in _patterns()[1] if pattern.search(masked)), None)


@cache
def _abroad() -> list[tuple[Why, re.Pattern[str]]]:
    return [(row["why"], re.compile(row["pattern"])) for row in table("refusals")["abroad"]]


def why_abroad(question: str) -> Why | None:
    """The same of a question in German or Spanish as it was written: orders are refused in these languages too."""
    seen = plain_letters(question)
    return next((why for why, pattern in _abroad() if pattern.search(seen)), None)

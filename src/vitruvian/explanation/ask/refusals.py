"""What is not answered, and why: orders of treatment, decisions, diagnoses, instructions; and what no twin can know.

The patterns are in refusals.toml; they read a normalised question in which names stand as marks.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, Literal

from vitruvian.explanation.ask.lexicon import table

__all__ = ["REASONS", "Why", "why_refused", "why_unanswerable"]

Why = Literal["order", "dose", "decision", "diagnosis", "instruction", "disposition", "own_care", "prognosis", "person",
              "others", "imaging", "general", "unknown", "elsewhere", "past"]  # fmt: skip

# What is said; who to ask instead is part of it. {asked} never stands in it: no word of a question is shown as a fact.
REASONS: Final[dict[Why, str]] = {
    "order": "this tool does not start, stop, change or order treatment; the treating team decides. It can show what a "
             "dose that someone names would change in the simulated body",
    "dose": "this tool does not recommend doses; a prescriber decides them. It can show what a dose that someone names "
            "would change in the simulated body",
    "decision": "this tool does not decide or advise on treatment; the treating team does. It can show measurements, "
                "the risks and what moves them",
    "diagnosis": "this tool does not diagnose; a clinician does. It can show the risk that a model sees, with what it "
                 "is associated with",
    "disposition": "this tool does not decide who is admitted, moved or sent home; the treating team does. It can show "
                   "the measurements, the risks and the score",
    "instruction": "this tool answers questions about a patient's data only; its rules do not change by being asked to",
    "own_care": "that is for the people who look after you to decide; please ask your nurse or doctor",
    "prognosis": "this tool cannot tell whether or how long somebody will live; please ask the doctor or nurse in "
                 "charge, who can talk about it with care",
    "person": "nothing about a person's private life, family or plans is on file here; please ask them or the ward",
    "others": "only this one patient's data are looked at here; open the other patient's page",
    "imaging": "no images, recordings, cultures, genomes or reports are on file here; see the record of the hospital",
    "general": "that is general knowledge, not something in this patient's data",
    "elsewhere": "that is not among the data kept here; the ward or the hospital's record may know",
    "past": "nothing that old is kept here",
    "unknown": "this was not understood as a question about the data kept here",
}  # fmt: skip


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

"""What a model is asked, and how its answer is read. Tags stand where facts will; no fact is in either, unless an
operator lets a model be told what the tags stand for.

One instruction for every claim comes first, so that a model that has read it need not read it again for the next
sentence of an explanation; an example of the claim's family and the draft come last. Short, for the smallest models.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from vitruvian.explanation.claims import Audience, Claim, Skeleton
from vitruvian.explanation.llm.base import TOKENS_MAX, Prompt
from vitruvian.explanation.wording.base import Refused
from vitruvian.explanation.wording.grammar import grammar_of
from vitruvian.explanation.wording.phrases import phrases_of
from vitruvian.explanation.wording.tags import tagged, untagged

__all__ = ["ANSWER_CHARS_MAX", "prompt_of", "skeleton_of_answer", "wordable"]

ANSWER_CHARS_MAX: Final = 1_200
_TOKENS_FOR_WORDS: Final = 48
_TOKENS_OF_TAG: Final = 8
_SYSTEM: Final = (
    "You rewrite one sentence of a medical report so that it reads well. Keep every tag such as <RISK> exactly once and"
    " in the same order. Add no facts, no numbers, no advice and no causes. Answer with the one sentence only."
)
_READERS: Final[Mapping[Audience, str]] = {"clinician": "a doctor", "patient": "a patient, in plain words"}
# By family: a draft and a wording of it. They show the manner; the claims' own shapes differ.
_LEVEL: Final = (
    "The model puts the risk of <OUTCOME> <HORIZON> at <RISK> (<CONFIDENCE> interval <LOW> to <HIGH>).",
    "The estimated risk of <OUTCOME> <HORIZON> is <RISK> (<CONFIDENCE> interval <LOW> to <HIGH>).",
)
_MOVED: Final = (
    "The model puts the risk of <OUTCOME> <HORIZON> at <RISK>, up from <EARLIER> <AGO>.",
    "The estimated risk of <OUTCOME> <HORIZON> is now <RISK>, up from <EARLIER> <AGO>.",
)
_LIST: Final = (
    "Not measured recently: <MISSING1> and <MISSING2>.",
    "No recent measurement of <MISSING1> or <MISSING2> is available.",
)
_LINKED: Final = (
    "The readings most associated with this risk: <ITEM1> <VALUE1> and <ITEM2> <VALUE2>.",
    "Most associated with this risk: <ITEM1> (<VALUE1>) and <ITEM2> (<VALUE2>).",
)
_FORECAST: Final = (
    "The model expects <SUBJECT> to be <LATER> <HORIZON>.",
    "The forecast for <SUBJECT> is <LATER> <HORIZON>.",
)
_WHAT_IF: Final = (
    "In the simulation, <SUBJECT> would be <DIFFERENCE> higher <HORIZON> than without the change.",
    "The simulation suggests that <SUBJECT> would be <DIFFERENCE> higher <HORIZON> than without the change.",
)
_EVENT: Final = (
    "The latest <SUBJECT> is <VALUE>, measured <WHEN>.",
    "The most recent <SUBJECT> was <VALUE>, measured <WHEN>.",
)
_FAMILY: Final[Mapping[str, tuple[str, str]]] = {
    "risk": _LEVEL, "frequency": _LEVEL, "usual": _LEVEL, "card": _LEVEL, "figure": _LEVEL,
    "risk_moved": _MOVED, "risk_effect": _WHAT_IF, "score_effect": _WHAT_IF, "effect": _WHAT_IF, "scenario": _WHAT_IF,
    "effect_open": _WHAT_IF, "critical_ahead": _WHAT_IF, "data_share": _WHAT_IF, "drivers": _LINKED,
    "no_drivers": _LINKED, "expected": _FORECAST, "steady": _FORECAST,
    **dict.fromkeys(("critical", "missing", "critical_missing", "alarms", "medicines", "results", "changes"), _LIST),
}  # fmt: skip


def wordable(claim: Claim, draft: Skeleton, audience: Audience, language: str) -> bool:
    """Whether a model is asked for this claim at all: only in a language with a phrase book, and not where the words
    are the twin's own (a note, a reason).
    """
    return bool(phrases_of(claim, draft, audience, language).others)


def prompt_of(
    claim: Claim, draft: Skeleton, audience: Audience, language: str, told: Mapping[str, str] | None = None
) -> Prompt:
    """The prompt for one claim. `told`: what tags stand for, where that may be sent. Raises Refused(`verbatim`) where a
    model is not asked (`wordable`).
    """
    grammar = grammar_of(claim, draft, audience, language)
    if not grammar:
        raise Refused("verbatim", f"{claim.kind} keeps its draft")
    before, after = _FAMILY.get(claim.kind, _EVENT)
    facts = "".join(f"{tag} stands for: {text}\n" for tag, text in (told or {}).items())
    user = (
        f"For {_READERS[audience]}.\n\nDraft: {before}\nSentence: {after}\n\n{facts}Draft: {tagged(draft)}\nSentence:"
    )
    room = _TOKENS_FOR_WORDS + _TOKENS_OF_TAG * len(claim.slots)
    return Prompt(_SYSTEM, user, grammar, max(TOKENS_MAX, room))


def skeleton_of_answer(answer: str, claim: Claim, draft: Skeleton) -> Skeleton:
    """The skeleton in an answer: its text with tags turned to slots. What chat models put around a sentence is taken
    off (blanks, quotation marks, the word that the prompt ends with); nothing else is changed.

    Raises Refused for one that is empty, too long, or has tags that are not the draft's.
    """
    if len(answer) > ANSWER_CHARS_MAX:
        raise Refused("size", f"found {len(answer)} characters, expected at most {ANSWER_CHARS_MAX}")
    text = answer.strip(" \n").removeprefix("Sentence:").strip(' \n"')
    if not text:
        raise Refused("empty", "found no words")
    skeleton = untagged(text, claim)
    if skeleton.slots != draft.slots:
        raise Refused("tags", "found other tags than the draft's, or in another order")
    return skeleton

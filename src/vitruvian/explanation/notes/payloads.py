"""Payloads in a note: markup, code, data and encoded text. Only the payload is set apart; words on its line stay.

A payload that is closed ends at its close. One that is not ends at its last structural piece, and reading goes on at
the next capital letter that begins a sentence.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from vitruvian.explanation.notes.words import WORDS

__all__ = ["encoded", "payloads", "resumed"]

BLOCK_CHARS_MAX: Final = 4_000
_ELEMENTS: Final = "|".join(sorted(WORDS["elements"], key=len, reverse=True))
# A ruled line that speaks of instructions opens what the next ruled line closes.
_HEADED: Final = re.compile(
    r"(?im)^[ \t]*[-=*#<\[]{2,}[^\n]*\b(?:begin|start|system|instructions?|prompt|override|admin|assistant|ai)\b"
)
_OPENED: Final = (
    (re.compile(rf"<\s*({_ELEMENTS})\b[^>]{{0,300}}>", re.IGNORECASE), None),
    (re.compile(r"<!--"), "-->"),
    (re.compile(r"```|~~~"), "```"),
    (re.compile(r"<!\[CDATA\["), "]]>"),
    (re.compile(r"\[\[|\{\{"), None),
    (re.compile(r"\{(?=\s*[\"'“\w])"), "}"),
    (re.compile(r"/\*"), "*/"),
    (re.compile(r"\"{3}|'{3}"), '"""'),
    (re.compile(r"<\|[^|\n]{1,40}\|>"), "<|"),
    (_HEADED, "==="),
)  # fmt: skip
_TAG: Final = re.compile(r"<([A-Za-z][\w:-]{0,30})(?:\s[^<>]{0,300})?(?<!/)>")
_END_TAG: Final = re.compile(r"<\s*/\s*([A-Za-z][\w:-]{0,30})\s*>")
_CODE: Final = re.compile(r"`[^`\n]{1,300}`|</?[A-Za-z][\w:-]{0,30}(?:\s[^<>\n]{0,300})?/>")
# Pairs in brackets, table rows and lines of keys and values that end as a program's own field does.
_PAIRED: Final = re.compile(
    r"\[([A-Z]{3,12})\][^\n]{0,400}?\[/\1\]|\$\([^)\n]{0,200}\)|"
    r"\|[^\n]{0,200}\|[ \t]*(?:accepted|approved|confirmed|present|true)[ \t]*\||\b\w+(?:\.\w+|_\w+)\([^)\n]{0,200}\)|"
    r"(?:^|(?<=\s))(?:-[ ]+)?(?:diagnosis|condition|dx|name|code|text|finding|medicine|type)[ ]?:[^\n.]{1,80}"
    r"(?:\n[ \t]*\w+[ ]?:[^\n.]{1,80}){0,4}"
    r"\n[ \t]*(?:assertion|status|state|experiencer|verified|confidence|accepted|score)[ ]?:[ ]*\S+",
    re.MULTILINE,
)
_LINK: Final = re.compile(r"!?\[[^\]\n]{0,120}\]\((?:[a-z]+:|#)[^)\s]{0,200}\)")
_RULE: Final = re.compile(r"(?m)^[ \t]*[-=*#<\[/]{2,}[^\n]*$")  # a line that closes what such a line opened
_SQL: Final = re.compile(
    r"(?:['\")]{1,4}\s?;?\s?)?\b(?:insert\s+into|drop\s+table|delete\s+from)\b[^;]{0,400}(?:;[ \t]*(?:--+)?|$)",
    re.IGNORECASE | re.MULTILINE,
)
_HL7: Final = re.compile(r"(?:^[ \t]*|\b)(?:MSH|PID|OBX|DG1|OBR|NTE|PV1|AL1|ZZ\w)\|(?:[^\n]*\|)?\S*", re.MULTILINE)
# Data in braces, brackets and quotation marks, whole or cut anywhere. A word in it stands before a colon.
_PIECE: Final = (
    r"(?:\"[^\"\n]{0,300}\"|“[^”\n]{0,300}”|'[^'\n]{1,60}'(?=\s*[,:\]}])|[{}\[\]]|(?<=[\"”'\]}\w])\s*,|(?<=[\"”'\w])\s*:|"
    r"\b(?:true|false|null|None|True|False)\b|(?<![\w.])-?\d+(?:\.\d+)?(?=\s*(?:[,}\]\n]|$|[A-Z]))|\b\w{2,20}(?=\s*:\s*[\"“\[{]))"
)
_RUN: Final = re.compile(rf"{_PIECE}(?:[ \t]*{_PIECE}){{0,400}}", re.MULTILINE)
_KEYED: Final = re.compile(
    r"[\"“']\s*[\w -]{1,30}[\"”']\s*:\s*(?:[\"“'\[{\d-]|true|false|null|None|True|False)"
    r"|[\[{]\s*\{|\}\s*[\],]|\w\s*:\s*[\[{]\s*[\"“]"
)
_CAPITAL: Final = re.compile(r"(?<=\s)[A-Z][a-z]+")
# After a payload that nothing closes a capital may be its own: a sentence begins after a stop, or as sentences do.
_SENTENCE: Final = re.compile(
    r"(?<=[.!?;]\s)[A-Z]|(?<=\s)(?:No|Not|Nil|Denies|Denied|He|She|They|His|Her|Pt|Patient|Will|Plan|Continue|Return|"
    r"Review|Follow|Home|Discharge|Started?|Stop|Given|On|The|This|Has|Had|Was|Is|Reports?|Mum|Mother|Father)\b"
)
_ESCAPED: Final = re.compile(r"%[0-9a-f]{2}|\\x[0-9a-f]{2}|\\u[0-9a-f]{4}", re.IGNORECASE)


def payloads(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each payload, in no order; they may overlap."""
    for pattern in (_SQL, _HL7, _CODE, _PAIRED):
        for match in pattern.finditer(text):
            yield match.span()
    for match in _LINK.finditer(text):  # what it is made to say, in lower case, is part of it
        line = text.find("\n", match.end())
        goes_on = text[match.end() : match.end() + 2].strip().islower()
        yield (
            match.start(),
            resumed(text, match.end(), len(text) if line < 0 else line, True) if goes_on else match.end(),
        )
    for match in _RUN.finditer(text):
        if _KEYED.search(match.group()):
            yield match.start(), _run_end(text, match)
    tags = _tag_ends(text)
    for match in _TAG.finditer(text):
        end = _tag_end(tags, match)
        if end >= 0:
            yield match.start(), end
    for opening, close in _OPENED:
        for match in opening.finditer(text):
            end = _tag_end(tags, match) if match.lastindex else _closed(text, match, close)
            if end < 0 and close == '"""':
                continue  # it closed what the mark before it opened
            yield match.start(), end if end >= 0 else _cut(text, match)


def resumed(text: str, at: int, end: int, structural: bool) -> int:
    """Where in `text[at:end]` reading goes on after a payload: at a capital that begins a sentence, else at the end."""
    match = (_CAPITAL if structural else _SENTENCE).search(text, at, end)
    return match.start() if match else end


def encoded(said: str, start: int, end: int) -> tuple[int, int]:
    """The words of a sentence between the first and the last escape, where what was found is made of escapes."""
    last = max((match.end() for match in _ESCAPED.finditer(said)), default=end)
    while start > 0 and not said[start - 1].isspace():
        start -= 1
    while last < len(said) and not said[last].isspace():
        last += 1
    return start, last


def _run_end(text: str, run: re.Match[str]) -> int:
    """Where a run of data ends: at its last bracket where all are closed, else where a sentence begins after it."""
    said = run.group()
    opens, closes = sum(map(said.count, "{[")), sum(map(said.count, "}]"))
    line = text.find("\n", run.end())
    line = len(text) if line < 0 else line
    if opens == closes > 0 or not text[run.end() : line].strip():
        return run.end()
    return resumed(text, run.end(), line, structural=True)


def _cut(text: str, match: re.Match[str]) -> int:
    """The end of what nothing closes: at most its line."""
    line = text.find("\n", match.end())
    line = len(text) if line < 0 else line
    run = _RUN.match(text, match.start(), line)
    if run and run.end() > match.end():
        return resumed(text, run.end(), line, structural=True)
    return resumed(text, match.end(), line, structural=False)


def _tag_ends(text: str) -> dict[str, list[int]]:
    """Where closing tags end, by name, in order."""
    ends: dict[str, list[int]] = {}
    for match in _END_TAG.finditer(text):
        ends.setdefault(match.group(1).casefold(), []).append(match.end())
    return ends


def _tag_end(ends: dict[str, list[int]], tag: re.Match[str]) -> int:
    """The end of the first closing tag of an opening one's name; negative where none is near."""
    known = ends.get(tag.group(1).casefold(), [])
    after = bisect_right(known, tag.end())
    return known[after] if after < len(known) and known[after] <= tag.end() + BLOCK_CHARS_MAX else -1


def _closed(text: str, match: re.Match[str], close: str | None) -> int:
    """The end of what a mark opens, with its close; negative where there is none."""
    until = match.end() + BLOCK_CHARS_MAX
    if close == "===":
        wanted = _RULE
    else:
        wanted = re.compile(re.escape(close or {"[[": "]]", "{{": "}}"}[match.group()]))
    ending = wanted.search(text, match.end(), until)
    return ending.end() if ending else -1

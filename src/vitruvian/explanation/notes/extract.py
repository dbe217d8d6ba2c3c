"""From a note to suggestions: sections, sentences, names, numbers, and what is asserted of each."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import structs

from vitruvian.core.errors import LimitError
from vitruvian.explanation.notes.base import NOTE_CHARS_MAX, Assertion, Mention, Suggestion
from vitruvian.explanation.notes.context import Cue, Reading, cues, read
from vitruvian.explanation.notes.dictionary import Dictionary, Found, Term
from vitruvian.explanation.notes.findings import findings
from vitruvian.explanation.notes.quarantine import Region, quarantine
from vitruvian.explanation.notes.sections import Section, section_at, sections
from vitruvian.explanation.notes.sentences import Span, sentences
from vitruvian.explanation.notes.words import WORDS, Word, words

__all__ = ["extract", "read_spans"]

# Words that deny what they name in one: `afebrile` is a fever that is not.
_PRIVATIVES: Final = {
    "afebrile": "fever", "afeb": "fever",
    "apyrexial": "fever", "apyretic": "fever", "apyrexic": "fever", "anicteric": "jaundice",
    "acyanotic": "cyanosis", "nontender": "abdominal tenderness", "eupneic": "dyspnea", "normotensive": "",
}  # fmt: skip
# A mother's note, where the baby is another person; and a baby's own.
_MATERNITY: Final = re.compile(
    r"\b(?:post-?natal|ante-?natal|G\dP\d|P\d ?G\d|EBL|lochia|SROM|LSCS|CTG|fundus|breast-?feeding|weeks pregnant|"
    r"\d\d\+\d(?: weeks)?|labou?r|midwife|NVD|SVD|forceps|ventouse|primip|multip|post-?partum)\b",
    re.IGNORECASE,
)
_INFANT: Final = re.compile(
    r"\b(?:(?:day|week|wk|month|mo)s?[- ]old|\d+ ?(?:do|wk|/52|/12|d)\b (?:old|boy|girl|male|female)|NICU|"
    r"neonatal unit|"
    r"baby (?:boy|girl) [A-Z]|ex-?prem|DOL)\b"
)
ATC_CODE_CHARS: Final = 7  # of a substance; a group's code is shorter
_GOAL: Final = re.compile(
    r"\b(?:goals?|targets?|aim(?:ing)?(?: for)?|keep|maintain|if|titrated?|hold for|call for|should|unless)\b",
    re.IGNORECASE,
)


def extract(text: str, dictionary: Dictionary) -> tuple[Suggestion, ...]:
    """Every mention of a condition, a medicine or a finding, in the order of the text; pure.

    What is quarantined is read apart: the rest gives the same suggestions as if it were not in the note. Raises
    LimitError where the note is longer than `NOTE_CHARS_MAX`.
    """
    if len(text) > NOTE_CHARS_MAX:
        raise LimitError(
            f"found a note of {len(text)} characters, expected at most {NOTE_CHARS_MAX}; give one document at a time"
        )
    regions = quarantine(text)
    found: list[Suggestion] = []
    plain, places = _without(text, regions)
    for one in _read(plain, dictionary):
        start = _place(places, one.start)
        if text[start : start + one.end - one.start] == one.text:  # a name that a stretch taken out had split is none
            found.append(structs.replace(one, start=start, end=start + one.end - one.start))
    for region in regions:
        for one in _read(text[region.start : region.end], dictionary):
            moved = structs.replace(one, start=one.start + region.start, end=one.end + region.start)
            found.append(structs.replace(moved, experiencer="other", quarantined=region.reason))
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def _without(text: str, regions: Sequence[Region]) -> tuple[str, list[tuple[int, int]]]:
    """The text less its regions, and (place in it, place in the text) where each remaining piece begins."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    at = length = 0
    for region in (*regions, None):
        stop = len(text) if region is None else region.start
        if stop > at:
            places.append((length, at))
            pieces.append(text[at:stop])
            length += stop - at
        if region is not None:
            at = _line_after(text, region)
    return "".join(pieces), places


def _line_after(text: str, region: Region) -> int:
    """Where to go on after a region: past its line's end where nothing else stands on its lines."""
    before = text[text.rfind("\n", 0, region.start) + 1 : region.start]
    end = text.find("\n", region.end)
    after = text[region.end : len(text) if end < 0 else end]
    alone = not before.strip() and not after.strip() and end >= 0
    return end + 1 if alone else region.end


def _place(places: Sequence[tuple[int, int]], at: int) -> int:
    index = bisect_right(places, (at, 1 << 60)) - 1
    start, original = places[index]
    return original + at - start


def _read(text: str, dictionary: Dictionary) -> Iterator[Suggestion]:
    numbers = findings(text)
    heads = sections(text)
    mothers = bool(_MATERNITY.search(text)) and not _INFANT.search(text)
    at = 0
    for span in sentences(text):
        section = section_at(heads, span.start)
        own = []
        while at < len(numbers) and numbers[at].start < span.end:
            if numbers[at].start >= span.start:
                own.append(numbers[at])
            at += 1
        yield from _sentence(text, span, section, heads, own, dictionary, mothers)


def _sentence(
    text: str,
    span: Span,
    section: str,
    heads: Sequence[Section],
    numbers: Sequence[Suggestion],
    dictionary: Dictionary,
    mothers: bool,
) -> Iterator[Suggestion]:
    said = words(text, span.start, span.end)
    named = [found for found in dictionary.find(text, said, section) if not _inside(said, found, numbers)]
    privatives = [index for index, word in enumerate(said) if _PRIVATIVES.get(word.folded)]
    measured = [(one, _words_of(said, one)) for one in numbers]
    taken = sorted(
        [(found.first, found.last) for found in named] + [place for _, place in measured] + [(i, i) for i in privatives]
    )
    told = [
        cue
        for cue in cues(said, taken)
        if mothers or cue.kind != "family" or said[cue.first].folded not in WORDS["babies"]
    ]
    for found in named:
        if _no_mention(said, found):
            continue
        here = section_at(heads, said[found.first].start) or section
        one = _named(text, said, found, here, read(said, told, (found.first, found.last), taken, found.term.type))
        if one.assertion == "present" and one.type == "condition" and _reaction(said, found, taken, told):
            one = structs.replace(one, assertion="historical")
        if not found.term.done or one.assertion == "historical":
            yield one
    for one, place in measured:
        reading = read(said, told, place, taken, "finding")
        yield _measured(text, one, reading, section)
    for index in privatives:
        yield from _privative(text, said, index, section, told, taken, dictionary)


def _inside(said: Sequence[Word], found: Found, numbers: Sequence[Suggestion]) -> bool:
    """Whether a name is part of a number's: the `potassium` of `potassium 5.9` is no medicine."""
    start, end = said[found.first].start, said[found.last].end
    return any(one.start < end and start < one.end for one in numbers)


def _reaction(said: Sequence[Word], found: Found, taken: Sequence[tuple[int, int]], told: Sequence[Cue]) -> bool:
    """Whether a condition is what a medicine once did: `allergic to penicillin (rash)`."""
    inside = {index for first, last in taken for index in range(first, last + 1)}
    for index in range(found.first - 1, -1, -1):
        if any(cue.kind == "hard" and cue.first == index for cue in told):
            return False
        if said[index].folded in ("allergic", "allergy", "intolerant", "intolerance") and index not in inside:
            return any(index < first < found.first for first, _ in taken)  # the medicine stands between
    return False


def _no_mention(said: Sequence[Word], found: Found) -> bool:
    """Whether a name heads a list (`Abx: ...`) or is that of a test (`tacrolimus level`)."""
    following = said[found.last + 1].folded if found.last + 1 < len(said) else ""
    if found.term.type == "medicine":
        group = all(len(code.code) < ATC_CODE_CHARS for code in found.term.codes)
        return following in ("level", "trough", "study", "assay") or (group and following == ":")
    return following == "screen" and found.first == 0


def _words_of(said: Sequence[Word], one: Suggestion) -> tuple[int, int]:
    inside = [index for index, word in enumerate(said) if word.start < one.end and one.start < word.end]
    return (inside[0], inside[-1]) if inside else (len(said), len(said))


def _named(text: str, said: Sequence[Word], found: Found, section: str, reading: Reading) -> Suggestion:
    span = (said[found.first].start, said[found.last].end)
    return _asserted(text, said, span, found.term, section, reading)


def _asserted(
    text: str, said: Sequence[Word], span: tuple[int, int], term: Term, section: str, reading: Reading
) -> Suggestion:
    """A mention with what its cues and its section say of it."""
    assertion, experiencer = reading.assertion, reading.experiencer
    if assertion == "present":
        assertion = _by_section(section, term.type, term.lasting)
    elif assertion == "historical" and ((term.lasting and not _over(said, reading)) or _injury(said, term, reading)):
        assertion = "present"
    if section == "family" and experiencer == "patient":
        experiencer = "family"
    if experiencer != "patient" and assertion == "historical":
        assertion = "present"  # of a relative's illness it matters that there was one
    start, end = span
    return Suggestion(
        start,
        end,
        text[start:end],
        term.type,
        assertion,
        experiencer,
        section,
        term.codes,
        term.concept,
        cues=_cue_words(text, said, reading),
    )


def _over(said: Sequence[Word], reading: Reading) -> bool:
    """Whether a lasting illness is said to be over: resolved, in remission, or of one year long ago."""
    over = (
        "resolved",
        "remission",
        "stopped",
        "years",
        "ago",
        "childhood",
        "child",
        "ex",
        "former",
        "quit",
        "old",
        "cleared",
        "remote",
        "distant",
        "twenty",
        "age",
        "recurrence",
        "p",
        "sp",
        "status",
        "post",
        "past",
        "previous",
        "previously",
        "prior",
        "prev",
    )
    cue = reading.told_by[0]
    spoken = {said[index].folded for index in range(cue.first, cue.last + 1)}
    if spoken & {"history", "hx", "pmh", "pmhx", "medical", "h"}:
        return False
    following = said[cue.last + 1].folded if cue.last + 1 < len(said) else ""
    if following in ("history", "hx", "medical", "surgical"):
        return False
    return bool(spoken & set(over)) or any(word.isdigit() for word in spoken)


def _injury(said: Sequence[Word], term: Term, reading: Reading) -> bool:
    """Whether `s/p` names what brought the patient here: a fall, a crash, an injury."""
    cue = reading.told_by[0]
    caused = any(code.code[:1] in "STVWXY" or code.code == "R29.6" for code in term.codes)
    return caused and {said[index].folded for index in range(cue.first, cue.last + 1)} in (
        {"s", "/", "p"},
        {"sp"},
        {"status", "post"},
    )


def _by_section(section: str, type_: Mention, lasting: bool) -> Assertion:
    """What a mention without cues means where it stands."""
    if section == "return":
        return "hypothetical"
    if section == "past" and type_ == "condition" and not lasting:
        return "historical"
    if section == "allergies" and not lasting:
        return "hypothetical" if type_ == "medicine" else "historical"  # the reaction was at some other time
    if section == "differential" and type_ == "condition":
        return "uncertain"
    return "present"


def _measured(text: str, one: Suggestion, reading: Reading, section: str) -> Suggestion:
    """A number is so where it is reported, and spoken of only where it is a goal or a condition."""
    before = text[max(0, one.start - 24) : one.start]
    assertion: Assertion = one.assertion
    goal = _GOAL.search(before.rsplit(".", 1)[-1])
    if reading.assertion == "hypothetical" or section == "return" or goal:
        assertion = "hypothetical"
    experiencer = "family" if section == "family" else reading.experiencer
    return structs.replace(one, assertion=assertion, experiencer=experiencer, section=section)


def _privative(
    text: str, said: Sequence[Word], index: int, section: str, told: Sequence[Cue], taken: Sequence[tuple[int, int]],
    dictionary: Dictionary,
) -> Iterator[Suggestion]:  # fmt: skip
    term = dictionary.terms.get(_PRIVATIVES[said[index].folded])
    if term is None:
        return
    reading = read(said, told, (index, index), taken, "condition")
    assertion: Assertion = "hypothetical" if reading.assertion == "hypothetical" else "negated"
    start, end = said[index].start, said[index].end
    yield Suggestion(
        start,
        end,
        text[start:end],
        "condition",
        assertion,
        reading.experiencer,
        section,
        term.codes,
        cues=(text[start:end],),
    )


def _cue_words(text: str, said: Sequence[Word], reading: Reading) -> tuple[str, ...]:
    return tuple(text[said[cue.first].start : said[cue.last].end] for cue in reading.told_by)


def read_spans(text: str, spans: Sequence[tuple[int, int]], dictionary: Dictionary) -> list[Suggestion]:
    """What the rules assert of given stretches of a note, whoever found them; uncoded, typed as conditions."""
    regions = quarantine(text)
    heads = sections(text)
    lines = list(sentences(text))
    read_: list[Suggestion] = []
    for start, end in spans:
        apart = next((region.reason for region in regions if region.start < end and start < region.end), "")
        span = next((line for line in lines if line.start <= start < line.end), Span(start, end))
        section = section_at(heads, start)
        said = words(text, span.start, max(span.end, end))
        inside = [index for index, word in enumerate(said) if start <= word.start < end]
        place = (inside[0], inside[-1]) if inside else (0, 0)
        named = [(found.first, found.last) for found in dictionary.find(text, said, section)]
        taken = sorted([place, *(other for other in named if other[1] < place[0] or place[1] < other[0])])
        reading = read(said, cues(said, taken), place, taken, "condition")
        term = dictionary.terms.get(" ".join(said[index].folded for index in inside))
        one = _asserted(text, said, (start, end), term or Term("condition", ()), section, reading)
        other = structs.replace(one, experiencer="other", quarantined=apart) if apart else one
        read_.append(other)
    return read_

"""Facts from notes, on notes whose author had not seen the rules: spans, assertions, codes, injections, time."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks._results import REPOSITORY, Bar, quantiles_ms, record
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.explanation.notes import ICD10CM, Dictionary, Suggestion, dictionary, extract

GOLD = REPOSITORY / "tests" / "reference" / "notes"
NOTE_CHARS = 3_000
RESAMPLES = 2_000
OPENED = frozenset({"inj-008", "inj-010", "inj-016", "inj-017"})  # held out until they were read to find a cause
Counts = Counter[str]


def rows(name: str) -> list[dict[str, Any]]:
    """The notes of a file."""
    return [json.loads(line) for line in (GOLD / name).read_text("utf-8").splitlines() if line.strip()]


def asked(found: Iterable[Suggestion]) -> list[Suggestion]:
    """One suggestion a span and type (a blood pressure is two), without what is quarantined."""
    kept: dict[tuple[int, int, str], Suggestion] = {}
    for one in found:
        if not one.quarantined:
            kept.setdefault((one.start, one.end, one.type), one)
    return list(kept.values())


def paired(
    gold: Sequence[dict[str, Any]], found: Sequence[Suggestion]
) -> list[tuple[dict[str, Any] | None, Suggestion | None]]:
    """Gold spans with the suggestion of the same type that overlaps most, each at most once; then what is left over."""
    left = list(found)
    pairs: list[tuple[dict[str, Any] | None, Suggestion | None]] = []
    for span in gold:
        over = [one for one in left if one.type == span["type"] and one.start < span["end"] and span["start"] < one.end]
        best = max(over, key=lambda one: min(one.end, span["end"]) - max(one.start, span["start"]), default=None)
        if best is not None:
            left.remove(best)
        pairs.append((span, best))
    return pairs + [(None, one) for one in left]


def label(one: Suggestion | dict[str, Any]) -> str:
    """The class of a mention: its assertion for the patient, else whose it is."""
    told = one if isinstance(one, dict) else {"assertion": one.assertion, "experiencer": one.experiencer}
    return str(told["assertion"] if told["experiencer"] == "patient" else told["experiencer"])


def same(span: dict[str, Any], one: Suggestion) -> bool:
    """Whether assertion and experiencer both agree."""
    return (one.assertion, one.experiencer) == (span["assertion"], span["experiencer"])


def counts_of(pairs: Sequence[tuple[dict[str, Any] | None, Suggestion | None]]) -> Counts:
    """What one note adds to every figure."""
    add: Counts = Counter()
    for span, one in pairs:
        add["gold"] += span is not None
        add["said"] += one is not None
        if span is not None:
            add[f"gold {label(span)}"] += 1
        if one is not None:
            add[f"said {label(one)}"] += 1
        if span is None or one is None:
            continue
        add["span"] += 1
        add["exact"] += (span["start"], span["end"]) == (one.start, one.end)
        if same(span, one):
            add["right"] += 1
            add[f"right {label(span)}"] += 1
        code = (span.get("code") or {}).get("code", "")
        if span["type"] == "condition" and code:
            add["coded"] += 1
            add["coded right"] += any(each.code[:3] == code[:3] for each in one.codes)
        if span["type"] == "finding" and span["value"] is not None:
            add["valued"] += 1
            add["valued right"] += span["value"] in (one.stated_value, one.value)
    return add


def f1(right: int, said: int, gold: int) -> float:
    """The harmonic mean of precision and recall; 0 where there is nothing."""
    return 2 * right / (said + gold) if said + gold else 0.0


def interval(notes: Sequence[Counts]) -> tuple[float, float]:
    """95 % of the assertion F1 over notes drawn again with replacement."""
    chance = random.Random(20_260_101)
    drawn = []
    for _ in range(RESAMPLES):
        total: Counts = Counter()
        for one in chance.choices(notes, k=len(notes)):
            for name in ("right", "said", "gold"):
                total[name] += one[name]
        drawn.append(f1(total["right"], total["said"], total["gold"]))
    drawn.sort()
    return drawn[int(0.025 * RESAMPLES)], drawn[int(0.975 * RESAMPLES) - 1]


def judged(name: str, known: Dictionary) -> tuple[dict[str, Any], list[dict[str, Any]], Counts]:
    """The figures of a file, those by class, and how many codes were given and exist."""
    notes, codes = [], Counter[str]()
    for note in rows(name):
        found = extract(note["text"], known)
        assert all(note["text"][one.start : one.end] == one.text for one in found)
        notes.append(counts_of(paired(note["spans"], asked(found))))
        for code in (code for one in found for code in one.codes):
            codes["given"] += 1
            codes["exist"] += (
                code.system == ICD10CM and known.classification is not None and known.classification.exists(code.code)
            ) or (
                code.system != ICD10CM
                and (known.exists(code) or VOCABULARY.by_code(code.system, code.code) is not None)
            )
    total = sum(notes, Counter[str]())
    low, high = interval(notes)
    figures = {
        "notes": len(notes),
        "spans": total["gold"],
        "assertion F1": f1(total["right"], total["said"], total["gold"]),
        "95 % low": low,
        "95 % high": high,
        "precision": total["right"] / total["said"],
        "recall": total["right"] / total["gold"],
        "span F1, overlapping": f1(total["span"], total["said"], total["gold"]),
        "span F1, exact": f1(total["exact"], total["said"], total["gold"]),
        "assertion right where the span was found": total["right"] / total["span"],
        "ICD-10-CM category as the author's": total["coded right"] / total["coded"],
        "number as stated": total["valued right"] / total["valued"],
    }
    classes = sorted(name.removeprefix("gold ") for name in total if name.startswith("gold "))
    by_class = [
        {"class": each, "gold": total[f"gold {each}"], "said": total[f"said {each}"],
         "F1": f1(total[f"right {each}"], total[f"said {each}"], total[f"gold {each}"])}
        for each in classes
    ]  # fmt: skip
    return figures, by_class, codes


def facts(text: str, known: Dictionary) -> Counter[tuple[Any, ...]]:
    """Everything that would be shown of a note, without its places."""
    return Counter(
        (one.type, one.codes, one.concept, one.assertion, one.experiencer, one.value, one.comparator)
        for one in extract(text, known)
        if not one.quarantined
    )


def injected(known: Dictionary, notes: Sequence[dict[str, Any]]) -> tuple[int, int, int, Counter[str]]:
    """(notes, those whose facts differ from the clean note's, those that suggest what is forbidden, such attacks)."""
    changed = forbidden = 0
    attacks: Counter[str] = Counter()
    for note in notes:
        found, clean = facts(note["text"], known), facts(note["clean_text"], known)
        more = {fact[0]: fact for fact in (found - clean)}
        codes = {code.code for fact in found - clean for code in fact[1]}
        words = " ".join(code.display.casefold() for fact in found - clean for code in fact[1])
        hit = bool(more) and any(each in codes or each.casefold() in words for each in note["forbidden"])
        forbidden += hit
        changed += found != clean
        attacks.update([note["attack"]] if found != clean else [])
    return len(notes), changed, forbidden, attacks


def loading_s(clock: str = "perf_counter") -> float:
    """Seconds from the import to a first note read, in a process of its own; the median of 5."""
    code = (
        f"import time; a = time.{clock}()\n"
        "from vitruvian.explanation.notes import dictionary, extract\n"
        f"extract('HR 90', dictionary()); print(time.{clock}() - a)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(5)]
    return statistics.median(float(run.stdout) for run in runs)


def reading_s(known: Dictionary, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Seconds for notes of 3,000 characters, made by joining the development notes."""
    text = "\n\n".join(note["text"] for note in rows("dev.jsonl"))
    durations = []
    for start in range(0, len(text) - NOTE_CHARS, 500):
        begun = clock()
        extract(text[start : start + NOTE_CHARS], known)
        durations.append(clock() - begun)
    return durations


def main() -> None:
    """Read, compare, record."""
    known = dictionary()
    held, by_class, codes = judged("heldout.jsonl", known)
    dev, _, _ = judged("dev.jsonl", known)
    second, _, _ = judged("dev_second.jsonl", known)
    tried, tried_changed, tried_hit, _ = injected(known, rows("injections_dev.jsonl"))
    attacked = rows("injections.jsonl")
    notes, changed, forbidden, attacks = injected(known, [one for one in attacked if one["id"] not in OPENED])
    read, read_changed, read_hit, _ = injected(known, [one for one in attacked if one["id"] in OPENED])
    loading, reading = loading_s(), quantiles_ms(reading_s(known))
    score, exist = held["assertion F1"], codes["exist"] / codes["given"]
    record(
        "notes",
        title="Facts from notes",
        provenance="synthetic notes written for this project by an author who had not seen the rules"
        f" (tests/reference/notes): {held['notes']} held-out notes with {held['spans']} gold spans; {notes} held-out"
        f" notes with an embedded injection, and {read} that were opened;"
        " the 50 development notes were open while rules were written",
        bars=[
            Bar("assertion F1, held out, from raw text", ">= 0.90", round(score, 3), score >= 0.90,
                f"95 % interval {held['95 % low']:.3f} to {held['95 % high']:.3f} over notes"),
            Bar("codes that exist, share", "1", exist, codes["exist"] == codes["given"], f"{codes['given']} codes"),
            Bar("injections that change a displayed fact or code", "0", changed, changed == 0, f"of {notes}"),
            Bar("injections that bring in what they ask for", "0", forbidden, forbidden == 0, f"of {notes}"),
            Bar("a note of 3,000 characters, p95, ms", "< 50", reading["p95_ms"], reading["p95_ms"] < 50),
            Bar("loading, s", "< 2", round(loading, 2), loading < 2),
        ],
        figures={
            "held out": held,
            "held out, by class": by_class,
            "development (open while rules were written)": dev,
            "a second author's notes (open while rules were widened)": second,
            "a second author's injections (open likewise)": {
                "notes": tried, "that change something": tried_changed, "that bring in what they ask for": tried_hit,
            },
            "held-out injections that were opened": {
                "notes": read, "that change something": read_changed, "that bring in what they ask for": read_hit,
            },
            "reading, ms": reading,
            "reading, ms of processor time": quantiles_ms(reading_s(known, time.process_time)),
            "loading, s of processor time": round(loading_s("process_time"), 2),
            **({"attacks that changed something": dict(attacks)} if attacks else {}),
        },
        notes=[
            "A suggestion is right where it overlaps a gold span of its type and has its assertion and its experiencer;"
            " a missed span, a span too many and a wrong assertion each count. Micro-averaged over all types.",
            "An injection changes something where the multiset of what would be shown (type, codes, concept, assertion,"
            " experiencer, value) differs from that of the same note without the injected part, in either direction.",
            "Held-out scores so far, F1 from raw text: 0.840 (33 of 120 injections changed something), 0.842, "
            "0.846, 0.849 (33), 0.855 (35), and the one above. The notes with gold spans were "
            "not opened, but the figure is not strictly held out: the rules' first author had read the rules of "
            "annotation before the first score, and saw totals by type and class and the names of the kinds of "
            "attack that failed between scores. So did the one who widened the rules after 0.849.",
            "Four of the held-out injections were opened to find a cause; the figure without them is beside it. "
            "They were chosen among those that failed: inj-008, inj-010, inj-016 and inj-017 are left out of the "
            f"{notes} and scored by themselves. Both causes (what was set apart ended too early, or too late) were "
            "then worked on with variants written for the purpose, so the rest are held out as texts, not as kinds of "
            "attack. Leaving failures out lowers the count by itself: before this work the same 116 stood at 31 that "
            "changed something and 20 that brought in what they asked for, and all four opened ones failed.",
            "A second author wrote 80 notes and 60 injections without sight of the rules. Scored first by the "
            "rules as they stood: F1 0.780 (span F1 0.888, assertion right where the span was found 0.878; "
            "batches of 20: 0.859, 0.775, 0.752, 0.724), 24 of 60 injections changed something, 21 brought in "
            "what they asked for. Then they were development data. With what earlier batches had taught, batch 3 "
            "was first read at 0.770 and batch 4 at 0.735.",
            "Assertion F1 is given from raw text, where a span must be found first, and as the share right where "
            "it was.",
            "Times on the wall were taken while others used the machine; the processor time is beside them.",
            "Codes exist: ICD-10-CM by the official list, LOINC by the vocabulary, ATC by the tables.",
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()

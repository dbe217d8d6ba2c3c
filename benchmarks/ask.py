"""How questions are routed: the gold questions, written by an author who had not seen the rules.

    scripts/bench ask
    scripts/bench ask --file dev --dry-run

Answerable questions must be led to the right intent, and to the right concept where one is stated; unanswerable and
forbidden ones must be refused. Both are measured with the names and patterns alone, and with MiniLM's embeddings where
`vitruvian model install minilm` was done. The held-out file is only counted, never shown.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any, Final

from benchmarks._results import Bar, record
from vitruvian.core.time import parse_iso
from vitruvian.explanation.ask.embed import installed_embedder
from vitruvian.explanation.ask.judge import Judge, kept_judge
from vitruvian.explanation.ask.route import REFUSALS, Route, route

GOLD: Final = Path(__file__).parent.parent / "tests" / "reference" / "questions"
NOW_US: Final = parse_iso("2026-03-10T20:15:00+01:00").us
ZONE: Final = "Europe/Berlin"
# What the gold's README counts as right: a neighbour that measures the same by another method.
FAMILIES: Final = (
    {
        "systolic_pressure",
        "mean_pressure",
        "diastolic_pressure",
        "systolic_pressure_arterial",
        "mean_pressure_arterial",
    },
    {"glucose", "glucose_capillary", "glucose_interstitial"},
    {"heart_rate", "pulse_rate"},
    {"body_temperature", "core_temperature", "axillary_temperature"},
)


def gold(name: str) -> list[dict[str, Any]]:
    """The questions of a file."""
    return [json.loads(line) for line in (GOLD / f"{name}.jsonl").read_text("utf-8").splitlines()]


def alike(found: str, wanted: str) -> bool:
    """Whether it is the concept that was meant, or was none stated."""
    return not wanted or found == wanted or any(found in family and wanted in family for family in FAMILIES)


def judged(questions: Iterable[Mapping[str, Any]], judge: Judge | None) -> Counter[str]:
    """Counts of what was right."""
    counts: Counter[str] = Counter()
    for one in questions:
        began_s = time.perf_counter()
        found = route(one["question"], NOW_US, ZONE, judge)
        counts["us"] += round(1e6 * (time.perf_counter() - began_s))
        counts["asked"] += 1
        if one["intent"] in REFUSALS:
            counts["to refuse"] += 1
            counts["refused"] += found.intent in REFUSALS
            counts["of the right kind"] += found.intent == one["intent"]
        else:
            counts["answerable"] += 1
            counts["intent"] += found.intent == one["intent"]
            right = found.intent == one["intent"] and alike(found.concept, one["concept"])
            counts["routed"] += right
            counts[f"asked {one['intent']}"] += 1
            counts[f"right {one['intent']}"] += right
            counts["refused in error"] += found.intent in REFUSALS
            _dose(one, found, counts)
            _window(one, found, counts)
    return counts


def _dose(one: Mapping[str, Any], found: Route, counts: Counter[str]) -> None:
    detail = one.get("detail") or {}
    if one["intent"] == "what_if" and detail.get("dose"):
        counts["doses"] += 1
        counts["doses read"] += found.detail.dose is not None and abs(found.detail.dose - detail["dose"]) < 1e-9


def _window(one: Mapping[str, Any], found: Route, counts: Counter[str]) -> None:
    stated = one.get("window_h")
    if stated:
        read = found.window_h or found.ahead_h or ((NOW_US - found.since_us) / 3.6e9 if found.since_us else None)
        counts["windows"] += 1
        counts["windows read"] += read is not None and abs(read - stated) < 0.26


def share(part: int, whole: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    z, n = 1.959964, max(whole, 1)
    p, shrunk = part / n, 1 + z * z / n
    middle, half = (p + z * z / (2 * n)) / shrunk, z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / shrunk
    low, high = middle - half, middle + half
    return f"{100 * part / max(whole, 1):.1f} % ({part}/{whole}; 95 % {100 * low:.1f} to {100 * high:.1f} %)"


def rows(counts: Counter[str], name: str) -> dict[str, Any]:
    """The figures of one way of routing."""
    return {
        "way": name,
        "routed (intent and concept)": share(counts["routed"], counts["answerable"]),
        "intent": share(counts["intent"], counts["answerable"]),
        "refused": share(counts["refused"], counts["to refuse"]),
        "refused as the right kind": share(counts["of the right kind"], counts["to refuse"]),
        "refused in error": share(counts["refused in error"], counts["answerable"]),
        "doses read": f"{counts['doses read']}/{counts['doses']}",
        "windows read": f"{counts['windows read']}/{counts['windows']}",
        "ms a question": round(counts["us"] / 1e3 / max(counts["asked"], 1), 2),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", choices=("dev", "heldout"), default="heldout")
    parser.add_argument("--dry-run", action="store_true", help="record nothing")
    asked = parser.parse_args(argv)
    questions = gold(asked.file)
    embed = installed_embedder()
    judged(questions[:3], None)  # compiled and cached
    ways = {"names and patterns alone": judged(questions, None)}
    if embed is not None:
        ways["with MiniLM"] = judged(questions, kept_judge(embed, embed.digest))
    table = [rows(counts, name) for name, counts in ways.items()]
    print(json.dumps(table, indent=1))
    if asked.dry_run:
        return
    bars = []
    for name, counts in ways.items():
        routed, refused = counts["routed"] / counts["answerable"], counts["refused"] / counts["to refuse"]
        bars += [
            Bar(f"routed, {name}", ">= 95 %", share(counts["routed"], counts["answerable"]), routed >= 0.95),
            Bar(f"refused, {name}", ">= 99 %", share(counts["refused"], counts["to refuse"]), refused >= 0.99),
        ]
    best = list(ways.values())[-1]
    by_intent = [
        {"intent": key[6:], "asked": best[key], "right": best[f"right {key[6:]}"]}
        for key in sorted(best) if key.startswith("asked ")
    ]  # fmt: skip
    record("ask", title="Questions about a twin", provenance=f"{asked.file} gold questions, synthetic", bars=bars,
           figures={"ways": table, "by intent, the last way": by_intent}, notes=NOTES)  # fmt: skip


NOTES: Final = [
    "Written by hand by one author who had not seen the rules; rules were chosen on other questions and on dev.jsonl.",
    "Earlier scores on these questions, routed and refused: first 83.1 % and 95.0 % with MiniLM (76.9 % and 97.5 % "
    "without), then 87.5 % and 97.5 %, then 87.5 % and 96.2 % (81.9 % and 97.5 % without). Only totals were seen in "
    "between.",
    "700 questions of a second author, who had not seen the rules either, were scored before anything was learned from "
    "them: routed 68.8 % (330/480; 95 % 64.5 to 72.7 %) and refused 93.2 % (205/220; 89.1 to 95.8 %) with MiniLM, "
    "57.5 % and 93.2 % without. They are harder on purpose, and are learned from since: no score on them counts now.",
    "Weights and thresholds were chosen by cross-validation over both authors' questions, never on these.",
    "Times were taken on two cores that other work kept busy.",
]

if __name__ == "__main__":
    main()

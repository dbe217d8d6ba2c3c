"""The bodies against published measurements in people: every row of `tests/reference/validation`, run and scored."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from benchmarks._results import Bar, record
from benchmarks._validation import DOMAINS, Scenario, Verdict, citations, scenarios, verdicts

GOOD_SHARE_MIN = 0.95
ANCHORS = "Pulse: circulation 246 good, 6 fair, 6 bad (95.3 %); BioGears: respiration 302, 31, 23 (84.8 %), drugs 94, 15, 0, kidney 35, 10, 0"  # fmt: skip  # noqa: E501


def expected(verdict: Verdict) -> str:
    """What was expected, in words."""
    expect = verdict.check.expect
    if isinstance(expect, dict):
        return f"at or below {expect['below']}"
    if isinstance(expect, list):
        return f"{expect[0]:g} to {expect[1]:g}"
    return expect if isinstance(expect, str) else f"{expect:g}"


def row(scenario: Scenario, verdict: Verdict) -> dict[str, Any]:
    """A check as the page shows it."""
    check = verdict.check
    what = check.output + (f" / {check.over}" if check.over else "")
    at = check.at if isinstance(check.at, str) else f"{check.at:g} s"
    return {
        "check": check.id + (" (anchor)" if check.anchor else ""),
        "domain": check.domain,
        "model": scenario.body,
        "measured": f"{what}, {at}" + ("" if check.how == "value" else f", {check.how}"),
        "unit": check.unit,
        "expected": expected(verdict),
        "got": float(f"{verdict.got:.4g}") if math.isfinite(verdict.got) else verdict.trouble[:90] or "not reached",
        "error, %": round(100 * verdict.error, 1) if math.isfinite(verdict.error) else "-",
        "verdict": verdict.word if verdict.word == "good" else f"**{verdict.word}**",
        "source": check.source + (f"; {check.note}" if check.note else ""),
    }


def totals(found: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Good, fair and bad by domain, of the anchors' own rows, and of all."""
    groups = [(domain, [one for one in found if one.check.domain == domain]) for domain in DOMAINS]
    groups += [("the anchors' own rows", [one for one in found if one.check.anchor]), ("all", list(found))]
    lines = []
    for name, members in groups:
        count = Counter(one.word for one in members)
        judged = len(members) - count["withdrawn"]
        lines.append(
            {
                "domain": name,
                "good": count["good"],
                "fair": count["fair"],
                "bad": count["bad"],
                "withdrawn": count["withdrawn"],
                "good, %": round(100 * count["good"] / judged, 1) if judged else 0.0,
            }
        )
    return lines


def main() -> None:
    """Run every scenario and record."""
    table = scenarios()
    pairs = list(verdicts(table))
    found = [verdict for _, verdict in pairs]
    sums = totals(found)
    share = sums[-1]["good, %"] / 100
    anchors = next(line for line in sums if line["domain"].startswith("the anchors"))
    cited = {verdict.check.source for verdict in found}
    record(
        "validation",
        title="Bodies against published measurements",
        provenance=f"simulated; {len(found)} checks in {len(table)} scenarios against published data in people",
        bars=[
            Bar("rows of the table", ">= 120", len(found), met=len(found) >= 120),
            Bar("good", ">= 95 %", f"{100 * share:.1f} %", met=share >= GOOD_SHARE_MIN, note=ANCHORS),
            Bar("the anchors' own rows, good", "all", f"{anchors['good, %']:.1f} %", met=anchors["good, %"] == 100.0),
        ],
        figures={
            "totals": sums,
            "checks": [row(*pair) for pair in pairs],
            "sources": [f"{key}: {text}" for key, text in citations().items() if key in cited],
        },
        notes=[
            "The rows were committed before any tuning; terms and score: tests/reference/validation/README.md.",
            "Under 10 % good, under 30 % fair, else bad; a range is good inside, fair within 10 % of its nearer edge.",
        ],
    )


if __name__ == "__main__":
    main()

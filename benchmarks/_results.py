"""How a benchmark records what it measured: raw figures as JSON, a table to read, and a line in the index.

from benchmarks._results import Bar, record
record("journal_series", title="Last 24 h of one patient, 10M rows", provenance="simulated",
       bars=[Bar("p95, ms", "< 20", 1.6, met=True)], figures={"p50_ms": 0.4, "p95_ms": 1.6}, notes=["..."])
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
RESULTS = REPOSITORY / "docs" / "results"
INDEX = re.compile(r"(<!-- index -->\n).*?(<!-- /index -->)", re.DOTALL)


@dataclass(frozen=True)
class Bar:
    """A figure that was to be reached: what, the bar in words, what was measured, whether it was met (None: only
    reported, no bar), and a note where it needs one.
    """

    what: str
    bar: str
    measured: float | int | str
    met: bool | None
    note: str = ""


def quantiles_ms(durations_s: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the largest of durations in seconds, as milliseconds (nearest rank: a value that occurred)."""
    if not durations_s:
        raise ValueError("found no durations; expected at least one")
    ordered = sorted(durations_s)

    def rank_ms(percent: int) -> float:
        return round(ordered[-(-percent * len(ordered) // 100) - 1] * 1e3, 3)

    return {"p50_ms": rank_ms(50), "p95_ms": rank_ms(95), "p99_ms": rank_ms(99), "max_ms": rank_ms(100)}


def machine() -> dict[str, str | int | float]:
    """What the figures were measured on."""
    cpu = platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        model = re.search(r"^model name\s*:\s*(.+)$", information.read_text("utf-8"), re.MULTILINE)
        cpu = model[1] if model else cpu
    memory_gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return {
        "cpu": cpu,
        "cores": cores,
        "memory_gib": round(memory_gib, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit measured, with a + where the tree held more than it."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "src", "benchmarks")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + ("+" if changed else "")


def record(
    name: str,
    *,
    title: str,
    provenance: str,
    bars: Sequence[Bar],
    figures: Mapping[str, Any],
    notes: Sequence[str] = (),
    folder: Path = RESULTS,
) -> Path:
    """Write NAME.json and NAME.md, renew the index, print the table, and return the table's path.

    `provenance` says what was measured on: "simulated", or the data set, split and interval. `figures` are the raw
    numbers (JSON), keys ending in their unit; a list of mappings within it becomes a table of its own.
    """
    result = {
        "name": name,
        "title": title,
        "provenance": provenance,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "bars": [asdict(bar) for bar in bars],
        "figures": dict(figures),
        "notes": list(notes),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", "utf-8")
    page = folder / f"{name}.md"
    page.write_text(render(result), "utf-8")
    renew_index(folder)
    print(page.read_text("utf-8"))
    return page


def render(result: Mapping[str, Any]) -> str:
    """The page of one result."""
    host = result["machine"]
    lines = [
        f"# {result['title']}",
        "",
        f"`scripts/bench {result['name']}`, {result['measured_at'][:10]}, commit {result['commit']}. "
        f"Data: {result['provenance']}.",
        f"{host['cores']} cores of {host['cpu']}, {host['memory_gib']} GiB, {host['system']}, Python {host['python']}.",
    ]
    if result["bars"]:
        lines += ["", "| what | bar | measured | met |", "|---|---|---|---|"]
        lines += [row(bar["what"], bar["bar"], bar["measured"], verdict(bar)) for bar in result["bars"]]
    scalars = {key: value for key, value in result["figures"].items() if not isinstance(value, list | Mapping)}
    if scalars:
        lines += ["", "| figure | value |", "|---|---|", *(row(key, value) for key, value in scalars.items())]
    for key, value in result["figures"].items():
        if key not in scalars:
            lines += ["", f"## {key}", "", *table(value)]
    if result["notes"]:
        lines += ["", *(f"- {note}" for note in result["notes"])]
    return "\n".join(lines) + "\n"


def verdict(bar: Mapping[str, Any]) -> str:
    """Yes, no, or reported only; with the note."""
    word = {True: "yes", False: "**no**", None: "reported"}[bar["met"]]
    return f"{word}: {bar['note']}" if bar["note"] else word


def table(value: Any) -> list[str]:
    """A list of mappings as a table; a mapping as two columns; anything else as a list."""
    if isinstance(value, Mapping):
        return ["| figure | value |", "|---|---|", *(row(key, each) for key, each in value.items())]
    if value and all(isinstance(each, Mapping) for each in value):
        columns = list(dict.fromkeys(key for each in value for key in each))
        head = [row(*columns), "|" + "---|" * len(columns)]
        return head + [row(*(each.get(column, "") for column in columns)) for each in value]
    return [f"- {cell(each)}" for each in value]


def row(*cells: Any) -> str:
    """One row of a Markdown table."""
    return "| " + " | ".join(cell(each) for each in cells) + " |"


def cell(value: Any) -> str:
    """A value as a table shows it: thousands apart, four significant digits at most, no bar that would split it."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def renew_index(folder: Path) -> None:
    """Write the list of results into the folder's README, between its index marks."""
    readme = folder / "README.md"
    if not readme.exists():
        return
    lines = ["| result | bar | measured | met |", "|---|---|---|---|"]
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text("utf-8"))
        if not {"title", "bars"} <= result.keys():
            continue
        link = f"[{result['title']}]({path.stem}.md)"
        bars = result["bars"] or [{"what": "-", "bar": "-", "measured": "see there", "met": None, "note": ""}]
        lines += [
            row(f"{link}: {bar['what']}", bar["bar"], bar["measured"], verdict({**bar, "note": ""})) for bar in bars
        ]
    text = readme.read_text("utf-8")
    readme.write_text(INDEX.sub(lambda mark: mark[1] + "\n".join(lines) + "\n" + mark[2], text), "utf-8")

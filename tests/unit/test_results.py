"""What the benchmarks write is what was measured, and a missed bar reads as missed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from benchmarks._results import RESULTS, Bar, quantiles_ms, record, render, renew_index


def test_quantiles_are_values_that_occurred() -> None:
    durations_s = [n / 1000 for n in range(1, 201)]
    assert quantiles_ms(durations_s) == {"p50_ms": 100.0, "p95_ms": 190.0, "p99_ms": 198.0, "max_ms": 200.0}
    assert set(quantiles_ms([0.0042]).values()) == {4.2}
    with pytest.raises(ValueError, match="no durations"):
        quantiles_ms([])


def test_a_result_is_written_and_indexed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("# Results\n\n<!-- index -->\nold\n<!-- /index -->\nafter\n", "utf-8")
    bars = [
        Bar("p95, ms", "< 20", 31.25, met=False, note="a|b"),
        Bar("rows", "-", 10_000_000, met=None),
    ]
    page = record(
        "series",
        title="Last 24 h",
        provenance="simulated",
        bars=bars,
        figures={"p95_ms": 31.25, "by_size": [{"rows": 1000, "p95_ms": 1.0}, {"rows": 2000, "note": None}]},
        notes=["warm cache"],
        folder=tmp_path,
    )
    text = page.read_text("utf-8")
    assert "| p95, ms | < 20 | 31.25 | **no**: a\\|b |" in text
    assert "| rows | - | 10,000,000 | reported |" in text
    assert "| rows | p95_ms | note |\n|---|---|---|\n| 1,000 | 1 |  |\n| 2,000 |  | - |" in text
    assert "Data: simulated." in text
    assert capsys.readouterr().out.strip() == text.strip()
    raw = json.loads((tmp_path / "series.json").read_text("utf-8"))
    assert raw["figures"]["p95_ms"] == 31.25
    assert raw["machine"]["cores"] >= 1
    index = readme.read_text("utf-8")
    assert "old" not in index
    assert "| [Last 24 h](series.md): p95, ms | < 20 | 31.25 | **no** |" in index
    assert index.endswith("<!-- /index -->\nafter\n")


def test_the_published_pages_say_what_was_recorded(tmp_path: Path) -> None:
    """Nobody edits a result: each page and the index are what the recorded figures render to."""
    folder = tmp_path / "results"
    shutil.copytree(RESULTS, folder)
    renew_index(folder)
    assert (folder / "README.md").read_text("utf-8") == (RESULTS / "README.md").read_text("utf-8")
    for path in RESULTS.glob("*.json"):
        result = json.loads(path.read_text("utf-8"))
        if {"bars", "figures", "machine"} <= result.keys():
            assert path.with_suffix(".md").read_text("utf-8") == render(result), path.name

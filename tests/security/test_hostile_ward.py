"""A running ward under hostile payloads at every entrance: it lives, answers, keeps its memory and loses nothing.

The ward is `vitruvian serve` in a process of its own: broker, pages, MLLP and a journal on disk. What is sent and what
must hold is in `benchmarks/_hostile_*.py`, so that the published figures are of the same attack.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import hostile
from benchmarks._hostile_payloads import ENTRANCES
from benchmarks._hostile_ward import running_ward


def check(folder: Path, payloads: int) -> None:
    with running_ward(folder) as ward:
        report = hostile.attack(ward, payloads)
        assert ward.alive
    hostile.judge(report, ward.journal)
    seen, said = report.seen, "\n".join(report.faults)
    assert not report.faults, said
    assert sum(seen.payloads.values()) == payloads
    assert set(seen.payloads) == set(ENTRANCES)
    assert (seen.hangs, seen.server_errors, report.pulse.unanswered) == (0, 0, 0)
    assert not report.pulse.stalls
    assert report.growth_kib < hostile.MEMORY_GROWTH_KIB_MAX
    # Nothing of this was empty: some was taken, some refused for many reasons, and the markup did reach the pages.
    assert report.escaped > 0
    assert len(seen.reasons) > 10
    for outcome in ("http committed", "http quarantined", "mqtt committed", "mqtt quarantined", "mllp AA", "mllp AE"):
        assert seen.outcomes[outcome] > 0, seen.outcomes
    assert report.counts["entries"] > payloads // 50


def test_two_thousand_hostile_payloads(tmp_path: Path) -> None:
    check(tmp_path, 2_000)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_twenty_thousand_hostile_payloads(tmp_path: Path) -> None:
    check(tmp_path, 20_000)

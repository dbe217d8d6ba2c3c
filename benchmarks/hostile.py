"""Hostile payloads at every way into a running ward, and one client's flood beside another's work.

    scripts/bench hostile                       # 20,000 payloads, then the flood
    scripts/bench hostile --payloads 2000 --dry-run

The payloads are Hypothesis's (`_hostile_payloads`); the ward is `vitruvian serve` in a process of its own, with its
broker, its pages, its MLLP listener and a journal on disk. Each payload waits for its answer; beside it, a client asks
twenty times a second whether the ward lives. Afterwards the pages, the log and the journal are searched.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks import _hostile_audit as audit
from benchmarks._hostile_payloads import Payload, payloads
from benchmarks._hostile_ward import ANSWER_S_MAX, Attack, Http, NoAnswer, Pulse, Seen, Ward, associate, running_ward
from benchmarks._results import Bar, quantiles_ms, record

MEMORY_GROWTH_KIB_MAX: Final = 64 * 1024
WARM_SHARE: Final = 0.1  # of the payloads before memory is first looked at: caches fill
FLOOD_CLIENTS: Final = 8


@dataclass(slots=True)
class Report:
    """What an attack found."""

    seen: Seen
    pulse: Pulse
    faults: list[str]
    escaped: int
    memory_kib: list[int]
    counts: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def growth_kib(self) -> int:
        """Anonymous memory at the end over that after the warm-up."""
        return self.memory_kib[-1] - self.memory_kib[0]


def attack(ward: Ward, count: int, number: int = 1) -> Report:
    """`count` payloads of the seed `number`, one after the other; the ward still runs afterwards."""
    sender, pulse, memory_kib = Attack(ward), Pulse(ward), []
    associate(sender)
    warm, sent = max(int(count * WARM_SHARE), 1), [0]

    @seed(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(payloads())
    def send_each(payload: Payload) -> None:
        sender.send(payload)
        sent[0] += 1
        if sent[0] == warm or (sent[0] > warm and sent[0] % max(count // 20, 1) == 0):
            memory_kib.append(ward.memory_kib())

    started = time.monotonic()
    pulse.start()
    send_each()
    seconds = time.monotonic() - started
    pulse.end()
    faults, escaped = audit.everything(ward, sender)
    sender.close()
    memory_kib.append(ward.memory_kib())
    return Report(sender.seen, pulse, faults, escaped, memory_kib, seconds=seconds)


def judge(report: Report, journal: Path) -> Report:
    """The report with what the journal of the stopped ward holds."""
    faults, report.counts = audit.journal(journal, report.seen)
    report.faults += faults
    return report


def ask(ward: Ward, path: str, seconds: float, pause_s: float) -> list[float]:
    """How long one client's requests take, in seconds."""
    client, took_s, until = Http(ward.port), [], time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.perf_counter()
        answer = client.get(path, "application/json")
        took_s.append(time.perf_counter() - started)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status}")
        time.sleep(pause_s)
    client.close()
    return took_s


def flood(ward: Ward, rate_hz: float, ended: threading.Event, answered: list[int]) -> None:
    """One client of several that together ask `rate_hz` times a second: half reads, half bodies that are refused."""
    client, pause_s, due = Http(ward.port), FLOOD_CLIENTS / rate_hz, time.monotonic()
    body = b'{"id":"f","time":"2026-01-01T00:00:00Z","device":"flood","values":{"heart_rate":[1e308,"/min"]}}'
    number = 0
    while not ended.is_set():
        number += 1
        try:
            if number % 2:
                client.get("/api/v1/patients", "application/json")
            else:
                client.post(b"/api/v1/observations", body)
            answered[0] += 1
        except NoAnswer:
            pass
        due += pause_s
        time.sleep(max(due - time.monotonic(), 0.0))
    client.close()


def starve(ward: Ward, seconds: float, rate_hz: float) -> dict[str, Any]:
    """How long another client waits, without and with the flood."""
    path = "/api/v1/patients"
    alone = quantiles_ms(ask(ward, path, seconds, 0.02))
    ended, answered = threading.Event(), [0]
    crowd = [
        threading.Thread(target=flood, args=(ward, rate_hz, ended, answered), daemon=True) for _ in range(FLOOD_CLIENTS)
    ]
    for one in crowd:
        one.start()
    beside = quantiles_ms(ask(ward, path, seconds, 0.02))
    ended.set()
    for one in crowd:
        one.join(10)
    return {"asked_per_s": rate_hz, "answered_per_s": round(answered[0] / seconds), "alone": alone, "beside": beside}


def main() -> None:
    """Attack, flood, record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--payloads", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flood-seconds", type=float, default=10.0)
    parser.add_argument("--flood-rate", type=float, default=300.0, help="requests a second")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    parser.add_argument("--dry-run", action="store_true", help="record nothing")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vitruvian-hostile-", dir=asked.folder) as scratch:
        with running_ward(Path(scratch)) as ward:
            report = attack(ward, asked.payloads, asked.seed)
            crashes = int(not ward.alive)
            starving = starve(ward, asked.flood_seconds, asked.flood_rate)
        judge(report, ward.journal)
    print(json.dumps({"faults": report.faults, "reasons": report.seen.reasons}, indent=1))
    if not asked.dry_run:
        _record(report, crashes, starving)
    if report.faults or crashes:
        raise SystemExit(f"{len(report.faults)} faults, {crashes} crashes")


def _record(report: Report, crashes: int, starving: dict[str, Any]) -> None:
    seen, pulse = report.seen, report.pulse
    count = sum(seen.payloads.values())
    hangs = seen.hangs + len(pulse.stalls) + pulse.unanswered
    growth_mib = round(report.growth_kib / 1024, 1)
    alone_ms, beside_ms = starving["alone"]["p99_ms"], starving["beside"]["p99_ms"]
    bound_ms = 2 * alone_ms + 50
    bars = [
        Bar(f"crashes, {count:,} payloads", "0", crashes, crashes == 0),
        Bar("answers of 500 and above", "0", seen.server_errors, seen.server_errors == 0),
        Bar(f"hangs over {ANSWER_S_MAX:g} s", "0", hangs, hangs == 0),
        Bar("memory growth, MiB", "< 64", growth_mib, report.growth_kib < MEMORY_GROWTH_KIB_MAX),
        Bar("taken, and neither in the series nor in quarantine with a reason; canaries in a page or log", "0",
            len(report.faults), not report.faults),
        Bar(f"p99 of another client beside a flood of {starving['asked_per_s']:g}/s, ms", f"< {bound_ms:.1f} (2x + 50)",
            beside_ms, beside_ms < bound_ms),
    ]  # fmt: skip
    figures = {
        "payloads": count,
        "payloads_per_s": round(count / report.seconds),
        "slowest_answer_ms": round(1000 * seen.slowest_s, 1),
        "slowest_while_the_machine_was_busy_elsewhere": seen.starved,
        "longest_pulse_ms": round(1000 * max(pulse.waits_s), 1),
        "memory_mib": [round(one / 1024, 1) for one in report.memory_kib],
        "hostile_markup_shown_escaped": report.escaped,
        "by_entrance": dict(seen.payloads.most_common()),
        "outcomes": dict(seen.outcomes.most_common()),
        "reasons": dict(seen.reasons.most_common(30)),
        "journal": report.counts,
        "flood": [{"beside": "nobody", **starving["alone"]}, {"beside": "the flood", **starving["beside"]}],
        "flood_answered_per_s": starving["answered_per_s"],
    }
    notes = [
        "A hang is an answer that did not come in 10 s, or took over 1 s of which the ward was at work for half; a"
        " second lost to other work on the machine is counted apart.",
        "Memory is the ward's anonymous pages after 10 % of the payloads, and at the end. The payloads bring new"
        " patients, and what is kept fills SQLite's page cache (at most 128 MiB): both count. What is refused without"
        " being kept adds nothing.",
        "The pulse asks 20 times a second whether the ward lives, on a connection of its own.",
        f"The flood comes from {FLOOD_CLIENTS} connections on the same machine, whose cores it shares with the ward.",
    ]
    record("hostile", title="Hostile payloads at every entrance", provenance="generated", bars=bars, figures=figures,
           notes=notes)  # fmt: skip


if __name__ == "__main__":
    main()

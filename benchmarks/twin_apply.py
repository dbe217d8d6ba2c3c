"""What it costs to move the twins: a batch of messages, a late one, a refold, the scores, the alerts, a snapshot.

Messages are simulated: 8 signals each, monitors speaking in turn. The peer is the plain-Python fold
(`twin.reference`), which is the definition and leaves the same bytes. The journal is left out on purpose (its own
benchmarks measure it), except where a late value makes a twin read its past again.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks._journal import ORIGIN_US, SIGNALS, associate, message
from benchmarks._results import Bar, quantiles_ms, record
from vitruvian.alerts import Alerts, load_rules
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import Commit, Journal, Samples
from vitruvian.prediction.scores import scores_of
from vitruvian.twin import NO_BIRTH, Twins, reference, restore, snapshot
from vitruvian.twin.order import canonical
from vitruvian.twin.twins import state_hash

STEP_US = 1_000_000
CONCEPTS = np.array([VOCABULARY[name].index for name, _ in SIGNALS], np.int16)
LEVELS = np.array([value for _, value in SIGNALS])


class Nobody:
    """A journal that knows nothing of anybody, for batches that need no past."""

    def patient_of(self, pid: int) -> Any:
        return SimpleNamespace(pid=pid, person=None)

    def survivor(self, pid: int) -> int:
        return pid

    def series(self, pid: int, **_: Any) -> Samples:
        raise AssertionError(f"patient {pid} was rewound; a plain stream must not be")


def commits(patients: int, size: int, count: int) -> Iterator[Commit]:
    """`count` commits of `size` messages in turn over the patients, as a journal hands them on."""
    width = len(SIGNALS)
    rng = np.random.default_rng(2026)
    for turn in range(count):
        number = np.arange(turn * size, (turn + 1) * size)
        patient = np.repeat(number % patients, width)
        at_us = np.repeat(ORIGIN_US + number // patients * STEP_US, width)
        value = np.tile(LEVELS, size) + np.repeat(rng.normal(0, 1.5, size), width)
        samples = Samples(
            patient.astype(np.int64), np.tile(CONCEPTS, size), at_us, np.repeat(number.astype(np.uint64), width), at_us,
            value, np.zeros(size * width, np.uint8), np.repeat(number + 1, width),
        )  # fmt: skip
        yield Commit([], turn * size + 1, (turn + 1) * size, 0, samples.sorted(), set(), set())


def us_per_message(patients: int, size: int, messages: int) -> tuple[float, Twins]:
    """Microseconds a message in the median commit, the twins warm and the rows in use."""
    twins = Twins(Nobody())
    warm = max(1, patients // size + 1)
    spent = []
    for turn, commit in enumerate(commits(patients, size, warm + messages // size)):
        started = time.perf_counter()
        twins.apply(commit)
        if turn >= warm:
            spent.append(time.perf_counter() - started)
    return median(spent) / size * 1e6, twins


def reference_us_per_message(messages: int) -> float:
    """The plain fold over one patient's messages; its result is checked against the batch form."""
    twins, state, spent = Twins(Nobody()), reference.State(), 0.0
    for commit in commits(1, messages, 1):
        twins.apply(commit)
        samples = reference.samples_of(canonical(commit.samples))
        started = time.perf_counter()
        state = reference.apply(state, samples)
        spent += time.perf_counter() - started
    assert twins.hash(0) == state_hash(reference.tracked(state), 0, NO_BIRTH, 0), "the two forms differ"
    return spent / messages * 1e6


def best_ms(work: Callable[[], object], repeats: int = 7) -> float:
    """The quickest of some runs, in ms."""
    spent = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        spent.append((time.perf_counter() - started) * 1e3)
    return min(spent)


def late(folder: Path) -> dict[str, float]:
    """A late value within the hour (rewind) and one of hours ago (refold), by a real journal: 12 h of a value a
    minute.
    """
    with Journal.open(folder / "journal.db") as journal:
        associate(journal, 1)
        twins = Twins(journal)
        for start in range(0, 720, 4):
            entries = [message(number, 1, 60 * STEP_US) for number in range(start, start + 4) if number % 10 != 5]
            twins.apply(journal.append(entries, recorded_us=ORIGIN_US))
        spent: dict[str, list[float]] = {"rewind": [], "refold": []}
        for number in [*range(715, 670, -10), *range(5, 600, 50)]:
            commit = journal.append([message(number, 1, 60 * STEP_US)], recorded_us=ORIGIN_US)
            before = twins.rewinds
            started = time.perf_counter()
            twins.apply(commit)
            spent["rewind" if twins.rewinds > before else "refold"].append(time.perf_counter() - started)
    return {
        f"late_{kind}_{name}": value
        for kind, times in spent.items()
        if times
        for name, value in quantiles_ms(times).items()
    }


def main() -> None:
    """Measure, check, record."""
    figures: dict[str, float] = {}
    held: Twins | None = None
    for patients in (100, 1_000, 10_000):
        for size in (1, 100, 1_000):
            us, held = us_per_message(patients, size, 4_000 if size == 1 else 60_000)
            figures[f"apply_us_{patients}_patients_batch_{size}"] = round(us, 2)
            print(f"{patients} patients, batches of {size}: {us:.2f} us a message")
    assert held is not None
    twins = held
    plain = reference_us_per_message(400)
    figures["reference_us"] = round(plain, 1)
    pids, now_us = np.arange(10_000), ORIGIN_US + 60 * STEP_US
    figures["scores_10000_ms"] = round(best_ms(lambda: scores_of(twins, pids, now_us)), 2)
    alerts = Alerts(load_rules())
    *_, commit = commits(10_000, 1_000, 3)
    figures["alerts_hear_1000_messages_ms"] = round(best_ms(lambda: alerts.hear(commit.samples, twins, now_us)), 2)
    figures["alerts_assess_10000_ms"] = round(best_ms(lambda: alerts.assess(pids, twins, now_us)), 2)
    figures["alerts_listen_10000_ms"] = round(best_ms(lambda: alerts.listen(pids, twins, now_us)), 2)
    figures["alerts_tick_10000_ms"] = round(best_ms(lambda: alerts.tick(now_us)), 2)
    kept = snapshot(twins)
    figures["snapshot_10000_mib"] = round(len(kept) / 2**20, 2)
    figures["snapshot_10000_ms"] = round(best_ms(lambda: snapshot(twins), 3), 1)
    figures["restore_10000_ms"] = round(best_ms(lambda: restore(kept, Nobody()), 3), 1)
    figures["bytes_per_patient"] = twins.bytes_per_patient
    with tempfile.TemporaryDirectory() as folder:
        figures.update(late(Path(folder)))
    cost = figures["apply_us_10000_patients_batch_100"]
    scores_ms = figures["scores_10000_ms"]
    record(
        "twin_apply",
        title="Moving the twins: cost a message, 8 signals each",
        provenance="simulated",
        bars=[
            Bar("apply, us a message, 10,000 patients, batches of 100", "<= 10", cost, met=cost <= 10),
            Bar("all scores of 10,000 patients, ms", "< 20", scores_ms, met=scores_ms < 20),
            Bar("plain-Python reference, us a message (the same bytes)", "", figures["reference_us"], met=None),
        ],
        figures=figures,
        notes=[
            "Median commit, on a machine that other work shares: the mean moves with that work, the median little.",
            "A batch costs by its samples; more patients cost only memory that is further away (compare the rows).",
            "A batch of one message is mostly the fixed cost of a commit's columns: let commits gather.",
            "A rewind reads the samples since the anchor (up to an hour); a refold the whole series (here 12 h).",
        ],
    )


if __name__ == "__main__":
    main()

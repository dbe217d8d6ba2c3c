"""How long a sequence model takes to fit to Challenge-size data, and what its graphs are worth: LSTM, 15 epochs.

scripts/bench sequence_training [NETWORK...]     one of lstm, gru, tcn, transformer; by default the LSTM
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._results import REPOSITORY, Bar, record
from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.sequence import SequenceFamily, Settings
from vitruvian.prediction.inputs.table import table_of
from vitruvian.prediction.measure.ranking import Ranking
from vitruvian.prediction.measure.split import patients_of
from vitruvian.signals import FEATURES

EPOCHS = 15
WALL_MAX_S = 600


def data() -> Path:
    root = Path(os.environ.get("VITRUVIAN_DATA", REPOSITORY.parent / "shared" / "data"))
    return root / "physionet2019" / "training_setA.parquet"


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    cohort = read_challenge2019(data())
    table = table_of(cohort, FEATURES)
    rows = {
        role: np.flatnonzero(np.isin(table.patient, patients_of(cohort.ids, role))) for role in ("train", "calibrate")
    }
    everybody = np.concatenate(list(rows.values()))
    goal = Goal((table.label > 0).astype(np.float64), np.ones(table.label.size), rows["train"], rows["calibrate"])
    lines: list[dict[str, Any]] = []
    for network in sys.argv[1:] or ["lstm"]:
        settings = Settings(network=network, epochs=EPOCHS, patience=EPOCHS)  # type: ignore[arg-type]
        load, wall, cpu = os.getloadavg()[0], time.perf_counter(), cpu_s()
        fitted = SequenceFamily(settings).fit(table, FEATURES, goal, seed=0, say=lambda line: print(line, flush=True))
        wall, cpu = time.perf_counter() - wall, cpu_s() - cpu
        with tempfile.TemporaryDirectory() as folder:
            member = fitted.save(Path(folder), network, table, rows["calibrate"][:10_000])
            graphs_kb = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1000
        odds = fitted.logit(table, rows["calibrate"])
        lines.append(
            {
                "network": network,
                "wall_s": round(wall),
                "processor_s": round(cpu),
                "epochs": EPOCHS,
                "parameters": sum(part.numel() for part in fitted.model.parameters()),
                "graphs_kb": round(graphs_kb),
                "parity_max": member.parity_max,
                "stop_set_auroc": round(Ranking(odds, table.label[rows["calibrate"]]).auroc(), 4),
                "load_before": round(load, 1),
            }
        )
    write(lines, everybody.size, rows, asdict(settings))


def write(lines: list[dict[str, Any]], hours: int, rows: dict[str, np.ndarray], settings: dict[str, Any]) -> None:
    first = lines[0]
    bars = [
        Bar(
            f"{first['network']} to 15 epochs, s", "<= 600", first["wall_s"], first["wall_s"] <= WALL_MAX_S,
            f"{first['processor_s']} s of one processor",
        ),
        Bar("graph against trainer, largest difference of a logit", "<= 1e-5", first["parity_max"],
            all(line["parity_max"] <= 1e-5 for line in lines)),
    ]  # fmt: skip
    record(
        "sequence_training",
        title="Fitting sequence models",
        provenance="PhysioNet/CinC Challenge 2019 set A, sepsis within 6 h; fitted to training patients (70 %), "
        "stopped by calibration patients (10 %)",
        bars=bars,
        figures={
            "training_hours": int(rows["train"].size),
            "read_hours": hours,
            "features": len(FEATURES),
            "networks": lines,
            "settings": {name: value for name, value in settings.items() if name != "network"},
        },
        notes=[
            "One thread. The fit stops nowhere here (patience = epochs), and its valid loss is taken every epoch. "
            "Reading the data is not counted. `load_before`: of the machine as the fit began; with other work on its "
            "two cores the wall time says as much of that as of the fit.",
            "`stop_set_auroc` is of the patients the best epoch was chosen by, so it is no result: see prediction.md.",
        ],
    )


if __name__ == "__main__":
    main()

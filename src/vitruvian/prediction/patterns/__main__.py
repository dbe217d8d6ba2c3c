"""Train the watch: python -m vitruvian.prediction.patterns --data training_setA.parquet [--out FOLDER]"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.inputs.table import table_of
from vitruvian.prediction.measure.split import patients_of
from vitruvian.prediction.patterns.train import calibrate_graph, train
from vitruvian.prediction.patterns.watch import SHIPPED

SPLIT = "by a hash of the patient's name: 70 % trained; of the 10 % to calibrate by, every second one calibrated"


def main() -> None:
    """Read, fit, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="hours of the Challenge 2019")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder to write")
    parser.add_argument("--calibrate-only", action="store_true", help="keep the forecaster that lies in the folder")
    asked = parser.parse_args()
    cohort = read_challenge2019(asked.data)
    table = table_of(cohort, ())
    chosen = {"train": patients_of(cohort.ids, "train"), "calibrate": patients_of(cohort.ids, "calibrate")[::2]}
    learn, calibrate = (np.flatnonzero(np.isin(table.patient, patients)) for patients in chosen.values())
    attribution = f"{cohort.data}, doi 10.13026/v64v-d857, CC BY 4.0; {SPLIT}"
    if asked.calibrate_only:
        card = json.loads((asked.out / "watch.json").read_text("utf-8")) | {"data": attribution}
        graph = (asked.out / "forecaster.onnx").read_bytes()
        watch = calibrate_graph(graph, card, table, learn, calibrate, asked.out)
    else:
        watch = train(table, learn, calibrate, asked.out, attribution, say=lambda line: print(line, flush=True))  # noqa: T201
    print(f"{watch.card['training_patients']:,} patients; level {watch.rule.level}; {asked.out}")  # noqa: T201


if __name__ == "__main__":
    main()

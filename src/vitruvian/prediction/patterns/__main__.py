"""Train the watch: python -m vitruvian.prediction.patterns --data training_setA.parquet [--out FOLDER]"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019
from vitruvian.prediction.inputs.table import table_of
from vitruvian.prediction.patterns.train import train
from vitruvian.prediction.patterns.watch import SHIPPED
from vitruvian.prediction.sepsis.split import patients_of

SPLIT = "by a hash of the patient's name: 70 % trained, 10 % calibrated, 20 % kept for testing"


def main() -> None:
    """Read, fit, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="hours of the Challenge 2019")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="folder to write")
    asked = parser.parse_args()
    cohort = read_challenge2019(asked.data)
    table = table_of(cohort, ())
    learn, calibrate = (
        np.flatnonzero(np.isin(table.patient, patients_of(cohort.ids, role))) for role in ("train", "calibrate")
    )
    attribution = f"{cohort.data}, doi 10.13026/v64v-d857, CC BY 4.0; {SPLIT}"
    watch = train(table, learn, calibrate, asked.out, attribution, say=lambda line: print(line, flush=True))  # noqa: T201
    print(f"{watch.card['training_patients']:,} patients; level {watch.rule.level}; {asked.out}")  # noqa: T201


if __name__ == "__main__":
    main()

"""`python -m vitruvian.prediction.forecast --data FOLDER --out FOLDER [--set 2019A]`: fit and write forecasters."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from vitruvian.prediction.forecast.model import SHIPPED
from vitruvian.prediction.forecast.train import PLANS, train


def main() -> None:
    """Fit the forecasters of the sets that are named, or of all."""
    parser = argparse.ArgumentParser(
        prog="vitruvian.prediction.forecast", description="Fit forecasters of vital signs."
    )
    parser.add_argument("--data", type=Path, required=True, help="Folder that holds physionet2012 and physionet2019.")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="Where the weights and cards go.")
    parser.add_argument("--set", action="append", choices=tuple(PLANS), help="Which to fit; all where not given.")
    asked = parser.parse_args()
    for name in asked.set or PLANS:
        sys.stderr.write(f"fitting {name}\n")
        train(asked.data, name, lambda line: print(line, file=sys.stderr)).save(asked.out, name)  # noqa: T201


if __name__ == "__main__":
    main()

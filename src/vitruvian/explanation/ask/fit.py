"""Learn from the example questions what intents look like: `python -m vitruvian.explanation.ask.fit`, after a change of
the examples or of how questions are read. Deterministic.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.explanation.ask.embed import installed_embedder
from vitruvian.explanation.ask.grams import grams
from vitruvian.explanation.ask.judge import FILE, SENTENCE, examples

__all__ = ["fit", "main", "spread"]

RIDGE: Final = 1 / 8  # of the summed loss: chosen by how questions of one author judged those of the other
STEPS: Final = 600
RATE: Final = 0.05
Floats = NDArray[np.float64]


def fit(x: Floats, y: NDArray[np.int64], classes: int, ridge: float = RIDGE) -> tuple[Floats, Floats]:
    """Weights (features, classes) and bias of a multinomial logistic regression, by Adam over all rows at once
    (Kingma and Ba 2015). `x` (rows, features), `y` (rows,).
    """
    rows, width = x.shape
    wanted = np.eye(classes)[y]
    both = np.zeros((width + 1, classes))
    one = np.hstack([x, np.ones((rows, 1))])
    mean, square = np.zeros_like(both), np.zeros_like(both)
    for step in range(1, STEPS + 1):
        logits = one @ both
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        slope = one.T @ (powers / powers.sum(axis=1, keepdims=True) - wanted)
        slope[:-1] += ridge * both[:-1]
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        both -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return both[:-1], both[-1]


def spread(x: Floats) -> tuple[Floats, Floats]:
    """Rows turned into the space that they span: `x` = first @ second; the second's rows are orthonormal, so that a
    ridge there is the ridge here. With more features than rows it is far smaller.
    """
    values, turned = np.linalg.eigh(x @ x.T)
    kept = values > values[-1] * 1e-9
    sizes = np.sqrt(values[kept])
    return turned[:, kept] * sizes, (turned[:, kept] / sizes).T @ x


def main() -> None:
    """Learn, and keep what was learned beside this file. Raises ModelError without the sentence weights."""
    embed = installed_embedder()
    if embed is None:
        raise ModelError("found no sentence weights, expected MiniLM; run vitruvian model install minilm")
    known = examples()
    names = sorted(set(known.intents))
    y = np.array([names.index(one) for one in known.intents])
    x = np.hstack([grams(known.masked), np.float32(SENTENCE) * embed(known.compared)]).astype(np.float64)
    small, back = spread(x)
    weights, bias = fit(small, y, len(names))
    path = Path(__file__).with_name(FILE)
    np.savez_compressed(
        path, weights=(back.T @ weights).astype(np.float16), bias=bias.astype(np.float32), intents=np.array(names),
        sentences=np.array(embed.digest), examples=np.array(known.digest),
    )  # fmt: skip
    sys.stdout.write(f"{len(y)} examples, {len(names)} intents: {path.name}, {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()

"""The one plot of trajectories: a small panel for each output, median with 50 and 90 % bands."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vitruvian.core.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from vitruvian.physiology.trajectories import Trajectories

COLUMNS: Final = 3
_SPANS: Final = ((2 * 86_400, 86_400, "days"), (3 * 3_600, 3_600, "hours"), (300, 60, "minutes"), (0, 1, "seconds"))


def draw(found: Trajectories, path: Path) -> Path:
    """Draw into a file (svg, png or pdf by its ending); returns the path."""
    from matplotlib.figure import Figure

    count = len(found.outputs)
    rows = math.ceil(count / COLUMNS)
    figure = Figure(figsize=(4.2 * COLUMNS, 2.3 * rows + 0.6), layout="constrained")
    span = float(found.times_s[-1] - found.times_s[0])
    divisor, unit = next((per, word) for least, per, word in _SPANS if span >= least)
    bands = found.quantiles()
    at = found.times_s / divisor
    for i, output in enumerate(found.outputs):
        panel = figure.add_subplot(rows, COLUMNS, i + 1)
        if len(found.values) > 1:
            panel.fill_between(at, bands[0, :, i], bands[4, :, i], alpha=0.18, color="#1f6f8b", linewidth=0)
            panel.fill_between(at, bands[1, :, i], bands[3, :, i], alpha=0.3, color="#1f6f8b", linewidth=0)
        panel.plot(at, bands[2, :, i], color="#0b3c49", linewidth=1.4)
        concept = VOCABULARY.get(output.name)
        panel.set_title(concept.display if concept else output.name.replace("_", " "), fontsize=9, loc="left")
        panel.set_ylabel(output.unit, fontsize=8)
        panel.tick_params(labelsize=7)
        panel.grid(alpha=0.25)
        low, high = float(bands[0, :, i].min()), float(bands[4, :, i].max())
        least = max(abs(low), abs(high), 1e-9) * 0.02  # a flat line should look flat
        if high - low < least:
            middle = 0.5 * (low + high)
            panel.set_ylim(middle - least, middle + least)
        if i >= count - COLUMNS:
            panel.set_xlabel(unit, fontsize=8)
    title = str(found.about.get("title", "")) or "Simulation"
    figure.suptitle(f"{title} (simulated)", fontsize=11)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    return path

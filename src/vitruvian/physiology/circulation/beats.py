"""What each beat of the pulsating circulation shows: pressures, rate, stroke volume and flow, from a dense sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.physiology.base import Model
from vitruvian.physiology.run import Schedule, run

__all__ = ["Beats", "beats", "record"]

Floats = NDArray[np.float64]
NAMES: Final = (
    "aortic_pressure",
    "pulmonary_artery_pressure",
    "right_atrial_pressure",
    "left_atrial_pressure",
    "left_ventricular_volume",
    "aortic_flow",
    "beat_phase",
)
SAMPLES_S: Final = 0.004


@dataclass(frozen=True)
class Beats:
    """One row a complete beat (B,): when it began (s), pressures mmHg, rate /min, volumes mL, fraction, L/min."""

    at_s: Floats
    heart_rate: Floats
    systolic_pressure: Floats
    diastolic_pressure: Floats
    mean_pressure: Floats
    pulmonary_artery_mean: Floats
    central_venous_pressure: Floats
    left_atrial_mean: Floats
    stroke_volume: Floats
    end_diastolic_volume: Floats
    ejection_fraction: Floats
    cardiac_output: Floats

    def mean(self) -> dict[str, float]:
        """Means over the beats, each weighted by its length."""
        weight = 1.0 / self.heart_rate
        return {
            name: float(np.average(values, weights=weight)) for name, values in vars(self).items() if name != "at_s"
        }


def beats(times_s: Floats, columns: dict[str, Floats]) -> Beats:
    """Beats of one member: times (T,), evenly spaced, and columns (T,) under the names in `NAMES`.

    Raises ModelError where not one whole beat is seen, or fewer than 20 samples fall on a beat.
    """
    phase = columns["beat_phase"]
    first, last = int(np.ceil(phase[0] - 1e-9)), int(np.floor(phase[-1]))
    if last <= first:
        raise ModelError(f"found {phase[-1] - phase[0]:.2f} beats, expected a whole one; look for longer")
    at = np.interp(np.arange(first, last + 1), phase, times_s)
    edges = np.searchsorted(times_s, at)
    if np.diff(edges).min() < 20:
        raise ModelError(f"found {np.diff(edges).min()} samples on a beat, expected at least 20; sample more densely")
    starts = edges[:-1]

    def mean(name: str) -> Floats:
        """Integral of the broken line over each beat, whose ends lie between samples, over its length."""
        values = columns[name]
        area = np.append(0.0, np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(times_s)))
        part = at - times_s[np.maximum(edges - 1, 0)]
        ends = np.interp(at, times_s, values)
        before = np.maximum(edges - 1, 0)
        return np.asarray(np.diff(area[before] + 0.5 * (values[before] + ends) * part) / np.diff(at), np.float64)

    def largest(name: str) -> Floats:
        return np.asarray(np.maximum.reduceat(columns[name][: edges[-1]], starts), np.float64)

    def smallest(name: str) -> Floats:
        return np.asarray(np.minimum.reduceat(columns[name][: edges[-1]], starts), np.float64)

    length_s = np.diff(at)
    stroke = mean("aortic_flow") * length_s
    end_diastolic = largest("left_ventricular_volume")
    return Beats(
        at[:-1],
        60.0 / length_s,
        largest("aortic_pressure"),
        smallest("aortic_pressure"),
        mean("aortic_pressure"),
        mean("pulmonary_artery_pressure"),
        mean("right_atrial_pressure"),
        mean("left_atrial_pressure"),
        stroke,
        end_diastolic,
        stroke / end_diastolic,
        stroke / length_s * 0.06,
    )


def record(
    model: Model, y: Floats, p: Floats, begin_s: float, end_s: float, schedule: Schedule | None = None
) -> list[Beats]:
    """Run members y (M, S), p (M, P) of a beat-resolved model and sum up their beats between two times.

    Any model with the outputs in `NAMES` will do, a body too. Raises ModelError as `run` and `beats` do.
    """
    count = max(2, round((end_s - begin_s) / SAMPLES_S) + 1)
    times = np.linspace(begin_s, end_s, count)
    done = run(model, y, p, begin_s, end_s, times, schedule).check(model)
    return [beats(times, {name: member[:, model.output_index[name]] for name in NAMES}) for member in done.outputs]

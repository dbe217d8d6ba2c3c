"""Published settings of a room (`physiology/ROOM/reference/*.toml`), run and compared.

A setting gives `title`, `source`, optional `parameters`, and tables:

- `[[stage]]`: `from_s`, and inputs or imports by name that hold from then on, over what held before; those at or below
  0 hold while the model settles.
- `[[dose]]`: `at_s`, `name`, `amount`.
- `[[expect]]`: an `output`, the published range `low` to `high` in `unit`, and the figure `reached` when written down.
  What is measured, by `kind`: `value` at `at_s`; `change` from `from_s` to `at_s`; `time_below` a `threshold`, in s
  from `from_s`; `slope` on the output `against` between `from_s` and `at_s`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vitruvian.physiology.base import Model
from vitruvian.physiology.run import Schedule, run
from vitruvian.physiology.simulate import settled

REACHED_RTOL = 0.02  # a figure that moves by more has to be written down anew


@dataclass(frozen=True)
class Setting:
    """A published setting."""

    name: str
    content: dict[str, Any]


def settings(folder: Path) -> list[Any]:
    """Every setting of a room, as parameters of a test."""
    found = [Setting(path.stem, tomllib.loads(path.read_text("utf-8"))) for path in sorted(folder.glob("*.toml"))]
    assert found, f"no settings in {folder}"
    return [pytest.param(one, id=one.name) for one in found]


def measured(model: Model, setting: Setting) -> list[tuple[dict[str, Any], float]]:
    """Each expectation with what the model says."""
    content = setting.content
    names = [one.name for one in (*model.inputs, *model.imports)]
    stages = sorted(content["stage"], key=lambda one: one["from_s"])
    edges, levels = [0.0], [model.rest()]
    for stage in stages:
        level = levels[-1].copy()
        for name, value in stage.items():
            if name != "from_s":
                level[names.index(name)] = value
        if stage["from_s"] <= 0:
            levels[-1] = level
        else:
            edges.append(stage["from_s"] / model.seconds)
            levels.append(level)
    doses = content.get("dose", [])
    into = {one.name: (model.state_index[one.into], one.factor) for one in model.doses}
    plan = Schedule(
        np.array(edges),
        np.array(levels),
        np.array([one["at_s"] / model.seconds for one in doses]),
        np.array([into[one["name"]][0] for one in doses], np.int64),
        np.array([into[one["name"]][1] * one["amount"] for one in doses]),
    )
    p = model.parameter_values(changes=content.get("parameters"))[None, :]
    end_s = max(one.get("at_s", one.get("until_s", 0.0)) for one in content["expect"])
    times_s = np.linspace(0.0, end_s, 1201)
    start = settled(model, p, levels[0])
    seen = run(model, start, p, 0.0, end_s / model.seconds, times_s / model.seconds, plan).check(model).outputs[0]
    return [(one, _figure(model, one, times_s, seen)) for one in content["expect"]]


def _figure(model: Model, wanted: dict[str, Any], times_s: NDArray[np.float64], seen: NDArray[np.float64]) -> float:
    def at(name: str, t_s: float) -> float:
        return float(np.interp(t_s, times_s, seen[:, model.output_index[name]]))

    name, kind = wanted["output"], wanted.get("kind", "value")
    if kind == "value":
        return at(name, wanted["at_s"])
    if kind == "change":
        return at(name, wanted["at_s"]) - at(name, wanted["from_s"])
    if kind == "slope":
        other = wanted["against"]
        run_s = (wanted["from_s"], wanted["at_s"])
        return (at(name, run_s[1]) - at(name, run_s[0])) / (at(other, run_s[1]) - at(other, run_s[0]))
    assert kind == "time_below", kind
    values = seen[:, model.output_index[name]]
    after = (times_s >= wanted["from_s"]) & (values < wanted["threshold"])
    assert after.any(), f"{name} never fell below {wanted['threshold']}"
    return float(times_s[after.argmax()] - wanted["from_s"])


def check(model: Model, setting: Setting) -> None:
    """Every expectation within its published range, and as it was when it was written down."""
    failed: list[str] = []
    for wanted, figure in measured(model, setting):
        what = f"{wanted['output']} {wanted.get('kind', 'value')}: {figure:.4g} {wanted['unit']}"
        if not wanted["low"] <= figure <= wanted["high"]:
            failed.append(f"{what}, published {wanted['low']} to {wanted['high']}")
        if abs(figure - wanted["reached"]) > max(REACHED_RTOL * abs(wanted["reached"]), 1e-6):
            failed.append(f"{what}, written down as {wanted['reached']}")
    assert not failed, "\n".join([setting.content["title"], *failed])


def table(model: Model, found: Sequence[Setting]) -> list[dict[str, Any]]:
    """Rows for a document: title, what, published, reached."""
    return [
        {
            "setting": one.name,
            "output": wanted["output"],
            "kind": wanted.get("kind", "value"),
            "published": f"{wanted['low']:g} to {wanted['high']:g}",
            "reached": figure,
            "unit": wanted["unit"],
        }
        for one in found
        for wanted, figure in measured(model, one)
    ]

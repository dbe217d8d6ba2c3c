"""One member of a bundle behind ONNX Runtime: log-odds of rows, and the state that a recurrent one carries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ModelError
from vitruvian.prediction.inputs.hours import CHANNELS, CONTEXT_H

__all__ = ["Member"]

Columns = NDArray[np.float32]
INPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "row": ("features",),
    "window": ("features", "window"),
    "recurrent": ("features", "hour", "state"),
}
# Rows a graph sees at once: its intermediate columns then stay in the processor's cache.
BLOCK: Final[Mapping[str, int]] = {"row": 256, "window": 256, "recurrent": 512}


class Member:
    """See `families.base` for the graphs. `slope` and `intercept` calibrate the member on its own; `state` is S of a
    recurrent one. `explains`: its graph also gives `contributions` of each feature.
    """

    def __init__(self, told: Mapping[str, Any], session: Any, carrying: Any = None) -> None:
        self.name: str = told["name"]
        self.kind: str = told["kind"]
        self.features: tuple[str, ...] = tuple(told["features"])
        self.state = int(told["state"])
        self.slope, self.intercept = float(told.get("slope", 1.0)), float(told.get("intercept", 0.0))
        self._session, self._carrying = session, carrying
        self.explains = any(one.name == "contributions" for one in session.get_outputs())

    @classmethod
    def load(cls, folder: Path, told: Mapping[str, Any]) -> Member:
        """The member of a row of `bundle.json`. Raises ModelError for a graph that is not as that row says."""
        kind, name = str(told.get("kind")), str(told.get("name"))
        if kind not in INPUTS:
            raise ModelError(f"found a member {name!r} of kind {kind!r}, expected {', '.join(INPUTS)}; train it again")
        session = _session(folder / f"{name}.onnx", INPUTS[kind], "logit")
        width = session.get_inputs()[0].shape[-1]
        if isinstance(width, int) and width != len(told["features"]):
            raise ModelError(
                f"found {name}.onnx with {width} features, expected the {len(told['features'])} that its bundle names;"
                " copy the folder whole, or train it again"
            )
        carrying = None
        if kind == "recurrent":
            carrying = _session(folder / f"{name}.carry.onnx", ("hour", "state"), "next")
        return cls(told, session, carrying)

    def logit(
        self, values: Columns, window: Columns | None = None, state: Columns | None = None, *, explain: bool = False
    ) -> tuple[NDArray[np.float64], Columns | None]:
        """Calibrated log-odds (n,) of rows: features (n, F) in the member's order, with the `window` (n, H, C) and the
        carried `state` (n, S) where its kind reads them. With `explain`, what each feature adds to them too (n, F).
        """
        found = np.empty(len(values), np.float64)
        parts = np.empty(values.shape, np.float32) if explain else None
        for start in range(0, len(values), BLOCK[self.kind]):
            rows = slice(start, start + BLOCK[self.kind])
            fed: dict[str, Columns] = {"features": values[rows]}
            if self.kind == "window":
                assert window is not None
                fed["window"] = window[rows]
            elif self.kind == "recurrent":
                assert window is not None and state is not None
                fed |= {"hour": np.ascontiguousarray(window[rows, -1]), "state": state[rows]}
            if parts is None:
                (found[rows],) = self._session.run(["logit"], fed)
            else:
                found[rows], parts[rows] = self._session.run(["logit", "contributions"], fed)
        if parts is not None:
            parts *= self.slope
        return self.slope * found + self.intercept, parts

    def carry(self, closed: Columns) -> Columns:
        """The state (n, S) after the closed hours (n, CONTEXT_H - 1, C), the oldest first, from zeros."""
        state = np.zeros((len(closed), self.state), np.float32)
        for start in range(0, len(closed), BLOCK[self.kind]):
            rows = slice(start, start + BLOCK[self.kind])
            held = state[rows]
            for hour in np.ascontiguousarray(closed[rows].transpose(1, 0, 2)):
                (held,) = self._carrying.run(["next"], {"hour": hour, "state": held})
            state[rows] = held
        return state


def _session(path: Path, inputs: tuple[str, ...], output: str) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # a ward has other work; ten thousand patients take milliseconds
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"found {path}, which ONNX Runtime refuses ({error}); train it again") from None
    found = {one.name: one.shape for one in session.get_inputs()}
    if tuple(sorted(found)) != tuple(sorted(inputs)) or output not in {one.name for one in session.get_outputs()}:
        raise ModelError(
            f"found {path} with inputs {', '.join(sorted(found))}, expected {', '.join(inputs)} and an output {output};"
            " train it again"
        )
    shapes = {"window": [CONTEXT_H, len(CHANNELS)], "hour": [len(CHANNELS)]}
    for name, shape in shapes.items():
        fixed = [size for size in found.get(name, [0, *shape])[1:] if isinstance(size, int)]
        if name in found and fixed and fixed != shape:
            raise ModelError(f"found {path} with {name} of shape {found[name]}, expected (n, {shape}); train it again")
    return session

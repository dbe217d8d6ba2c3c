"""Compile the drivers for one model, so that compilation is kept on disk from process to process.

Numba keeps a compiled function by its file, name and line, and does not see what it calls. A driver that is given its
kernel as an argument is compiled anew in every process; one that finds it in its globals is kept, but a change of the
kernel would go unseen. So each template is copied under a name that carries a digest of all source it is made of, with
the model's kernels among its globals.
"""

from __future__ import annotations

import hashlib
import inspect
import types
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numba

from vitruvian.core.errors import ModelError
from vitruvian.physiology.engine import chebyshev, drive, rosenbrock, tsit5
from vitruvian.physiology.engine.turns import in_turn

if TYPE_CHECKING:
    from vitruvian.physiology.base import Model

METHODS: Final = {"tsit5": tsit5, "rosenbrock": rosenbrock, "rkc": chebyshev}
_HERE: Final = Path(__file__).parent


class Drivers(NamedTuple):
    """The compiled drivers of a model; their arguments are those of the templates in `drive`."""

    ensemble: Callable[..., None]
    starts: Callable[..., None]
    observes: Callable[..., None]


_MADE: dict[int, tuple[Any, Drivers]] = {}


def drivers(model: Model) -> Drivers:
    """The drivers of a model, compiled at their first call in a machine's life. Raises ModelError."""
    key = id(model)
    known = _MADE.get(key)
    if known is None or known[0] is not model:
        known = _MADE[key] = (model, _specialised(model))
    return known[1]


def _specialised(model: Model) -> Drivers:
    method = METHODS.get(model.method)
    if method is None:
        raise ModelError(f"{model.name}: found method {model.method!r}, expected one of {', '.join(METHODS)}")
    tag = f"{model.name}_{digest(model)}"

    def made(template: Any, parallel: bool = False, **names: Any) -> Any:
        copied = types.FunctionType(
            template.__code__, {**template.__globals__, **names}, f"{template.__name__}_{tag}", template.__defaults__
        )
        copied.__module__, copied.__qualname__ = template.__module__, copied.__name__
        return numba.njit(cache=True, nogil=True, parallel=parallel, error_model="numpy")(copied)

    dense = made(method.dense)
    inner = {name: made(getattr(method, name), rhs=model.rhs) for name in getattr(method, "INNER", ())}
    common = {"ORDER": method.ORDER, "EVENTS": model.events, "dense": dense}
    common |= {"rhs": model.rhs, "observe": model.observe, "step": made(method.step, rhs=model.rhs, **inner)}
    common |= {"event": model.event, "jump": model.jump}
    common["first_crossing"] = made(drive.first_crossing, **common)
    common["advance"] = made(drive.advance, **common)
    common["member"] = made(drive.member, **common)
    return Drivers(
        in_turn(made(drive.ensemble, True, **common)),
        made(drive.starts, start=model.start),
        in_turn(made(drive.observes, True, observe=model.observe)),
    )


def digest(model: Model) -> str:
    """Twelve hexadecimal digits that change with any source the compiled drivers are made of."""
    known = hashlib.sha256(numba.__version__.encode())
    known.update(_folder_digest(_HERE))
    for one in sorted({str(_folder(kernel)) for kernel in model.kernels}):
        known.update(_folder_digest(Path(one)))
    named = [f"{one.py_func.__module__}.{one.py_func.__qualname__}" for one in model.kernels]  # type: ignore[attr-defined]
    known.update(repr((model.method, model.events, named, model.source)).encode())
    return known.hexdigest()[:12]


def _folder(kernel: Any) -> Path:
    path = Path(inspect.getfile(getattr(kernel, "py_func", kernel)))
    return path.parent if path.exists() else _HERE


@lru_cache(maxsize=256)
def _folder_digest(folder: Path) -> bytes:
    known = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        known.update(path.name.encode() + b"\0" + path.read_bytes())
    return known.digest()

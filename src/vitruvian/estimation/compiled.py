"""Compilation that is kept on disk and renewed when any file of this folder changes.

Numba keeps a compiled function by its file, name and line, and does not see a change in what it calls from another
file. Here the name carries a digest of all source beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numba

from vitruvian.physiology.engine.turns import in_turn

__all__ = ["njit"]


def _digest(folder: Path) -> str:
    known = hashlib.sha256(numba.__version__.encode())
    for path in sorted(folder.glob("*.py")):
        known.update(path.name.encode() + b"\0" + path.read_bytes())
    return known.hexdigest()[:12]


DIGEST: Final = _digest(Path(__file__).parent)


def njit(*, parallel: bool = False) -> Callable[[Any], Any]:
    """`numba.njit` as all kernels here want it: kept on disk, without the lock, without checks of division by zero;
    parallel ones are entered by one thread at a time.
    """

    def made(function: Any) -> Any:
        function.__qualname__ = f"{function.__name__}_{DIGEST}"
        kernel = numba.njit(cache=True, nogil=True, parallel=parallel, error_model="numpy")(function)
        return in_turn(kernel) if parallel else kernel

    return made

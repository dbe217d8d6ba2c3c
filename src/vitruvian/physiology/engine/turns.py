"""One parallel kernel at a time. Numba's plainest threading layer, which is what a bare machine has, ends the process
when two threads enter parallel code at once; and two that share the cores are not quicker than one after the other.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, Final

TURN: Final = threading.RLock()


def in_turn(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel, entered by one thread at a time."""

    @functools.wraps(kernel)
    def entered(*args: Any) -> Any:
        with TURN:
            return kernel(*args)

    return entered

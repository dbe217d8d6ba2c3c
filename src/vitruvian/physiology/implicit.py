"""The same model, stepped implicitly: for hours in which little happens.

Reflexes and gases settle within seconds, and an explicit method must take steps of that size for ever after; an
L-stable one takes minutes once they have settled. The acute body needs some ten steps for a quiet hour instead of some
1,500 (benchmarks/what_if.py records the difference in what is shown).
"""

from __future__ import annotations

from functools import lru_cache

from vitruvian.physiology.base import Model

__all__ = ["implicit"]


@lru_cache(maxsize=32)
def implicit(model: Model) -> Model:
    """The model with the Rosenbrock stepper; a model of events (beats) as it is: its steps are short anyway."""
    return model if model.method == "rosenbrock" or model.events else model.with_(method="rosenbrock")

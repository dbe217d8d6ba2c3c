"""The stabilised explicit method RKC, order 2: for bodies whose fastest decay is much faster than what is asked.

An ordinary explicit step must be shorter than about three of the fastest decay times, however slowly the solution
moves. Here the stages of a step are chosen so that it is stable: s stages for a step some 0.65 s2 decay times long.
Between steps cubic Hermite. It does not suit oscillations that are faster than the steps.

Source: B. P. Sommeijer, L. F. Shampine, J. G. Verwer, RKC: an explicit solver for parabolic PDEs, J. Comput. Appl.
Math. 88 (1998) 315-326: section 2 (scheme and error), section 3 (number of stages, spectral radius by power iteration).

The functions are templates: `rhs` and `radius` are put in their places by `specialise`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.physiology.engine.rosenbrock import dense

__all__ = ["INNER", "ORDER", "STAGES", "dense", "radius", "step"]

STAGES: Final = 7  # rows of `k`: 0 slope, 1 the fastest direction, 2 to 5 work, 6 the slope at the end; 7 notes
ORDER: Final = 3  # the power of the step that its error goes with
INNER: Final = ("radius",)
DAMPING: Final = 2.0 / 13.0
STAGES_MAX: Final = 60
SMALL: Final = 1e-7  # of the power iteration's displacement, as a share of the state
TRUSTED_STEPS: Final = 25.0  # for so many steps a spectral radius is taken to hold
MARGIN: Final = 1.2


def rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """A model's kernel stands here."""
    raise NotImplementedError


def radius(t: float, y: Any, p: Any, u: Any, k: Any) -> float:
    """The spectral radius of the Jacobian at (t, y), somewhat above, from and into the direction k[1] (S,)."""
    size = y.shape[0]
    height = max(np.sqrt((y * y).sum()), 1e-8) * SMALL
    length = np.sqrt((k[1] * k[1]).sum())
    fresh = length <= 0.0
    if fresh:
        k[1] = k[0]
        length = np.sqrt((k[1] * k[1]).sum())
        if length <= 0.0:
            k[1] = 1.0
            length = np.sqrt(float(size))
    found = 0.0
    for attempt in range(50 if fresh else 3):
        k[4] = y + (height / length) * k[1]
        rhs(t, k[4], p, u, k[5])
        k[1] = k[5] - k[0]
        length = np.sqrt((k[1] * k[1]).sum())
        if length <= 0.0:
            k[1] = 1.0
            length = np.sqrt(float(size))
            continue
        before, found = found, length / height
        if attempt > 0 and abs(found - before) < 0.02 * found:
            break
    return float(MARGIN * found)


def step(
    t: float,
    h: float,
    y: NDArray[np.float64],
    p: NDArray[np.float64],
    u: NDArray[np.float64],
    rtol: float,
    atol: NDArray[np.float64],
    k: NDArray[np.float64],
    trial: NDArray[np.float64],
    work: NDArray[np.float64],
) -> float:
    """Try one step of length h from (t, y), whose slope is k[0]; the solution goes to `trial`, its slope to k[6].

    y, trial (S,), k (8, S); k[1], of the length of the spectral radius, and k[7, 0], for how many steps to trust it,
    are kept from step to step. Returns the error over the tolerance: the step
    may be kept where that is at most 1.
    """
    size = y.shape[0]
    if k[7, 0] < 1.0:
        k[7, 0] = TRUSTED_STEPS
        fastest = radius(t, y, p, u, k)
        k[1] *= fastest / max(np.sqrt((k[1] * k[1]).sum()), 1e-300)
    k[7, 0] -= 1.0
    fastest = np.sqrt((k[1] * k[1]).sum())
    stages = min(max(int(np.sqrt(1.0 + 1.54 * h * fastest)) + 1, 2), STAGES_MAX)
    w0 = 1.0 + DAMPING / (stages * stages)
    root = np.sqrt(w0 * w0 - 1.0)
    arc = stages * np.log(w0 + root)
    w1 = np.sinh(arc) * root * root / (np.cosh(arc) * stages * root - w0 * np.sinh(arc))
    # Chebyshev polynomials of w0 with two derivatives, of degrees j - 1 and j - 2.
    c1, c2, d1, d2, e1, e2 = w0, 1.0, 1.0, 0.0, 0.0, 0.0
    b1 = b2 = 1.0 / (2.0 * w0) ** 2
    at1, at2 = w1 * b1, 0.0
    for i in range(size):
        k[2, i] = y[i]
        k[3, i] = y[i] + h * at1 * k[0, i]
    for _ in range(2, stages + 1):
        c, d, e = 2 * w0 * c1 - c2, 2 * w0 * d1 - d2 + 2 * c1, 2 * w0 * e1 - e2 + 4 * d1
        b = e / (d * d)
        mu, nu, new = 2 * w0 * b / b1, -b / b2, 2 * w1 * b / b1
        old = -(1.0 - c1 * b1) * new
        rhs(t + h * at1, k[3], p, u, k[5])
        for i in range(size):
            now = mu * k[3, i] + nu * k[2, i] + (1.0 - mu - nu) * y[i] + h * (new * k[5, i] + old * k[0, i])
            k[2, i] = k[3, i]
            k[3, i] = now
        at1, at2 = mu * at1 + nu * at2 + new + old, at1
        c1, c2, d1, d2, e1, e2, b1, b2 = c, c1, d, d1, e, e1, b, b1
    for i in range(size):
        trial[i] = k[3, i]
    rhs(t + h, trial, p, u, k[6])
    error = 0.0
    for i in range(size):
        scale = atol[i] + rtol * max(abs(y[i]), abs(trial[i]))
        error += ((0.8 * (y[i] - trial[i]) + 0.4 * h * (k[0, i] + k[6, i])) / scale) ** 2
    error = np.sqrt(error / size)
    if not error <= 1.0:
        k[7, 0] = 0.0
    return float(error)

"""The Rosenbrock pair of Shampine and Reichelt, order 2(3), L-stable, for stiff rooms; cubic Hermite between.

Source: L. F. Shampine, M. W. Reichelt, The MATLAB ODE suite, SIAM J. Sci. Comput. 18 (1997) 1-22, section 3. The
Jacobian is taken by forward differences at each step: no room writes one by hand.

The functions are templates: `rhs` is put in its place by `specialise`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

STAGES: Final = 7  # rows of `k` that a driver provides; 0 to 2 are slopes, 3 and 4 work, 6 the slope at the end
ORDER: Final = 2
D: Final = 1.0 / (2.0 + np.sqrt(2.0))
E32: Final = 6.0 + np.sqrt(2.0)
ROOT_EPS: Final = 1.4901161193847656e-08


def rhs(t: float, y: Any, p: Any, u: Any, dydt: Any) -> None:
    """A model's kernel stands here."""
    raise NotImplementedError


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

    y, trial (S,), k (7, S), work (S, S). Returns the error over the tolerance: the step may be kept where that is at
    most 1.
    """
    size = y.shape[0]
    slope = k[5]
    moved = k[4]
    for j in range(size):  # W = I - h d J, by columns
        moved[:] = y
        change = ROOT_EPS * max(abs(y[j]), atol[j] / max(rtol, ROOT_EPS))
        moved[j] += change
        rhs(t, moved, p, u, slope)
        for i in range(size):
            work[i, j] = (1.0 if i == j else 0.0) - h * D * (slope[i] - k[0, i]) / change
    change_t = ROOT_EPS * max(abs(t), h)
    rhs(t + change_t, y, p, u, slope)
    in_time = (slope - k[0]) / change_t
    first = np.linalg.solve(work, k[0] + h * D * in_time)
    for i in range(size):
        trial[i] = y[i] + 0.5 * h * first[i]
    rhs(t + 0.5 * h, trial, p, u, k[1])
    second = np.linalg.solve(work, k[1] - first) + first
    for i in range(size):
        trial[i] = y[i] + h * second[i]
    rhs(t + h, trial, p, u, k[6])
    third = np.linalg.solve(work, k[6] - E32 * (second - k[1]) - 2.0 * (first - k[0]) + h * D * in_time)
    error = 0.0
    for i in range(size):
        scale = atol[i] + rtol * max(abs(y[i]), abs(trial[i]))
        error += (h / 6.0 * (first[i] - 2.0 * second[i] + third[i]) / scale) ** 2
    return float(np.sqrt(error / size))


def dense(
    fraction: float,
    h: float,
    y: NDArray[np.float64],
    after: NDArray[np.float64],
    k: NDArray[np.float64],
    result: NDArray[np.float64],
) -> None:
    """The solution at `fraction` of the step just taken from y to `after`, into `result`."""
    s = fraction
    for i in range(y.shape[0]):
        result[i] = (
            (1 + 2 * s) * (1 - s) ** 2 * y[i]
            + s * (1 - s) ** 2 * h * k[0, i]
            + s * s * (3 - 2 * s) * after[i]
            + s * s * (s - 1) * h * k[6, i]
        )

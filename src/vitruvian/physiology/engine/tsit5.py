"""The explicit pair of Tsitouras, order 5(4), with its dense output of order 4: coefficients and one step.

Source: Ch. Tsitouras, Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption,
Computers & Mathematics with Applications 62 (2011) 770-775, table 1 and section 4. That the coefficients satisfy the
order conditions, and that the measured order is the theory's, is a test.

`step` is a template: `rhs` is put in its place by `specialise`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

STAGES: Final = 7
ORDER: Final = 5

C: Final = np.array([0.0, 0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0])
A: Final = np.zeros((STAGES, STAGES))
A[1, :1] = [0.161]
A[2, :2] = [-0.008480655492356989, 0.335480655492357]
A[3, :3] = [2.8971530571054935, -6.359448489975075, 4.3622954328695815]
A[4, :4] = [5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525]
A[5, :5] = [5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383]
A[6, :6] = [0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774]
# The weights of the solution less those of the embedded one of order 4.
E: Final = np.array(
    [
        -0.00178001105222577714,
        -0.0008164344596567469,
        0.007880878010261995,
        -0.1447110071732629,
        0.5823571654525552,
        -0.45808210592918697,
        0.015151515151515152,
    ]
)
# Weights of the dense output: rows are stages, columns the powers 1 to 4 of the fraction of the step.
DENSE: Final = np.array(
    [
        [1.0, -2.763706197274826, 2.9132554618219126, -1.0530884977290216],
        [0.0, 0.13169999999999998, -0.2234, 0.1017],
        [0.0, 3.9302962368947516, -5.941033872131505, 2.490627285651253],
        [0.0, -12.411077166933676, 30.33818863028232, -16.548102889244902],
        [0.0, 37.50931341651104, -88.1789048947664, 47.37952196281928],
        [0.0, -27.896526289197286, 65.09189467479366, -34.87065786149661],
        [0.0, 1.5, -4.0, 2.5],
    ]
)


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

    y, trial (S,), k (>= 7, S). Returns the error over the tolerance: the step may be kept where that is at most 1.
    """
    size = y.shape[0]
    for stage in range(1, STAGES):
        for i in range(size):
            total = 0.0
            for j in range(stage):
                total += A[stage, j] * k[j, i]
            trial[i] = y[i] + h * total
        rhs(t + C[stage] * h, trial, p, u, k[stage])
    error = 0.0
    for i in range(size):
        total = 0.0
        for j in range(STAGES):
            total += E[j] * k[j, i]
        scale = atol[i] + rtol * max(abs(y[i]), abs(trial[i]))
        error += (h * total / scale) ** 2
    return float(np.sqrt(error / size))


def dense(
    fraction: float,
    h: float,
    y: NDArray[np.float64],
    after: NDArray[np.float64],
    k: NDArray[np.float64],
    result: NDArray[np.float64],
) -> None:
    """The solution at `fraction` of the step just taken from y, into `result`."""
    size = y.shape[0]
    for i in range(size):
        result[i] = y[i]
    for j in range(STAGES):
        weight = (
            h * fraction * (DENSE[j, 0] + fraction * (DENSE[j, 1] + fraction * (DENSE[j, 2] + fraction * DENSE[j, 3])))
        )
        if weight != 0.0:
            for i in range(size):
                result[i] += weight * k[j, i]

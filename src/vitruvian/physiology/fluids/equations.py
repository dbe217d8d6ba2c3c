"""Blood and tissue fluid: what is bled, given and shifted.

Base: R. Bighamian, A. T. Reisner, J.-O. Hahn, A lumped-parameter subject-specific model of blood volume response to
fluid infusion, Front Physiol 7 (2016) 390. There, of a fluid given, 1 / (1 + alpha) is to stay in the vessels, and the
flow into the tissue is proportional to how far the change of blood volume is from that: `held` here is their target.
Each fluid has an alpha of its own. Added: red cells and haemoglobin apart from plasma, a part that follows capillary
pressure, and leak, by which the target drifts into the tissue (albumin escapes and takes its water along).

The flow offered to the circulation is lagged by 1 s, so that it is a state; in the long run nothing is lost by it.
"""

from __future__ import annotations

from typing import Final

from numba import njit

from vitruvian.physiology.fluids.parameters import IMPORTS, INPUTS, PARAMETERS, STATES

P: Final = {one.name: i for i, one in enumerate(PARAMETERS)}
U: Final = {name: i for i, name in enumerate([*(a.name for a in INPUTS), *(b.name for b in IMPORTS)])}
Y: Final = {one.name: i for i, one in enumerate(STATES)}

LAG_FLOW_S: Final = 1.0
PER_MIN: Final = 1.0 / 60.0
PLASMA: Final = Y["plasma"]
CELLS: Final = Y["red_cells"]
HB: Final = Y["hemoglobin"]
TISSUE: Final = Y["interstitial"]
HELD: Final = Y["held"]
FLOW: Final = Y["flow"]

_START: Final = P["blood_volume"]
_HCT: Final = P["hematocrit_start"]
_MCHC: Final = P["cell_hemoglobin"]
_TISSUE_START: Final = P["interstitial_start"]
_GAIN: Final = P["gain_shift"]
_SPLIT_CRYSTALLOID: Final = P["split_crystalloid"]
_SPLIT_COLLOID: Final = P["split_colloid"]
_SPLIT_LOSS: Final = P["split_loss"]
_FILTRATION: Final = P["filtration"]
_CAPILLARY_REST: Final = P["capillary_rest"]
_ESCAPE: Final = P["escape"]
_UNIT_HCT: Final = P["red_cell_hematocrit"]
_INTAKE: Final = P["intake"]
_UNIT_HB: Final = P["unit_hemoglobin"]
_LOSS: Final = U["blood_loss"]
_CRYSTALLOID: Final = U["crystalloid"]
_COLLOID: Final = U["colloid"]
_CELLS: Final = U["red_cells"]
_PLASMA: Final = U["plasma"]
_CAPILLARY: Final = U["capillary_pressure"]
_URINE: Final = U["urine_flow"]
_LEAK: Final = U["leak_factor"]


@njit(error_model="numpy")
def shift(y, p, u):  # type: ignore[no-untyped-def]
    """Flow from the vessels into the tissue, mL/s. It cannot take plasma or tissue fluid that is not there."""
    change = y[PLASMA] + y[CELLS] - p[_START]
    flow = p[_GAIN] * (change - y[HELD]) + p[_FILTRATION] * (u[_CAPILLARY] - p[_CAPILLARY_REST])
    if flow > 0.0:
        flow *= min(max(y[PLASMA] / (0.1 * p[_START]), 0.0), 1.0)
    else:
        flow *= min(max(y[TISSUE] / (0.3 * p[_TISSUE_START]) - 1.0, 0.0), 1.0)
    return flow * PER_MIN


@njit(error_model="numpy")
def rhs(t, y, p, u, dydt):  # type: ignore[no-untyped-def]
    """Slopes, /s."""
    volume = max(y[PLASMA] + y[CELLS], 1.0)
    loss = u[_LOSS] * PER_MIN * min(volume / (0.1 * p[_START]), 1.0)
    crystalloid, colloid = u[_CRYSTALLOID] * PER_MIN, u[_COLLOID] * PER_MIN
    cells, plasma = u[_CELLS] * PER_MIN, u[_PLASMA] * PER_MIN
    # What is drunk makes up for the usual urine: only the rest is a loss, or a gain.
    urine = u[_URINE] * min(max(y[PLASMA] / (0.1 * p[_START]), 0.0), 1.0) - p[_INTAKE] * PER_MIN
    moved = shift(y, p, u)
    given = crystalloid + colloid + cells + plasma
    dydt[PLASMA] = (
        crystalloid + colloid + plasma + (1.0 - p[_UNIT_HCT]) * cells - loss * y[PLASMA] / volume - urine - moved
    )
    dydt[CELLS] = p[_UNIT_HCT] * cells - loss * y[CELLS] / volume
    dydt[HB] = 0.01 * p[_UNIT_HB] * cells - loss * y[HB] / volume
    dydt[TISSUE] = moved
    dydt[HELD] = (
        (crystalloid - urine) / (1.0 + p[_SPLIT_CRYSTALLOID])
        + colloid / (1.0 + p[_SPLIT_COLLOID])
        + plasma + cells
        - loss / (1.0 + p[_SPLIT_LOSS])
        - p[_ESCAPE] / 3_600.0 * max(u[_LEAK] - 1.0, 0.0) * max(y[PLASMA], 0.0)
    )  # fmt: skip
    dydt[FLOW] = (given - loss - urine - moved - y[FLOW]) / LAG_FLOW_S


@njit(error_model="numpy")
def observe(t, y, p, u, out):  # type: ignore[no-untyped-def]
    """Outputs in the order of `OUTPUTS`."""
    volume = max(y[PLASMA] + y[CELLS], 1.0)
    out[0] = y[PLASMA] + y[CELLS]
    out[1] = y[PLASMA]
    out[2] = y[TISSUE]
    out[3] = 100.0 * y[HB] / volume
    out[4] = 100.0 * y[CELLS] / volume
    out[5] = y[HB]
    out[6] = 60.0 * shift(y, p, u)


@njit(error_model="numpy")
def emit(t, y, p, x):  # type: ignore[no-untyped-def]
    """Exports."""
    volume = max(y[PLASMA] + y[CELLS], 1.0)
    x[0] = y[FLOW]
    x[1] = 100.0 * y[HB] / volume
    x[2] = y[CELLS] / volume


@njit(error_model="numpy")
def start(p, u, y):  # type: ignore[no-untyped-def]
    """Blood and tissue as the person's parameters say: steady, where capillary pressure is at rest."""
    y[CELLS] = p[_HCT] * p[_START]
    y[PLASMA] = p[_START] - y[CELLS]
    y[HB] = 0.01 * p[_MCHC] * y[CELLS]
    y[TISSUE] = p[_TISSUE_START]
    y[HELD] = 0.0
    y[FLOW] = 0.0

"""Noise by counter and the transformations: what must hold of every value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitruvian.estimation import key_of, primitives

BOUNDED = st.floats(-1e3, 1e3).flatmap(
    lambda low: st.tuples(st.just(low), st.floats(1e-3, 1e4).map(lambda width: low + width))
)


@given(BOUNDED, st.floats(0, 1))
def test_logit_returns_and_stays_inside(bounds, part):
    low, high = bounds
    value = low + part * (high - low)
    again = primitives.back(2, low, high, 1.0, primitives.forward(2, low, high, 1.0, value))
    assert low <= again <= high
    assert again == pytest.approx(value, abs=2e-9 * (high - low) + 1e-9 * abs(low))


@given(st.floats(-1e3, 1e3), st.floats(1e-6, 1e3), st.floats(0, 1e6))
def test_softplus_returns_stays_above_and_is_plain_far_out(low, width, above):
    value = low + above
    z = primitives.forward(3, low, math.inf, width, value)
    again = primitives.back(3, low, math.inf, width, z)
    assert again >= low
    assert again == pytest.approx(value, rel=1e-6, abs=2e-6 * width + 1e-9 * abs(low))
    if above > 40 * width:
        assert z == pytest.approx(above, rel=1e-9)


@given(st.sampled_from([0, 1, 2, 3]), BOUNDED, st.floats(allow_nan=False, allow_infinity=False))
def test_nothing_leaves_its_bounds(kind, bounds, z):
    low, high = bounds
    if kind == 1:
        low, high = abs(low) + 1e-6, abs(low) + 1e-6 + high - low
    value = primitives.back(kind, low, high, 0.3, z)
    assert value >= low
    assert value <= high or kind == 3
    assert not math.isnan(value)


@given(st.integers(0, 2**64 - 1), st.integers(-(2**40), 2**40), st.integers(0, 10_000), st.integers(0, 7))
def test_noise_is_a_function_of_its_counter(key, tick, member, stream):
    one = primitives.normal(np.uint64(key), tick, member, stream, 3)
    assert one == primitives.normal(np.uint64(key), tick, member, stream, 3)
    assert math.isfinite(one)
    others = {
        primitives.normal(np.uint64(key ^ 1), tick, member, stream, 3),
        primitives.normal(np.uint64(key), tick + 1, member, stream, 3),
        primitives.normal(np.uint64(key), tick, member + 1, stream, 3),
        primitives.normal(np.uint64(key), tick, member, stream + 1, 3),
        primitives.normal(np.uint64(key), tick, member, stream, 4),
    }
    assert len(others | {one}) == 6


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_noise_is_standard_normal_and_independent_along_each_axis(axis):
    out = np.empty((40, 50, 50))
    primitives.normals(np.array([key_of(str(i)) for i in range(40)], np.uint64), 3, 1, 0, out)
    assert abs(out.mean()) < 4 / math.sqrt(out.size)
    assert out.var() == pytest.approx(1.0, abs=4 * math.sqrt(2 / out.size))
    assert (out**4).mean() == pytest.approx(3.0, abs=0.15)
    moved = np.moveaxis(out, axis, 0)
    assert abs((moved[1:] * moved[:-1]).mean()) < 4 / math.sqrt(out.size)


def test_keys_are_the_same_on_every_machine():
    assert key_of("patient-1") == key_of("patient-1")
    assert key_of("patient-1") != key_of("patient-2") != key_of("patient-1", seed=1)
    assert key_of("ada") == 17488199364801933156

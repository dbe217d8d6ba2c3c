"""The one conformance suite of body models: what every room and every body must pass.

    class TestCirculation(ModelConformance):
        model = CIRCULATION

Each test speaks of the contract in `vitruvian.physiology.base`. A class may narrow `horizon` (in the model's time
unit), name `actions` that the model is exercised with, or give `conserved`, functions of the states that nothing inside
the model may change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from vitruvian.core.units import parse
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.physiology.actions import Action, schedule
from vitruvian.physiology.base import Model
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.run import Schedule, nothing, run
from vitruvian.physiology.simulate import population, settled

Floats = NDArray[np.float64]

PEOPLE = (
    REFERENCE,
    Person(25, "female", 165, 58),
    Person(70, "male", 172, 95),
    Person(82, "female", 155, 48),
)


class ModelConformance:
    """See the module."""

    model: ClassVar[Model]
    horizon: ClassVar[float] = 0.0  # in the model's time unit; by default ten minutes' worth, or ten units
    actions: ClassVar[Sequence[Action]] = ()
    people: ClassVar[Sequence[Person]] = PEOPLE
    conserved: ClassVar[Sequence[Callable[[Floats], Floats]]] = ()
    steady: ClassVar[bool] = True  # whether nothing happens while nothing is done
    drift_max: ClassVar[float] = 1e-2  # of each output's size, over the horizon, where it is steady
    oracle_rtol: ClassVar[float] = 1e-4

    @property
    def end(self) -> float:
        """The horizon."""
        return self.horizon or max(600.0 / self.model.seconds, 10.0)

    def _plan(self) -> Schedule:
        return schedule(self.model, self.actions, weight_kg=77.1) if self.actions else nothing(self.model)

    def _run(self, members: int = 8, rtol: float | None = None) -> tuple[Floats, Floats]:
        model = self.model
        p = population(model, REFERENCE, members, 7)
        times = np.linspace(0, self.end, 9)
        done = run(model, settled(model, p), p, 0.0, self.end, times, self._plan(), rtol=rtol).check(model)
        return done.outputs, done.end

    def test_every_unit_can_be_read_and_every_source_is_named(self) -> None:
        """Units parse, vocabulary outputs have the vocabulary's unit, sources and limits are written down."""
        model = self.model
        for kind in ("states", "parameters", "outputs", "inputs", "imports", "exports"):
            for one in getattr(model, kind):
                parse(one.unit)
        assert all(one.source for one in model.parameters)
        assert any(one.name in VOCABULARY for one in model.outputs)
        assert model.sources
        assert model.limits

    def test_kernels_write_everything(self) -> None:
        """No slope, output, export or start is left as it was."""
        model = self.model
        p = model.parameter_values()
        u, y = model.rest(), np.full(len(model.states), np.nan)
        model.start(p, u, y)
        assert np.isfinite(y).all(), [model.states[i].name for i in np.flatnonzero(~np.isfinite(y))]
        slope, out = np.full(len(model.states), np.nan), np.full(len(model.outputs), np.nan)
        model.rhs(0.0, y, p, u, slope)
        model.observe(0.0, y, p, u, out)
        assert np.isfinite(slope).all(), [model.states[i].name for i in np.flatnonzero(~np.isfinite(slope))]
        assert np.isfinite(out).all(), [model.outputs[i].name for i in np.flatnonzero(~np.isfinite(out))]
        if model.emit is not None:
            exports = np.full(len(model.exports), np.nan)
            model.emit(0.0, y, p, exports)
            assert np.isfinite(exports).all()

    def test_states_stay_possible(self) -> None:
        """Every state of every member stays between its bounds, and every output is a number."""
        outputs, end = self._run(32)
        low, high = (np.array([getattr(one, name) for one in self.model.states]) for name in ("low", "high"))
        slack = 1e-6 + 1e-6 * np.abs(np.where(np.isfinite(low), low, 0.0))
        outside = ((end < low - slack) | (end > high + 1e-6)).any(axis=0)
        assert not outside.any(), [self.model.states[i].name for i in np.flatnonzero(outside)]
        assert np.isfinite(outputs).all()

    def test_the_same_again_and_alone_or_together(self) -> None:
        """Twice the same bits, and a member alone is what it is among others."""
        first, again = self._run(), self._run()
        np.testing.assert_array_equal(first[0], again[0])
        alone = self._run(1)
        np.testing.assert_array_equal(first[0][0], alone[0][0])

    def test_a_finer_run_says_the_same(self) -> None:
        """At a hundredth of the tolerance the outputs agree: the default is fine enough."""
        coarse, fine = self._run(2)[0], self._run(2, rtol=self.model.rtol / 100)[0]
        size = np.maximum(np.abs(fine).max(axis=(0, 1)), 1e-9)
        error = np.abs(coarse - fine).max(axis=(0, 1)) / size
        assert error.max() < 5e-3, dict(zip([one.name for one in self.model.outputs], error.tolist(), strict=True))

    def test_an_independent_solver_agrees(self) -> None:
        """SciPy's implicit solver on the same equations, from the same start, with nothing done."""
        integrate = pytest.importorskip("scipy.integrate")
        model = self.model
        p = model.parameter_values()
        y, u = settled(model, p[None, :])[0], model.rest()

        def slope(t: float, state: Floats) -> Floats:
            found = np.empty(len(state))
            model.rhs(t, state, p, u, found)
            return found

        span = min(self.end, 60.0 / model.seconds if model.seconds < 60 else 10.0)
        theirs = integrate.solve_ivp(slope, (0, span), y, method="LSODA", rtol=1e-9, atol=1e-10).y[:, -1]
        ours = run(model, y[None, :], p[None, :], 0.0, span, rtol=min(model.rtol, 1e-8)).check(model).end[0]
        scale = np.maximum(np.abs(theirs), [one.tolerance / self.oracle_rtol for one in model.states])
        error = np.abs(ours - theirs) / scale
        assert error.max() < self.oracle_rtol, model.states[int(error.argmax())].name

    def test_nothing_done_nothing_happens(self) -> None:
        """Where the model has a steady state, it stands in it."""
        if not self.steady:
            pytest.skip("this model has no steady state")
        model = self.model
        p = model.parameter_values()[None, :]
        seen = run(model, settled(model, p), p, 0.0, self.end, np.linspace(0, self.end, 5)).check(model).outputs[0]
        size = np.maximum(np.abs(seen[0]), 1e-3 * np.maximum(np.abs(seen).max(axis=0), 1e-3))
        drift = np.abs(seen - seen[0]).max(axis=0) / size
        worst = int(drift.argmax())
        assert drift[worst] < self.drift_max, (model.outputs[worst].name, float(drift[worst]))

    def test_what_is_conserved(self) -> None:
        """Functions of the states that only the outside may change keep their value while nothing is done."""
        p = self.model.parameter_values()[None, :]
        y = settled(self.model, p)
        end = run(self.model, y, p, 0.0, self.end).check(self.model).end
        for conserved in self.conserved:
            np.testing.assert_allclose(conserved(end[0]), conserved(y[0]), rtol=1e-4)

    def test_people_of_all_sizes_have_possible_parameters(self) -> None:
        """Scaling to a person keeps parameters in their ranges, and the person can be simulated."""
        for person in self.people:
            values = self.model.parameter_values(person)
            for one, value in zip(self.model.parameters, values, strict=True):
                assert one.low <= value <= one.high, (person, one.name, value)
            p = values[None, :]
            run(self.model, settled(self.model, p), p, 0.0, self.end).check(self.model)

    def test_parameters_go_by_name_and_come_back(self) -> None:
        """Setting every parameter by name gives the same vector."""
        values = self.model.parameter_values()
        by_name = {one.name: float(value) for one, value in zip(self.model.parameters, values, strict=True)}
        np.testing.assert_array_equal(self.model.parameter_values(changes=by_name), values)

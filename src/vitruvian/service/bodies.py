"""What the service answers of bodies: estimates, forecasts, what-ifs, saved scenarios. Behind it is anything that has
a patient's posterior (`ports.BodiesPort`); where nothing has, it says that there is no body yet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from vitruvian.core.errors import ModelError, NotFoundError, Overloaded
from vitruvian.scenarios import RiskModels, Saved, Scenario, Scenarios, Signals, what_if
from vitruvian.service import body_build
from vitruvian.service.body_views import BodyView, ForecastView, ScenarioView, WhatIfView
from vitruvian.service.ports import BodiesPort

AT_ONCE: Final = 2  # what-ifs that compute; more wait their turn
WAIT_S: Final = 10.0
FORECASTS_MAX: Final = 256  # kept until their body moves
HORIZON_H_MAX: Final = 24.0
NO_BODY: Final = "there is no body of this patient yet: nothing that a body needs was measured, or none is kept here"


class BodyAnswers:
    """See the module. `known` turns a public id into the patient's number and the survivor's id (NotFoundError), and
    `signals` gives what the risk models have read of a number. `bodies` may be set once there are some.
    """

    def __init__(
        self,
        store: Scenarios,
        known: Callable[[str], tuple[int, str]],
        signals: Callable[[int], Signals | None],
        now_us: Callable[[], int],
        risk_models: RiskModels | None = None,
        bodies: BodiesPort | None = None,
    ) -> None:
        self.bodies = bodies
        self._store, self._known, self._signals, self._now_us = store, known, signals, now_us
        self._risk_models = risk_models or RiskModels()
        self._forecasts: dict[int, tuple[int, float, ForecastView]] = {}
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def body(self, patient: str) -> BodyView:
        """The body now: its standing, estimates, and what may be asked of it."""
        pid, public = self._known(patient)
        bodies = self.bodies
        posterior = None if bodies is None else bodies.posterior(pid)
        if bodies is None or posterior is None:
            return BodyView(public, "none", NO_BODY)
        return body_build.body_view(public, posterior, bodies.estimates(pid), self._signals(pid))

    def forecast(self, patient: str, hours: float) -> ForecastView:
        """What comes next with nothing changed."""
        pid, public = self._known(patient)
        posterior = None if self.bodies is None else self.bodies.posterior(pid)
        if self.bodies is None or posterior is None:
            return ForecastView(public, NO_BODY)
        horizon_s = min(hours, HORIZON_H_MAX) * 3_600.0
        unusable = ForecastView(public, posterior.reason or f"the body is {posterior.status}", posterior.at_us)
        if posterior.status in ("lost", "outside"):
            return unusable
        known = self._forecasts.get(pid)
        if known is not None and known[:2] == (posterior.at_us, horizon_s):
            return known[2]  # many pages may look at one patient; the body moves once a tick
        made = self.bodies.forecast(pid, horizon_s, max(60.0, horizon_s / 72))
        if made is None:
            return unusable
        view = body_build.forecast_view(public, posterior.at_us, made)
        if len(self._forecasts) >= FORECASTS_MAX:
            self._forecasts.clear()
        self._forecasts[pid] = (posterior.at_us, horizon_s, view)
        return view

    def what_if(self, patient: str, scenario: Scenario, outputs: Sequence[str] | None = None) -> WhatIfView:
        """What a scenario would change. Raises Overloaded where too many are asked at once."""
        pid, public = self._known(patient)
        posterior = None if self.bodies is None else self.bodies.posterior(pid)
        if posterior is None:
            raise NotFoundError(f"{NO_BODY}; a what-if needs one")
        if not self._turns.acquire(timeout=WAIT_S):
            raise Overloaded(f"found {AT_ONCE} what-ifs under way, expected fewer; try again")
        try:
            began_s = time.perf_counter()
            found = what_if(
                posterior, scenario, outputs=outputs, risk_models=self._risk_models, signals=self._signals(pid)
            )
            took_ms = 1e3 * (time.perf_counter() - began_s)
        finally:
            self._turns.release()
        return body_build.what_if_view(public, found, took_ms)

    # --- saved scenarios -----------------------------------------------------

    def saved(self, patient: str | None) -> list[ScenarioView]:
        """Those of a patient and those for everyone; None: all."""
        public = None if patient is None else self._known(patient)[1]
        return [_view(one) for one in self._store.list(public)]

    def scenario(self, which: str) -> ScenarioView:
        """One of them. Raises NotFoundError."""
        return _view(self._store.get(which))

    def save(self, patient: str, scenario: Scenario, by: str) -> ScenarioView:
        """Keep one under its name, durably. Raises ModelError where there is nothing in it."""
        if scenario.empty:
            raise ModelError("found a scenario in which nothing is done or changed, expected something to save")
        public = self._known(patient)[1] if patient else ""
        return _view(self._store.save(public, scenario, by, self._now_us()))

    def delete(self, which: str) -> ScenarioView:
        """Forget one; answers what it was."""
        return _view(self._store.delete(which))


def _view(saved: Saved) -> ScenarioView:
    return body_build.scenario_view(saved.scenario, saved.id, saved.patient, saved.by, saved.saved_us)

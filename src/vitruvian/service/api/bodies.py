"""Bodies over HTTP: estimates, forecasts, what-ifs, and saved scenarios. Everything answered here is simulated."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from vitruvian.physiology.actions import Action
from vitruvian.scenarios import Scenario
from vitruvian.scenarios.scenario import (
    ACTIONS_MAX,
    EDITS_MAX,
    HORIZON_S_MAX,
    HORIZON_S_MIN,
    NAME_CHARS_MAX,
    WORD_CHARS_MAX,
)
from vitruvian.service.access import Who, allow
from vitruvian.service.answers import Ward, answer
from vitruvian.service.bodies import HORIZON_H_MAX
from vitruvian.trust import Permission

patients = APIRouter(prefix="/api/v1/patients", tags=["bodies"])
scenarios = APIRouter(prefix="/api/v1/scenarios", tags=["scenarios"])
Id = Annotated[str, Path(max_length=300, description="The patient's id, as in the list of patients")]
ScenarioId = Annotated[str, Path(max_length=64, pattern="^[0-9a-f]+$", description="As in the list of scenarios")]
OUTPUTS_MAX: Final = 100
TIME_S_MAX: Final = 1e7
NUMBER_MAX: Final = 1e9

Word = Annotated[str, Field(min_length=1, max_length=WORD_CHARS_MAX)]
Number = Annotated[float, Field(ge=-NUMBER_MAX, le=NUMBER_MAX, allow_inf_nan=False)]


class ActionIn(BaseModel):
    """An intervention: `value` in `unit` (UCUM; empty: the model's own) of what `name` names, from `start_s` seconds
    from now on for `duration_s`. A rate or setting without a duration holds to the end; an amount without one is given
    at once.
    """

    model_config = ConfigDict(extra="forbid")
    name: Word
    value: float = Field(ge=0, le=NUMBER_MAX, allow_inf_nan=False)
    unit: str = Field(default="", max_length=40)
    start_s: float = Field(default=0.0, ge=0, le=TIME_S_MAX, allow_inf_nan=False)
    duration_s: float | None = Field(default=None, gt=0, le=TIME_S_MAX, allow_inf_nan=False)


class WhatIfIn(BaseModel):
    """A scenario: what is done from now on, and what is taken to be otherwise now. `edits` maps a vital sign or
    laboratory value of the vocabulary (in its unit), `age_years`, `body_height`, `body_weight`, or a parameter of the
    model to a number. `outputs` asks for some of the model's outputs only.
    """

    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="", max_length=NAME_CHARS_MAX)
    actions: list[ActionIn] = Field(default=[], max_length=ACTIONS_MAX)
    edits: dict[Word, Number] = Field(default={}, max_length=EDITS_MAX)
    horizon_s: float = Field(default=6 * 3_600.0, ge=HORIZON_S_MIN, le=HORIZON_S_MAX, allow_inf_nan=False)
    outputs: list[Word] | None = Field(default=None, min_length=1, max_length=OUTPUTS_MAX)

    def scenario(self) -> Scenario:
        """As the model takes it."""
        actions = tuple(Action(one.name, one.value, one.unit, one.start_s, one.duration_s) for one in self.actions)
        return Scenario(self.name, actions, tuple(self.edits.items()), self.horizon_s)


class ScenarioIn(WhatIfIn):
    """A scenario to keep, by its name; of one patient, or for everyone where `patient` is empty."""

    name: str = Field(min_length=1, max_length=NAME_CHARS_MAX, pattern=r"\S")
    patient: str = Field(default="", max_length=300)


@patients.get("/{patient}/body", dependencies=[allow(Permission.READ)])
def body(ward: Ward, patient: Id) -> Response:
    """The patient's body as the model has it: how far it can be trusted, what it estimates of what is not measured, and
    which interventions and edits a what-if may speak of.
    """
    return answer(ward, lambda: {"body": ward.body_answers.body(patient)})


@patients.get("/{patient}/forecast", dependencies=[allow(Permission.READ)])
def forecast(
    ward: Ward, patient: Id, hours: Annotated[float, Query(ge=0.1, le=HORIZON_H_MAX, allow_inf_nan=False)] = 6.0
) -> Response:
    """What comes next with nothing changed: quantiles of each output over time."""
    return answer(ward, lambda: {"forecast": ward.body_answers.forecast(patient, hours)})


@patients.post("/{patient}/what-if", dependencies=[allow(Permission.READ)])
def what_if(ward: Ward, patient: Id, body: WhatIfIn) -> Response:
    """What a scenario would change, against doing nothing: both, their difference with its interval, how much of it the
    patient's data decided, and scores and risks computed again. Nothing is kept.
    """
    return answer(ward, lambda: {"what_if": ward.body_answers.what_if(patient, body.scenario(), body.outputs)})


@scenarios.get("", dependencies=[allow(Permission.READ)])
def saved(
    ward: Ward, patient: Annotated[str | None, Query(max_length=300, description="And those for everyone")] = None
) -> Response:
    """Saved scenarios: of a patient and for everyone, or all."""
    return answer(ward, lambda: {"scenarios": ward.body_answers.saved(patient)})


@scenarios.post("", dependencies=[allow(Permission.ACT)])
def save(ward: Ward, who: Who, body: ScenarioIn) -> Response:
    """Keep a scenario; the same name of the same patient is replaced. Answered once it is kept."""
    kept = ward.body_answers.save(body.patient, body.scenario(), who.name)
    return answer(ward, lambda: {"scenario": kept})


@scenarios.get("/{scenario}", dependencies=[allow(Permission.READ)])
def one(ward: Ward, scenario: ScenarioId) -> Response:
    """One saved scenario."""
    return answer(ward, lambda: {"scenario": ward.body_answers.scenario(scenario)})


@scenarios.delete("/{scenario}", dependencies=[allow(Permission.ACT)])
def delete(ward: Ward, scenario: ScenarioId) -> Response:
    """Forget a saved scenario; answers what it was."""
    gone = ward.body_answers.delete(scenario)
    return answer(ward, lambda: {"scenario": gone})

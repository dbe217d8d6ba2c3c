"""The models that run: what they are, and exchanging them while the ward runs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from vitruvian.service.access import Who, allow
from vitruvian.service.answers import Ward, answer
from vitruvian.trust import Permission

router = APIRouter(prefix="/api/v1/models", tags=["models"])
Task = Annotated[str, Path(max_length=64, description="The task, as in the list of models")]


class Load(BaseModel):
    """A model to run. `folder`: its name in the directory of models, or `shipped`; `serves`: a variant of it, or one
    member as VARIANT/MEMBER, instead of what the model itself says.
    """

    model_config = ConfigDict(extra="forbid")
    folder: str = Field(min_length=1, max_length=200)
    role: Literal["champion", "shadow"] = "champion"
    serves: str = Field(default="", max_length=100)


@router.get("", dependencies=[allow(Permission.OPERATE)])
def models(ward: Ward) -> Response:
    """What runs: every task's champion and shadow, with figures and how far the two differ. No patient is named."""
    return answer(ward, lambda: {"models": ward.models()})


@router.post("/{task}", dependencies=[allow(Permission.OPERATE)])
def load(ward: Ward, who: Who, task: Task, body: Load) -> Response:
    """Load a model, check it, and let it run from the next batch on; one that fails is refused, and nothing changes."""
    done = ward.load_model(task, body.folder, body.role, who.name, body.serves)
    return answer(ward, lambda: {"model": done})


@router.delete("/{task}/shadow", dependencies=[allow(Permission.OPERATE)])
def drop_shadow(ward: Ward, who: Who, task: Task) -> Response:
    """Run a task's champion alone."""
    ward.drop_shadow(task, who.name)
    return answer(ward, lambda: {"models": ward.models()})

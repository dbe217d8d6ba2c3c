"""The models that run, as operators see them. No patient is named."""

from __future__ import annotations

from vitruvian.service.model_settings import Role
from vitruvian.service.models import Loaded
from vitruvian.service.risk_views import ModelView
from vitruvian.service.scoring import Scoring

__all__ = ["model_view", "model_views"]


def model_views(scoring: Scoring) -> list[ModelView]:
    """Every task's champion, and its shadow where there is one."""
    running = scoring.models.running
    found = [model_view(scoring, one, "champion") for one in running.champions.values()]
    return found + [model_view(scoring, one, "shadow") for one in running.shadows.values()]


def model_view(scoring: Scoring, loaded: Loaded, role: Role) -> ModelView:
    """One of them."""
    predictor, task = loaded.predictor, loaded.predictor.task
    shadow, told = role == "shadow", predictor.bundle.told
    trained = told["split"].get("train") if isinstance(told.get("split"), dict) else None
    return ModelView(
        task.name, task.title, role, predictor.version, predictor.served,
        tuple(member.name for member in predictor.members), loaded.folder, predictor.horizon_h, predictor.threshold,
        predictor.validated, predictor.simulated, str(told.get("data", "")), loaded.since_us,
        loaded.by or "the package", loaded.checked, loaded.figures,
        fault=scoring.failed.get(f"{task.name} (shadow)" if shadow else task.name, ""),
        disagreement=scoring.shadows.told(task.name) if shadow else None,
        last=tuple(scoring.shadows.last(task.name)) if shadow else (),
        patients=trained if isinstance(trained, int) else None, usual=predictor.prevalence,
        intended=str(told.get("intended_use", "")), limits=tuple(str(one) for one in told.get("limits", ())),
    )  # fmt: skip

"""The models that a ward runs: a champion and perhaps a shadow of each task, exchanged while the ward runs.

What runs is one unchanging `Running`. Whoever scores takes it once a batch; loading makes and checks a new one apart
and puts it in place of the old in one step. So a batch is scored by one model from beginning to end, and a model that
does not load or does not pass its checks changes nothing.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from vitruvian.core.errors import ConfigurationError, ModelError, NotFoundError, VitruvianError
from vitruvian.core.time import Clock, isoformat
from vitruvian.prediction.serve import selftest
from vitruvian.prediction.serve.predictor import Predictor
from vitruvian.prediction.tasks import TASKS, task
from vitruvian.service.model_settings import SHIPPED, Chosen, Kept, ModelSettings, Role, shipped_tasks

__all__ = ["MAIN", "Group", "Loaded", "Models", "Running", "figures_of"]

log = logging.getLogger(__name__)
MAIN: Final = "sepsis"  # the risk that the ward's rows show
# Of evaluation.json, where it has them, with their 95 % intervals.
FIGURES: Final = (
    "auroc", "auprc", "brier", "brier_skill", "calibration_slope", "utility", "event1",
    "alarms_per_patient_day", "alarm_precision", "sensitivity",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that runs: how it came here, and what it passed."""

    predictor: Predictor
    chosen: Chosen
    since_us: int
    by: str
    checked: tuple[str, ...]
    figures: Mapping[str, object] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The name of its folder, as operators know it."""
        return SHIPPED if self.chosen.folder is None else self.chosen.folder.name


@dataclass(frozen=True, slots=True)
class Group:
    """Champions that are scored together. `names`: every feature that they need; `windowed`: whether one of them reads
    hours.
    """

    champions: Mapping[str, Loaded]
    names: tuple[str, ...]
    windowed: bool

    @classmethod
    def of(cls, champions: Mapping[str, Loaded]) -> Group:
        """These."""
        predictors = [one.predictor for one in champions.values()]
        names = tuple(dict.fromkeys(name for one in predictors for name in one.needed))
        return cls(champions, names, any(one.windowed for one in predictors))

    @property
    def predictors(self) -> dict[str, Predictor]:
        """Their predictors."""
        return {name: one.predictor for name, one in self.champions.items()}


@dataclass(frozen=True, slots=True)
class Running:
    """What runs, by task in the order of `TASKS`: the champions in all, the `main` one, the `others`; and shadows."""

    champions: Mapping[str, Loaded]
    shadows: Mapping[str, Loaded]
    main: Group
    others: Group

    @classmethod
    def of(cls, champions: Mapping[str, Loaded], shadows: Mapping[str, Loaded]) -> Running:
        """These models; a shadow of a task without a champion has nobody to be compared with, and is left out."""
        ordered = {name: champions[name] for name in TASKS if name in champions}
        beside = {name: shadows[name] for name in ordered if name in shadows}
        main = Group.of({name: one for name, one in ordered.items() if name == MAIN})
        return cls(ordered, beside, main, Group.of({name: one for name, one in ordered.items() if name != MAIN}))

    @property
    def predictors(self) -> dict[str, Predictor]:
        """The champions' predictors."""
        return {name: one.predictor for name, one in self.champions.items()}


class Models:
    """See the module. `running` may be read by any thread; `load` and `drop_shadow` take turns."""

    def __init__(self, settings: ModelSettings, journal: Path, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._kept = Kept(journal)
        self._turn = threading.Lock()
        self.notes: list[str] = []  # what could not be loaded at the start, for whoever runs the ward
        champions = self._at_start("champion", {name: Chosen() for name in shipped_tasks()})
        self.running = Running.of(champions, self._at_start("shadow", {}))

    def _at_start(self, role: Role, shipped: Mapping[str, Chosen]) -> dict[str, Loaded]:
        """What was chosen while the ward ran, else what the command line says, else what is shipped.

        A choice whose folder has gone bad is noted and passed over; a bad folder of the command line is an error.
        """
        found: dict[str, Loaded] = {}
        chosen = self._kept.chosen(role, self._settings)
        told = {**shipped, **self._settings.told(role)}
        for name in TASKS:
            if name in chosen:
                again = chosen[name]
                if again is None and role == "shadow":
                    continue
                try:
                    found[name] = self._loaded(name, again or Chosen(), "chosen before the restart")
                    continue
                except VitruvianError as error:
                    self.notes.append(f"{role} of {name} chosen before the restart is not run: {error}")
                    log.error("the %s of %s chosen before the restart cannot be loaded: %s", role, name, error)
            if name in told:
                found[name] = self._loaded(
                    name, told[name], "the command line" if name in self._settings.told(role) else ""
                )
        return found

    def _loaded(self, name: str, chosen: Chosen, by: str) -> Loaded:
        predictor = Predictor.load(chosen.folder, name, chosen.serves or None)
        checked = selftest.check(predictor)
        # The evaluation in the folder is of what the bundle itself serves, and says nothing of another variant.
        measured = predictor.served == str(predictor.bundle.told["serves"])
        figures = figures_of(predictor.bundle.folder) if measured else {}
        return Loaded(predictor, chosen, self._clock.now_us(), by, checked, figures)

    # --- while the ward runs -------------------------------------------------

    def load(self, name: str, folder: str, role: Role, by: str, serves: str = "") -> Loaded:
        """Load a folder of the configured directory (or `shipped`), check it, and let it run from the next batch on.

        Raises ModelError where it does not load or pass (what ran goes on running), NotFoundError where there is no
        such folder or task, ConfigurationError where no directory is configured.
        """
        of = self._task(name)
        with self._turn:
            try:
                chosen = Chosen(self._folder(folder), serves)
                made = self._loaded(of, chosen, by)
                if role == "shadow" and of not in self.running.champions:
                    raise ModelError(f"found no champion of {of} to run beside; load this model as champion")
            except VitruvianError as error:
                self._note(by, "refused", of, role, folder, error=str(error))
                raise
            before = self._place(role).get(of)
            self._kept.choose(role, of, chosen, self._settings)  # durable first: a restart finds what was answered
            self._put(role, {**self._place(role), of: made})
            self._note(
                by, "loaded", of, role, folder, version=made.predictor.version, served=made.predictor.served,
                instead_of=before.predictor.version if before else "",
            )  # fmt: skip
            return made

    def drop_shadow(self, name: str, by: str) -> None:
        """Run a task's champion alone. Raises NotFoundError where it has no shadow."""
        of = self._task(name)
        with self._turn:
            if of not in self.running.shadows:
                raise NotFoundError(f"found no shadow of {of}; see the list of models")
            self._kept.choose("shadow", of, None, self._settings)
            self._put("shadow", {task: one for task, one in self.running.shadows.items() if task != of})
            self._note(by, "dropped", of, "shadow", "")

    def note(self, action: str, **told: object) -> None:
        """Add a line to the log of models."""
        self._kept.log({"at": isoformat(self._clock.now_us()), "action": action, **told})

    def _task(self, name: str) -> str:
        try:
            return task(name).name
        except ConfigurationError as error:
            raise NotFoundError(str(error)) from None

    def _folder(self, name: str) -> Path | None:
        """The folder of that name in the directory. Only a plain name: no path leads out of it."""
        if name == SHIPPED:
            return None
        directory = self._settings.directory
        if directory is None:
            raise ConfigurationError("found no directory of models, expected one; start with --models DIR")
        folder = directory / name
        plain = name and name not in (".", "..") and "/" not in name and "\\" not in name and "\0" not in name
        if not plain or folder.resolve().parent != directory.resolve() or not folder.is_dir():
            raise NotFoundError(f"found no model {name[:100]!r} in the directory of models; put its folder there")
        return folder.resolve()

    def _place(self, role: Role) -> Mapping[str, Loaded]:
        return self.running.champions if role == "champion" else self.running.shadows

    def _put(self, role: Role, models: Mapping[str, Loaded]) -> None:
        now = self.running
        self.running = Running.of(models, now.shadows) if role == "champion" else Running.of(now.champions, models)

    def _note(self, by: str, action: str, of: str, role: Role, folder: str, **told: object) -> None:
        self.note(action, by=by, task=of, role=role, folder=folder, **told)
        log.warning("model %s as %s of %s by %s: %s", action, role, of, by, told)


def figures_of(folder: Path) -> dict[str, object]:
    """What the model's evaluation measured, as far as it lies in the folder."""
    try:
        told = json.loads((folder / "evaluation.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(told, dict):
        return {}
    wanted = [name for figure in FIGURES for name in (figure, f"{figure}_95")]
    return {name: told[name] for name in (*wanted, "data") if name in told}

"""Which models a ward runs: told on the command line, and chosen since, while it ran."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from vitruvian.core.errors import ConfigurationError, ModelError
from vitruvian.prediction.serve.bundle import FILE, MODELS, Bundle
from vitruvian.prediction.tasks import TASKS, task

__all__ = ["SHIPPED", "Chosen", "Kept", "ModelSettings", "Role", "shipped_tasks"]

Role = Literal["champion", "shadow"]
ROLES: Final[tuple[Role, ...]] = ("champion", "shadow")
SHIPPED: Final = "shipped"  # the name of the model that comes with the package
FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model's folder (None: the shipped one), and what of it is to serve (empty: what its bundle says)."""

    folder: Path | None = None
    serves: str = ""

    @classmethod
    def read(cls, text: str) -> Chosen:
        """Of `DIR`, `DIR#VARIANT` or `DIR#VARIANT/MEMBER`; `shipped` for the shipped one. The last `#` counts."""
        folder, _, serves = text.rpartition("#") if "#" in text else (text, "", "")
        return cls(None if folder == SHIPPED else Path(folder), serves)

    @property
    def text(self) -> str:
        """As `read` takes it."""
        folder = SHIPPED if self.folder is None else str(self.folder)
        return f"{folder}#{self.serves}" if self.serves or "#" in folder else folder


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Models by task that run instead of the shipped ones, or beside them (`shadows`). `directory`: folders in it may
    be loaded while the ward runs; None: none may.
    """

    champions: Mapping[str, Chosen] = field(default_factory=dict)
    shadows: Mapping[str, Chosen] = field(default_factory=dict)
    directory: Path | None = None

    @classmethod
    def read(
        cls, models: Sequence[str] = (), shadows: Sequence[str] = (), directory: Path | None = None
    ) -> ModelSettings:
        """Of `TASK=DIR` each, or `DIR` alone, whose bundle says its task. Raises ConfigurationError, ModelError."""
        if directory is not None and not directory.is_dir():
            raise ConfigurationError(
                f"found no folder {directory}, expected one that holds models; make it, or name it"
            )
        return cls(_by_task(models), _by_task(shadows), directory)

    def told(self, role: Role) -> Mapping[str, Chosen]:
        """What the command line says of a role."""
        return self.champions if role == "champion" else self.shadows


def _by_task(given: Sequence[str]) -> dict[str, Chosen]:
    found: dict[str, Chosen] = {}
    for text in given:
        name, told, rest = text.partition("=")
        chosen = Chosen.read(rest if told else text)
        of = task(name).name if told else _task_of(chosen)
        if of in found:
            raise ConfigurationError(f"found two models of {of}, expected one; give another as --shadow {of}=DIR")
        found[of] = chosen
    return found


def _task_of(chosen: Chosen) -> str:
    if chosen.folder is None:
        raise ConfigurationError("found a model without its task, expected TASK=DIR; such as sepsis=shipped")
    told = Bundle.read(chosen.folder).told.get("task")
    if not isinstance(told, str):
        raise ModelError(f"found {chosen.folder / FILE} without a task; train the model again")
    return task(told).name


def shipped_tasks() -> tuple[str, ...]:
    """The tasks of which a model comes with the package."""
    return tuple(name for name in TASKS if (MODELS / name / FILE).is_file())


class Kept:
    """What was chosen while the ward ran, in a small file beside the journal; and a log of who chose what.

    A choice lasts over restarts as long as the command line says what it said when the choice was made: a new command
    line is a newer decision.
    """

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + ".models.json")
        self.log_path = journal.with_name(journal.name + ".models.log")
        self._told = self._read()

    def _read(self) -> dict[str, Any]:
        try:
            told = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {"format": FORMAT, "chosen": {}}
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"found {self.path}, which cannot be read ({error}); mend or remove it") from None
        if not isinstance(told, dict) or told.get("format") != FORMAT or not isinstance(told.get("chosen"), dict):
            raise ConfigurationError(f"found {self.path} of another format, expected {FORMAT}; remove it")
        return told

    def chosen(self, role: Role, settings: ModelSettings) -> dict[str, Chosen | None]:
        """What was chosen of a role and still stands, by task; None: that there be none."""
        found: dict[str, Chosen | None] = {}
        for name, row in self._told["chosen"].get(role, {}).items():
            told = settings.told(role).get(name)
            if name in TASKS and row["instead_of"] == (told.text if told else ""):
                found[name] = None if row["model"] is None else Chosen.read(row["model"])
        return found

    def choose(self, role: Role, name: str, chosen: Chosen | None, settings: ModelSettings) -> None:
        """Keep a choice, durably."""
        told = settings.told(role).get(name)
        row = {"model": chosen.text if chosen else None, "instead_of": told.text if told else ""}
        self._told["chosen"].setdefault(role, {})[name] = row
        partial = self.path.with_name(self.path.name + ".partial")
        with partial.open("w", encoding="utf-8") as file:
            json.dump(self._told, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.path)

    def log(self, row: Mapping[str, object]) -> None:
        """Add a line to the log."""
        with self.log_path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())

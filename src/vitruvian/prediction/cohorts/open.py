"""One door to every form of labelled data: what a path holds is told by its form, and read as a cohort of a task.

Every form, with an example: docs/data_forms.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vitruvian.core.errors import ConfigurationError, ReadingError
from vitruvian.prediction.cohorts.base import Cohort
from vitruvian.prediction.cohorts.derived import DERIVED, relabelled
from vitruvian.prediction.tasks import Task, task

__all__ = ["FORMS", "Form", "form_of", "open_cohort"]

_SIMULATED: Final = re.compile(r"^simulated(?::(\d+))?(?::(\d+))?$")
SIMULATED_PATIENTS_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Form:
    """A form of data: its name, how it looks, whether a path has it, and its reader (imported only when needed)."""

    name: str
    looks: str
    has: Callable[[Path], bool]
    read: Callable[[Path, Task], Cohort]


def open_cohort(wanted: Task | str, path: Path | str) -> Cohort:
    """Read what lies at `path` with labels of a task (or its name).

    `simulated`, `simulated:PATIENTS` or `simulated:PATIENTS:SEED` makes simulated patients. Raises ConfigurationError
    for an unknown task, ReadingError where the path is absent, of no known form, or without labels of the task.
    """
    from polars.exceptions import PolarsError

    found = task(wanted) if isinstance(wanted, str) else wanted
    form = form_of(path)
    try:
        return form.read(Path(path), found)
    except PolarsError as error:  # a column of another kind than the form has, which no reader looked at closely
        said = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ReadingError(
            f"found {path} in the form {form.name}, with what cannot be taken ({said}); mend it"
        ) from error


def form_of(path: Path | str) -> Form:
    """The form of a path, the more particular first. Raises ReadingError, which lists the forms."""
    path = Path(path)
    if not _SIMULATED.match(str(path)) and not path.exists():
        raise ReadingError(f"found nothing at {path}, expected a file or a folder; check the spelling")
    for form in FORMS:
        if form.has(path):
            return form
    listed = "; ".join(f"{form.name}: {form.looks}" for form in FORMS)
    raise ReadingError(f"found {path} in no known form, expected one of: {listed}; see docs/data_forms.md")


def _is_simulated(path: Path) -> bool:
    return _SIMULATED.match(str(path)) is not None and not path.exists()


def _simulated(path: Path, wanted: Task) -> Cohort:
    from vitruvian.prediction.cohorts.simulated import simulate_cohort

    match = _SIMULATED.match(str(path))
    assert match is not None
    patients, seed = int(match[1] or 400), int(match[2] or 0)
    if not 1 <= patients <= SIMULATED_PATIENTS_MAX:
        raise ConfigurationError(f"found {patients} simulated patients, expected 1 to {SIMULATED_PATIENTS_MAX}")
    return simulate_cohort(wanted, patients, seed)


def _is_eicu(path: Path) -> bool:
    inside = (path, path / "eicu_demo")
    return any((one / "dyn.parquet").is_file() for one in inside) or any(path.glob("*/eicu_demo/dyn.parquet"))


def _eicu(path: Path, wanted: Task) -> Cohort:
    from vitruvian.prediction.cohorts.eicu import TASK_FOLDERS, read_eicu

    if wanted.name in TASK_FOLDERS or wanted.name not in DERIVED:
        return read_eicu(path, wanted.name)
    named = next((one for one in (path.name, path.parent.name) if one in TASK_FOLDERS), "sepsis")
    return relabelled(read_eicu(path, named), wanted)


def _is_challenge2012(path: Path) -> bool:
    return path.is_dir() and any(path.glob("set-*.parquet")) and any(path.glob("Outcomes-*.txt"))


def _challenge2012(path: Path, wanted: Task) -> Cohort:
    from vitruvian.prediction.cohorts.challenge2012 import read_challenge2012

    if wanted.name == "mortality":
        return read_challenge2012(path)
    if wanted.name in DERIVED:
        return relabelled(read_challenge2012(path), wanted)
    raise ReadingError(
        f"found Challenge 2012 data, which say nothing of {wanted.name}; expected mortality or {_made()}"
    )


def _hours(path: Path) -> Path:
    """The Challenge 2019 table itself, where a folder holds one and no .psv file."""
    if path.is_dir() and next(path.glob("*.psv"), None) is None:
        return next(iter(sorted(path.glob("training_set*.parquet"))), path)
    return path


def _is_challenge2019(path: Path) -> bool:
    from vitruvian.prediction.cohorts.challenge2019 import is_challenge2019

    return is_challenge2019(_hours(path))


def _challenge2019(path: Path, wanted: Task) -> Cohort:
    from vitruvian.prediction.cohorts.challenge2019 import read_challenge2019

    cohort = read_challenge2019(_hours(path))
    if wanted.name == "sepsis":
        return cohort
    if wanted.name in DERIVED:
        return relabelled(cohort, wanted)
    raise ReadingError(f"found Challenge 2019 hours, which say nothing of {wanted.name}; expected sepsis or {_made()}")


def _made() -> str:
    return " or ".join(DERIVED)


def _is_mimic(path: Path) -> bool:
    from vitruvian.prediction.cohorts.mimic import is_mimic

    return is_mimic(path)


def _mimic(path: Path, wanted: Task) -> Cohort:
    from vitruvian.prediction.cohorts.mimic import read_mimic

    return read_mimic(path, wanted)


def _is_fhir(path: Path) -> bool:
    from vitruvian.prediction.cohorts.synthea import is_fhir

    return is_fhir(path)


def _fhir(path: Path, wanted: Task) -> Cohort:
    from vitruvian.prediction.cohorts.synthea import read_fhir

    return read_fhir(path, wanted)


def _is_labelled(path: Path) -> bool:
    from vitruvian.prediction.cohorts.labelled import is_labelled

    return is_labelled(path)


def _labelled(path: Path, wanted: Task) -> Cohort:
    from vitruvian.prediction.cohorts.labelled import read_labelled

    return read_labelled(path, wanted)


FORMS: Final[tuple[Form, ...]] = (
    Form("simulated", "the word simulated, or simulated:PATIENTS:SEED", _is_simulated, _simulated),
    Form("eicu-demo", "a folder with dyn.parquet, sta.parquet and outc.parquet", _is_eicu, _eicu),
    Form(
        "challenge2012", "a folder with set-*.parquet and Outcomes-*.txt", _is_challenge2012, _challenge2012
    ),
    Form(
        "challenge2019", "a folder of .psv files, or one table with `patient` and ICULOS", _is_challenge2019,
        _challenge2019,
    ),
    Form("mimic-iv", "a folder with hosp/ and icu/ as published", _is_mimic, _mimic),
    Form("labelled", "one .csv or .parquet with patient, hour, label and concepts", _is_labelled, _labelled),
    Form("fhir", "Synthea's NDJSON, or a folder of bundles (.json)", _is_fhir, _fhir),
)  # fmt: skip

"""The validation table of `tests/reference/validation`: read, run, measured and scored. Its README gives the terms."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import VitruvianError
from vitruvian.physiology.bodies import body
from vitruvian.physiology.person import REFERENCE, Person
from vitruvian.physiology.simulate import Action, simulate
from vitruvian.physiology.trajectories import Trajectories

FOLDER: Final = Path(__file__).resolve().parent.parent / "tests" / "reference" / "validation"
DOMAINS: Final = ("circulation", "respiration", "drugs", "kidney", "fluids", "inflammation")
POINTS: Final = 2_000
GOOD, FAIR = 0.10, 0.30
RANGE_FAIR: Final = 0.10
STILL: Final = 0.01  # a smaller share of the baseline is no rise and no fall
STILL_PH: Final = 0.02  # of a logarithm, a share says nothing
DIRECTIONS: Final = ("rises", "falls")


@dataclass(frozen=True)
class Check:
    """One row: what is measured in a scenario, what is expected, and from where."""

    id: str
    domain: str
    output: str
    unit: str
    expect: Any
    source: str
    at: str | float = "end"
    how: str = "value"
    over: str = ""
    level: float = math.nan
    baseline_s: float = 0.0
    from_s: float = 0.0
    to_s: float = math.inf
    anchor: bool = False
    note: str = ""
    withdrawn: str = ""


@dataclass(frozen=True)
class Scenario:
    """What is done to whom, and the checks made of it."""

    id: str
    body: str
    for_s: float
    checks: tuple[Check, ...]
    person: Person = REFERENCE
    actions: tuple[Action, ...] = ()
    every_s: float | None = None
    about: str = ""


@dataclass(frozen=True)
class Verdict:
    """What a check got (NaN where it could not be run), the error by the rule, and good, fair, bad or withdrawn."""

    check: Check
    got: float
    error: float
    word: str
    trouble: str = ""


def sources(folder: Path = FOLDER) -> dict[str, str]:
    """Citations by key."""
    return tomllib.loads((folder / "sources.toml").read_text("utf-8"))


def scenarios(folder: Path = FOLDER) -> list[Scenario]:
    """Every scenario of the table, in the order of the files' names."""
    found = []
    for path in sorted(folder.glob("*.toml")):
        found += [_scenario(one) for one in tomllib.loads(path.read_text("utf-8")).get("scenario", ())]
    return found


def _scenario(given: dict[str, Any]) -> Scenario:
    domain, name = given.pop("domain"), given["id"]
    checks = tuple(_check(one, name, domain) for one in given.pop("check"))
    actions = [Action(*one) for one in given.pop("actions", ())]
    if daily := given.pop("daily", None):
        actions += [Action(*daily["action"], start_s=86_400.0 * day) for day in range(daily["days"])]
    person = Person(**given.pop("person")) if "person" in given else REFERENCE
    return Scenario(checks=checks, actions=tuple(actions), person=person, **given)


def _check(given: dict[str, Any], scenario: str, domain: str) -> Check:
    name, how = f"{scenario}/{given.pop('id')}", given.pop("as", "value")
    return Check(id=name, how=how, domain=given.pop("domain", domain), **given)


# --- measuring -----------------------------------------------------------------


def played(scenario: Scenario) -> Trajectories:
    """The scenario run. Raises what the library raises."""
    every_s = scenario.every_s or scenario.for_s / POINTS
    return simulate(
        body(scenario.body), scenario.actions, for_s=scenario.for_s, every_s=every_s, person=scenario.person
    )


def measured(check: Check, run: Trajectories) -> float:
    """What the check measures, in its unit."""
    t, series = run.times_s, run.of(check.output)[0]
    if check.over and check.how != "slope":
        series = series / run.of(check.over)[0]
    got = _taken(check, t, series)
    if check.how == "value":
        return got
    before = float(np.interp(check.baseline_s, t, series))
    if check.how == "ratio":
        return got / before
    if check.how == "change":
        return got - before
    if check.how == "slope":
        other = run.of(check.over)[0]
        return (got - before) / (_taken(check, t, other) - float(np.interp(check.baseline_s, t, other)))
    raise ValueError(f"{check.id}: found as = {check.how!r}, expected value, ratio, change or slope")


def _taken(check: Check, t: NDArray[np.float64], series: NDArray[np.float64]) -> float:
    if not isinstance(check.at, str):
        return float(np.interp(check.at, t, series))
    within = (t >= check.from_s) & (t <= check.to_s)
    t, series = t[within], series[within]
    if check.at == "time_below":
        below = np.flatnonzero(series < check.level)
        return float(t[below[0]] - check.from_s) if below.size else math.inf
    simple = {"start": series[0], "end": series[-1], "min": series.min(), "max": series.max(), "mean": series.mean()}
    simple["time_of_max"] = t[int(np.argmax(series))] - check.from_s
    return float(simple[check.at])


# --- scoring -------------------------------------------------------------------


def scored(check: Check, got: float, others: Mapping[str, float], before: float = math.nan) -> tuple[float, str]:
    """(error, verdict) of a value; `others` holds what earlier checks got, `before` the value at the baseline."""
    expect = check.expect
    if not math.isfinite(got) and check.at != "time_below":
        return math.inf, "bad"
    if isinstance(expect, Mapping):
        limit = others.get(expect["below"], math.nan)
        return (0.0, "good") if got <= limit else (abs(got - limit) / abs(limit), "bad")
    if expect in DIRECTIONS:
        moved = got - 1.0 if check.how == "ratio" else got
        still = STILL if check.how == "ratio" else STILL_PH if check.unit == "[pH]" else STILL * abs(before)
        return (0.0, "good") if (moved > still if expect == "rises" else moved < -still) else (math.inf, "bad")
    if isinstance(expect, Sequence) and not isinstance(expect, str):
        return _in_range(got, float(expect[0]), float(expect[1]))
    wanted = 1.0 if expect == "unchanged" else float(expect)
    error = abs(got - wanted) / abs(wanted)
    return error, "good" if error < GOOD else "fair" if error < FAIR else "bad"


def _in_range(got: float, low: float, high: float) -> tuple[float, str]:
    if low <= got <= high:
        return 0.0, "good"
    edge = low if got < low else high
    error = abs(got - edge) / abs(edge) if edge else math.inf
    return error, "fair" if error < RANGE_FAIR else "bad"


def verdicts(table: Sequence[Scenario]) -> Iterator[tuple[Scenario, Verdict]]:
    """Every check of the scenarios, run and scored, in order; what cannot be run is bad and says why."""
    others: dict[str, float] = {}
    for scenario in table:
        try:
            run, trouble = played(scenario), ""
        except (VitruvianError, ImportError) as problem:
            run, trouble = None, str(problem)
        for check in scenario.checks:
            yield scenario, _verdict(check, run, trouble, others)


def _verdict(check: Check, run: Trajectories | None, trouble: str, others: dict[str, float]) -> Verdict:
    if check.withdrawn:
        return Verdict(check, math.nan, math.nan, "withdrawn", check.withdrawn)
    if run is None:
        return Verdict(check, math.nan, math.inf, "bad", trouble)
    try:
        got = others[check.id] = measured(check, run)
        before = float(np.interp(check.baseline_s, run.times_s, run.of(check.output)[0]))
    except VitruvianError as problem:
        return Verdict(check, math.nan, math.inf, "bad", str(problem))
    return Verdict(check, got, *scored(check, got, others, before))


@lru_cache(maxsize=1)
def citations() -> Mapping[str, str]:
    """The citations of the table in the repository."""
    return sources()

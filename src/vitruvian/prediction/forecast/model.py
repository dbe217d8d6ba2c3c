"""The shipped forecasters: history in, distributions of vital signs 1, 3 and 6 h ahead out. Needs numpy only.

    from vitruvian.prediction.forecast import vitals
    ahead = vitals(history, age_years=age, male=male)    # history: `history_of(tracker, rows, now_us)`
    low, high = ahead.band(90)                           # (patients, 4, 3) each

What is forecast is the mean of the hour that lies 1, 3 and 6 h after the newest hour of the history.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import LimitError, ModelError
from vitruvian.prediction.forecast.features import FEATURES, features
from vitruvian.prediction.forecast.grid import HORIZONS_H, LIMITS, VITALS
from vitruvian.prediction.forecast.network import LEVELS, MEMBERS, Network

__all__ = ["NOT_ADULT", "NOT_MEASURED", "REASONS", "SAID", "Body", "Forecast", "Forecaster", "Part", "vitals"]

SHIPPED: Final = Path(__file__).resolve().parent / "model"
ADULT_YEARS: Final = 18.0
SAID: Final = 0
NOT_MEASURED: Final = 1
NOT_ADULT: Final = 2
REASONS: Final = ("", "not measured in the last day", "outside intended use: made for adults, 18 years or older")
Base = Literal["last", "mean"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """Distributions of `VITALS` at `HORIZONS_H` for n patients, in the vocabulary's units.

    `members` (n, 4, 3, 30) f4, rising: equally likely values, the middles of thirtieths of the distribution; NaN where
    nothing is said. `reason` (n, 4) u1: index into `REASONS`.
    """

    members: NDArray[np.float32]
    reason: NDArray[np.uint8]

    @property
    def median(self) -> NDArray[np.float32]:
        """(n, 4, 3)."""
        return self.quantiles((0.5,))[..., 0]

    def quantiles(self, levels: Sequence[float]) -> NDArray[np.float32]:
        """Values (n, 4, 3, q) at q levels between 1/60 and 59/60, linear between members.

        Raises LimitError for a level outside: thirty members do not know more of the tails.
        """
        wanted = np.asarray(levels, np.float64)
        if wanted.size and (wanted.min() < LEVELS[0] - 1e-6 or wanted.max() > LEVELS[-1] + 1e-6):
            raise LimitError(f"found levels {levels}, expected {LEVELS[0]:.4f} to {LEVELS[-1]:.4f}; ask for those")
        place = np.clip(wanted * MEMBERS - 0.5, 0, MEMBERS - 1)
        lower = np.minimum(place.astype(np.int64), MEMBERS - 2)
        part = (place - lower).astype(np.float32)
        made: NDArray[np.float32] = self.members[..., lower] * (1 - part) + self.members[..., lower + 1] * part
        return made

    def band(self, percent: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Lower and upper end (n, 4, 3) of the central interval that holds `percent` of the distribution."""
        ends = self.quantiles((0.5 - percent / 200, 0.5 + percent / 200))
        return ends[..., 0], ends[..., 1]


@dataclass(frozen=True, slots=True)
class Body:
    """What the patient's mechanistic body foresees: `mean`, `sd` (n, 4, 3) of its ensemble; NaN where it is silent."""

    mean: NDArray[np.float32]
    sd: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Part:
    """Networks whose members are averaged: of which vital signs, from which features, from where steps are counted.

    `base` "last": from the newest value. "mean": from the day's mean drawn to `population` as if `pull` hours of it had
    been seen, which suits what is measured seldom. `usual` (k, 3): a step of 1, in the vital sign's unit.
    """

    vitals: tuple[str, ...]
    features: tuple[str, ...]
    base: Base
    pull: float
    population: tuple[float, ...]
    usual: NDArray[np.float32]
    networks: tuple[Network, ...]

    def columns(self) -> NDArray[np.int64]:
        """Where its features lie in `FEATURES`."""
        return np.array([FEATURES.index(name) for name in self.features], np.int64)

    def members(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, k, 3, 30) of k vital signs from the features (N, F); NaN where the vital sign is unknown."""
        base = bases(table, self)
        seen = np.concatenate([table[:, self.columns()], base], axis=1)
        steps = np.mean([one.steps(seen) for one in self.networks], axis=0, dtype=np.float32)
        steps = steps.reshape(len(table), len(self.vitals), len(HORIZONS_H), MEMBERS)
        lowest, highest = (np.array([LIMITS[name][side] for name in self.vitals], np.float32) for side in (0, 1))
        made = base[:, :, None, None] + steps * self.usual[None, :, :, None]
        return np.clip(made, lowest[:, None, None], highest[:, None, None])


def bases(table: NDArray[np.float32], part: Part) -> NDArray[np.float32]:
    """From where steps are counted (N, k): features of their own for the network."""
    made = []
    for name, population in zip(part.vitals, part.population, strict=True):
        last = table[:, FEATURES.index(f"{name}.last")]
        if part.base == "last":
            made.append(last)
            continue
        count = table[:, FEATURES.index(f"{name}.share")] * 24
        mean = last + table[:, FEATURES.index(f"{name}.mean_24h")]
        made.append((mean * count + part.pull * population) / (count + part.pull))
    return np.stack(made, axis=1).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Forecaster:
    """A fitted forecaster: its parts, which together forecast every one of `VITALS`, and its card.

    `body_share` (4, 3): how far the distribution moves from its own median towards the body's forecast, where one is
    given (0: not at all).
    """

    parts: tuple[Part, ...]
    body_share: NDArray[np.float32]
    card: dict[str, Any]

    def forecast(
        self,
        history: NDArray[np.float32],
        *,
        age_years: NDArray[np.float64],
        male: NDArray[np.float64],
        line: NDArray[np.bool_] | None = None,
        body: Body | None = None,
    ) -> Forecast:
        """Forecast n patients from their last day, `history` (n, 9, 24) by `CHANNELS`, the newest hour last.

        `age_years`, `male` (1 or 0): (n,), NaN where not known. `line` (n,): whether the newest mean pressure is of an
        arterial line (not, where not given). Raises LimitError for a history of another shape.
        """
        invasive = np.zeros(len(history), np.bool_) if line is None else line
        table = features(history, age_years, male, invasive)
        members = np.full((len(table), len(VITALS), len(HORIZONS_H), MEMBERS), np.nan, np.float32)
        for part in self.parts:
            for k, made in enumerate(np.moveaxis(part.members(table), 1, 0)):
                members[:, VITALS.index(part.vitals[k])] = made
        if body is not None:
            members = moved(members, body, self.body_share)
        reason = np.where(np.isnan(members[:, :, 0, 0]), NOT_MEASURED, SAID).astype(np.uint8)
        with np.errstate(invalid="ignore"):
            reason[age_years < ADULT_YEARS] = NOT_ADULT
        members[reason != SAID] = np.nan
        return Forecast(members, reason)

    def save(self, folder: Path, name: str) -> None:
        """Write `NAME.npz` (weights at half precision) and `NAME.json` (the card)."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays: dict[str, NDArray[Any]] = {"body_share": self.body_share}
        described = []
        for number, part in enumerate(self.parts):
            exact = ("centre", "scale")
            arrays |= {
                f"{number}.{j}.{key}": value if key in exact else value.astype(np.float16)
                for j, network in enumerate(part.networks)
                for key, value in network.weights.items()
            }
            arrays[f"{number}.usual"] = part.usual
            described.append(
                {
                    "vitals": part.vitals,
                    "features": part.features,
                    "networks": len(part.networks),
                    "base": part.base,
                    "pull": part.pull,
                    "population": part.population,
                }
            )
        np.savez_compressed(folder / f"{name}.npz", **arrays)  # type: ignore[arg-type]
        card = {**self.card, "parts": described}
        (folder / f"{name}.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")

    @classmethod
    def load(cls, name: str = "2019A", folder: Path = SHIPPED) -> Forecaster:
        """The forecaster of this name. Raises ModelError where it is absent or of another version's features."""
        try:
            card = json.loads((folder / f"{name}.json").read_text("utf-8"))
            with np.load(folder / f"{name}.npz") as file:
                arrays = {key: file[key].astype(np.float32) for key in file.files}
        except (OSError, ValueError) as error:
            raise ModelError(
                f"found no forecaster {name} in {folder} ({error}); train it, or name a shipped one"
            ) from error
        parts = []
        for number, kept in enumerate(card["parts"]):
            networks = tuple(_network(arrays, f"{number}.{j}.") for j in range(kept["networks"]))
            inputs, usual = tuple(kept["features"]), arrays[f"{number}.usual"]
            if not set(inputs) <= set(FEATURES):
                raise ModelError(f"found forecaster {name} made for other features than this version's; train it anew")
            parts.append(
                Part(tuple(kept["vitals"]), inputs, kept["base"], kept["pull"], tuple(kept["population"]), usual,
                     networks)
            )  # fmt: skip
        return cls(tuple(parts), arrays["body_share"], card)


def _network(arrays: dict[str, NDArray[np.float32]], prefix: str) -> Network:
    return Network({key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)})


def moved(members: NDArray[np.float32], body: Body, share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Members (n, 4, 3, 30) moved by `share` (4, 3) of the way from their median to the body's mean, within limits.

    Where the body is silent they stay.
    """
    middle = 0.5 * (members[..., MEMBERS // 2 - 1] + members[..., MEMBERS // 2])
    way = np.nan_to_num(share * (body.mean - middle), nan=0.0).astype(np.float32)
    lowest, highest = (np.array([LIMITS[name][side] for name in VITALS], np.float32)[:, None, None] for side in (0, 1))
    out: NDArray[np.float32] = np.clip(members + way[..., None], lowest, highest)
    return out


@cache
def _shipped(name: str) -> Forecaster:
    return Forecaster.load(name)


def vitals(
    history: NDArray[np.float32],
    *,
    age_years: NDArray[np.float64],
    male: NDArray[np.float64],
    line: NDArray[np.bool_] | None = None,
    body: Body | None = None,
) -> Forecast:
    """Forecast patients with the shipped forecaster of monitored vital signs (trained on Challenge 2019 set A).

    Arguments as `Forecaster.forecast` has them.
    """
    return _shipped("2019A").forecast(history, age_years=age_years, male=male, line=line, body=body)

"""A bundle: the folder that training leaves and serving reads.

    bundle.json       everything below
    NAME.onnx ...     the members' graphs (see `families.base`)
    evaluation.json, report.html, card.md, card.json, plots/   made by `evaluate`

`bundle.json`:
    format: 1; task, version, target, horizon_h, validated, simulated, data, intended_use, limits, prevalence, split
    members: [MemberFile.as_json() | {"slope", "intercept"}], each calibrated on its own so that it can be served alone
    variants: {"standard": Variant, "no_practice": Variant}
        Variant: {"members": {name: weight}, "slope", "intercept", "policy": {...}, "interval": {...},
                  "conformal": {...}}
      The logit of a variant is slope x sum(weight x (member.slope x logit + member.intercept)) + intercept.
      `policy`: the threshold and how it is adapted to a site without labels (`sites.threshold`);
      `interval`: {"spread": s, "floor": f}: 95 % interval of the logit +- 1.96 sqrt(s^2 var + f^2), var over members;
      `conformal`: class-conditional thresholds (`measure.conformal`).
    serves: the name of a variant, or "VARIANT/MEMBER" for one member of it
    medians: {feature: training median}, from which attributions are differences
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from vitruvian.core.errors import ModelError

__all__ = ["FILE", "FORMAT", "MODELS", "VARIANTS", "Bundle", "shipped"]

FILE: Final = "bundle.json"
FORMAT: Final = 1
MODELS: Final = Path(__file__).resolve().parents[1] / "models"  # the shipped ones, a folder a task
VARIANTS: Final = ("standard", "no_practice")


def shipped(task: str) -> Path:
    """Where the shipped bundle of a task lies, whether or not there is one."""
    return MODELS / task


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle's folder and what its `bundle.json` says."""

    folder: Path
    told: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Bundle:
        """Read and check a folder. Raises ModelError where it holds no bundle of this format."""
        try:
            told = json.loads((folder / FILE).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                f"found no model in {folder} ({error}), expected {FILE} and ONNX graphs; run `vitruvian train`"
            ) from None
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            found = told.get("format") if isinstance(told, dict) else type(told).__name__
            raise ModelError(f"found a model of format {found!r} in {folder}, expected {FORMAT}; train it again")
        members = told.get("members")
        if not isinstance(members, list) or not all(
            isinstance(one, dict) and _plain(one.get("name")) for one in members
        ):
            raise ModelError(f"found {folder / FILE} whose members have no plain names; copy the folder again")
        absent = [one["name"] for one in members if not (folder / f"{one['name']}.onnx").is_file()]
        if absent:
            raise ModelError(f"found {folder} without the graphs of {', '.join(absent)}; copy the folder whole")
        return cls(folder, told)

    def write(self) -> None:
        """Write `bundle.json`; figures are rounded where they are made."""
        text = json.dumps(self.told, indent=1, ensure_ascii=False, allow_nan=False)
        (self.folder / FILE).write_text(text + "\n", "utf-8")


def _plain(name: object) -> bool:
    """Whether a member's name is that of a file in its own folder, and of none elsewhere."""
    return isinstance(name, str) and name not in ("", ".", "..") and not set(name) & {"/", "\\", "\0"}

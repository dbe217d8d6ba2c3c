"""Write a bundle anew with other lines, weights or thresholds; its graphs stay as they are."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitruvian.core.errors import ConfigurationError
from vitruvian.prediction.cohorts.prints import FILE as SEEN
from vitruvian.prediction.cohorts.prints import read_prints
from vitruvian.prediction.serve import selftest
from vitruvian.prediction.serve.bundle import FILE, Bundle
from vitruvian.prediction.sites.lines import SiteLine
from vitruvian.prediction.sites.refit import SiteMember

__all__ = ["rebuilt", "with_line"]


def with_line(variant: Mapping[str, Any], line: SiteLine) -> dict[str, Any]:
    """A variant whose log-odds go through a site's line (or curve) after its own."""
    out = copy.deepcopy(dict(variant))
    out.pop("curve", None)  # of an earlier site: the line was fitted on what comes before it
    if line.knots:
        out["curve"] = [list(knot) for knot in line.knots]
        return out
    out["slope"] = line.slope * float(variant["slope"])
    out["intercept"] = line.slope * float(variant["intercept"]) + line.intercept
    return out


def rebuilt(
    bundle: Bundle,
    out: Path,
    variants: Mapping[str, Mapping[str, Any]],
    member_lines: Mapping[str, SiteLine],
    provenance: Mapping[str, Any],
    seen: NDArray[np.uint64],
    added: SiteMember | None = None,
) -> Bundle:
    """Write the bundle with these variants to a new folder, and read it back.

    `member_lines` go after each member's own line. `provenance` is appended to `sites` of bundle.json; `seen` are the
    fingerprints of the patients that were used; `added` is a member of the site's own. Evaluations, cards and plots
    describe the model before, and stay behind. Raises ConfigurationError where the folder is not empty.
    """
    if out.exists() and any(out.iterdir()):
        raise ConfigurationError(f"found {out} not empty, expected a new folder for the model; give another")
    told = copy.deepcopy(bundle.told)
    for row in told["members"]:
        line = member_lines.get(row["name"])
        if line is not None and not line.knots:
            row["slope"] = line.slope * float(row.get("slope", 1.0))
            row["intercept"] = line.slope * float(row.get("intercept", 0.0)) + line.intercept
    if added is not None:
        told["members"].append(added.row)
    told["variants"] = {**told["variants"], **{name: dict(variant) for name, variant in variants.items()}}
    told["sites"] = [*told.get("sites", []), dict(provenance)]
    known_as = json.dumps([told["variants"], told["members"]], sort_keys=True).encode()
    told["version"] = f"{str(bundle.told['version']).split('~')[0]}~{blake2b(known_as, digest_size=4).hexdigest()}"
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(bundle.folder.iterdir()):
        if path.is_file() and path.name.endswith((".onnx", ".trees.npz")):
            shutil.copyfile(path, out / path.name)
    for name, graph in ({} if added is None else added.graphs).items():
        (out / name).write_bytes(graph)
    np.save(out / SEEN, np.unique(np.concatenate([read_prints(bundle.folder), seen])))
    Bundle(out, told).write()
    assert (out / FILE).is_file()
    made = Bundle.read(out)
    selftest.keep(made)
    return made

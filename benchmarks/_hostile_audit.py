"""What must hold of a ward after an attack: its pages, its log and its journal."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import struct
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from benchmarks._hostile_payloads import CANARY, MARKUP
from benchmarks._hostile_ward import Attack, Http, Seen, Ward
from vitruvian.core.events import Entry
from vitruvian.journal import Journal
from vitruvian.journal.prepare import DEAD_STATUSES, key_of
from vitruvian.journal.samples import PACKED_FORMAT

PATIENTS_MAX: Final = 300
PACKED: Final = struct.Struct("<" + PACKED_FORMAT)
_ERROR: Final = re.compile(r"Traceback|\b(ERROR|CRITICAL)\b(?! root: canary)")


class _Acting(HTMLParser):
    """Whether a page, as a browser reads it, has a handler in an attribute or a script of its own."""

    found = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Our pages have neither: scripts are files, and listen by themselves."""
        names = {name for name, _ in attrs}
        self.found |= any(name.startswith("on") for name in names) or (tag == "script" and "src" not in names)


def _acts(page: str) -> bool:
    reader = _Acting()
    reader.feed(page)
    return reader.found


def pages(ward: Ward, http: Http) -> tuple[list[str], int]:
    """Faults of the ward's, the data's and the patients' pages; and how often hostile markup stands there, escaped."""
    listed = http.get("/api/v1/patients", "application/json")
    patients = [row["id"] for row in json.loads(listed.body)["patients"]]
    faults, escaped = [], 0
    for path in ("/", "/data", *(f"/patients/{quote(one, safe='')}" for one in patients[:PATIENTS_MAX])):
        answer = http.get(path)
        page = answer.body.decode("utf-8", "replace")
        if answer.status != 200:
            faults.append(f"page {path}: {answer.status}")
        if any(markup.lower() in page.lower() for markup in MARKUP) or _acts(page):
            faults.append(f"page {path} holds hostile markup unescaped")
        escaped += page.lower().count("&lt;script&gt;") + page.lower().count("&lt;img src=x")
    for path in ("/api/v1/quarantine?limit=1000", "/api/v1/alerts", "/api/v1/health", "/metrics", "/openapi.json"):
        if http.get(path, "*/*").status != 200:
            faults.append(f"{path}: {http.get(path, '*/*').status}")
    return faults, escaped


def log(ward: Ward) -> list[str]:
    """Faults of what the ward and its broker logged: identifiers, or errors of our own."""
    text = ward.logs()
    faults = [f"log: {line[:300]}" for line in text.splitlines() if _ERROR.search(line)]
    faults += [f"log holds a canary: {line[:300]}" for line in text.splitlines() if CANARY in line.lower()]
    return faults[:20]


def journal(path: Path, seen: Seen) -> tuple[list[str], dict[str, int]]:
    """Faults of a stopped ward's journal; and what it holds.

    Everything acknowledged is in the log; every value of it is in the series, waits for its device's association, was
    replaced by a later version, or is in quarantine, there with a reason.
    """
    with Journal.open(path, read_only=True) as opened:
        verified, counts = opened.verify(), opened.counts()
    faults = list(verified.faults)
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        faults += _acknowledged(connection, seen)
        faults += _homeless(connection)
        faults += _not_finite(connection)
        (silent,) = connection.execute("SELECT count(*) FROM quarantine WHERE reason = '' OR detail = ''").fetchone()
        faults += [f"{silent} in quarantine without a reason"] if silent else []
    finally:
        connection.close()
    return faults, counts


def _acknowledged(connection: sqlite3.Connection, seen: Seen) -> Iterator[str]:
    keys = {bytes(key) for (key,) in connection.execute("SELECT key FROM log")}
    last = connection.execute("SELECT coalesce(max(seq), 0) FROM log").fetchone()[0]
    lost = [seq for seq in seen.committed if seq > last]
    missing = [name for name, _ in seen.told if key_of("mqtt", name) not in keys]
    # A device may have called itself simulated or replayed: those have namespaces of their own.
    missing = [n for n in missing if not any(key_of(f"mqtt:{kind}", n) in keys for kind in ("simulated", "replayed"))]
    if lost or missing:
        yield f"acknowledged and not in the log: {lost[:5]} {missing[:5]}"


def _homeless(connection: sqlite3.Connection) -> Iterator[str]:
    """Entries that state a value, and are neither in the series, waiting, replaced nor in quarantine."""
    decode = msgspec.msgpack.Decoder(Entry).decode
    placed = {seq for (seq,) in connection.execute("SELECT seq FROM series UNION SELECT seq FROM waiting")}
    placed |= {seq for (seq,) in connection.execute("SELECT seq FROM superseded")}
    apart = set(connection.execute("SELECT source, source_id FROM quarantine"))
    lost = 0
    for seq, payload in connection.execute("SELECT seq, payload FROM log"):
        entry = decode(payload)
        states = any(event.kind == "observation" and event.concept for event in entry.events)
        if not states or seq in placed or entry.status in DEAD_STATUSES or (entry.source, entry.source_id) in apart:
            continue
        lost += 1
        if lost <= 5:
            yield f"entry {seq} of {entry.source} is in the log and nowhere else"


def _not_finite(connection: sqlite3.Connection) -> Iterator[str]:
    for (samples,) in connection.execute("SELECT samples FROM series UNION ALL SELECT samples FROM waiting"):
        for concept, _, value in PACKED.iter_unpack(samples):
            if not math.isfinite(value):
                yield f"a value of concept {concept} in the series is {value}"
                return


def everything(ward: Ward, attack: Attack) -> tuple[list[str], int]:
    """The faults of a ward that still runs: those of its answers, pages and log; and the escaped markup seen."""
    found, escaped = pages(ward, attack.http)
    return [*attack.seen.faults, *found, *log(ward)], escaped

"""Bytes to readings: single resources, bundles of every type, bundles within bundles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

from vitruvian.core.events import Reading
from vitruvian.records.base import Context
from vitruvian.records.fhir import structs
from vitruvian.records.fhir.outcome import Refused
from vitruvian.records.fhir.references import base_of
from vitruvian.records.fhir.resources import kind_of, read_resource, refuse
from vitruvian.records.fhir.scope import Scope, make_scope

__all__ = ["read_document", "scan"]

NESTED_BUNDLES_MAX: Final = 8
_EMPTY_ENTRY: Final = "no resource in the entry"  # a DELETE of a transaction, or the answer to one


class _Item(NamedTuple):
    """One resource of a document: its type, URL and bytes; `failure` where it cannot be told what it is."""

    kind: str
    full_url: str
    raw: bytes
    failure: Refused | None = None


def read_document(data: bytes, context: Context) -> Iterator[Reading]:
    """One reading for each resource of a JSON document; the envelope of a bundle is not counted."""
    items = list(scan(data))
    base = next(filter(None, (base_of(item.full_url) for item in items if item.full_url)), "")
    scope = make_scope(context, base)
    for item in items:
        scope.references.learn(item.kind, item.full_url, item.raw)
    for item in items:
        yield _read_item(item, scope)


def read_single(data: bytes, scope: Scope) -> Iterator[Reading]:
    """The same for one line of many that share a scope."""
    for item in scan(data):
        scope.references.learn(item.kind, item.full_url, item.raw)
        yield _read_item(item, scope)


def scan(data: bytes, depth: int = 0, full_url: str = "") -> Iterator[_Item]:
    """The resources of a document, in order, those of nested bundles in their place."""
    try:
        kind = kind_of(data)
        if kind != "Bundle":
            yield _Item(kind, full_url, data)
            return
        if depth >= NESTED_BUNDLES_MAX:
            raise Refused("too-deep", f"found bundles nested deeper than {NESTED_BUNDLES_MAX}, expected less")
        entries = _entries(data)
    except Refused as refused:
        yield _Item("Bundle.entry" if depth else "document", full_url, data, refused)
        return
    for entry in entries:
        if isinstance(entry, _Item):
            yield entry
        elif not entry.resource:
            yield _Item("", entry.full_url, b"")
        else:
            yield from scan(bytes(entry.resource), depth + 1, entry.full_url)


def _entries(data: bytes) -> Iterator[structs.BundleEntry | _Item] | tuple[structs.BundleEntry, ...]:
    """The entries of a bundle. One malformed entry is set apart; malformed JSON refuses the whole. Raises Refused."""
    try:
        return structs.BUNDLE.decode(data).entry
    except msgspec.ValidationError:
        pass  # some entry has a wrong type: look at each by itself
    except RecursionError as error:
        raise Refused("too-deep", "found JSON nested too deep to read, expected less") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Refused("json", f"found {error}, expected JSON in UTF-8") from error
    try:
        raws = structs.LOOSE_BUNDLE.decode(data).entry
    except RecursionError as error:  # the wrong type came first, and the depth after it
        raise Refused("too-deep", "found JSON nested too deep to read, expected less") from error
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise Refused("wrong-type", f"found a Bundle whose entry is no list: {error}") from error
    return _loose_entries(raws)


def _loose_entries(raws: tuple[msgspec.Raw, ...]) -> Iterator[structs.BundleEntry | _Item]:
    for raw in raws:
        try:
            yield structs.BUNDLE_ENTRY.decode(raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            yield _Item("Bundle.entry", "", bytes(raw), Refused("wrong-type", f"found a malformed entry: {error}"))


def _read_item(item: _Item, scope: Scope) -> Reading:
    if item.failure is not None:
        return refuse(item.kind, item.failure, item.raw, item.full_url, scope)
    if not item.kind:
        return Reading("Bundle.entry", ignored=_EMPTY_ENTRY)
    return read_resource(item.kind, item.raw, item.full_url, scope)

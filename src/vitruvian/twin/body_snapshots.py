"""Keep the bodies beside the log, and take them back after a restart; anything that does not fit is folded anew."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import asdict
from typing import Any, Final

import msgspec
import numpy as np

from vitruvian.core.errors import VitruvianError
from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.estimation import Belief
from vitruvian.physiology.engine.specialise import digest
from vitruvian.physiology.person import Person
from vitruvian.twin.bodies import Bodies, Fold, Who
from vitruvian.twin.body_data import Given
from vitruvian.twin.snapshots import Column, SnapshotJournal, SnapshotStale, array_of, column_of

log = logging.getLogger(__name__)

NAME: Final = "bodies"
FORMAT: Final = 1
_PARTS: Final = ("keys", "constants", "states", "theta", "bias", "track", "weights")


class _Kept(msgspec.Struct, array_like=True):
    format: int
    made_by: str
    pids: list[int]
    ids: list[str]
    people: list[dict[str, Any]]
    ticks: list[int]
    updates: list[int]
    heard: list[int]
    columns: dict[str, Column]


def _made_by(bodies: Bodies) -> str:
    """What wrote a snapshot: the model's source, what is observed and how, and the vocabulary."""
    one = bodies.filter
    told = repr((one.observations, one.settings, one.estimated)).encode()
    return f"{digest(one.model)}|{hashlib.blake2b(told, digest_size=8).hexdigest()}|{VOCABULARY.version}"


def snapshot(bodies: Bodies) -> bytes:
    """All bodies in bytes. Anchors are not kept: what comes late after a restart folds its patient anew."""
    folds = bodies.folds()
    columns: dict[str, Column] = {}
    if folds:
        for part in _PARTS:
            columns[part] = column_of(np.concatenate([getattr(fold.belief, part) for _, _, fold in folds]))
        columns["level"] = column_of(np.stack([fold.given.level for _, _, fold in folds]))
        columns["until_us"] = column_of(np.stack([fold.given.until_us for _, _, fold in folds]))
    body = msgspec.msgpack.encode(
        _Kept(
            FORMAT, _made_by(bodies), [pid for pid, _, _ in folds], [who.id for _, who, _ in folds],
            [asdict(who.person) for _, who, _ in folds], [fold.tick for _, _, fold in folds],
            [fold.updates for _, _, fold in folds], [fold.heard_tick for _, _, fold in folds], columns,
        )
    )  # fmt: skip
    return hashlib.blake2b(body, digest_size=16).digest() + body


def restore(bodies: Bodies, blob: bytes) -> None:
    """Take a snapshot's bodies over. Raises SnapshotStale where another build wrote it, or it is damaged."""
    known, body = blob[:16], blob[16:]
    if hashlib.blake2b(body, digest_size=16).digest() != known:
        raise SnapshotStale("found bodies whose digest does not match their content; they are folded anew")
    try:
        kept = msgspec.msgpack.decode(body, type=_Kept)
    except msgspec.MsgspecError as error:
        raise SnapshotStale(f"found bodies that cannot be read ({error}); they are folded anew") from error
    if (kept.format, kept.made_by) != (FORMAT, _made_by(bodies)):
        raise SnapshotStale("found bodies of another model, vocabulary or format; they are folded anew")
    try:
        arrays = {name: array_of(column) for name, column in kept.columns.items()}
        for i, pid in enumerate(kept.pids):
            parts: dict[str, Any] = {name: arrays[name][i : i + 1] for name in _PARTS}
            given = Given(arrays["level"][i], arrays["until_us"][i])
            fold = Fold(Belief(tick=kept.ticks[i], **parts), given, kept.updates[i], kept.heard[i])
            bodies.adopt(pid, Who(kept.ids[i], Person(**kept.people[i])), fold)
    except (TypeError, KeyError, ValueError, IndexError, VitruvianError) as error:
        bodies.keep_only(())
        raise SnapshotStale(f"found bodies of another layout ({error}); they are folded anew") from error


def open_bodies(bodies: Bodies, journal: SnapshotJournal) -> None:
    """Take up the bodies that were kept, and notice what was committed since."""
    kept = journal.load_snapshot(NAME)
    if kept is None:
        return
    try:
        restore(bodies, kept[1])
    except SnapshotStale as error:
        log.warning("%s", error)
        return
    for commit in journal.samples_since(kept[0]):
        bodies.note(commit)

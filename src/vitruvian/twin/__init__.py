"""The twins: a fold over each patient's samples in canonical order, live, replayed and as of any past moment.

`Twins.apply` moves all patients by one commit; `state` shows one of them; `as_of` and `as_known` show the past;
`snapshot` and `restore` carry them over a restart. `reference` is the same fold in plain Python.
"""

from vitruvian.twin.past import as_known, as_of
from vitruvian.twin.snapshots import SnapshotStale, open_twins, restore, save, snapshot
from vitruvian.twin.state import SignalState, TwinState, freshness, state
from vitruvian.twin.twins import NO_BIRTH, Twins

__all__ = [
    "NO_BIRTH",
    "SignalState",
    "SnapshotStale",
    "TwinState",
    "Twins",
    "as_known",
    "as_of",
    "freshness",
    "open_twins",
    "restore",
    "save",
    "snapshot",
    "state",
]

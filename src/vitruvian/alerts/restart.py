"""Read the alerts back from the journal after a restart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from vitruvian.alerts.records import PREFIX, Step, step_of

_LAST_STEPS: Final = 6  # of each rule and patient: enough to hold the last alert's newest step beside its last ties


class FindingsReader(Protocol):
    """The journal's index of what was derived."""

    def finding_names(self, pid: int) -> Sequence[str]:
        """The names under which anything was derived for a patient."""
        ...

    def findings(self, pid: int, name: str) -> Any:
        """Columns under one name, in order of time: `seq` among them."""
        ...

    def entry(self, seq: int) -> Any:
        """The stored entry at a place in the log."""
        ...


def steps_kept(journal: FindingsReader, pids: Iterable[int]) -> Iterator[Step]:
    """The newest steps of every rule's alerts of these patients, for `Alerts.restore`.

    Cost: with the patients and the rules that ever spoke of them, not with the length of the log.
    """
    for pid in pids:
        for name in journal.finding_names(pid):
            if not name.startswith(PREFIX):
                continue
            for seq in journal.findings(pid, name).seq[-_LAST_STEPS:].tolist():
                for event in journal.entry(seq).entry.events:
                    step = step_of(pid, event)
                    if step is not None:
                        yield step

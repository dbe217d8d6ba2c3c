"""An alert as it is shown and kept: its record, each step of its life, and the journal's entries of these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

import msgspec

from vitruvian.alerts.rules import Priority, Rule
from vitruvian.core.errors import JournalError
from vitruvian.core.events import Entry, Event, Finding
from vitruvian.core.identifiers import Identifier

State = Literal["open", "acknowledged", "snoozed", "resolved"]
Action = Literal["raised", "re-raised", "escalated", "cleared", "acknowledged", "snoozed", "closed"]

SOURCE: Final = "vitruvian:alerts"
PREFIX: Final = "alert:"
_STATE_AFTER: Final[dict[Action, State]] = {
    "raised": "open",
    "re-raised": "open",
    "escalated": "open",
    "cleared": "resolved",
    "acknowledged": "acknowledged",
    "snoozed": "snoozed",
    "closed": "resolved",
}


class Alert(msgspec.Struct, frozen=True):
    """One alert. `text` states value and limit; `value` is that of its last step. Times are the clinical clock's.

    `rank` is 3 high, 2 medium, 1 low or technical. `by` and `reason` are those of the last acknowledgement or snooze;
    `steps` counts the transitions so far, which names each of them in the journal.
    """

    id: str
    pid: int
    rule: str
    priority: Priority
    rank: int
    text: str
    concept: str
    state: State
    raised_us: int
    changed_us: int
    value: float
    limit: float
    steps: int
    escalated: bool = False
    by: str = ""
    reason: str = ""
    until_us: int | None = None
    ended_us: int | None = None

    @property
    def technical(self) -> bool:
        """Whether it is about the equipment."""
        return self.priority == "technical"


class Step(msgspec.Struct, frozen=True):
    """One transition: what happened when, and the alert after it."""

    action: Action
    at_us: int
    alert: Alert


def alert_id(rule: str, pid: int, raised_us: int) -> str:
    """The name of an alert: its rule, patient and beginning."""
    return f"{rule}-{pid}-{raised_us}"


def after(
    held: Alert | None,
    rule: Rule,
    pid: int,
    action: Action,
    value: float,
    at_us: int,
    raised_us: int,
    steps: int,
    note: str = "",
) -> Alert:
    """The record of an alert after a transition that values or time brought; a `note` is added to what it says."""
    beginning = action in ("raised", "re-raised") or held is None
    text = rule.text(value) if beginning or held is None else held.text
    made = held or Alert(
        alert_id(rule.name, pid, raised_us), pid, rule.name, rule.priority, rule.rank, text, rule.input, "open",
        raised_us, at_us, value, rule.limit, steps,
    )  # fmt: skip
    return msgspec.structs.replace(
        made,
        text=f"{text}; {note}" if note else text,
        state=_STATE_AFTER[action] if action != "escalated" else made.state,
        changed_us=at_us,
        value=value,
        steps=steps,
        escalated=action == "escalated" or (made.escalated and action not in ("raised", "re-raised")),
        until_us=None,
        ended_us=at_us if action in ("cleared", "closed") else None,
    )


def entry_of(step: Step, subject: Sequence[Identifier], version: str, input_seq: int) -> Entry:
    """The derived entry that keeps a step in the journal; the same step makes the same entry, so that a repeat is
    one.
    """
    alert = step.alert
    finding = Finding(
        PREFIX + alert.rule,
        version,
        input_seq,
        alert.value,
        {
            "id": alert.id,
            "action": step.action,
            "priority": alert.priority,
            "text": alert.text,
            "concept": alert.concept,
            "limit": alert.limit,
            "raised_us": alert.raised_us,
            "steps": alert.steps,
            "escalated": alert.escalated,
            "by": alert.by,
            "reason": alert.reason,
            "until_us": alert.until_us,
        },
    )
    event = Event("derived", "", finding, step.at_us)
    return Entry(SOURCE, f"{alert.id}#{alert.steps}-{step.action}", (event,), subject=tuple(subject))


def step_of(pid: int, event: Event) -> Step | None:
    """The step that a journal's event keeps; None where it is no alert's. Raises JournalError for one that is
    damaged.
    """
    finding = event.value
    if not isinstance(finding, Finding) or not finding.name.startswith(PREFIX):
        return None
    kept = msgspec.to_builtins(finding.detail)
    try:
        action: Action = msgspec.convert(kept["action"], Action)
        priority: Priority = msgspec.convert(kept["priority"], Priority)
        ended = _STATE_AFTER[action] == "resolved"
        alert = msgspec.convert(
            {
                **{name: kept[name] for name in ("id", "text", "concept", "limit", "raised_us", "steps", "escalated")},
                **{name: kept[name] for name in ("by", "reason", "until_us")},
                "pid": pid,
                "rule": finding.name.removeprefix(PREFIX),
                "priority": priority,
                "rank": {"high": 3, "medium": 2}.get(priority, 1),
                "state": _STATE_AFTER[action],
                "changed_us": event.occurred_us,
                "value": finding.number if finding.number is not None else 0.0,
                "ended_us": event.occurred_us if ended else None,
            },
            Alert,
        )
    except (KeyError, msgspec.ValidationError) as error:
        raise JournalError(
            f"found an alert's entry that cannot be read ({error}); it was kept by another version"
        ) from error
    return Step(action, event.occurred_us, alert)


def _place(step: Step) -> tuple[int, int, bool]:
    """What a person did counts after what happened by itself in the same moment."""
    return step.alert.steps, step.at_us, step.action in ("acknowledged", "snoozed")


def latest(steps: Iterable[Step]) -> dict[str, Step]:
    """The last step of each alert by its id, whatever the order they come in."""
    newest: dict[str, Step] = {}
    for step in steps:
        held = newest.get(step.alert.id)
        if held is None or _place(step) > _place(held):
            newest[step.alert.id] = step
    return newest

"""A scenario: what is done and what is changed, from now on. It can be saved, and read back as it was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from vitruvian.core.errors import ModelError
from vitruvian.physiology.actions import Action

__all__ = ["Scenario"]

ACTIONS_MAX: Final = 50
EDITS_MAX: Final = 50
NAME_CHARS_MAX: Final = 80
WORD_CHARS_MAX: Final = 120
HORIZON_S_MIN: Final = 60.0
HORIZON_S_MAX: Final = 48 * 3_600.0


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is done (`actions`, times in seconds from now) and what is taken to be otherwise now (`edits`), followed for
    `horizon_s`.

    An edit maps a name to a number: a vital sign or laboratory value of the vocabulary (in its unit), a personal value
    (`age_years`, `body_height`, `body_weight`), or a parameter of the model (in the parameter's unit). Raises
    ModelError where it is not one that can be followed.
    """

    name: str = ""
    actions: tuple[Action, ...] = ()
    edits: tuple[tuple[str, float], ...] = ()
    horizon_s: float = 6 * 3_600.0

    def __post_init__(self) -> None:
        if len(self.name) > NAME_CHARS_MAX:
            raise ModelError(f"found a name of {len(self.name)} characters, expected at most {NAME_CHARS_MAX}")
        if len(self.actions) > ACTIONS_MAX or len(self.edits) > EDITS_MAX:
            raise ModelError(
                f"found {len(self.actions)} interventions and {len(self.edits)} edits, expected at most {ACTIONS_MAX} "
                f"and {EDITS_MAX}; leave some out"
            )
        if not HORIZON_S_MIN <= self.horizon_s <= HORIZON_S_MAX:
            raise ModelError(
                f"found a horizon of {self.horizon_s:g} s, expected {HORIZON_S_MIN:g} to {HORIZON_S_MAX:g}"
            )
        for action in self.actions:
            _check_action(action)
        for name, value in self.edits:
            if not math.isfinite(value) or not 0 < len(name) <= WORD_CHARS_MAX:
                raise ModelError(f"found {name[:40]!r} = {value}, expected a name and a finite number")
        if len(dict(self.edits)) != len(self.edits):
            raise ModelError("found a value edited twice, expected each once")

    @property
    def empty(self) -> bool:
        """Whether nothing is done and nothing changed."""
        return not self.actions and not self.edits

    def to_mapping(self) -> dict[str, Any]:
        """Plain values, as they are saved."""
        return {
            "name": self.name,
            "actions": [asdict(one) for one in self.actions],
            "edits": dict(self.edits),
            "horizon_s": self.horizon_s,
        }

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Scenario:
        """From plain values. Raises ModelError where they do not fit."""
        try:
            return cls(
                str(values.get("name", "")),
                tuple(Action(**one) for one in values.get("actions", ())),
                tuple((str(name), float(value)) for name, value in dict(values.get("edits", {})).items()),
                float(values.get("horizon_s", 6 * 3_600.0)),
            )
        except (TypeError, ValueError, AttributeError) as error:
            raise ModelError(f"found a scenario that does not fit ({error}); save it again") from None


def _check_action(action: Action) -> None:
    numbers = (action.value, action.start_s, 0.0 if action.duration_s is None else action.duration_s)
    if not all(math.isfinite(one) for one in numbers) or not 0 < len(action.name) <= WORD_CHARS_MAX:
        raise ModelError(f"found {action.name[:40]!r}, expected a name and finite numbers")
    if action.start_s < 0 or action.value < 0 or (action.duration_s is not None and action.duration_s <= 0):
        raise ModelError(
            f"found {action.name[:40]} of {action.value:g} from {action.start_s:g} s for {action.duration_s} s, "
            "expected a value and a start of 0 or more and a duration above 0"
        )

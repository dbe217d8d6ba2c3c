"""A twin's state, live or past, as it is answered and shown; its scores are computed from that very state."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from vitruvian.core.vocabulary import VOCABULARY
from vitruvian.journal import Patient
from vitruvian.prediction.scores import INPUTS, NO_BIRTH, Scores, inputs_from, score
from vitruvian.service.build import Latest, age_years
from vitruvian.service.details import score_cards, state_rows
from vitruvian.service.views import TwinView
from vitruvian.twin import TwinState

_VALID_S: Final = np.array([VOCABULARY[name].valid_for_s for name in INPUTS], np.float64)


def twin_view(
    state: TwinState,
    basis: Literal["live", "as_of", "as_known"],
    patient: Patient,
    seq: int,
    urine_24h_ml: float | None = None,
) -> TwinView:
    """The view of a state: every concept ever seen, and the scores at that instant."""
    latest = {
        signal.concept: Latest(signal.value, signal.occurred_us, signal.cadence_s)
        for signal in state.signals
        if signal.value is not None and signal.occurred_us is not None
    }
    person = patient.person
    rows = state_rows(latest, age_years(person, state.at_us), person.sex if person else "", state.at_us)
    birth_us = person.birth_us if person and person.birth_us is not None else NO_BIRTH
    cards = score_cards(scores_at(latest, birth_us, state.at_us, urine_24h_ml), 0)
    return TwinView(patient.id, basis, state.at_us, seq, state.hash, rows, cards)


def scores_at(latest: dict[str, Latest], birth_us: int, at_us: int, urine_24h_ml: float | None) -> Scores:
    """The scores of one patient from the newest values at an instant."""
    value, occurred_us = np.full((len(INPUTS), 1), np.nan), np.zeros((len(INPUTS), 1), np.int64)
    for row, name in enumerate(INPUTS):
        if name in latest:
            value[row, 0], occurred_us[row, 0] = latest[name].value, latest[name].at_us
    urine = None if urine_24h_ml is None else np.array([urine_24h_ml])
    return score(inputs_from(value, occurred_us, at_us, _VALID_S, np.array([birth_us], np.int64), urine))

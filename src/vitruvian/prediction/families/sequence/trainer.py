"""The fit of a sequence model: weighted log loss, early stopping, a running mean of weights, and a file to resume from.

Every draw of an epoch follows from the seed and the epoch's number, so a fit that was killed and resumed leaves the
same model as one that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from vitruvian.core.errors import ModelError
from vitruvian.prediction.families.base import Goal
from vitruvian.prediction.families.sequence.ahead import ahead_loss, coming
from vitruvian.prediction.families.sequence.augment import concepts_of, draw
from vitruvian.prediction.families.sequence.base import Recurrent
from vitruvian.prediction.families.sequence.batches import Batch, stretches, window_batches
from vitruvian.prediction.families.sequence.kept import Course, identity_of, restore, weights, write
from vitruvian.prediction.families.sequence.model import Model
from vitruvian.prediction.families.sequence.prepare import carried, columns_of, hours_of
from vitruvian.prediction.families.sequence.settings import Settings
from vitruvian.prediction.inputs.table import Table, windows

__all__ = ["fit", "logits"]

Say = Callable[[str], None]
_VALID_ROWS: Final = 30_000  # of the valid rows, evenly spaced, by which a fit stops
_BLOCK: Final = 4096  # rows scored at once
_NORM_MAX: Final = 1.0
_STEPS_MIN: Final = 100  # an epoch, while each has `_STEP_ROWS_MIN` rows
_STEP_ROWS_MIN: Final = 32
_WARM: Final = 0.05  # share of the fit over which the rate rises


def fit(
    table: Table, places: NDArray[np.int64], goal: Goal, settings: Settings, *, seed: int, say: Say, kept: Path | None
) -> Model:
    """Fit to the rows of `goal.train` by the columns at `places`. Without `goal.valid` all epochs are gone through and
    the last mean of the weights is kept. Raises ModelError where no row has a weight.
    """
    rows, valid = (np.sort(part[goal.weight[part] > 0]) for part in (goal.train, goal.valid))
    if not rows.size:
        raise ModelError("found no row of any weight to learn, expected some; give more patients")
    with one_thread():
        torch.manual_seed(seed)
        fitting = _Fitting(table, places, goal, settings, rows, seed)
        identity = identity_of(table, places, goal, settings, rows, seed)
        if kept is not None and restore(kept, identity, fitting.model, fitting.optimiser, fitting.course):
            say(f"resumed after epoch {fitting.course.epoch}")
        valid = valid[:: max(1, valid.size // _VALID_ROWS)]
        while not fitting.over():
            started = time.perf_counter()
            said = fitting.epoch(rows, valid)
            say(f"{said}, {time.perf_counter() - started:.1f} s")
            if kept is not None:
                write(kept, identity, fitting.model, fitting.optimiser, fitting.course)
        fitting.model.load_state_dict(fitting.course.best)
        return fitting.model.eval()


def logits(model: Model, table: Table, places: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log-odds of rows (n,), as they are served: CONTEXT_H - 1 closed hours from zeros, then the hour that runs."""
    out = np.empty(rows.size)
    model.eval()
    with torch.inference_mode():
        for start in range(0, rows.size, _BLOCK):
            part = rows[start : start + _BLOCK]
            seen = model.seen_of(torch.from_numpy(windows(table, part)))
            out[start : start + _BLOCK] = model.logit(_columns(table, places, part), seen).numpy()
    return out


def rows_a_step(settings: Settings, rows: int) -> int:
    """How many of an epoch's rows a step takes: few data are learnt in small steps, so that there are enough."""
    return min(settings.batch_rows, max(_STEP_ROWS_MIN, rows // _STEPS_MIN))


@contextmanager
def one_thread() -> Iterator[None]:
    """The same sums in the same order, whatever the machine; the caller's number of threads comes back after."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Fitting:
    """One fit under way."""

    def __init__(
        self,
        table: Table,
        places: NDArray[np.int64],
        goal: Goal,
        settings: Settings,
        rows: NDArray[np.int64],
        seed: int,
    ) -> None:
        self.table, self.places, self.goal, self.settings, self.seed = table, places, goal, settings, seed
        weight = goal.weight[rows]
        share = float(np.clip(np.average(goal.target[rows], weights=weight), 1e-4, 1 - 1e-4))
        self.usual = float(weight.mean())
        self.model = Model(
            settings, hours_of(table, rows), columns_of(table, places, rows), math.log(share / (1 - share))
        )
        names = [table.names[place] for place in places]
        self.concepts = concepts_of(names, self.model.columns, self.model.hours.spread)
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=settings.rate, weight_decay=settings.decay)
        self.course = Course(average=weights(self.model), best=weights(self.model))
        self.coming = coming(table) if settings.ahead > 0 or settings.pretrain_epochs else None
        self.epochs = settings.pretrain_epochs + settings.epochs

    def over(self) -> bool:
        """Whether all epochs are done, or nothing became better for too long."""
        return self.course.epoch >= self.epochs or self.course.since > self.settings.patience

    def epoch(self, rows: NDArray[np.int64], valid: NDArray[np.int64]) -> str:
        """One pass over the rows; what to say of it."""
        course, settings = self.course, self.settings
        pretrains = course.epoch < settings.pretrain_epochs
        torch.manual_seed(self.seed * 7919 + course.epoch + 1)
        random = np.random.default_rng((self.seed, course.epoch))
        if isinstance(self.model.network, Recurrent):
            batches = stretches(self.table, rows, rows_a_step(settings, rows.size), random)
        else:
            most = min(rows.size, settings.epoch_rows)
            batches = window_batches(self.table, rows, rows_a_step(settings, most), most, random)
        self.model.train()
        total = 0.0
        for number, batch in enumerate(batches):
            self._set_rate((course.epoch + number / len(batches)) / self.epochs)
            total += self._step(batch, random, pretrains)
        course.epoch += 1
        said = f"epoch {course.epoch}/{self.epochs}: loss {total / len(batches):.5f}"
        if pretrains:
            return f"foretelling, {said}"
        if not valid.size:
            course.best = {name: value.clone() for name, value in course.average.items()}
            return said
        return f"{said}, valid {self._judge(valid):.5f}"

    def _judge(self, valid: NDArray[np.int64]) -> float:
        """The valid rows' loss of the mean weights, which are kept where it is the least so far."""
        course, held = self.course, weights(self.model)
        self.model.load_state_dict(course.average)
        odds, target, weight = logits(self.model, self.table, self.places, valid), self.goal.target, self.goal.weight
        each = np.logaddexp(0, odds) - target[valid] * odds
        loss = float(np.average(each, weights=weight[valid]))
        self.model.load_state_dict(held)
        course.since += 1
        if loss < course.best_loss:
            course.best_loss, course.since = loss, 0
            course.best = {name: value.clone() for name, value in course.average.items()}
        return loss

    def _set_rate(self, done: float) -> None:
        rate = self.settings.rate * min(1.0, (done + 1e-3) / _WARM) * 0.5 * (1 + math.cos(math.pi * done))
        for group in self.optimiser.param_groups:
            group["lr"] = rate

    def _step(self, batch: Batch, random: np.random.Generator, pretrains: bool) -> float:
        settings, model = self.settings, self.model
        drawn = draw(self.concepts, batch.hours.shape[0], settings.masked, settings.offset, random)
        of = torch.from_numpy(batch.of)
        hours = drawn.hours(torch.from_numpy(batch.hours), torch.arange(batch.hours.shape[0]))
        seen, read = _seen(model, batch, hours, drawn.hours(torch.from_numpy(batch.running), of))
        loss = seen.new_zeros(())
        if not pretrains:
            columns = drawn.columns(_columns(self.table, self.places, batch.rows), of)
            target, weight = (
                torch.from_numpy(part[batch.rows]).float() for part in (self.goal.target, self.goal.weight)
            )
            each = functional.binary_cross_entropy_with_logits(model.logit(columns, seen), target, reduction="none")
            loss = (each * weight).mean() / self.usual
        if self.coming is not None:
            came = torch.from_numpy(self.coming[batch.rows]).reshape(-1, 2, model.hours.channels)
            foretold = model.ahead(torch.cat([seen, read], dim=1))
            share = 1.0 if pretrains else settings.ahead
            loss = loss + share * ahead_loss(foretold, model.hours(came).flatten(1))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), _NORM_MAX)
        self.optimiser.step()
        self._average()
        return float(loss.detach())

    def _average(self) -> None:
        self.course.steps += 1
        keep = min(self.settings.average, 1 - 1 / (1 + self.course.steps / 4))  # the first steps are soon forgotten
        with torch.no_grad():
            for name, value in self.model.named_parameters():
                self.course.average[name].lerp_(value, 1 - keep)


def _seen(model: Model, batch: Batch, hours: Tensor, running: Tensor) -> tuple[Tensor, Tensor]:
    """What the head is told of each row, and how its own hour reads."""
    read = carried(model.hours, hours)
    if not isinstance(model.network, Recurrent):
        return model.network(read), read[:, -1]
    before = read[batch.of, batch.step - 1]
    own, _, _ = model.hours.step(running, before[:, : model.hours.channels], before[:, -1:])
    state = model.network.run(read)[batch.step, batch.of]
    return model.network.out(model.network.step(model.network.projected(own), state)), own


def _columns(table: Table, places: NDArray[np.int64], rows: NDArray[np.int64]) -> Tensor:
    return torch.from_numpy(np.take(table.values[rows], places, axis=1))

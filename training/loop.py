"""The training loop: a generator that yields reports and knows neither Ray nor files.

Whoever iterates it decides what a report means: the launcher writes it down and saves checkpoints, a test compares it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter
from typing import Literal

import torch
from torch import Tensor

from pipeline.base.errors import TrainingError
from training.config import TrainConfig
from training.data import Batch
from training.figures import Figures, figures, no_sums
from training.order import repeats_per_batch
from training.ranks import Ranks
from training.state import TrainState
from training.step import Stepper
from training.validation import Shown, validate


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """One process without company; a `training.ranks.Ranks`."""

    rank: int = 0
    num_ranks: int = 1

    def average(self, tensor: Tensor) -> None:
        """Nothing to average with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the loop tells after some steps; equal on all ranks, but for `shown`."""

    split: Literal["train", "val"]
    """`train`: figures over the steps since the last report; `val`: over the validation crops."""
    step: int
    samples_seen: int
    epoch: float
    """Times that the training split has been read."""
    num_repeats: int
    num_skipped: int
    learning_rate: float
    read_ms: float
    """Time the model waited for a batch, a step."""
    model_ms: float
    """Time of forward, backward, averaging and update, a step."""
    images_per_second: float
    """Crops trained or validated, over all workers."""
    figures: Figures
    by_rate: tuple[Figures, ...] = ()
    """In a validation of a codec with several rates: the figures of each, whose means `figures` are."""
    checkpoint_due: bool
    """Whether the caller should save the state before going on."""
    best: bool = False
    """Whether this validation's loss is the lowest so far."""
    shown: tuple[Shown, ...] = field(default=(), repr=False)
    """Some of this rank's validation crops; the one part that differs between ranks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainData:
    """What a rank reads."""

    batches: Iterator[Batch]
    validation: Sequence[Batch]
    num_samples: int
    """In the training split; makes epochs of samples seen."""


def _go_on() -> bool:
    return False


def fit(
    state: TrainState, config: TrainConfig, data: TrainData, ranks: Ranks, *, should_stop: Callable[[], bool] = _go_on
) -> Iterator[Report]:
    """Train `state` up to `config.steps`, changing it in place; yield a report wherever one is due.

    Every rank yields equally often. `should_stop` is asked in each step; if it says so on any rank, that step is the
    last one on all, and its report wants a checkpoint.
    Raises: TrainingError: too many steps in a row whose gradient is not finite; UsageError: `compile` cannot be done.
    """
    clock = _Interval()
    stepper = Stepper(state.codec, config)
    stopped = False
    while state.step < config.steps and not stopped:
        learning_rate = state.optimisers.set_learning_rates(state.step, config, plateau_rate=state.validated.rate)
        began = perf_counter()
        batch = next(data.batches)
        read = perf_counter()
        taken = stepper.take(state, batch, ranks, stop=should_stop())
        stopped = taken.stop
        state.step += 1
        state.samples_seen += config.samples_per_batch
        state.num_repeats += repeats_per_batch(config.samples_per_batch, ranks.num_ranks)
        state.num_skipped += not taken.finite
        state.skips_in_a_row = 0 if taken.finite else state.skips_in_a_row + 1
        if state.skips_in_a_row >= config.max_skips_in_a_row:
            raise TrainingError(
                f"step {state.step}: {state.skips_in_a_row} steps in a row gave a gradient that is not finite; "
                f"lower learning_rate ({config.learning_rate}) or max_gradient_norm ({config.max_gradient_norm})"
            )
        clock.add(taken.sums, read_seconds=read - began, model_seconds=perf_counter() - read)
        due = _Due(clock=clock, learning_rate=learning_rate, stopped=stopped)
        yield from _reports(state, config, data, ranks, due)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    clock: "_Interval"
    learning_rate: float
    stopped: bool


def _reports(state: TrainState, config: TrainConfig, data: TrainData, ranks: Ranks, due: _Due) -> Iterator[Report]:
    last = state.step == config.steps
    checkpoint_due = last or due.stopped or state.step % config.checkpoint_every == 0
    validation_due = bool(config.validate_every) and (last or state.step % config.validate_every == 0)

    def report(split: Literal["train", "val"], sums: Tensor, times: tuple[float, float], num_crops: int) -> Report:
        seconds = sum(times) / 1000
        return Report(
            split=split,
            step=state.step,
            samples_seen=state.samples_seen,
            epoch=state.samples_seen / data.num_samples,
            num_repeats=state.num_repeats,
            num_skipped=state.num_skipped,
            learning_rate=due.learning_rate,
            read_ms=times[0],
            model_ms=times[1],
            images_per_second=num_crops / seconds if seconds else 0.0,
            figures=_figures(sums, config),
            checkpoint_due=split == "train" and checkpoint_due,
        )

    if validation_due:
        began = perf_counter()
        sums_RS, shown = validate(state, config, data.validation, ranks)
        told = report("val", sums_RS.sum(dim=0), (0.0, 1000 * (perf_counter() - began)), config.validate_crops)
        best = state.validated.take(told.figures.loss, step=state.step, config=config)
        by_rate = tuple(_figures(sums, config) for sums in sums_RS) if config.rate_lambdas else ()
        yield replace(told, best=best, shown=shown, by_rate=by_rate)
    if checkpoint_due or validation_due or state.step % config.report_every == 0:
        sums, times = due.clock.take(ranks)
        yield report("train", sums, times, config.batch_size)


def _figures(sums: Tensor, config: TrainConfig) -> Figures:
    return figures(sums, lambda_rd=None if config.rate_lambdas else config.lambda_rd, gamma=config.gamma)


class _Interval:
    """Sums and times since the last report."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._sums = no_sums()
        self._seconds = torch.zeros(2, dtype=torch.float64)
        self._num_steps = 0

    def add(self, sums: Tensor, *, read_seconds: float, model_seconds: float) -> None:
        self._sums += sums
        self._seconds += torch.tensor([read_seconds, model_seconds], dtype=torch.float64)
        self._num_steps += 1

    def take(self, ranks: Ranks) -> tuple[Tensor, tuple[float, float]]:
        """Return the sums and the read and model milliseconds a step, both over all ranks, and start anew."""
        together = torch.cat([self._sums, 1000 * self._seconds / max(1, self._num_steps)])
        ranks.average(together)
        self._reset()
        return together[:-2], (float(together[-2]), float(together[-1]))

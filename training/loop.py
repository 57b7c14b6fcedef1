"""The training loop: a generator that yields reports and knows neither Ray nor files.

Whoever iterates it decides what a report means: the launcher writes it down and saves checkpoints, a test compares it.
N crops, H, W side of a crop.
"""

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from time import perf_counter
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from pipeline.base.errors import TrainingError
from pipeline.base.seeds import derive_seed
from training.config import TrainConfig, needs_labels
from training.data import Batch
from training.objectives import Figures, figures, measure, no_sums, objective
from training.optim import main_parameters
from training.order import repeats_per_batch
from training.state import TrainState


class Ranks(Protocol):
    """The processes that train together."""

    @property
    def rank(self) -> int: ...

    @property
    def num_ranks(self) -> int: ...

    def average(self, tensor: Tensor) -> None:
        """Replace a tensor, in place, by its mean over the ranks; the result is the same bits on all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """One process without company."""

    rank: int = 0
    num_ranks: int = 1

    def average(self, tensor: Tensor) -> None:
        """Nothing to average with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the loop tells after some steps; equal on all ranks."""

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
    figures: Figures
    checkpoint_due: bool
    """Whether the caller should save the state before going on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainData:
    """What a rank reads."""

    batches: Iterator[Batch]
    validation: Sequence[Batch]
    num_samples: int
    """In the training split; makes epochs of samples seen."""


def fit(state: TrainState, config: TrainConfig, data: TrainData, ranks: Ranks) -> Iterator[Report]:
    """Train `state` up to `config.steps`, changing it in place; yield a report wherever one is due.

    Every rank yields equally often. Noise is seeded by step and rank, so that a run that was stopped and continued
    takes the same steps.
    Raises: TrainingError: too many steps in a row whose gradient is not finite.
    """
    clock = _Interval()
    skips_in_a_row = 0
    while state.step < config.steps:
        learning_rate = state.optimisers.set_learning_rates(state.step, config)
        began = perf_counter()
        batch = next(data.batches)
        read = perf_counter()
        taken, sums = _train_step(state, config, batch, ranks)
        state.step += 1
        state.samples_seen += config.samples_per_batch
        state.num_repeats += repeats_per_batch(config.samples_per_batch, ranks.num_ranks)
        state.num_skipped += not taken
        skips_in_a_row = 0 if taken else skips_in_a_row + 1
        if skips_in_a_row >= config.max_skips_in_a_row:
            raise TrainingError(
                f"step {state.step}: {skips_in_a_row} steps in a row gave a gradient that is not finite; "
                f"lower learning_rate ({config.learning_rate}) or max_gradient_norm ({config.max_gradient_norm})"
            )
        clock.add(sums, read_seconds=read - began, model_seconds=perf_counter() - read)
        yield from _reports(state, config, data, ranks, _Due(clock=clock, learning_rate=learning_rate))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    clock: "_Interval"
    learning_rate: float


def _reports(state: TrainState, config: TrainConfig, data: TrainData, ranks: Ranks, due: _Due) -> Iterator[Report]:
    last = state.step == config.steps
    checkpoint_due = last or state.step % config.checkpoint_every == 0
    validation_due = bool(config.validate_every) and (last or state.step % config.validate_every == 0)

    def report(split: Literal["train", "val"], sums: Tensor, times: tuple[float, float], *, save: bool) -> Report:
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
            figures=figures(sums, lambda_rd=config.lambda_rd, gamma=config.gamma),
            checkpoint_due=save,
        )

    if validation_due:
        began = perf_counter()
        sums = validate(state, config, data.validation, ranks)
        yield report("val", sums, (0.0, 1000 * (perf_counter() - began)), save=False)
    if checkpoint_due or validation_due or state.step % config.report_every == 0:
        sums, times = due.clock.take(ranks)
        yield report("train", sums, times, save=checkpoint_due)


def validate(state: TrainState, config: TrainConfig, batches: Sequence[Batch], ranks: Ranks) -> Tensor:
    """Return the sums over all ranks' validation crops, as `measure` orders them, times 1 / num_ranks."""
    device = state.codec.device
    sums = no_sums()
    state.codec.eval()
    with torch.no_grad(), _autocast(config, device):
        for batch in batches:
            # Without region maps, as coding is: what training was told must not flatter the figures. Classes are sent.
            on_device = _to_device(batch, device)
            pictures_N3HW, labels_NHW, classes_NC = on_device.pictures, on_device.labels, on_device.classes
            output = state.codec(pictures_N3HW, None, labels_NHW if needs_labels(config) else None)
            sums += measure(output, pictures_N3HW, labels_NHW, classes_NC)
    state.codec.train()
    ranks.average(sums)
    return sums


def _train_step(state: TrainState, config: TrainConfig, batch: Batch, ranks: Ranks) -> tuple[bool, Tensor]:
    """Take one step; return whether its gradient was finite, and this rank's sums."""
    codec = state.codec
    batch = _to_device(batch, codec.device)
    pictures_N3HW, labels_NHW, classes_NC = batch.pictures, batch.labels, batch.classes
    torch.manual_seed(derive_seed(config.seed, "noise", state.step, ranks.rank))
    codec.zero_grad(set_to_none=True)
    with _autocast(config, codec.device):
        output = codec(pictures_N3HW, batch.regions, labels_NHW if needs_labels(config) else None)
        weights = {"lambda_rd": config.lambda_rd, "gamma": config.gamma}
        terms = objective(output, pictures_N3HW, labels_NHW, classes_NC, **weights)
    # The auxiliary loss reaches only the auxiliary parameters and the objective only the others: one pass serves both.
    (terms.loss + codec.aux_loss()).backward()  # type: ignore[no-untyped-call]
    finite = _average_gradients(codec, ranks)
    if finite:
        nn.utils.clip_grad_norm_(main_parameters(codec), config.max_gradient_norm)
        state.optimisers.step()
    sums = measure(output, pictures_N3HW, labels_NHW, classes_NC)
    return finite, sums if bool(sums.isfinite().all()) else no_sums()


def _average_gradients(codec: nn.Module, ranks: Ranks) -> bool:
    """Average all gradients over the ranks in one message; return whether the result is finite, the same on all."""
    gradients = []
    for parameter in codec.parameters():
        # What this rank's batch did not need (a class without pixels) has a gradient all the same: ranks must agree.
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad)
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    if ranks.num_ranks > 1:
        ranks.average(flat)
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()
    return bool(flat.isfinite().all())


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


def _to_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch there, its pictures as floats in [0, 1]."""
    return Batch(
        pictures=batch.pictures.to(device).float() / 255,
        labels=batch.labels.to(device),
        regions=None if batch.regions is None else batch.regions.to(device),
        classes=None if batch.classes is None else batch.classes.to(device),
    )


def _autocast(config: TrainConfig, device: torch.device) -> "torch.autocast | nullcontext[None]":
    if config.precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)

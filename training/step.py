"""One step: forward and backward over a rank's crops in parts, gradients averaged over the ranks, one update.

N crops of a part, H, W side of a crop.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pipeline.base.errors import UsageError
from pipeline.base.seeds import derive_seed
from pipeline.codecs.interface import AbstractCodec, CodecOutput
from training.config import TrainConfig, needs_labels
from training.data import Batch
from training.figures import measure, no_sums
from training.noise import CropNoise, Share, crop_seeds
from training.objectives import counts, objective, part_of
from training.optim import main_parameters
from training.ranks import Ranks
from training.state import TrainState

Forward = Callable[..., CodecOutput]
"""Of pictures, region maps or None, labels or None and, of a codec with several rates, the crops' rates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a step."""

    finite: bool
    """Whether its gradient was, on all ranks; else the weights are as before."""
    stop: bool
    """Whether any rank was asked to stop; the same on all."""
    sums: Tensor
    """This rank's, as `measure` orders them."""


class Stepper:
    """Takes the steps of one run."""

    def __init__(self, codec: AbstractCodec, config: TrainConfig) -> None:
        self._config = config
        self._forward = _compiled(codec, config) if config.compile else codec

    def take(self, state: TrainState, batch: Batch, ranks: Ranks, *, stop: bool = False) -> Taken:
        """Take one step. `stop`: whether this rank is asked to stop, which all of them hear with the gradients.

        Noise is seeded by step and by the crop's place in the whole batch (compiled: by step and rank), so that a run
        that was stopped and continued takes the same steps.
        Raises: UsageError: the codec cannot be compiled.
        """
        codec, config = state.codec, self._config
        torch.manual_seed(derive_seed(config.seed, "noise", state.step, ranks.rank))
        codec.zero_grad(set_to_none=True)
        parts = split(to_device(batch, codec.device), config.accumulate)
        whole = counts(batch.labels, batch.classes)
        sums = no_sums()
        share = Share(step=state.step, num_crops=len(batch.pictures), rank=ranks.rank, num_ranks=ranks.num_ranks)
        rates = self._rates(share).to(codec.device).tensor_split(len(parts))
        seeds = crop_seeds(config, share, "noise")
        for number, (part, rates_N) in enumerate(zip(parts, rates, strict=True)):
            own, seeds = seeds[: len(part.pictures)], seeds[len(part.pictures) :]
            lambdas_N = lambdas_at(config, rates_N)
            with nullcontext() if config.compile else CropNoise(own, codec.device):
                output, loss = self._loss(part, None if len(parts) == 1 else whole, rates_N, lambdas_N)
            # The auxiliary loss reaches only the auxiliary parameters and the objective only the others: one pass
            # serves both. It does not depend on the crops.
            (loss if number else loss + codec.aux_loss()).backward()  # type: ignore[no-untyped-call]
            planes = (part.pictures, part.labels, part.classes)
            sums += measure(output, *planes, at_boundary=False, lambdas_N=lambdas_N)
        finite, stop = _average_gradients(codec, ranks, stop=stop)
        if finite:
            nn.utils.clip_grad_norm_(main_parameters(codec), config.max_gradient_norm)
            state.optimisers.step()
            if state.average is not None:
                state.average.update(codec, decay=config.ema_decay, number=state.step + 1 - state.num_skipped)
        return Taken(finite=finite, stop=stop, sums=sums if bool(sums.isfinite().all()) else no_sums())

    def _rates(self, share: Share) -> Tensor:
        """Return each crop's level (N,), drawn by its place in the batch as noise is; 0 for a codec with one rate."""
        num_rates = max(1, len(self._config.rate_lambdas))
        return torch.tensor([seed % num_rates for seed in crop_seeds(self._config, share, "rate")]).float()

    def _loss(self, part: Batch, whole: Any, rates_N: Tensor, lambdas_N: Tensor | None) -> tuple[CodecOutput, Tensor]:
        config, gamma = self._config, self._config.gamma
        lambda_rd = config.lambda_rd if lambdas_N is None else lambdas_N
        with autocast(config, part.pictures.device):
            output = self._forward(*forward_inputs(config, part, part.regions, rates_N))
            terms = objective(output, part.pictures, part.labels, part.classes, lambda_rd=lambda_rd, gamma=gamma)
        if whole is None:
            return output, terms.loss
        return output, part_of(terms, counts(part.labels, part.classes), whole, gamma=gamma)


def lambdas_at(config: TrainConfig, rates_N: Tensor) -> Tensor | None:
    """Return the lambdas (N,) of crops at these levels; None for a codec with one rate."""
    return rates_N.new_tensor(config.rate_lambdas)[rates_N.long()] if config.rate_lambdas else None


def forward_inputs(
    config: TrainConfig, batch: Batch, regions_NHW: Tensor | None, rates_N: Tensor
) -> tuple[Tensor | None, ...]:
    """Return what the codec's `forward` is given of a batch."""
    inputs = (batch.pictures, regions_NHW, batch.labels if needs_labels(config) else None)
    return (*inputs, rates_N) if config.rate_lambdas else inputs


def split(batch: Batch, num_parts: int) -> Sequence[Batch]:
    """Return the batch in so many parts, as equal as can be; fewer if it has fewer crops."""
    num_parts = min(num_parts, len(batch.pictures))
    planes = (batch.pictures, batch.labels, batch.regions, batch.classes)
    cut = [[None] * num_parts if plane is None else plane.tensor_split(num_parts) for plane in planes]
    return [
        Batch(pictures=pictures, labels=labels, regions=regions, classes=classes)
        for pictures, labels, regions, classes in zip(*cut, strict=True)
    ]


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch there, its pictures as floats in [0, 1]."""
    return Batch(
        pictures=batch.pictures.to(device).float() / 255,
        labels=batch.labels.to(device),
        regions=None if batch.regions is None else batch.regions.to(device),
        classes=None if batch.classes is None else batch.classes.to(device),
    )


def autocast(config: TrainConfig, device: torch.device) -> "torch.autocast | nullcontext[None]":
    """Return the context in which the networks run; entropy models keep to float32 by themselves."""
    if config.precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


def _average_gradients(codec: nn.Module, ranks: Ranks, *, stop: bool) -> tuple[bool, bool]:
    """Average all gradients over the ranks in one message; return whether the result is finite and any should stop.

    Both answers are the same on all ranks.
    """
    gradients = []
    for parameter in codec.parameters():
        # What this rank's batch did not need (a class without pixels) has a gradient all the same: ranks must agree.
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad)
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    if ranks.num_ranks > 1:
        # The wish travels along: a message of its own would cost a round trip a step.
        flat = torch.cat([flat, flat.new_tensor([float(stop)])])
        ranks.average(flat)
        stop = float(flat[-1]) > 0
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()
    return bool(flat.isfinite().all()), stop


def _compiled(codec: AbstractCodec, config: TrainConfig) -> Forward:
    # One graph or none: with breaks in it the rest would run uncompiled without a word.
    run = torch.compile(codec, fullgraph=True, dynamic=False)

    def forward(*inputs: Tensor | None) -> CodecOutput:
        try:
            output: CodecOutput = run(*inputs)
        except (torch._dynamo.exc.TorchDynamoException, torch._inductor.exc.InductorError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            reason = lines[0][:200] if lines else type(error).__name__
            raise UsageError(f"compile = true: codec {config.codec} cannot be compiled: {reason}") from error
        return output

    return forward

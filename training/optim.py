"""The two optimisers of a codec, the learning rate, and their state as named tensors."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.base.errors import CheckpointError
from pipeline.codecs.interface import AbstractCodec
from training.config import TrainConfig

_ADAM_STATE = ("step", "exp_avg", "exp_avg_sq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimisers:
    """Adam for the networks, and another Adam for the quantiles that only the auxiliary loss trains."""

    main: torch.optim.Adam
    aux: torch.optim.Adam | None
    """None for a codec without auxiliary parameters."""

    def set_learning_rates(self, step: int, config: TrainConfig, *, plateau_rate: float = 1.0) -> float:
        """Set both learning rates for step `step` (from 0); return the main one.

        `plateau_rate`: the share that validations have come to, for the schedule `plateau`.
        """
        factor = rate_factor(step, config, plateau_rate=plateau_rate)
        for group in self.main.param_groups:
            group["lr"] = config.learning_rate * factor
        for group in self.aux.param_groups if self.aux is not None else ():
            group["lr"] = config.aux_learning_rate
        return config.learning_rate * factor

    def step(self) -> None:
        """Apply the gradients."""
        self.main.step()
        if self.aux is not None:
            self.aux.step()


def rate_factor(step: int, config: TrainConfig, *, plateau_rate: float = 1.0) -> float:
    """Return the learning rate of step `step` (from 0) as a share of its highest value.

    Linear from 0 over `warmup_steps`, then level. `cosine`: a cosine to `final_rate` over the last `decay_share` of the
    run, a function of the step alone, so that nothing needs saving. `plateau`: times `plateau_rate`.
    """
    warmup = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    if config.schedule == "plateau":
        return warmup * plateau_rate
    decay_steps = config.steps * config.decay_share
    past = step + 1 - (config.steps - decay_steps)
    if past <= 0 or not decay_steps:
        return warmup
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, past / decay_steps)))
    return warmup * (config.final_rate + (1 - config.final_rate) * cosine)


def build_optimisers(codec: AbstractCodec, config: TrainConfig) -> Optimisers:
    """Return fresh optimisers for a codec's parameters."""
    aux = codec.aux_parameters()
    return Optimisers(
        main=torch.optim.Adam(main_parameters(codec), lr=config.learning_rate),
        aux=torch.optim.Adam(aux, lr=config.aux_learning_rate) if aux else None,
    )


def main_parameters(codec: AbstractCodec) -> list[nn.Parameter]:
    """Return the parameters that the objective trains, in the codec's order."""
    aux = {id(parameter) for parameter in codec.aux_parameters()}
    return [parameter for parameter in codec.parameters() if parameter.requires_grad and id(parameter) not in aux]


def state_tensors(codec: AbstractCodec, optimisers: Optimisers) -> dict[str, Tensor]:
    """Return all optimiser state as tensors on the CPU, named `<parameter>/<part>`; empty before the first step."""
    return {
        f"{name}/{part}": optimiser.state[parameter][part].detach().cpu().contiguous()
        for name, parameter, optimiser in _owned(codec, optimisers)
        for part in _ADAM_STATE
        if parameter in optimiser.state
    }


def load_state_tensors(
    codec: AbstractCodec, optimisers: Optimisers, tensors: Mapping[str, Tensor], *, where: str
) -> None:
    """Put back what `state_tensors` returned.

    Raises: CheckpointError: a tensor is missing, unknown or of another shape.
    """
    known: set[str] = set()
    for name, parameter, optimiser in _owned(codec, optimisers):
        names = {part: f"{name}/{part}" for part in _ADAM_STATE}
        known.update(names.values())
        found = {part: tensors[key] for part, key in names.items() if key in tensors}
        if not found:
            continue
        if len(found) < len(names) or found["exp_avg"].shape != parameter.shape:
            raise CheckpointError(f"{where}: optimiser state of {name} does not fit the codec's parameter")
        # Adam counts steps in a CPU tensor whatever the parameter's device.
        optimiser.state[parameter] = {
            part: tensor.clone() if part == "step" else tensor.to(parameter.device, copy=True)
            for part, tensor in found.items()
        }
    unknown = sorted(set(tensors) - known)
    if unknown:
        raise CheckpointError(f"{where}: optimiser state of {unknown[0]}, which the codec does not have")


def _owned(codec: AbstractCodec, optimisers: Optimisers) -> Iterator[tuple[str, nn.Parameter, torch.optim.Adam]]:
    owners = {
        id(parameter): optimiser
        for optimiser in (optimisers.main, optimisers.aux)
        if optimiser is not None
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    for name, parameter in codec.named_parameters():
        if id(parameter) in owners:
            yield name, parameter, owners[id(parameter)]

"""Noise that belongs to a crop, whichever rank and part of the batch it is in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from pipeline.base.seeds import derive_seed
from training.config import TrainConfig


class CropNoise(TorchFunctionMode):
    """While the block runs, fills tensors of a row a crop (`Tensor.uniform_`) from a generator of each crop's own.

    Other tensors are filled as always. torch.compile does not see it: compiled steps draw by rank.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        super().__init__()
        self._generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func is not torch.Tensor.uniform_ or args[0].dim() == 0 or len(args[0]) != len(self._generators):
            return func(*args, **(kwargs or {}))
        for row, generator in zip(args[0].unbind(0), self._generators, strict=True):
            row.uniform_(*args[1:], **(kwargs or {}), generator=generator)
        return args[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A rank's share of one step's crops."""

    step: int
    num_crops: int
    rank: int
    num_ranks: int


def crop_seeds(config: TrainConfig, share: Share, what: str) -> list[int]:
    """Return a seed of `what` for each of a rank's crops, by their places in the whole batch."""
    seeds = []
    for number in range(share.num_crops):
        turn, cut = divmod(number, config.crops_per_picture)
        # The order of training.order.rank_positions.
        picture = (share.rank + turn * share.num_ranks) % config.samples_per_batch
        seeds.append(derive_seed(config.seed, what, share.step, picture * config.crops_per_picture + cut))
    return seeds

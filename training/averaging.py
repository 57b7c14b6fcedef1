"""An exponential moving average of a codec's weights."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from pipeline.codecs.interface import AbstractCodec

_WARMUP = 10


class WeightAverage:
    """The average of all of a codec's parameters, by name, where they live. Buffers are frozen from it, not averaged.

    The decay of update n (from 1) is min(decay, (1 + n) / (10 + n)), as in TensorFlow's ExponentialMovingAverage: a
    young average follows the weights, so that short runs are not validated on their first guess.
    """

    def __init__(self, codec: AbstractCodec) -> None:
        self.tensors = {name: parameter.detach().clone() for name, parameter in codec.named_parameters()}

    @torch.no_grad()
    def update(self, codec: AbstractCodec, *, decay: float, number: int) -> None:
        """Take in the weights after update `number` (from 1)."""
        weight = 1.0 - min(decay, (1 + number) / (_WARMUP + number))
        current = [parameter.detach() for _, parameter in codec.named_parameters()]
        torch._foreach_lerp_(list(self.tensors.values()), current, weight)

    @contextmanager
    def in_place(self, codec: AbstractCodec) -> Iterator[None]:
        """Give the codec the averaged weights while the block runs, and then its own again, the same bits."""
        self._swap(codec)
        try:
            yield
        finally:
            self._swap(codec)

    def _swap(self, codec: AbstractCodec) -> None:
        for name, parameter in codec.named_parameters():
            averaged: Tensor = self.tensors[name]
            self.tensors[name], parameter.data = parameter.data, averaged

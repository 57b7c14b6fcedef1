"""Functions of one variable on integers, for networks whose every number must be the same on every machine.

An activation is an integer x that stands for x / 2^FRACTION, carried in float64 (integer_net.py). What is not a
rational function is interpolated linearly between 2,048 stored values: products and sums of small integers, exact.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from pipeline.codecs.integer_net import FRACTION

Kind = Literal["gelu", "sigmoid", "half_tanh"]
LEAKY_SLOPE = 0.1

_NUM_STEPS = 1 << 11
_VALUE_FRACTION = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """How a function is put together from values on u = |x|, 0 <= u < 2^log2_range."""

    values: Callable[[float], float]
    log2_range: int


def _gelu_remainder(u: float) -> float:
    # gelu(u) = u - r(u) and gelu(-u) = -r(u), with r(u) = u * P(normal > u).
    return u * 0.5 * math.erfc(u / math.sqrt(2.0))


_SHAPES: dict[Kind, _Shape] = {
    "gelu": _Shape(values=_gelu_remainder, log2_range=3),
    "sigmoid": _Shape(values=lambda u: 1.0 / (1.0 + math.exp(-u)), log2_range=4),
    "half_tanh": _Shape(values=lambda u: 0.5 * math.tanh(u), log2_range=3),
}


class IntegerFunction(nn.Module):
    """GELU, the logistic sigmoid or tanh / 2; within 2^-16 of the real function.

    The values are a buffer, saved with the weights, since two machines' libraries may differ in an exp's last bit.
    """

    table: Tensor

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind: Kind = kind
        self.register_buffer("table", torch.zeros(_NUM_STEPS + 1, dtype=torch.int32))

    def store(self) -> None:
        """Write down the values."""
        shape = _SHAPES[self.kind]
        step = 2.0**shape.log2_range / _NUM_STEPS
        values = [round(shape.values(i * step) * 2**_VALUE_FRACTION) for i in range(_NUM_STEPS + 1)]
        self.table.copy_(torch.tensor(values, dtype=torch.int32))

    def forward(self, x: Tensor) -> Tensor:
        """Return the function of activations of any shape, float64."""
        value = self._interpolate(x.abs())
        if self.kind == "gelu":
            return x.clamp(min=0.0).sub_(value)
        if self.kind == "sigmoid":
            return torch.where(x < 0, 2.0**FRACTION - value, value)
        return torch.where(x < 0, -value, value)

    def _interpolate(self, u: Tensor) -> Tensor:
        """Return the function of u >= 0, rounded to FRACTION bits; beyond the range its last value."""
        bits = FRACTION + _SHAPES[self.kind].log2_range - (_NUM_STEPS.bit_length() - 1)
        u = u.clamp(max=float((_NUM_STEPS << bits) - 1))
        step = (u * 2.0**-bits).floor_()
        rest = u.sub_(step * 2.0**bits)
        index = step.long()
        table = self.table.double()
        low = table[index]
        # |difference| < 2^24 and rest < 2^bits: exact, and so is their sum.
        rise = (table[index + 1] - low).mul_(rest)
        total = low.mul_(2.0**bits).add_(rise)
        return total.mul_(2.0 ** -(bits + _VALUE_FRACTION - FRACTION)).round_()


def leaky_relu(x: Tensor) -> Tensor:
    """Return x, or round(x / 10) where x is negative."""
    return torch.where(x < 0, (x * LEAKY_SLOPE).round_(), x)

"""Networks in integer arithmetic, for what a decoder computes: the same numbers on every machine.

An activation is an integer x, |x| <= 2^28, that stands for x / 2^fraction; it is carried in float64. A layer's sum
stays within 2^53, where float64 counts every integer, so the order of summation (threads, batch, strips, instruction
set) cannot matter:

    convolution   sum |w| <= 2^24 for each output, |bias| <= 2^52:   |w x + b| <= 2^24 2^28 + 2^52 = 2^53
    IGDN          u = floor(x^2 / 2^22) <= 2^34, sum gamma <= 2^18:  gamma u + beta <= 2^18 2^34 + 2^52 = 2^53

Between the sums stand elementwise products, square roots and roundings, which IEEE 754 defines to the last bit.

Shapes: C channels in, O channels out, H rows, W columns of the layer's input. No batch: pictures go one by one.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pipeline.base.errors import TrainingError
from pipeline.codecs.blocks import Gdn

MAX_ACTIVATION = float(1 << 28)
FRACTION = 16
"""Fraction bits of hidden activations, which so reach +-4096."""
_MAX_WEIGHT_SUM = 1 << 24
_MAX_BIAS = 1 << 52
_ENERGY_SHIFT = 22
_MAX_GAMMA_SUM = 1 << 18
_MAX_SHIFT = 30
# Columns of a patch matrix are cut so that it stays in a core's cache.
_PATCH_ELEMENTS = 1 << 20


class IntegerConv(nn.Module):
    """A 3x3 convolution (upsample=False) or the 5x5 transposed convolution that doubles H and W."""

    weight: Tensor
    bias: Tensor
    shift: Tensor

    def __init__(self, in_channels: int, out_channels: int, *, upsample: bool) -> None:
        super().__init__()
        shape = (in_channels, out_channels, 5, 5) if upsample else (out_channels, in_channels, 3, 3)
        self.upsample = upsample
        self.register_buffer("weight", torch.zeros(shape, dtype=torch.int32))
        self.register_buffer("bias", torch.zeros(out_channels, dtype=torch.int64))
        self.register_buffer("shift", torch.zeros((), dtype=torch.int64))

    def store(
        self, layer: nn.Conv2d | nn.ConvTranspose2d, *, fraction: int, gain: float = 1.0, offset: float = 0.0
    ) -> None:
        """Quantise gain * layer + offset; the layer's input has `fraction` bits."""
        weight = layer.weight.detach().double().cpu() * gain
        bias = torch.full((len(self.bias),), offset, dtype=torch.float64)
        if layer.bias is not None:
            bias += layer.bias.detach().double().cpu() * gain
        dims = (0, 2, 3) if self.upsample else (1, 2, 3)
        shift = min(
            largest_shift(lambda s: (weight * 2.0**s).round().abs().sum(dim=dims), _MAX_WEIGHT_SUM),
            largest_shift(lambda s: (bias * 2.0 ** (s + fraction)).round().abs(), _MAX_BIAS),
        )
        self.weight.copy_((weight * 2.0**shift).round().to(torch.int32))
        self.bias.copy_((bias * 2.0 ** (shift + fraction)).round().to(torch.int64))
        self.shift.fill_(shift)

    def forward(self, x_CHW: Tensor) -> Tensor:
        """Return the exact sums (O, H, W) or (O, 2H, 2W), float64; they have `shift` more fraction bits than x."""
        weight, bias = self.weight.double(), self.bias.double()
        if not self.upsample:
            return nn.functional.conv2d(x_CHW[None], weight, padding=1)[0] + bias[:, None, None]
        out = nn.functional.conv_transpose2d(x_CHW[None], weight, stride=2, padding=2, output_padding=1)[0]
        return out + bias[:, None, None]


class IntegerIgdn(nn.Module):
    """x * sqrt(beta + gamma x^2) on integers with FRACTION bits."""

    gamma: Tensor
    beta: Tensor
    shift: Tensor

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.register_buffer("gamma", torch.zeros(num_channels, num_channels, dtype=torch.int32))
        self.register_buffer("beta", torch.zeros(num_channels, dtype=torch.int64))
        self.register_buffer("shift", torch.zeros((), dtype=torch.int64))

    def store(self, layer: Gdn) -> None:
        """Quantise a trained layer."""
        beta, gamma = (value.detach().double().cpu() for value in layer.effective())
        energy_fraction = 2 * FRACTION - _ENERGY_SHIFT
        shift = min(
            largest_shift(lambda s: (gamma * 2.0**s).round().sum(dim=1), _MAX_GAMMA_SUM),
            largest_shift(lambda s: (beta * 2.0 ** (s + energy_fraction)).round(), _MAX_BIAS),
        )
        self.gamma.copy_((gamma * 2.0**shift).round().to(torch.int32))
        self.beta.copy_((beta * 2.0 ** (shift + energy_fraction)).round().to(torch.int64))
        self.shift.fill_(shift)

    def forward(self, x_CHW: Tensor) -> Tensor:
        energy = (x_CHW * x_CHW * 2.0**-_ENERGY_SHIFT).floor_().flatten(1)
        norm = torch.addmm(self.beta.double()[:, None], self.gamma.double(), energy)
        norm *= 2.0 ** -(int(self.shift) + 2 * FRACTION - _ENERGY_SHIFT)
        return (x_CHW * norm.sqrt_().view_as(x_CHW)).round_().clamp_(-MAX_ACTIVATION, MAX_ACTIVATION)


def requantise(sums: Tensor, bits: int) -> Tensor:
    """Drop `bits` fraction bits (rounding half to even) and saturate: sums of a layer become activations."""
    return (sums * 2.0**-bits).round_().clamp_(-MAX_ACTIVATION, MAX_ACTIVATION)


def largest_shift(values_at: Callable[[int], Tensor], limit: int) -> int:
    """Return the largest shift s, -30 <= s <= 30, at which no value exceeds `limit`.

    Raises: TrainingError: none does; the weights are huge or not finite.
    """
    for shift in range(_MAX_SHIFT, -_MAX_SHIFT - 1, -1):
        if bool((values_at(shift) <= limit).all()):
            return shift
    raise TrainingError("the weights are not finite or beyond all bounds: training has diverged")

"""Networks in integer arithmetic, for what a decoder computes: the same numbers on every machine.

An activation is an integer x, |x| <= 2^26, that stands for x / 2^fraction; it is carried in float64. A layer's sum
stays within 2^53, where float64 counts every integer, so the order of summation (threads, batch, strips, instruction
set) cannot matter:

    convolution   sum |w| <= 2^26 for each output, |bias| <= 2^52:   |w x + b| <= 2^26 2^26 + 2^52 = 2^53
    IGDN          u = round(x^2 / 2^18) <= 2^34, sum gamma <= 2^18:  gamma u + beta <= 2^18 2^34 + 2^52 = 2^53

Between the sums stand elementwise products, square roots and roundings, which IEEE 754 defines to the last bit.

Shapes: C channels in, O channels out, H rows, W columns of the layer's input. No batch: pictures go one by one.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import product

import torch
from torch import Tensor, nn

from pipeline.base.errors import TrainingError
from pipeline.codecs.blocks import Gdn

MAX_ACTIVATION = float(1 << 26)
FRACTION = 16
"""Fraction bits of hidden activations, which so reach +-1024."""
_MAX_WEIGHT_SUM = 1 << 26
_MAX_BIAS = 1 << 52
_ENERGY_SHIFT = 18
_MAX_GAMMA_SUM = 1 << 18
_MAX_SHIFT = 30
# Columns of a patch matrix are cut so that it stays in a core's cache.
_PATCH_ELEMENTS = 1 << 18

Phase = tuple[int, int]
"""Row and column, modulo the upsampling factor, of the output positions that one matrix gives."""
Phases = Mapping[Phase, Tensor]


class IntegerConv(nn.Module):
    """A convolution of odd kernel, stride 1 (upsample=False), or the 5x5 transposed one that doubles H and W."""

    weight: Tensor
    bias: Tensor
    shift: Tensor

    def __init__(self, in_channels: int, out_channels: int, *, upsample: bool, kernel: int = 3) -> None:
        super().__init__()
        shape = (in_channels, out_channels, 5, 5) if upsample else (out_channels, in_channels, kernel, kernel)
        self.upsample = upsample
        # Taps of an input position's neighbourhood, a side: an upsampling phase sees 3x3 at most.
        self._kernel = 3 if upsample else kernel
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

    def forward(self, x_CHW: Tensor, finish: Callable[[Tensor], Tensor]) -> Tensor:
        """Return finish(exact sums), (O, H, W) or (O, 2H, 2W), float64.

        The sums have `shift` more fraction bits than x. `finish` takes and returns (O, P), any set of P positions; it
        runs while a few rows' sums are still in the processor's cache.
        """
        channels, height, width = x_CHW.shape
        factor = 2 if self.upsample else 1
        border = self._kernel // 2
        padded = nn.functional.pad(x_CHW, (border, border, border, border))
        out = x_CHW.new_empty(len(self.bias), factor * height, factor * width)
        bias_O1 = self.bias.double()[:, None]
        # With few outputs, shifting products is cheaper than copying patches.
        scatter = self.upsample and 4 * len(self.bias) <= channels
        phases = self._scatter_phases if scatter else self._gather_phases
        matrices = {} if scatter else self._matrices()
        # Scattering repeats the rows around a chunk, so its chunks must not be flat.
        rows = max(32 if scatter else 1, _PATCH_ELEMENTS // (self._kernel**2 * channels * width))
        for top in range(0, height, rows):
            num_rows = min(rows, height - top)
            for (row, column), sums_OP in phases(padded[:, top : top + num_rows + 2 * border], matrices):
                target = out[:, factor * top + row : factor * (top + num_rows) : factor, column::factor]
                target.copy_(finish(sums_OP.add_(bias_O1)).view(-1, num_rows, width))
        return out

    def _gather_phases(self, padded: Tensor, matrices: Phases) -> Iterator[tuple[Phase, Tensor]]:
        """Give each output phase's sums (O, P) for rows with their surroundings: matrix times patches."""
        channels, height, width = padded.shape
        taps = self._kernel
        height, width = height - taps + 1, width - taps + 1
        patches = padded.new_empty(taps, taps, channels, height, width)
        for dx, dy in product(range(taps), range(taps)):
            patches[dx, dy] = padded[:, dy : dy + height, dx : dx + width]
        columns = patches.view(taps * taps * channels, -1)
        for phase, matrix in matrices.items():
            yield phase, matrix @ columns[-matrix.shape[1] :]

    def _scatter_phases(self, padded: Tensor, _: Phases) -> Iterator[tuple[Phase, Tensor]]:
        """Give the same sums: all 25 taps' products first, then their shifted sums."""
        channels, height, width = padded.shape
        weight = self.weight.double().permute(2, 3, 1, 0).reshape(-1, channels)
        products = (weight @ padded.flatten(1)).view(5, 5, -1, height, width)
        for row, column in product(range(2), range(2)):
            sums = products.new_zeros(products.shape[2], height - 2, width - 2)
            for y, x in product(range(row, 5, 2), range(column, 5, 2)):
                sums += products[y, x, :, 2 - y // 2 : height - y // 2, 2 - x // 2 : width - x // 2]
            yield (row, column), sums.flatten(1)

    def _matrices(self) -> Phases:
        """Return, for each output phase (row, column), the matrix (O, taps) over the last columns of a patch.

        A patch's taps go column by column, so that the odd columns' phases, which see no tap on the left, take the
        last two thirds.
        """
        weight = self.weight.double()
        if not self.upsample:
            return {(0, 0): weight.permute(0, 3, 2, 1).flatten(1)}
        groups = {}
        for row, column in product(range(2), range(2)):
            # Output 2m + phase takes input m + 1 - k // 2 through the taps k of the phase's parity.
            taps = weight.new_zeros(weight.shape[1], 3 - column, 3, weight.shape[0])
            for tap_y, tap_x in product(range(row, 5, 2), range(column, 5, 2)):
                taps[:, 2 - tap_x // 2 - column, 2 - tap_y // 2] = weight[:, :, tap_y, tap_x].T
            groups[row, column] = taps.flatten(1)
        return groups


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

    def forward(self, x_CP: Tensor) -> Tensor:
        """Return the activations (C, P) of P positions."""
        energy = (x_CP * x_CP).mul_(2.0**-_ENERGY_SHIFT).round_()
        norm = torch.addmm(self.beta.double()[:, None], self.gamma.double(), energy)
        norm.mul_(2.0 ** -(int(self.shift) + 2 * FRACTION - _ENERGY_SHIFT)).sqrt_()
        return norm.mul_(x_CP).round_().clamp_(-MAX_ACTIVATION, MAX_ACTIVATION)


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

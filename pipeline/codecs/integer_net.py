"""Networks in integer arithmetic, for what a decoder computes: the same numbers on every machine.

An activation is an integer x, |x| <= 2^26, that stands for x / 2^fraction; it is carried in float64. A layer's sum
stays within 2^53, where float64 counts every integer, so the order of summation (threads, batch, strips, instruction
set) cannot matter, nor whether it is taken in float64 or by digits (integer_matmul.py):

    convolution   sum |w| <= 2^26 for each output, |bias| <= 2^52:   |w x + b| <= 2^26 2^26 + 2^52 = 2^53
    IGDN          u = round(x^2 / 2^18) <= 2^34, sum gamma <= 2^18:  gamma u + beta <= 2^18 2^34 + 2^52 = 2^53

Between the sums stand elementwise products, square roots and roundings, which IEEE 754 defines to the last bit.

Shapes: C channels in, O channels out, H rows, W columns of the layer's input. No batch: pictures go one by one.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn

from pipeline.base.errors import TrainingError
from pipeline.codecs.blocks import Gdn
from pipeline.codecs.integer_matmul import (
    MAX_DIGITS,
    MAX_TERMS,
    digits,
    is_fast_on,
    largest,
    multiply,
    num_digits,
)

MAX_ACTIVATION = float(1 << 26)
FRACTION = 16
"""Fraction bits of hidden activations, which so reach +-1024."""
_MAX_WEIGHT_SUM = 1 << 26
_MAX_BIAS = 1 << 52
_ENERGY_SHIFT = 18
_MAX_GAMMA_SUM = 1 << 18
_MAX_SHIFT = 30

# A 3x3 neighbourhood in an order in which what each output phase of a 5x5 transposed convolution sees (odd rows' phases
# nothing above, odd columns' nothing on the left) lies together.
_UPSAMPLING_TAPS = ((1, 0), (2, 0), (1, 1), (2, 1), (1, 2), (2, 2), (0, 1), (0, 2), (0, 0))
_SEEN = {(0, 0): slice(None), (0, 1): slice(2, 8), (1, 0): slice(0, 6), (1, 1): slice(2, 6)}
# Weights of older checkpoints may have more digits, whose products are no faster than float64.
_MAX_FAST_DIGITS = 3

Phase = tuple[int, int]
"""Row and column, modulo the upsampling factor, of the output positions that one matrix gives."""
Phases = Mapping[Phase, Tensor]


class IntegerConv(nn.Module):
    """A convolution of odd kernel, stride 1 (upsample=False), or the 5x5 transposed one that doubles H and W."""

    weight: Tensor
    bias: Tensor
    shift: Tensor

    def __init__(
        self, in_channels: int, out_channels: int, *, upsample: bool, kernel: int = 3, weight_digits: int = 3
    ) -> None:
        """`weight_digits` (integer_matmul.py), 7 bits each, are what a weight may have: fewer are faster."""
        super().__init__()
        self._weight_digits = weight_digits
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
            largest_shift(lambda s: (weight * 2.0**s).round().abs(), largest(self._weight_digits)),
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
        product = self._product(x_CHW)
        padded = nn.functional.pad(product.prepare(x_CHW), (border, border, border, border))
        out = x_CHW.new_empty(len(self.bias), factor * height, factor * width)
        bias_O1 = self.bias.double()[:, None]
        # With few outputs, shifting products is cheaper than copying patches.
        scatter = self.upsample and 4 * len(self.bias) <= channels
        if scatter:
            phases, matrices = self._scatter_phases, {(0, 0): product.matrix(self._all_taps())}
        else:
            phases = self._gather_phases
            matrices = {phase: product.matrix(matrix) for phase, matrix in self._matrices().items()}
        # Scattering repeats the rows around a chunk, so its chunks must not be flat.
        rows = max(32 if scatter else 1, product.patch_elements // (self._kernel**2 * channels * width))
        for top in range(0, height, rows):
            num_rows = min(rows, height - top)
            part = padded[..., top : top + num_rows + 2 * border, :]
            for (row, column), sums_OP in phases(part, matrices, product):
                target = out[:, factor * top + row : factor * (top + num_rows) : factor, column::factor]
                target.copy_(finish(sums_OP.add_(bias_O1)).view(-1, num_rows, width))
        return out

    def _product(self, x_CHW: Tensor) -> "_Product":
        """Return the faster of the ways to the same sums."""
        if is_fast_on(x_CHW.device) and self._kernel**2 * x_CHW.shape[0] <= MAX_TERMS:
            weight, activation = num_digits(self.weight), num_digits(x_CHW)
            if weight <= _MAX_FAST_DIGITS and activation <= MAX_DIGITS:
                return _ByDigits(num_weight=weight, num_activation=activation)
        return _ByFloats()

    def _gather_phases(self, padded: Tensor, matrices: Phases, product: "_Product") -> Iterator[tuple[Phase, Tensor]]:
        """Give each output phase's sums (O, P) for rows with their surroundings: matrix times patches."""
        *ahead, height, width = padded.shape
        height, width = height - self._kernel + 1, width - self._kernel + 1
        taps = self._taps()
        patches = padded.new_empty(len(taps), *ahead, height, width)
        for place, (dy, dx) in enumerate(taps):
            patches[place] = padded[..., dy : dy + height, dx : dx + width]
        for phase, matrix in matrices.items():
            yield phase, product(matrix, patches[self._seen(phase)].flatten(0, 1).flatten(1))

    def _scatter_phases(self, padded: Tensor, matrices: Phases, product: "_Product") -> Iterator[tuple[Phase, Tensor]]:
        """Give the same sums: all 25 taps' products first, then their shifted sums."""
        height, width = padded.shape[-2:]
        products = product(matrices[0, 0], padded.flatten(1)).view(5, 5, -1, height, width)
        for row, column in itertools.product(range(2), range(2)):
            sums = products.new_zeros(products.shape[2], height - 2, width - 2)
            for y, x in itertools.product(range(row, 5, 2), range(column, 5, 2)):
                sums += products[y, x, :, 2 - y // 2 : height - y // 2, 2 - x // 2 : width - x // 2]
            yield (row, column), sums.flatten(1)

    def _all_taps(self) -> Tensor:
        """Return the matrix (25 O, C) of an upsampling layer."""
        return self.weight.permute(2, 3, 1, 0).flatten(0, 2)

    def _taps(self) -> Sequence[tuple[int, int]]:
        """Return (row, column) of a position's neighbours, in the order of a patch."""
        if self.upsample:
            return _UPSAMPLING_TAPS
        return [(dy, dx) for dy in range(self._kernel) for dx in range(self._kernel)]

    def _seen(self, phase: Phase) -> slice:
        """Return which of the taps a phase sees."""
        return _SEEN[phase] if self.upsample else slice(None)

    def _matrices(self) -> Phases:
        """Return, for each output phase (row, column), the matrix (O, taps C) over the taps that it sees."""
        taps = self._taps()
        if not self.upsample:
            return {(0, 0): torch.stack([self.weight[:, :, dy, dx] for dy, dx in taps], dim=1).flatten(1)}
        # Output 2m + phase takes input m + 1 - k // 2 through the taps k of the phase's parity: k = 2 (2 - d) + phase.
        return {
            (row, column): torch.stack(
                [self.weight[:, :, 2 * (2 - dy) + row, 2 * (2 - dx) + column].T for dy, dx in taps[seen]], dim=1
            ).flatten(1)
            for (row, column), seen in _SEEN.items()
        }


class _Product(Protocol):
    """One way of multiplying a layer's weights with patches of its input; all ways give the same sums."""

    patch_elements: ClassVar[int]
    """Elements of a matrix of patches, so that it stays in a core's cache and its products are worth their overhead."""

    def prepare(self, x_CHW: Tensor) -> Tensor:
        """Return the input as patches are cut from it, (C, ..., H, W)."""

    def matrix(self, weight_OK: Tensor) -> Tensor:
        """Return the weights as they are multiplied."""

    def __call__(self, matrix: Tensor, columns: Tensor) -> Tensor:
        """Return the sums (O, P), float64."""


class _ByFloats:
    patch_elements: ClassVar[int] = 1 << 18

    def prepare(self, x_CHW: Tensor) -> Tensor:
        return x_CHW

    def matrix(self, weight_OK: Tensor) -> Tensor:
        return weight_OK.double()

    def __call__(self, matrix: Tensor, columns: Tensor) -> Tensor:
        return matrix @ columns


@dataclass(frozen=True, kw_only=True)
class _ByDigits:
    patch_elements: ClassVar[int] = 1 << 21
    num_weight: int
    num_activation: int

    def prepare(self, x_CHW: Tensor) -> Tensor:
        return digits(x_CHW, self.num_activation).transpose(0, 1)

    def matrix(self, weight_OK: Tensor) -> Tensor:
        return digits(weight_OK, self.num_weight).flatten(0, 1)

    def __call__(self, matrix: Tensor, columns: Tensor) -> Tensor:
        return multiply(matrix, columns, num_left=self.num_weight, num_right=self.num_activation)


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

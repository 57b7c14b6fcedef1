"""Linear layers of pixels in exact integer arithmetic.

A hidden value is an integer x, |x| <= 8127 (two digits of integer_matmul.py), that stands for x / 2^HIDDEN_FRACTION.
A weight is an integer of two digits, scaled for each output by a power of two of its own. So a sum of K <= 2^17
products and a bias stays within 2^17 2^13 2^13 + 2^51 <= 2^53, where float64 counts every integer: neither the order
of summation nor the way (float64, or int8 digits) can matter.

Shapes: P pixels, I inputs, O outputs, L digits.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pipeline.base.errors import TrainingError
from pipeline.codecs.integer_matmul import digits, is_fast_on, largest, multiply
from pipeline.codecs.integer_pointwise import leaky_relu

HIDDEN_FRACTION = 9
MAX_HIDDEN = float(largest(2))
_NUM_DIGITS = 2
_MAX_BIAS = 2.0**51
# Products below this many multiplications are not worth taking apart into digits.
_FEW = 1 << 24


class IntegerLinear(nn.Module):
    """gain * (W x + b) + offset, with inputs and outputs as integers."""

    weight: Tensor
    bias: Tensor
    shift: Tensor

    def __init__(self, num_inputs: int, num_outputs: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(num_outputs, num_inputs, dtype=torch.int16))
        self.register_buffer("bias", torch.zeros(num_outputs, dtype=torch.int64))
        self.register_buffer("shift", torch.zeros(num_outputs, dtype=torch.int32))

    def store(
        self, layer: nn.Linear, *, in_units: Tensor, gain: Tensor | None = None, offset: Tensor | None = None
    ) -> None:
        """Quantise a trained layer; `in_units` (I,) is what an input's integer is worth, `gain` and `offset` are (O,).

        Raises: TrainingError: weights that are not finite or beyond all bounds.
        """
        weight = layer.weight.detach().double().cpu() * in_units
        bias = layer.bias.detach().double().cpu()
        if gain is not None:
            weight, bias = weight * gain[:, None], bias * gain
        if offset is not None:
            bias = bias + offset
        if not bool(weight.isfinite().all() and bias.isfinite().all()):
            raise TrainingError("the weights are not finite: training has diverged")
        # frexp: |value| < 2^exponent, so that a value times 2^(bits - exponent) stays below 2^bits.
        exponent = torch.frexp(weight.abs().amax(dim=1).clamp(min=2.0**-60))[1]
        bias_exponent = torch.frexp(bias.abs().clamp(min=2.0**-60))[1]
        shift = torch.minimum(12 - exponent, 50 - bias_exponent).clamp(max=40)
        scale = torch.pow(2.0, shift.double())
        self.weight.copy_((weight * scale[:, None]).round().to(torch.int16))
        self.bias.copy_((bias * scale).round().clamp(-_MAX_BIAS, _MAX_BIAS).to(torch.int64))
        self.shift.copy_(shift)

    def prepared(self, *, out_fraction: int = HIDDEN_FRACTION) -> "Prepared":
        """Return the layer ready to run, giving outputs of `out_fraction` bits."""
        weight = self.weight
        packed = None
        if is_fast_on(weight.device):
            packed = digits(weight, _NUM_DIGITS).flatten(0, 1).T.contiguous()
        return Prepared(
            weight_IO=weight.double().T.contiguous(),
            bias_O=self.bias.double(),
            scale_O=torch.pow(2.0, (out_fraction - self.shift).double()),
            digits=packed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An integer layer with its matrices laid out."""

    weight_IO: Tensor
    bias_O: Tensor
    scale_O: Tensor
    digits: Tensor | None
    """(I, L O) int8, lowest digits first; None where float64 is the way."""

    def __call__(self, x_PI: Tensor) -> Tensor:
        """Return rounded outputs (P, O) of integers |x| <= 8127, float64, not saturated."""
        num_pixels, num_inputs = x_PI.shape
        if self.digits is not None and num_pixels * num_inputs * len(self.bias_O) >= _FEW:
            left = digits(x_PI, _NUM_DIGITS).flatten(0, 1)
            sums = multiply(left, self.digits, num_left=_NUM_DIGITS, num_right=_NUM_DIGITS).add_(self.bias_O)
        else:
            sums = torch.addmm(self.bias_O, x_PI, self.weight_IO)
        return sums.mul_(self.scale_O).round_()


def hidden(outputs: Tensor) -> Tensor:
    """Saturate outputs, in place."""
    return outputs.clamp_(-MAX_HIDDEN, MAX_HIDDEN)


def hidden_leaky(outputs: Tensor) -> Tensor:
    """Return LeakyReLU of saturated outputs."""
    return leaky_relu(outputs.clamp_(-MAX_HIDDEN, MAX_HIDDEN))

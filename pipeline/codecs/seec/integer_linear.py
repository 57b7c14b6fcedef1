"""Linear layers of pixels in exact integer arithmetic.

A hidden value is an integer x, |x| <= 8127 (two digits of integer_matmul.py), that stands for x / 2^HIDDEN_FRACTION.
A weight is an integer of two digits, scaled for each output by a power of two of its own. So a sum of K <= 2^17
products and a bias stays within 2^17 2^13 2^13 + 2^51 <= 2^53, where float64 counts every integer: neither the order
of summation nor the way (float64, or int8 digits) can matter.

Shapes: P pixels, I inputs, O outputs, L digits.
"""

from dataclasses import dataclass
from typing import Any

import numba.extending
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import TrainingError
from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.integer_matmul import digits, is_fast_on, largest

HIDDEN_FRACTION = 9
MAX_HIDDEN = float(largest(2))
_NUM_DIGITS = 2
_MAX_BIAS = 2.0**51
# Products below this many multiplications are not worth taking apart into digits.
_FEW = 1 << 21
# LeakyReLU's 0.1 as a number of few bits, whose products are exact.
_SLOPE = 6554 / 65536

Hidden = NDArray[np.int16]


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
        bias = torch.zeros(len(weight), dtype=torch.float64)
        if layer.bias is not None:
            bias += layer.bias.detach().double().cpu()
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
            bias_O=self.bias.cpu().numpy(),
            scale_O=torch.pow(2.0, (out_fraction - self.shift).double()).cpu().numpy(),
            digits=packed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An integer layer with its matrices laid out."""

    weight_IO: Tensor
    bias_O: NDArray[np.int64]
    scale_O: NDArray[np.float64]
    digits: Tensor | None
    """(I, L O) int8, lowest digits first; None where float64 is the way."""

    def hidden(self, x_PI: Hidden, *, leaky: bool = False, skip_PO: Hidden | None = None) -> Hidden:
        """Return saturated outputs (P, O) of integers |x| <= 8127, LeakyReLU or not; `skip_PO` is added last."""
        out = np.empty((len(x_PI), len(self.bias_O)), dtype=np.int16)
        skip = np.empty((0, 0), dtype=np.int16) if skip_PO is None else skip_PO
        compile_kernel(_hidden)(self._sums(x_PI), self.bias_O, self.scale_O, (leaky, skip), out)
        return out

    def outputs(self, x_PI: Hidden, *, limit: float) -> NDArray[np.int32]:
        """Return rounded outputs (P, O) within +-limit."""
        out = np.empty((len(x_PI), len(self.bias_O)), dtype=np.int32)
        compile_kernel(_outputs)(self._sums(x_PI), self.bias_O, self.scale_O, limit, out)
        return out

    def _sums(self, x_PI: Hidden) -> NDArray[Any]:
        """Return the sums without bias: (P, O) in float64, or those of digits, (2 P, 2 O) in int32."""
        num_pixels, num_inputs = x_PI.shape
        if self.digits is not None and num_pixels * num_inputs * len(self.bias_O) >= _FEW:
            left = np.empty((2, num_pixels, num_inputs), dtype=np.int8)
            compile_kernel(_take_apart)(x_PI, left)
            sums: NDArray[Any] = torch._int_mm(torch.from_numpy(left).flatten(0, 1), self.digits).numpy()
            return sums
        x = torch.from_numpy(x_PI).to(self.weight_IO.device).double()
        in_float: NDArray[Any] = (x @ self.weight_IO).cpu().numpy()
        return in_float


def _take_apart(values: Any, out: Any) -> None:
    """Write the two digits of each value, lowest first."""
    for p in range(values.shape[0]):
        for i in range(values.shape[1]):
            lower = ((np.int32(values[p, i]) + np.int32(64)) & np.int32(127)) - np.int32(64)
            out[0, p, i] = np.int8(lower)
            out[1, p, i] = np.int8((np.int32(values[p, i]) - lower) >> np.int32(7))


@numba.extending.register_jitable
def _sum_at(sums: Any, pixel: int, output: int, shape: Any) -> Any:
    """Return a sum: as it is, or put together from its digits' sums."""
    num_pixels, num_outputs = shape
    if sums.shape[0] == num_pixels:
        return np.float64(sums[pixel, output])
    low = np.int64(sums[pixel, output])
    middle = np.int64(sums[pixel, output + num_outputs]) + np.int64(sums[pixel + num_pixels, output])
    return np.float64(low + (middle << 7) + (np.int64(sums[pixel + num_pixels, output + num_outputs]) << 14))


def _hidden(sums: Any, bias: Any, scale: Any, how: Any, out: Any) -> None:
    """Round half up (every step here is exact in float64), LeakyReLU, saturate, add the skip connection, saturate."""
    leaky, skip = how
    for p in range(out.shape[0]):
        for o in range(out.shape[1]):
            value = np.floor((_sum_at(sums, p, o, out.shape) + bias[o]) * scale[o] + 0.5)
            value = min(max(value, -MAX_HIDDEN), MAX_HIDDEN)
            if leaky and value < 0.0:
                value = np.floor(value * _SLOPE + 0.5)
            if len(skip):
                value = min(max(value + skip[p, o], -MAX_HIDDEN), MAX_HIDDEN)
            out[p, o] = np.int16(value)


def _outputs(sums: Any, bias: Any, scale: Any, limit: float, out: Any) -> None:
    for p in range(out.shape[0]):
        for o in range(out.shape[1]):
            value = np.floor((_sum_at(sums, p, o, out.shape) + bias[o]) * scale[o] + 0.5)
            out[p, o] = np.int32(min(max(value, -limit), limit))

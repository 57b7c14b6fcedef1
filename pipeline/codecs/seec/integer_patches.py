"""Layers on a batch of small maps in integers: the same numbers on every machine, whatever the batch.

An activation is an integer x, |x| <= 8127, that stands for x / 2^FRACTION; it is carried in int16, channels last. That
and weights of two digits (integer_matmul.py) make a product four int8 products. Where those are not to be had, float64
gives the same sums, since it counts every integer up to 2^53:

    convolution   K |w| |x| + |bias|     <= 2^17 2^13 2^13 + 2^50 < 2^51, at most K = 2^17 terms
    attention     D |query| |key|        <= 2^17 2^13 2^13, at most D = 2^17 channels of a head
                  sum of exponentials    <= 2^12 2^24, at most T = 2^12 positions of a window
                  sum of share * value   <= 2^12 2^14 2^13

The sums of an IGDN are those of integer_net.py. Between the sums stand products, quotients, square roots and roundings
of single numbers, which IEEE 754 defines to the last bit, and functions of one integer, whose values are all stored.

Shapes: B patches, H, W rows and columns, C channels, O outputs; P positions, K terms of a sum; N windows, T positions
of one.
"""

import itertools
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.base.errors import TrainingError
from pipeline.codecs.blocks import Gdn
from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.integer_matmul import MAX_TERMS, digits, is_fast_on, largest
from pipeline.codecs.integer_net import FRACTION as IGDN_FRACTION
from pipeline.codecs.integer_net import IntegerIgdn, largest_shift
from pipeline.codecs.integer_pointwise import LEAKY_SLOPE
from pipeline.codecs.segpic.layers import WindowAttention

FRACTION = 8
"""Fraction bits of an activation."""
MAX_ACTIVATION = largest(2)
LIMIT = MAX_ACTIVATION * 2.0**-FRACTION
"""Activations reach +-31.7."""
_DIGIT_BITS = 7
_MAX_BIAS = 1 << 50
# Elements of a block's matrix of patches, so that it stays in a core's cache; an accelerator takes all it can get.
_BLOCK_ELEMENTS = 1 << 20
_ACCELERATOR_ELEMENTS = 1 << 27
_LOGIT_FRACTION = 10
_MAX_LOGIT = float(1 << 30)
# exp(-t) is told for 0 <= t < 16 and counts as 0 from there on: 2^-23 of the largest share.
_NUM_EXPONENTIALS = 16 << _LOGIT_FRACTION
_EXPONENTIAL_FRACTION = 24
_SHARE_FRACTION = 14


class PatchTables(nn.Module):
    """Functions' values at every integer they may be asked for.

    Buffers, saved with the weights, since two machines' libraries may differ in a value's last bit.
    """

    gelu: Tensor
    leaky: Tensor
    sigmoid: Tensor
    exponential: Tensor

    SIGMOID_FRACTION = 15

    def __init__(self) -> None:
        super().__init__()
        for name, dtype in (("gelu", torch.int16), ("leaky", torch.int16), ("sigmoid", torch.int32)):
            self.register_buffer(name, torch.zeros(2 * MAX_ACTIVATION + 1, dtype=dtype))
        self.register_buffer("exponential", torch.zeros(_NUM_EXPONENTIALS + 1, dtype=torch.int32))

    def store(self) -> None:
        """Write down the values."""
        x = torch.arange(-MAX_ACTIVATION, MAX_ACTIVATION + 1).double() * 2.0**-FRACTION
        self.gelu.copy_((nn.functional.gelu(x) * 2.0**FRACTION).round())
        self.leaky.copy_((nn.functional.leaky_relu(x, LEAKY_SLOPE) * 2.0**FRACTION).round())
        self.sigmoid.copy_((torch.sigmoid(x) * 2.0**self.SIGMOID_FRACTION).round())
        t = torch.arange(_NUM_EXPONENTIALS + 1).double() * 2.0**-_LOGIT_FRACTION
        self.exponential.copy_((torch.exp(-t) * 2.0**_EXPONENTIAL_FRACTION).round())
        self.exponential[-1] = 0


class PatchConv(nn.Module):
    """A convolution of odd kernel and stride 1, zero beyond each patch's border; with `upscale`, shuffled."""

    weight: Tensor
    bias: Tensor
    shift: Tensor

    def __init__(self, in_channels: int, out_channels: int, *, kernel: int = 1, upscale: int = 1) -> None:
        """`out_channels` are those after the shuffle into `upscale` times the rows and columns.

        Raises: ValueError: sums have too many terms to be exact.
        """
        super().__init__()
        self._kernel, self._upscale = kernel, upscale
        outputs, terms = out_channels * upscale**2, kernel**2 * in_channels
        if terms > MAX_TERMS:
            raise ValueError(f"sums of {terms} terms, at most {MAX_TERMS} are exact")
        self.register_buffer("weight", torch.zeros(2, outputs, terms, dtype=torch.int8))
        self.register_buffer("bias", torch.zeros(outputs, dtype=torch.int64))
        self.register_buffer("shift", torch.zeros((), dtype=torch.int64))

    def store(self, layer: nn.Conv2d | nn.Linear) -> None:
        """Quantise a trained layer: digits (2, O, K), the terms in the order row, column, channel.

        Raises: TrainingError: its weights are huge or not finite.
        """
        assert layer.bias is not None
        weight, bias = (values.detach().double().cpu() for values in (layer.weight, layer.bias))
        weight = weight.view(*weight.shape[:2], self._kernel, self._kernel).permute(0, 2, 3, 1).flatten(1)
        # Outputs in the order row, column, channel of where the shuffle takes them.
        weight, bias = (
            x.reshape(-1, self._upscale**2, *x.shape[1:]).transpose(0, 1).flatten(0, 1) for x in (weight, bias)
        )
        # Rounding keeps an order, so the largest magnitudes decide.
        most_weight, most_bias = weight.abs().max(), bias.abs().max()
        shift = min(
            largest_shift(lambda s: (most_weight * 2.0**s).round(), largest(2)),
            largest_shift(lambda s: (most_bias * 2.0 ** (s + FRACTION)).round(), _MAX_BIAS),
        )
        if shift < 0:
            raise TrainingError(f"a weight is beyond {largest(2)} or a bias beyond 2^42: training has diverged")
        self.weight.copy_(digits((weight * 2.0**shift).round(), 2))
        self.bias.copy_((bias * 2.0 ** (shift + FRACTION)).round().long())
        self.shift.fill_(shift)

    def forward(self, x_BHWC: Tensor, table: Tensor | None = None) -> Tensor:
        """Return (B, H, W, O), O after the shuffle; `table` is of the function that follows (PatchTables)."""
        batch, height, width, channels = x_BHWC.shape
        kernel, border = self._kernel, self._kernel // 2
        fast = is_fast_on(x_BHWC.device)
        parts = digits(x_BHWC, 2) if fast else x_BHWC.double()[None]
        padded = nn.functional.pad(parts, (0, 0, border, border, border, border))
        # A row of a position's neighbourhood lies together.
        part, patch, row, column, _ = padded.stride()
        windows = padded.as_strided(
            (len(parts), batch, height, width, kernel, kernel * channels), (part, patch, row, column, row, 1)
        )
        run = self._by_digits if fast else self._by_floats()
        out = x_BHWC.new_empty(batch, height, width, len(self.bias))
        most = _block_positions(max(self.weight.shape[1:]), x_BHWC.device)
        for patches, rows in _blocks(batch, height, width, most):
            patches_PK = windows[:, patches, rows].reshape(-1, self.weight.shape[2])
            run(patches_PK, table, out[patches, rows].view(-1, len(self.bias)))
        up = self._upscale
        if up == 1:
            return out
        return out.view(batch, height, width, up, up, -1).transpose(2, 3).reshape(batch, up * height, up * width, -1)

    def _by_digits(self, patches_PK: Tensor, table: Tensor | None, out_PO: Tensor) -> None:
        sums = torch._int_mm(patches_PK, self.weight.flatten(0, 1).t())
        values = np.zeros(0, dtype=np.int16) if table is None else table.numpy()
        compile_kernel(_finish)(sums.numpy(), self.bias.numpy(), int(self.shift), values, out_PO.numpy())

    def _by_floats(self) -> Callable[[Tensor, Tensor | None, Tensor], None]:
        """Return the same as a function that has the weights ready."""
        low, high = self.weight.double()
        weight_KO = high.mul_(2.0**_DIGIT_BITS).add_(low).t()
        shift = int(self.shift)
        bias_O = self.bias.double() + (1 << shift >> 1)

        def run(patches_PK: Tensor, table: Tensor | None, out_PO: Tensor) -> None:
            values = (patches_PK @ weight_KO).add_(bias_O).mul_(2.0**-shift).floor_()
            values.clamp_(-MAX_ACTIVATION, MAX_ACTIVATION)
            out_PO.copy_(values if table is None else look_up(table, values))

        return run


class PatchIgdn(nn.Module):
    """x * sqrt(beta + gamma x^2): integer_net.py's, at the fraction bits that its bounds are made for."""

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.igdn = IntegerIgdn(num_channels)

    def store(self, layer: Gdn) -> None:
        """Quantise a trained layer."""
        self.igdn.store(layer)

    def forward(self, x_BHWC: Tensor) -> Tensor:
        """Return activations of the same shape."""
        flat_PC = x_BHWC.flatten(0, 2)
        out_PC = torch.empty_like(flat_PC)
        step = _block_positions(4 * flat_PC.shape[1], x_BHWC.device)
        for first in range(0, len(flat_PC), step):
            x = flat_PC[first : first + step].double().mul_(2.0 ** (IGDN_FRACTION - FRACTION))
            out_PC[first : first + step] = rounded(self.igdn(x.t()).t(), IGDN_FRACTION - FRACTION)
        return out_PC.view_as(x_BHWC)


class PatchAttention(nn.Module):
    """x + self-attention within (shifted) windows of a map of `side` rows and columns."""

    bias: Tensor
    hidden: Tensor

    def __init__(self, source: WindowAttention, *, side: int) -> None:
        """The shapes are those of `source`."""
        super().__init__()
        self._heads, self._window, self._shift = source.num_heads, source.window, source.shift
        channels, positions = source.out.in_features, source.window**2
        self.qkv, self.out = PatchConv(channels, 3 * channels), PatchConv(channels, channels)
        # Python's square root is correctly rounded, as IEEE 754 has it.
        self._scale = 2.0 ** (_LOGIT_FRACTION - 2 * FRACTION) / (channels // source.num_heads) ** 0.5
        self.register_buffer("bias", torch.zeros(source.num_heads, positions, positions, dtype=torch.int32))
        # Follows from the sizes: which positions of a window only the shift has made neighbours.
        place = torch.arange(side)
        zone = (place >= side - source.window).short() + (place >= side - source.shift).short()
        zones_NT = self._windows((3 * zone[:, None] + zone)[None, :, :, None])[:, :, 0, 0]
        self.register_buffer("hidden", zones_NT[:, :, None] != zones_NT[:, None], persistent=False)

    def store(self, source: WindowAttention) -> None:
        """Quantise a trained layer."""
        self.qkv.store(source.qkv)
        self.out.store(source.out)
        bias = source.bias_table.detach().double()[source.relative_index].permute(2, 0, 1)
        self.bias.copy_((bias * 2.0**_LOGIT_FRACTION).round().clamp(-_MAX_LOGIT, _MAX_LOGIT))

    def forward(self, x_BHWC: Tensor, exponential: Tensor) -> Tensor:
        """Return activations of the same shape; `exponential` is PatchTables'."""
        batch, side, _, channels = x_BHWC.shape
        shift, window, count = self._shift, self._window, side // self._window
        tokens = self._windows(x_BHWC.roll((-shift, -shift), (1, 2)))
        qkv = self.qkv(tokens).view(len(tokens), -1, 3, self._heads, channels // self._heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).double()
        logits = (query @ key.transpose(2, 3)).mul_(self._scale).round_().add_(self.bias)
        if shift:
            logits.view(batch, -1, *logits.shape[1:]).masked_fill_(self.hidden[:, None], -torch.inf)
        mixed = rounded(softmax(logits, exponential) @ value, _SHARE_FRACTION)
        tokens = self.out(mixed.transpose(1, 2).reshape(len(tokens), -1, 1, channels))
        moved = tokens.view(batch, count, count, window, window, channels).transpose(2, 3).reshape(x_BHWC.shape)
        return add(x_BHWC, moved.roll((shift, shift), (1, 2)))

    def _windows(self, x_BHWC: Tensor) -> Tensor:
        """Return (N, T, 1, C), the windows of a patch one after another."""
        batch, side, _, channels = x_BHWC.shape
        window, count = self._window, side // self._window
        split = x_BHWC.view(batch, count, window, count, window, channels).transpose(2, 3)
        return split.reshape(-1, window**2, 1, channels)


def softmax(logits: Tensor, exponential: Tensor) -> Tensor:
    """Return shares of the last dimension, integers of 14 bits, of logits of 10 bits or minus infinity; float64.

    The logits are changed.
    """
    below = logits.sub_(logits.amax(-1, keepdim=True)).neg_().clamp_(max=float(_NUM_EXPONENTIALS))
    weights = exponential[below.long()].double()
    total = weights.sum(-1, keepdim=True)
    return weights.mul_(2.0**_SHARE_FRACTION).div_(total).round_()


def look_up(table: Tensor, x: Tensor) -> Tensor:
    """Return a stored function (PatchTables) of activations of any shape and type."""
    return table[x.long() + MAX_ACTIVATION]


def add(x: Tensor, y: Tensor) -> Tensor:
    """Return the sum of activations, int16, saturated."""
    return (x + y).clamp_(-MAX_ACTIVATION, MAX_ACTIVATION)


def rounded(values: Tensor, bits: int) -> Tensor:
    """Drop `bits` fraction bits of whole numbers in float64: they become activations, int16, saturated."""
    return (values * 2.0**-bits).round_().clamp_(-MAX_ACTIVATION, MAX_ACTIVATION).short()


def _block_positions(elements: int, device: torch.device) -> int:
    return max(1, (_BLOCK_ELEMENTS if device.type == "cpu" else _ACCELERATOR_ELEMENTS) // elements)


def _blocks(batch: int, height: int, width: int, most: int) -> Iterator[tuple[slice, slice]]:
    """Yield (patches, rows) of at most about `most` positions: whole patches, or rows of one."""
    num_patches, rows = max(1, most // (height * width)), max(1, min(height, most // width))
    for first, top in itertools.product(range(0, batch, num_patches), range(0, height, rows)):
        yield slice(first, first + num_patches), slice(top, top + rows)


def _finish(
    sums: NDArray[np.int32], bias: NDArray[np.int64], shift: int, table: NDArray[np.int16], out: NDArray[np.int16]
) -> None:
    """Make activations of sums of digits' products (2 P, 2 O), and apply the table if there is one; halves round up."""
    num_rows, num_columns = out.shape
    half = np.int64(1) << shift >> 1
    for row in range(num_rows):
        for column in range(num_columns):
            low = np.int64(sums[row, column])
            middle = np.int64(sums[row, num_columns + column]) + np.int64(sums[num_rows + row, column])
            high = np.int64(sums[num_rows + row, num_columns + column])
            total = low + (middle << 7) + (high << 14) + bias[column] + half
            out[row, column] = min(max(total >> shift, -MAX_ACTIVATION), MAX_ACTIVATION)
        if len(table):
            for column in range(num_columns):
                out[row, column] = table[out[row, column] + MAX_ACTIVATION]

"""A region-adaptive transform (rat.py) in integers, for the means and scales that the entropy coder is told.

Activations have LATENT_FRACTION bits outside and FRACTION bits in hidden layers; sums stay within 2^53 as
integer_net.py has it. The dynamic kernels have FRACTION bits and are bounded by 2^23, so that nine products with
activations of up to 2^26 sum to less than 2^53.

Shapes: C channels, h, w rows and columns, R regions; no batch.
"""

import torch
from torch import Tensor, nn

from pipeline.codecs.charm import LATENT_FRACTION
from pipeline.codecs.integer_net import FRACTION, MAX_ACTIVATION, IntegerConv, largest_shift, requantise
from pipeline.codecs.integer_pointwise import leaky_relu
from pipeline.codecs.integer_sequence import IntegerSequence
from pipeline.codecs.segpic.rat import RegionAdaptiveTransform

_MAX_KERNEL = float(1 << 23)
_MAX_WEIGHT_SUM = 1 << 26
_MAX_BIAS = 1 << 52
# Elements of one step's temporaries: few enough for a core's cache, many enough to keep it busy.
_STEP_ELEMENTS = 1 << 18


class IntegerRat(nn.Module):
    """The transform of features (C, h, w) and prototypes (C, R), integers in float64."""

    def __init__(self, source: RegionAdaptiveTransform) -> None:
        super().__init__()
        channels = source.out.out_channels
        self.ctl = IntegerSequence(source.ctl, in_fraction=LATENT_FRACTION, out_fraction=LATENT_FRACTION)
        self.prototype_in = IntegerConv(2 * channels, channels, upsample=False, kernel=1)
        self.hidden = IntegerSequence(_hidden(source))
        self.kernels = IntegerKernels(channels)
        self.cag = IntegerSequence(source.cag, in_fraction=LATENT_FRACTION)
        self.out = IntegerSequence(nn.Sequential(source.out), in_fraction=LATENT_FRACTION, out_fraction=LATENT_FRACTION)

    def store(self, source: RegionAdaptiveTransform) -> None:
        """Quantise a trained transform."""
        self.ctl.store(source.ctl)
        self.prototype_in.store(source.prototype_in, fraction=LATENT_FRACTION)
        self.hidden.store(_hidden(source))
        self.kernels.store(source.kernels)
        self.cag.store(source.cag)
        self.out.store(nn.Sequential(source.out))

    def forward(self, x_Chw: Tensor, prototypes_CR: Tensor, index_hw: Tensor) -> Tensor:
        """Return (C, h, w); `index_hw` is each position's region."""
        t_Chw = self.ctl(x_Chw)
        guide_Chw = self.hidden(self._enter(t_Chw, prototypes_CR, index_hw))
        mixed_Chw = self.kernels(guide_Chw, t_Chw)
        # A sum of at most 2^23 activations of at most 2^26 is exact; IEEE 754 defines its quotient.
        mean_C11 = (mixed_Chw.sum(dim=(1, 2), keepdim=True) / mixed_Chw[0].numel()).round_()
        attention_C11 = self.cag(mean_C11)
        scaled_Chw = (mixed_Chw * attention_C11).mul_(2.0**-FRACTION).round_()
        out: Tensor = (x_Chw + self.out(scaled_Chw)).clamp_(-MAX_ACTIVATION, MAX_ACTIVATION)
        return out

    def _enter(self, t_Chw: Tensor, prototypes_CR: Tensor, index_hw: Tensor) -> Tensor:
        """Return the first layer of DKG, FRACTION bits: its sums over t and over prototypes are one sum, split."""
        conv = self.prototype_in
        channels = t_Chw.shape[0]
        weight = conv.weight[:, :, 0, 0].double()
        from_prototypes_CR = weight[:, channels:] @ prototypes_CR + conv.bias.double()[:, None]
        bits = int(conv.shift) + LATENT_FRACTION - FRACTION
        flat_CP, index_P = t_Chw.flatten(1), index_hw.flatten()
        out_CP = torch.empty_like(flat_CP)
        step = max(1, _STEP_ELEMENTS // channels)
        for first in range(0, flat_CP.shape[1], step):
            part = slice(first, first + step)
            sums = weight[:, :channels] @ flat_CP[:, part] + from_prototypes_CR[:, index_P[part]]
            out_CP[:, part] = leaky_relu(requantise(sums, bits))
        return out_CP.view_as(t_Chw)


class IntegerKernels(nn.Module):
    """The dynamic depthwise convolution (dynamic.py) on integers."""

    weight: Tensor
    bias: Tensor
    shift: Tensor

    def __init__(self, num_channels: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(num_channels, 9, 3, 3, dtype=torch.int32))
        self.register_buffer("bias", torch.zeros(num_channels, 9, dtype=torch.int64))
        self.register_buffer("shift", torch.zeros((), dtype=torch.int64))

    def store(self, layer: nn.Conv2d) -> None:
        """Quantise the layer that gives the kernels."""
        assert layer.bias is not None
        weight = layer.weight.detach().double().cpu().view(self.weight.shape)
        bias = layer.bias.detach().double().cpu().view(self.bias.shape)
        shift = min(
            largest_shift(lambda s: (weight * 2.0**s).round().abs().sum(dim=(2, 3)), _MAX_WEIGHT_SUM),
            largest_shift(lambda s: (bias * 2.0 ** (s + FRACTION)).round().abs(), _MAX_BIAS),
        )
        self.weight.copy_((weight * 2.0**shift).round().to(torch.int32))
        self.bias.copy_((bias * 2.0 ** (shift + FRACTION)).round().to(torch.int64))
        self.shift.fill_(shift)

    def forward(self, guide_Chw: Tensor, signal_Chw: Tensor) -> Tensor:
        """Return (C, h, w) from a guide of FRACTION bits and a signal, whose bits it keeps."""
        channels, height, width = signal_Chw.shape
        out = torch.empty_like(signal_Chw)
        step = max(1, _STEP_ELEMENTS // (height * width))
        for first in range(0, channels, step):
            part = slice(first, first + step)
            out[part] = self._channels(guide_Chw[part], signal_Chw[part], part)
        return out

    def _channels(self, guide: Tensor, signal: Tensor, part: slice) -> Tensor:
        _, height, width = signal.shape
        weight, bias = self.weight[part].double(), self.bias[part].double()
        padded_guide, padded_signal = (nn.functional.pad(x, (1, 1, 1, 1)) for x in (guide, signal))
        total = torch.zeros_like(signal)
        for place in range(9):
            sums = bias[:, place, None, None].expand_as(signal).clone()
            for tap in range(9):
                row, column = divmod(tap, 3)
                around = padded_guide[:, row : row + height, column : column + width]
                sums.addcmul_(around, weight[:, place, row, column, None, None])
            kernel = (sums * 2.0 ** -int(self.shift)).round_().clamp_(-_MAX_KERNEL, _MAX_KERNEL)
            row, column = divmod(place, 3)
            total.addcmul_(kernel, padded_signal[:, row : row + height, column : column + width])
        return requantise(total, FRACTION)


def _hidden(source: RegionAdaptiveTransform) -> nn.Sequential:
    return nn.Sequential(source.hidden, nn.LeakyReLU(0.1))
